import numpy as np
import pandas as pd
import pytest
from matplotlib.text import Text

from course_lib import common, models, visualization
from course_lib.models import summary


@pytest.fixture(scope="module")
def rows():
    return summary.layer_table(models.build("resnet_small", image_shape=(32, 32, 3), num_classes=10))


def widths(ax):
    return np.array([bar.get_width() for bar in ax.patches])


def test_capacity_mirrors_the_shares(rows):
    ax = visualization.plot_capacity(rows)
    counted = [row for row in rows if row["multiply_adds"]]
    assert [label.get_text() for label in ax.get_yticklabels()] == [row["layer"] for row in counted]
    left, right = np.split(widths(ax), 2)
    total = sum(row["parameters"] for row in rows)
    np.testing.assert_allclose(left, [-row["parameters"] / total for row in counted])
    assert right.sum() == pytest.approx(1) and -1 < left.sum() < -0.95  # the rest are normalization's
    assert ax.get_title("left") == f"{total:,} parameters" and ax.get_title("right").endswith(" multiply-adds")


def test_memory_adds_up_to_that_of_the_summary():
    expected = summary.compare(["resnet20"], batch_size=8)[0]
    table = summary.layer_table(models.build("resnet20"))
    ax = visualization.plot_memory(table, batch_size=8)
    weights, gradients, momentum, activations = (2**30 * part.sum() for part in np.split(widths(ax), 4))
    assert weights == expected["weight_bytes"] and gradients == momentum == expected["gradient_bytes"]
    assert activations == expected["activation_bytes"]
    ends = [bar.get_x() + bar.get_width() for bar in ax.patches]  # each part begins where the one before ends
    np.testing.assert_allclose([bar.get_x() for bar in ax.patches][len(ends) // 4 :], ends[: -len(ends) // 4])


def test_cost_names_every_bubble_and_no_name_covers_another():
    names = ("a", "long_name", "b", "c", "none")
    rows = [
        {"network": name, "multiply_adds": 10**9 + 10**7 * n, "top5_error": 5 + 0.02 * n, "trainable_parameters": p}
        for n, (name, p) in enumerate(zip(names, [10**6, 4 * 10**6, 10**6, 10**6, 10**6], strict=True))
    ]
    rows[4]["top5_error"] = None
    ax = visualization.plot_cost(rows)
    (bubbles,) = ax.collections
    np.testing.assert_allclose(bubbles.get_offsets()[:, 0], [1, 1.01, 1.02, 1.03])
    sizes = bubbles.get_sizes()
    assert sizes[1] == pytest.approx(4 * sizes[0])
    assert [text.get_text() for text in ax.texts] == ["a, 1 M", "long_name, 4 M", "b, 1 M", "c, 1 M"]
    ax.get_figure().canvas.draw()
    boxes = [Text.get_window_extent(text) for text in ax.texts]
    assert not any(box.overlaps(other) for n, box in enumerate(boxes) for other in boxes[:n])
    assert all(ax.bbox.y0 < box.y0 and box.y1 < ax.bbox.y1 for box in boxes)


def test_winners_by_year_with_one_network_lit():
    table = common.published("imagenet_winners")
    ax = visualization.plot_winners(table, "vgg19")
    drawn = [row for row in table if row["extra_data"] == "no" and row["kind"] != "human"]
    assert sorted(widths(ax)) == sorted(float(row["top5_error"]) for row in drawn)
    labels = [label.get_text() for label in ax.get_yticklabels()]
    assert (
        labels == sorted(labels, key=lambda label: label[:4]) and labels[2] == "2012 SuperVision, ensemble with AlexNet"
    )
    assert [bar.get_fill() for bar in ax.patches] == ["ensemble" in label for label in labels]
    lit = {text.get_text() for text in ax.texts if text.get_weight() == "bold"}
    assert lit == {"7.3 %"}
    (human,) = ax.lines
    assert human.get_xdata()[0] == 5.1
    said = [text.get_text() for text in ax.get_legend().get_texts()]
    assert said[1:] == ["ensemble of networks", "other, or not stated", "with VGG-19"]
    single = dict(table[2], entered_as="single", top5_error="18.2")
    assert "2012 AlexNet single" in [
        t.get_text() for t in visualization.plot_winners([*table, single]).get_yticklabels()
    ]


def test_bad_input(rows):
    with pytest.raises(ValueError, match=r"unknown network of the challenge 'vgg16'\. Did you mean 'vgg19'"):
        visualization.plot_winners(common.published("imagenet_winners"), "vgg16")
    for draw in (
        visualization.plot_capacity,
        visualization.plot_memory,
        visualization.plot_cost,
        visualization.plot_winners,
    ):
        with pytest.raises(ValueError, match="this needs rows with"):
            draw([{"layer": "a"}])
    with pytest.raises(ValueError, match="this needs rows with the column 'top5'"):
        visualization.plot_cost([{"network": "a", "top5_error": 5.0}], "top5")
    with pytest.raises(ValueError, match="batch_size"):
        visualization.plot_memory(rows, 0)


def test_a_data_frame_of_the_rows_will_do(rows):
    for draw in (visualization.plot_capacity, visualization.plot_memory):
        np.testing.assert_array_equal(widths(draw(pd.DataFrame(rows))), widths(draw(rows)))
    compared = summary.compare(["lenet5", "alexnet", "vgg16"])  # LeNet-5 has no such error: NaN in a DataFrame
    assert (
        len(visualization.plot_cost(pd.DataFrame(compared)).texts) == len(visualization.plot_cost(compared).texts) == 2
    )


@pytest.mark.parametrize("what", ["lenet5", None, [], {"layer": "a"}, models.build("lenet5")])
def test_what_are_no_rows(what):
    for draw in (
        visualization.plot_capacity,
        visualization.plot_memory,
        visualization.plot_cost,
        visualization.plot_winners,
    ):
        with pytest.raises(ValueError, match=r"rows must be a list of dicts, .*layer_table\(model\)"):
            draw(what)


def test_rows_without_numbers():
    rows = [{"network": "a", "multiply_adds": "many", "trainable_parameters": 1, "top5_error": 3.0}]
    with pytest.raises(ValueError, match="'multiply_adds' must be a number"):
        visualization.plot_cost(rows)
    with pytest.raises(ValueError, match="no row has a 'top5_error'"):
        visualization.plot_cost([dict(rows[0], top5_error=None)])


def test_memory_of_several_batches_on_one_axis():
    table = summary.layer_table(models.build("resnet20"))
    small, large = (visualization.plot_memory(table, images, most_images=64) for images in (8, 64))
    assert small.get_xlim() == large.get_xlim()
    bars = {(bar.get_y(), bar.get_x() + bar.get_width()) for bar in large.patches}
    assert 0.9 < max(end for _, end in bars) / large.get_xlim()[1] < 1
    with pytest.raises(ValueError, match="most_images"):
        visualization.plot_memory(table, 8, most_images=0)
