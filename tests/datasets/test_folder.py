"""A folder of a student's own pictures: every kind of file, where it is cut, near copies, and what is said."""

import os
import pathlib
import shutil
import time
import unicodedata

import numpy as np
import pytest
from PIL import Image, ImageEnhance, ImageFilter

from course_lib import common, datasets
from course_lib.datasets import folder, pictures

PARTS = ("train", "validation", "test")
RED, GREEN, BLUE = (200, 30, 30), (30, 160, 30), (30, 30, 200)


def photo(number: int, size: tuple[int, int] = (90, 70)) -> Image.Image:
    """A soft picture, another for each number."""
    colors = np.random.default_rng(number).integers(0, 256, (5, 6, 3), np.uint8)
    return Image.fromarray(colors).resize(size, Image.Resampling.BICUBIC)


def fill(place: pathlib.Path, first: int, count: int = 20) -> pathlib.Path:
    """`count` different photos in the folder `place`, numbered from `first`."""
    place.mkdir(parents=True, exist_ok=True)
    for number in range(first, first + count):
        photo(number).save(place / f"{number}.png")
    return place


@pytest.fixture
def pets(tmp_path):
    """A folder with 20 photos each of cats and dogs."""
    root = tmp_path / "pets"
    fill(root / "cat", 0)
    fill(root / "dog", 100)
    return root


def held(data: datasets.ImageDataset) -> dict[str, dict[bytes, int]]:
    """The images of each part, as bytes, and their labels."""
    pairs = {part: zip(*getattr(data, part).arrays(), strict=True) for part in PARTS}
    return {part: {image.tobytes(): int(label) for image, label in pairs[part]} for part in PARTS}


def sizes(data: datasets.ImageDataset) -> tuple[int, ...]:
    return tuple(len(getattr(data, part)) for part in PARTS)


def square(image: Image.Image, side: int = 64) -> bytes:
    """What becomes of a picture without any trouble."""
    width, height = image.size
    across, down = max(width - height, 0) / 2, max(height - width, 0) / 2
    box = (across, down, width - across, height - down)
    return np.asarray(image.resize((side, side), Image.Resampling.BICUBIC, box=box)).tobytes()


def all_equal(first: datasets.ImageDataset, second: datasets.ImageDataset) -> bool:
    pairs = [zip(getattr(first, part).arrays(), getattr(second, part).arrays(), strict=True) for part in PARTS]
    return all(np.array_equal(one, other) for pair in pairs for one, other in pair)


class TestCutting:
    def test_a_folder_a_class(self, pets, capsys):
        data = datasets.load(pets)
        assert (data.name, data.image_shape, data.class_names) == ("pets", (64, 64, 3), ("cat", "dog"))
        assert sizes(data) == (28, 6, 6)
        for part, each in (("train", 14), ("validation", 3), ("test", 3)):  # stratified
            assert np.bincount(getattr(data, part).arrays()[1]).tolist() == [each, each]
        parts = held(data)
        together = {image: label for part in parts.values() for image, label in part.items()}
        assert together == {square(photo(n)): int(n >= 100) for n in (*range(20), *range(100, 120))}
        assert sum(map(len, parts.values())) == 40  # none in two parts
        assert len(set(data.train.arrays()[1][:8])) == 2  # classes mixed, so that take() gets some of each
        said = capsys.readouterr().out
        assert said == "pets: 40 pictures, 20 cat, 20 dog\n  train 28, validation 6, test 6\n"

    def test_the_file_systems_order_and_place_do_not_matter(self, pets, tmp_path, monkeypatch):
        data = datasets.load(pets)
        copy = shutil.copytree(pets, tmp_path / "elsewhere" / "pets")
        listed = pathlib.Path.iterdir
        monkeypatch.setattr(pathlib.Path, "iterdir", lambda path: iter(sorted(listed(path))[::-1]))
        assert all_equal(data, datasets.load(copy))

    def test_most_pictures_keep_their_part_when_others_are_added(self, pets):
        fill(pets / "cat", 20, 80)
        before = held(datasets.load(pets))
        fill(pets / "cat", 200, 10)
        after = held(datasets.load(pets))
        kept = sum(image in after[part] for part in PARTS for image in before[part])
        assert kept >= 0.9 * sum(map(len, before.values()))

    def test_parts_that_are_there_stay_as_they_are(self, tmp_path):
        numbers = {"Train": 0, "val": 40, "test": 80}
        for part, first in numbers.items():
            for label, name in enumerate(("cat", "dog")):
                fill(tmp_path / part / name, first + 20 * label, 3)
        data = datasets.load(tmp_path)
        for part, first in zip(PARTS, numbers.values(), strict=True):
            expected = {square(photo(first + 20 * label + n)): label for label in (0, 1) for n in range(3)}
            assert held(data)[part] == expected

    def test_only_what_is_missing_is_cut(self, pets, tmp_path):
        shutil.move(pets, tmp_path / "set" / "train")
        for label, name in enumerate(("cat", "dog")):
            fill(tmp_path / "set" / "test" / name, 300 + 10 * label, 5)
        data = datasets.load(tmp_path / "set")
        assert sizes(data) == (34, 6, 10)
        assert {square(photo(300 + n)) for n in (*range(5), *range(10, 15))} == set(held(data)["test"])

    def test_a_class_may_be_called_train(self, tmp_path):
        fill(tmp_path / "train", 0)
        fill(tmp_path / "test", 50)
        assert datasets.load(tmp_path).class_names == ("test", "train")


