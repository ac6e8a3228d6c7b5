"""A run kept in a folder: killed, stopped, damaged, or asked for again."""

import dataclasses
import functools
import json
import pathlib
import shutil
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from course_lib import common
from course_lib.batching import Split
from course_lib.training import Recipe, Run, Stopped, last_run, train

RECIPE = Recipe("adam", 0.02, "cosine", weight_decay=1e-3, batch_size=10, steps_per_execution=1)
EPOCHS = 4


class PowerCut(Exception):
    pass


class Fail(keras.callbacks.Callback):
    """Raises `error` after step `step` of epoch `epoch`, both from 0."""

    def __init__(self, epoch: int, step: int, error: type = PowerCut):
        super().__init__()
        self.when, self.error = (epoch, step), error

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        if (self.epoch, batch) == self.when:
            raise self.error


def flicker(images, draws):
    return images if draws is None else images + draws.uniform(1)[:, :, None, None]


@pytest.fixture(scope="module")
def noisy(split) -> Split:
    return split.with_transform(flicker)


@pytest.fixture(scope="module")
def again(stateful, noisy):
    """The call that is made again and again."""
    return functools.partial(train, stateful, noisy, recipe=RECIPE, epochs=EPOCHS, validation=noisy.take(20))


@pytest.fixture(scope="module")
def whole(again) -> Run:
    return again()


@pytest.fixture(scope="module")
def cut(again, tmp_path_factory) -> pathlib.Path:
    """The folder of a run that was cut off in its last epoch; `copied` gives a test one of its own."""
    folder = tmp_path_factory.mktemp("runs") / "cut"
    with pytest.raises(PowerCut):
        again(run_dir=folder, callbacks=[Fail(3, 2)])
    return folder


@pytest.fixture
def copied(cut, tmp_path) -> pathlib.Path:
    return shutil.copytree(cut, tmp_path / "copied")


@pytest.fixture(scope="module")
def ended(again, tmp_path_factory) -> tuple[Run, pathlib.Path]:
    """A run that has ended, and its folder."""
    folder = tmp_path_factory.mktemp("runs") / "ended"
    return again(run_dir=folder), folder


def checkpoints(folder: pathlib.Path) -> list[pathlib.Path]:
    return sorted(folder.glob("checkpoint-*.npz"))


@pytest.mark.parametrize("moment", [(0, 0), (1, 5), (3, 2)])
def test_what_is_continued_ends_as_if_it_had_never_stopped(moment, again, whole, copied, tmp_path, all_bits):
    folder = copied if moment == (3, 2) else tmp_path / "run"
    if folder is not copied:
        with pytest.raises(PowerCut):
            again(run_dir=folder, callbacks=[Fail(*moment)])
    keras.utils.set_random_seed(99)  # another process, another random state
    run = again(run_dir=folder)
    assert all_bits(run) == all_bits(whole)
    assert len(checkpoints(folder)) == 2 and not list(folder.glob("*new*"))


