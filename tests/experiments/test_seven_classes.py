"""The network that lesson 09 goes on from: its kept weights are those of the recorded run, and know their classes."""

import lesson_rules
import numpy as np

from course_lib import common, experiments, models, training
from course_lib.datasets import toy_scenes
from course_lib.experiments import own_classifier

SETTING = experiments.EXPERIMENTS["seven_classes"].settings["cnn_small"]
FIRST = next(run for run in experiments.recorded("seven_classes")["runs"] if run["seed"] == 0)


def kept():
    return training.Run.load(own_classifier.KEPT, SETTING.build())


def test_the_kept_weights_are_those_of_the_recorded_run():
    run = kept()
    assert run.recipe == SETTING.recipe and run.seed == 0 and run.status == "finished"
    for name, values in FIRST["history"].items():
        np.testing.assert_allclose(run.history[name], values, rtol=1e-4)


def test_the_kept_weights_err_as_recorded():
    """On the first 300 test scenes, rendered again and numbered here: those of its seven classes."""
    rendered = toy_scenes.render(toy_scenes.scenes_of("test", quick=True), 32)
    names = [name for name in toy_scenes.CLASS_NAMES if name not in ("car", "mug", "sailboat")]
    told = [toy_scenes.CLASS_NAMES[label] for label in rendered.labels]
    rows = [row for row, name in enumerate(told) if name in names]
    said = kept().model.predict(4 * (rendered.images[rows] / np.float32(255)) - 2, verbose=0).argmax(axis=1)
    errors = sum(names[answer] != told[row] for answer, row in zip(said, rows, strict=True))
    recorded = FIRST["final"]["also"]["first 300 scenes"]
    assert len(rows) == recorded["examples"] and abs(errors - recorded["errors"]) <= 1  # rounding of another processor


def test_the_kept_files_are_small_and_name_no_machine():
    files = {path.name: path for path in own_classifier.KEPT.iterdir()}
    assert set(files) == {"model.weights.h5", "run.json"}
    assert sum(path.stat().st_size for path in files.values()) < 1_500_000
    for content in (path.read_bytes() for path in files.values()):
        assert not lesson_rules.MACHINE_PATH.search(content.decode("ascii", errors="replace"))


def test_seven_and_three_are_all_classes_and_the_three_are_not_trained_on():
    assert sorted(own_classifier.SEVEN + own_classifier.OWN) == sorted(toy_scenes.CLASS_NAMES)
    assert models.build("cnn_small", **SETTING.options).output_shape == (None, 7)


def test_published_figures_of_others_name_their_source():
    rows = common.published("own_classifier")
    assert len({row["id"] for row in rows}) == len(rows)
    for row in rows:
        assert 0 < float(row["number"]) < float(row["up_to"] or 100)
        assert row["what"] and row["source"].endswith(("abstract", "Table 3, after Chen et al. 2020"))
