"""The challenge folder: what is public, what is not, and the instructor's own images."""

import json
import re
import stat

import numpy as np
import pytest
from arena import truth
from PIL import Image, ImageDraw, ImageEnhance

from course_lib import datasets
from course_lib.challenge import making, material, serving
from course_lib.challenge.near_copies import near_copies
from course_lib.datasets import toy_scenes


def test_the_seed_of_secret_scenes_is_longer_than_anybody_can_try(monkeypatch):
    seeds, sample = [], toy_scenes.sample

    def spy(n, seed, **ranges):
        seeds.append(seed)
        return sample(n, seed, **ranges)

    monkeypatch.setattr(toy_scenes, "sample", spy)
    for _ in range(2):
        material.gather("toy_scenes", True, 20)
    assert all(len(seed) == 8 and max(seed).bit_length() <= 32 for seed in seeds) and seeds[0] != seeds[1]
    assert sample(3, seeds[0]) == sample(3, seeds[0])
    assert sample(3, seeds[0]) != sample(3, [*seeds[0][:-1], seeds[0][-1] ^ 1])  # every word counts
    with pytest.raises(ValueError, match="seed must be a whole number"):
        sample(3, [1, -1])


def test_a_folder_is_made_once_and_holds_one_challenge(make, tmp_path):
    folder = make(daily_limit=7)
    about = making.describe(folder)
    assert (
        about["daily_limit"] == 7
        and about["total_limit"] == 17
        and about["test_images"] == 200
        and about["public_images"] == 100
    )
    making.make(folder, "random", daily_limit=9)
    assert making.describe(folder) == about
    with pytest.raises(ValueError, match="holds the challenge 'random', not 'mnist'"):
        making.make(folder, "mnist")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    with pytest.raises(ValueError, match="other files"):
        making.make(tmp_path / "mine", "random")
    with pytest.raises(FileNotFoundError, match="holds no challenge"):
        making.opened(tmp_path / "mine")


def test_the_private_part_is_the_servers_alone(make):
    folder = make()
    assert stat.S_IMODE((folder / "private").stat().st_mode) == 0o700
    assert {path.name for path in (folder / "public").iterdir()} == {
        *("train.npz", "validation.npz", "test.npz", "challenge.json")
    }
    text = json.dumps(making.describe(folder))
    assert str(truth(folder)[0].tolist()) not in text


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"test_images": 199}, "at least 200"),
        ({"daily_limit": 0}, "at least 1"),
        ({"human": 95}, "from 0 to 1"),
        ({"human": "90%"}, "from 0 to 1"),
        ({"human": True}, "from 0 to 1"),
        ({"test_images": "500"}, "at least 200"),
        ({"total_limit": 0}, "at least 1"),
        ({"codes": -1}, "at least 0"),
        ({"codes": 1001}, "at most 1,000"),
    ],
)
def test_rules_that_cannot_be(make, options, sentence):
    with pytest.raises(ValueError, match=sentence):
        make(**options)


def test_public_data_sets_say_that_their_labels_are_public():
    made = material.gather("uci_digits", False, 250)
    assert "public" in made.warning and made.test[0].shape == (250, 28, 28, 1)
    again = material.gather("uci_digits", False, 250)
    assert not np.array_equal(made.test[0], again.test[0])  # another selection and order
    with pytest.raises(ValueError, match="There are 397 test images, not 500"):
        material.gather("uci_digits", False, 500)


def test_the_baselines_are_those_computed_here(monkeypatch, tmp_path):
    made = material.gather("uci_digits", False, None)
    monkeypatch.setattr(material, "gather", lambda *_: made)
    making.make(tmp_path / "digits", "uci_digits")
    labels, public = truth(tmp_path / "digits")
    images = made.train[0].reshape(len(made.train[0]), -1).astype(float)
    means = [images[made.train[1] == label].mean(0) for label in range(10)]
    distances = [[((image.ravel() - mean) ** 2).sum() for mean in means] for image in made.test[0].astype(float)]
    right = np.argmin(distances, axis=1) == labels
    with making.opened(tmp_path / "digits") as store:
        lines = {line["team"]: line for line in store.standings()}
    assert lines["Nearest mean (of pixels)"]["public"] == round(right[public].mean() * 50) / 50 > 0.7
    assert lines["Nearest mean (of pixels)"]["private"] == pytest.approx(right[~public].mean())
    assert 0.05 < lines["Constant (one class)"]["private"] < 0.15


def picture(seed: int, label: str, size: tuple[int, int]) -> Image.Image:
    """A pattern of its own in which red, green or blue prevails."""
    squares = np.random.RandomState(seed).randint(0, 100, (8, 8, 3), np.uint8)
    squares[:, :, ("red", "green", "blue").index(label)] += 120
    return Image.fromarray(squares).resize(size, Image.Resampling.NEAREST)


@pytest.fixture(scope="session")
def all_images(tmp_path_factory):
    folder = tmp_path_factory.mktemp("own")
    for index in range(500):
        label = ("red", "green", "blue")[index % 3]
        picture(index, label, ((80, 60), (64, 64), (30, 90))[index % 3]).save(folder / f"{index}.png")
    return folder


