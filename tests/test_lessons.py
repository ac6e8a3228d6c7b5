"""The lessons as a reader finds them: `lesson_rules` on each, and the rules themselves on broken notebooks.

That the cells run, and print what is saved, nbval sees: `pytest lessons`.
"""

import copy
import pathlib
import subprocess
import sys

import lesson_index
import lesson_rules
import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from course_lib import common

LESSONS = sorted((common.ROOT / "lessons").glob("*.ipynb"))
SANITIZE = pathlib.Path(__file__).with_name("nbval_sanitize.cfg")


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_lesson(path):
    assert lesson_rules.findings(path) == []


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
        code(f"print(6 * {n})", [lesson_rules.CHECKED], outputs=[new_output("stream", text=f"{6 * n}\n")])
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
        code("None", outputs=[picture], metadata={"claims": ["L4"]}),
        new_markdown_cell("## 2. Paper and yours"),
        new_markdown_cell("## Exercises"),
        new_markdown_cell("## Summary\nIt learns.\n\n**Sources**: LeCun et al. 1998"),
    ]
    for count, cell in enumerate((cell for cell in cells if cell.cell_type == "code"), 1):
        cell.execution_count = count
    return new_notebook(cells=cells)


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


def fail(cells):
    cells[12].outputs = [new_output("error", ename="ValueError", evalue="no")]


def check_figure(cells):
    cells[12].metadata.tags = [lesson_rules.CHECKED]


def check_code(cells):
    cells[6].source = "print(inspect.getsource(depth.deep))"


def check_less(cells):
    cells[6].metadata.tags = []


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


def forget_badge(cells):
    cells[0].source = cells[0].source.replace("colab.research", "example")


def forget_setup(cells):
    cells[2].metadata.tags = []


def set_up_by_hand(cells):
    cells[2].source = "import tensorflow as tf"


def set_parameters_twice(cells):
    cells[6].metadata.tags.append("parameters")


def forget_sources(cells):
    cells[-1].source = "## Summary"


def begin_late(cells):
    cells[4], cells[14] = cells[14], cells[4]


def assert_headings(cells):
    cells[5].source = "## Filters\n## Pooling\n## Why does it work?"


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
        (fail, "cell 13: an error is saved: ValueError"),
        (check_figure, "cell 13: tagged nbval-check-output, but its output is not text alone"),
        (check_code, "cell 7: tagged nbval-check-output, but it prints code"),
        (check_less, "5 cells are tagged nbval-check-output"),
        (leave_widget, "cell 4: a widget is saved"),
        (invent_claim, "cell 13: 'L99' is no claim"),
        (forget_claims, "no cell names the claims"),
        (lengthen, "cell 7: 26 lines of code"),
        (grow, "1.5 MB, too large"),
        (forget_title, "does not begin with its title"),
        (forget_promise, "no promise"),
        (forget_badge, "no Colab badge"),
        (forget_setup, "0 cells are tagged setup"),
        (set_up_by_hand, "cell 3: tagged setup, but without"),
        (set_parameters_twice, "2 cells are tagged parameters"),
        (forget_sources, "no part 'Sources'"),
        (begin_late, "the parts do not stand in the order"),
        (assert_headings, "1 of 3 section headings"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_broken_notebook_fails_with_its_reason(good, tmp_path, spoil, reason):
    notebook = copy.deepcopy(good)
    spoil(notebook.cells)
    assert any(reason in finding for finding in findings(notebook, tmp_path))


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
        timeout=120,
    )
    assert done.returncode == 1 and "1 failed, 8 passed" in done.stdout
    assert "print(6 * 2)" in done.stdout and "13" in done.stdout
