"""Every way in which a host ends its server, at every moment; and the keeper's own ends.

A server of one process is gone in time with all that it started, and what it held is interrupted at the next start. A
relay is gone as soon, and what its keeper holds goes on.

Below: moments, fault, grounds, talk. Above: table.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Final

import anyio
import psutil

from tests.e2e.whole import below, gone
from tests.faults.fault import Counts, Fault, Tally
from tests.faults.grounds import MARK, Grounds
from tests.faults.keeper_ends import end_keepers
from tests.faults.moments import MOMENTS, Known, bring, ended, kept, leave, slowness, until
from tests.faults.talk import NoAnswer, Talk
from tests.forks import Forked
from tests.keeper.kept import FLAGS, pid_of
from tests.stdio.wire import Wire, environment

WAYS: Final = ("SIGTERM", "SIGINT", "end of input", "stdout closed", "dead parent", "SIGHUP", "host's order")

GONE_S: Final = 2.0
"""Promise P5."""

_PATIENCE_S: Final = 15.0

_PARENT: Final = "import subprocess, sys; subprocess.Popen(sys.argv[1:]).wait()"


@dataclass(frozen=True, slots=True)
class Ended:
    """How a process went: after so many seconds, with this exit code (None: it was not our child)."""

    seconds: float | None
    code: int | None


def cells(times: int) -> Generator[tuple[str, str]]:
    """So many pairs of a way and a moment; as many as there are contain each pair once, and a few contain all kinds."""
    for number in range(times):
        yield WAYS[number % len(WAYS)], MOMENTS[number % len(MOMENTS)]


async def end_servers(grounds: Grounds, times: int, tally: Tally) -> None:
    """One server after the other on one state folder; each is asked what it knows of the one before."""
    before: tuple[str, Known] | None = None
    for way, moment in cells(times):
        where = f"{way}, {moment}"
        with _begun(grounds, has_keeper=False, has_parent=way == "dead parent") as (wire, server):
            talk = Talk(wire)
            if before is not None:
                await kept(talk, before[1], tally, before[0])
            known = await bring(talk, grounds, moment, holder=server.pid)
            tree = below(server.pid)
            how = await _end(talk, server, way)
        _in_time(how, way, where, tally, orderly=True)
        await _none_left(tree, where, tally)
        before = where, known
    if before is not None:
        with grounds.server() as wire:
            await kept(Talk(wire), before[1], tally, before[0])
            await leave(wire)


async def end_hosts(grounds: Grounds, times: int, tally: Tally) -> None:
    """One host after the other at one keeper, watched by a host that stays."""
    with grounds.host() as staying:
        watch = Talk(staying)
        await watch.call("notte_status")
        keeper = pid_of(grounds.state)
        for way, moment in cells(times):
            where = f"host: {way}, {moment}"
            with _begun(grounds, has_keeper=True, has_parent=way == "dead parent") as (wire, relay):
                talk = Talk(wire)
                known = await bring(talk, grounds, moment, holder=keeper)
                how = await _end(talk, relay, way)
            _in_time(how, way, where, tally, orderly=False)
            tally.expect(pid_of(grounds.state) == keeper and psutil.pid_exists(keeper), f"{where}: another keeper")
            await _goes_on(watch, known, tally, where)
            await watch.call("notte_stop", all=True)
        await _dismiss(keeper)


async def _goes_on(watch: Talk, known: Known, tally: Tally, where: str) -> None:
    """What the host had begun is there, and what nobody asks for any more is over."""
    if known.agent:
        more = len(known.agent_steps) + 2
        told = await until(watch, known.agent, lambda told: told["step_count"] >= more or told["state"] != "running")
        tally.expect(told["state"] == "running", f"{where}: the agent is {told['state']} ({told.get('reason')})")
        await watch.call("notte_stop", id=known.agent)
    with suppress(TimeoutError):
        await until(watch, known.session, lambda told: told["state"] == "ready", within_s=10)
    await kept(watch, known, tally, where, state="ready")
    filled = {"type": "fill", "selector": "#applicant", "value": "Bo"}
    said = await watch.call("notte_execute", session_id=known.session, actions=[filled])
    tally.expect(not said.is_error and "failed" not in said.text[:20], f"{where}: not to be used: {said.text[:200]}")


async def _dismiss(keeper: int) -> None:
    process = psutil.Process(keeper)
    tree = [process, *process.children(recursive=True)]
    process.terminate()
    await gone(tree, within_s=5)


@contextmanager
def _begun(grounds: Grounds, *, has_keeper: bool, has_parent: bool) -> Generator[tuple[Wire, psutil.Process]]:
    """A server or a relay, below a parent of its own where that is to die; both are killed at the end."""
    if not has_parent:
        with grounds.host() if has_keeper else grounds.server() as wire:
            yield wire, psutil.Process(wire.process.pid)
        return
    command = [
        sys.executable,
        "-m",
        "notte_mcp",
        *([] if has_keeper else ["--in-process"]),
        "--state-dir",
        str(grounds.state),
        *FLAGS,
    ]
    # The pipes are held by the test, whoever of the two dies: the end of input never comes.
    parent = subprocess.Popen(
        [sys.executable, "-c", _PARENT, *command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**environment(), MARK: grounds.mark},
    )
    wire = Wire(parent)
    wire.modern("tools/list")
    (child,) = psutil.Process(parent.pid).children()
    try:
        yield wire, child
    finally:
        for process in (parent, child):
            with suppress(psutil.Error):
                process.kill()
        parent.wait()
        for pipe in (parent.stdin, parent.stdout, parent.stderr):
            assert pipe is not None
            with suppress(BrokenPipeError):
                pipe.close()


async def _end(talk: Talk, process: psutil.Process, way: str) -> Ended:
    """Let the host end its server in this way; comes back when that is gone, or was given up."""
    host = talk.wire.process
    match way:
        case "end of input":
            assert host.stdin is not None
            host.stdin.close()
        case "stdout closed":
            await _close_stdout(talk)
        case "dead parent":
            host.kill()
        case "host's order":
            return await _hosts_order(host, process)
        case _:
            process.send_signal(signal.Signals[way])
    seconds = await ended(process, within_s=_PATIENCE_S)
    return Ended(seconds, host.poll() if way != "dead parent" else None)


async def _close_stdout(talk: Talk) -> None:
    """Close the reading end, which a thread of ours is reading: it is let go of with the next answer."""
    stdout = talk.wire.process.stdout
    assert stdout is not None
    nowhere = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nowhere, stdout.fileno())
    os.close(nowhere)
    with suppress(NoAnswer):  # the thread may have been between two reads
        await talk.call("notte_status")


async def _hosts_order(host: "subprocess.Popen[bytes] | Forked", process: psutil.Process) -> Ended:
    """SIGINT, 0.1 s later SIGTERM, 0.5 s later SIGKILL, as Claude Code does it."""
    begun = anyio.current_time()
    for number, patience_s in ((signal.SIGINT, 0.1), (signal.SIGTERM, 0.5), (signal.SIGKILL, _PATIENCE_S)):
        with suppress(psutil.NoSuchProcess):
            process.send_signal(number)
        if await ended(process, within_s=patience_s) is not None:
            return Ended(anyio.current_time() - begun, host.poll())
    return Ended(None, None)


def _in_time(how: Ended, way: str, where: str, tally: Tally, *, orderly: bool) -> None:
    if not tally.expect(how.seconds is not None, f"{where}: it is still there after {_PATIENCE_S:.0f} s"):
        return
    assert how.seconds is not None
    tally.most("s at most", round(how.seconds, 2))
    tally.expect(how.seconds <= GONE_S * slowness(), f"{where}: gone only after {how.seconds:.2f} s")
    if way == "host's order" and how.code == -signal.SIGKILL:
        tally.note("killed by the host")
    elif orderly and how.code is not None:
        tally.expect(how.code == 0, f"{where}: exit code {how.code}")


async def _none_left(tree: list[psutil.Process], where: str, tally: Tally) -> None:
    with suppress(TimeoutError):
        await gone(tree, within_s=1.0 * slowness())
    left = [process for process in tree if process.is_running() and process.status() != psutil.STATUS_ZOMBIE]
    tally.expect(not left, f"{where}: left are {left}")
    for process in left:
        process.kill()


FAULTS: Final = (
    Fault(
        "exits",
        ("P3", "P4", "P5"),
        "a server ended by signals, EOF, a closed stdout, a dead parent, a host that kills; at rest, acting, starting "
        "a browser, with an agent",
        end_servers,
        Counts(1, 28, 560),
        seconds=200,
    ),
    Fault(
        "exits-host",
        ("P5", "P7"),
        "the same to a relay: what its keeper holds goes on",
        end_hosts,
        Counts(0, 14, 560),
        seconds=200,
    ),
    Fault(
        "exits-keeper",
        ("P3", "P4", "P5", "P7"),
        "SIGTERM, SIGINT, SIGKILL to the keeper; SIGSTOP for 2 s, and until it is ended by command",
        end_keepers,
        Counts(0, 10, 100),
        seconds=150,
    ),
)
