"""Paths through a stack of convolutions, one filter through three maps, padding."""

import numpy as np
import pytest

from course_lib import visualization as vis


def test_squares_of_a_row_have_one_scale_and_leave_other_places_blank():
    paths = {"unit": np.ones((1, 1), int), "pixels": np.full((3, 3), 9)}
    axes = vis.plot_paths(paths, {"equal": np.full((3, 3), 11.1), "middle": np.eye(3)})
    assert axes.shape == (2, 2)
    assert [text.get_text() for text in axes[0, 0].texts] == ["1"]
    assert [np.diff(ax.get_xlim())[0] for ax in axes.flat] == [3] * 4
    for row in axes:
        assert row[0].images[0].get_clim() == row[1].images[0].get_clim()
    labels = {ax.get_ylabel() for ax in axes[0, 0].get_figure().axes if ax not in axes.ravel()}
    assert labels == {"paths", "share of the influence in %"}
    with pytest.raises(ValueError, match="as many squares"):
        vis.plot_paths(paths, {})


def test_a_filter_has_numbers_for_each_color_and_makes_one_map():
    generator = np.random.default_rng(0)
    image, kernel = generator.random((8, 9, 3)), generator.normal(size=(3, 3, 3))
    axes = vis.plot_filter(image, kernel, 2, 4)
    assert len(axes) == 7 and axes[3].get_title() == "feature map"
    drawn = np.asarray(axes[3].images[0].get_array())
    assert drawn.shape == (6, 7)
    assert drawn[2, 4] == pytest.approx(np.sum(image[2:5, 4:7] * kernel))
    assert axes[3].images[0].colorbar is not None
    across, down = axes[0].lines[0].get_data()
    assert (min(across), max(across), min(down), max(down)) == (3.5, 6.5, 1.5, 4.5)
    assert [len(ax.texts) for ax in axes[4:]] == [9, 9, 9]


@pytest.mark.parametrize(
    ("image", "kernel", "row"),
    [(np.zeros((8, 8)), np.zeros((3, 3)), 0), (np.zeros((8, 8, 3)), np.zeros((3, 3, 3)), 6)],
)
def test_what_no_filter_fits(image, kernel, row):
    with pytest.raises(ValueError, match=r"must be|there is none"):
        vis.plot_filter(image, kernel, row, 0)


def test_padding_around_a_small_map():
    ax = vis.plot_padding(2)
    inside = np.reshape([int(text.get_text()) for text in ax.texts], (4, 4))
    assert inside.sum() == 4 and inside[:3, :3].sum() == 4  # four of nine places
    assert "2×2" in ax.get_title()
