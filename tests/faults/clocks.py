"""A server whose time of day somebody sets, and one that is put to sleep with all that it started.

The kernel's own clock is everybody's and stays as it is: in the server's process `time.time` is moved, by a file, which
is all that the product asks for the time of day. Sleep is SIGSTOP to the whole tree, so that it is real.

Below: moments, fault, grounds, talk. Above: sharing.
"""

import signal
import time
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import anyio
import psutil

from tests.e2e.whole import below
from tests.faults.fault import Tally
from tests.faults.grounds import Grounds
from tests.faults.moments import bring, kept, leave, slowness, until
from tests.faults.talk import Talk
from tests.stdio.wire import environment

DAY_S: Final = 86_400

SLEEP_S: Final = 4.0

IDLE_MINUTES: Final = 0.1
"""Of the session that is to expire: 6 s."""

FILL: Final = {"type": "fill", "selector": "#applicant", "value": "Ada Brew"}

MOVED: Final = """
import os, time
real, place = time.time, os.environ.get("NOTTE_FAULTS_CLOCK")

def moved():
    try:
        with open(place, encoding="ascii") as file:
            return real() + float(file.read() or 0)
    except (OSError, ValueError):
        return real()

if place:
    time.time = moved
"""
"""What Python imports before the server, which finds `time.time` like this."""


async def clock_moved(grounds: Grounds, times: int, tally: Tally) -> None:
    """Ahead, back, and asleep: what is live stays so, what is told has no negative length, and limits count once."""
    offset = _movable(grounds.folder)
    env = {
        "PYTHONPATH": f"{offset.parent}:{environment()['PYTHONPATH']}",
        "NOTTE_FAULTS_CLOCK": str(offset),
    }
    for number in range(times):
        days = 1 if number % 2 == 0 else -1
        _set(offset, 0)
        with grounds.server(**env) as wire:
            talk = Talk(wire)
            known = await bring(talk, grounds, "agent", holder=wire.process.pid)
            await _set_while_acting(talk, grounds, offset, days, tally)
            await _asleep(wire.process.pid, talk, grounds, tally)
            told = (await talk.call("notte_status", id=known.agent)).facts
            tally.expect(told["state"] == "running", f"{days:+} d: the agent is {told['state']}")
            for of in (known.session, known.agent):
                await _no_negative(talk, of, tally, f"{days:+} d")
            await leave(wire)
        # The next start is at another time, too.
        _set(offset, -days * DAY_S)
        with grounds.server(**env) as wire:
            await kept(Talk(wire), known, tally, f"{days:+} d, after a restart")
            await leave(wire)


async def _set_while_acting(talk: Talk, grounds: Grounds, offset: Path, days: int, tally: Tally) -> None:
    """The clock is set in the middle of a step."""
    where = f"{days:+} d"
    session = str((await talk.call("notte_start", url=grounds.site.url("/form.html"))).facts["session_id"])
    wait = {"type": "wait", "time_ms": 700}
    call = talk.begin("notte_execute", session_id=session, actions=[FILL, wait])
    await until(talk, session, lambda told: told["state"] == "busy")
    _set(offset, days * DAY_S)
    tally.expect(not (await talk.answer(call)).is_error, f"{where}: the step that was under way")
    told = (await talk.call("notte_status", id=session)).facts
    tally.expect(told["state"] == "ready", f"{where}: the session is {told['state']} ({told.get('reason')})")
    again = await talk.call("notte_execute", session_id=session, actions=[FILL])
    tally.expect(not again.is_error, f"{where}: {again.text[:200]}")
    ahead = _seconds((await talk.steps(session))[-1]["started_at"]) - time.time()
    tally.expect(abs(ahead - days * DAY_S) < 60, f"{where}: its clock is {ahead:.0f} s ahead, so that nothing is tried")
    await _no_negative(talk, session, tally, where)
    await talk.call("notte_stop", id=session)


async def _asleep(server: int, talk: Talk, grounds: Grounds, tally: Tally) -> None:
    """All of it is stopped for a while: the limit that is over by then takes effect once, and no other does."""
    url = grounds.site.url("/form.html")
    short = await talk.call("notte_start", url=url, session={"idle_timeout_minutes": IDLE_MINUTES})
    long = await talk.call("notte_start", url=url)
    idle, ready = str(short.facts["session_id"]), str(long.facts["session_id"])
    tree = [psutil.Process(server), *below(server)]
    for number in (signal.SIGSTOP, signal.SIGCONT):
        for process in tree:
            with suppress(psutil.NoSuchProcess):
                process.send_signal(number)
        await anyio.sleep(SLEEP_S if number is signal.SIGSTOP else 0)
    told = (await talk.call("notte_status", id=ready)).facts
    tally.expect(told["state"] == "ready", f"asleep: the session is {told['state']} ({told.get('reason')})")
    ended = await until(
        talk, idle, lambda told: told["state"] == "stopped", within_s=IDLE_MINUTES * 60 + 5 * slowness()
    )
    tally.expect(ended["reason"] == "idle_timeout", f"asleep: the idle one ended by {ended['reason']}")
    await talk.call("notte_stop", id=ready)


async def _no_negative(talk: Talk, of: str, tally: Tally, where: str) -> None:
    for step in await talk.steps(of):
        if step["ended_at"] is not None:
            length = _seconds(step["ended_at"]) - _seconds(step["started_at"])
            tally.expect(0 <= length < 60, f"{where}: step {step['number']} took {length} s")


def _seconds(told: Any) -> float:
    return float(told) if isinstance(told, int | float) else datetime.fromisoformat(str(told)).timestamp()


def _movable(folder: Path) -> Path:
    """What moves the clock of a server; gives the file that says by how many seconds."""
    place = folder / "clock"
    place.mkdir()
    (place / "sitecustomize.py").write_text(MOVED, encoding="utf-8")
    return place / "seconds"


def _set(offset: Path, seconds: float) -> None:
    # Replaced whole: the server may read it at any time.
    new = offset.with_suffix(".new")
    new.write_text(str(seconds), encoding="ascii")
    new.replace(offset)
