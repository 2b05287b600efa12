"""Calls taken back at every moment of what they do: nothing stays locked, and what is on record is what happened.

A grid of moments over one action, for several kinds of action at the same time, each in its session; in both eras.

Below: fault, grounds, talk. Above: durable.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

import anyio

from tests.faults.fault import Tally
from tests.faults.grounds import Grounds
from tests.faults.talk import Talk
from tests.site import Site

LASTS_S: Final = 2.0
"""How long the actions take about, and so how far the moments go."""

NEXT_S: Final = 5.0
"""When the next call has to be answered on a busy machine with five sessions at work: 1 s is meant, and noted is the
most; a lock that stuck or a page that answers nothing shows after 10 s."""

FEW: Final = 20
"""With fewer moments only the form is sent, in the newer era."""

Actions = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Kind:
    """Something to take back. `page` is where it is done, `counts` how often the site saw it done by a token; `at` is the place of the action that does it."""

    name: str
    page: str
    actions: Callable[[Site, str], Actions]
    counts: Callable[[Site, str], int]
    at: int = 0


def _form(_: Site, token: str) -> Actions:
    return [
        {"type": "fill", "selector": "#applicant", "value": token},
        {"type": "fill", "selector": "#email", "value": f"{token}@example.org"},
        {"type": "click", "selector": "form button:not([disabled])"},
        {"type": "wait", "time_ms": 1_500},
    ]


def _fills(_: Site, token: str) -> Actions:
    return [{"type": "fill", "selector": "#applicant", "value": f"{token}{'x' * 20_000}"} for _ in range(12)]


def _request(_: Site, token: str) -> Actions:
    code = f"document.querySelector('button').onclick = () => fetch('/slow?ms=3000&t={token}'); null"
    return [{"type": "evaluate_js", "code": code}, {"type": "click", "selector": "button"}]


def _slow_page(site: Site, token: str) -> Actions:
    return [{"type": "goto", "url": site.url(f"/slow?ms=2000&t={token}")}]


def _wait(_: Site, token: str) -> Actions:
    return [{"type": "wait_for", "value": f"never {token}", "timeout_ms": 2_000}]


def _asked_for(site: Site, token: str) -> int:
    return sum(target.endswith(f"&t={token}") for _, target, _ in list(site.requests))


def _sent(site: Site, token: str) -> int:
    return sum(one.value("applicant") == token for one in list(site.submissions))


KINDS: Final = (
    Kind("form", "/form.html", _form, _sent, at=2),
    Kind("click", "/product/1", _request, _asked_for, at=1),
    Kind("goto", "/form.html", _slow_page, _asked_for),
    Kind("wait_for", "/form.html", _wait, lambda _, __: 0),
    Kind("fill", "/form.html", _fills, lambda _, __: 0),
)


@dataclass(slots=True)
class Grid:
    """One kind in one session, at one moment after the other."""

    site: Site
    tally: Tally
    talk: Talk
    kind: Kind
    era: str
    session: str = ""
    said: dict[str, object] = field(default_factory=dict[str, object])

    async def over(self, moments: list[float]) -> None:
        self.session = (await self.talk.call("notte_start", url=self.site.url(self.kind.page))).facts["session_id"]
        for moment in moments:
            await self._cancel(moment, f"{self.era}-{self.kind.name}-{round(moment * 1_000)}")
        await self.talk.call("notte_stop", id=self.session)

    async def _cancel(self, after_s: float, token: str) -> None:
        there = [{"type": "goto", "url": self.site.url(self.kind.page)}]
        said = await self.talk.call("notte_execute", session_id=self.session, actions=there, observe="none")
        self.tally.expect(not said.is_error, f"{token}: before it: {said.text}")
        before = await self._count()
        actions = self.kind.actions(self.site, token)
        call = self.talk.begin("notte_execute", session_id=self.session, actions=actions, observe="none")
        await anyio.sleep(after_s)
        self.talk.cancel(call)
        begun = time.monotonic()
        seen = await self.talk.call("notte_observe", session_id=self.session)
        took = time.monotonic() - begun
        self.tally.most(f"slowest next call after {self.kind.name}, ms", round(took * 1_000))
        self.tally.expect(not seen.is_error and took < NEXT_S, f"{token}: after {took:.1f} s: {seen.text[:300]}")
        await self._compare(token, before, actions)

    async def _count(self) -> int:
        count: int = (await self.talk.call("notte_status", id=self.session)).facts["step_count"]
        return count

    async def _compare(self, token: str, before: int, actions: Actions) -> None:
        steps = await self.talk.steps(self.session, after=before)
        numbers = [step["number"] for step in steps]
        self.tally.expect(numbers == list(range(before + 1, before + len(steps) + 1)), f"{token}: numbered {numbers}")
        kinds = [step["action"]["type"] for step in steps]
        self.tally.expect(kinds == [one["type"] for one in actions][: len(kinds)], f"{token}: the steps are {kinds}")
        outcomes = [outcome_of(step) for step in steps]
        self.tally.expect("in flight" not in outcomes, f"{token}: {outcomes}")
        one = outcomes[self.kind.at] if len(outcomes) > self.kind.at else "never begun"
        self.said[token] = one
        self.tally.note(one)

    def judge(self) -> None:
        """What was said of each, beside what the site saw in the end."""
        for token, outcome in self.said.items():
            seen = self.kind.counts(self.site, token)
            allowed = {"done": (1,), "outcome_unknown": (0, 1), "failed": (0, 1)}.get(str(outcome), (0,))
            counted = self.kind.name in ("form", "click", "goto")
            self.tally.expect(not counted or seen in allowed, f"{token} is {outcome}, and came {seen} times")


def outcome_of(step: dict[str, Any]) -> str:
    """A step's outcome, from its line of the log."""
    if step["success"] is None:
        return "outcome_unknown" if step["ended_at"] or step["receipt"] else "in flight"
    if step["success"]:
        return "done"
    return "cancelled" if step["receipt"].get("code") == "cancelled" else "failed"


async def cancel(grounds: Grounds, times: int, tally: Tally) -> None:
    """Take calls back at that many moments of each kind of action."""
    few = times < FEW
    lasts = LASTS_S / 2 if few else LASTS_S
    moments = [lasts * number / times for number in range(times)]
    eras = [("new", False, moments)] if few else [("new", False, moments[::2]), ("old", True, moments[1::2])]
    for era, legacy, when in eras:
        with grounds.server() if legacy else grounds.talk() as it:
            talk = it if isinstance(it, Talk) else Talk(it, legacy=True)
            await talk.call("notte_status")
            grids = [Grid(grounds.site, tally, talk, kind, era) for kind in (KINDS[:1] if few else KINDS)]
            async with anyio.create_task_group() as group:
                for grid in grids:
                    group.start_soon(partial(grid.over, when))
            for grid in grids:
                grid.judge()
