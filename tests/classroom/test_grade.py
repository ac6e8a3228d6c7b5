"""`python -m course_lib grade`: marks again what students handed in, and believes no file."""

import csv
import json
import pathlib

import pytest

from course_lib import __main__ as command_line
from course_lib import exercises
from course_lib.classroom import grade, hand_ins, sandbox
from course_lib.exercises import handing_in, record

OF = sum(question.points for question in exercises.lenet.questions().values())
RIGHT = """import numpy as np


def kernel_gradient(image, upstream):
    print("a student prints")
    windows = np.lib.stride_tricks.sliding_window_view(image, upstream.shape)
    return np.einsum("ijhw,hw->ij", windows, upstream)
"""
AVERAGE = RIGHT.replace("upstream)\n", "upstream) / upstream.size\n").replace(
    "view(image, upstream.shape)", "view(image, upstream.shape)"
)
SMALL_LENET = """import keras
from keras import layers


def build():
    return keras.Sequential([
        keras.Input((32, 32, 1)),
        layers.Conv2D(6, 5, activation="tanh"), layers.AveragePooling2D(2),
        layers.Conv2D(16, 5, activation="tanh"), layers.AveragePooling2D(2),
        layers.Flatten(), layers.Dense(30, activation="tanh"), layers.Dense(84, activation="tanh"), layers.Dense(10),
    ])
"""
EDGES = """import numpy as np
from sklearn.linear_model import LogisticRegression


def edges(images):
    gray = images.astype(float).mean(axis=-1)
    across, down = np.diff(gray, axis=2)[:, :28, :28], np.diff(gray, axis=1)[:, :28, :28]
    kinds = np.clip(np.arctan2(down, across) % np.pi / np.pi * 8, 0, 7).astype(int)
    blocks = [np.where(kinds == kind, np.hypot(across, down), 0) for kind in range(8)]
    found = np.stack([each.reshape(-1, 7, 4, 7, 4).sum(axis=(2, 4)) for each in blocks], axis=-1)
    found = found.reshape(len(images), -1)
    return found / np.linalg.norm(found, axis=1, keepdims=True)
"""
ENDLESS = "def kernel_gradient(image, upstream):\n    while True:\n        pass\n"
LARGE = "def kernel_gradient(image, upstream):\n    block = bytearray(4 * 10**9)\n    return image\n"
ANSWERS = {"q1": {"answer": 8, "tries": 1}, "q4": {"answer": [3, 3], "tries": 2}, "q5": {"answer": "A", "tries": 3}}
CODE = {"answer": "kernel_gradient", "tries": 1}


def hand_in(folder: pathlib.Path, name: str, /, *, source: str = "", lessons: dict | None = None, **changed) -> None:
    """Writes a student's file."""
    answers = dict(ANSWERS, **({"q2": {**CODE, "source": source}} if source else {}))
    content = {
        "format": handing_in.FORMAT,
        "name": name,
        "date": "2026-11-29T12:00:00+00:00",
        "versions": {},
        "lessons": lessons or {"lenet": answers},
        **changed,
    }
    (folder / f"{name}.json").write_text(json.dumps(content), encoding="utf-8")


def points(folder: pathlib.Path) -> dict[str, dict[str, str]]:
    """The lines of points.csv by student."""
    with (folder / grade.POINTS).open(encoding="utf-8-sig", newline="") as file:
        return {row["name"] or row["file"]: row for row in csv.DictReader(file)}