class TestNames:
    def test_paths_and_texts_that_are_folders(self, pets, monkeypatch):
        data = datasets.load(pets)
        monkeypatch.chdir(pets.parent)
        monkeypatch.setenv("HOME", str(pets.parent))
        monkeypatch.setenv("USERPROFILE", str(pets.parent))
        for name in (str(pets), "./pets", "pets", "~/pets", "../" + pets.parent.name + "/pets", pathlib.Path("pets")):
            assert all_equal(data, datasets.load(name)), name

    def test_a_cataloged_name_stays_that_set(self, pets, monkeypatch):
        shutil.copytree(pets, pets.parent / "uci_digits")
        monkeypatch.chdir(pets.parent)
        assert datasets.load("uci_digits").num_classes == 10

    def test_side(self, pets):
        assert datasets.load(pets, side=96).image_shape == (96, 96, 3)
        with pytest.raises(ValueError, match="side must be a whole number of at least 16, not 8"):
            datasets.load(pets, side=8)
        with pytest.raises(ValueError, match="side=96 is for a folder of pictures; cifar10 comes in a size of its own"):
            datasets.load("cifar10", side=96)

    def test_spaces_accents_and_what_is_no_text(self, pets, capsys):
        accented = unicodedata.normalize("NFD", "Bär im Wald")  # as some systems spell it
        for number, path in enumerate(sorted((pets / "dog").iterdir())):
            path.rename(path.with_name(f"{accented} {number}.png"))
        (pets / "dog").rename(pets / accented)
        try:
            os.rename(os.fsencode(pets / "cat" / "3.png"), os.fsencode(pets / "cat") + b"/\xff.png")
        except OSError:
            pytest.skip("this file system's names are all text")
        (pets / accented / "日本 語.txt").write_text("no picture")
        data = datasets.load(pets)
        assert data.class_names == (unicodedata.normalize("NFC", accented), "cat") and sum(sizes(data)) == 40
        assert "Bär im Wald/日本 語.txt" in capsys.readouterr().out

    def test_no_machine_path_is_printed(self, pets, capsys):
        (pets / "cat" / "no.jpg").write_bytes(b"")
        (pets / "cat" / "cut.png").write_bytes((pets / "cat" / "3.png").read_bytes()[:300])
        datasets.load(pets)
        assert str(pets.parent) not in capsys.readouterr().out


def half_and_half(mode: str, *colors: object) -> Image.Image:
    """80×60 pixels, the left half of the first color, the right half of the second."""
    image = Image.new(mode, (80, 60), colors[0])
    image.paste(colors[1], (40, 0, 80, 60))
    return image


