"""A run kept on disk: what comes back, and what is said where nothing does."""

import json

import keras
import numpy as np
import pytest
from keras import layers

from course_lib.training import Recipe, Run, train


@pytest.fixture(scope="module")
def run(tiny, split, recipe) -> Run:
    return train(tiny, split, recipe=recipe, epochs=2, validation=split.take(20), seed=4)


def test_what_is_loaded_is_what_was_saved(run, tiny, split, tmp_path, fingerprint):
    run.save(tmp_path / "a" / "run")
    back = Run.load(tmp_path / "a" / "run", tiny)
    assert fingerprint(back.model) == fingerprint(run.model)
    images = split.prepared()
    assert np.array_equal(back.model.predict(images, verbose=0), run.model.predict(images, verbose=0))
    assert back.record() == run.record()
    assert back.recipe == run.recipe and isinstance(back.recipe, Recipe)
    assert sorted(file.name for file in (tmp_path / "a" / "run").iterdir()) == ["model.weights.h5", "run.json"]


def test_the_record_is_plain_json(run, tmp_path):
    run.save(tmp_path)
    record = json.loads((tmp_path / "run.json").read_text(encoding="utf-8"))
    assert [text.split()[0] for text in record.pop("layers")] == ["InputLayer", "Conv2D", "Flatten", "Dense", "outputs"]
    assert record == run.record()
    assert record["model"] == {"name": "tiny", "parameters": 119}
    assert (record["epochs"], record["seed"], record["status"]) == (2, 4, "finished")
    assert sorted(record["history"]) == ["accuracy", "loss", "val_accuracy", "val_loss"]
    assert all(len(values) == 2 for values in record["history"].values())
    assert record["recipe"]["learning_rate"] == 0.1
    assert record["data"] == {"examples": 53, "image_shape": [6, 6, 1], "batch_size": 10, "repeatable_order": True}
    assert record["versions"]["keras"] == keras.version() and record["versions"]["numpy"] == np.__version__
    assert record["hardware"]["cores"] >= 1 and record["hardware"]["engine"] == keras.backend.backend()


def test_saving_twice_replaces(run, tiny, split, recipe, tmp_path, fingerprint):
    run.save(tmp_path)
    other = train(tiny, split, recipe=recipe, epochs=1, seed=5)
    other.save(tmp_path)
    assert fingerprint(Run.load(tmp_path, tiny).model) == fingerprint(other.model)


@pytest.mark.parametrize(
    "text", [None, "", "{}", "null", "[]", '{"model": {"name": "x", "parameters": 1}, "recipe": {}}'],
    ids=["missing", "empty", "object", "null", "list", "incomplete"],
)  # fmt: skip
def test_a_folder_with_nothing_readable_in_it(text, tiny, tmp_path):
    if text is not None:
        (tmp_path / "run.json").write_text(text)
    with pytest.raises(FileNotFoundError, match="holds no run that can be read") as caught:
        Run.load(tmp_path, tiny)
    message = str(caught.value)
    assert str(tmp_path) in message and "run.json and model.weights.h5" in message and "run.save(path)" in message