def test_a_hundred_files_five_damaged_and_three_hostile(tmp_path, capsys):
    folder, outside = tmp_path / "hand_ins", tmp_path / "outside"
    folder.mkdir()
    outside.mkdir()
    for number in range(92):
        hand_in(folder, f"student {number:02}", source=(RIGHT, AVERAGE, "")[number % 3])
    whole = (folder / "student 00.json").read_text()
    (folder / "cut.json").write_text(whole[: len(whole) // 2])
    (folder / "binary.json").write_bytes(b"\x80\x04\x95pickle")
    (folder / "list.json").write_text("[" * 100_000)
    hand_in(folder, "stranger", lessons={"lenet": {"q99": {"answer": 1}}})
    hand_in(folder, "boaster", lessons={"lenet": {"q1": {"answer": {"right": True}, "right": True}}})
    hand_in(folder, "endless", source=ENDLESS)
    hand_in(folder, "large", source=LARGE)
    writes = f"open({str(outside / 'evil.txt')!r}, 'w').write('evil')"
    hand_in(folder, "writer", source=f"def kernel_gradient(image, upstream):\n    {writes}\n    return image\n")

    assert command_line.main(["grade", str(folder), "--seconds", "4"]) == 0
    said = capsys.readouterr().out
    named = {line.split(":")[0] for line in said.splitlines() if ": " in line}
    assert named >= {f"{name}.json" for name in ("cut", "binary", "list", "stranger", "boaster")}
    assert {"endless.json", "large.json", "writer.json"} <= named and not any("student" in name for name in named)
    assert "endless.json: lenet.q2 was stopped after 4 s" in said
    assert "large.json: lenet.q2 asked for more than 2 GB of memory" in said
    assert "writer.json: lenet.q2 tried to write" in said and "95 of 100 files marked, 8 problems named" in said
    assert not list(outside.iterdir())
    rows = points(folder)
    assert [rows[f"student {number:02}"]["points"] for number in range(3)] == ["5", "2", "2"]
    assert rows["writer"]["lenet"] == "2" and rows["writer"]["problems"].startswith("lenet.q2 tried to write")
    assert rows["cut.json"]["points"] == "" and rows["student 00"]["of"] == rows["endless"]["of"] == f"{OF:g}"
    page = (folder / grade.PAGE).read_text(encoding="utf-8")
    assert page.index("lenet q5") < page.index("lenet q2") < page.index("lenet q1")  # the most missed first
    assert "0 of 95" in page and "This is the average over the positions" in page and "writer.json" in page


def one(tmp_path, **options) -> hand_ins.Marked:
    """The marks of one file."""
    hand_in(tmp_path, "ada", **options)
    (student,), _ = grade.grade([tmp_path / "ada.json"], sandbox.Limits(seconds=300))
    return student


def test_what_a_file_says_is_right_is_not_believed(tmp_path):
    claims = {
        "q1": {"answer": 25, "right": True},
        "q2": {**CODE, "right": True, "source": AVERAGE},
        "q5": {"right": True},
    }
    student = one(tmp_path, lessons={"lenet": {**claims, "q4": {"answer": [3, 3]}}})
    assert {mark.question.name: mark.points for mark in student.marks} == {"q1": 0, "q2": 0, "q5": 0, "q4": 1}


def test_a_solution_read_before_the_answer_is_marked(tmp_path):
    hand_in(tmp_path, "ada", lessons={"lenet": {"q1": {"answer": 8, "solution": True}, "p1": {"guess": "A"}}})
    assert grade.main([str(tmp_path)]) == 0
    assert points(tmp_path)["ada"]["solution_read_first"] == "1" and points(tmp_path)["ada"]["points"] == "1"


@pytest.mark.parametrize(
    ("body", "incident"),
    [
        ("import os; os.remove(PATH)", "tried os.remove"),
        ("import os; os.rename(PATH, PATH + 'x')", "tried os.rename"),
        ("import os; os.symlink('/', PATH + 'link')", "tried os.symlink"),
        ("import subprocess; subprocess.run(['touch', PATH + 'x'])", "tried subprocess.Popen"),
        ("import os; os.system('touch ' + PATH + 'x')", "tried os.system"),
        ("import socket; socket.create_connection(('127.0.0.1', 9))", "tried socket"),
        ("import os; os.kill(os.getppid(), 9)", "tried os.kill"),
        ("import ctypes; ctypes.CDLL('libc.so.6')", "tried ctypes.dlopen"),
        ("import os; os._exit(0)", "ended its process"),
        ("import resource; resource.setrlimit(resource.RLIMIT_DATA, (-1, -1))", "tried resource.setrlimit"),
        ("import numpy; numpy.save(PATH + 'x.npy', image)", "tried to write"),
    ],
)
def test_what_no_answer_should_do_is_refused_and_named(tmp_path, body, incident):
    (tmp_path / "kept").mkdir()
    path = tmp_path / "kept" / "file.txt"
    path.write_text("kept")
    body = body.replace("PATH", repr(str(path)))
    student = one(tmp_path, source=f"def kernel_gradient(image, upstream):\n    {body}\n    return image\n")
    assert incident in "; ".join(student.incidents) and student.points() == 2
    assert [each.name for each in path.parent.iterdir()] == ["file.txt"] and path.read_text() == "kept"


@pytest.mark.parametrize(
    "body",
    [
        "import os; os.mkfifo(PATH)",  # Python tells nobody of this one
        "import numpy as np; import os; os.mknod(PATH)",
    ],
)
def test_the_kernel_refuses_what_python_does_not_see(tmp_path, body):
    import sys

    from course_lib.classroom import confinement

    if sys.platform != "linux" or not confinement_works(confinement):
        pytest.skip("needs Landlock, which this kernel does not offer")
    path = tmp_path / "outside"
    one(tmp_path, source=f"def kernel_gradient(image, upstream):\n    {body.replace('PATH', repr(str(path)))}\n")
    assert not path.exists()


def confinement_works(confinement) -> bool:
    """Whether a fresh process can be locked into a folder."""
    import subprocess
    import sys

    code = "from course_lib.classroom import confinement; print(confinement.lock_folder('.'))"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "True\n"


@pytest.mark.parametrize(
    ("source", "reply"),
    [
        ("def kernel_gradient(image, upstream): return image @ upstream", "stopped with ValueError: matmul"),
        ("def kernel_gradient(image, upstream): return exit()", "stopped with SystemExit"),
        ("def kernel_gradient(image, upstream): return object()", "TypeError: it returned a object"),
        ("def kernel_gradient(image, upstream): return None", "Your function returns nothing: is the gap still empty?"),
        ("def kernel_gradient(image, upstream): return helper(image)", "NameError: name 'helper' is not defined"),
        ("def kernel_gradient(image, upstream) return", "stopped with SyntaxError"),
        ("import no_such_package", "No module named 'no_such_package'"),
        ("x = 1", "stopped with KeyError"),
        (
            "import numpy as np\nnp.allclose = lambda *_: True\ndef kernel_gradient(i, u): return np.zeros((5, 5))",
            "numbers are not",
        ),
        ("def kernel_gradient(i, u):\n    i[:] = 0\n    return [['a'] * 5] * 5", "could not convert string"),
    ],
)
def test_a_wrong_function_gets_its_reply(tmp_path, source, reply):
    (mark,) = [mark for mark in one(tmp_path, source=source).marks if mark.question.name == "q2"]
    assert reply in mark.reply and not mark.right


def test_a_flood_is_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr(sandbox, "LONGEST_ANSWER", 1000)
    student = one(tmp_path, source="def kernel_gradient(i, u): return 'x' * 10_000")
    assert student.incidents == ["lenet.q2 returned more than can be read"] and student.points() == 2


def test_a_file_may_be_written_in_its_own_folder(tmp_path):
    source = RIGHT.replace("print(", "open('mine.txt', 'w').write(")
    student = one(tmp_path, source=source)
    assert student.points() == 5 and not student.incidents


def test_a_function_that_returns_a_network_is_judged(tmp_path):
    lessons = {"lenet": {"e1": {"answer": "build", "source": SMALL_LENET}}}
    assert one(tmp_path, lessons=lessons).points() == exercises.lenet.e1.points == 3


def test_beside_its_judge_a_function_is_as_confined(tmp_path):
    path = tmp_path / "outside.txt"
    source = f"def augment(images, draws):\n    open({str(path)!r}, 'w').write('evil')\n    return images\n"
    student = one(tmp_path, lessons={"alexnet": {"q2": {"answer": "augment", "source": source}}})
    assert student.points() == 0 and not path.exists()
    assert [incident.split(" tried")[0] for incident in student.incidents] == ["alexnet.q2"]


@pytest.mark.parametrize(
    ("body", "points", "reply"),
    [
        ("return LogisticRegression(C=10, max_iter=300).fit(edges(data.train[0]), data.train[1])"
         ".predict(edges(data.test_images))", 3, "Clearly more than the linear classifier"),
        ("return data.validation[1]", 0, "1200 test images get 1200 classes"),
        ("return np.zeros(len(data.test_images), int)", 0, "It gives one class to all"),
    ],
)  # fmt: skip
def test_a_function_gets_the_data_of_a_challenge(tmp_path, body, points, reply):
    source = f"{EDGES}\n\ndef my_answers(data):\n    {body}\n"
    student = one(tmp_path, lessons={"challenges": {"e2": {"answer": "my_answers", "source": source}}})
    (mark,) = [mark for mark in student.marks if mark.question.name == "e2"]
    assert reply in mark.reply and student.points() == points and not student.incidents


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ({"format": "other"}, "it is not what exercises.hand_in writes"),
        ({"name": ""}, "it names no student"),
        ({"name": "x" * 101}, "it names no student"),
        ({"name": 3}, "it names no student"),
        ({"date": None}, "it has no date"),
        ({"lessons": {"latin": {}}}, "unknown lesson 'latin'"),
        ({"lessons": {"lenet": {"q1": {"answer": [[1]]}}}}, "'answer' of an entry is not as it should be"),
        ({"lessons": {"lenet": {"q1": {"tries": -1}}}}, "'tries' of an entry is not as it should be"),
        ({"lessons": {"lenet": {"q2": {"source": "x" * 20_001}}}}, "'source' of an entry is not as it should be"),
    ],
)
def test_damage_is_named(tmp_path, content, reason):
    base = {"format": handing_in.FORMAT, "name": "ada", "date": "2026", "lessons": {"lenet": {}}}
    (tmp_path / "x.json").write_text(json.dumps({**base, **content}))
    students, ((file, problem),) = grade.grade([tmp_path / "x.json"], sandbox.Limits())
    assert not students and file == "x.json" and reason in problem


