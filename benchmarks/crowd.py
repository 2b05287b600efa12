"""Sixteen sessions at once, the form flow in each: cold (from the start of the process) and warm (once more).

The floor is sixteen contexts in one browser of bare Playwright. Memory is that of the
whole process tree after the second time, with all sessions open.

Below: acting, host, rows. Above: `__main__`.
"""

import time
from statistics import median

import anyio

from benchmarks.acting import form_flow
from benchmarks.host import Host, serving
from benchmarks.rows import Outcome, Run
from benchmarks.starting import FLOORS
from benchmarks.wire import wire

SESSIONS = 16

Lap = tuple[float, float, float]
"""Cold ms, warm ms, MB."""

_ours: list[Lap] = []
_floors: list[Lap] = []


async def cold(run: Run) -> Outcome:
    """The first time, processes and browser included; memory too."""
    await _measure(run)
    return Outcome(
        {"ms": _median(_ours, 0), "MB": _median(_ours, 2)}, {"ms": _median(_floors, 0), "MB": _median(_floors, 2)}
    )


async def warm(run: Run) -> Outcome:
    """The second time, in the same sessions."""
    await _measure(run)
    return Outcome({"ms": _median(_ours, 1)}, {"ms": _median(_floors, 1)})


async def _measure(run: Run) -> None:
    """Both rows are read from the same laps."""
    count = 2 if run.short else SESSIONS
    for _ in run.times(3) if not _ours else ():
        _ours.append(await _our_lap(run.site.url("/form.html"), count))
        _floors.append(await _floor_lap(run.site.url("/form.html"), count))


async def _our_lap(url: str, count: int) -> Lap:
    begun = time.perf_counter()
    async with serving() as host:
        sessions = await _all_at_once(host, url, [""] * count)
        first = time.perf_counter()
        await _all_at_once(host, url, sessions)
        second = time.perf_counter()
        return (first - begun) * 1_000, (second - first) * 1_000, host.wire.memory_mb()


async def _all_at_once(host: Host, url: str, sessions: list[str]) -> list[str]:
    named: list[str] = []

    async def one(session: str) -> None:
        named.append((await form_flow(host, url, session))[0].facts["session_id"])

    async with anyio.create_task_group() as group:
        for session in sessions:
            group.start_soon(one, session)
    return named


async def _floor_lap(url: str, count: int) -> Lap:
    begun = time.perf_counter()
    async with wire(FLOORS) as floors:
        await floors.ask("crowd", {"url": url, "count": count})
        first = time.perf_counter()
        await floors.ask("crowd", {"url": url, "count": count})
        second = time.perf_counter()
        return (first - begun) * 1_000, (second - first) * 1_000, floors.memory_mb()


def _median(laps: list[Lap], part: int) -> float:
    return median(lap[part] for lap in laps)
