"""An element that a step names: the ways to it, and which of them may be believed when the first is gone.

Below: workflows (acting). Above: steps.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Final

from notte_mcp.engines.base import Found
from notte_mcp.observations import clean_line
from notte_mcp.receipts import Locators
from notte_mcp.workflows import WorkflowStep
from notte_mcp.workflows.acting import Way, placed, ways

_FRAMES_LOOKED_AT: Final = {1: 6, 2: 4, 3: 2}
"""How many frames of each page are tried where the recorded one is not found, by how deep the element stands."""

_MAX_NAME: Final = 120
"""Characters of a name that a receipt tells."""

_COUNTED: Final = re.compile(r"(?:[\w-]*#|[\w-]*\[).*\d")
"""An id or attribute with a number in it, which may be the row's: another row has it once that one is gone."""


@dataclass(frozen=True, slots=True)
class Aim:
    """An element that an action names: the ways to it, what stands there, and ways through other frames than the
    recorded ones. `by_place` says that a way of where it stands may take the place of the first one."""

    ways: tuple[Way, ...] = ()
    role: str = ""
    name: str = ""
    astray: tuple[Way, ...] = ()
    by_place: bool = False

    @property
    def is_sure(self) -> bool:
        """Whether the first way may be taken as it is, with no look at what it leads to."""
        return not self.ways or self.ways[0].steady or not (self.role and self.name)

    @property
    def all(self) -> tuple[Way, ...]:
        return (*self.ways, *self.astray)

    def sound(self, found: Sequence[Found | None], *, any_way: bool) -> Way | None:
        """The first way that leads to it for certain (`found` is in the order of `all`); with `any_way` the later
        ones are believed too, and another frame where it is the only one that has such an element."""
        if found and found[0] is not None and (self.is_sure or self._is_named(found[0])):
            return self.ways[0]
        if not any_way:
            return None
        later = list(zip(self.all, found, strict=True))[1:]
        hits = [way for way, there in later if there is not None and self._is(way, there)]
        known = next((way for way in hits if way in self.ways), None)
        return known or (hits[0] if len(hits) == 1 else None)

    def _is(self, way: Way, there: Found) -> bool:
        if way.steady:
            return not self.role or there.role == self.role
        return (self.by_place or way in self.astray) and bool(self.role and self.name) and self._is_named(there)

    def _is_named(self, there: Found) -> bool:
        same_name = clean_line(there.name, _MAX_NAME) == clean_line(self.name, _MAX_NAME)
        return same_name and (not self.role or there.role == self.role)


def aims_of(step: WorkflowStep, values: Mapping[str, str]) -> tuple[Aim, Aim]:
    """What the step's action is done to, and where that is taken (`drag`); one without ways where it names none."""
    return _aim(step, placed(step, values)), _aim(None, step.destination)


def chosen_of(aims: Sequence[Aim], found: Sequence[Found | None], *, any_way: bool) -> list[Way | None] | None:
    """A way for each element that is named; None where one has none yet."""
    chosen: list[Way | None] = []
    begin = 0
    for aim in aims:
        end = begin + len(aim.all)
        way = aim.sound(found[begin:end], any_way=any_way)
        if aim.ways and way is None:
            return None
        chosen.append(way)
        begin = end
    return chosen


def healing(aims: Sequence[Aim], chosen: Sequence[Way | None]) -> str:
    """The selectors that took the place of recorded ones, or ""."""
    other = [way.selector for aim, way in zip(aims, chosen, strict=True) if way is not None and way != aim.ways[0]]
    return " and ".join(other)


def _aim(step: WorkflowStep | None, locators: Locators | None) -> Aim:
    if locators is None:
        return Aim()
    role, name = locators.role or ("", "")
    known, by_place = ways(locators), False
    if step is not None:
        # What a reader is told (`password`, `file`), where there is no role to ask for.
        role, name = step.role or role, name or step.name
        # Whose role and name others bear too is not told from them by its place: that is another one's by now.
        by_place = locators.role is not None and locators.row is None and not step.effect
    if not by_place:
        known = (*known[:1], *(replace(way, steady=way.steady and not _is_counted(way)) for way in known[1:]))
    return Aim(known, role, name, _through_other_frames(locators), by_place)


def _is_counted(way: Way) -> bool:
    return _COUNTED.match(way.selector.rpartition(" >> ")[2]) is not None


def _through_other_frames(locators: Locators) -> tuple[Way, ...]:
    """The element by its role and name (else by its first way) in whatever frames there are."""
    depth = len(locators.frame)
    if not depth or depth not in _FRAMES_LOOKED_AT:
        return ()
    named = locators.role is not None and locators.role[1] and not locators.shadow
    inside = Locators(role=locators.role) if named else locators
    numbers = product(range(_FRAMES_LOOKED_AT[depth]), repeat=depth)
    if not ways(inside)[0].steady:
        return ()
    found = [ways(replace(inside, frame=tuple(f"iframe >> nth={n}" for n in path)))[:1] for path in numbers]
    return tuple(replace(way, steady=False) for first in found for way in first)
