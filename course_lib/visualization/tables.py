"""How a lesson shows a table: with a caption, as HTML, and as plain text that a test can compare."""

import html
import numbers
import textwrap
from collections.abc import Mapping

from course_lib import common
from course_lib.visualization.display import check_caption, publish

MISSING = "–"


def show_table(table, caption: str, formats: Mapping[str, str] | None = None) -> None:
    """Displays a pandas DataFrame as a table with a caption above it.

    The plain text beside the HTML is the same in every version of pandas, so that a test can compare it. Outside a
    notebook it is printed.

    Args:
        table: the DataFrame. Its index is shown unless it only counts the rows.
        caption: the finding, in one sentence made from the computed numbers.
        formats: column → how its numbers are written, as in an f-string: {"accuracy": ".1%"}. By default whole numbers
            get separators of thousands, others three digits. A missing value is a dash.

    Raises:
        ValueError: no DataFrame, a caption that is not a sentence, or a format of a column that is not there.

    Example:
        >>> rows = pandas.DataFrame(models.summary.layer_table(model))
        >>> visualization.show_table(rows, f"{model.name} has {model.count_params():,} parameters.")
    """
    import pandas

    check_caption(caption)
    if not isinstance(table, pandas.DataFrame):
        raise ValueError(f"table must be a pandas DataFrame, not a {type(table).__name__}")
    headed = not isinstance(table.index, pandas.RangeIndex)
    table = table.reset_index() if headed else table
    columns = [" ".join(map(str, name)) if isinstance(name, tuple) else str(name) for name in table.columns]
    formats = formats or {}
    for name in formats:
        if name not in columns:
            raise common.unknown("column", name, columns)
    if headed:
        columns[0] = "" if columns[0] == "index" else columns[0]
    rows = [
        [_text(value, formats.get(name)) for name, value in zip(columns, row, strict=True)]
        for row in table.itertuples(index=False, name=None)
    ]
    right = [all(map(_is_number, table.iloc[:, place])) for place in range(len(columns))]
    text = _plain(columns, rows, right, caption)
    if common.in_notebook():
        publish(_page(columns, rows, right, caption, headed), text)
    else:
        print(text)


def _is_number(value) -> bool:
    """Whether a cell holds a number; True and False are words here."""
    return isinstance(value, numbers.Number) and not isinstance(value, bool)


def _text(value, spec: str | None) -> str:
    """A cell as text."""
    if value is None or value != value:  # NaN does not equal itself
        return MISSING
    if not _is_number(value):
        return str(value)
    if spec is not None:
        return format(value, spec)
    return f"{value:,}" if isinstance(value, numbers.Integral) else f"{value:.3g}"


def _page(columns: list[str], rows: list[list[str]], right: list[bool], caption: str, headed: bool) -> str:
    """The table as HTML, with the headings that a screen reader names."""
    sides = [' style="text-align: right"' if each else ' style="text-align: left"' for each in right]
    head = "".join(f'<th scope="col"{side}>{html.escape(name)}</th>' for name, side in zip(columns, sides, strict=True))
    body = []
    for row in rows:
        cells = [f"<td{side}>{html.escape(text)}</td>" for text, side in zip(row, sides, strict=True)]
        if headed:
            cells[0] = f'<th scope="row"{sides[0]}>{html.escape(row[0])}</th>'
        body.append(f"<tr>{''.join(cells)}</tr>")
    table = f"<table><thead><tr>{head}</tr></thead>\n<tbody>\n" + "\n".join(body) + "\n</tbody></table>"
    # Not <caption>, which would be as narrow as the table.
    return f'<figure style="margin: 0"><figcaption>{html.escape(caption)}</figcaption>\n{table}</figure>'


def _plain(columns: list[str], rows: list[list[str]], right: list[bool], caption: str) -> str:
    """The table as text in columns, below its caption."""
    widths = [max(map(len, [name, *(row[place] for row in rows)])) for place, name in enumerate(columns)]
    lines = []
    for row in [columns, *rows]:
        cells = [
            text.rjust(width) if side else text.ljust(width)
            for text, width, side in zip(row, widths, right, strict=True)
        ]
        lines.append("  ".join(cells).rstrip())
    return "\n".join([textwrap.fill(caption, 88), *lines])
