"""What the instructor hands in and out on paper or as a table: the roster, the codes to cut up, the export."""

import csv
import io
import pathlib
import re
import secrets
import unicodedata

from tornado import template

from course_lib.challenge import rules
from course_lib.challenge.board import PAGE
from course_lib.challenge.lookalikes import keys

SHEET = "private/codes.html"
ADDRESS = "private/address.txt"  # what stands on each slip
EXPORTED = ("team", "pseudonym", "at", "public", "private", "public_top5", "private_top5", "same_as", "note")
EXPORTED += ("withdrawn",)
# A cell, or what a spreadsheet with another separator takes for one, that begins like a formula.
FORMULA = re.compile(r"(^|[;,|\t])([\"\s]*)([=+\-@\u2212\ufe62\ufe63\ufe66\ufe6b\uff1d\uff0b\uff0d\uff20])")
# Texts that spreadsheets and pandas take for something else: numbers, dates, truth values, no value. "(5)" is -5.
MISREAD = re.compile(
    r"[($\u00a2-\u00a5\u20a0-\u20bf\s]*[.\d].*|#.*|<?n/?a>?|nan|none|null|true|false|inf(inity)?"
    r"|(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)\w*[ .\-_]*\d+",
    re.IGNORECASE,
)


def roster(path: pathlib.Path) -> list[str]:
    """The names in the column `team` of a CSV file, as they are kept.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: no such column, a name that cannot be used, or two that look alike; the message says which.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError(f"{path} is not UTF-8 text. Save it as CSV UTF-8.") from None
    except FileNotFoundError:
        raise FileNotFoundError(f"There is no file {path}. A roster is a CSV file with a column team.") from None
    first = text.partition("\n")[0]
    separator = next((mark for mark in ";\t" if mark in first and "," not in first), ",")  # as spreadsheets write it
    reader = csv.DictReader(io.StringIO(text), delimiter=separator)
    try:
        rows = [(reader.line_num, row.get("team")) for row in reader]
    except csv.Error as error:
        raise ValueError(f"{path} is no CSV file ({error}). The first line must name a column team.") from None
    if not rows or "team" not in reader.fieldnames:
        raise ValueError(f"{path} has no rows with a column team. The first line must name it; one team per line.")
    seen: dict[str, str] = {}
    names = []
    for line, team in rows:
        try:
            name = rules.team_name(team)
        except ValueError as error:
            raise ValueError(f"{path}, line {line}: {error}") from None
        for key in set(keys(name)):
            if key in seen:
                raise ValueError(f"{path} names {seen[key]!r} and {name!r}, which look alike. Change one of them.")
            seen[key] = name
        names.append(name)
    return names


def write_address(folder: pathlib.Path, address: str) -> None:
    """Keeps the address for the slips, in the challenge's folder."""
    _write_whole(folder / ADDRESS, address.encode("ascii", errors="replace"))


def write_sheet(folder: pathlib.Path, codes: list[dict], title: str) -> None:
    """Writes a page to print and cut up, one slip per code, for this user alone, in the challenge's folder."""
    address = (folder / ADDRESS).read_text(encoding="ascii")
    page = template.Loader(str(PAGE)).load("codes.html").generate(codes=codes, address=address, title=title)
    _write_whole(folder / SHEET, page)


def not_written(folder: pathlib.Path, error: OSError) -> str:
    """What to do where the sheet could not be written."""
    return (
        f"{folder / SHEET} could not be brought up to date ({error.strerror}). The codes are kept: `codes` shows them, "
        "and writes the sheet once that is possible."
    )


def _write_whole(path: pathlib.Path, content: bytes) -> None:
    """Writes a file for this user alone, all of it or nothing."""
    unfinished = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    try:
        unfinished.touch(mode=0o600)
        unfinished.write_bytes(content)
        unfinished.replace(path)
    except OSError:
        unfinished.unlink(missing_ok=True)
        raise


def table(rows: list[dict]) -> str:
    """The submissions as CSV that no spreadsheet executes or misreads: an apostrophe stands before what it might."""
    text = io.StringIO()
    writer = csv.DictWriter(text, EXPORTED, lineterminator="\n", quoting=csv.QUOTE_ALL)
    writer.writeheader()
    for row in rows:
        safe = {name: harmless(row[name]) for name in ("team", "pseudonym", "same_as", "note")}
        writer.writerow(row | safe)
    return text.getvalue()


def harmless(cell: str | None) -> str:
    """The text with an apostrophe before whatever a spreadsheet might compute or turn into a number."""
    text = FORMULA.sub(r"\1\2'\3", cell or "")
    if MISREAD.fullmatch(unicodedata.normalize("NFKC", text).strip()):
        return f"'{text}"
    return text
