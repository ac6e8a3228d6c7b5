import base64
import html.parser
import json
import math

import numpy as np
import pytest

from course_lib import visualization

COSTS = {"flat": lambda w: 0.05 * w**2, "steep": lambda w: w**2}
PATHS = {name: 2 * (1 - 0.4 * factor) ** np.arange(12) for name, factor in (("flat", 0.05), ("steep", 1.0))}


def test_draw_descent():
    ax = visualization.plot_descent(COSTS, PATHS, 3)
    np.testing.assert_allclose(ax.lines[4].get_data(), (PATHS["steep"][:4], PATHS["steep"][:4] ** 2))
    assert ax.lines[5].get_xdata() == PATHS["steep"][3] and ax.get_title() == "step 3"


def test_the_animation_is_small_and_needs_no_connection():
    caption = 'The steep "curve" is left sooner.'
    page = visualization.animate_descent(COSTS, PATHS, caption)
    assert len(page) < 250_000 and "http" not in page
    tags = {}

    class Reader(html.parser.HTMLParser):
        def handle_starttag(self, tag, attributes):
            tags[tag] = dict(attributes)

    Reader().feed(page)
    frames = json.loads(tags["figure"]["data-pictures"])
    sizes = {base64.b64decode(frame.split(",")[1])[16:24] for frame in frames}  # PNG: width, height
    assert len(set(frames)) == 12 and len(sizes) == 1
    assert (tags["img"]["src"], tags["img"]["alt"]) == (frames[0], f"{caption} step: 0")
    assert tags["input"]["max"] == "11" and "setInterval" in tags["button"]["onclick"]
    with pytest.raises(ValueError, match="caption must be a sentence"):
        visualization.animate_descent(COSTS, PATHS, "")


@pytest.mark.parametrize(
    ("cost", "expected"),
    [(lambda w: float(w) ** 2, [1, 4]), (math.sin, np.sin([1, 2])), (lambda w: 3, [3, 3]), (lambda w: abs(w), [1, 2])],
)
def test_a_cost_of_one_weight(cost, expected):
    ax = visualization.plot_descent({"a": cost}, {"a": [1.0, 2.0]}, 1)
    np.testing.assert_allclose(ax.lines[1].get_ydata(), expected)
    assert len(ax.lines[0].get_ydata()) == 200 and ax.lines[2].get_ydata() == expected[-1]


@pytest.mark.parametrize(
    ("costs", "paths", "step", "message"),
    [
        (COSTS, PATHS, 12, "step must be 0 to 11"),
        (COSTS, PATHS, -1, "step must be a whole number"),
        (COSTS, {"flat": [1.0]}, 0, "dicts of the same names"),
        (np.square, [1.0], 0, "dicts of the same names"),
        ({"a": np.square}, {"a": [1.0, np.nan]}, 0, "path 'a' must be finite"),
        ({"a": 3}, {"a": [1.0]}, 0, "needs a function of an array"),
        ({"a": lambda w: "much"}, {"a": [1.0]}, 0, "the cost 'a' must be a function of an array of weights"),
        ({"a": lambda w: w[0]}, {"a": [1.0]}, 0, "the cost 'a' must be a function of an array of weights"),
        ({"a": lambda: 3}, {"a": [1.0]}, 0, "the cost 'a' must be .* it says: .* argument"),
    ],
)
def test_bad_input(costs, paths, step, message):
    with pytest.raises(ValueError, match=message):
        visualization.plot_descent(costs, paths, step)


def test_paths_of_other_lengths_and_more_than_there_are_colors():
    costs = {str(number): np.square for number in range(8)}
    paths = {str(number): [1.0] * (1 + number) for number in range(8)}
    assert len(visualization.plot_descent(costs, paths, 3).lines) == 24
    page = visualization.animate_descent(costs, paths, "Eight paths, one step longer each.")
    assert 'max="7"' in page
