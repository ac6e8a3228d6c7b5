"""Formulas as MathML, which every browser shows by itself: no script and no other host is needed.

The site brings a font that knows how formulas are set, `course-math.woff`; without it they can be read, too. The module
is an extension of Sphinx as well: `html_math_renderer = "mathml"`.
"""

import html
import re

from latex2mathml import converter
from markdown_it import MarkdownIt

INLINE = re.compile(r"(?<![\\$\w])\$(?![\s$])(?P<formula>[^$\n]+?)(?<![\s\\])\$(?![\w$])")
PRIMED = re.compile(r"<msup>(<mi>[^<]+</mi>)<mi>&#x02032;</mi></msup>")  # a font raises it already
DISPLAY = re.compile(r"\$\$(?P<formula>.+?)\$\$", re.DOTALL)


def mathml(formula: str, *, display: bool) -> str:
    """LaTeX as a `math` element, with the LaTeX as what is read where no MathML is shown."""
    element = converter.convert(formula.strip(), display="block" if display else "inline")
    element = PRIMED.sub(r'<mrow>\1<mo lspace="0" rspace="0">&#x02032;</mo></mrow>', element)
    return element.replace("<math ", f'<math alttext="{html.escape(formula.strip(), quote=True)}" ', 1)


def replaced(text: str) -> str:
    """Markdown with its formulas as MathML."""
    page = DISPLAY.sub(lambda match: f'<div class="math">{mathml(match["formula"], display=True)}</div>', text)
    return INLINE.sub(lambda match: mathml(match["formula"], display=False), page)


def markdown(text: str, *, block: bool = False) -> str:
    """Markdown as HTML, its formulas as MathML; one line without a paragraph around it where `block` is false."""
    kept: list[str] = []

    def keep(match: re.Match) -> str:
        kept.append(mathml(match["formula"], display=match[0].startswith("$$")))
        return f"formula{len(kept) - 1}elumrof"

    hidden = INLINE.sub(keep, DISPLAY.sub(keep, text))
    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    page = parser.render(hidden) if block else parser.renderInline(hidden)
    return re.sub(r"formula(\d+)elumrof", lambda match: kept[int(match[1])], page)


def setup(app) -> dict[str, bool]:
    """What Sphinx calls for an extension."""
    app.add_html_math_renderer("mathml", (_inline, None), (_block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _inline(translator, node) -> None:
    from docutils import nodes

    translator.body.append(f'<span class="math">{mathml(node.astext(), display=False)}</span>')
    raise nodes.SkipNode


def _block(translator, node) -> None:
    from docutils import nodes

    translator.body.append(f'<div class="math" tabindex="0">{mathml(node.astext(), display=True)}</div>')
    raise nodes.SkipNode
