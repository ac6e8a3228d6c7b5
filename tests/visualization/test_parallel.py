"""Figures of shared work: who holds what, a ring's turns, and the model of how much faster several devices are."""

import keras
import numpy as np
import pytest

from course_lib import visualization as vis

LAYERS = ["conv1", "conv2", "conv3", "fc6"]


def widths(ax) -> list[float]:
    return [bar.get_width() for bar in ax.patches if bar.get_height() == 0.62]


class TestPlotParallelism:
    def test_a_split_batch_holds_every_layer_whole_and_talks_once(self):
        ax = vis.plot_parallelism("batch", LAYERS, batch=64)
        said = " ".join(text.get_text() for text in ax.texts)
        assert "32 of 64 images" in said and "all-reduce" in said
        assert [text.get_text() for text in ax.texts].count("conv3") == 2
        arrows = [text for text in ax.texts if getattr(text, "arrow_patch", None)]
        assert len(arrows) == 1

    def test_a_split_network_holds_half_of_every_layer_and_talks_where_layers_see_both(self):
        ax = vis.plot_parallelism("network", LAYERS, ("conv3", "fc6"), batch=64)
        assert np.allclose(widths(ax), np.array(widths(vis.plot_parallelism("batch", LAYERS))) / 2)
        said = " ".join(text.get_text() for text in ax.texts)
        assert "all 64 images" in said and "activations cross" in said
        arrows = [text for text in ax.texts if getattr(text, "arrow_patch", None)]
        assert [arrow.xy[1] for arrow in arrows] == [1.5, 2.5]  # before the layers of rows 2 and 3

    @pytest.mark.parametrize(
        ("given", "reason"),
        [(("images", LAYERS), "split"), (("batch", []), "layers"), (("network", LAYERS, ("fc9",)), "crossing")],
    )
    def test_what_cannot_be_drawn(self, given, reason):
        with pytest.raises(ValueError, match=reason):
            vis.plot_parallelism(*given)


class TestPlotParts:
    def test_means_on_devices_and_over_both(self):
        ax = vis.plot_parts([2.0, 4.0, 6.0, -4.0], (3, 1), "gradient of one weight")
        heights = [bar.get_height() for bar in ax.patches]
        assert heights == [2, 4, 6, -4, 0, 2]  # the images; (4 - 4) / 2; 8 / 4
        lines = [(path.vertices[0, 1], path.vertices[:, 0]) for each in ax.collections for path in each.get_paths()]
        assert [height for height, _ in lines] == [4, -4]
        assert np.allclose([ends for _, ends in lines], [(-0.4, 2.4), (2.6, 3.4)])
        assert [text.get_text() for text in ax.get_xticklabels()][-2:] == ["mean of\nthe means", "mean of\nall images"]
        assert ax.get_ylabel() == "gradient of one weight"
        named = [text.get_text() for text in ax.get_legend().get_texts()]
        assert sorted(named) == ["mean of all images", "mean, device 0", "mean, device 1"]

    @pytest.mark.parametrize(
        ("values", "sizes"),
        [([1, 2, 3], (2, 2)), ([1, 2], (2, 0)), ([1, 2], ()), ([[1], [2]], (1, 1)), ([1, np.nan], (1, 1))],
    )
    def test_what_cannot_be_drawn(self, values, sizes):
        with pytest.raises(ValueError, match="values must be"):
            vis.plot_parts(values, sizes, "gradient")


class TestWeightDistance:
    def network(self, *weights, units=1):
        model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(units)])
        if weights:
            model.set_weights([np.array(weights[:2]).reshape(2, 1), np.array(weights[2:])])
        return model

    def test_it_is_relative_to_the_second_one(self):
        one, other = self.network(3, 0, 4), self.network(0, 0, 5)
        assert vis.weight_distance(one, other) == pytest.approx(np.sqrt(9 + 1) / 5)
        assert vis.weight_distance(one, one) == 0

    def test_moving_averages_do_not_count(self):
        one, other = (keras.Sequential([keras.Input((2,)), keras.layers.BatchNormalization()]) for _ in range(2))
        one(np.ones((3, 2), "float32"), training=True)
        assert not np.array_equal(one.get_weights()[2], other.get_weights()[2])
        assert vis.weight_distance(one, other) == 0

    def test_other_networks(self):
        with pytest.raises(ValueError, match="must be copies of each other"):
            vis.weight_distance(self.network(), self.network(units=2))