def palette(transparent: bool) -> tuple[Image.Image, dict]:
    image = half_and_half("P", 0, 1)
    image.putpalette([*RED, *BLUE])
    return image, {"transparency": bytes([255, 0])} if transparent else {}


RGB = half_and_half("RGB", RED, BLUE)
WHITE = (255, 255, 255)
SIXTEEN = np.repeat(np.where(np.arange(80) < 40, 257 * 100, 65535)[None], 60, 0).astype(np.uint16)
KINDS = {  # file: (picture, options of saving, what its halves become)
    "gray.png": (half_and_half("L", 50, 200), {}, ((50,) * 3, (200,) * 3)),
    "bits.png": (half_and_half("1", 0, 1), {}, ((0,) * 3, WHITE)),
    "gray_alpha.png": (half_and_half("LA", (50, 255), (50, 0)), {}, ((50,) * 3, WHITE)),
    "alpha.png": (half_and_half("RGBA", (*RED, 255), (*BLUE, 0)), {}, (RED, WHITE)),
    "half_alpha.webp": (half_and_half("RGBA", (*RED, 255), (0, 0, 0, 128)), {"lossless": True}, (RED, (127,) * 3)),
    "palette.gif": (*palette(False), (RED, BLUE)),
    "palette_alpha.png": (*palette(True), (RED, WHITE)),
    "cmyk.jpg": (half_and_half("CMYK", (0, 255, 255, 0), (255, 255, 0, 0)), {}, ((255, 0, 0), (0, 0, 255))),
    "cmyk.tif": (half_and_half("CMYK", (0, 255, 255, 0), (255, 255, 0, 0)), {}, ((255, 0, 0), (0, 0, 255))),
    "sixteen.png": (Image.fromarray(SIXTEEN), {}, ((100,) * 3, WHITE)),
    "sixteen.tif": (Image.fromarray(SIXTEEN), {}, ((100,) * 3, WHITE)),
    "thirty_two.tif": (Image.fromarray(SIXTEEN.astype(np.float32)), {}, ((100,) * 3, WHITE)),
    "plain.bmp": (RGB, {}, (RED, BLUE)),
    "no_suffix_that_fits.dat": (RGB, {"format": "PNG"}, (RED, BLUE)),
    "animated.gif": (RGB, {"save_all": True, "append_images": [photo(1, (80, 60))]}, (RED, BLUE)),
    "animated.png": (RGB, {"save_all": True, "append_images": [photo(1, (80, 60))]}, (RED, BLUE)),
    "animated.webp": (RGB, {"save_all": True, "append_images": [photo(1, (80, 60))], "lossless": True}, (RED, BLUE)),
    "previews.jpg": (RGB, {"format": "MPO", "save_all": True, "append_images": [photo(1)]}, (RED, BLUE)),
}


