"""Many sessions in one server on few processors, while some of their browsers and renderers are killed.

Every session has a canary in its page. What any answer shows has to be its own.
Below: fault, grounds, talk. Above: sharing.
"""

import random
import secrets
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

import anyio
import psutil

from tests.e2e.whole import below, browsers_below
from tests.faults.fault import Tally
from tests.faults.grounds import Grounds
from tests.faults.moments import leave
from tests.faults.talk import Said, Talk

SEED: Final = 2_026
ROUNDS: Final = 6
"""How often each session is worked in."""

APART: Final = 8
"""One session in so many has a browser of its own; the others share one."""

LONGEST_S: Final = 45.0
"""Every call answers within that."""


@dataclass(slots=True)
class _Crowd:
    """What goes on. `canaries` are all, by session; `over` is set when the work is done."""

    talk: Talk
    grounds: Grounds
    tally: Tally
    canaries: dict[str, str] = field(default_factory=dict[str, str])
    status_s: list[float] = field(default_factory=list[float])
    over: anyio.Event = field(default_factory=anyio.Event)

    def own(self, session: str, said: Said, what: str) -> None:
        """No other session's canary is in an answer; one that is no error is this session's."""
        others = [one for other, one in self.canaries.items() if other != session and one in said.text]
        self.tally.expect(not others, f"{what} of {session} shows what is another's: {said.text[:200]}")
        if said.is_error:
            self.tally.note("errors told")
            self.tally.expect(
                "Next: " in said.text and "itself failed" not in said.text, f"{what}: no typed error: {said.text[:300]}"
            )


async def crowd(grounds: Grounds, times: int, tally: Tally) -> None:
    """`times` is how many sessions there are."""
    with grounds.server(NOTTE_MCP_MAX_SESSIONS=str(times)) as wire:
        here = _Crowd(Talk(wire), grounds, tally)
        async with anyio.create_task_group() as opening:
            for number in range(times):
                opening.start_soon(_open, here, number)
        tally.expect(len(here.canaries) == times, f"{len(here.canaries)} of {times} sessions opened")
        full = await here.talk.call("notte_start")
        tally.expect(full.is_error and str(times) in full.text, f"one too many: {full.text[:200]}")
        tally.most("MB at most", _megabytes(wire.process.pid))
        async with anyio.create_task_group() as beside:
            beside.start_soon(_ask, here)
            beside.start_soon(_kill, here, wire.process.pid)
            async with anyio.create_task_group() as working:
                for number, session in enumerate(list(here.canaries)):
                    working.start_soon(_work, here, session, number)
            here.over.set()
        tally.most("MB at most", _megabytes(wire.process.pid))
        async with anyio.create_task_group() as ending:
            for session in here.canaries:
                ending.start_soon(_at_last, here, session)
        slowest = sorted(here.status_s)
        tally.most("status p95 ms", round(slowest[int(len(slowest) * 0.95)] * 1000))
        tally.expect(slowest[-1] < LONGEST_S, f"a status took {slowest[-1]:.0f} s")
        tree = below(wire.process.pid)
        await leave(wire)
    left = [process for process in tree if process.is_running() and process.status() != psutil.STATUS_ZOMBIE]
    tally.expect(not left, f"left are {left}")


async def _open(here: _Crowd, number: int) -> None:
    url = here.grounds.site.url("/form.html")
    said = await here.talk.call("notte_start", url=url, session={"own_browser": number % APART == 0})
    if here.tally.expect(not said.is_error, f"session {number}: {said.text[:200]}"):
        here.canaries[str(said.facts["session_id"])] = f"canary-{number:03}-{secrets.token_hex(6)}"


async def _work(here: _Crowd, session: str, number: int) -> None:
    """Put the canary into the page and see that it is there, again after each death."""
    canary = here.canaries[session]
    for turn in range(ROUNDS):
        fill = {"type": "fill", "selector": "#applicant", "value": f"{canary}-{turn}"}
        acted = await here.talk.call("notte_execute", session_id=session, actions=[fill], observe="none")
        here.own(session, acted, "execute")
        seen = await here.talk.call("notte_observe", session_id=session)
        here.own(session, seen, "observe")
        if not acted.is_error and "ok" in acted.text and not seen.is_error and "crashed" not in seen.text:
            here.tally.expect(canary in seen.text, f"session {number} does not show its own: {seen.text[:200]}")
        if acted.is_error or seen.is_error:
            await _again(here, session)
        await anyio.sleep(number % 7 / 7)  # not all in step


async def _at_last(here: _Crowd, session: str) -> None:
    """Nobody kills any more: each session is there, or is restored at the first call, and shows its own."""
    url, canary = here.grounds.site.url("/form.html"), here.canaries[session]
    said = await here.talk.call("notte_start", session_id=session, url=url)
    if not here.tally.expect(not said.is_error, f"not restored in peace: {said.text[:300]}"):
        return
    fill = {"type": "fill", "selector": "#applicant", "value": f"{canary}-last"}
    await here.talk.call("notte_execute", session_id=session, actions=[fill], observe="none")
    seen = await here.talk.call("notte_observe", session_id=session)
    here.own(session, seen, "last look")
    here.tally.expect(f"{canary}-last" in seen.text, f"does not show its own at last: {seen.text[:200]}")
    stopped = await here.talk.call("notte_stop", id=session)
    here.tally.expect(not stopped.is_error, f"stop: {stopped.text[:200]}")


async def _again(here: _Crowd, session: str) -> None:
    """Restore it; what it gets may be killed again meanwhile, which it is told."""
    said = await here.talk.call("notte_start", session_id=session, url=here.grounds.site.url("/form.html"))
    here.own(session, said, "restore")
    here.tally.note("restores killed again" if said.is_error else "restored")


async def _ask(here: _Crowd) -> None:
    while not here.over.is_set():
        begun = anyio.current_time()
        said = await here.talk.call("notte_status")
        here.status_s.append(anyio.current_time() - begun)
        here.tally.expect(not said.is_error, f"status: {said.text[:200]}")
        await anyio.sleep(0.1)


async def _kill(here: _Crowd, server: int) -> None:
    """Now a renderer, now a browser."""
    chance = random.Random(SEED)  # noqa: S311 - the same kills every time
    kills = 0
    while not here.over.is_set():
        with anyio.move_on_after(1.0 + 2 * chance.random()):
            await here.over.wait()
            return
        kills += 1
        victims = browsers_below(server) if kills % 3 == 0 else _renderers(server)
        if victims:
            with suppress(psutil.Error):
                chance.choice(victims).kill()
                here.tally.note("killed")


def _renderers(server: int) -> Sequence[psutil.Process]:
    found: list[psutil.Process] = []
    for process in below(server):
        with suppress(psutil.Error):
            if any("--type=renderer" in word for word in process.cmdline()):
                found.append(process)
    return found


def _megabytes(server: int) -> float:
    """What the server and all below it hold, what they share counted once."""
    total = 0
    for process in (psutil.Process(server), *below(server)):
        with suppress(psutil.Error):
            total += process.memory_full_info().pss
    return round(total / 1e6)
