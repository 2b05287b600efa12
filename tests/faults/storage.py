"""What the whole server says and keeps when its disk or its database fails it, and that it goes on when that is mended.

Below: disk, moments, fault, grounds, talk. Above: table.
"""

import shutil
import sqlite3
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any, Final

import anyio

from tests.faults.damage import damage, newer
from tests.faults.disk import fill, is_full, read_only, small_disk, unwritable
from tests.faults.fault import Counts, Fault, Tally
from tests.faults.grounds import Grounds
from tests.faults.moments import bring, kept, leave, slowness, until
from tests.faults.talk import Said, Talk

ROOM: Final = {"NOTTE_MCP_MIN_FREE_BYTES": "0"}
"""The server stops keeping things before a disk is full; here it is to meet its end."""

FILL: Final = {"type": "fill", "selector": "#applicant", "value": "Ada Brew"}

WAIT_S: Final = 10.0
"""How long a locked database is waited for."""


@asynccontextmanager
async def serving(grounds: Grounds, **env: str) -> AsyncGenerator[Talk]:
    """A server that is left in order at the end."""
    with grounds.server(**env) as wire:
        talk = Talk(wire)
        yield talk
        await leave(wire)


async def disk_full(grounds: Grounds, times: int, tally: Tally) -> None:
    """The disk of the state folder is filled while a session works, and freed; then the server is killed."""
    with small_disk(grounds) as disk:
        if disk is None:
            return tally.note("not tried (no mount)")
        for number in range(times):
            with grounds.server(**ROOM) as wire:
                talk, where = Talk(wire), f"disk full {number + 1}"
                known = await bring(talk, grounds, "idle", holder=wire.process.pid)
                running = talk.begin("notte_execute", session_id=known.session, actions=[_pause(0.6), FILL])
                await until(talk, known.session, lambda told: told["state"] == "busy")
                filler = fill(disk)
                tally.expect(is_full(disk), f"{where}: there is room")
                _refused(await talk.answer(running), "disk is full", tally, f"{where}: running")
                _refused(await _fill(talk, known.session), "disk is full", tally, f"{where}: next")
                await _reads(talk, known.session, tally, where)
                filler.unlink()
                done = await _fill(talk, known.session)
                tally.expect(not done.is_error, f"{where}: not after: {done.text[:200]}")
                told = await kept(talk, known, tally, where, state="ready")
                steps = await talk.steps(known.session)
                tally.expect(all(step["ended_at"] for step in steps), f"{where}: steps without an outcome")
                tally.expect(told["step_count"] == len(steps), f"{where}: {told['step_count']} of {len(steps)} steps")
                wire.process.kill()
                wire.end()
            async with serving(grounds, **ROOM) as talk:
                await kept(talk, known, tally, where)
                tally.expect(steps == await talk.steps(known.session), f"{where}: the log is another after a restart")
    return None


async def database_locked(grounds: Grounds, times: int, tally: Tally) -> None:
    """Another process holds the database for 1 s, or for 15."""
    async with serving(grounds) as talk:
        known = await bring(talk, grounds, "idle", holder=talk.wire.process.pid)
        for number in range(times):
            seconds = 15 if number % 2 else 1
            where = f"locked for {seconds} s"
            with closing(sqlite3.connect(grounds.state / "notte-mcp.sqlite", isolation_level=None)) as other:
                other.execute("BEGIN EXCLUSIVE")
                begun = anyio.current_time()
                call = talk.begin("notte_execute", session_id=known.session, actions=[FILL])
                asked = anyio.current_time()
                await talk.call("notte_status", id=known.session)
                tally.most("status s at most", round(anyio.current_time() - asked, 2))
                if seconds < WAIT_S:
                    await anyio.sleep(seconds)
                    other.execute("ROLLBACK")
                    said = await talk.answer(call)
                    tally.expect(not said.is_error and "failed" not in said.text[:20], f"{where}: {said.text[:200]}")
                    continue
                said = await talk.answer(call)
                took = anyio.current_time() - begun
                tally.most("s until refused", round(took, 1))
                tally.expect(took < WAIT_S + 2 * slowness(), f"{where}: refused only after {took:.1f} s")
                _refused(said, "is locked", tally, where)
                await anyio.sleep(max(0.0, begun + seconds - anyio.current_time()))
                other.execute("ROLLBACK")
            said = await _fill(talk, known.session)
            tally.expect(not said.is_error, f"{where}: not after it: {said.text[:200]}")
        await kept(talk, known, tally, "locked", state="ready")