class TestKindsOfFiles:
    @pytest.mark.parametrize("name", KINDS)
    def test_become_rgb(self, name, pets, capsys, recwarn):
        picture, options, colors = KINDS[name]
        picture.save(pets / "cat" / name, **options)
        shutil.move(pets / "cat" / name, pets / "cat" / "0.png")  # in the place of one that is in a known part
        parts = held(datasets.load(pets))
        (found,) = {image for part in parts.values() for image in part} - {
            square(photo(n)) for n in (*range(20), *range(100, 120))
        }
        image = np.frombuffer(found, np.uint8).reshape(64, 64, 3).astype(int)
        for half, color in zip((image[:, :24], image[:, 40:]), colors, strict=True):
            assert np.abs(half.mean((0, 1)) - color).max() <= 4
        said = capsys.readouterr().out
        assert ("several frames, of which the first is taken: 1 (cat/0.png)" in said) == name.startswith("animated")
        many_bits = name.startswith(("sixteen", "thirty"))
        assert ("more than 8 bits, of which 65,535 is taken as white: 1 (cat/0.png)" in said) == many_bits
        assert "left out" not in said and not recwarn.list

    @pytest.mark.parametrize("orientation", range(1, 9))
    def test_are_turned_upright(self, orientation, pets):
        turns = {2: "FLIP_LEFT_RIGHT", 3: "ROTATE_180", 4: "FLIP_TOP_BOTTOM", 5: "TRANSPOSE"}
        turns |= {6: "ROTATE_90", 7: "TRANSVERSE", 8: "ROTATE_270"}  # how a camera's sensor lay
        upright, exif = photo(999), Image.Exif()
        exif[0x0112] = orientation
        lying = upright.transpose(Image.Transpose[turns[orientation]]) if orientation > 1 else upright
        lying.save(pets / "dog" / "phone.png", exif=exif)
        assert any(square(upright) in part for part in held(datasets.load(pets)).values())

    @pytest.mark.parametrize("size", [(64, 64), (200, 80), (80, 200), (30, 17), (3, 500), (1, 1)])
    def test_of_any_size_keep_their_middle_square_and_its_proportions(self, size, pets):
        photo(999, size).save(pets / "dog" / "other.png")
        assert any(square(photo(999, size)) in part for part in held(datasets.load(pets)).values())

    def test_a_large_jpeg_is_not_decoded_at_full_size(self, pets, monkeypatch):
        sizes, fit = [], pictures.ImageOps.fit
        monkeypatch.setattr(pictures.ImageOps, "fit", lambda image, size: sizes.append(image.size) or fit(image, size))
        photo(999, (4000, 3000)).save(pets / "dog" / "999.jpg", quality=95)
        data = datasets.load(pets)
        images = np.concatenate([getattr(data, part).arrays()[0] for part in PARTS])
        assert max(sizes) == (500, 375)
        expected = np.frombuffer(square(photo(999, (4000, 3000))), np.uint8).reshape(64, 64, 3).astype(int)
        assert np.abs(images - expected).mean((1, 2, 3)).min() < 2


class TestLeftOut:
    def test_what_cannot_be_read_is_named(self, pets, capsys):
        cat, whole = pets / "cat", photo(999, (400, 300))
        for name in ("cut.jpg", "cut.png"):
            whole.save(cat / name)
            (cat / name).write_bytes((cat / name).read_bytes()[:3000])
        (cat / "empty.jpg").write_bytes(b"")
        (cat / "notes.txt").write_text("no picture")
        (cat / "clip.mp4").write_bytes(bytes(1000))
        Image.new("1", (10_000, 10_000)).save(cat / "huge.png")
        Image.new("1", (20_000, 10_000)).save(cat / "larger.png")
        assert sum(sizes(datasets.load(pets))) == 40
        said = capsys.readouterr().out.splitlines()
        types = "left out, damaged or none of JPEG, PNG, GIF, BMP, TIFF, WEBP: 3"
        assert f"  {types} (cat/clip.mp4, cat/empty.jpg, cat/notes.txt)" in said
        (damaged,) = [line for line in said if "damaged or too large: 4" in line]
        assert "cat/cut.jpg: image file is truncated" in damaged and damaged.endswith(", …)")
        assert "cat/huge.png: Image size (100000000 pixels) exceeds limit" in damaged

    def test_what_is_hidden_is_ignored(self, pets, capsys):
        for name in (".DS_Store", "Thumbs.db", "._1.png"):
            (pets / "cat" / name).write_text("of the system")
        (pets / ".ipynb_checkpoints").mkdir()
        (pets / "__MACOSX" / "cat").mkdir(parents=True)
        assert datasets.load(pets).class_names == ("cat", "dog")
        assert "left out" not in capsys.readouterr().out

    def test_folders_without_files_and_files_elsewhere(self, pets, capsys):
        (pets / "empty").mkdir()
        fill(pets / "dog" / "more", 500, 1)
        (pets / "README.md").write_text("mine")
        assert datasets.load(pets).class_names == ("cat", "dog")
        expected = "left out, empty or not a file in a class's folder: 3 (README.md, dog/more, empty)"
        assert expected in capsys.readouterr().out

    def test_links_that_lead_in_circles_or_nowhere(self, pets, capsys):
        try:
            (pets / "cat" / "up").symlink_to(pets, target_is_directory=True)
        except OSError:
            pytest.skip("links are not allowed here")
        (pets / "cat" / "itself").symlink_to("itself")
        (pets / "cat" / "nowhere.jpg").symlink_to("not there.jpg")
        (pets / "bird").symlink_to(fill(pets.parent / "birds", 300), target_is_directory=True)
        assert datasets.load(pets).class_names == ("bird", "cat", "dog")  # a link to a folder is a folder
        said = capsys.readouterr().out
        assert "folder: 1 (cat/up)" in said and "damaged or too large: 2 (cat/itself: " in said

    def test_everything_in_one_line_each(self, pets, capsys):
        for number in range(50):
            (pets / "cat" / f"{number}.heic").write_bytes(b"of a phone")
        datasets.load(pets)
        said = capsys.readouterr().out
        assert "50 (cat/0.heic, cat/1.heic, cat/10.heic, …)" in said and said.count("\n") == 3


