"""Calls the judge of an answer that is a function, and finds the source of that function."""

import ast
import contextlib
import functools
import inspect
import io
import sys
import textwrap
import traceback
import types
from collections.abc import Callable, Iterator

from course_lib.exercises import record

SIMPLE = (bool, int, float, complex, str, bytes, type(None), list, tuple, dict)
LONGEST_CONSTANT = 500  # characters


def problem(judge: Callable[[object], str | None], answer: Callable) -> str | None:
    """What `judge` finds wrong with `answer`, a student's function, or None; an error of its own is the feedback."""
    try:
        with _exit_raises():
            return judge(answer)
    except KeyboardInterrupt:  # Stop is pressed
        raise
    except BaseException as error:  # the student's code: its error is the feedback, sys.exit() among them
        said = traceback.format_exception_only(error)[-1].strip()
        return f"Your function stopped with {said}" if _raised_by(answer, error) else not_checked(said)


def not_checked(error: str) -> str:
    """What to reply where the judge, and not the student's function, stopped with an error."""
    return f"Your function ran, but what it returned could not be checked: {error}"


def _raised_by(answer: Callable, error: BaseException | None) -> bool:
    """Whether an error comes from the code of `answer`, or from a call that it does not take.

    It does, where the traceback of the error, or of one before it, leads through the notebook or module of `answer`.
    """
    function = inspect.unwrap(answer)
    while isinstance(function, functools.partial):
        function = function.func
    if isinstance(function, type):
        function = function.__init__
    elif not hasattr(function, "__globals__"):
        function = type(function).__call__
    home = getattr(function, "__globals__", None)
    if home is None:  # built-in: it has no traceback of its own
        return True
    while error is not None:
        if any(frame.f_globals is home for frame, _ in traceback.walk_tb(error.__traceback__)):
            return True
        if isinstance(error, TypeError) and str(error).startswith(f"{function.__qualname__}() "):
            return True
        error = error.__cause__ or error.__context__
    return False


@contextlib.contextmanager
def _exit_raises() -> Iterator[None]:
    """Inside, `exit()` raises SystemExit in a notebook too, where it would end the kernel."""
    from IPython import get_ipython

    shell = get_ipython()
    if shell is None:
        yield
        return
    ask_exit = shell.ask_exit
    shell.ask_exit = sys.exit
    try:
        yield
    finally:
        shell.ask_exit = ask_exit


@contextlib.contextmanager
def printing_kept() -> Iterator[io.StringIO]:
    """Inside, what is printed is kept and not shown: a card has no place for it."""
    with contextlib.redirect_stdout(io.StringIO()) as kept:
        yield kept


def source_of(function: Callable) -> str:
    """Returns a program that defines `function` with what it uses: imports, helper functions and constants.

    It is "" where the source cannot be found, such as for a built-in function, or is longer than an answer may be.
    Objects that have no source, a trained model for one, are left out.
    """
    parts: dict[str, str] = {}
    try:
        _collect(function, parts)
    except Exception:  # any callable may be an answer; inspect reads functions only
        return ""
    source = "\n\n".join(parts.values()) + "\n"
    return source if len(source) <= record.LONGEST_TEXT else ""


def name_of(function: Callable) -> str:
    """Returns the name under which `source_of` defines the function."""
    name = getattr(function, "__name__", "")
    return name if isinstance(name, str) and name.isidentifier() else "answer"


def _collect(function: Callable, parts: dict[str, str]) -> None:
    """Adds to `parts` the source of `function`, after that of all it uses, each under its name."""
    name = name_of(function)
    source = textwrap.dedent(inspect.getsource(function))
    if name == "answer":
        source = f"answer = {_only_lambda(source)}"
    parts[name] = ""  # a function that calls itself is found
    for used in _names(function.__code__):
        if used in function.__globals__ and used not in parts:
            _collect_value(used, function.__globals__[used], function.__module__, parts)
    parts.pop(name)  # to the end: it follows what it uses
    parts[name] = source.rstrip()


def _is_literal(text: str) -> bool:
    """Whether `text` is a short program for one constant."""
    try:
        ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return False
    return len(text) < LONGEST_CONSTANT


def _only_lambda(source: str) -> str:
    """The one lambda in `source`. Raises SyntaxError where there are several."""
    lambdas = [node for node in ast.walk(ast.parse(source.strip())) if isinstance(node, ast.Lambda)]
    if len(lambdas) != 1:
        raise SyntaxError("not one lambda")
    return ast.get_source_segment(source.strip(), lambdas[0])


def _names(code: types.CodeType) -> list[str]:
    """The names that a code object, or one within it, may look up among the globals."""
    names = list(code.co_names)
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            names += _names(constant)
    return list(dict.fromkeys(names))


def _collect_value(name: str, value: object, home: str, parts: dict[str, str]) -> None:
    """Adds what defines the global `name` of a function that was written in the module `home`."""
    if isinstance(value, types.ModuleType):
        parts[name] = f"import {value.__name__} as {name}"
    elif isinstance(value, types.FunctionType) and value.__module__ == home:
        _collect(value, parts)
    elif isinstance(value, SIMPLE) and _is_literal(repr(value)):
        parts[name] = f"{name} = {value!r}"
    elif getattr(value, "__module__", home) not in (home, None) and hasattr(value, "__qualname__"):
        parts[name] = f"from {value.__module__} import {value.__qualname__.split('.')[0]} as {name}"
