"""The lessons as a reader finds them: `lesson_rules` on each, and the rules themselves on broken notebooks.

That the cells run, and print what is saved, nbval sees: `pytest lessons`.
"""

import copy
import pathlib
import re
import subprocess
import sys

import core_rules
import lesson_index
import lesson_rules
import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from course_lib import common, exercises
from course_lib.classroom import cells as cell_kinds
from course_lib.classroom import check
from course_lib.exercises import static

LESSONS = sorted((common.ROOT / "lessons").glob("*.ipynb"))
NAME = r"[wpqe]\d+"  # of a question
SANITIZE = pathlib.Path(__file__).with_name("nbval_sanitize.cfg")


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_lesson(path):
    assert lesson_rules.findings(path) == []


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_saved_cards_and_outcomes_show_the_questions_of_today(path):
    asked, notebook = questions_of(path)
    cards = 0
    for cell in notebook.cells:
        if found := re.fullmatch(rf"(?:#.*\n)*\w+\.({NAME})", cell.source.strip()):
            question = getattr(asked, found[1])
            saved = [(output.data["text/html"], output.data["text/plain"]) for output in cell.outputs]
            assert saved == [(static.page(question), repr(question))], f"{found[1]}: run the lesson again"
            cards += 1
        said = " ".join(" ".join(output.get("text", "") for output in cell.get("outputs", ())).split())
        for name, letter in re.findall(rf"({NAME}) · no guess given \| outcome ([A-F]):", said):
            option = getattr(asked, name).options[letter]
            assert f"{name} · no guess given | outcome {letter}: {option}" in said, f"{name}: run the lesson again"
    assert cards >= 20


def questions_of(path):
    """The questions that a lesson asks, and the notebook."""
    notebook = nbformat.read(path, as_version=4)
    code = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code")
    return getattr(exercises, re.search(r"^\w+ = exercises\.(\w+)$", code, re.MULTILINE)[1]), notebook


def test_the_index_of_questions_and_claims_is_as_the_lessons_are():
    assert lesson_index.PAGE.read_text(encoding="utf-8") == lesson_index.page(), lesson_index.__doc__


@pytest.fixture(scope="module")
def good():
    """A lesson with all its parts and nothing else, as it is after a run."""

    def code(source, tags=(), **more):
        return new_code_cell(source, metadata={"tags": list(tags), **more.pop("metadata", {})}, **more)

    picture = new_output(
        "display_data",
        data={"image/png": "iVBORw0KGgo=", "text/plain": "<Figure>"},
        metadata={"image/png": {"alt": "The error falls with every epoch, to 1.2 %."}},
    )
    checked = [
        code(
            f"# @title Six times {n}\nprint(6 * {n})",
            ["check", lesson_rules.CHECKED],
            outputs=[new_output("stream", text=f"{6 * n}\n")],
        )
        for n in range(6)
    ]
    cells = [
        new_markdown_cell(
            "# LeNet reads digits\n*You train the first network that read checks.*\n\n40 s and 1 GB on a laptop. "
            "Lecture: MNIST and LeNet. [![Open in Colab](badge.svg)]"
            "(https://colab.research.google.com/github/course/kit/blob/main/lessons/03_lenet.ipynb)"
        ),
        new_markdown_cell("**You will be able to**\n- count the parameters of a layer"),
        code("import course_lib\n\ncourse_lib.setup()", ["setup"]),
        code('PROFILE = "auto"', ["parameters"]),
        new_markdown_cell("## Before we start"),
        new_markdown_cell("## 1. How many filters are there?"),
        *checked,
        code("# @title The error, epoch by epoch\nNone", ["figure"], outputs=[picture], metadata={"claims": ["L4"]}),
        new_markdown_cell("## 2. Paper and yours"),
        new_markdown_cell("## Exercises"),
        new_markdown_cell("## Summary\nIt learns."),
        new_markdown_cell("## Deeper · How does the gradient pass through several channels?"),
        code("from course_lib import exercises\n\nlenet = exercises.lenet", ["read"]),
        *(code(f"def {name}():\n    ...", ["write"]) for name in ("kernel_gradient", "training_step", "small_lenet")),
        code("# @title Question\nlenet.q2", ["question"]),
        code("# @title Question\nlenet.q3", ["question"]),
        code("# @title Question\nlenet.e1", ["question"]),
        new_markdown_cell("**Sources**: LeCun et al. 1998"),
    ]
    for count, cell in enumerate((cell for cell in cells if cell.cell_type == "code"), 1):
        cell.execution_count = count
    notebook = new_notebook(cells=cells)
    assert cell_kinds.fold(notebook) == []
    return notebook


