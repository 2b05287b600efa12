"""Following an agent: its log for speed, its status for truth.

The status lists all steps in order, and by that list they are counted. The log brings the same ones sooner, but nobody
promises that it brings them all, nor none twice: its steps are believed once one of them was found in the list, are known
again by their marks, and whatever it does (closes, goes silent, tells junk), the list is asked. Where it is of no use the
list alone is, again and again.

Below: shapes, heard, streaming. Above: hosted.
"""

import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import anyio

from notte_mcp.cloud_errors import CloudNotNotte, CloudUnavailable, CloudUnknown
from notte_mcp.engines.notte.heard import Element, End
from notte_mcp.engines.notte.shapes import Reader, Told, Translate, is_live, status_of, steps_of
from notte_mcp.engines.notte.streaming import Heard, Log
from notte_mcp.engines.remote import HostedRemark, HostedStatus, HostedStep

Item = HostedStep | HostedRemark | HostedStatus


@dataclass(frozen=True, slots=True)
class Pace:
    """How often the status is asked for (seconds): from `first_s` on, more seldom up to `most_s` while nothing comes.
    After `silence_s` without a frame of the log it is asked, too; after `patience_s` without any answer it is given up."""

    first_s: float = 1.0
    most_s: float = 2.0
    silence_s: float = 20.0
    patience_s: float = 120.0
    sleep: Callable[[float], Awaitable[None]] = anyio.sleep
    clock: Callable[[], float] = time.monotonic


class Following:
    """One agent from its step `after` on. `status` gives the API's answer, `listen` opens the log (None: there is
    none)."""

    def __init__(
        self,
        status: Callable[[], Awaitable[dict[str, Any]]],
        listen: Callable[[], Awaitable[Log | None]],
        translate: Translate,
        *,
        after: int = 0,
        pace: Pace | None = None,
    ) -> None:
        self._status = status
        self._listen = listen
        self._translate = translate
        self._pace = pace or Pace()
        self._reader = Reader(translate)
        self._after = after
        self._given: list[frozenset[str]] = []
        self._marks: set[str] = set()
        self._begun = False
        self._in_step = False
        self._met = 0
        self._doubted: list[Told] = []
        self._doubts = 0
        self._is_silent = False
        self._last: dict[str, Any] = {}
        self._log: Log | None = None
        self._pause = self._pace.first_s
        self._answered = self._pace.clock()

    async def items(self) -> AsyncGenerator[Item]:
        """See `Remote.follow`."""
        self._log = await self._listen()
        try:
            while True:
                status = await self._asked()
                over = status is not None and not is_live(status)
                listed = self._listed(status)
                for step in listed:
                    yield step
                if listed and self._is_silent:  # the log does not tell of what there is
                    await self._leave()
                if over and status is not None:
                    yield status_of(status, steps_of(status.get("steps"), self._translate, over=True))
                    return
                due = False
                while not due:
                    items, due = await self._next()
                    for item in items:
                        yield item
        finally:
            await self._leave()

    # --- the status ---------------------------------------------------------------

    async def _asked(self) -> dict[str, Any] | None:
        """The status; None where it is not to be had just now.

        Raises: CloudUnavailable, CloudNotNotte: for too long. CloudUnknown, CloudKeyRefused, CloudNoCredit.
        """
        try:
            found = await self._status()
        except (CloudUnavailable, CloudNotNotte):
            if self._pace.clock() - self._answered < self._pace.patience_s:
                return None
            if not self._last:
                raise
            return self._last  # the log has said how it ended
        except CloudUnknown:
            if not self._last:
                raise
            return self._last
        self._answered = self._pace.clock()
        return found

    def _listed(self, status: dict[str, Any] | None) -> list[HostedStep]:
        """The steps of the list that were not given yet."""
        if status is None:
            return []
        told = steps_of(status.get("steps"), self._translate, over=not is_live(status))
        if not self._begun:
            self._begun = True
            for index in range(self._after):  # of an earlier following
                self._note(told[index].marks if index < len(told) else frozenset())
        known = len(self._given)
        if all(not mine or not its.marks or mine & its.marks for mine, its in zip(self._given, told, strict=False)):
            fresh = told[known:]
        else:  # the log has told of them in another order, or left some out
            fresh = [one for one in told if one.marks and not one.marks & self._marks]
        if fresh:
            self._pause = self._pace.first_s
        given = self._give(fresh)
        if any(one.marks & self._marks for one in self._doubted):
            self._in_step, self._doubts = True, 0
        self._doubted = []
        return given

    async def _rest(self) -> None:
        await self._pace.sleep(self._pause)
        self._pause = min(self._pause * 1.25, self._pace.most_s)

    # --- the log ------------------------------------------------------------------

    async def _next(self) -> tuple[Sequence[Item], bool]:
        """What the log brings next, and whether the list is to be asked then; without a log after a while it is."""
        if self._log is None:
            await self._rest()
            return [], True
        heard: Heard = await self._log.next(self._pace.silence_s)
        self._is_silent = heard == "silence"
        match heard:
            case Element():
                return await self._step(heard)
            case HostedRemark():
                # A log may begin with what was told of before this following began.
                return ([] if 0 < self._met < self._after else [heard]), False
            case End(status=status):
                self._last = {} if is_live(status) else status
                await self._leave()
            case "closed":
                await self._leave()
            case "silence" | "junk":
                pass
        return [], heard != "junk"

    async def _step(self, heard: Element) -> tuple[Sequence[Item], bool]:
        told = self._reader.feed(heard.value)
        fresh = [one for one in told if not self._met_again(one)]
        if not fresh:
            return [], False
        if self._in_step and all(one.marks for one in fresh):
            return self._give(fresh), False
        # Nothing says yet that none was left out before it. The list does; where it does not know it, it is not believed.
        self._doubts, self._doubted = self._doubts + 1, fresh
        if self._doubts > 3:  # noqa: PLR2004 - as often as a list may lag behind its log
            await self._leave()
        elif self._doubts > 1:
            await self._rest()
        return [], True

    def _met_again(self, told: Told) -> bool:
        """Whether the step was given already; the log is in step with the list then."""
        if not told.marks & self._marks:
            return False
        self._in_step, self._doubts = True, 0
        self._met = next((number for number, mine in enumerate(self._given, 1) if mine & told.marks), 0)
        return True

    async def _leave(self) -> None:
        log, self._log = self._log, None
        if log is not None:
            await log.close()

    # --- what was given -------------------------------------------------------------

    def _give(self, fresh: Sequence[Told]) -> list[HostedStep]:
        given: list[HostedStep] = []
        for one in fresh:
            given.append(replace(one.step, index=len(self._given)))
            self._note(one.marks)
        self._met = len(self._given) if fresh else self._met
        return given

    def _note(self, marks: frozenset[str]) -> None:
        self._given.append(marks)
        self._marks |= marks
