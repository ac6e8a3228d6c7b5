"""`data/published/timeline.csv`: the steps of computer vision that lesson 01 draws."""

import re

import pytest

from course_lib import common

ROWS = common.published("timeline")


def test_from_1959_in_order():
    years = [int(row["year"]) for row in ROWS]
    assert years[0] == 1959 and years == sorted(years) and 10 <= len(years) <= 14


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['year']} {row['who']}")
def test_row_is_complete(row):
    assert set(row) == {"year", "who", "what", "short", "source"}
    assert all(text and text == text.strip() for text in row.values())
    assert re.search(rf"\b{row['year']}$", row["source"])  # each source is of the year it stands for
    assert len(f"{row['who']}: {row['short']}") < 60  # a line of the figure


def test_agrees_with_the_networks():
    """The Neocognitron, LeNet-5 and AlexNet have a year in the table of networks too."""
    years = {row["name"]: row["year"] for row in common.published("architectures")}
    for name, said in {"neocognitron": "Neocognitron", "lenet5_1998": "LeNet-5", "alexnet": "AlexNet"}.items():
        assert [row["year"] for row in ROWS if said in row["short"]] == [years[name]]
