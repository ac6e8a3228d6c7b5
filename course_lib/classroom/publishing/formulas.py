"""Formulas as MathML, which every browser shows by itself: no script, no font and no other host is needed.

It is an extension of Sphinx, too: `html_math_renderer = "mathml"`.
"""

import html
import re

from latex2mathml import converter

INLINE = re.compile(r"(?<![\\$\w])\$(?![\s$])(?P<formula>[^$\n]+?)(?<![\s\\])\$(?![\w$])")
DISPLAY = re.compile(r"\$\$(?P<formula>.+?)\$\$", re.DOTALL)


def mathml(formula: str, *, display: bool) -> str:
    """LaTeX as a `math` element, with the LaTeX as what is read where no MathML is shown."""
    element = converter.convert(formula.strip(), display="block" if display else "inline")
    return element.replace("<math ", f'<math alttext="{html.escape(formula.strip(), quote=True)}" ', 1)


def replaced(markdown: str) -> str:
    """Markdown with its formulas as MathML."""
    page = DISPLAY.sub(lambda match: f'<div class="math">{mathml(match["formula"], display=True)}</div>', markdown)
    return INLINE.sub(lambda match: mathml(match["formula"], display=False), page)


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