def test_killed_at_any_moment():
    """Four of the moments that `tests/benchmarks/kill_points.py` tries a hundred of."""
    script = common.ROOT / "tests" / "benchmarks" / "kill_points.py"
    environment = {"PYTHONPATH": str(common.ROOT), "TF_CPP_MIN_LOG_LEVEL": "3"}
    command = [sys.executable, script, "--points", "4"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "4 of 4 identical" in done.stdout


def test_by_hand(again, stateful, whole, tmp_path, capsys, all_bits):
    with pytest.raises(Stopped):
        again(run_dir=tmp_path, callbacks=[Fail(2, 3, KeyboardInterrupt)])
    run = last_run()
    assert run.status == Run.load(tmp_path, stateful).status == "interrupted"
    again_run = again(run_dir=tmp_path)
    assert f"continues after epoch 2 of 4, from {tmp_path}" in capsys.readouterr().out
    assert all_bits(again_run) == all_bits(whole) and again_run.status == "finished"


def test_a_run_that_has_ended_is_not_trained_again(again, ended, all_bits, capsys):
    first, folder = ended
    kept = {path.name: path.read_bytes() for path in folder.iterdir()}
    second = again(run_dir=folder, callbacks=[Fail(0, 0)])  # which would fail if it trained
    assert f"the run in {folder} has ended after epoch 4: nothing is trained" in capsys.readouterr().out
    assert all_bits(second) == all_bits(first) and second.status == "finished"
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == kept


@pytest.mark.parametrize("picture", ["IMG_1.JPG", "cat/1.png"])
def test_no_run_among_pictures(picture, again, tmp_path):
    (tmp_path / picture).parent.mkdir(exist_ok=True)
    (tmp_path / picture).touch()
    message = "holds pictures .*, and a run would lie among them: choose another folder"
    with pytest.raises(ValueError, match=message):
        again(run_dir=tmp_path)
    with pytest.raises(ValueError, match=message):
        last_run().save(tmp_path)
    assert {path.name for path in tmp_path.rglob("*.*")} == {pathlib.Path(picture).name}


def test_a_run_that_a_callback_ended_stays_ended(again, tmp_path, fingerprint):
    def stopping() -> keras.callbacks.Callback:
        return keras.callbacks.EarlyStopping("val_loss", patience=1, min_delta=100, restore_best_weights=True)

    first = again(run_dir=tmp_path, callbacks=[stopping()])
    assert len(first.history["loss"]) == 2
    second = again(run_dir=tmp_path, callbacks=[stopping()])
    assert fingerprint(second.model) == fingerprint(first.model) and second.history == first.history


@pytest.mark.parametrize("harm", [lambda data: data[: len(data) // 2], lambda data: data[:900] + b"!" + data[901:]])
def test_a_damaged_checkpoint_is_left_out(harm, again, whole, copied, capsys, all_bits):
    newest = checkpoints(copied)[-1]
    newest.write_bytes(harm(newest.read_bytes()))
    assert all_bits(again(run_dir=copied)) == all_bits(whole)
    said = capsys.readouterr().out
    assert f"{newest} is damaged and left out" in said and "continues after epoch 2 of 4" in said


def test_without_any_good_checkpoint_it_begins_afresh(again, whole, copied, all_bits):
    for path in checkpoints(copied):
        path.write_bytes(b"")
    assert all_bits(again(run_dir=copied)) == all_bits(whole)


def test_what_the_folder_holds(again, whole, copied):
    assert json.loads((copied / "run.json").read_text())["status"] == "running"
    with pytest.raises(FileNotFoundError, match="has not ended: the call that began it continues it"):
        Run.load(copied, lambda: None)
    again(run_dir=copied)
    header, *lines = (copied / "history.csv").read_text().splitlines()
    assert header.split(",") == ["epoch", *whole.history]
    for number, line in enumerate(lines):
        assert [float(value) for value in line.split(",")[1:]] == [values[number] for values in whole.history.values()]
    assert [path.name[:16] for path in checkpoints(copied)] == ["checkpoint-00003", "checkpoint-00004"]


def other_network() -> keras.Model:
    inputs = keras.Input((6, 6, 1))
    return keras.Model(inputs, layers.Dense(3)(layers.Flatten()(inputs)), name="other")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"recipe": Recipe("adam", 0.03, batch_size=10)}, "learning_rate 0.02 there, 0.03 here"),
        ({"build": other_network}, "another network, layer 2 is a Conv2D there and a Flatten here"),
        ({"seed": 1}, "seed 0 there, 1 here"),
        ({"class_weight": {0: 2.0}}, "class_weight none there, [2.0, 1.0, 1.0] here"),
        ({"epochs": 9}, "epochs 4 there, 9 here"),  # the cosine spans them
        ({"data": lambda split: split}, "data's transforms"),  # another transform
        ({"data": lambda split: split.take(50)}, "data's size 53 there, 50 here; data's content"),
        ({"validation": None}, "validation's size 20 there, none here"),
    ],
)
def test_the_folder_of_another_run_is_refused(change, said, stateful, split, noisy, ended):
    _, folder = ended
    given = {"build": stateful, "data": noisy, "recipe": RECIPE, "epochs": EPOCHS, "validation": noisy.take(20)}
    given |= {name: value(split) if name == "data" else value for name, value in change.items()}
    with pytest.raises(ValueError, match="holds another run: ") as caught:
        train(given.pop("build"), given.pop("data"), **given, run_dir=folder)
    assert said in str(caught.value) and "Choose another run_dir, or delete that one" in str(caught.value)


def unnamed(activation: str = "relu", dropout: float = 0.5) -> keras.Model:
    inputs = keras.Input((6, 6, 1))
    x = layers.Flatten()(layers.Conv2D(2, 3, activation=activation)(inputs))
    return keras.Model(inputs, layers.Dense(3)(layers.Dropout(dropout)(x)))


def test_a_network_that_keras_names_is_recognized_in_the_same_process(noisy, tmp_path, all_bits):
    """Keras calls the first one "functional" and the next one "functional_1"."""
    call = functools.partial(train, unnamed, noisy, recipe=Recipe(batch_size=10, steps_per_execution=1), epochs=3)
    with pytest.raises(PowerCut):
        call(run_dir=tmp_path, callbacks=[Fail(1, 0)])
    assert all_bits(call(run_dir=tmp_path)) == all_bits(call())


@pytest.mark.parametrize("change", [{"activation": "tanh"}, {"dropout": 0.4}])
def test_another_setting_of_a_layer_is_another_network(change, noisy, tmp_path):
    call = functools.partial(train, data=noisy, recipe=Recipe(batch_size=10), run_dir=tmp_path)
    call(unnamed, epochs=1)
    with pytest.raises(ValueError, match=r"another network, layer ., a .* has other settings"):
        call(lambda: unnamed(**change), epochs=2)


