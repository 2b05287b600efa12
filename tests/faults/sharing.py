"""Several servers on one state folder, what a dead one leaves to the living, and a machine that sleeps or is set right.

Below: clocks, crowd, moments, fault, grounds, talk. Above: table.
"""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import anyio
import anyio.to_thread
import psutil

from tests.e2e.whole import alive, below, gone
from tests.faults.clocks import clock_moved
from tests.faults.crowd import crowd
from tests.faults.fault import Counts, Fault, Tally
from tests.faults.grounds import Grounds
from tests.faults.moments import Known, bring, kept, leave
from tests.faults.talk import Talk
from tests.keeper.kept import command, keepers

RELAYS: Final = 4
"""Hosts that start at once where there is no keeper."""


async def two_servers(grounds: Grounds, times: int, tally: Tally) -> None:
    """Two servers, each with a session; one is killed, and the other, which lives on, has its sessions restored."""
    with grounds.server() as wire:
        living = Talk(wire)
        mine = await bring(living, grounds, "idle", holder=wire.process.pid)
        for number in range(times):
            where = f"two servers {number + 1}"
            with grounds.server() as other:
                theirs = await bring(Talk(other), grounds, ("idle", "action")[number % 2], holder=other.process.pid)
                tree = below(other.process.pid)
                await _not_mine(living, theirs, tally, where)
                other.process.kill()
                other.end()
            # At once: it is the reading that finds out.
            listed = {one["session_id"]: one["state"] for one in (await living.call("notte_status")).facts["sessions"]}
            tally.expect(listed[theirs.session] == "interrupted", f"{where}: listed as {listed[theirs.session]}")
            await kept(living, theirs, tally, where)
            again = await living.call("notte_start", session_id=theirs.session)
            tally.expect(not again.is_error, f"{where}: not restored: {again.text[:200]}")
            await gone(tree, within_s=3)
            tally.expect(_owners(grounds) == 1, f"{where}: {_owners(grounds)} run folders")
            await living.call("notte_stop", id=theirs.session)
        await kept(living, mine, tally, "two servers", state="ready")
        await leave(wire)


async def _not_mine(living: Talk, theirs: Known, tally: Tally, where: str) -> None:
    """What lives in another server can be read, and neither used, restored nor stopped."""
    told = (await living.call("notte_status", id=theirs.session)).facts
    tally.expect(told["state"] in ("ready", "busy"), f"{where}: told as {told['state']}")
    fill = {"type": "fill", "selector": "#applicant", "value": "Bo"}
    for tool, arguments in (
        ("notte_execute", {"session_id": theirs.session, "actions": [fill]}),
        ("notte_start", {"session_id": theirs.session, "url": "http://127.0.0.1:9/"}),
        ("notte_stop", {"id": theirs.session}),
    ):
        said = await living.call(tool, **arguments)
        tally.expect(said.is_error and "another server" in said.text, f"{where}: {tool}: {said.text[:200]}")


async def one_keeper(grounds: Grounds, times: int, tally: Tally) -> None:
    """Hosts that start at once start one keeper; beside it a server of one process has sessions of its own."""
    for number in range(times):
        where = f"one keeper {number + 1}"
        with ExitStack() as stack:
            wires = [stack.enter_context(grounds.host()) for _ in range(RELAYS)]
            talks = [Talk(wire) for wire in wires]
            async with anyio.create_task_group() as asking:
                for talk in talks:
                    asking.start_soon(_answers, talk, tally, where)
            found = keepers(grounds.state)
            tally.expect(len(found) == 1, f"{where}: {len(found)} keepers")
            known = await bring(talks[0], grounds, "idle", holder=found[0].pid)
            with grounds.server() as alone:
                beside = Talk(alone)
                own = await bring(beside, grounds, "idle", holder=alone.process.pid)
                await _not_mine(beside, known, tally, where)
                await _not_mine(talks[1], own, tally, where)
                await leave(alone)
            await kept(talks[1], own, tally, where)
            await kept(talks[-1], known, tally, where, state="ready")
            await anyio.to_thread.run_sync(command, grounds.state, "stop")


