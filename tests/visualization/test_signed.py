"""Signed arrays side by side, and the table of connections."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from course_lib import models
from course_lib import visualization as vis


@pytest.fixture(autouse=True)
def close():
    yield
    plt.close("all")


class TestSigned:
    def test_zero_is_in_the_middle_of_each_scale(self):
        arrays = {"pixels": np.array([[0.0, 2.0], [-1.0, 0.5]]), "all zero": np.zeros((2, 3))}
        axes = vis.plot_signed(arrays)
        assert [ax.get_title() for ax in axes] == list(arrays)
        for ax, values, limit in zip(axes, arrays.values(), (2.0, 1.0), strict=True):
            np.testing.assert_array_equal(ax.images[0].get_array(), values)
            assert ax.images[0].get_clim() == (-limit, limit)
        assert len(axes[0].get_figure().axes) == 4  # a color key for each

    def test_it_draws_on_given_axes(self):
        given = vis.new_axes(6, 3, columns=2)
        assert vis.plot_signed({"a": np.eye(2), "b": np.eye(3)}, ax=given) is given

    @pytest.mark.parametrize(
        ("arrays", "reason"),
        [
            ({}, "arrays must be a dict title → array"),
            (np.eye(2), "arrays must be a dict title → array"),
            ({"a": np.ones(3)}, r"'a' must be \(height, width\), not \(3,\)"),
            ({"a": np.array([[np.nan]])}, "a"),
        ],
    )
    def test_wrong_arrays(self, arrays, reason):
        with pytest.raises(ValueError, match=reason):
            vis.plot_signed(arrays)

    def test_as_many_axes_as_arrays(self):
        with pytest.raises(ValueError, match="2 arrays need as many Axes, not 1"):
            vis.plot_signed({"a": np.eye(2), "b": np.eye(2)}, ax=vis.new_axes())


class TestConnections:
    def test_table_i(self):
        table = models.lenet5_1998.TABLE_I
        ax = vis.plot_connections(table)
        (crosses,) = ax.lines
        drawn = set(zip(crosses.get_xdata(), crosses.get_ydata(), strict=True))
        assert len(drawn) == 60 and (0, 2) in drawn and (0, 3) not in drawn and (15, 5) in drawn
        assert len(ax.get_xticks()) == 16 and len(ax.get_yticks()) == 6
        assert ax.get_ylim() == (5.5, -0.5)  # map 0 at the top, as in the paper

    @pytest.mark.parametrize("table", [[], [[]], [[0.5]], [[-1]]])
    def test_wrong_tables(self, table):
        with pytest.raises(ValueError, match="table must list, for each map"):
            vis.plot_connections(table)
