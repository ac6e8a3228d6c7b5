"""Whatever bytes come in: predictions that are complete and in range, or a sentence."""

import io

import numpy as np
import pandas
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from course_lib.challenge.predictions import SCORES, largest, read

# The same inputs every time, as long as each may take.
settings.register_profile("steady", derandomize=True, deadline=None, database=None, max_examples=150)
settings.load_profile("steady")

CSV = "text/csv"
COUNT, CLASSES = 4, 10
GOOD = b"id,label\n0,3\n1,0\n2,9\n3,3\n"
labels = st.lists(st.integers(0, CLASSES - 1), min_size=COUNT, max_size=COUNT)
almost = st.text("id,label;\n\r\t \"'0123456789.-eNaN\ufeff\0é", max_size=60)


@given(
    st.one_of(st.binary(max_size=200), almost.map(str.encode), almost.map(lambda text: b"id,label\n" + text.encode()))
)
@example(GOOD)
def test_any_bytes_give_predictions_or_a_sentence(body):
    try:
        ranked = read(body, CSV, COUNT, CLASSES)
    except ValueError as error:
        assert str(error)[0].isupper() and str(error).rstrip()[-1] in ".?"
        assert not isinstance(error, UnicodeError)  # Python's own words
    else:
        assert ranked.shape == (COUNT, 1) and ranked.dtype == np.int64
        assert ((ranked >= 0) & (ranked < CLASSES)).all()
        table = pandas.read_csv(io.BytesIO(body.replace(b'"', b"").replace(b"\t", b"")), skipinitialspace=True)
        assert table.sort_values(table.columns[0])[table.columns[1]].tolist() == ranked[:, 0].tolist()


@given(labels, st.permutations(range(COUNT)), st.sampled_from(["\n", "\r\n"]), st.booleans(), st.booleans())
def test_a_csv_means_the_same_in_any_order_and_dialect(values, order, end, mark, quoted):
    cell = '"{}"'.format if quoted else str
    lines = [f"{cell('id')},{cell('label')}", *(f"{cell(index)},{cell(values[index])}" for index in order)]
    body = end.join([*lines, ""]).encode("utf-8-sig" if mark else "utf-8")
    assert read(body, CSV, COUNT, CLASSES)[:, 0].tolist() == values
    assert len(body) <= largest(COUNT, CLASSES)


@given(labels, st.integers(0, COUNT - 1), st.integers(0, COUNT - 1))
def test_each_image_has_one_prediction(values, gone, twice):
    rows = [f"{index},{value}" for index, value in enumerate(values)]
    without = "\n".join(["id,label", *rows[:gone], *rows[gone + 1 :]]).encode()
    with pytest.raises(ValueError, match=f"3 predictions for 4 test images: id {gone} is missing"):
        read(without, CSV, COUNT, CLASSES)
    with pytest.raises(ValueError, match=f"Line 6: the id '{twice}' is there twice"):
        read("\n".join(["id,label", *rows, rows[twice]]).encode(), CSV, COUNT, CLASSES)


@settings(max_examples=50)  # of 150 numbers or more each
@given(st.lists(st.floats(width=32), min_size=COUNT * CLASSES, max_size=COUNT * CLASSES))
def test_scores_are_ranked_or_refused(values):
    scores = np.array(values, "<f4").reshape(COUNT, CLASSES)
    if not np.isfinite(scores).all():
        with pytest.raises(ValueError, match="NaN or infinity"):
            read(scores.tobytes(), SCORES, COUNT, CLASSES)
        return
    ranked = read(scores.tobytes(), SCORES, COUNT, CLASSES)
    for row, best in zip(scores.tolist(), ranked.tolist(), strict=True):
        assert best == sorted(range(CLASSES), key=lambda index: (-row[index], index))[:5]


def test_among_five_classes_there_is_no_top_five():
    scores = np.float32([[0, 1, 2, 3, 4], [4, 3, 2, 1, 0]])
    assert read(scores.tobytes(), SCORES, 2, 5).tolist() == [[4], [0]]


@pytest.mark.parametrize(
    ("body", "form", "sentence"),
    [
        (b"", CSV, "empty"),
        (b"", SCORES, "empty"),
        (b"PK\x03\x04rest", CSV, "ZIP"),
        (b"PK\x03\x04rest", SCORES, "ZIP"),
        (GOOD.decode().encode("utf-16"), CSV, "not UTF-8"),
        (b"id,label\n0,\xe9\n", CSV, "not UTF-8"),
        (GOOD.replace(b",", b";"), CSV, "separated by a comma"),
        (GOOD.replace(b",", b"\t"), CSV, "separated by a comma"),
        (b"0,3\n1,0\n", CSV, "The first line is '0,3'"),
        (GOOD.replace(b"label", b"label,sure"), CSV, r"is 'id,label,sure'\. The first line must be"),
        (GOOD + b"4,1\n", CSV, "Line 6: the id '4' is unknown. Ids go from 0 to 3"),
        (GOOD.replace(b"2,9", b"-2,9"), CSV, "Line 4: the id '-2' is unknown"),
        (GOOD.replace(b"2,9", b"2,10"), CSV, "Line 4: the label '10' is no class. Classes go from 0 to 9"),
        (GOOD.replace(b"2,9", b"2,9,1"), CSV, "Line 4: the label '9,1'"),
        (GOOD.replace(b"2,9", b"2,nan"), CSV, "Line 4: the label 'nan'"),
        (GOOD.replace(b"2,9", b"2,9.0"), CSV, "Line 4: the label '9.0'"),
        (GOOD.replace(b"2,9", b"2,9.0"), CSV, r"predictions\.astype\(int\)"),
        (b",id,label\n0,0,3\n", CSV, r"to_csv\(path, index=False\)"),
        (GOOD.replace(b"2,9", "2,９".encode()), CSV, "Line 4: the label '９'"),
        (GOOD.replace(b"2,9", b"2"), CSV, "Line 4: the label '' is no class"),
        (GOOD.replace(b"2,9", b"2," + b"9" * 5000), CSV, "Line 4: the label '99999999999999999999' is no class"),
        (bytes(4 * COUNT * CLASSES - 4), SCORES, "160 bytes, not 156"),
    ],
)
def test_each_mistake_has_its_sentence(body, form, sentence):
    with pytest.raises(ValueError, match=sentence):
        read(body, form, COUNT, CLASSES)
