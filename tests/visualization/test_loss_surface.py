import keras
import numpy as np
import pytest
from scipy import special

from course_lib import visualization
from course_lib.visualization.loss_surface import ErrorSurface, filter_normalized

RANDOM = np.random.default_rng(5)
IMAGES, LABELS = RANDOM.normal(size=(20, 12, 12, 1)), RANDOM.integers(0, 10, 20)


def test_the_center_is_the_loss_and_the_weights_stay(lenet):
    before = [weight.copy() for weight in lenet.get_weights()]
    surface = visualization.error_surface(lenet, IMAGES, LABELS, points=3, span=0.5)
    squared = visualization.error_surface(lenet, IMAGES, LABELS, points=3, span=0.5, loss="mean_squared_error")
    lenet.compile(loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    assert surface.center == pytest.approx(lenet.evaluate(IMAGES, LABELS, verbose=0), rel=1e-5)
    probabilities = special.softmax(np.asarray(lenet(IMAGES), dtype=float), axis=1)
    assert squared.center == pytest.approx(((probabilities - np.eye(10)[LABELS]) ** 2).mean(), rel=1e-4)
    assert all((a == b).all() for a, b in zip(before, lenet.get_weights(), strict=True))
    np.testing.assert_allclose(surface.alphas, [-0.5, 0, 0.5])
    assert surface.losses.shape == (3, 3) and len(np.unique(surface.losses)) == 9


def test_a_linear_model_against_its_closed_form():
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, use_bias=True)])
    model.set_weights([np.array([[2.0], [-1.0]]), np.array([0.5])])
    x, y = RANDOM.normal(size=(7, 2)), RANDOM.integers(0, 3, 7)
    first = [np.array([[1.0], [0.0]], "float32"), np.array([0.0], "float32")]
    second = [np.array([[0.0], [3.0]], "float32"), np.array([1.0], "float32")]
    traced = []

    def squared(labels, logits):
        traced.append(1)
        return (logits[:, 0] - labels) ** 2

    surface = visualization.error_surface(model, x, y, loss=squared, directions=(first, second), points=5, span=2.0)
    for i, alpha in enumerate(surface.alphas):
        for j, beta in enumerate(surface.betas):
            predicted = (2 + alpha) * x[:, 0] + (-1 + 3 * beta) * x[:, 1] + 0.5 + beta
            assert surface.losses[i, j] == pytest.approx(((predicted - y) ** 2).mean(), rel=1e-4)
    if keras.backend.backend() == "tensorflow":
        assert len(traced) == 1  # one compiled function for all 25 points


def test_random_directions_have_each_filters_length():
    weights = [RANDOM.normal(size=(3, 3, 2, 4)).astype("float32"), RANDOM.normal(size=4).astype("float32")]
    weights[0][..., 1] = 0
    kernel, bias = filter_normalized(weights, np.random.default_rng(0))
    for number in range(4):
        length = np.linalg.norm(weights[0][..., number])
        assert np.linalg.norm(kernel[..., number]) == pytest.approx(length, rel=1e-5)
    assert not bias.any()
    again = filter_normalized(weights, np.random.default_rng(0))
    np.testing.assert_array_equal(again[0], kernel)


def test_seeds_give_different_slices_of_one_center(lenet):
    one, same, other = (visualization.error_surface(lenet, IMAGES, LABELS, points=3, seed=seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(one.losses, same.losses)
    assert one.center == other.center and not np.allclose(one.losses, other.losses)


def test_an_error_in_the_loss_leaves_the_weights(lenet):
    before = [weight.copy() for weight in lenet.get_weights()]

    def broken(labels, logits):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        visualization.error_surface(lenet, IMAGES, LABELS, loss=broken)
    assert all((a == b).all() for a, b in zip(before, lenet.get_weights(), strict=True))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"points": 4}, "points must be odd"),
        ({"points": 1}, "points must be a whole number of at least 3"),
        ({"loss": "mean_squared"}, "unknown loss 'mean_squared'. Did you mean 'mean_squared_error'"),
        ({"labels": LABELS[:3]}, "labels must be 20 whole numbers from 0 to 9, one per image"),
        ({"images": IMAGES[:, :5]}, r"takes images of shape \(n, 12, 12, 1\)"),
        ({"directions": ([np.zeros(3)], [np.zeros(3)])}, "shaped like model.trainable_variables"),
        ({"directions": [[np.zeros(3)]]}, "must be two directions"),
        ({"directions": (None, None)}, "shaped like model.trainable_variables"),
        ({"labels": LABELS + 5, "loss": "mean_squared_error"}, "from 0 to 9"),
        ({"span": 0}, "span must be a number"),
        ({"seed": -1}, "seed must be a whole number"),
        ({"loss": keras.losses.SparseCategoricalCrossentropy()}, "from_logits=True"),
        ({"loss": keras.losses.sparse_categorical_crossentropy}, "from_logits=True"),
        ({"loss": keras.losses.SparseCategoricalCrossentropy}, "not the class"),
        ({"loss": lambda labels, logits: labels - logits[:, :1]}, r"not the shape \(20, 20\)"),
    ],
)
def test_bad_input(lenet, changes, message):
    arguments = {"images": IMAGES, "labels": LABELS, "points": 3, **changes}
    with pytest.raises(ValueError, match=message):
        visualization.error_surface(lenet, **arguments)


