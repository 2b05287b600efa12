"""What a film costs: the form flow in sessions that are filmed, each next to one that is not; its time, and the CPU of the
whole process tree.

The flow is done again and again in two sessions of the warm server, by turns, so that what else the machine does falls on
both. CPU is counted until the last step's picture is on the disk. (What is made of a film is made after its session.)

Below: acting, host, rows. Above: `__main__`.
"""

import time
from typing import Final

import anyio

from benchmarks.acting import fill_in
from benchmarks.host import Host
from benchmarks.rows import Outcome, Run, paired
from benchmarks.wire import BenchmarkFailed

TAIL_S: Final = 0.4
"""How long after a flow its last frames are on their way at most."""

Lap = tuple[float, float]
"""Milliseconds of the wall, and of CPU."""

_filmed: list[Lap] = []
_plain: list[Lap] = []


async def wall(run: Run) -> Outcome:
    """How much longer the flow takes. The floor is ours, without a film."""
    await _measure(run)
    return _outcome(0)


async def cpu(run: Run) -> Outcome:
    """How much more CPU all processes take for it."""
    await _measure(run)
    return _outcome(1)


def _outcome(part: int) -> Outcome:
    """Both rows are read from the same laps."""
    ratios = sorted(on[part] / off[part] for on, off in zip(_filmed, _plain, strict=True))
    low, high = ratios[len(ratios) // 4], ratios[-1 - len(ratios) // 4]
    found = paired([(on[part], off[part]) for on, off in zip(_filmed, _plain, strict=True)])
    return Outcome(found.ours, found.floor, found.ratios, f"half of the pairs {low:.2f}x to {high:.2f}x")


async def _measure(run: Run) -> None:
    if _filmed:
        return
    url = run.site.url("/form.html")
    host, _ = run.warm()
    sessions: dict[bool, str] = {}
    for record in (True, False):
        opened = await host.call("notte_start", {"session": {"record": record}})
        sessions[record] = opened.facts["session_id"]
        if not run.short:
            await _lap(host, url, sessions[record])  # what starts at the first one is no film's cost
    for turn in run.times(20):
        # Who goes first changes: the second finds everything a little warmer.
        for record in (True, False) if turn % 2 else (False, True):
            (_filmed if record else _plain).append(await _lap(host, url, sessions[record]))
    for session in sessions.values():
        await host.stop(session)


async def _lap(host: Host, url: str, session: str) -> Lap:
    before, begun = host.wire.cpu_ms(), time.perf_counter()
    opened = await host.start(url, session=session)
    done = await host.call("notte_execute", {"actions": fill_in(opened)}, session=session)
    took = (time.perf_counter() - begun) * 1_000
    await anyio.sleep(TAIL_S)
    if "PR-" not in done.text:
        raise BenchmarkFailed(f"the form's result is not in: {done.text}")
    return took, host.wire.cpu_ms() - before
