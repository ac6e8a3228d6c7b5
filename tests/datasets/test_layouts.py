"""Folders as sets of pictures are handed out: which are accepted, and what is said of the others."""

import numpy as np
import pytest
from photos import fill, photo, sizes

from course_lib import datasets
from course_lib.datasets.files import in_order
from course_lib.datasets.layouts import part_of

CAT_AND_DOG = ("cat", "dog")


def parts(root, *names, count=12):
    """Folders of these names, each with cats and dogs, all pictures different."""
    for number, name in enumerate(names):
        for label, kind in enumerate(CAT_AND_DOG):
            fill(root / name / kind, 100 * number + 50 * label, count)


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["PetImages"], (16, 4, 4)),
        (["archive/PetImages"], (16, 4, 4)),
        (["train"], (16, 4, 4)),
        (["Training", "Testing"], (20, 4, 24)),
        (["train", "valid", "test"], (24, 24, 24)),
        (["train", "dev", "test"], (24, 24, 24)),
        (["data/training_set/training_set", "data/test_set/test_set"], (20, 4, 24)),
        (["seg_train/seg_train", "seg_test/seg_test"], (20, 4, 24)),
        (["cat/train", "cat/test", "dog/train", "dog/test"], None),
    ],
    ids=lambda names: ", ".join(names) if isinstance(names, list) else "",
)
def test_usual_layouts(names, expected, tmp_path, capsys):
    if expected:
        parts(tmp_path, *names)
    else:  # the other way round
        for number, name in enumerate(names):
            fill(tmp_path / name, 50 * number, 12)
    data = datasets.load(tmp_path)
    assert data.class_names == CAT_AND_DOG and sizes(data) == (expected or (20, 4, 24))
    assert data.name == tmp_path.name
    place = {"PetImages": "PetImages", "archive/PetImages": "archive/PetImages"}.get(names[0])
    assert (f"the classes are in the folder {place}" in capsys.readouterr().out) == bool(place)


def test_what_lies_beside_the_parts_is_left_out_and_said(tmp_path, capsys):
    parts(tmp_path, "train", "test")
    (tmp_path / "validation").mkdir()
    (tmp_path / "annotations").mkdir()
    (tmp_path / "annotations" / "1.xml").write_text("x")
    fill(tmp_path / "test1", 900, 3)
    parts(tmp_path, "more")
    data = datasets.load(tmp_path)
    assert data.class_names == CAT_AND_DOG and sizes(data) == (20, 4, 24)
    said = capsys.readouterr().out
    assert "left out, empty or not a file in a class's folder: 2 (annotations, validation)" in said
    assert "left out, without a folder per class, so that the pictures have no labels: 1 (test1)" in said
    assert "left out, with pictures, but neither a class nor named train, validation or test: 1 (more)" in said


def loose(folder, names):
    folder.mkdir(exist_ok=True)
    for number, name in enumerate(names):
        photo(number).save(folder / name)


@pytest.mark.parametrize("form", ["{}.{}.png", "{}_{:03}.png", "{}{}.png", "{} ({}).png"])
def test_loose_files_named_by_their_class(form, tmp_path, capsys):
    loose(tmp_path, [form.format(("cat", "dog")[number % 2], number) for number in range(24)])
    data = datasets.load(tmp_path)
    assert data.class_names == CAT_AND_DOG and sizes(data) == (16, 4, 4)
    assert "the files' names say their classes" in capsys.readouterr().out


def test_loose_files_in_train_with_a_test_without_labels(tmp_path, capsys):
    loose(tmp_path / "train", [f"{('cat', 'dog')[number % 2]}.{number}.png" for number in range(24)])
    fill(tmp_path / "test1", 900, 3)
    assert sizes(datasets.load(tmp_path)) == (16, 4, 4)
    assert "no labels: 1 (test1)" in capsys.readouterr().out


def test_two_names_of_cameras_are_no_classes(tmp_path):
    loose(tmp_path, [f"{('IMG', 'DSC')[number % 2]}_{number}.png" for number in range(24)])
    with pytest.raises(ValueError, match="not pictures of two classes"):
        datasets.load(tmp_path)


def test_a_class_called_train_beside_others_stays_a_class(tmp_path):
    for number, kind in enumerate(("bus", "car", "train")):
        fill(tmp_path / kind, 50 * number, 12)
    fill(tmp_path / "train" / "steam", 800, 3)
    fill(tmp_path / "train" / "diesel", 900, 3)
    assert datasets.load(tmp_path).class_names == ("bus", "car", "train")


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda root: parts(root, "train", "val", "dev"), "holds dev and val, both for validation: put the pictures"),
        (lambda root: parts(root, "val", "test"), "holds test and val, but no folder train"),
        (lambda root: (fill(root / "Cat", 0), fill(root / "cat", 50)), "holds 'Cat' and 'cat': are they one class"),
        (
            lambda root: (parts(root, "train"), fill(root / "train" / "Cat", 90)),
            "holds 'Cat' and 'cat': are they one class",
        ),
        (
            lambda root: (fill(root / "cat" / "test", 0), fill(root / "dog" / "test", 50)),
            "pictures are in cat, dog: load",
        ),
        (lambda root: (fill(root / "cat ", 0), fill(root / "cat", 50)), "holds 'cat' and 'cat ': are they one class"),
        (lambda root: parts(root, "animals", "beasts"), "instead of pictures are in animals, beasts: load it"),
        (
            lambda root: [fill(root / name, 50 * number) for number, name in enumerate(("cat/a", "cat/b", "dog/c"))],
            "in cat, dog: load it, or move",
        ),
        (
            lambda root: (fill(root / "images", 0), (root / "labels.csv").write_text("file,label")),
            r"holds images, labels\.csv, not pictures of two classes\. .* Labels in a table .* are not read",
        ),
        (
            lambda root: (root / "up").symlink_to(root, target_is_directory=True),
            "holds up, not pictures of two classes",
        ),
    ],
    ids=[
        "validation twice",
        "no train",
        "capitals",
        "capitals in train",
        "no train of a class",
        "a space",
        "two sets",
        "deeper",
        "a table",
        "a circle",
    ],
)
def test_what_is_refused_is_named(make, said, tmp_path):
    make(tmp_path)
    if "one class" in said and len([*tmp_path.rglob("[cC]at*/")]) == 1:
        pytest.skip("this file system tells no capitals or spaces apart")
    with pytest.raises(ValueError, match=said):
        datasets.load(tmp_path)


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ([*"0123456789", "10", "11", "12"], None),
        (["class2", "class10", "class1"], ["class1", "class2", "class10"]),
        (["5", "-5", "0", "0.5"], ["-5", "0", "0.5", "5"]),
        (["dog", "Cat", "2 b", "10 a"], ["2 b", "10 a", "Cat", "dog"]),
        (["007", "7", "06"], ["06", "007", "7"]),
    ],
)
def test_numbers_come_in_their_order(names, expected):
    shuffled = np.random.default_rng(0).permutation(names).tolist()
    assert in_order(shuffled) == (expected or names)


def test_label_n_is_class_n(tmp_path):
    for number in range(12):
        fill(tmp_path / str(number), 50 * number, 10)
    data = datasets.load(tmp_path)
    assert data.class_names == tuple(map(str, range(12)))


@pytest.mark.parametrize(
    ("name", "part"),
    [("Train", "train"), ("val_256", "validation"), ("test1", "test"), ("train_test", None), ("testing kit", "test"),
     ("latest", None), ("constrain", None), ("evaluation", None)],
)  # fmt: skip
def test_the_part_that_a_name_says(name, part):
    assert part_of(name) == part