class TestRing:
    @pytest.mark.parametrize(("devices", "numbers"), [(1, 3), (2, 2), (4, 4), (4, 10), (7, 23)])
    def test_every_device_ends_with_the_sum(self, devices, numbers):
        vectors = np.random.default_rng(0).normal(size=(devices, numbers))
        turns, sent = vis.ring_turns(vectors)
        assert len(turns) == 2 * devices - 1
        np.testing.assert_array_equal(turns[0], vectors)
        np.testing.assert_allclose(turns[-1], np.tile(vectors.sum(axis=0), (devices, 1)), rtol=1e-12)
        assert sent == pytest.approx(2 * (devices - 1) / devices * numbers, abs=2)

    def test_half_way_each_device_holds_one_complete_sum(self):
        turns, sent = vis.ring_turns(np.ones((4, 4)))
        assert [int((held == 4).sum()) for held in turns] == [0, 0, 0, 4, 8, 12, 16]
        assert sent == 6

    @pytest.mark.parametrize("vectors", [np.ones(3), np.ones((4, 3)), np.full((2, 2), np.nan)])
    def test_what_cannot_be_reduced(self, vectors):
        with pytest.raises(ValueError, match="vectors"):
            vis.ring_turns(vectors)


class TestPlotRing:
    def test_each_turn_is_written_in_numbers(self):
        turns = [np.array([[1, 1], [1, 1]]), np.array([[1, 2], [2, 1]])]
        axes = vis.plot_ring(turns)
        assert [ax.get_title() for ax in axes] == ["start", "turn 1"]
        assert [text.get_text() for text in axes[1].texts] == ["1", "2", "2", "1"]
        assert len({ax.images[0].get_clim() for ax in axes}) == 1  # one scale

    @pytest.mark.parametrize("turns", [[], [np.ones(3)], [np.full((2, 2), np.nan)]])
    def test_what_are_no_turns(self, turns):
        with pytest.raises(ValueError, match="turns"):
            vis.plot_ring(turns)


class TestSpeedup:
    def test_it_is_the_time_of_a_ring_played_turn_by_turn(self):
        compute, amount, bandwidth, latency = 0.3, 1e8, 5e9, 1e-4
        for n in (1, 2, 5):
            seconds = compute / n
            for _ in range(2 * (n - 1)):
                seconds += latency + amount / n / bandwidth
            found = vis.speedup(compute, amount, n, bandwidth, latency)
            assert found == pytest.approx(compute / seconds, rel=1e-12)

    def test_no_more_than_n_times_and_less_where_the_connection_is_slow(self):
        n = np.arange(1, 9)
        fast, slow = (vis.speedup(0.1, 1e8, n, bandwidth) for bandwidth in (1e12, 1e8))
        assert (fast <= n).all() and fast[-1] > 7 and slow[0] == 1 and slow[-1] < 1

    @pytest.mark.parametrize("given", [(0, 1, 2, 1), (1, 0, 2, 1), (1, 1, 0, 1), (1, 1, 2, -1), (1, 1, [], 1)])
    def test_impossible_numbers(self, given):
        with pytest.raises(ValueError, match="must"):
            vis.speedup(*given)

    def test_the_figure_draws_the_model_and_what_was_measured(self):
        ax = vis.plot_speedup({"net": (0.1, 1e8)}, 6.0, 4, measured={"a paper": (4, 3.75)})
        lines = {line.get_label(): line for line in ax.lines}
        np.testing.assert_allclose(lines["net"].get_ydata(), vis.speedup(0.1, 1e8, np.arange(1, 5), 6e9))
        assert lines["a paper"].get_xydata().tolist() == [[4, 3.75]]
        with pytest.raises(ValueError, match="networks must be"):
            vis.plot_speedup({})
