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
from tests.faults.talk import Talk

STOP_S: Final = 4.0
"""What a stop may take (P4)."""

KB: Final = 1_024

FLAT_FROM: Final = 100
"""So many turns tell whether something grows; fewer are told of, and no more than that."""

CYCLE_KB: Final = 20.0
"""What a session may leave in memory: its id, its record among the last ones, crumbs of the allocator."""

STEP_KB: Final = 1.0
"""What a step may leave in memory, in the later half of many."""

FILLING_KB: Final = 2.0
"""The same while SQLite's page cache (2 MB) still fills, which takes `FILLED` steps."""

FILLED: Final = 2_000

MOVING_KB: Final = 12.0
"""The same where every few steps are another page: see `many_steps`."""

LONGEST: Final = 20_000
"""Of an answer, in characters."""

TURN: Final = 10
"""Steps between two looks at the memory."""

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
    """One session, that many steps, looked at and read from in between: half on page after page, half on one.

    What Playwright tells of a request it keeps for as long as the session lives (the last 10,000 of them), and no
    client can take it back: that is the first half's memory. The second half asks for nothing, and has to be flat.
    """
    with grounds.server() as wire:
        talk = Talk(wire)
        begun = (await talk.call("notte_start", url=grounds.site.url("/form.html"))).facts
        long = _Long(talk, begun["session_id"], tally)
        moving = Size(wire.process.pid)
        while long.count < times // 2:
            await long.turn(_moving(grounds.site.here, long.count), moving)
        await long.turn([{"type": "goto", "url": grounds.site.url("/form.html")}], None)
        still = Size(wire.process.pid)
        while long.count < times:
            await long.turn(_still(long.count), still)
        await long.read()
        tally.note("kB a step over pages", round(moving.slope() / TURN, 2))
        tally.expect(
            moving.slope() / TURN < MOVING_KB, f"memory grew by {moving.slope() / TURN:.2f} kB a step over pages"
        )
        limit_kb = STEP_KB if times > 2 * FILLED else FILLING_KB
        still.judge(tally, "step on one page", turn_steps=TURN, limit_kb=limit_kb)
        tally.expect(long.longest < LONGEST, f"an answer has {long.longest} characters")
        tally.most("longest answer, characters", long.longest)
        tally.note("steps", long.count)


class _Long:
    """The session and what came of it."""

    def __init__(self, talk: Talk, session: str, tally: Tally) -> None:
        self._talk = talk
        self._session = session
        self._tally = tally
        self.count = 1
        self.longest = 0

    async def turn(self, actions: list[dict[str, Any]], size: Size | None) -> None:
        """The actions, a look and a scrape, which is a step too."""
        said = await self._talk.call("notte_execute", session_id=self._session, actions=actions)
        worked = not said.is_error and not said.text.startswith(("failed", "stopped"))
        self._tally.expect(worked, f"at {self.count}: {said.text[:300]}")
        looks = [await self._talk.call(look, session_id=self._session) for look in ("notte_observe", "notte_scrape")]
        self._tally.expect(not any(look.is_error for look in looks), f"at {self.count}: {looks}")
        self.longest = max(self.longest, *(len(one.text) for one in (said, *looks)))
        self.count += len(actions) + 1
        if size is not None:
            size.take()

    async def read(self) -> None:
        """All of them, by the log's pages and by fifty at a time."""
        steps = await self._talk.steps(self._session)
        numbers = [step["number"] for step in steps]
        whole = numbers == list(range(1, self.count + 1)) and all(step["success"] for step in steps)
        self._tally.expect(whole, f"numbered {numbers[:3]} to {numbers[-3:]}, not 1 to {self.count}")
        after, found, more = 0, 0, True
        while more:
            page = (await self._talk.call("notte_status", id=self._session, after_step=after)).facts
            found, after, more = found + len(page["steps"]), page["last_step"], bool(page["steps"])
        self._tally.expect((after, found) == (self.count, self.count), f"status tells {found} steps of {self.count}")


def _fills(token: str) -> list[dict[str, Any]]:
    return [
        {"type": "fill", "selector": "#applicant", "value": token},
        {"type": "fill", "selector": "#email", "value": f"{token}@example.org"},
        {"type": "select_dropdown_option", "selector": "#district", "value": "West"},
        {"type": "check", "selector": "[name=terms]"},
    ]


def _moving(origin: str, count: int) -> list[dict[str, Any]]:
    """Nine steps on three pages; the tenth is a scrape."""
    return [
        {"type": "goto", "url": f"{origin}/form.html"},
        *_fills(f"t{count}"),
        {"type": "click", "selector": "form button:not([disabled])"},
        {"type": "goto", "url": f"{origin}/product/{count % 50 + 1}"},
        {"type": "hover", "selector": "button"},
        {"type": "click", "selector": "button"},
    ]


def _still(count: int) -> list[dict[str, Any]]:
    """Nine steps that ask no server for anything."""
    more = [{"type": "click", "selector": "#start"}, *_fills(f"u{count}")]
    return [*_fills(f"t{count}"), *more]
