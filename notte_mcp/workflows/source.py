"""Python source as text: literals, comments and calls, laid out as a formatter would.

Whatever a page or a person said reaches a script through `quote` or `comment` and no
other way, so that no text can end its literal or its line and become code. Lines are at most 100 columns where a string allows it.

Knows nothing of steps. Below: nothing. Above: the script writers.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

WIDTH: Final = 100
"""Columns of a line of a written script."""

_ESCAPES: Final = {"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


@dataclass(frozen=True, slots=True)
class Text:
    """A string literal. With `lines` it may be laid out as one literal per line of text."""

    value: str
    lines: bool = False


@dataclass(frozen=True, slots=True)
class Link:
    """One call of a chain: `.name(args)`; without a name, a call of what stands before it."""

    name: str
    args: tuple["Arg", ...] = ()


@dataclass(frozen=True, slots=True)
class Chain:
    """A head and the calls made on it: `page.get_by_role("link").click()`, with `await` before it if it is one."""

    head: str
    links: tuple[Link, ...] = ()
    awaited: bool = False

    def then(self, name: str, *args: "Arg") -> "Chain":
        """This chain with one more call."""
        return Chain(self.head, (*self.links, Link(name, args)), self.awaited)


@dataclass(frozen=True, slots=True)
class Mapping:
    """A dict literal with string keys."""

    items: tuple[tuple[str, "Expression"], ...]


@dataclass(frozen=True, slots=True)
class Joined:
    """Texts and sources of texts, added up."""

    parts: tuple["str | Text", ...]


@dataclass(frozen=True, slots=True)
class Items:
    """A list literal."""

    items: tuple["Expression", ...]


Expression = str | Text | Chain | Mapping | Joined | Items
"""What a statement is made of; a bare `str` is source already."""

Arg = Expression | tuple[str, Expression]
"""An argument, or (keyword, argument)."""


def call(function: str, *args: Arg, awaited: bool = False) -> Chain:
    """A call of a plain function."""
    return Chain(function, (Link("", args),), awaited)


def quote(text: str) -> str:
    """`text` as a literal of printable characters, in the quotes that a formatter would choose."""
    mark = "'" if text.count('"') > text.count("'") else '"'
    return mark + "".join(_escaped(char, mark) for char in text) + mark


def _escaped(char: str, mark: str) -> str:
    if char == mark:
        return "\\" + char
    if char in _ESCAPES:
        return _ESCAPES[char]
    if char.isprintable():
        return char
    code = ord(char)
    if code <= 0xFF:  # noqa: PLR2004 - the three widths of Python's escapes
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"  # noqa: PLR2004


def comment(text: str, indent: int = 0) -> str:
    """`text` as one comment line: what does not print is escaped, what is too long is cut."""
    line = "".join(char if char.isprintable() else _escaped(char, "") for char in text)
    # A comment that tools obey ("noqa", "type: ignore", "fmt: off") must not come out of a page.
    line = re.sub(r"#+", "", line)
    room = WIDTH - indent - 2
    return f"{' ' * indent}# {line if len(line) <= room else line[: room - 1] + '…'}".rstrip()


def columns(line: str) -> int:
    """How wide a line is: characters of East Asia take two columns, marks on others none."""
    if line.isascii():
        return len(line)
    return sum(
        0 if unicodedata.category(c) in ("Mn", "Me", "Cf") else 2 if unicodedata.east_asian_width(c) in "WF" else 1
        for c in line
    )


def flat(expression: Expression) -> str:
    """The expression on one line."""
    if isinstance(expression, str):
        return expression
    if isinstance(expression, Text):
        return quote(expression.value)
    if isinstance(expression, Mapping):
        return "{" + ", ".join(f"{quote(key)}: {flat(value)}" for key, value in expression.items) + "}"
    if isinstance(expression, Items):
        return "[" + ", ".join(map(flat, expression.items)) + "]"
    if isinstance(expression, Joined):
        return _formatted(expression) or " + ".join(map(flat, expression.parts))
    links = "".join(_opening(link) + ", ".join(map(_flat_arg, link.args)) + ")" for link in expression.links)
    return f"{'await ' if expression.awaited else ''}{expression.head}{links}"


def _opening(link: Link) -> str:
    return f".{link.name}(" if link.name else "("


def _flat_arg(arg: Arg) -> str:
    return f"{arg[0]}={flat(arg[1])}" if isinstance(arg, tuple) else flat(arg)


def lay_out(expression: Expression, *, before: str = "", after: str = "", indent: int = 4) -> list[str]:
    """The lines of a statement: `before`, the expression, `after`; broken where it is too long."""
    line = " " * indent + before + flat(expression) + after
    if columns(line) <= WIDTH:
        return [line]
    match expression:
        case str():
            lines = [line]
        case Text():
            lines = _text_lines(expression, before, after, indent)
        case Mapping():
            lines = _mapping_lines(expression, before, after, indent)
        case Joined():
            lines = _joined_lines(expression, before, after, indent)
        case Items():
            items = [line for item in expression.items for line in lay_out(item, after=",", indent=indent + 4)]
            lines = [" " * indent + before + "[", *items, " " * indent + "]" + after]
        case Chain():
            lines = _chain_lines(expression, before, after, indent) or [line]
    return lines


def _chain_lines(chain: Chain, before: str, after: str, indent: int) -> list[str] | None:
    """Broken within the last call that leaves a first line which fits; the first call has nothing to be judged by."""
    places = _breaks(chain)
    for place in places:
        link = chain.links[place]
        head = flat(Chain(chain.head, chain.links[:place], chain.awaited))
        first = " " * indent + before + head + _opening(link)
        if columns(first) <= WIDTH or place == places[-1]:
            tail = flat(Chain("", chain.links[place + 1 :]))
            return [first, *_arguments(link.args, indent + 4), " " * indent + ")" + tail + after]
    return None


def _breaks(chain: Chain) -> list[int]:
    """Calls that can be broken, the last one first."""
    return [place for place in reversed(range(len(chain.links))) if chain.links[place].args]


def _arguments(args: Sequence[Arg], indent: int) -> list[str]:
    """Arguments between the brackets: on one line where they fit, else one a line."""
    line = " " * indent + ", ".join(map(_flat_arg, args))
    if columns(line) <= WIDTH:
        return [line]
    comma = "," if len(args) > 1 else ""
    lines: list[str] = []
    for arg in args:
        keyword, value = arg if isinstance(arg, tuple) else ("", arg)
        lines += lay_out(value, before=f"{keyword}=" if keyword else "", after=comma, indent=indent)
    return lines


def _text_lines(text: Text, before: str, after: str, indent: int) -> list[str]:
    if not text.lines or "\n" not in text.value.rstrip("\n"):
        return [" " * indent + before + quote(text.value) + after]
    parts = [quote(part) for part in text.value.splitlines(keepends=True)]
    pad = " " * indent
    return [pad + before + parts[0], *(pad + part for part in parts[1:-1]), pad + parts[-1] + after]


def _formatted(joined: Joined) -> str | None:
    """The texts as one f-string, where all that is put into it is names."""
    pieces: list[str] = []
    for part in joined.parts:
        if isinstance(part, str) and not part.isidentifier():
            return None
        pieces.append(f"{{{part}}}" if isinstance(part, str) else part.value.replace("{", "{{").replace("}", "}}"))
    return f"f{quote(''.join(pieces))}"


def _joined_lines(joined: Joined, before: str, after: str, indent: int) -> list[str]:
    pad = " " * indent
    if (line := _formatted(joined)) is not None:
        return [f"{pad}{before}{line}{after}"]
    lines = [f"{pad}+ {flat(part)}" for part in joined.parts]
    lines[0] = f"{pad}{before}{flat(joined.parts[0])}"
    return [*lines[:-1], lines[-1] + after]


def pattern(regex: str) -> Chain:
    """`re.compile(...)` of a regular expression, raw where it can be."""
    raw = regex.isprintable() and '"' not in regex and not regex.endswith("\\")
    return call("re.compile", f'r"{regex}"' if raw and "\\" in regex else Text(regex))


def _mapping_lines(mapping: Mapping, before: str, after: str, indent: int) -> list[str]:
    lines = [" " * indent + before + "{"]
    for key, value in mapping.items:
        lines += lay_out(value, before=f"{quote(key)}: ", after=",", indent=indent + 4)
    return [*lines, " " * indent + "}" + after]
