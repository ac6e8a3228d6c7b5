"""The upload control: both forms in which ipywidgets hands over a file, what is shown of it, and what stays saved."""

import io

import numpy as np
import pytest
from PIL import Image

from course_lib import visualization as vis
from course_lib.visualization import uploading


def jpeg(size=(40, 30)) -> bytes:
    stored = io.BytesIO()
    Image.fromarray(np.full((size[1], size[0], 3), (200, 30, 30), np.uint8)).save(stored, "JPEG")
    return stored.getvalue()


def reddish(path):
    red = np.asarray(Image.open(path)).mean(axis=(0, 1))[0] / 255
    return {"gray": 1 - red, "red": red}


@pytest.mark.parametrize(
    "value",
    [
        {"cat.JPG": {"metadata": {"name": "cat.JPG"}, "content": b"abc"}},  # ipywidgets 7
        ({"name": "cat.JPG", "type": "image/jpeg", "content": memoryview(b"abc")},),  # ipywidgets 8
    ],
)
def test_both_forms_of_a_file(value):
    assert uploading.uploaded(value) == ("cat.JPG", b"abc")


def test_the_likeliest_class_comes_first_and_the_picture_has_a_text():
    page = uploading.answer(reddish, "a <b>.jpg", jpeg())
    assert page.index("red 7") < page.index("gray 2")
    assert 'alt="a &lt;b&gt;.jpg: red 7' in page and "<b>" not in page.replace("<figcaption>", "")


def test_what_goes_wrong_is_said():
    assert "cannot identify" in uploading.answer(reddish, "x.jpg", b"no picture")

    def unfinished(path):
        raise TypeError("the line is missing")

    assert "x.jpg: TypeError: the line is missing" in uploading.answer(unfinished, "x.jpg", jpeg())


def test_the_control_answers_an_upload():
    box = uploading.panel(reddish)
    button, said = box.children
    button.value = ({"name": "r.jpg", "type": "image/jpeg", "size": 1, "content": jpeg(), "last_modified": now()},)
    assert "r.jpg" in said.value and "<img" in said.value


def now():
    import datetime

    return datetime.datetime.now(tz=datetime.UTC)


def test_outside_a_notebook_a_line_stands_for_it(capsys):
    vis.upload(reddish)
    assert "button" in capsys.readouterr().out
    with pytest.raises(ValueError, match="classify must be a function"):
        vis.upload("photo.jpg")
