"""What stands behind the `?` of an address, and the numbers in it: read strictly, refused in words.

Below: errors. Above: reader, agents, log, replay.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl

from notte_mcp.errors import InvalidArgument

_DIGITS: Final = 15
"""Of a number; SQLite's integers end at 19."""

_SHOWN: Final = 50
"""Characters of a wrong value that a refusal repeats."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a log a reader stands: after the line of step `step` and after `line` further lines that belong to it.

    Written `12`, or `12.3`. What is read from there on is all that follows, and nothing of what came before: a log
    grows at its end only, so each line is read once by who goes on from the last one.
    """

    step: int = 0
    line: int = 0

    def __str__(self) -> str:
        return f"{self.step}.{self.line}" if self.line else str(self.step)


def query_of(uri: str, query: str, names: Collection[str]) -> dict[str, str]:
    """The query's values by name. Raises: InvalidArgument: an unknown name, or one that stands there twice."""
    base = uri.split("?", 1)[0]
    given: dict[str, str] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        if name not in names:
            known = f"It takes {', '.join(f'`{one}`' for one in names)}." if names else "It takes none."
            raise InvalidArgument(f"{base} has no parameter {name[:_SHOWN]!r}. {known}", next_call=base)
        if name in given:
            raise InvalidArgument(f"`{name}` stands twice in the address.", next_call=f"{base}?{name}={value[:_SHOWN]}")
        given[name] = value
    return given


def place_of(uri: str, query: Mapping[str, str]) -> Place:
    """Where `?after=` says to go on; the beginning without it. Raises: InvalidArgument."""
    after = query.get("after", "0")
    step, dot, line = after.partition(".")
    if not _is_number(step) or (dot and not _is_number(line)):
        raise InvalidArgument(
            f"`after` is a step's number (12), or the `cursor` of a line (12.3), not {after[:_SHOWN]!r}.",
            next_call=f"{uri.split('?', 1)[0]}?after=0",
        )
    return Place(int(step), int(line or "0"))


def format_of(uri: str, query: Mapping[str, str]) -> str:
    """The `?format=` that is asked for. Raises: InvalidArgument."""
    given = query.get("format", "json")
    if given not in ("json", "text"):
        raise InvalidArgument(
            f"`format` is json or text, not {given[:_SHOWN]!r}.", next_call=f"{uri.split('?', 1)[0]}?format=text"
        )
    return given


def step_number(uri: str, text: str) -> int:
    """The step's number in `.../steps/{n}/...`. Raises: InvalidArgument."""
    return _counted(text, "A step's number is 1 or more", uri.split("/steps/", 1)[0] + "/steps?format=text")


def part_of(uri: str, query: Mapping[str, str]) -> int | None:
    """Which `?part=` is asked for, from 1; None where all of it is. Raises: InvalidArgument."""
    base = uri.split("?", 1)[0]
    return _counted(query["part"], "`part` is 1 or more", f"{base}?part=1") if "part" in query else None


def _counted(text: str, rule: str, next_call: str) -> int:
    if not _is_number(text) or int(text) < 1:
        raise InvalidArgument(f"{rule}, not {text[:_SHOWN]!r}.", next_call=next_call)
    return int(text)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= _DIGITS