def test_a_link_and_a_huge_file_are_not_read(tmp_path):
    (tmp_path / "secret").write_text("{}")
    (tmp_path / "link.json").symlink_to(tmp_path / "secret")
    (tmp_path / "huge.json").write_bytes(b" " * (hand_ins.LARGEST + 1))
    students, problems = grade.grade(sorted(tmp_path.glob("*.json")), sandbox.Limits())
    assert not students and [reason for _, reason in problems] == [
        "not marked: it has 2.0 MB, more than any hand-in", "not marked: it is no ordinary file"
    ]  # fmt: skip


def test_the_results_are_written_through_no_link(tmp_path):
    folder, kept = tmp_path / "hand_ins", tmp_path / "kept"
    folder.mkdir()
    kept.write_text("kept")
    hand_in(folder, "ada")
    (folder / grade.POINTS).symlink_to(kept)
    grade.main([str(folder)])
    assert kept.read_text() == "kept" and points(folder)["ada"]["points"] == "2"


def test_a_name_is_neither_a_formula_nor_markup(tmp_path):
    hand_in(tmp_path, "x", name="=HYPERLINK('x')<script>alert(1)</script>")
    hand_in(tmp_path, "y", name="=hyperlink('x')<script>alert(1)</script>")
    grade.main([str(tmp_path)])
    assert {name[:11] for name in points(tmp_path)} == {"'=HYPERLINK", "'=hyperlink"}
    page = (tmp_path / grade.PAGE).read_text(encoding="utf-8")
    assert "<script>" not in page and "names the same student as x.json" in page