def findings(notebook, tmp_path):
    path = tmp_path / "lesson.ipynb"
    nbformat.write(notebook, path)
    return lesson_rules.findings(path)


def test_good_notebook_passes(good, tmp_path):
    assert findings(good, tmp_path) == []


def strip(cells):
    for cell in cells[2:4] + cells[6:13]:
        cell.update(outputs=[], execution_count=None)


def warn(cells):
    cells[2].outputs = [new_output("stream", name="stderr", text="UserWarning: mind the gap\n")]


def swap(cells):
    cells[2].execution_count, cells[3].execution_count = 2, 1


def name_path(cells):
    cells[2].outputs = [new_output("stream", text="saved in " + "/".join(["", "home", "ada", "runs"]))]


def name_windows_path(cells):
    cells[6].outputs[0].text = "\\".join(["C:", "Users", "ada"])


def drop_alternative_text(cells):
    cells[12].outputs[0].metadata = {}


def title_picture(cells):
    cells[12].outputs[0].metadata["image/png"]["alt"] = "error by epoch"


def title_picture_in_html(cells):
    cells[12].outputs[0].data = {
        "text/html": '<img src="data:image/png;base64,AA+/tmp/x" alt="error">',
        "text/plain": "",
    }


def fail(cells):
    cells[12].outputs = [new_output("error", ename="ValueError", evalue="no")]


def check_figure(cells):
    cells[12].metadata.tags = [lesson_rules.CHECKED]


def check_code(cells):
    cells[6].source = "print(inspect.getsource(depth.deep))"


def check_less(cells):
    cells[6].metadata.tags = ["check"]


def leave_widget(cells):
    cells[3].outputs = [new_output("display_data", data={lesson_rules.WIDGET_VIEW: {}, "text/plain": "slider"})]


def invent_claim(cells):
    cells[12].metadata["claims"] = ["L4", "L99"]


def forget_claims(cells):
    cells[12].metadata["claims"] = []


def lengthen(cells):
    cells[6].source = "\n".join(f"print({n})" for n in range(26))


def grow(cells):
    cells[12].outputs[0].data["image/png"] = "A" * 1_500_000


def forget_title(cells):
    cells[0].source = cells[0].source.replace("# ", "", 1)


def forget_promise(cells):
    cells[0].source = cells[0].source.replace("checks.*", "checks*").replace("laptop. ", "laptop, ")


def forget_setup(cells):
    cells[2].metadata.tags = []


def set_up_by_hand(cells):
    cells[2].source = "import tensorflow as tf"


def set_parameters_twice(cells):
    cells[6].metadata.tags.append("parameters")


def forget_sources(cells):
    cells[-1].source = "## Appendix"


def begin_late(cells):
    cells[4], cells[14] = cells[14], cells[4]


