"""One picture of every kind of file: what becomes of it, and what is said of one that does not read."""

import importlib.util
import shutil
import subprocess
import sys

import numpy as np
import pytest
from photos import PARTS, fill, held, photo, square
from PIL import Image, features

from course_lib import datasets
from course_lib.datasets import pictures

RED, BLUE, WHITE = (200, 30, 30), (30, 30, 200), (255, 255, 255)


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
        sizes, fit = [], datasets.squares.ImageOps.fit
        monkeypatch.setattr(
            datasets.squares.ImageOps, "fit", lambda image, size: sizes.append(image.size) or fit(image, size)
        )
        photo(999, (4000, 3000)).save(pets / "dog" / "999.jpg", quality=95)
        data = datasets.load(pets)
        images = np.concatenate([getattr(data, part).arrays()[0] for part in PARTS])
        assert max(sizes) == (500, 375)
        expected = np.frombuffer(square(photo(999, (4000, 3000))), np.uint8).reshape(64, 64, 3).astype(int)
        assert np.abs(images - expected).mean((1, 2, 3)).min() < 2


GRAY = {  # kind: (file, how a picture of bytes becomes its values, what is said of the whole set)
    "12 bits": ("x.png", lambda gray: gray.astype(np.uint16) * 16, "4,080 is taken as white"),
    "floats to 1": ("x.tif", lambda gray: (gray / 255).astype(np.float32), "1 is taken as white"),
    "int32": ("x.tif", lambda gray: gray.astype(np.int32), "255 is taken as white"),
    "Hounsfield": (
        "x.tif",
        lambda gray: (8.0 * gray - 1024).astype(np.float32),
        "-1,024 is taken as black and 1,016 as white",
    ),
    "kelvin": ("x.tif", lambda gray: (273 + gray / 10).astype(np.float32), "273 is taken as black and 298.5 as white"),
}


@pytest.mark.parametrize(("name", "values", "said"), GRAY.values(), ids=GRAY)
def test_more_than_8_bits_are_scaled_by_the_range_of_the_set(name, values, said, tmp_path, capsys):
    """Dogs are darker than cats, and stay so: no picture is stretched to its own range."""
    expected = {"cat": {}, "dog": {}}
    for kind, brightest in (("cat", 255), ("dog", 127)):
        (tmp_path / kind).mkdir()
        for number in range(12):
            gray = np.asarray(photo(number + brightest, (64, 64)).convert("L")).astype(float)
            gray = np.rint((gray - gray.min()) / np.ptp(gray) * brightest)
            Image.fromarray(values(gray)).save(tmp_path / kind / f"{number}{name[1:]}")
            expected[kind][number] = gray
    data = datasets.load(tmp_path)
    images, labels = (
        np.concatenate(each) for each in zip(*(getattr(data, part).arrays() for part in PARTS), strict=True)
    )
    for label, kind in enumerate(data.class_names):
        mine = images[labels == label][..., 0].astype(float)
        for gray in expected[kind].values():
            assert np.abs(mine - gray).max(axis=(1, 2)).min() <= 1
    assert f"more than 8 bits, of which {said}: 24 (" in capsys.readouterr().out


@pytest.mark.parametrize("worst", [np.nan, np.inf])
def test_values_that_are_no_numbers_are_left_out_by_name(worst, pets, capsys):
    Image.fromarray(np.full((70, 90), worst, np.float32)).save(pets / "cat" / "spoilt.tif")
    datasets.load(pets)
    assert "left out, some of its values are NaN or infinite: 1 (cat/spoilt.tif)" in capsys.readouterr().out