def test_an_empty_folder_and_none(tmp_path, capsys):
    assert grade.main([str(tmp_path)]) == 1 and "holds no .json file" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        grade.main([str(tmp_path / "nowhere")])


class TestHandIn:
    @pytest.fixture(autouse=True)
    def fresh(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("COURSE_ANSWERS", "0")
        record.current.cache_clear()
        yield
        record.current.cache_clear()

    def test_what_is_handed_in_is_marked(self, tmp_path, capsys):
        with pytest.raises(ValueError, match="nothing was answered"):
            exercises.hand_in("Ada")
        exercises.lenet.q1.check(8)
        exercises.lenet.q3.hint()
        exercises.lenet.p1.predict("B")
        exercises.lenet.q2.check(uses_helpers)
        exercises.lenet.e2.solution()
        exercises.lenet.e2.check(7)
        exercises.hand_in(" Ada Łovelace ")
        assert "hand_in_ada_łovelace.json is written: 5 questions of 1 lessons" in capsys.readouterr().out
        (student,), problems = grade.grade(list(tmp_path.glob("*.json")), sandbox.Limits())
        assert problems == [] and student.hand_in.name == "Ada Łovelace"
        assert {mark.question.name: mark.points for mark in student.marks} == {
            "q1": 1,
            "q3": 0,
            "p1": 0,
            "q2": 3,
            "e2": 1,
        }
        assert [mark.question.name for mark in student.marks if mark.entry.solution] == ["e2"]
        content = json.loads((tmp_path / "hand_in_ada_łovelace.json").read_text(encoding="utf-8"))
        assert content["versions"]["python"] and content["date"] and content["lessons"]["lenet"]["q3"] == {"hint": True}

    @pytest.mark.parametrize("name", ["", "  ", None, 3, "x" * 101])
    def test_a_name_is_asked_for(self, name):
        with pytest.raises(ValueError, match="give your name"):
            exercises.hand_in(name)

    def test_progress_counts_what_is_done(self):
        exercises.lenet.q1.check(8)
        exercises.lenet.q4.check(3)
        exercises.lenet.p1.predict("A")
        row = exercises.progress().loc["lenet"]
        assert (row["guesses"], row["right"], row["points"]) == ("1 of 14", "1 of 13", f"1 of {OF:g}")
        assert row["open"] == "w1 w2 w3 p2 p3 p4 p5 p6 and 17 more"


def uses_helpers(image, upstream):
    return correlated(image, upstream)


def correlated(image, kernel):
    from scipy.signal import correlate2d

    return correlate2d(image, kernel, mode=MODE)


MODE = "valid"