async def _answers(talk: Talk, tally: Tally, where: str) -> None:
    said = await talk.call("notte_status")
    tally.expect(not said.is_error, f"{where}: {said.text[:200]}")


async def leftovers(grounds: Grounds, times: int, tally: Tally) -> None:
    """A server and its driver are killed beside one that lives; the next start sweeps what is theirs and nothing else."""
    # Deep enough for the short links in the folder for temporary files.
    home, grounds.state = grounds.state, grounds.folder / ("deep" * 20) / "state"
    with grounds.server() as staying:
        talk = Talk(staying)
        mine = await bring(talk, grounds, "idle", holder=staying.process.pid)
        ours = below(staying.process.pid)
        for number in range(times):
            where = f"leftovers {number + 1}"
            before = {*_left_in(grounds)}
            with grounds.server() as wire:
                await bring(Talk(wire), grounds, "agent", holder=wire.process.pid)
                tree = below(wire.process.pid)
                for process in (psutil.Process(wire.process.pid), *(p for p in tree if "node" in p.name())):
                    process.kill()
                wire.end()
            theirs = {*_left_in(grounds)} - before
            tally.expect(theirs, f"{where}: nothing was left, so that nothing is tried")
            tally.note("left by the dead", len(theirs))
            with grounds.server() as wire:
                await Talk(wire).call("notte_status")
                await gone(tree, within_s=2)
                left = [path for path in theirs if path.exists() or path.is_symlink()]
                tally.expect(not left, f"{where}: left are {left}")
                lost = [path for path in before if not path.exists()]
                tally.expect(not lost, f"{where}: a living server has lost {lost}")
                await leave(wire)
            dead = [process for process in ours if not alive(process)]
            tally.expect(not dead, f"{where}: of a living server are dead {dead}")
        fill = {"type": "fill", "selector": "#applicant", "value": "Bo"}
        said = await talk.call("notte_execute", session_id=mine.session, actions=[fill])
        tally.expect(not said.is_error, f"leftovers: the living server's session: {said.text[:200]}")
        await leave(staying)
    tally.expect(not [*_left_in(grounds)], f"leftovers: left are {[*_left_in(grounds)]}")
    shutil.rmtree(grounds.state)
    grounds.state = home


def _left_in(grounds: Grounds) -> Iterator[Path]:
    """Run folders with their locks, and the links to what is in them."""
    yield from (grounds.state / "run").glob("own_*")
    for link in Path(tempfile.gettempdir()).glob("nm-*"):
        if grounds.state in link.resolve().parents:
            yield link


def _owners(grounds: Grounds) -> int:
    return len([*(grounds.state / "run").glob("own_*/")])


FAULTS: Final = (
    Fault(
        "two-servers",
        ("P3", "P7"),
        "two servers on one state folder; one is killed, and the living one restores its session",
        two_servers,
        Counts(0, 4, 100),
        seconds=90,
    ),
    Fault(
        "one-keeper",
        ("P7",),
        f"{RELAYS} hosts start at once where there is no keeper, and a server of one process beside them",
        one_keeper,
        Counts(0, 2, 50),
        seconds=60,
    ),
    Fault(
        "leftovers",
        ("P4",),
        "SIGKILL of a server with an agent, and of its driver, beside one that lives; then the next start",
        leftovers,
        Counts(0, 3, 100),
        seconds=90,
    ),
    Fault(
        "clock-moved",
        ("P3", "P10"),
        "the time of day of a server set a day ahead and a day back while it acts; all of it stopped for some seconds",
        clock_moved,
        Counts(0, 2, 20),
        seconds=150,
    ),
    Fault(
        "thirty-two",
        ("P6",),
        "32 sessions in one server, worked in all at once while browsers and renderers are killed",
        crowd,
        Counts(0, 32, 32),
        seconds=240,
    ),
)
