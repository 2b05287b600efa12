"""Their script of a session without what this engine asked the page besides (`probing`), which nobody wants repeated.

A statement that runs one of our scripts is taken out, and with it what only reads its result. A script that cannot be
read, or in which more hangs on such a result, stays as it is.

Below: probing. Above: cloud.
"""

import ast
from collections.abc import Iterator, Mapping
from typing import Any

from notte_mcp.engines.notte.probing import MARK

_Simple = ast.Expr | ast.Assign | ast.AnnAssign | ast.Return


def is_probe(action: Mapping[str, Any]) -> bool:
    """Whether an action is one of our own scripts."""
    return action.get("type") == "evaluate_js" and str(action.get("code")).startswith(MARK)


def without_probes(script: str) -> str:
    """The script without them."""
    if MARK not in script:
        return script
    try:
        tree = ast.parse(script)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return script
    gone = _gone(tree)
    return script if gone is None else _cut(script, tree, gone)


def _gone(tree: ast.Module) -> set[ast.stmt] | None:
    """The statements to be taken out; None where others need them."""
    simple = [node for node in ast.walk(tree) if isinstance(node, _Simple)]
    gone: set[ast.stmt] = {node for node in simple if _runs_probe(node)}
    while True:
        kept = {name for node in simple if node not in gone for name in _names(node, ast.Store)}
        lost = {name for node in gone for name in _names(node, ast.Store)} - kept
        more = {node for node in simple if node not in gone and lost & set(_names(node, ast.Load))}
        if not more:
            break
        gone |= more
    inside = {id(part) for node in gone for part in ast.walk(node)}
    used = (node for node in ast.walk(tree) if isinstance(node, ast.Name) and id(node) not in inside)
    return None if any(node.id in lost for node in used) else gone


def _runs_probe(statement: ast.stmt) -> bool:
    return any(
        word.arg == "code" and isinstance(word.value, ast.Constant) and str(word.value.value).startswith(MARK)
        for node in ast.walk(statement)
        if isinstance(node, ast.Call)
        for word in node.keywords
    )


def _names(node: ast.AST, use: type[ast.expr_context]) -> Iterator[str]:
    return (part.id for part in ast.walk(node) if isinstance(part, ast.Name) and isinstance(part.ctx, use))


def _cut(script: str, tree: ast.Module, gone: set[ast.stmt]) -> str:
    # The parser's lines: what else separates lines for `splitlines` may stand in a text.
    lines = [f"{line}\n" for line in script.split("\n")]
    spans = {statement: range(statement.lineno - 1, statement.end_lineno or statement.lineno) for statement in gone}
    cut = {number for span in spans.values() for number in span}
    others = (node for node in ast.walk(tree) if isinstance(node, ast.stmt) and node not in gone)
    if "\r" in script or any(node.lineno - 1 in cut for node in others):
        return script  # two statements share a line
    emptied = {body[0] for body in _bodies(tree) if body and all(statement in gone for statement in body)}
    for statement in emptied:
        first = spans[statement].start
        indent = lines[first][: len(lines[first]) - len(lines[first].lstrip())]
        lines[first] = f"{indent}pass\n"
        cut.discard(first)
    kept = (line for number, line in enumerate(lines) if number not in cut)
    # Steps that failed are told as comments.
    return "".join(line for line in kept if not (MARK in line and line.lstrip().startswith("#")))[:-1]


def _bodies(tree: ast.Module) -> Iterator[list[ast.stmt]]:
    for node in ast.walk(tree):
        if node is not tree:
            yield from (
                body for name in ("body", "orelse", "finalbody") if isinstance(body := getattr(node, name, None), list)
            )