class TestTooLittle:
    def test_no_folder(self, tmp_path):
        with pytest.raises(FileNotFoundError, match="pets is not there"):
            datasets.load(tmp_path / "pets")
        (tmp_path / "pets.zip").write_bytes(b"PK")
        with pytest.raises(FileNotFoundError, match=r"pets\.zip is a file: unpack it first"):
            datasets.load(tmp_path / "pets.zip")

    def test_fewer_than_two_classes(self, tmp_path, pets):
        shape = r"not two classes\. Sort the pictures like this: a folder a class \(cat/1\.jpg, dog/2\.jpg\), or train"
        (tmp_path / "none").mkdir()
        with pytest.raises(ValueError, match=rf"none holds nothing, {shape}"):
            datasets.load(tmp_path / "none")
        with pytest.raises(ValueError, match=rf"cat holds 0\.png, 1\.png, 10\.png, …, {shape}"):
            datasets.load(pets / "cat")
        with pytest.raises(ValueError, match=rf"holds none, pets, {shape}"):
            datasets.load(tmp_path)

    def test_too_few_of_a_class(self, pets, capsys):
        for path in [*(pets / "cat").iterdir()][:11]:
            path.unlink()
        with pytest.raises(ValueError, match=r"too few different pictures: 9 cat\. To be cut, a class needs 10, near"):
            datasets.load(pets)
        photo(77).save(pets / "cat" / "tenth.png")
        data = datasets.load(pets)
        assert [np.bincount(getattr(data, part).arrays()[1])[0] for part in PARTS] == [6, 2, 2]

    def test_what_was_left_out_is_said_before(self, pets, capsys):
        for path in (pets / "cat").iterdir():
            path.write_bytes(b"of a phone")
        with pytest.raises(ValueError, match="too few different pictures: 0 cat"):
            datasets.load(pets)
        assert "none of JPEG, PNG, GIF, BMP, TIFF, WEBP: 20 (cat/0.png" in capsys.readouterr().out

    def test_copies_count_once(self, pets):
        for path in (pets / "cat").iterdir():
            photo(0).save(path)
        with pytest.raises(ValueError, match="too few different pictures: 1 cat"):
            datasets.load(pets)

    def test_a_class_that_a_part_lacks(self, tmp_path):
        for part, first in (("train", 0), ("validation", 40), ("test", 80)):
            fill(tmp_path / part / "cat", first, 5)
            fill(tmp_path / part / "dog", first + 20, 5)
        shutil.rmtree(tmp_path / "test" / "dog")
        with pytest.raises(ValueError, match=r"few different pictures: 5 dog\. .*each part needs some of each class"):
            datasets.load(tmp_path)


COPIES = {
    "the same": lambda image: image,
    "smaller": lambda image: image.resize((45, 35)),
    "larger": lambda image: image.resize((270, 210)),
    "brighter": lambda image: ImageEnhance.Brightness(image).enhance(1.1),
    "more contrast": lambda image: ImageEnhance.Contrast(image).enhance(1.2),
    "gray": lambda image: image.convert("L").convert("RGB"),
    "blurred": lambda image: image.filter(ImageFilter.GaussianBlur(1)),
}


def groups_of(images: list[Image.Image]) -> np.ndarray:
    squares = [np.frombuffer(square(image), np.uint8).reshape(64, 64, 3) for image in images]
    return folder.near_copies(np.array(squares))


