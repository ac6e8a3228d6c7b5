"""The words of each section, so that a search leads to sections: Sphinx's own index only knows pages.

It is an extension of Sphinx, which needs no server and no request: the search page loads `sections.js`, a script.
"""

import json
import re

FILE = "sections.js"
SCRIPT = "search.js"
NO_WORDS = re.compile(r"<(script|style)\b.*?</\1>|<[^>]+>", re.DOTALL)


class Sections:
    """What is collected of each section below a page's title: page, its title, the section's title, place and stems."""

    def __init__(self, stemmer):
        self.stemmer = stemmer
        self.found: list[tuple[str, str, str, str, str]] = []

    def collect(self, app, doctree, page: str) -> None:
        """Adds the sections of a page."""
        from docutils import nodes

        for section in doctree.findall(nodes.section):
            if isinstance(section.parent, nodes.section):
                above, title = (each.next_node(nodes.title).astext() for each in (section.parent, section))
                self.found.append((page, above, title, section["ids"][0], " ".join(sorted(self.stems(section)))))

    def stems(self, section) -> set[str]:
        """The stems of a section's words, without its code and its subsections."""
        from docutils import nodes

        parts = [
            part for child in section if not isinstance(child, nodes.section) for part in child.findall(nodes.Text)
        ]
        text = " ".join(part for part in parts if not isinstance(part.parent, nodes.literal_block))
        words = self.stemmer.split(NO_WORDS.sub(" ", text))
        return {self.stemmer.stem(word) for word in words if self.stemmer.word_filter(word.lower())}

    def write(self, app, problem: Exception | None) -> None:
        """Writes the script of the search page."""
        if problem is None:
            path = app.outdir / "_static" / FILE
            path.write_text(f"const SECTIONS = {json.dumps(self.found)};\n", encoding="utf-8")


def add_scripts(app, page: str, *_) -> None:
    """Lets the search page alone load what sections need."""
    if page == "search":
        app.add_js_file(FILE)
        app.add_js_file(SCRIPT)


def setup(app) -> dict[str, bool]:
    """What Sphinx calls for an extension."""
    from sphinx.search.en import SearchEnglish

    sections = Sections(SearchEnglish({}))
    app.connect("doctree-resolved", sections.collect)
    app.connect("html-page-context", add_scripts)
    app.connect("build-finished", sections.write)
    return {"parallel_read_safe": True, "parallel_write_safe": False}
