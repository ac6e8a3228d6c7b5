"""A folder of a student's own pictures: where it is cut, what is left out, and what is said."""

import contextlib
import os
import pathlib
import re
import shutil
import time
import unicodedata

import numpy as np
import pytest
from photos import PARTS, fill, held, photo, sizes, square
from PIL import Image, ImageEnhance

from course_lib import datasets
from course_lib.datasets import folder


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
        listed = os.scandir

        @contextlib.contextmanager
        def backwards(path):
            with listed(path) as entries:
                yield sorted(entries, key=lambda entry: entry.name)[::-1]

        monkeypatch.setattr(os, "scandir", backwards)
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
        with pytest.raises(FileNotFoundError, match=r"the folder .*pets is not there$"):
            datasets.load(tmp_path / "pets")
        (tmp_path / "petz").mkdir()
        with pytest.raises(FileNotFoundError, match=r"pets is not there; did you mean .*petz\?"):
            datasets.load(tmp_path / "pets")
        with pytest.raises(FileNotFoundError, match=r"mnist is not there; did you mean the data set load\('mnist'\)"):
            datasets.load(tmp_path / "mnist")
        photo(0).save(tmp_path / "cat.png")
        with pytest.raises(FileNotFoundError, match=r"cat\.png is a file: give the folder that holds the classes"):
            datasets.load(tmp_path / "cat.png")
        (tmp_path / "pets.zip").write_bytes(b"PK")
        with pytest.raises(FileNotFoundError, match=r"pets\.zip is a file: unpack it first"):
            datasets.load(tmp_path / "pets.zip")

    def test_fewer_than_two_classes(self, tmp_path, pets):
        shape = r"not pictures of two classes\. Sort .* like this: one folder per class \(cat/1\.jpg, dog/2\.jpg\)"
        (tmp_path / "none").mkdir()
        with pytest.raises(ValueError, match=rf"none holds nothing, {shape}"):
            datasets.load(tmp_path / "none")
        with pytest.raises(ValueError, match=rf"cat holds 0\.png, 1\.png, 10\.png, …, {shape}"):
            datasets.load(pets / "cat")

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
        with pytest.raises(
            ValueError, match=r"too few different pictures: 0 cat\. Of the files 20 were left out, damaged"
        ):
            datasets.load(pets)
        assert "none of JPEG, PNG, GIF, BMP, TIFF, WEBP: 20 (cat/0.png" in capsys.readouterr().out

    def test_copies_count_once(self, pets):
        for path in (pets / "cat").iterdir():
            photo(0).save(path)
        with pytest.raises(ValueError, match="too few different pictures: 1 cat"):
            datasets.load(pets)

    @pytest.mark.parametrize(
        ("spoil", "said"),
        [
            (lambda test: shutil.rmtree(test / "dog"), r"test has no pictures of 'dog'\. Each part needs some of each"),
            (lambda test: (test / "dog").rename(test / "dgo"), "test has no pictures of 'dog', but of 'dgo'"),
            (lambda test: (test / "dog").rename(test / "Dog"), "train has no pictures of 'Dog', but of 'dog'"),
            (lambda test: [path.write_text("x") for path in (test / "dog").iterdir()], "test has no pictures of 'dog'"),
            (lambda test: fill(test / "cow", 500, 5), r"train has no pictures of 'cow'; validation has no pictures of"),
        ],
        ids=["missing", "misspelt", "capital", "unreadable", "one more"],
    )
    def test_a_class_that_a_part_lacks_is_named_with_the_part(self, spoil, said, tmp_path):
        for part, first in (("train", 0), ("validation", 40), ("test", 80)):
            fill(tmp_path / part / "cat", first, 5)
            fill(tmp_path / part / "dog", first + 20, 5)
        spoil(tmp_path / "test")
        with pytest.raises(ValueError, match=said):
            datasets.load(tmp_path)

    def test_more_pictures_than_there_is_memory_for(self, pets):
        with pytest.raises(
            ValueError, match=r"40 pictures of side=900000 pixels take .* GB of memory, and .* GB are free"
        ):
            datasets.load(pets, side=900_000)


class TestNearCopies:
    def test_stay_in_one_part(self, pets, capsys):
        for number in range(20):
            photo(number).resize((45, 35)).save(pets / "cat" / f"{number} smaller.png")
            photo(number).resize((270, 210)).save(pets / "cat" / f"{number} larger.png")
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


