"""What lasts long: sessions that come and go in one server, and one session of many steps. Nothing is to grow by it.

Below: fault, grounds, talk, tests.e2e.whole. Above: durable.
"""

import time
from collections.abc import Callable
from pathlib import Path
from statistics import linear_regression
from typing import Any, Final

import anyio
import psutil

from tests.e2e.whole import below
from tests.faults.fault import Tally
from tests.faults.grounds import LEAVE_S, Grounds
from tests.faults.talk import Said, Talk

STOP_S: Final = 4.0
"""What a stop may take (P4)."""

KB: Final = 1_024

FLAT_FROM: Final = 100
"""So many turns tell whether something grows; fewer are told of, and no more than that."""

CYCLE_KB: Final = 20.0
"""What a session may leave in memory: its id, its record among the last ones, crumbs of the allocator."""

STEP_KB: Final = 1.0
"""What a step may leave in memory, in the later half of many."""

FDS: Final = 2
"""Open files that come and go."""


class Size:
    """What a server's process holds, measured again and again: memory (kB), open files."""

    def __init__(self, pid: int) -> None:
        self._process = psutil.Process(pid)
        self.memory: list[float] = []
        self.files: list[int] = []

    def take(self) -> None:
        self.memory.append(self._process.memory_info().rss / KB)
        self.files.append(self._process.num_fds())

    def slope(self) -> float:
        """How many kB a turn over the later half, by least squares."""
        later = self.memory[len(self.memory) // 2 :]
        return linear_regression(range(len(later)), later).slope if len(later) > 1 else 0.0

    def more_files(self) -> int:
        """How many are open at the end beyond those at half time."""
        return self.files[-1] - self.files[len(self.files) // 2]

    def judge(self, tally: Tally, what: str, *, turn_steps: int, limit_kb: float) -> None:
        """Say how much it grew, and whether that is too much where there were turns enough to tell."""
        slope, files = self.slope() / turn_steps, self.more_files()
        tally.note(f"kB a {what}", round(slope, 2))
        tally.note("open files more", files)
        if len(self.memory) * turn_steps >= FLAT_FROM:
            tally.expect(slope <= limit_kb, f"memory grew by {slope:.2f} kB a {what}")
            tally.expect(files <= FDS, f"{files} more files are open")


# --- sessions that come and go ------------------------------------------------------


async def cycle(grounds: Grounds, times: int, tally: Tally) -> None:
    """Start a session on a page and stop it, in one server."""
    with grounds.server() as wire:
        talk, size = Talk(wire), Size(wire.process.pid)
        await _cycle(grounds, talk, tally)  # what is there from now on is the server's own: Playwright's driver
        kept, folders = _processes(wire.process.pid), _folders(grounds.state)
        size.take()
        for number in range(times):
            await _cycle(grounds, talk, tally)
            await _gone(lambda: len(_processes(wire.process.pid)) - len(kept), tally, f"processes after {number}")
            await _gone(lambda: len(_folders(grounds.state)) - len(folders), tally, f"folders after {number}")
            size.take()
        size.judge(tally, "cycle", turn_steps=1, limit_kb=CYCLE_KB)
        tally.expect(_ports(wire.process.pid) == 0, "the server listens somewhere")


async def _cycle(grounds: Grounds, talk: Talk, tally: Tally) -> None:
    begun = (await talk.call("notte_start", url=grounds.site.url("/form.html"))).facts
    at = time.monotonic()
    ended = (await talk.call("notte_stop", id=begun["session_id"])).facts
    took = time.monotonic() - at
    tally.most("slowest stop, ms", round(took * 1_000))
    tally.expect(ended["state"] == "stopped" and took <= STOP_S, f"{ended['state']} after {took:.1f} s")


async def _gone(more: Callable[[], int], tally: Tally, what: str) -> None:
    """Whoever a process was ended by, it takes a moment for it to be gone."""
    until = time.monotonic() + LEAVE_S
    while (left := more()) > 0 and time.monotonic() < until:  # noqa: ASYNC110 - another's child
        await anyio.sleep(0.02)
    tally.expect(left <= 0, f"{left} more {what}")


def _processes(pid: int) -> list[psutil.Process]:
    return below(pid)


def _folders(state: Path) -> list[Path]:
    """Folders of browsers: what they write while they run."""
    return [path for path in (state / "run").glob("*/*/*") if path.is_dir()]


def _ports(pid: int) -> int:
    listening = [c for p in [psutil.Process(pid), *below(pid)] for c in p.net_connections() if c.status == "LISTEN"]
    return len(listening)


# --- one session, many steps --------------------------------------------------------


async def many_steps(grounds: Grounds, times: int, tally: Tally) -> None:
    """One session, that many steps, looked at and read from in between."""
    with grounds.server() as wire:
        talk, size = Talk(wire), Size(wire.process.pid)
        begun = (await talk.call("notte_start", url=grounds.site.url("/form.html"))).facts
        session, count, longest = begun["session_id"], 1, 0
        turn = _turn(grounds.site.here, 0)
        while count < times:
            turn = _turn(grounds.site.here, count)
            said = await talk.call("notte_execute", session_id=session, actions=turn)
            tally.expect(not said.is_error and "failed" not in said.text, f"at {count}: {said.text[:300]}")
            looks = [await talk.call("notte_observe", session_id=session), await _scrape(talk, session)]
            longest = max(longest, *(len(one.text) for one in (said, *looks)))
            count += len(turn) + 1
            size.take()
        steps = await talk.steps(session)
        numbers = [step["number"] for step in steps]
        tally.expect(
            numbers == list(range(1, count + 1)), f"numbered {numbers[:3]} to {numbers[-3:]}, not 1 to {count}"
        )
        tally.expect(all(step["success"] for step in steps), "a step of the log did not succeed")
        await _paged(talk, session, count, tally)
        tally.most("longest answer, characters", longest)
        tally.expect(longest < 20_000, f"an answer has {longest} characters")
        size.judge(tally, "step", turn_steps=len(turn) + 1, limit_kb=STEP_KB)
        tally.note("steps", count)


def _turn(origin: str, count: int) -> list[dict[str, Any]]:
    """Nine steps on two pages; the tenth is a scrape."""
    token = f"t{count}"
    return [
        {"type": "goto", "url": f"{origin}/form.html"},
        {"type": "fill", "selector": "#applicant", "value": token},
        {"type": "fill", "selector": "#email", "value": f"{token}@example.org"},
        {"type": "select_dropdown_option", "selector": "#district", "value": "West"},
        {"type": "check", "selector": "[name=terms]"},
        {"type": "click", "selector": "form button:not([disabled])"},
        {"type": "goto", "url": f"{origin}/product/{count % 50 + 1}"},
        {"type": "hover", "selector": "button"},
        {"type": "click", "selector": "button"},
    ]


async def _scrape(talk: Talk, session: str) -> Said:
    said = await talk.call("notte_scrape", session_id=session)
    assert not said.is_error, said.text
    return said


async def _paged(talk: Talk, session: str, count: int, tally: Tally) -> None:
    """The same steps by notte_status, fifty at a time."""
    after, found = 0, 0
    while after < count:
        page = (await talk.call("notte_status", id=session, after_step=after)).facts
        if not page["steps"]:
            break
        found += len(page["steps"])
        after = page["last_step"]
    tally.expect((after, found) == (count, count), f"status tells {found} steps up to {after}, of {count}")
