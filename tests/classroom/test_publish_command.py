"""`python -m course_lib publish`: what it refuses, and the repository's name set in one go."""

import importlib.util
import json
import shutil
import subprocess
import sys

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from course_lib import __main__ as command_line
from course_lib import common
from course_lib.classroom import publish
from course_lib.classroom.publishing import repository

CLONE = "git clone -q --depth 1 https://github.com/{name} /content/course"
OPENING = "# Lesson 03 · LeNet\n\n**You will train it.**\n\n{badge}*Part of the lecture:* LeNet. 40 s, 1 GB."


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "name what to make, site, pdf or slides"),
        (["site"], "publish site my_site"),
        (["website", "out"], "invalid choice: 'website'"),
        (["--repository", "https://github.com/a/b"], "must be named owner/name"),
        (["--repository", "owner"], "must be named owner/name"),
    ],
)
def test_what_is_refused(arguments, said, capsys):
    with pytest.raises(SystemExit):
        command_line.main(["publish", *arguments])
    assert said in capsys.readouterr().err


def test_without_the_extra_it_says_how_to_install_it(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "myst_nb" else object())
    assert command_line.main(["publish", "site", str(tmp_path / "out")]) == 1
    said = capsys.readouterr().out
    assert "needs myst_nb: type" in said and f'{sys.executable} -m pip install -e ".[publish]"' in said
    assert not (tmp_path / "out").exists()


def test_the_extra_holds_what_is_asked_for():
    text = (common.ROOT / "pyproject.toml").read_text(encoding="utf-8")
    for package in publish.PACKAGES:
        assert f'"{package.replace("_", "-")}>=' in text


@pytest.fixture
def checkout(tmp_path):
    """A checkout of one lesson with a badge, and pyproject.toml."""
    (tmp_path / "lessons").mkdir()
    shutil.copy(common.ROOT / "pyproject.toml", tmp_path)
    badge = repository.BADGE.format(name=repository.UNSET, file="03_lenet.ipynb") + "\n\n"
    cells = [
        new_markdown_cell(OPENING.format(badge=badge)),
        new_code_cell(CLONE.format(name=repository.UNSET), metadata={"tags": ["setup"]}),
    ]
    for place, cell in enumerate(cells):
        cell.id = f"cell-{place}"
    nbformat.write(new_notebook(cells=cells), tmp_path / "lessons" / "03_lenet.ipynb")
    repository.set_name(repository.current(tmp_path), tmp_path)  # wherever these tests run, the name is not set
    repository.set_name("", tmp_path)
    return tmp_path


def lesson(checkout) -> tuple[str, str]:
    cells = nbformat.read(checkout / "lessons" / "03_lenet.ipynb", 4).cells
    return cells[0].source, cells[1].source


def test_the_name_is_set_in_badges_setup_cells_and_the_project(checkout):
    changed = repository.set_name("octo-cat/seeing.2", checkout)
    assert sorted(path.name for path in changed) == ["03_lenet.ipynb", "pyproject.toml"]
    assert repository.current(checkout) == "octo-cat/seeing.2"
    badge = repository.BADGE.format(name="octo-cat/seeing.2", file="03_lenet.ipynb") + "\n\n"
    assert lesson(checkout) == (OPENING.format(badge=badge), CLONE.format(name="octo-cat/seeing.2"))
    assert repository.set_name("octo-cat/seeing.2", checkout) == []
    repository.set_name("octo-cat/seeing", checkout)  # whose name is the beginning of the other
    assert repository.UNSET not in "".join(lesson(checkout)) and "seeing.2" not in "".join(lesson(checkout))
    repository.set_name("octo-cat/seeing.2", checkout)
    assert CLONE.format(name="octo-cat/seeing.2") == lesson(checkout)[1]


def test_as_long_as_no_name_is_set_no_badge_leads_nowhere(checkout):
    assert repository.current(checkout) == ""
    assert lesson(checkout) == (OPENING.format(badge=""), CLONE.format(name=repository.UNSET))
    before = (checkout / "lessons" / "03_lenet.ipynb").read_bytes()
    repository.set_name("octocat/seeing", checkout)
    repository.set_name("", checkout)
    assert (checkout / "lessons" / "03_lenet.ipynb").read_bytes() == before


def test_it_fits_the_lessons_as_they_are_written(tmp_path):
    shutil.copytree(common.ROOT / "lessons", tmp_path / "lessons")
    shutil.copy(common.ROOT / "pyproject.toml", tmp_path)
    repository.set_name("octocat/seeing", tmp_path)
    for path in sorted((tmp_path / "lessons").glob("*.ipynb")):
        notebook = nbformat.read(path, 4)
        assert notebook.cells[0].source.count(repository.colab_address("octocat/seeing", path.name)) == 1, path.name
        assert repository.UNSET not in path.read_text(encoding="utf-8")
        setup = next(cell.source for cell in notebook.cells if "setup" in cell.metadata.get("tags", ()))
        assert "https://github.com/octocat/seeing /content/course" in setup
    repository.set_name("", tmp_path)
    for path in sorted((tmp_path / "lessons").glob("*.ipynb")):
        assert "colab-badge" not in json.loads(path.read_text(encoding="utf-8"))["cells"][0]["source"]
        assert "Open in Colab" not in nbformat.read(path, 4).cells[0].source


def test_a_badge_that_leads_nowhere_is_taken_out_of_every_lesson(tmp_path):
    """As the command does it in a checkout whose lessons still show the badge of the placeholder."""
    shutil.copytree(common.ROOT / "lessons", tmp_path / "lessons")
    shutil.copy(common.ROOT / "pyproject.toml", tmp_path)
    lessons = sorted((tmp_path / "lessons").glob("*.ipynb"))
    repository.set_name("", tmp_path)
    for path in lessons:
        shown = repository.with_badge(path.read_text(encoding="utf-8"), repository.UNSET, path.name)
        path.write_text(shown, encoding="utf-8")
    assert all("colab-badge" in path.read_text(encoding="utf-8") for path in lessons)
    assert repository.current(tmp_path) == ""
    assert {path.name for path in repository.set_name("", tmp_path)} == {path.name for path in lessons}
    for path in lessons:
        text = path.read_text(encoding="utf-8")
        assert "colab.research.google.com/github" not in text and "colab-badge" not in text
        opening = nbformat.read(path, 4).cells[0].source
        assert opening.startswith("# Lesson ") and "\n\n\n" not in opening and opening.count("\n\n**") >= 1
    assert repository.set_name("", tmp_path) == []


def test_a_setup_cell_without_colab_imports_the_course_alone():
    cells = nbformat.read(common.ROOT / "lessons" / "03_lenet.ipynb", 4).cells
    (setup,) = [cell.source for cell in cells if "setup" in cell.metadata.get("tags", ())]
    assert repository.without_colab(setup) == "# @title Setup\nimport course_lib\n\ncourse_lib.setup()"
    assert all(repository.without_colab(cell.source) == cell.source for cell in cells if cell.source != setup)


def test_the_workflow_publishes_by_these_commands():
    text = (common.ROOT / ".github" / "workflows" / "site.yml").read_text(encoding="utf-8")
    commands = ('-e ".[publish]"', 'publish --repository "$GITHUB_REPOSITORY" site _site', "publish pdf _site")
    assert all(command in text for command in commands) and "pages: write" in text


def test_help_names_all_three():
    said = subprocess.check_output([sys.executable, "-m", "course_lib", "publish", "--help"], text=True)
    assert "{site,pdf,slides}" in said and "--instructor" in said and ".[publish]" in said
