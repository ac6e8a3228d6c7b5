"""Reads what a student gives as an answer, and repeats it in a reply."""

import numbers
import re
import textwrap

import numpy as np

LONGEST = 100  # characters of an answer that a reply repeats
DEEPEST = 4  # lists in lists
WIDTH = 88  # columns of printed text: no notebook then breaks a word


def one(answer: tuple) -> object:
    """The one answer that was given, or all of them: `check(16, 12, 3)` is `check((16, 12, 3))`."""
    if len(answer) > 1:
        return answer
    return answer[0] if answer else None


def plain(answer: object, depth: int = 0) -> object:
    """Returns `answer` as plain Python: NumPy numbers, "6", "b", "5×5" and lists as what they stand for."""
    if isinstance(answer, (np.generic, np.ndarray)):
        answer = answer.tolist()
    if isinstance(answer, (list, tuple)) and depth < DEEPEST:
        return tuple(plain(part, depth + 1) for part in answer)
    if not isinstance(answer, str):
        return answer
    answer = answer.strip()
    try:
        return _number_or_sizes(answer)
    except ValueError:  # no number, or one of thousands of digits
        return answer.upper() if len(answer) == 1 else answer


def _number_or_sizes(text: str) -> int | float | tuple[int, ...]:
    if re.fullmatch(r"[1-9]\d{0,2}(,\d{3})+", text):  # 2,400
        return int(text.replace(",", ""))
    if sizes := re.fullmatch(r"[(\[]?\s*(\d+(?:\s*[x×,]\s*\d+)+)\s*[)\]]?", text):
        return tuple(int(size) for size in re.findall(r"\d+", sizes[1]))
    number = float(text.replace(" %", "%").rstrip("%")) / (100 if text.endswith("%") else 1)
    return int(number) if number.is_integer() else number


def with_point(text: str) -> str:
    """A number with a decimal comma, "0,5" or "12,5 %", gets a decimal point; other text stays as it is."""
    return re.sub(r"^(\s*[+-]?\d*),(\d+\s*%?\s*)$", r"\1.\2", text)


def has_thousands(text: str) -> bool:
    """Whether the comma in `text` separates thousands, as in "2,400"."""
    return bool(re.fullmatch(r"\s*[+-]?[1-9]\d{0,2}(,\d{3})+\s*", text))


def shown(answer: object) -> str:
    """Returns `answer` as a reply repeats it, cut where it is long."""
    try:
        text = repr(answer)
    except Exception:  # a number of thousands of digits, or an object of the student's
        return f"this {type(answer).__name__}"
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def wrapped(text: str, indent: str = "  ") -> str:
    """Breaks each line of `text` between words at 88 columns; continued lines begin with `indent`."""
    lines = [
        textwrap.fill(line, WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)
        for line in text.splitlines()
    ]
    return "\n".join(lines)


def same(answer: object, other: object, tolerance: float = 0.0) -> bool:
    """Whether two answers are the same: numbers within `tolerance`, text whatever its case, all else if equal."""
    try:
        if isinstance(answer, str) and isinstance(other, str):
            return answer.casefold() == other.casefold()
        if isinstance(answer, numbers.Real) and isinstance(other, numbers.Real):
            return abs(answer - other) <= tolerance
        return type(answer) is type(other) and bool(answer == other)
    except Exception:  # no float is as large as 10**400, and some objects cannot be compared
        return False


def as_json(answer: object) -> str | float | list | None:
    """Returns `answer` as a file keeps it: a number, a list of numbers, or text."""
    if isinstance(answer, bool) or not isinstance(answer, (int, float, str, tuple)):
        return shown(answer)
    if isinstance(answer, tuple):
        numeric = all(type(part) in (int, float) for part in answer) and len(answer) <= 20
        return list(answer) if numeric else shown(answer)
    if isinstance(answer, int) and abs(answer) > 10**300:  # JSON readers refuse thousands of digits
        return shown(answer)
    return answer[:LONGEST] if isinstance(answer, str) else answer
