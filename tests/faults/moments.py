"""The moments at which things go wrong: a session is there with steps that its caller has heard of, and more goes on.

`bring` leads a server to such a moment and gives what is known then; `kept` compares that with what is told later.
Below: talk, fault, grounds. Above: the files of faults.
"""

import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

import anyio
import psutil

from tests.e2e.whole import alive, browsers_below
from tests.faults.fault import Tally
from tests.faults.grounds import Grounds
from tests.faults.talk import Talk
from tests.stdio.wire import Wire

MOMENTS: Final = ("action", "idle", "launch", "agent")

TASK: Final = "Try one address after the other in the field for it."
TRIES: Final = {
    "answers": [
        {"actions": [{"type": "fill", "selector": "#email", "value": f"a{n}@example.org"}]} for n in range(500)
    ],
    "delay_s": 0.1,
}


@dataclass(frozen=True, slots=True)
class Known:
    """What a caller has heard: the log of a session and that of an agent in it, and the calls that go on."""

    moment: str
    session: str
    steps: list[dict[str, Any]]
    agent: str = ""
    agent_steps: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    going_on: tuple[int, ...] = ()


def slowness() -> float:
    """By how much a machine that runs more than it has processors for is slower."""
    return max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))


async def bring(talk: Talk, grounds: Grounds, moment: str, *, holder: int) -> Known:
    """Lead the server to the moment; `holder` is the process that holds the browsers. Raises: AssertionError."""
    url = grounds.site.url("/form.html")
    session = str((await talk.call("notte_start", url=url)).facts["session_id"])
    fill = {"type": "fill", "selector": "#applicant", "value": "Ada Brew"}
    assert not (await talk.call("notte_execute", session_id=session, actions=[fill])).is_error
    going_on: tuple[int, ...] = ()
    agent = ""
    match moment:
        case "action":
            wait = {"type": "wait_for", "value": "never there", "timeout_ms": 30_000}
            going_on = (talk.begin("notte_execute", session_id=session, actions=[fill, wait]),)
            await until(talk, session, lambda told: told["state"] == "busy" and told["last_step"] >= 3)
        case "launch":
            before = len(browsers_below(holder))
            going_on = (talk.begin("notte_start", url=url, session={"own_browser": True}),)
            with anyio.fail_after(30):
                while len(browsers_below(holder)) == before:  # noqa: ASYNC110 - the start of another's child is no event
                    await anyio.sleep(0.005)
        case "agent":
            plan = grounds.folder / "tries.json"
            plan.write_text(json.dumps(TRIES), encoding="utf-8")
            begun = await talk.call(
                "notte_start", task=TASK, session_id=session, model=f"scripted:{plan}", max_steps=1_000
            )
            agent = str(begun.facts["agent_id"])
            await until(talk, agent, lambda told: told["step_count"] >= 3)
        case _:
            pass
    steps = settled(await talk.steps(session))
    return Known(moment, session, steps, agent, settled(await talk.steps(agent)) if agent else [], going_on)


async def until(
    talk: Talk, of: str, holds: Callable[[dict[str, Any]], bool], *, within_s: float = 40
) -> dict[str, Any]:
    """Ask after a session or an agent until what is told of it holds."""
    with anyio.fail_after(within_s):
        while not holds(told := (await talk.call("notte_status", id=of)).facts):  # noqa: ASYNC110 - asked as hosts do
            await anyio.sleep(0.05)
    return told


def settled(steps: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Those of a log whose outcome was told."""
    return [step for step in steps if step["ended_at"] is not None]


async def kept(talk: Talk, known: Known, tally: Tally, where: str, *, state: str = "interrupted") -> dict[str, Any]:
    """Compare what was known with what is told now; gives what is told of the session."""
    told = (await talk.call("notte_status", id=known.session)).facts
    tally.expect(told["state"] == state, f"{where}: the session is {told['state']} ({told.get('reason')}), not {state}")
    if state == "interrupted":
        tally.expect(known.session in told["next"], f"{where}: nothing says how to go on: {told['next']}")
    await _logged(talk, known.session, known.steps, tally, where)
    if known.agent:
        await _logged(talk, known.agent, known.agent_steps, tally, f"{where}: agent")
    return told


async def _logged(talk: Talk, of: str, known: list[dict[str, Any]], tally: Tally, where: str) -> None:
    log = await talk.steps(of)
    numbers = [step["number"] for step in log]
    tally.expect(numbers == list(range(1, len(log) + 1)), f"{where}: the log has the numbers {numbers}")
    told = {step["number"]: step for step in log}
    for step in known:
        tally.expect(
            told.get(step["number"]) == step,
            f"{where}: step {step['number']} was {step}, is {told.get(step['number'])}",
        )
    tally.note("steps kept", len(known))


async def ended(process: psutil.Process, *, within_s: float) -> float | None:
    """Seconds until a process is gone, or None where it is not."""
    begun = anyio.current_time()
    with anyio.move_on_after(within_s):
        while alive(process):  # noqa: ASYNC110 - the end of another's child is no event of ours
            await anyio.sleep(0.005)
        return anyio.current_time() - begun
    return None


async def leave(wire: Wire) -> float:
    """End a server's input; gives the seconds until it is gone. Raises: AssertionError: it is not."""
    assert wire.process.stdin is not None
    wire.process.stdin.close()
    seconds = await ended(psutil.Process(wire.process.pid), within_s=15)
    assert seconds is not None, "the server does not end"
    return seconds
