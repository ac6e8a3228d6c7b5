"""The field's terms, each explained once, and linked where a lesson first uses it."""

import dataclasses
import functools
import pathlib
import re
import tomllib

FILE = pathlib.Path(__file__).with_suffix(".toml")
KEPT = re.compile(  # what no link may stand in: code, formulas, links, HTML, headings, bold text, tables
    r"```.*?```|`[^`\n]*`|\$\$.+?\$\$|\$[^$\n]+\$|!?\[[^\]]*\]\([^)]*\)|<[^>]+>|^#+ [^\n]*$|^\|[^\n]*$|\*\*.+?\*\*",
    re.DOTALL | re.MULTILINE,
)


@dataclasses.dataclass(frozen=True)
class Term:
    """A term, what it means, and the other forms in which the lessons use it."""

    name: str
    means: str
    forms: tuple[str, ...] = ()

    @functools.cached_property
    def pattern(self) -> re.Pattern:
        """Finds the term in any of its forms, as whole words."""
        spelled = sorted({self.name, f"{self.name}s", *self.forms}, key=len, reverse=True)
        words = "|".join(re.escape(form).replace(r"\ ", r"\s+") for form in spelled)
        return re.compile(rf"(?<![\w-])(?:{words})(?![\w-])", re.IGNORECASE)


def read() -> list[Term]:
    """All terms, in alphabetical order."""
    entries = tomllib.loads(FILE.read_text(encoding="utf-8"))
    terms = [Term(name, entry["means"], tuple(entry.get("forms", ()))) for name, entry in entries.items()]
    return sorted(terms, key=lambda term: term.name.casefold())


def page(terms: list[Term]) -> str:
    """The glossary as a page of MyST Markdown."""
    entries = "\n\n".join(f"{term.name}\n  {term.means}" for term in terms)
    return f"# Glossary\n\nThe terms of the lessons, in the words of the field.\n\n:::{{glossary}}\n{entries}\n:::\n"


def linked(markdown: str, terms: list[Term], done: set[str]) -> str:
    """Markdown in which the first use of each term leads to the glossary; `done` collects the terms' names."""
    for term in terms:
        if term.name in done:
            continue
        kept = [match.span() for match in KEPT.finditer(markdown)]
        for match in term.pattern.finditer(markdown):
            if not any(start < match.end() and match.start() < end for start, end in kept):
                shown = " ".join(match[0].split())
                link = f"{{term}}`{shown} <{term.name}>`"
                markdown = markdown[: match.start()] + link + markdown[match.end() :]
                done.add(term.name)
                break
    return markdown
