"""The words of a notebook, as a page says them: a page has no kernel, no cells and nobody's own code."""

import html
import re

THANKS = "index.md#acknowledgements"  # the part of the start page that the lessons' last line leads to
OWN_OUTCOME = "This outcome depends on code that you write: your own copy tells it, once that is written."
TEXT = (  # in Markdown
    (r"Choose or type an answer, then press \*Check\*\.", "Open an answer to read the reply."),
    (r" *\(On a page without a kernel there is no button\.?\)", ""),
    (r"\b([Ii]ts|[Tt]he) judge\b", r"\1 check"),
    (r"\bits acknowledgements (?:are|stand) in the README\b", f"[its acknowledgements](../{THANKS})"),
)
OUTPUT = (  # in what code printed; a line that says nothing on a page goes
    (r"^.*http://127\.0\.0\.1.*\n?", ""),
    (r"^→ No guess yet.*(?:\n +\S.*)*\n?", ""),
    (r"^Fill the gap, then run this again\.\n?", ""),
    (r"^by your function: not written yet\n?", ""),
    (r"^.+, until yours is right\n?", ""),
    (r"^Not written yet\. ", "What your own code gives stands here in your own copy. "),
    (
        r"^Set PHOTO and imagenet_weights in the second cell; then this shows ",
        "No picture here: this part runs only with the downloaded weights, on a photo of yours. It then shows ",
    ),
    (r"\bWith a kernel, a button stands here that takes ", "Where the lesson's code runs, a button here takes "),
    (r": True(?=[;.]|$)", ": yes"),
    (r": False(?=[;.]|$)", ": no"),
)
AS_TEXT = re.compile(r"^As text: (?P<formulas>`[^`\n]+`(?:, `[^`\n]+`)*)\.[ \n]*", re.MULTILINE)


def of_text(markdown: str) -> str:
    """Markdown in a page's words; what repeats a formula as text is folded."""
    return AS_TEXT.sub(_folded, _replaced(markdown, TEXT))


def of_output(text: str) -> str:
    """What code printed, in a page's words."""
    return _replaced(text, OUTPUT)


def _replaced(text: str, pairs: tuple[tuple[str, str], ...]) -> str:
    for pattern, words in pairs:
        text = re.sub(pattern, words, text, flags=re.MULTILINE)
    return text


def _folded(match: re.Match) -> str:
    said = re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(match["formulas"], quote=False))
    return f'<details class="as-text"><summary>As text</summary><p>{said}</p></details>\n\n'
