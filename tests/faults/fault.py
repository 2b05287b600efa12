"""A fault, how often it is done, and what became of it: values only.

Below: grounds. Above: the files of faults, table, `__main__`, test_gate.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Literal

from tests.faults.grounds import Grounds

Size = Literal["gate", "short", "full"]
"""`gate` is part of every test run, `short` is `make faults`, `full` is `make faults-full`, done by hand."""


@dataclass(frozen=True, slots=True)
class Counts:
    """How often a fault is done in each size; `gate=0` leaves it out of the tests."""

    gate: int
    short: int
    full: int

    def of(self, size: Size) -> int:
        counts: dict[Size, int] = {"gate": self.gate, "short": self.short, "full": self.full}
        return counts[size]


ONCE = Counts(gate=0, short=1, full=1)


@dataclass(slots=True)
class Tally:
    """What was tried, and each thing that did not hold, as a sentence. `noted` counts what is worth telling besides."""

    tried: int = 0
    lost: list[str] = field(default_factory=list[str])
    noted: dict[str, float] = field(default_factory=dict[str, float])

    def expect(self, held: object, otherwise: str) -> bool:
        """Count one trial; where it did not hold, say so. Gives whether it held."""
        self.tried += 1
        if not held:
            self.lost.append(otherwise)
        return bool(held)

    def note(self, name: str, more: float = 1) -> None:
        self.noted[name] = self.noted.get(name, 0) + more

    def most(self, name: str, value: float) -> None:
        """Note the largest of the values."""
        self.noted[name] = max(self.noted.get(name, 0), value)


@dataclass(frozen=True, slots=True)
class Fault:
    """One way in which things go wrong.

    `promises` are those of PROMISES.md that it tries; `does` is what is done, as the table tells it; `run` does it
    `times` times on its own grounds. What is left of processes, sockets and folders afterwards is looked for by whoever
    runs it. One that `shares` may be given a server that goes on, in which others were tried. `seconds` is how long it may take at most in its `short` size; the full size may take 40 times that.
    """

    name: str
    promises: tuple[str, ...]
    does: str
    run: Callable[[Grounds, int, Tally], Awaitable[None]]
    counts: Counts = ONCE
    seconds: float = 60.0
    shares: bool = False