def assert_headings(cells):
    cells[5].source = "## Filters\n## Pooling\n## Layers\n## Why does it work?"


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (strip, f"cell 7: tagged {lesson_rules.CHECKED}, but no output is saved"),
        (strip, "not run from top to bottom"),
        (warn, "cell 3: a warning or log line is saved: UserWarning"),
        (swap, "not run from top to bottom"),
        (name_path, "cell 3: a path of one machine: /home"),
        (name_windows_path, "cell 7: a path of one machine: C:"),
        (drop_alternative_text, "cell 13: a picture with no alternative text"),
        (title_picture, "cell 13: a picture with too short alternative text"),
        (title_picture_in_html, "cell 13: a picture with too short alternative text"),
        (fail, "cell 13: an error is saved: ValueError"),
        (check_figure, "cell 13: tagged nbval-check-output, but its output is neither text nor a table"),
        (check_code, "cell 7: tagged nbval-check-output, but it prints code"),
        (check_less, "5 cells are tagged nbval-check-output"),
        (leave_widget, "cell 4: a widget is saved"),
        (invent_claim, "cell 13: 'L99' is no claim"),
        (forget_claims, "no cell names the claims"),
        (lengthen, "cell 7: 26 lines of code"),
        (grow, "1.5 MB, too large"),
        (forget_title, "does not begin with its title"),
        (forget_promise, "no promise"),
        (forget_setup, "0 cells are tagged setup"),
        (set_up_by_hand, "cell 3: tagged setup, but without"),
        (set_parameters_twice, "2 cells are tagged parameters"),
        (forget_sources, "no part 'Sources'"),
        (begin_late, "the parts do not stand in the order"),
        (assert_headings, "2 of 5 section headings"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_broken_notebook_fails_with_its_reason(good, tmp_path, spoil, reason):
    notebook = copy.deepcopy(good)
    spoil(notebook.cells)
    assert any(reason in finding for finding in findings(notebook, tmp_path))


def add(source, *tags):
    """A way to spoil a notebook: a further cell, folded as its tags say."""

    def spoil(cells):
        cells.insert(6, new_code_cell(source, metadata={"tags": list(tags)}))
        cell_kinds.fold(new_notebook(cells=cells))

    return spoil


def unfold(cells):
    del cells[12].metadata["cellView"]


def open_by_hand(cells):
    add("model.fit(images)", "read")(cells)
    cells[6].metadata["jupyter"] = {"source_hidden": True}


def reveal(cells):
    add("lenet.p1.outcome('B', 'Equal.')", "question")(cells)
    del cells[6].metadata.jupyter["outputs_hidden"]


def read_much(cells):
    for _ in range(9):
        add("\n".join(f"step({n})" for n in range(14)), "read")(cells)


def read_many_comments(cells):
    for _ in range(9):
        add("step()\n# why\n" * 7, "read")(cells)


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (add("None"), "cell 7: its tags name none of the kinds setup, parameters, read, figure,"),
        (add("None", "read", "figure"), "cell 7: its tags name read, figure of the kinds"),
        (
            add("\n".join(f"step({n})" for n in range(16)), "read"),
            "cell 7: 16 lines of code, a read cell has at most 15",
        ),
        (add("# @title x\n" + "draw()\n" * 9, "figure"), "cell 7: 9 lines of code, a figure cell has at most 8"),
        (add("lenet.q1\nlenet.q2\nlenet.q3", "question"), "cell 7: 3 lines of code, a question cell has at most 2"),
        (read_much, "128 lines of code to read, at most 120"),
        (read_many_comments, "128 lines of code to read, at most 120"),
        (unfold, "cell 13: a figure cell is folded, see cellView"),
        (open_by_hand, "cell 7: a read cell is open, see jupyter.source_hidden"),
        (add("draw()", "figure"), "cell 7: folded, but no '# @title …'"),
        (add("# @title Training\nmodel.fit()", "read"), "cell 7: open, but '# @title …'"),
        (add("# @title x\ndef draw(): ...", "figure"), "cell 7: a figure cell defines something"),
        (add("print(6)", "question"), "cell 7: a question cell without a question"),
        (add("# @title x\nprint(6)", "check"), "cell 7: a check cell that is not tagged nbval-check-output"),
        (reveal, "cell 7: its output tells an outcome and is not folded"),
    ],
)
def test_a_cell_out_of_the_table_fails_with_its_reason(good, tmp_path, spoil, reason):
    notebook = copy.deepcopy(good)
    spoil(notebook.cells)
    assert any(reason in finding for finding in findings(notebook, tmp_path))


def write_much(cells):
    cells[5].source += "\n" + "word " * 1_480 + "$$not + a + word$$ `nor(this)` [badge](https://not.a.word)"


def draw_much(cells):
    for _ in range(8):
        add("# @title x\nvis.show(ax, 'It falls.')", "figure")(cells)
        add("# @title x\nvis.show_table(rows, 'It falls.')", "figure")(cells)


def ask_much(cells):
    for _ in range(11):
        add("lenet.q1", "question")(cells)
        add("lenet.p1.outcome('B', 'Equal.')", "question")(cells)


def go_deep(cells):
    cells[16].source += "\n" + "word " * 200


def stay_shallow(cells):
    cells[16].source = "## How does the gradient pass through several channels?"


def write_less(cells):
    del cells[20]


def judge_less(cells):
    del cells[23]


