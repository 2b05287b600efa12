"""What a row is: something measured on our side and on the floor's, and the numbers it has to reach.

Below: host, wire. Above: the files that measure, `__main__` that prints.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any, Final, Literal

from benchmarks.host import Host
from benchmarks.wire import Wire
from tests.site import Site

Unit = Literal["ms", "tokens", "calls", "MB"]
"""Milliseconds (a median), tokens of o200k_base, tool calls, megabytes of the whole process tree."""

UNITS: Final[tuple[Unit, ...]] = ("ms", "tokens", "calls", "MB")


@dataclass(frozen=True, slots=True)
class Target:
    """At most this much of a unit; with `of_floor`, this many times what the floor takes in the same run."""

    unit: Unit
    limit: float
    of_floor: bool = False

    def __str__(self) -> str:
        return f"{self.limit:g}x" if self.of_floor else f"{self.limit:,g} {self.unit}"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came out. `ratios` are ours by the floor's, pair by pair (their median); else the medians are compared."""

    ours: Mapping[Unit, float]
    floor: Mapping[Unit, float]
    ratios: Mapping[Unit, float] = field(default_factory=dict[Unit, float])
    note: str = ""

    def value(self, target: Target) -> float:
        """The number that a target is about."""
        if not target.of_floor:
            return self.ours[target.unit]
        return self.ratios.get(target.unit) or self.ours[target.unit] / self.floor[target.unit]

    def over(self, targets: Sequence[Target]) -> list[str]:
        """What was not reached."""
        return [
            f"{self.value(one):,.2f}x" if one.of_floor else f"{self.value(one):,.0f} {one.unit}"
            for one in targets
            if self.value(one) > one.limit
        ]


@dataclass(frozen=True, slots=True)
class Run:
    """What every row gets: the site, and how often to repeat. A warm row also gets the server and the floors."""

    site: Site
    short: bool
    host: Host | None = None
    floors: Wire | None = None

    def warm(self) -> tuple[Host, Wire]:
        """The server and the floors, each with its browser running."""
        assert self.host is not None
        assert self.floors is not None
        return self.host, self.floors

    def times(self, full: int) -> range:
        """The repetitions of a full run, or the one of a short run."""
        return range(1 if self.short else full)


Measure = Callable[[Run], Awaitable[Outcome]]


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table."""

    name: str
    what: str
    targets: tuple[Target, ...]
    measure: Measure
    warm: bool = False
    """Whether it wants processes and browsers that run already, shared with the warm rows next to it."""


def paired(pairs: Sequence[tuple[float, float]], **ours: float) -> Outcome:
    """The outcome of paired times (ours, the floor's) in ms; `ours` are our other numbers, by unit."""
    mine, floors = [one for one, _ in pairs], [other for _, other in pairs]
    others: Any = ours
    return Outcome(
        {"ms": median(mine), **others},
        {"ms": median(floors)},
        {"ms": median(one / other for one, other in pairs)},
    )