def test_what_comes_out_nearly_black_is_named(pets, capsys):
    Image.fromarray(np.asarray(photo(900)) // 20).save(pets / "cat" / "mask.png")
    datasets.load(pets)
    assert "nearly black, no value above 15 of 255: are they saved with too few bits?: 1 (cat/mask.png)" in (
        capsys.readouterr().out
    )


HEIC = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(400)
STRANGE = {  # file: (its content, what is said)
    "x.avif": (b"\0\0\0\x18ftypavif" + bytes(50), "AVIF that is damaged"),
    "x.jxl": (b"\xff\x0a" + bytes(50), "JPEG XL cannot be read: save the pictures as JPEG or PNG"),
    "x.CR2": (b"II*\0" + bytes(50), "camera RAW cannot be read: save the pictures as JPEG or PNG"),
    "scan": (bytes(128) + b"DICM" + bytes(50), "DICOM cannot be read: save the pictures as JPEG or PNG"),
    "x.tif": (b"II*\0" + bytes(50), "TIFF that is damaged, or has several channels of more than 8 bits"),
    "x.jpg": (b"<!DOCTYPE html><html>", "a web page instead of a picture: download it again"),
    "x.png": (b"milk, bread", "damaged or none of JPEG, PNG, GIF, BMP, TIFF, WEBP"),
}


@pytest.mark.parametrize(("name", "content", "said"), [(name, *rest) for name, rest in STRANGE.items()], ids=STRANGE)
def test_what_does_not_read_is_called_what_it_is(name, content, said, tmp_path):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(pictures.UnreadableError, match=said):
        pictures.square(tmp_path / name, 64)


@pytest.mark.parametrize("name", ["IMG_1.HEIC", "sent.jpg"])
def test_heic_without_its_reader_says_what_to_type(name, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    (tmp_path / name).write_bytes(HEIC)
    with pytest.raises(OSError, match=r"HEIC cannot be read here: type pip install pillow-heif .* as JPEG"):
        pictures.square(tmp_path / name, 64)


def test_heic_is_read_upright(tmp_path):
    pillow_heif = pytest.importorskip("pillow_heif")
    pillow_heif.register_heif_opener()
    exif = Image.Exif()
    exif[0x0112] = 6
    photo(5, (400, 300)).save(tmp_path / "phone.heic", exif=exif.tobytes(), quality=95)
    upright = photo(5, (400, 300)).transpose(Image.Transpose.ROTATE_270)
    expected = np.frombuffer(square(upright), np.uint8).reshape(64, 64, 3).astype(int)
    assert np.abs(np.asarray(pictures.square(tmp_path / "phone.heic", 64)[0]) - expected).mean() < 4
    (tmp_path / "cut.heic").write_bytes(HEIC)
    with pytest.raises(OSError, match="HEIC that is damaged"):
        pictures.square(tmp_path / "cut.heic", 64)


@pytest.mark.skipif(not features.check("avif"), reason="this Pillow reads no AVIF")
def test_avif_is_read(tmp_path):
    photo(5, (400, 300)).save(tmp_path / "x.avif", quality=95)
    expected = np.frombuffer(square(photo(5, (400, 300))), np.uint8).reshape(64, 64, 3).astype(int)
    assert np.abs(np.asarray(pictures.square(tmp_path / "x.avif", 64)[0]) - expected).mean() < 4


def copied(folder):
    """The file `squares.py` as a module of its own, from a copy in `folder`."""
    shutil.copy(datasets.squares.__file__, folder / "squares.py")
    spec = importlib.util.spec_from_file_location("squares_alone", folder / "squares.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class TestReadPhoto:
    def test_crop_is_the_middle_square(self, tmp_path):
        photo(3).save(tmp_path / "a.png")
        read = datasets.read_photo(tmp_path / "a.png", 64)
        assert read.shape == (64, 64, 3) and read.dtype == np.uint8
        assert read.tobytes() == square(photo(3))

    @pytest.mark.parametrize(("size", "kept"), [((90, 60), (32, 48)), ((60, 90), (48, 32))])
    def test_pad_keeps_all_of_it_in_the_middle_of_gray(self, size, kept, tmp_path):
        """A photo of 3:2 fills two thirds of a square of 48 pixels, and 8 rows or columns stay gray at both sides."""
        Image.new("RGB", size, "red").save(tmp_path / "a.png")
        read = datasets.read_photo(tmp_path / "a.png", 48, "pad")
        expected = np.full((48, 48, 3), 128, np.uint8)
        rows, columns = kept
        top, left = (48 - rows) // 2, (48 - columns) // 2
        expected[top : top + rows, left : left + columns] = (255, 0, 0)
        assert np.array_equal(read, expected)

    def test_a_folder_is_padded_as_one_photo_is(self, tmp_path):
        for number, kind in enumerate("ab"):
            fill(tmp_path / kind, 100 * number)
        data = datasets.load(tmp_path, side=32, fit="pad")
        one = datasets.read_photo(tmp_path / "a" / "3.png", 32, "pad")
        images = [image for part in (data.train, data.validation, data.test) for image in part.arrays()[0]]
        assert any(np.array_equal(one, image) for image in images)

    @pytest.mark.parametrize("fit", ["crop", "pad"])
    def test_a_copy_of_the_one_file_prepares_every_kind_alike(self, fit, tmp_path):
        """What a saved classifier takes along: the pixels are those of the training, to the bit."""
        for name, (picture, options, _) in KINDS.items():
            picture.save(tmp_path / name, **options)
        note = Image.Exif()
        note[0x0112] = 6
        photo(3, (900, 700)).save(tmp_path / "upright.jpg", exif=note)
        if pictures.reads_heic():
            photo(4).save(tmp_path / "IMG_2.HEIC", "HEIF")
        alone = copied(tmp_path)
        for path in sorted(tmp_path.glob("*.[!p]*")) + sorted(tmp_path.glob("*.png")):
            np.testing.assert_array_equal(
                alone.read_square(path, 48, fit), datasets.read_photo(path, 48, fit), path.name
            )

    def test_the_one_file_needs_nothing_of_the_course(self, tmp_path):
        copied(tmp_path)
        photo(1).save(tmp_path / "1.png")
        code = (
            "import sys; sys.modules['course_lib'] = None; import squares; "
            "print(squares.read_square('1.png', 20).shape, sorted({'keras', 'tensorflow'} & set(sys.modules)))"
        )
        said = subprocess.run(
            [sys.executable, "-E", "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
        )
        assert said.stdout == "(20, 20, 3) []\n"

    def test_other_fits_are_refused(self, tmp_path):
        photo(3).save(tmp_path / "a.png")
        with pytest.raises(ValueError, match="fit"):
            datasets.read_photo(tmp_path / "a.png", 64, "stretch")
        with pytest.raises(ValueError, match="fit"):
            datasets.load(tmp_path, fit="stretch")
        with pytest.raises(ValueError, match="fit='pad' is for a folder of pictures; cifar10"):
            datasets.load("cifar10", fit="pad")