@pytest.fixture
def own_images(all_images, tmp_path):
    """500 pictures of three sizes, and their labels."""
    folder = tmp_path / "fruit"
    folder.mkdir()
    for path in all_images.iterdir():
        (folder / path.name).hardlink_to(path)
    write_labels(folder, [(f"{index}.png", ("red", "green", "blue")[index % 3]) for index in range(500)])
    return folder


def write_labels(folder, rows: list[tuple[str, str]]) -> None:
    lines = ["file,label", *(",".join(row) for row in rows)]
    (folder / "labels.csv").write_text("\n".join(lines), encoding="utf-8-sig")


def labels_of(folder) -> list[tuple[str, str]]:
    lines = (folder / "labels.csv").read_text(encoding="utf-8-sig").splitlines()[1:]
    return [tuple(line.split(",")) for line in lines]


def test_a_folder_of_own_images(own_images, tmp_path):
    making.make(tmp_path / "made", str(own_images))
    labels, public = truth(tmp_path / "made")
    about = making.describe(tmp_path / "made")
    assert about["class_names"] == ["blue", "green", "red"] and about["image_shape"] == [64, 64, 3]
    parts = {name: np.load(tmp_path / "made" / "public" / f"{name}.npz") for name in about["files"]}
    assert [len(parts[name]["images"]) for name in ("train", "validation", "test")] == [250, 50, 200]
    channel = parts["test"]["images"].reshape(200, -1, 3).mean(1).argmax(1)
    assert (labels == 2 - channel).all() and 99 <= public.sum() <= 101
    assert (parts["train"]["labels"] == 2 - parts["train"]["images"].reshape(250, -1, 3).mean(1).argmax(1)).all()


def moved(picture: Image.Image, right: float, down: float) -> Image.Image:
    shift = (1, 0, right * picture.width, 0, 1, down * picture.height)
    return picture.transform(picture.size, Image.Transform.AFFINE, shift, Image.Resampling.BILINEAR)


def cut(picture: Image.Image, share: float) -> Image.Image:
    """Without this share of its width on each side, and as much above and below."""
    edge = share * picture.width
    box = (edge, edge, picture.width - edge, picture.height - edge)
    return picture.resize(picture.size, Image.Resampling.BILINEAR, box)


