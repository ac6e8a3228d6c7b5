import html.parser

import numpy as np
import pandas
import pytest

from course_lib import visualization

CAPTION = "The second network is better & smaller."
TABLE = pandas.DataFrame(
    {"network": ["a<b", "c"], "parameters": [61_706, 1_000], "error": [0.0123, np.nan], "trained": [True, False]}
)
TEXT = """The second network is better & smaller.
network  parameters  error  trained
a<b          61,706   1.2%  True
c             1,000      –  False"""


class Reader(html.parser.HTMLParser):
    def __init__(self, page):
        super().__init__()
        self.tags, self.texts = [], []
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_data(self, data):
        self.texts.append(data.strip())


def test_a_table_is_html_with_a_caption_and_text_without_pandas_form(published):
    visualization.show_table(TABLE, CAPTION, {"error": ".1%"})
    ((_, data, _),) = published
    assert data["text/plain"] == TEXT
    page = Reader(data["text/html"])
    assert [text for text in page.texts if text] == [
        *(CAPTION, "network", "parameters", "error", "trained"),
        *("a<b", "61,706", "1.2%", "True", "c", "1,000", "–", "False"),
    ]
    tags = [tag for tag, _ in page.tags]
    assert tags[:3] == ["figure", "figcaption", "table"] and tags.count("tr") == 3 and tags.count("td") == 8
    assert all(attributes["scope"] == "col" for tag, attributes in page.tags if tag == "th")


def test_an_index_with_names_heads_the_rows(published):
    table = pandas.DataFrame({"error": [0.5]}, index=pandas.Index(["lenet5"], name="network"))
    visualization.show_table(table, CAPTION)
    visualization.show_table(table.rename_axis(None), CAPTION)
    page = Reader(published[0][1]["text/html"])
    assert {"scope": "row", "style": "text-align: left"} in [attributes for tag, attributes in page.tags if tag == "th"]
    assert published[0][1]["text/plain"].splitlines()[1:] == ["network  error", "lenet5     0.5"]
    assert published[1][1]["text/plain"].splitlines()[1:] == ["        error", "lenet5    0.5"]


def test_outside_a_notebook_the_text_is_printed(capsys):
    visualization.show_table(TABLE, CAPTION, {"error": ".1%"})
    assert capsys.readouterr().out == TEXT + "\n"


def test_bad_input():
    with pytest.raises(ValueError, match="table must be a pandas DataFrame, not a list"):
        visualization.show_table([1], CAPTION)
    with pytest.raises(ValueError, match="caption must be a sentence"):
        visualization.show_table(TABLE, "table")
    with pytest.raises(ValueError, match=r"unknown column 'eror'\. Did you mean 'error'"):
        visualization.show_table(TABLE, CAPTION, {"eror": ".1%"})
