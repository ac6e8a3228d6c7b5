"""`data/published/lecture.csv`: every claim of the lecture, what is right about it, and where it is taught."""

import re

import nbformat
import pytest

from course_lib import common

CLAIMS = {"C": 8, "D": 5, "L": 12, "I": 6, "V": 7, "A": 10, "G": 5, "R": 9, "T": 1}  # per section of the lecture
ROWS = common.published("lecture")


def test_each_claim_stands_there_once():
    expected = [f"{part}{n}" for part, count in CLAIMS.items() for n in range(1, count + 1)]
    assert [row["id"] for row in ROWS] == expected


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["id"])
def test_row_is_complete(row):
    assert set(row) == {"id", "slide", "right", "source", "lesson"}
    assert all(text and text == text.strip() for text in row.values())
    assert re.fullmatch(r"0[1-9]( 0[1-9])*", row["lesson"])


@pytest.mark.parametrize(
    ("claim", "number"),
    [
        ("I1", 1_281_167 + 50_000 + 100_000),
        ("I4", 727 * 3 * 50_000),
        ("L3", 156 + 12 + 1_516 + 32 + 48_120 + 10_164),
        ("L3", 156 + 2_416 + 48_120 + 10_164 + 850),
        ("L4", 6 * (5 * 5 + 1)),
        ("L6", 28 * 28),
        ("L2", 250 + 289),
        ("L2", 249 + 48),
        ("G3", round(370_000 * 256 / 1_281_167)),
        ("G4", 14_714_688 + (7 * 7 * 512 + 1) * 4_096 + (4_096 + 1) * 4_096 + (4_096 + 1) * 1_000),
        ("G4", 14_714_688 + 590_080 + 2 * 2_359_808 + 102_764_544 + 16_781_312 + 4_097_000),
        ("A6", 34_944 + 307_456 + 885_120 + 663_936 + 442_624 + 37_752_832 + 16_781_312 + 4_097_000),
    ],
)
def test_numbers_add_up(claim, number):
    (right,) = [row["right"] for row in ROWS if row["id"] == claim]
    assert re.search(rf"\b{number:,}\b", right)


@pytest.fixture(scope="module")
def shown():
    """The claims that the cells of each lesson are tagged with, by the lesson's number."""
    paths = (common.ROOT / "lessons").glob("*.ipynb")
    return {
        path.name[:2]: {claim for cell in nbformat.read(path, 4).cells for claim in cell.metadata.get("claims", ())}
        for path in paths
    }


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["id"])
def test_the_lessons_named_show_the_claim_and_no_other_does(row, shown):
    assert [number for number in sorted(shown) if row["id"] in shown[number]] == sorted(row["lesson"].split())