CHANGES = (
    lambda picture: picture,
    lambda picture: picture.resize((120, 120 * picture.height // picture.width)),
    lambda picture: picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
    lambda picture: picture.transpose(Image.Transpose.FLIP_TOP_BOTTOM),
    lambda picture: picture.transpose(Image.Transpose.ROTATE_90),
    lambda picture: ImageEnhance.Brightness(picture).enhance(1.1),
    lambda picture: ImageEnhance.Contrast(picture).enhance(1.4),
    lambda picture: picture.convert("L"),
    lambda picture: moved(picture, 0.02, -0.01),
    lambda picture: cut(moved(picture, 0, 0.01), 0.02),
)


def test_copies_of_a_picture_stay_on_one_side(own_images):
    """80 pictures are there again, each changed in one of ten ways."""
    rows = labels_of(own_images)
    for index in range(80):
        name, label = rows[index]
        copy = CHANGES[index % len(CHANGES)](Image.open(own_images / name))
        path = own_images / f"copy{index}.{'jpg' if index % 4 == 3 else 'png'}"
        copy.save(path, **({"quality": 80} if path.suffix == ".jpg" else {}))
        rows.append((path.name, label))
    write_labels(own_images, rows)
    with serving.local(str(own_images)) as server:
        client = server.connect()
        data = client.download()
    assert client.about["warning"].startswith("80 images are near copies of others")
    images = np.concatenate([data.test_images, data.train[0], data.validation[0]])
    groups = near_copies(images)
    sides = np.repeat([0, 1, 2], [len(data.test_images), len(data.train[0]), len(data.validation[0])])
    assert len(set(groups)) == 500
    assert all(len(set(sides[groups == group])) == 1 for group in groups)
    assert len(data.test_images) == 200


def test_different_pictures_are_no_copies():
    """Neither scenes nor digits, of which many look much the same, nor drawings of a few thin lines."""
    scenes = toy_scenes.render(toy_scenes.sample(100, 1), 64).images
    assert len(set(near_copies(scenes))) == 100
    digits = datasets.load("uci_digits").train.arrays()[0][:600]
    large = np.stack([np.asarray(Image.fromarray(digit[:, :, 0]).convert("RGB").resize((64, 64))) for digit in digits])
    assert len(set(near_copies(large))) >= 594
    sketches = [Image.new("RGB", (64, 64), "white") for _ in range(200)]
    for sketch, corners in zip(sketches, np.random.RandomState(0).randint(10, 54, (200, 12)), strict=True):
        ImageDraw.Draw(sketch).line(corners.tolist(), fill="gray")
    assert len(set(near_copies(np.stack([np.asarray(sketch) for sketch in sketches])))) == 200


def test_plain_pictures_are_copies_where_they_have_one_color():
    colors = np.uint8([[0, 0, 0], [3, 0, 3], [200, 0, 0], [0, 200, 0]])
    assert near_copies(np.tile(colors[:, None, None], (1, 64, 64, 1))).tolist() in ([0, 0, 2, 3], [1, 1, 2, 3])


def test_the_same_picture_with_two_labels_is_refused(own_images):
    Image.open(own_images / "0.png").save(own_images / "again.png")
    write_labels(own_images, [*labels_of(own_images), ("again.png", "blue")])
    with pytest.raises(ValueError, match=r"two labels: 0\.png is red and again\.png is blue"):
        material.gather(str(own_images), False, None)


def test_a_folder_of_copies_makes_no_challenge(own_images):
    rows = [(f"c{index}.png", ("red", "green", "blue")[index % 3]) for index in range(500)]
    for index, (name, _) in enumerate(rows):
        (own_images / name).hardlink_to(own_images / f"{index % 6}.png")
    write_labels(own_images, rows)
    with pytest.raises(ValueError, match="Too many of these pictures are near copies of one another"):
        material.gather(str(own_images), False, None)


def test_rendered_scenes_are_shuffled_in_secret(monkeypatch):
    """Their own order comes from a linear generator: known labels would tell the next ones."""
    drawn, render = [], toy_scenes.render
    monkeypatch.setattr(toy_scenes, "render", lambda *arguments: drawn.append(render(*arguments)) or drawn[-1])
    with serving.local("toy_scenes", test_images=200) as server:
        images = server.connect().download().test_images
        labels, _ = truth(server.folder)
    order = [int(np.flatnonzero((drawn[0].images == image).all((1, 2, 3)))[0]) for image in images]
    assert sorted(order) == list(range(200)) and order != sorted(order)
    assert np.array_equal(labels, drawn[0].labels[order])


def test_own_images_that_do_not_fit(own_images, tmp_path):
    with pytest.raises(ValueError, match="at most half"):
        material.gather(str(own_images), False, 300)
    (own_images / "7.png").unlink()
    with pytest.raises(FileNotFoundError, match=r"7\.png"):
        material.gather(str(own_images), False, None)
    (own_images / "labels.csv").write_text("name,class\n1.png,red\n")
    with pytest.raises(ValueError, match="file,label"):
        material.gather(str(own_images), False, None)


@pytest.mark.parametrize(
    ("change", "kind", "sentence"),
    [
        (
            lambda rows: [f"{index % 5}.png,{'ab'[index % 2]}" for index in range(400)],
            ValueError,
            "share them: 0.png, 1.png, 2.png",
        ),
        (lambda rows: [*rows, "./7.png,red"], ValueError, "share them: 7.png"),
        (lambda rows: [row.split(",")[0] + ",x" for row in rows], ValueError, "of one class, x"),
        (lambda rows: [rows[0].replace("red", "pink"), *rows[1:]], ValueError, "to train on and to test: pink has 1."),
        (lambda rows: [*rows[:5], "5.png", *rows[6:]], ValueError, "Line 7 of"),
        (lambda rows: [row.replace("red", "r\u00e9d") for row in rows], ValueError, "is not UTF-8"),
        (lambda rows: rows[:9], ValueError, "has 9 rows below the line 'file,label'"),
        (lambda rows: [*rows, "500.png,red"], FileNotFoundError, "labels.csv names 500.png, but"),
        (lambda rows: [*rows, "labels.csv,red"], ValueError, "cannot be read"),
        (lambda rows: None, FileNotFoundError, "holds no labels.csv. A folder for a challenge holds"),
    ],
)
def test_a_folder_that_makes_no_challenge(own_images, change, kind, sentence):
    path = own_images / "labels.csv"
    rows = change(path.read_text(encoding="utf-8-sig").splitlines()[1:])
    path.unlink()
    if rows:
        path.write_text("\n".join(["file,label", *rows]), encoding="latin-1")
    with pytest.raises(kind, match=re.escape(sentence)):
        material.gather(str(own_images), False, None)


@pytest.mark.parametrize("name", ["toyscenes", "toy_scenes/quick32", "Toy Scenes", "toy_scene"])
def test_toy_scenes_are_never_those_with_known_labels(name, tmp_path):
    with pytest.raises(ValueError, match="Did you mean 'toy_scenes'"):
        making.make(tmp_path / "new", name)


def test_a_name_that_is_nothing_here(tmp_path):
    with pytest.raises(ValueError, match="There is no folder 'nofolder' here either") as refused:
        making.make(tmp_path / "new", "nofolder")
    assert "voxforge" not in str(refused.value)


@pytest.mark.parametrize("name", [None, 7, ""])
def test_a_name_is_a_text(name):
    with pytest.raises(ValueError, match="name must be"):
        serving.local(name)


def test_an_unknown_option_is_answered_with_the_known(random_images):
    with pytest.raises(ValueError, match=r"unknown option of a challenge 'seed'.*test_images"):
        serving.local("random", seed=0)


def test_this_folder_gives_its_name_to_the_challenge(random_images, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    making.make(tmp_path / "new", ".")
    assert making.describe(tmp_path / "new")["name"] == tmp_path.name
