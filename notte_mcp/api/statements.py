"""The statements of a script alone, to be tried where a session is already open.

What a script's function is given stands in them as its recorded value; what only checks that a page came (`wait_for`)
is left out, since an execute returns when its action is over.

Below: nothing. Above: codes.
"""

import ast
import textwrap
from collections.abc import Iterator

Edit = tuple[int, int, str]
"""From this byte to that one, this instead."""


def statements(script: str) -> str:
    """What stands within `with client.Session(...) as session:`; the whole script where there is no such thing."""
    tree = ast.parse(script)
    run = next((node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "run"), None)
    within = next((node for node in ast.walk(run) if isinstance(node, ast.With)), None) if run is not None else None
    if run is None or within is None:
        return script
    begin, end = within.items[-1].context_expr.end_lineno or 0, within.end_lineno or 0
    starts = _starts(script)
    raw = script.encode()
    edits = sorted(_edits(run, within, starts, raw), reverse=True)
    stop = starts[end] if end < len(starts) else len(raw)
    body = bytearray(raw[:stop])
    for first, last, text in edits:
        body[first:last] = text.encode()
    lines = textwrap.dedent(body[starts[begin] :].decode()).splitlines()
    return "\n".join(line for line in lines if line.strip()) + "\n"


def _starts(script: str) -> list[int]:
    """The byte at which each line begins."""
    starts = [0]
    for line in script.encode().splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    return starts


def _edits(run: ast.FunctionDef, within: ast.With, starts: list[int], raw: bytes) -> Iterator[Edit]:
    def place(node: ast.stmt | ast.expr) -> tuple[int, int]:
        return (
            starts[node.lineno - 1] + node.col_offset,
            starts[(node.end_lineno or 0) - 1] + (node.end_col_offset or 0),
        )

    values = _values(run)
    for statement in within.body:
        first, last = place(statement)
        if _only_waits(statement):
            yield first, last, ""
            continue
        if isinstance(statement, ast.Return) and statement.value is not None:
            yield first, place(statement.value)[0], ""
        for node in ast.walk(statement):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in values:
                first, last = place(node)
                # Within an f-string of several lines Python 3.11 tells places that are none.
                if raw[first:last] == node.id.encode():
                    yield first, last, values[node.id]


def _values(run: ast.FunctionDef) -> dict[str, str]:
    """What the function's parameters are where nobody gives them."""
    names = [*run.args.posonlyargs, *run.args.args]
    positional = zip(reversed(names), reversed(run.args.defaults), strict=False)
    keyword = zip(run.args.kwonlyargs, run.args.kw_defaults, strict=True)
    found = [*positional, *((name, value) for name, value in keyword if value is not None)]
    return {name.arg: ast.unparse(value) for name, value in found}


def _only_waits(statement: ast.stmt) -> bool:
    match statement:
        case ast.Expr(value=ast.Call(func=ast.Name(id="wait_for"))):
            return True
        case _:
            return False
