"""Which sections of a lesson need another one: their code uses a name that its cells define.

A section that others need may be read at home, but its cells are run in class.
"""

import ast
import builtins
import re
import symtable
from collections.abc import Sequence

from course_lib.classroom.publishing import reading

COMMAND = re.compile(r"^(\s*)[%!].*$", re.MULTILINE)  # of IPython
FILE = "%%writefile"


def later(section: reading.Section, others: Sequence[reading.Section]) -> dict[str, set[str]]:
    """Those of `others`, by heading, that use names which `section` defines, if they run in order without it."""
    defined, _ = names(section)
    found = {}
    known: set[str] = set()
    for other in others:
        new, used = names(other)
        if missing := (used - known) & defined:
            found[other.heading] = missing
        known |= new
    return found


def names(section: reading.Section) -> tuple[set[str], set[str]]:
    """The names that the cells of a section define, and those that they use without having defined them before."""
    defined: set[str] = set()
    used: set[str] = set()
    for cell in section.cells:
        if cell.cell_type == "code" and not cell.source.startswith(FILE):
            _walk(ast.parse(COMMAND.sub(r"\1pass", cell.source)).body, defined, used)
    return defined, used - set(dir(builtins))


def _walk(statements: Sequence[ast.stmt], defined: set[str], used: set[str]) -> None:
    """Adds what statements define and use, in the order in which they run; a loop or branch is taken as run."""
    for statement in statements:
        blocks = [getattr(statement, name, []) for name in ("body", "orelse", "finalbody")]
        if isinstance(statement, (ast.FunctionDef, ast.ClassDef)) or not any(blocks):
            new, needed = _of(ast.unparse(statement))
            used |= needed - defined
            defined |= new
            continue
        handlers = [handler.body for handler in getattr(statement, "handlers", [])]
        for head in _heads(statement):
            new, needed = _of(head)
            used |= needed - defined
            defined |= new
        for target in _targets(statement):
            defined |= _of(f"{target} = 0")[0]
        for block in [*blocks[:1], *handlers, *blocks[1:]]:
            _walk(block, defined, used)


def _heads(statement: ast.stmt) -> list[str]:
    """The expressions that a loop, a branch or a `with` begins with."""
    found = [getattr(statement, name, None) for name in ("iter", "test")]
    found += [item.context_expr for item in getattr(statement, "items", [])]
    return [ast.unparse(expression) for expression in found if expression is not None]


def _targets(statement: ast.stmt) -> list[str]:
    """What a loop or a `with` assigns to."""
    found = [getattr(statement, "target", None)]
    found += [item.optional_vars for item in getattr(statement, "items", [])]
    return [ast.unparse(target) for target in found if target is not None]


def _of(code: str) -> tuple[set[str], set[str]]:
    """The names that a statement assigns to, and those that it or a function in it looks up."""
    table = symtable.symtable(code, "cell", "exec")
    symbols = table.get_symbols()
    assigned = {symbol.get_name() for symbol in symbols if symbol.is_assigned() or symbol.is_imported()}
    looked_up = {symbol.get_name() for symbol in symbols if symbol.is_referenced()}
    for inner in _inside(table):
        looked_up |= {symbol.get_name() for symbol in inner.get_symbols() if symbol.is_global()}
    return assigned, looked_up


def _inside(table: symtable.SymbolTable) -> list[symtable.SymbolTable]:
    return [each for child in table.get_children() for each in (child, *_inside(child))]
