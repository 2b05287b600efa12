"""The keeper itself ended or stopped while hosts are connected to it.

Below: moments, fault, grounds, talk, tests.keeper.kept. Above: ends.
"""

import signal
from typing import Final

import anyio
import anyio.to_thread
import psutil

from tests.e2e.whole import alive
from tests.faults.fault import Tally
from tests.faults.grounds import Grounds
from tests.faults.moments import MOMENTS, Known, bring, ended, kept, slowness, until
from tests.faults.talk import NoAnswer, Talk
from tests.keeper.kept import command, pid_of

WAYS: Final = ("SIGTERM", "stopped for a while", "SIGKILL", "stopped and ended by command", "SIGINT")

STOPPED_S: Final = 2.0
"""How long a stopped keeper stays so."""

DEAD_S: Final = 2.0
"""Until it is gone, and until what was asked of it has been answered."""


async def end_keepers(grounds: Grounds, times: int, tally: Tally) -> None:
    """One host stays through all of it; each keeper that ends is followed by another."""
    with grounds.host() as wire:
        talk = Talk(wire)
        for number in range(times):
            way, moment = WAYS[number % len(WAYS)], MOMENTS[number % len(MOMENTS)]
            await talk.call("notte_status")
            keeper = psutil.Process(pid_of(grounds.state))
            known = await bring(talk, grounds, moment, holder=keeper.pid)
            where = f"keeper: {way}, {moment}"
            if way == "stopped for a while":
                await _stopped(talk, keeper, known, tally, where)
            else:
                await _gone(grounds, talk, keeper, known, tally, where, way)
        await anyio.to_thread.run_sync(command, grounds.state, "stop")


async def _stopped(talk: Talk, keeper: psutil.Process, known: Known, tally: Tally, where: str) -> None:
    """It sleeps for a while: what was asked meanwhile is answered afterwards, and nothing is lost."""
    keeper.suspend()
    asked = talk.begin("notte_status")
    await anyio.sleep(STOPPED_S)
    keeper.resume()
    tally.expect(not (await talk.answer(asked, within_s=10)).is_error, f"{where}: no answer after it went on")
    if known.agent:
        more = len(known.agent_steps) + 2
        told = await until(talk, known.agent, lambda told: told["step_count"] >= more or told["state"] != "running")
        tally.expect(told["state"] == "running", f"{where}: the agent is {told['state']}")
    session = (await talk.call("notte_status", id=known.session)).facts["state"]
    tally.expect(session in ("ready", "busy"), f"{where}: the session is {session}")
    await kept(talk, known, tally, where, state=session)
    await talk.call("notte_stop", all=True, mode="now")
    for call in known.going_on:
        await talk.answer(call)


async def _gone(
    grounds: Grounds, talk: Talk, keeper: psutil.Process, known: Known, tally: Tally, where: str, way: str
) -> None:
    """It ends: what was under way is answered, nothing of it is left, and the same host goes on with the next one."""
    tree = [keeper, *keeper.children(recursive=True)]
    if way == "stopped and ended by command":
        keeper.suspend()
        said = await anyio.to_thread.run_sync(command, grounds.state, "stop")
        tally.expect("killed" in said, f"{where}: {said}")
        seconds = await ended(keeper, within_s=1)
    else:
        keeper.send_signal(signal.Signals[way])
        seconds = await ended(keeper, within_s=10)
        tally.most("keeper s at most", round(seconds or 10, 2))
    limit = DEAD_S * slowness()
    tally.expect(seconds is not None and seconds <= limit, f"{where}: gone after {seconds} s")
    for call in known.going_on:
        tally.expect(await _answered(talk, call), f"{where}: what was under way is not answered")
    with anyio.move_on_after(limit):
        while any(map(alive, tree)):  # noqa: ASYNC110 - the end of another's child is no event of ours
            await anyio.sleep(0.02)
    left = [process for process in tree if alive(process)]
    tally.expect(not left, f"{where}: left are {left}")
    try:
        await talk.call("notte_status")
    except NoAnswer:  # sent to the one that was gone, before its relay knew
        tally.note("first call refused")
    await kept(talk, known, tally, where)
    again = await talk.call("notte_start", session_id=known.session)
    tally.expect(not again.is_error, f"{where}: not restored: {again.text[:200]}")


async def _answered(talk: Talk, call: int) -> bool:
    try:
        await talk.answer(call, within_s=5 * slowness())
    except NoAnswer as error:
        return "keeper" in str(error)
    except TimeoutError:
        return False
    return True