def judge_nothing(cells):
    cells[17].source = "None"


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (write_much, "the core has 1,5"),
        (draw_much, "the core has 9 figures, at most 8"),
        (ask_much, "the core has 11 questions, at most 10"),
        (go_deep, "the deeper sections have 2"),
        (stay_shallow, "no section is marked as deeper"),
        (write_less, "2 pieces of code to write that a question judges, needed are 3"),
        (judge_less, "cell 21: a write cell, but no question of the lesson judges small_lenet"),
        (judge_less, "2 pieces of code to write that a question judges"),
        (judge_nothing, "0 pieces of code to write that a question judges"),
        (add("x = 6", "write"), "cell 7: a write cell, but no question of the lesson judges it"),
    ],
)
def test_a_core_too_large_or_too_little_to_write_fails_with_its_reason(good, tmp_path, spoil, reason):
    notebook = copy.deepcopy(good)
    spoil(notebook.cells)
    assert any(reason in finding for finding in findings(notebook, tmp_path))


def test_what_is_deeper_counts_for_no_core(good, tmp_path):
    notebook = copy.deepcopy(good)
    for spoil in (draw_much, ask_much):
        deeper = notebook.cells[17:-1]
        spoil(deeper)
        notebook.cells[17:-1] = deeper
    assert not any(finding.startswith("the core has") for finding in findings(notebook, tmp_path))


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("Two words.", 2),
        ("The loss $L = -\\log p$ falls, see `fit`:\n\n$$a + b\n= c$$", 4),
        ("[a link](https://example.org/not/words) and <small>two</small> · –", 4),
        ("| 784 | 28×28 |\n|---|---|", 2),
    ],
)
def test_words_are_what_is_read(text, count):
    assert core_rules.words(text) == count


def test_cells_of_every_kind_pass_once_they_are_folded(good, tmp_path):
    notebook = copy.deepcopy(good)
    for source, *tags in (
        ("model = models.build('lenet5')\n\n# 61,706 parameters\nmodel.summary()", "read"),
        ("def kernel_gradient(image, upstream):\n    ...", "write"),
        ("lenet.q1", "question"),
        ("# @title Edge filters or learned ones\nlenet.p1.outcome('B', 'Equal.')", "question"),
        ("print(model.count_params())", "check", "open", lesson_rules.CHECKED),
    ):
        add(source, *tags)(notebook.cells)
    notebook.cells[6].outputs = [new_output("stream", text="61706\n")]
    for count, cell in enumerate((cell for cell in notebook.cells if cell.cell_type == "code"), 1):
        cell.execution_count = count
    assert findings(notebook, tmp_path) == []
    assert [cell.source.startswith("# @title") for cell in notebook.cells[6:11]] == [False, True, True, False, False]
    assert notebook.cells[8].source.startswith("# @title Question\n")


def test_folding_is_a_command_and_doing_it_twice_changes_nothing(good, tmp_path, monkeypatch, capsys):
    notebook = copy.deepcopy(good)
    spoiled = add("vis.show(ax, 'It falls.')", "figure")
    unfold(notebook.cells)
    notebook.cells[6].metadata.tags.remove("hide-input")
    path = tmp_path / "03_lenet.ipynb"
    nbformat.write(notebook, path)
    monkeypatch.setattr("course_lib.classroom.lesson_runs.find", lambda names: [path])
    assert check.main(["--lessons", "03", "--fold"]) == 0 and "folded" in capsys.readouterr().out
    assert lesson_rules.findings(path) == []
    once = path.read_bytes()
    assert check.main(["--lessons", "03", "--fold"]) == 0 and "as before" in capsys.readouterr().out
    assert path.read_bytes() == once
    spoiled(notebook.cells)
    nbformat.write(notebook, path)
    assert check.main(["--lessons", "03", "--fold"]) == 1
    assert "cell 7: begin it with '# @title …', which says what the figure shows" in capsys.readouterr().out


def test_widget_state_is_found(good, tmp_path):
    notebook = copy.deepcopy(good)
    notebook.metadata["widgets"] = {"application/vnd.jupyter.widget-state+json": {}}
    assert "widget state is saved" in findings(notebook, tmp_path)[0]


def test_wrong_number_fails_in_nbval_and_nothing_else_does(good, tmp_path):
    """The one break that only a run can show; the options are those of pyproject.toml."""
    notebook = copy.deepcopy(good)
    notebook.cells[8].outputs[0].text = "13\n"  # saved; the cell prints 12
    assert findings(notebook, tmp_path) == []
    (tmp_path / "pytest.ini").touch()
    options = ["--nbval-lax", "--nbval-current-env", f"--nbval-sanitize-with={SANITIZE}", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options, "lesson.ipynb"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 1 and "1 failed, 15 passed" in done.stdout
    assert "print(6 * 2)" in done.stdout and "13" in done.stdout
