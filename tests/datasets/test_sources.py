"""`datasets.load`: what each source gives, where it is cut, and what it refuses."""

import numpy as np
import pytest
import tensorflow_datasets as tfds
from PIL import Image
from sklearn.datasets import load_digits

from course_lib import datasets


def in_one_piece(data: datasets.ImageDataset) -> tuple[np.ndarray, np.ndarray]:
    """Images and labels of the three parts, one after the other."""
    parts = [part.arrays() for part in (data.train, data.validation, data.test)]
    return tuple(np.concatenate(each) for each in zip(*parts, strict=True))


def sizes(data: datasets.ImageDataset) -> tuple[int, int, int]:
    return len(data.train), len(data.validation), len(data.test)


class TestUciDigits:
    def test_shapes_and_counts(self):
        data = datasets.load("uci_digits")
        images, labels = in_one_piece(data)
        assert (data.name, data.image_shape, data.num_classes) == ("uci_digits", (28, 28, 1), 10)
        assert sizes(data) == (1200, 200, 397) == datasets.DATASETS["uci_digits"].counts
        assert images.dtype == np.uint8 and labels.dtype == np.int64 and data.class_names == tuple("0123456789")

    def test_order_is_scikit_learns_so_that_a_writers_digits_stay_together(self):
        images, labels = in_one_piece(datasets.load("uci_digits"))
        originals, answers = load_digits(return_X_y=True)
        assert np.array_equal(labels, answers)
        # Averaged back to 8×8, each enlarged digit is like its original and unlike the next one.
        box = images[:, 4:24, 4:24, 0].astype(float)
        pixels = np.array(
            [np.asarray(Image.fromarray(digit).resize((8, 8), Image.Resampling.BOX)) for digit in box]
        ).reshape(len(box), -1)
        same = [np.corrcoef(pixels[i], originals[i])[0, 1] for i in range(len(box))]
        other = [np.corrcoef(pixels[i], originals[i - 1])[0, 1] for i in range(len(box))]
        assert min(same) > 0.9 > 0.7 > np.mean(other)

    def test_digits_sit_in_mnists_box_and_use_the_whole_range(self):
        images, _ = in_one_piece(datasets.load("uci_digits"))
        border = np.ones((28, 28), bool)
        border[4:24, 4:24] = False
        assert images[:, border].max() == 0
        assert images.max() == 255 and images.min() == 0
        originals = load_digits().images * (255 / 16)
        assert images[:, 4:24, 4:24].mean() == pytest.approx(originals.mean(), rel=0.03)  # as much ink


def test_a_set_of_fixed_size_is_read_as_tfds_reads_it(prepared, pictures, tmp_path):
    train, test = pictures(1345), pictures(30)  # several blocks, the last one in part
    prepared("mnist", shards=3, train=train, test=test)
    data = datasets.load("mnist", data_dir=tmp_path, offline=True)
    images, labels = in_one_piece(data)
    assert np.array_equal(images, np.concatenate([train[0], test[0]]))
    assert np.array_equal(labels, np.concatenate([train[1], test[1]]))
    assert sizes(data) == (1345 - 134, 134, 30)  # a tenth, where the counts are not the cataloged ones
    one_after_the_other = tfds.ReadConfig(interleave_cycle_length=1)
    read = tfds.load(
        "mnist", data_dir=tmp_path, split="train[:500]", as_supervised=True, read_config=one_after_the_other
    )
    for index, (image, label) in enumerate(tfds.as_numpy(read)):
        assert np.array_equal(images[index], image) and labels[index] == label
    assert index == 499


def test_cifar10(prepared, pictures, tmp_path):
    prepared("cifar10", train=pictures(50, (32, 32, 3)), test=pictures(10, (32, 32, 3)))
    data = datasets.load("cifar10", data_dir=tmp_path, offline=True)
    assert data.image_shape == (32, 32, 3) and sizes(data) == (45, 5, 10)
    assert (data.num_classes, data.class_names[3], data.class_names[9]) == (10, "cat", "truck")


