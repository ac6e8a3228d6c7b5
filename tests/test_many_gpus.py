"""`data/published/many_gpus.csv`: what others measured on several GPUs."""

import re

import pytest

from course_lib import common

ROWS = {row["id"]: row for row in common.published("many_gpus")}


def test_rows_are_complete():
    assert len(ROWS) == len(common.published("many_gpus"))
    for row in ROWS.values():
        assert float(row["number"]) > 0 and float(row["spread"] or 0) >= 0
        assert row["what"] and re.search(r"§|table|abstract|pull request|issue", row["source"])


@pytest.mark.parametrize("name", [name for name, row in ROWS.items() if re.search(r"\d m \d", row["what"])])
def test_minutes_and_seconds(name):
    minutes, seconds = re.search(r"\((\d+) m (\d+) s\)", ROWS[name]["what"]).groups()
    assert float(ROWS[name]["number"]) == 60 * int(minutes) + int(seconds)
