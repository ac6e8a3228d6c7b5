"""The instructor's part of the web site: a class from the day before, the plan, claims, misconceptions, answers."""

import pathlib
import re

from course_lib import common
from course_lib.classroom.publishing import outcomes, plan, reading
from course_lib.exercises import lessons as exercise_lessons
from course_lib.exercises.question import Question

JUDGES = "course_lib/exercises/judges"
SOLUTION = """<details><summary>A solution of {name}: <code>{function}</code></summary>

```python
{code}
```

</details>"""


def write(lessons: list[reading.Lesson], folder: pathlib.Path) -> None:
    """Writes a page of MyST Markdown for each of them."""
    folder.mkdir()
    planned = plan.page(lessons, "../lessons/", "../slides/", answers=True).replace("\n### ", "\n## ")
    texts = {
        "in_class": (pathlib.Path(__file__).with_name("in_class.md")).read_text(encoding="utf-8"),
        "plan": "# The plan by the minute\n\n" + planned,
        "claims": claims(),
        "misconceptions": misconceptions(lessons),
        "answers": answers(lessons),
    }
    for name, text in texts.items():
        (folder / f"{name}.md").write_text(text.rstrip() + "\n", encoding="utf-8")


def claims() -> str:
    """What the lecture's slides say, what is right, and where that stands."""
    rows = [
        f"| {placed(row['id'])} | {' | '.join(cell(row[part]) for part in ('slide', 'right', 'source', 'lesson'))} |"
        for row in common.published("lecture")
    ]
    head = ["| claim | the slide | what is right | source | lesson |", "|---|---|---|---|---|"]
    return "# The lecture's claims\n\n" + "\n".join([*head, *rows])


def placed(claim: str) -> str:
    """A claim's name, as the place that the plan leads to."""
    return f'<span id="{claim}">{claim}</span>'


def misconceptions(lessons: list[reading.Lesson]) -> str:
    """The mistaken idea behind each question that has one, in class order, and what to say to each answer."""
    return _by_lesson("Misconceptions", lessons, _misconception)


def _misconception(question: Question, came_out: dict[str, outcomes.Outcome]) -> str:
    if not question.misconception:
        return ""
    found = came_out.get(question.name)
    wrong = [(answer, reply) for answer, reply in question.wrong.items() if not found or str(answer) != found.measured]
    replies = [f"  - {literal(question.said(answer))}: {literal(reply)}" for answer, reply in wrong]
    place = f'<span id="{question.lesson}-{question.name}"></span>'
    lines = [place + _asked(question), ""]
    if found:
        lines.append(f"- *Comes out:* **{literal(found.measured)}**{_meaning(found)}")
    lines.append(f"- *A common mistake:* {literal(question.misconception)}")
    lines += ["- *Then say, to who answers …*", *replies] if replies else []
    return "\n".join(lines)


def answers(lessons: list[reading.Lesson]) -> str:
    """Every question in class order with its answer, a guess with what its experiment came out as."""
    return _by_lesson("Answers", lessons, _answer)


def _answer(question: Question, came_out: dict[str, outcomes.Outcome]) -> str:
    lines = [_asked(question), ""]
    if question.name in came_out:
        found = came_out[question.name]
        lines.append(f"- *Comes out:* **{literal(found.measured)}**{_meaning(found)}. {literal(found.finding)}")
    elif question.kind == "guess":
        lines.append("- *Comes out:* the saved lesson holds no outcome.")
    elif question.kind == "code":
        lines.append(f"- *A right answer shows:* {literal(question.because)}")
    else:
        lines.append(f"- *Answer:* {literal(question.solution_text())}")
    if question.points:
        lines.append(f"- {question.points:g} {'point' if question.points == 1 else 'points'}")
    if question.kind == "code":
        code = question.solution_code()
        if code:
            lines += ["", SOLUTION.format(name=question.name, function=question.function, code=code)]
        else:
            lines.append(f"- Its judge: `{question.function}` in `{JUDGES}/{question.lesson}.py`")
    return "\n".join(lines)


def _meaning(found: outcomes.Outcome) -> str:
    return f" ({literal(found.meaning)})" if found.meaning else ""


def _asked(question: Question) -> str:
    return f"**{question.name}** · {literal(question.text)}"


def _by_lesson(title: str, lessons: list[reading.Lesson], told) -> str:
    parts = [f"# {title}"]
    for lesson in lessons:
        known = exercise_lessons.named(lesson.exercise).questions()
        in_order = [question for section in lesson.sections for question in section.questions]
        in_order += [question for question in known.values() if question not in in_order]
        came_out = outcomes.of_lesson(lesson)
        found = [text for text in (told(question, came_out) for question in in_order) if text]
        if found:
            parts += [f"## {lesson.title}", *found]
    return "\n\n".join(parts)


def literal(text: str) -> str:
    """Text in one line of Markdown, as it stands but for `code`."""
    return re.sub(r"([$*_<\[\]#|~^{}\\])(?=(?:[^`]*`[^`]*`)*[^`]*$)", r"\\\1", " ".join(text.split()))


def cell(text: str) -> str:
    """Text in one line of a table, as it stands: no formula, no link begins in it."""
    return " ".join(text.replace("|", "\\|").replace("$", "\\$").split())