def test_a_field_that_a_later_version_adds_leaves_kept_runs_valid(monkeypatch, noisy, tmp_path):
    """An identity holds what was chosen, not what there was to choose from."""
    call = functools.partial(train, unnamed, noisy, recipe=Recipe("adam", 0.03, batch_size=10), run_dir=tmp_path)
    call(epochs=1)
    with np.load(checkpoints(tmp_path)[-1]) as file:
        kept = json.loads(file["notes"].tobytes())["identity"]
    recipe = {"optimizer": "adam", "learning_rate": 0.03, "batch_size": 10}
    assert {name: kept[name] for name in kept if name in {field.name for field in dataclasses.fields(Recipe)}} == recipe


def test_a_run_that_a_callback_ended_goes_on_without_it(again, whole, tmp_path, capsys, all_bits):
    call = functools.partial(again, run_dir=tmp_path)
    stopping = keras.callbacks.EarlyStopping("val_loss", patience=1, min_delta=100)
    assert len(call(callbacks=[stopping]).history["loss"]) == 2
    capsys.readouterr()
    assert all_bits(call()) == all_bits(whole)
    assert "continues after epoch 2 of 4" in capsys.readouterr().out


def test_more_epochs_of_a_run_that_a_callback_ended(noisy, stateful, tmp_path, capsys):
    call = functools.partial(train, stateful, noisy, recipe=Recipe(batch_size=10), run_dir=tmp_path)
    call(epochs=4, callbacks=keras.callbacks.EarlyStopping("loss", patience=1, min_delta=100))
    run = call(epochs=9, callbacks=keras.callbacks.EarlyStopping("loss", patience=1, min_delta=100))
    assert len(run.history["loss"]) == 2
    assert "a callback ended the run" in (said := capsys.readouterr().out) and "continues" not in said
    assert "to train on to epoch 9, leave the callback out" in said


def test_a_datasets_pictures_cannot_be_compared_and_that_is_said(squares, tmp_path, capsys):
    """Its order may differ each time, so only its sizes tell it from another."""
    flat = tf.data.Dataset.from_tensor_slices((squares[0] / np.float32(255), squares[1]))
    call = functools.partial(train, unnamed, recipe=Recipe(), run_dir=tmp_path)
    call(flat.batch(20), epochs=1)
    call(flat.batch(20), epochs=2)
    assert "keeps a run of a tf.data.Dataset, whose pictures cannot be compared" in capsys.readouterr().out
    with pytest.raises(ValueError, match="data's batch size 20 there, 30 here"):
        call(flat.batch(30), epochs=2)


def test_a_disk_that_cannot_be_read_is_said(noisy, stateful, tmp_path, monkeypatch):
    call = functools.partial(train, stateful, noisy, recipe=Recipe(batch_size=10), run_dir=tmp_path)
    call(epochs=1)
    opened = pathlib.Path.open

    def broken(path, *arguments, **options):
        if "checkpoint-" in path.name:
            raise OSError(5, "Input/output error")
        return opened(path, *arguments, **options)

    monkeypatch.setattr(pathlib.Path, "open", broken)
    with pytest.raises(ValueError, match=r"cannot be read \(Input/output error\): copy the folder"):
        call(epochs=2)


def test_more_epochs_may_be_asked_for(stateful, noisy, tmp_path, all_bits):
    call = functools.partial(train, stateful, noisy, recipe=Recipe(batch_size=10))
    call(epochs=2, run_dir=tmp_path)
    assert all_bits(call(epochs=3, run_dir=tmp_path)) == all_bits(call(epochs=3))
    with pytest.raises(ValueError, match="has 3 epochs already: ask for as many or more, not 2"):
        call(epochs=2, run_dir=tmp_path)


class Remove(keras.callbacks.Callback):
    """Takes the folder away during epoch 1 and puts a file in its place."""

    def __init__(self, folder: pathlib.Path):
        super().__init__()
        self.folder = folder

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == 1:
            shutil.rmtree(self.folder)
            self.folder.touch()


def test_a_folder_that_fails_while_training_runs(again, whole, tmp_path, capsys, all_bits):
    run = again(run_dir=tmp_path / "run", callbacks=[Remove(tmp_path / "run")])
    assert all_bits(run) == all_bits(whole) and run.status == "finished"
    assert capsys.readouterr().out.count("can no longer be written") == 1


def test_a_checkpoint_holds_the_state_of_dropout(stateful, noisy, tmp_path):
    """What Keras' own weights files leave out."""
    train(stateful, noisy, recipe=RECIPE, epochs=1, run_dir=tmp_path)
    with np.load(checkpoints(tmp_path)[-1]) as file:
        states = [file[name] for name in file.files if file[name].dtype in (np.uint32, np.int64)]
    assert any(state.shape == (2,) and state[1] == 6 for state in states)  # drawn from in each of 6 steps