async def database_read_only(grounds: Grounds, times: int, tally: Tally) -> None:
    """The file, then the whole folder, that nobody may write: refused at the first call, and mended without a restart."""
    for _ in range(times):
        await _file_read_only(grounds, tally)
        with small_disk(grounds) as disk:
            if disk is None:
                tally.note("folder not tried (no mount)")
                continue
            await _folder_read_only(grounds, disk, tally)


async def _file_read_only(grounds: Grounds, tally: Tally) -> None:
    async with serving(grounds) as talk:
        known = await bring(talk, grounds, "idle", holder=talk.wire.process.pid)
    async with serving(grounds) as talk:
        with unwritable(grounds.state / "notte-mcp.sqlite") as done:
            if done:
                _refused(await talk.call("notte_start"), "read-only", tally, "file")
            else:
                tally.note("file not tried (no chattr)")
        await kept(talk, known, tally, "file, then writable")


async def _folder_read_only(grounds: Grounds, disk: Path, tally: Tally) -> None:
    async with serving(grounds, **ROOM) as talk:
        known = await bring(talk, grounds, "idle", holder=talk.wire.process.pid)
    async with serving(grounds, **ROOM) as talk:
        read_only(disk, on=True)
        _refused(await talk.call("notte_status"), "NOTTE_MCP_STATE_DIR", tally, "folder")
        read_only(disk, on=False)
        await kept(talk, known, tally, "folder, then writable")


async def folder_removed(grounds: Grounds, times: int, tally: Tally) -> None:
    """The state folder is deleted while a session works: it is told, the session ends, and the server as always."""
    for number in range(times):
        where = f"folder removed {number + 1}"
        with grounds.server() as wire:
            talk = Talk(wire)
            known = await bring(talk, grounds, "idle", holder=wire.process.pid)
            shutil.rmtree(grounds.state, ignore_errors=True)
            said = await _fill(talk, known.session)
            _refused(said, "moved or removed", tally, where)
            stopped = await talk.call("notte_stop", id=known.session)
            tally.expect("itself failed" not in stopped.text, f"{where}: stop: {stopped.text[:300]}")
            seconds = await leave(wire)
            tally.expect(seconds <= 2 * slowness(), f"{where}: the server took {seconds:.1f} s to end")
        async with serving(grounds) as talk:
            said = await talk.call("notte_status")
            tally.expect(said.facts["sessions"] == [], f"{where}: {said.text[:200]}")


def _pause(seconds: float) -> dict[str, Any]:
    return {"type": "wait", "time_ms": round(seconds * 1000)}


async def _fill(talk: Talk, session: str) -> Said:
    return await talk.call("notte_execute", session_id=session, actions=[FILL])


def _refused(said: Said, word: str, tally: Tally, where: str) -> None:
    """An error of ours, in the words of its cause, with the call that mends it."""
    held = said.is_error and word in said.text and "Next: " in said.text
    tally.expect(held, f"{where}: no typed error: {said.text[:300]}")


async def _reads(talk: Talk, session: str, tally: Tally, where: str) -> None:
    """What only reads goes on."""
    for tool, arguments in (
        ("notte_status", {}),
        ("notte_status", {"id": session}),
        ("notte_observe", {"session_id": session}),
        ("notte_read", {"uri": f"notte://sessions/{session}/steps"}),
    ):
        said = await talk.call(tool, **arguments)
        tally.expect(not said.is_error, f"{where}: {tool}: {said.text[:200]}")


FAULTS: Final = (
    Fault(
        "disk-full",
        ("P1", "P3"),
        "the state folder's disk filled while a session works, freed, then SIGKILL",
        disk_full,
        Counts(1, 3, 60),
        seconds=60,
    ),
    Fault(
        "database-locked",
        ("P1", "P6"),
        "another process holds the database for 1 s, and for 15 s",
        database_locked,
        Counts(0, 2, 40),
        seconds=60,
    ),
    Fault(
        "database-corrupt",
        ("P3",),
        "header, a page in the middle, half the file, all of it lost or overwritten; before a start and under a server",
        damage,
        Counts(0, 10, 100),
        seconds=150,
    ),
    Fault(
        "database-newer",
        ("P3",),
        "a database of a newer version: refused, untouched",
        newer,
        Counts(0, 1, 10),
        seconds=60,
    ),
    Fault(
        "database-read-only",
        ("P3",),
        "the file, then the whole folder, that nobody may write",
        database_read_only,
        Counts(0, 1, 20),
        seconds=60,
    ),
    Fault(
        "folder-removed",
        ("P4", "P5"),
        "the state folder deleted while a session works",
        folder_removed,
        Counts(0, 1, 20),
        seconds=60,
    ),
)
