"""The source of a function, as a syntax tree: of a lambda too, and only if it is what the function was made from.

Lines and columns that the compiler left in the code say which of several lambdas on a line it is. The text is compiled
again and compared, so that a file that was edited since is not taken for what runs.
"""

from __future__ import annotations
import __future__

import ast
import functools
import linecache
from types import CodeType, FunctionType

__all__ = ["tree_of"]

_FUTURE = functools.reduce(
    int.__or__, [getattr(__future__, name).compiler_flag for name in __future__.all_feature_names]
)


def tree_of(function: FunctionType) -> ast.Lambda | ast.FunctionDef | None:
    """The tree of a function, or None where there is no source to be had."""
    code = function.__code__
    found = _TREES.get((code.co_filename, code))
    if found is None:
        lines = linecache.getlines(code.co_filename, function.__globals__)
        found = _found("".join(lines), code) if lines else None
        if found is not None:
            _TREES[code.co_filename, code] = found
    return found


#: What was found, and compiled to just that code: it does not change any more.
_TREES: dict[tuple[str, CodeType], ast.Lambda | ast.FunctionDef] = {}


def _found(text: str, code: CodeType) -> ast.Lambda | ast.FunctionDef | None:
    try:
        functions = _functions(text)
        flags = code.co_flags & _FUTURE
        if not any(code in _codes(text, code.co_filename, flags, whole) for whole in (True, False)):
            return None
    except (SyntaxError, ValueError):
        return None
    nodes = [node for node in functions if _is_of(node, code)]
    if len(nodes) > 1:
        nodes = [node for node in nodes if isinstance(node, ast.Lambda) and _span(node.body) == _span_of(code)]
    return nodes[0] if len(nodes) == 1 else None


@functools.lru_cache(maxsize=128)
def _parsed(text: str) -> ast.Module:
    return ast.parse(text)


@functools.lru_cache(maxsize=128)
def _functions(text: str) -> list[ast.Lambda | ast.FunctionDef]:
    return [node for node in ast.walk(_parsed(text)) if isinstance(node, ast.Lambda | ast.FunctionDef)]


@functools.lru_cache(maxsize=128)
def _codes(text: str, filename: str, flags: int, whole: bool) -> frozenset[CodeType]:
    """The code of each function in a text, compiled as a whole, or statement by statement as notebooks do it.

    That is not the same: Python calls a function of a module otherwise where it sees the import of the module.
    """
    tree = _parsed(text)
    parts = [tree] if whole else [ast.Module([statement], []) for statement in tree.body]
    stack = [compile(part, filename, "exec", flags, dont_inherit=True) for part in parts]
    found = set()
    while stack:
        code = stack.pop()
        found.add(code)
        stack += [constant for constant in code.co_consts if isinstance(constant, CodeType)]
    return frozenset(found)


def _is_of(node: ast.Lambda | ast.FunctionDef, code: CodeType) -> bool:
    if isinstance(node, ast.Lambda):
        return code.co_name == "<lambda>" and node.lineno == code.co_firstlineno
    first = node.decorator_list[0].lineno if node.decorator_list else node.lineno
    return code.co_name == node.name and first == code.co_firstlineno


def _span(node: ast.expr) -> tuple[tuple[int, int], tuple[int | None, int | None]]:
    return (node.lineno, node.col_offset), (node.end_lineno, node.end_col_offset)


def _span_of(code: CodeType) -> tuple[tuple[int, int], tuple[int | None, int | None]]:
    """From where to where the instructions of a lambda stand, without those at its beginning, which have no columns."""
    spans = [p for p in code.co_positions() if None not in p and p[2:] != (0, 0)]
    starts: list[tuple[int, int]] = [(p[0], p[2]) for p in spans]  # type: ignore[misc]
    ends: list[tuple[int, int]] = [(p[1], p[3]) for p in spans]  # type: ignore[misc]
    return min(starts, default=(0, 0)), max(ends, default=(0, 0))