SURFACE = ErrorSurface(
    np.linspace(-1, 1, 5), np.linspace(-1, 1, 5), np.add.outer(np.linspace(-1, 1, 5) ** 2, np.zeros(5)) + 0.01
)  # a trough along the second direction


def test_the_map_puts_the_first_direction_on_the_horizontal_axis():
    ax = visualization.plot_error_surface(SURFACE)
    lines = ax.collections[1]  # the contour lines of the trough are vertical
    segments = [path.vertices for path in lines.get_paths() if len(path.vertices)]
    assert segments and all(np.ptp(segment[:, 1]) == pytest.approx(2) for segment in segments)
    assert ax.lines[0].get_xydata().tolist() == [[0, 0]]
    bar = next(axes for axes in ax.get_figure().axes if axes is not ax)
    assert bar.get_ylabel() == "loss; logarithmic colors" and bar.get_yscale() == "log"  # 1.01 is a hundred times 0.01
    flat = ErrorSurface(SURFACE.alphas, SURFACE.betas, SURFACE.losses + 1)
    bar = visualization.plot_error_surface(flat).get_figure().axes[1]
    assert bar.get_ylabel() == "loss" and bar.get_yscale() != "log"


def test_maps_with_common_limits_have_one_color_scale():
    other = ErrorSurface(SURFACE.alphas, SURFACE.betas, 100 * SURFACE.losses)  # the same multiples of its center
    drawn = [visualization.plot_error_surface(each, limits=(1, 200)) for each in (SURFACE, other)]
    bars = [ax.get_figure().axes[1] for ax in drawn]
    assert bars[0].get_ylim() == bars[1].get_ylim() and bars[0].get_yscale() == "log"
    assert bars[0].get_ylabel() == "loss / loss in the middle; logarithmic colors"
    colors = [ax.collections[0].to_rgba(ax.collections[0].get_array()) for ax in drawn]
    np.testing.assert_allclose(*colors)
    np.testing.assert_allclose(drawn[0].collections[0].levels[[0, -1]], [1, 200])


def test_the_surface_in_three_dimensions():
    given = visualization.new_axes(subplot_kw={"projection": "3d"})
    for ax in (
        visualization.plot_error_surface(SURFACE, three_d=True),
        visualization.plot_error_surface(SURFACE, ax=given),
    ):
        assert ax.name == "3d" and ax.get_zlabel() == "loss"
        low, high = ax.get_zlim()
        assert low <= 0.01 and high >= 1.01
    assert ax is given


def test_a_frozen_network_has_no_directions():
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3)])
    model.trainable = False
    with pytest.raises(ValueError, match=r"no weight of .* is trainable"):
        visualization.error_surface(model, np.ones((2, 2)), [0, 1])


def test_draw_bad_input():
    nan = ErrorSurface(SURFACE.alphas, SURFACE.betas, SURFACE.losses * np.nan)
    zero = ErrorSurface(SURFACE.alphas, SURFACE.betas, SURFACE.losses * 0)
    for call, message in [
        (lambda: visualization.plot_error_surface(SURFACE.losses), "surface must be what error_surface returns"),
        (lambda: visualization.plot_error_surface(nan), "the losses must be finite"),
        (
            lambda: visualization.plot_error_surface(SURFACE, three_d=True, ax=visualization.new_axes()),
            "needs 3-D axes",
        ),
        (lambda: visualization.plot_error_surface(SURFACE, limits=(0, 1)), "limits must be"),
        (lambda: visualization.plot_error_surface(zero, limits=(1, 2)), "the loss in the middle must be"),
    ]:
        with pytest.raises(ValueError, match=message):
            call()