def test_imagenette_becomes_squares_of_160_pixels(prepared, tmp_path):
    rows, columns = np.mgrid[0:240, 0:200]
    wide = np.stack([columns, rows, (columns + rows) // 2], -1).astype(np.uint8)  # soft, so that resizing is exact
    tall = wide.transpose(1, 0, 2)[:90]
    photos = [wide, tall, wide[:160, :160], wide[:40, :150]]
    labels = np.arange(20) % 10
    prepared("imagenette/160px-v2", shards=5, train=(photos * 5, labels), validation=(photos[:2], [0, 9]))
    data = datasets.load("imagenette", data_dir=tmp_path, offline=True)
    assert data.image_shape == (160, 160, 3) and sizes(data) == (18, 2, 2)  # its "validation" is our test set
    assert len(data.class_names) == 10 and data.class_names[9] == "parachute"
    assert np.array_equal(data.train.arrays()[1], labels[:18])  # in stored order, always
    for photo, square in zip(photos, data.train.arrays()[0], strict=False):
        height, width, _ = photo.shape
        scale = 160 / min(height, width)
        across, down = int(np.ceil(width * scale)), int(np.ceil(height * scale))
        scaled = np.asarray(Image.fromarray(photo).resize((across, down), Image.Resampling.BILINEAR), float)
        top, left = (down - 160) // 2, (across - 160) // 2
        expected = scaled[top : top + 160, left : left + 160]
        assert np.abs(square - expected).max() <= 3 and np.abs(square - expected).mean() < 1


def test_imagenette_of_tfds_own_mock(prepared, tmp_path):
    folder = prepared("imagenette/160px-v2", train=((), ()), validation=((), ()))
    assert (folder / "dataset_info.json").is_file()
    with tfds.testing.mock_data(num_examples=30, data_dir=str(tmp_path)):
        data = datasets.load("imagenette", data_dir=tmp_path, offline=True)
    assert data.image_shape == (160, 160, 3) and sizes(data) == (27, 3, 30)
    assert data.train.arrays()[0].dtype == np.uint8 and data.train.arrays()[1].max() <= 9


@pytest.mark.parametrize(
    ("name", "shape", "counts", "expected"),
    [
        ("kmnist", (28, 28, 1), {"train": 40, "test": 7}, (36, 4, 7)),
        ("patch_camelyon", (96, 96, 3), {"train": 20, "validation": 6, "test": 5}, (20, 6, 5)),
        ("eurosat/rgb", (64, 64, 3), {"train": 100}, (81, 9, 10)),  # in one piece
        ("cifar10_corrupted/fog_1", (32, 32, 3), {"test": 20}, (17, 1, 2)),  # in one piece, of another name
        ("svhn_cropped", (32, 32, 3), {"train": 30, "extra": 5, "test": 4}, (27, 3, 4)),
    ],
)
def test_any_other_set_of_images_and_labels_loads(name, shape, counts, expected, prepared, pictures, tmp_path):
    prepared(name, **{split: (lambda p: (p[0], p[1] % 2))(pictures(count, shape)) for split, count in counts.items()})
    data = datasets.load(name, data_dir=tmp_path, offline=True)
    assert (data.name, data.image_shape, sizes(data)) == (name, shape, expected)
    assert data.class_names == tuple(tfds.builder(name).info.features["label"].names)


def test_a_split_that_is_not_used_is_not_read(prepared, pictures, tmp_path):
    two = (pictures(20, (32, 32, 3))[0], np.arange(20) % 10)
    folder = prepared("svhn_cropped", train=two, extra=two, test=two)
    (folder / "svhn_cropped-extra.tfrecord-00000-of-00001").write_bytes(b"half a million more")
    assert sizes(datasets.load("svhn_cropped", data_dir=tmp_path, offline=True)) == (18, 2, 20)


def test_a_set_without_images_is_refused(prepared, pictures, tmp_path):
    prepared("ag_news_subset", train=pictures(3))
    with pytest.raises(ValueError, match="ag_news_subset is not a set of images with one label each: it holds"):
        datasets.load("ag_news_subset", data_dir=tmp_path, offline=True)


def test_a_set_without_images_is_refused_before_it_is_downloaded(tmp_path, no_connections):
    for name in ("imdb_reviews", "coco", "speech_commands"):
        with pytest.raises(ValueError, match=f"{name} is not a set of images with one label each: it holds"):
            datasets.load(name, data_dir=tmp_path)


def test_a_split_whose_labels_are_not_public_is_left_out(prepared, pictures, tmp_path, capsys):
    images, labels = pictures(10)
    prepared("kmnist", train=pictures(40), test=(images, labels * 0 - 1))
    assert sizes(datasets.load("kmnist", data_dir=tmp_path, offline=True)) == (33, 3, 4)
    assert "kmnist: the split test is left out, its labels are not public" in capsys.readouterr().out


@pytest.mark.parametrize(
    "name", ["pictures/cats", "my pictures", "pictures/", "pets.zip", "C:\\pictures", "no\\folder"]
)
def test_a_folder_that_is_not_there_is_said_to_be_a_folder(name, no_connections):
    with pytest.raises(FileNotFoundError, match=r"the folder .* is not there"):
        datasets.load(name)


def test_a_folder_that_is_called_like_a_set(pets, monkeypatch, capsys):
    pets.rename(pets.parent / "uci_digits")
    monkeypatch.chdir(pets.parent)
    assert datasets.load("uci_digits").num_classes == 10
    assert "uci_digits: the data set of that name; the folder of that name is './uci_digits'" in capsys.readouterr().out
    assert datasets.load("./uci_digits").num_classes == 2


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"name": "mnist", "offline": "False"}, "offline must be True, False, or None to ask COURSE_OFFLINE"),
        ({"name": "./pets", "data_dir": "/data"}, r"data_dir is for sets by name; \./pets is a folder"),
        ({"name": "https://some.where/pets.zip"}, "is an address: download and unpack it, then load the folder"),
    ],
)
def test_arguments_that_do_not_go_together(arguments, said, no_connections):
    with pytest.raises(ValueError, match=said):
        datasets.load(**arguments)