class TestWhatIsSaid:
    def test_every_file_that_a_note_is_about_can_be_found(self, pets, capsys):
        for number in range(5):
            (pets / "dog" / f"{number}.txt").write_text("no picture")
        data = datasets.load(pets)
        ((note, names),) = data.notes.items()
        assert note.startswith("left out, damaged or none of") and names == [f"dog/{number}.txt" for number in range(5)]
        assert capsys.readouterr().out.endswith("test 6; .notes of the result names all files\n")

    @pytest.mark.parametrize(("dogs", "said"), [(12, True), (40, False)])
    def test_a_class_with_many_times_more_pictures(self, dogs, said, tmp_path, capsys):
        fill(tmp_path / "cat", 0, 90)
        fill(tmp_path / "dog", 100, dogs)
        datasets.load(tmp_path)
        line = 'cat has 8 times as many pictures to train on as dog: train(..., class_weight="balanced") weighs'
        out = capsys.readouterr().out
        assert (line in out) == said == ("times as many" in out)

    def test_progress_once_reading_takes_more_than_two_seconds(self, pets, capsys, monkeypatch):
        read, now, lasts = folder.read_picture, [0.0], 0.01

        def timed(*arguments, **keywords):
            now[0] += lasts
            return read(*arguments, **keywords)

        class Bar(folder.tqdm.tqdm):
            """By this test's clock: another machine's is none of its business."""

            _time = property(lambda self: lambda: now[0], lambda self, clock: None)

        monkeypatch.setattr(folder.tqdm, "tqdm", Bar)
        monkeypatch.setattr(folder, "read_picture", timed)
        datasets.load(pets)
        assert "reading" not in capsys.readouterr().out
        lasts = 0.06
        datasets.load(pets)
        assert re.search(r"\rreading: .*/40 \[", capsys.readouterr().out)


def test_a_thousand_small_pictures_take_seconds(tmp_path):
    fill(tmp_path / "cat", 0, 500)
    fill(tmp_path / "dog", 500, 500)
    started = time.process_time()
    assert sum(sizes(datasets.load(tmp_path))) == 1000
    assert time.process_time() - started < 15  # on a busy machine the same work takes longer


class TestReadFolder:
    """Photos to test on, as a phone hands them over."""

    def phone(self, tmp_path):
        fill(tmp_path / "cat", 0, 3)
        fill(tmp_path / "dog", 9, 2)
        return tmp_path

    def test_all_photos_with_the_labels_of_the_classifier(self, tmp_path, capsys):
        images, labels = datasets.read_folder(self.phone(tmp_path), ("owl", "dog", "cat"), 32)
        assert images.shape == (5, 32, 32, 3) and images.dtype == np.uint8 and labels.tolist() == [2, 2, 2, 1, 1]
        np.testing.assert_array_equal(images[4], datasets.read_photo(tmp_path / "dog" / "9.png", 32))
        assert "5 pictures, 0 owl, 2 dog, 3 cat" in capsys.readouterr().out

    def test_hidden_and_damaged_files_stop_nothing(self, tmp_path, capsys):
        folder = self.phone(tmp_path)
        (folder / ".DS_Store").write_bytes(b"\0\0\0\1Bud1")
        (folder / "cat" / ".DS_Store").write_bytes(b"\0\0\0\1Bud1")
        (folder / "cat" / "._1.png").write_bytes(b"\0\5\x16\7")
        (folder / "dog" / "cut.png").write_bytes((folder / "dog" / "9.png").read_bytes()[:60])
        images, labels = datasets.read_folder(folder, ("cat", "dog"))
        assert len(images) == len(labels) == 5
        said = capsys.readouterr().out
        assert "left out" in said and "dog/cut.png" in said and "DS_Store" not in said and "._1" not in said

    def test_a_class_that_the_classifier_does_not_know_is_named(self, tmp_path):
        with pytest.raises(ValueError, match="holds photos of dog, and the classes are cat, owl"):
            datasets.read_folder(self.phone(tmp_path), ("cat", "owl"))

    def test_no_photo_at_all_is_said(self, tmp_path):
        for kind in ("cat", "dog"):
            (tmp_path / kind).mkdir()
            (tmp_path / kind / "1.jpg").write_text("no photo")
        with pytest.raises(ValueError, match="no photo that can be read"):
            datasets.read_folder(tmp_path, ("cat", "dog"))


def test_the_files_of_each_part_are_in_the_order_of_its_images(pets):
    data = datasets.load(pets)
    for part in PARTS:
        images, labels = getattr(data, part).arrays()
        assert len(data.paths[part]) == len(images)
        for path, image, label in zip(data.paths[part], images, labels, strict=True):
            assert path.parent.name == data.class_names[label]
            np.testing.assert_array_equal(datasets.read_photo(path), image)
