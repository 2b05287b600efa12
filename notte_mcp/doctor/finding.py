"""A finding: one sentence on one thing, how bad it is, and what mends it.

Below: nothing. Above: the rest of the doctor.
"""

from dataclasses import asdict, dataclass
from typing import Any, Literal

Level = Literal["ok", "warning", "failure"]


@dataclass(frozen=True, slots=True)
class Finding:
    """See the module. `name` is the thing's; `mend` is a command or a sentence; `done` is what `--fix` did."""

    name: str
    level: Level
    text: str
    mend: str = ""
    done: str = ""

    def as_json(self) -> dict[str, Any]:
        """Its fields, those that are empty left out."""
        return {key: value for key, value in asdict(self).items() if value}


def ok(name: str, text: str, *, done: str = "") -> Finding:
    """All is well, or is by now."""
    return Finding(name, "ok", text, done=done)


def warning(name: str, text: str, mend: str = "", *, done: str = "") -> Finding:
    """It works without, or with less."""
    return Finding(name, "warning", text, mend, done)


def failure(name: str, text: str, mend: str = "", *, done: str = "") -> Finding:
    """It does not work like this."""
    return Finding(name, "failure", text, mend, done)


def counted(count: int, what: str) -> str:
    """`1 server`, `2 servers`."""
    return f"{count} {what}" if count == 1 else f"{count} {what}s"