@pytest.mark.parametrize(
    ("name", "nearest"),
    [("mnits", "'mnist'"), ("cifar", "'cifar10'"), ("fashion-mnist", "'fashion_mnist'"), ("", "")],
)
def test_an_unknown_name_gives_the_nearest(name, nearest, no_connections):
    with pytest.raises(ValueError, match="unknown data set") as caught:
        datasets.load(name)
    known = "Known: cifar10, digits, imagenette, mnist, toy_scenes, uci_digits"
    assert nearest in str(caught.value) and known in str(caught.value)


@pytest.mark.parametrize("name", [None, 5, ["mnist"], b"mnist"])
def test_one_name_is_loaded(name, no_connections):
    with pytest.raises(ValueError, match="load takes one name, a string such as 'mnist', or a folder's path, not"):
        datasets.load(name)


@pytest.mark.parametrize("take", [lambda data: data["train"], lambda data: data[0], list])
def test_the_parts_of_a_set_have_names(take):
    with pytest.raises(ValueError, match=r"by name, data\.train, data\.validation, data\.test, not data\["):
        take(datasets.load("uci_digits"))


def test_digits_are_mnist_where_it_is_here(prepared, pictures, tmp_path, capsys):
    prepared("mnist", train=pictures(20), test=pictures(5))
    data = datasets.load("digits", data_dir=tmp_path, offline=True)
    assert data.name == "mnist" and capsys.readouterr().out == ""


def test_without_mnist_uci_digits_stand_in_and_one_line_says_so(tmp_path, capsys):
    data = datasets.load("digits", data_dir=tmp_path, offline=True)
    assert data.name == "uci_digits"
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith("UCI digits (8×8 handwriting from scikit-learn) stand in for MNIST: mnist is not here")


def cut(path):
    path.write_bytes(path.read_bytes()[:-20])


def scratch(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(bytes(data))


TRAIN = "mnist-train.tfrecord-00000-of-00001"
DAMAGES = {
    "half-written": ("dataset_info.json", lambda path: path.unlink(), "it has no dataset_info.json"),
    "info cut": ("dataset_info.json", cut, "its dataset_info.json does not read"),
    "records missing": (TRAIN, lambda path: path.unlink(), f"{TRAIN} is missing"),
    "records cut": (TRAIN, cut, "truncated record"),
    "records empty": (TRAIN, lambda path: path.write_bytes(b""), "0 of 40 train examples are there"),
    "records scratched": (TRAIN, scratch, "corrupted record"),
}


@pytest.mark.parametrize(("file", "spoil", "reason"), DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_folder_is_recognized_said_and_not_used(
    file, spoil, reason, prepared, pictures, tmp_path, capsys, no_connections
):
    folder = prepared("mnist", train=pictures(40), test=pictures(5))
    spoil(folder / file)
    with pytest.raises(ValueError) as caught:
        datasets.load("mnist", data_dir=tmp_path)
    message = str(caught.value)
    assert reason in message and str(tmp_path / "mnist") in message and "load mnist again" in message
    assert "function_node" not in message and "[Op:" not in message
    assert datasets.load("digits", data_dir=tmp_path).name == "uci_digits"
    (line,) = capsys.readouterr().out.splitlines()
    assert reason in line


def test_a_record_too_few_is_noticed(prepared, pictures, tmp_path):
    folder = prepared("mnist", train=pictures(40), test=pictures(5))
    info = folder / "dataset_info.json"
    info.write_text(info.read_text().replace('"40"', '"41"'))
    with pytest.raises(ValueError, match="40 of 41 train examples are there"):
        datasets.load("mnist", data_dir=tmp_path, offline=True)


def test_importing_datasets_loads_neither_tensorflow_nor_scikit_learn():
    import subprocess
    import sys

    code = "import sys, course_lib.datasets; print(sorted({'tensorflow', 'sklearn', 'keras'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "[]\n"
