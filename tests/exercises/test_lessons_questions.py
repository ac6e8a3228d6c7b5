"""Every question of every lesson: its text holds together, its answers get the reply they must get."""

import tomllib
from pathlib import Path

import numpy as np
import pytest

from course_lib import exercises
from course_lib.exercises import lessons
from course_lib.exercises.question import Question

HOME = Path(exercises.__file__).parent
LESSONS = [lesson.name for lesson in lessons.ALL]
ENTRIES = {
    f"{lesson}.{name}": entry
    for lesson in LESSONS
    for name, entry in tomllib.loads((HOME / f"{lesson}.toml").read_text(encoding="utf-8")).items()
}
CHOICES = [name for name, entry in ENTRIES.items() if "options" in entry]
CHECKED = [name for name, entry in ENTRIES.items() if "right" in entry]
OPEN = [name for name in CHECKED if name not in CHOICES]
JUDGED = [name for name, entry in ENTRIES.items() if "judge" in entry]
GUESSES = [name for name in CHOICES if name not in CHECKED]


def question(name: str) -> Question:
    lesson, name = name.split(".")
    return getattr(getattr(exercises, lesson), name)


def unwrapped(text: str) -> str:
    """`text` as one line: where it is broken is not what these tests are about."""
    return " ".join(text.split())


def equivalents(right: object) -> list:
    """`right` in the other forms that a student may give it."""
    if isinstance(right, tuple):
        crossed = "x".join(map(str, right))
        return [list(right), np.array(right), crossed, crossed.replace("x", "×"), str(right), str(list(right))]
    if isinstance(right, str):
        return [right.lower(), f" {right} "]
    return [float(right), str(right), np.float64(right), np.array(right)]


def test_every_file_of_questions_is_a_lesson():
    assert sorted(LESSONS) == sorted(path.stem for path in HOME.glob("*.toml"))
    assert set(LESSONS) <= set(exercises.__all__)


@pytest.mark.parametrize("name", ENTRIES)
def test_texts_are_there(name):
    entry = ENTRIES[name]
    assert len(entry["text"]) > 20
    assert set(entry) <= {
        *("text", "right", "because", "wrong", "options", "expects", "tip", "tolerance", "judge"),
        *("kind", "points", "function", "misconception", "returns_object", "runs_for"),
    }
    texts = [entry["text"], *entry.get("options", {}).values(), *entry.get("wrong", {}).values()]
    if name not in GUESSES:
        texts += [entry["because"], entry["tip"]]
        assert len(entry["because"]) > 20 and len(entry["tip"]) > 20
    assert all(text == text.strip() and "  " not in text for text in texts)
    assert name in CHECKED or name in JUDGED or name in GUESSES


@pytest.mark.parametrize("name", CHOICES)
def test_every_option_is_answered(name):
    entry = ENTRIES[name]
    options = list(entry["options"])
    assert options == list("ABCDEF"[: len(options)]) and len(options) >= 3
    assert entry.get("right", "A") in options
    # A wrong option has its reply; where the experiment decides, each may come out wrong.
    assert sorted(entry["wrong"]) == [option for option in options if option != entry.get("right")]


@pytest.mark.parametrize("name", OPEN)
def test_at_least_four_wrong_answers_are_foreseen(name):
    assert len(question(name).wrong) >= 4
    assert not any(question(name).reply(wrong).startswith("→ Right") for wrong in question(name).wrong)


@pytest.mark.parametrize("name", CHECKED)
def test_the_solution_is_right_in_every_form(name, capsys):
    asked = question(name)
    for answer in [ENTRIES[name]["right"], asked.right, *equivalents(asked.right)]:
        assert asked.reply(answer) == f"→ Right. {asked.because}", answer
    asked.solution()
    said = unwrapped(capsys.readouterr().out)
    assert str(asked.right) in said and asked.because in said


@pytest.mark.parametrize("name", CHECKED)
def test_each_foreseen_wrong_answer_gets_its_own_reply(name):
    asked = question(name)
    for wrong, reply in asked.wrong.items():
        for answer in [wrong, *equivalents(wrong)]:
            said = asked.reply(answer)
            assert said.startswith("→ Not ") and said.endswith(f". {reply}"), (answer, said)
    assert len(set(asked.wrong.values())) == len(asked.wrong)


@pytest.mark.parametrize("name", OPEN)
def test_an_unforeseen_wrong_answer_gets_the_tip(name):
    asked = question(name)
    unforeseen = (97, 89) if isinstance(asked.right, tuple) else 9.7531
    assert asked.reply(unforeseen) == f"→ Not {unforeseen}. {asked.tip}"


@pytest.mark.parametrize("name", [*CHECKED, *JUDGED])
def test_other_kinds_and_nothing_at_all_are_met_with_words(name):
    asked = question(name)
    assert asked.expects in asked.reply("no idea") and asked.expects in asked.reply({})
    for nothing in (None, ...):
        assert "Not answered yet" in asked.reply(nothing)


@pytest.mark.parametrize("name", CHOICES)
def test_guesses_are_taken_and_answered(name, capsys):
    asked = question(name)
    for guess in asked.options:
        for measured in asked.options:
            asked.predict(guess)
            capsys.readouterr()
            asked.outcome(measured, "So many errors.")
            said = unwrapped(capsys.readouterr().out)
            assert f"your guess {guess} | outcome {measured}: {asked.options[measured]} So many errors." in said
            if guess == measured or guess == asked.right:
                assert said.endswith("So many errors.")
            else:
                assert said.endswith(unwrapped(asked.wrong[guess]))
    asked.predict(None)
