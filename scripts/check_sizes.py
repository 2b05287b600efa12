"""Hold the ceilings of the house: lengths of files and functions, and names that say nothing.

Files of the package (Python and JavaScript) have at most 350 lines, Python functions
at most 50 without their docstring. No folder, module or class is named with a word of
`BANNED`: each hides what the thing is. What is found is printed as `path:line: what`, one
a line; exit code 1 when there is any.
"""

import ast
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

MAX_FILE_LINES: Final = 350
MAX_FUNCTION_LINES: Final = 50
BANNED: Final = frozenset({"manager", "service", "handler", "helper", "util", "data", "info"})

_WORD: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")

_FUNCTION: Final = (ast.FunctionDef, ast.AsyncFunctionDef)


def banned_words(name: str) -> list[str]:
    """The banned words in a name, singular or plural, in `snake_case`, `kebab-case` or `CamelCase`."""
    words = [word.lower() for word in _WORD.findall(name)]
    return [word for word in words if word in BANNED or word.removesuffix("s") in BANNED]


def function_lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of a function from `def` to its end, without its docstring and its decorators."""
    lines = (node.end_lineno or node.lineno) - node.lineno + 1
    first = node.body[0]
    if ast.get_docstring(node, clean=False) is not None:
        lines -= (first.end_lineno or first.lineno) - first.lineno + 1
    return lines


def faults_of_names(root: Path, path: Path, tree: ast.Module | None) -> Iterator[str]:
    """The names of this file, of the folders it is in and of its classes, where they hold a banned word.

    Functions go free: some override a vendor's method (`handle_data`).
    """
    for part in path.relative_to(root).with_suffix("").parts:
        for word in banned_words(part):
            yield f"{path}:1: the name {part!r} holds {word!r}"
    for node in ast.walk(tree) if tree else ():
        if isinstance(node, ast.ClassDef):
            for word in banned_words(node.name):
                yield f"{path}:{node.lineno}: the name {node.name!r} holds {word!r}"


def faults_of_lengths(path: Path, text: str, tree: ast.Module | None) -> Iterator[str]:
    """This file and its functions, where they are too long."""
    if (lines := len(text.splitlines())) > MAX_FILE_LINES:
        yield f"{path}:1: {lines} lines; a file has at most {MAX_FILE_LINES}"
    for node in ast.walk(tree) if tree else ():
        if isinstance(node, _FUNCTION) and (lines := function_lines(node)) > MAX_FUNCTION_LINES:
            yield f"{path}:{node.lineno}: {node.name}() has {lines} lines; a function has at most {MAX_FUNCTION_LINES}"


def faults(root: Path) -> list[str]:
    """Everything below this folder that breaks a ceiling, in order of path."""
    found: list[str] = []
    for path in sorted(p for p in root.rglob("*") if p.suffix in {".py", ".js"}):
        text = path.read_text(encoding="utf-8")
        tree = ast.parse(text, str(path)) if path.suffix == ".py" else None
        found += faults_of_names(root, path, tree)
        found += faults_of_lengths(path, text, tree)
    return found


def main(arguments: Sequence[str]) -> int:
    """Check the package, or the folders named; gives the exit code."""
    found = [fault for root in arguments or ["notte_mcp"] for fault in faults(Path(root))]
    print("\n".join(found) or "Ceilings: kept.")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