def test_no_such_folder(tiny, tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere holds no run"):
        Run.load(tmp_path / "nowhere", tiny)


@pytest.mark.parametrize("content", [None, b"", b"not HDF5"])
def test_weights_that_cannot_be_read(content, run, tiny, tmp_path):
    run.save(tmp_path)
    weights = tmp_path / "model.weights.h5"
    weights.unlink() if content is None else weights.write_bytes(content)
    with pytest.raises(FileNotFoundError, match=r"model\.weights\.h5 cannot be read .* train the run again"):
        Run.load(tmp_path, tiny)


def test_another_builder_is_noticed(run, tmp_path):
    def larger():
        inputs = keras.Input((6, 6, 1))
        return keras.Model(inputs, layers.Dense(3)(layers.Flatten()(inputs)), name="larger")

    run.save(tmp_path)
    with pytest.raises(ValueError, match=r"is of tiny with 119 parameters, but build\(\) made larger with 111"):
        Run.load(tmp_path, larger)


def test_a_builder_with_as_many_parameters_in_other_places_is_noticed(run, tmp_path):
    def rearranged():
        inputs = keras.Input((6, 6, 1))  # 36·3 + 8 + 3 = 119 parameters
        x = layers.Dense(3, use_bias=False)(layers.Flatten()(inputs))
        x = layers.Dense(2)(x)
        return keras.Model(inputs, layers.Dense(1)(x))

    assert rearranged().count_params() == 119
    run.save(tmp_path)
    with pytest.raises(ValueError):
        Run.load(tmp_path, rearranged)


def test_a_place_that_cannot_be_written(run, tmp_path):
    (tmp_path / "file").touch()
    for place in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(ValueError, match=r"cannot be written \(.+\): choose another folder"):
            run.save(place)


def test_a_run_is_loaded_in_the_precision_it_was_trained_in(tiny, split, tmp_path):
    recipe = Recipe(learning_rate=0.1, batch_size=10, precision="mixed_bfloat16")
    trained = train(tiny, split, recipe=recipe, epochs=1, run_dir=tmp_path).model
    loaded = Run.load(tmp_path, tiny).model
    dtypes = [layer.compute_dtype for layer in loaded.layers]
    assert dtypes == [layer.compute_dtype for layer in trained.layers] and "bfloat16" in dtypes
    assert keras.config.dtype_policy().name == "float32"


def network(activation="relu", padding="valid", last="dense", divisor=2.0) -> keras.Model:
    inputs = keras.Input((6, 6, 1))
    x = layers.Conv2D(2, 3, padding=padding, activation=activation)(inputs)
    x = layers.GlobalAveragePooling2D()(x / divisor)
    return keras.Model(inputs, layers.Dense(3, name=last)(x))


@pytest.fixture(scope="module")
def folder(split, recipe, tmp_path_factory):
    return train(network, split, recipe=recipe, epochs=1).save(tmp_path_factory.mktemp("run"))


class TestAnotherNetworkIsNoticed:
    """Networks with weights of the same shapes that compute something else."""

    @pytest.mark.parametrize("change", [{"activation": "tanh"}, {"padding": "same"}, {"divisor": 3.0}])
    def test_by_its_settings(self, folder, change):
        with pytest.raises(ValueError, match=r"another network than that of the run .*: layer [23], a \w+, has other"):
            Run.load(folder, lambda: network(**change))

    def test_but_not_by_names(self, folder):
        assert Run.load(folder, lambda: network(last="other")).model.get_layer("other")

    def test_runs_of_before_load_still(self, folder, split):
        record = json.loads((folder / "run.json").read_text())
        del record["layers"]
        (folder / "run.json").write_text(json.dumps(record))
        assert Run.load(folder, network).epochs == 1


@pytest.mark.parametrize(
    ("build", "said"),
    [("lenet5", "must be a function"), (None, "must be a function"), (lambda: None, "must return a keras.Model")],
)
def test_what_is_no_builder(build, said, run, tmp_path):
    run.save(tmp_path)
    with pytest.raises(ValueError, match=said):
        Run.load(tmp_path, build)


@pytest.mark.parametrize("path", [None, 5, "", " "])
def test_what_is_no_path(path, run, tiny):
    for call in (lambda: run.save(path), lambda: Run.load(path, tiny)):
        with pytest.raises(ValueError, match="a run's folder must be a path such as 'runs/mine'"):
            call()


def test_a_run_in_the_home_folder(run, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    run.save("~/mine")
    assert (tmp_path / "mine" / "run.json").is_file()


def test_a_run_says_what_it_is(run):
    assert repr(run).startswith("<Run of tiny: finished, 2 of 2 epochs, accuracy ")


def test_a_full_disk_is_said_and_leaves_nothing_half(run, tmp_path, monkeypatch):
    def full(model, path):
        path.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(keras.Model, "save_weights", full)
    with pytest.raises(ValueError, match=r"cannot be written \(No space left on device\). The run is still in memory"):
        run.save(tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["run.keras", "run.h5", "run.weights.h5"])
def test_a_file_name_is_no_folder(run, name, tmp_path):
    with pytest.raises(ValueError, match=r"saved as a folder, and '.*' looks like a file: .*run\.model\.save"):
        run.save(tmp_path / name)


def test_what_is_not_ours_is_not_replaced(run, tiny, split, recipe, tmp_path):
    (tmp_path / "run.json").write_text('{"mine": 1}')
    with pytest.raises(ValueError, match=r"run\.json is not of a run, and saving would replace it"):
        run.save(tmp_path)
    with pytest.raises(ValueError, match=r"holds a run\.json that is not of a run, and training would replace it"):
        train(tiny, split, recipe=recipe, epochs=1, run_dir=tmp_path)
    assert (tmp_path / "run.json").read_text() == '{"mine": 1}'


def test_a_saved_run_and_a_kept_run_do_not_mix(run, tiny, split, recipe, tmp_path):
    run.save(tmp_path / "saved")
    with pytest.raises(ValueError, match=r"holds a run that run\.save\(path\) wrote, and training would replace it"):
        train(tiny, split, recipe=recipe, epochs=1, run_dir=tmp_path / "saved")
    kept = train(tiny, split, recipe=recipe, epochs=1, run_dir=tmp_path / "kept")
    with pytest.raises(ValueError, match=r"keeps a run that train\(run_dir=…\) wrote, and saving would mix"):
        kept.save(tmp_path / "kept")
