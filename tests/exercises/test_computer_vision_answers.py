"""The answers of lesson 01, each worked out from what the lesson works with."""

import numpy as np
import pytest

from course_lib import exercises, models
from course_lib.datasets import toy_scenes

vision = exercises.computer_vision


def test_numbers_and_shapes():
    scene = toy_scenes.Scene()
    assert vision.q1.right == toy_scenes.render(scene, 96).images[0].size
    assert {96 * 96, 96 * 3, 96 + 96} <= set(vision.q1.wrong)
    frames = np.zeros((2 * 30, 120, 160, 3))
    assert vision.q2.right == frames.shape
    assert {frames.swapaxes(1, 2).shape, frames[0].shape, frames[:30].shape} <= set(vision.q2.wrong)
    clip = toy_scenes.render(toy_scenes.clip(scene, 24, turn=(0, 90)), 64).images
    assert vision.e1.right == clip[::2].mean(axis=-1, keepdims=True).shape
    assert {clip[::2].mean(axis=-1).shape, clip[::2].shape, clip[..., :1].shape} <= set(vision.e1.wrong)


def test_distance():
    one, other = np.array([0, 100]), np.array([30, 90])
    assert vision.q4.right == np.abs(one - other).mean()
    foreseen = [np.abs(one - other).sum(), (other - one).mean(), np.abs(one - other).max()]
    assert {float(value) for value in foreseen} <= {float(value) for value in vision.q4.wrong}
    assert np.sqrt(((one - other) ** 2).mean()) in vision.q4.wrong


@pytest.mark.parametrize("side", [32, 64])
def test_parameters(side):
    conv = models.build("cnn_small", image_shape=(side, side, 3), num_classes=10).get_layer("conv1")
    assert vision.e3.right == conv.count_params()  # whatever the side
    inputs, outputs = int(np.prod(conv.input.shape[1:])), int(np.prod(conv.output.shape[1:]))
    question = {32: vision.q6, 64: vision.e3}[side]
    assert inputs * outputs in [question.right, *question.wrong]
    assert int(np.prod(conv.kernel.shape)) in question.wrong
    if side == 32:
        assert question.right == inputs * outputs
        assert {conv.count_params(), inputs + outputs, inputs * outputs + outputs} <= set(question.wrong)


def right_box(mask):
    columns, rows = np.flatnonzero(mask.any(axis=0)), np.flatnonzero(mask.any(axis=1))
    return columns[0], rows[0], columns[-1] + 1, rows[-1] + 1


def box_of_the_lesson(mask):
    rows, columns = np.nonzero(mask)
    return rows.min(), columns.min(), rows.max(), columns.max()


class TestMaskBox:
    @pytest.mark.parametrize("form", [tuple, list, np.array])
    def test_right(self, form):
        assert vision.e2.reply(lambda mask: form(right_box(mask))).startswith("→ Right")

    def test_the_renderer_agrees(self):
        rendered = toy_scenes.render(toy_scenes.sample(5, 0), 32)
        for mask, box in zip(rendered.masks, rendered.boxes, strict=True):
            assert tuple(right_box(mask)) == tuple(box)

    @pytest.mark.parametrize(
        ("function", "reply"),
        [
            (box_of_the_lesson, "Rows and columns are exchanged, and the ends are one too small"),
            (lambda mask: np.array(right_box(mask))[[1, 0, 3, 2]], "Rows and columns are exchanged: left and right"),
            (lambda mask: np.array(right_box(mask)) - [0, 0, 1, 1], "The ends must be one past the last"),
            (lambda mask: np.array(right_box(mask)) - [0, 0, 12, 5], "These are left, top, width and height"),
            (lambda mask: (12, 5, 25, 9), "It is right for one mask only: another gave (12, 5, 25, 9)"),
            (lambda mask: None, "it gave (None,)"),
            (lambda mask: mask.missing, "Your function stopped with AttributeError"),
            ((12, 5, 25, 9), "e2 expects a function of mask"),
        ],
    )
    def test_wrong(self, function, reply):
        said = vision.e2.reply(function)
        assert said.startswith("→ Not yet. ") and reply in said