class TestNearCopies:
    @pytest.mark.parametrize("kind", COPIES)
    def test_are_found(self, kind):
        photos = [photo(number) for number in range(40)]
        groups = groups_of([*photos, *map(COPIES[kind], photos)])
        assert np.array_equal(groups, np.tile(np.arange(40), 2))

    def test_re_compressed_ones_are_found(self, tmp_path):
        photos = [photo(number) for number in range(40)]
        for number, image in enumerate(photos):
            image.save(tmp_path / f"{number}.jpg", quality=30)
        copies = [Image.open(tmp_path / f"{number}.jpg") for number in range(40)]
        assert np.array_equal(groups_of([*photos, *copies]), np.tile(np.arange(40), 2))

    def test_different_pictures_are_not(self):
        assert len(np.unique(groups_of([photo(number) for number in range(600)]))) == 600  # more than one block
        with np.load(common.ROOT / "tests/datasets/toy_scenes.npz") as arrays:
            assert len(np.unique(folder.near_copies(arrays["images"]))) == len(arrays["images"])
        digits = np.repeat(datasets.load("uci_digits").train.arrays()[0], 3, axis=3)
        assert len(np.unique(folder.near_copies(digits))) >= 0.99 * len(digits)  # of 8×8 pixels: some are alike

    def test_copies_of_copies_and_plain_colors(self):
        flat = [Image.new("RGB", (64, 64), color) for color in (RED, BLUE)]
        step = [Image.blend(photo(0), photo(1), share) for share in np.linspace(0, 1, 60)]
        groups = groups_of([*flat, *step, photo(2)])
        assert groups.tolist() == [0, 0, *[2] * 60, 62]

    def test_stay_in_one_part(self, pets, capsys):
        for number in range(20):
            for name, change in list(COPIES.items())[1:3]:
                change(photo(number)).save(pets / "cat" / f"{number} {name}.png")
        data = datasets.load(pets)
        groups = folder.near_copies(np.concatenate([getattr(data, part).arrays()[0] for part in PARTS]))
        train, validation, test = map(set, np.split(groups, np.cumsum(sizes(data))[:2]))
        assert not train & validation and not train & test and not validation & test
        assert sizes(data) == (42 + 14, 9 + 3, 9 + 3)  # 15% of 60 and of 20
        said = "near copies, kept in one part: 40 (cat/0 larger.png ~ cat/0 smaller.png, "
        assert said in capsys.readouterr().out

    def test_a_large_group_is_not_tested_on(self, pets):
        for number in range(30):
            ImageEnhance.Brightness(photo(0)).enhance(1 - number / 200).save(pets / "cat" / f"burst{number}.png")
        data = datasets.load(pets)
        assert [np.bincount(getattr(data, part).arrays()[1])[0] for part in PARTS] == [34, 8, 8]

    def test_of_two_classes_are_said(self, pets, capsys):
        photo(3).save(pets / "dog" / "is it.png")
        assert sum(sizes(datasets.load(pets))) == 41
        said = "near copies, kept in one part, but in two classes: is the label right?: 1 (cat/3.png ~ dog/is it.png)"
        assert said in capsys.readouterr().out

    def test_in_parts_cut_by_hand_are_said_and_left(self, tmp_path, capsys):
        for part, first in (("train", 0), ("validation", 40), ("test", 80)):
            fill(tmp_path / part / "cat", first, 5)
            fill(tmp_path / part / "dog", first + 20, 5)
        photo(3).save(tmp_path / "test" / "cat" / "again.png")
        assert sizes(datasets.load(tmp_path)) == (10, 10, 11)
        said = capsys.readouterr().out
        assert "near copies, in two parts, which makes results too good: 1 (" in said
        assert "test/cat/again.png" in said and "train/cat/3.png" in said


def test_a_thousand_small_pictures_take_seconds(tmp_path):
    fill(tmp_path / "cat", 0, 500)
    fill(tmp_path / "dog", 500, 500)
    started = time.process_time()
    assert sum(sizes(datasets.load(tmp_path))) == 1000
    assert time.process_time() - started < 5
