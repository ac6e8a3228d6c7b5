"""The source of an answer that is a function: it runs by itself."""

import functools
import types

import numpy as np
import pytest
from scipy.signal import correlate2d as correlate

from course_lib.exercises import judging, record

SIDE = 3
HUGE = list(range(10_000))
model = object()
setting = {"epochs": 6, "kernel": (3, [5, None])}
networks = {"mine": object()}


def with_helper(x):
    return doubled(x) + SIDE


def doubled(x):
    return (lambda y: np.multiply(y, FACTOR))(x)


FACTOR = 2


def recursive(n):
    return n * recursive(n - 1) if n else len(str(correlate)) > 0


def uses_a_model(x):
    return model


def uses_settings(x):
    return x * setting["epochs"] + len(networks)


def defined_again(source: str, name: str):
    namespace = {"__name__": "answer"}
    exec(source, namespace)
    return namespace[name]


def test_helpers_imports_and_constants_come_along():
    source = judging.source_of(with_helper)
    assert defined_again(source, "with_helper")(5) == 13
    assert source.index("FACTOR = 2") < source.index("def doubled") < source.index("def with_helper")
    assert "import numpy as np" in source and "HUGE" not in source


def test_settings_come_along_and_objects_in_a_dict_do_not():
    source = judging.source_of(uses_settings)
    assert f"setting = {setting!r}" in source
    with pytest.raises(NameError, match="networks"):
        defined_again(source, "uses_settings")(2)


def test_a_function_may_call_itself():
    source = judging.source_of(recursive)
    assert defined_again(source, "recursive")(4) == 24 and "import correlate2d as correlate" in source


def test_a_lambda_gets_a_name():
    answer = lambda x: x + SIDE  # noqa: E731
    assert judging.name_of(answer) == "answer"
    assert defined_again(judging.source_of(answer), "answer")(1) == 4


def test_what_has_no_source_is_left_out():
    source = judging.source_of(uses_a_model)
    with pytest.raises(NameError, match="model"):
        defined_again(source, "uses_a_model")(1)


class Callable:
    def __call__(self, x):
        return x


@pytest.mark.parametrize(
    "answer", [len, np.sum, Callable(), Callable, functools.partial(with_helper, 3), [lambda: 1, lambda: 2][0]]
)
def test_a_function_without_a_source_has_none(answer):
    assert judging.source_of(answer) == "" and judging.name_of(answer).isidentifier()


def test_a_source_that_is_too_long_is_not_kept(monkeypatch):
    monkeypatch.setattr(record, "LONGEST_TEXT", 50)
    assert judging.source_of(with_helper) == ""


def judge(answer):
    """A judge elsewhere: it adds 1 to what a function of one number puts out."""
    return None if answer(3) + 1 == 7 else "It does not double."


judge = types.FunctionType(judge.__code__, {"__name__": "elsewhere", "__builtins__": __builtins__})


class Doubles:
    def __call__(self, x):
        return 2 * x / (x - 3)


def stops(x):
    return doubled(None)


def hides_an_error(x):
    try:
        return x / 0
    except ZeroDivisionError:
        raise ValueError("no") from None


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (stops, "TypeError: unsupported operand"),
        (lambda x: x / 0, "ZeroDivisionError: division by zero"),
        (lambda: 6, "TypeError: <lambda>() takes 0 positional arguments"),
        (lambda x, y: 6, "TypeError: <lambda>() missing 1 required positional argument"),
        (hides_an_error, "ValueError: no"),
        (functools.partial(lambda x, y: 6, y=1, z=2), "TypeError: <lambda>() got an unexpected keyword"),
        (Doubles(), "ZeroDivisionError"),
        (Doubles().__call__, "ZeroDivisionError"),
        (Doubles, "TypeError: Doubles() takes no arguments"),
        (len, "TypeError: object of type 'int' has no len()"),
    ],
)
def test_an_error_of_the_function_is_its_own(answer, error):
    assert judging.problem(judge, answer).startswith(f"Your function stopped with {error}")


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (lambda x: "six", 'TypeError: can only concatenate str (not "int") to str'),
        (lambda x: None, "TypeError: unsupported operand type(s) for +: 'NoneType' and 'int'"),
        (functools.partial(lambda x, y: [], y=1), "TypeError: can only concatenate list"),
    ],
)
def test_an_error_of_the_judge_is_not_laid_to_the_function(answer, error):
    said = judging.problem(judge, answer)
    assert said.startswith(f"Your function ran, but what it returned could not be checked: {error}")


def test_right_and_wrong_where_nothing_stops():
    assert judging.problem(judge, lambda x: 2 * x) is None
    assert judging.problem(judge, lambda x: x) == "It does not double."
