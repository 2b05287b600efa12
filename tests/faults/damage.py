"""A database that was damaged, lost, or written by another version, as the whole server meets it.

What is damaged is kept aside and said; what is newer is refused and untouched; the sessions' folders stay as they are.
Below: moments, fault, grounds, talk. Above: storage.
"""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Final

from notte_mcp.store.migrations import LATEST
from tests.faults.fault import Tally
from tests.faults.grounds import Grounds
from tests.faults.moments import bring, kept, leave
from tests.faults.talk import Said, Talk

PAGE: Final = 4096


def _header(whole: bytes) -> bytes:
    return bytes(100) + whole[100:]


def _middle(whole: bytes) -> bytes:
    """Every page but the first, so that it is met whichever is read."""
    return whole[:PAGE] + b"\xa5" * (len(whole) - PAGE)


def _half(whole: bytes) -> bytes:
    return whole[: len(whole) // PAGE // 2 * PAGE]


def _empty(_whole: bytes) -> bytes:
    return b""


def _garbage(whole: bytes) -> bytes:
    return b"no database at all " * (len(whole) // 19)


KINDS: Final[tuple[Callable[[bytes], bytes], ...]] = (_header, _middle, _half, _garbage, _empty)


async def damage(grounds: Grounds, times: int, tally: Tally) -> None:
    """Each kind in turn, before a start; then each under a server that has the file open."""
    home = grounds.state
    for number in range(times):
        spoil = KINDS[number % len(KINDS)]
        running = number // len(KINDS) % 2 == 1
        where = f"{spoil.__name__.strip('_')}, {'under a server' if running else 'before a start'}"
        # A folder for each, since what was kept aside is counted.
        grounds.state = home / str(number)
        await _one(grounds, spoil, tally, where, running=running)
    grounds.state = home


async def _one(grounds: Grounds, spoil: Callable[[bytes], bytes], tally: Tally, where: str, *, running: bool) -> None:
    file = grounds.state / "notte-mcp.sqlite"
    with grounds.server() as wire:
        talk = Talk(wire)
        known = await bring(talk, grounds, "idle", holder=wire.process.pid)
        if running:
            spoil_file(file, spoil)
            await _under(talk, known.session, tally, where)
        await leave(wire)
    if not running:
        spoil_file(file, spoil)
    bad = file.read_bytes()
    kept_files = sorted(path.name for path in (grounds.state / "sessions").rglob("*"))
    with grounds.server() as wire:
        talk = Talk(wire)
        first = await talk.call("notte_status")
        tally.expect(not first.is_error, f"{where}: {first.text[:300]}")
        tally.expect("database" in first.text, f"{where}: nothing is said of it: {first.text[:300]}")
        again = await talk.call("notte_start", url=grounds.site.url("/form.html"))
        tally.expect(not again.is_error, f"{where}: no session after it: {again.text[:300]}")
        files = sorted(path.name for path in (grounds.state / "sessions").rglob("*"))
        tally.expect(set(kept_files) <= set(files), f"{where}: files of sessions are gone: {kept_files}")
        await leave(wire)
    aside = [path for path in grounds.state.glob("*.corrupt-*") if not path.name.endswith(("-journal", "-wal", "-shm"))]
    if spoil is _empty:
        tally.expect(aside == [], f"{where}: an empty file was kept")
    elif not running:
        tally.expect([path.read_bytes() for path in aside] == [bad], f"{where}: kept aside are {aside}")


async def _under(talk: Talk, session: str, tally: Tally, where: str) -> None:
    """The server that has it open: each call is answered, in words or by an error of ours, and stop stops."""
    fill = {"type": "fill", "selector": "#applicant", "value": "Ada"}
    for tool, arguments in (
        ("notte_execute", {"session_id": session, "actions": [fill]}),
        ("notte_status", {}),
        ("notte_read", {"uri": f"notte://sessions/{session}/steps"}),
        ("notte_observe", {"session_id": session}),
        ("notte_stop", {"id": session}),
    ):
        said = await talk.call(tool, **arguments)
        tally.expect(_typed(said), f"{where}: {tool}: {said.text[:300]}")
        if said.is_error:
            tally.note("typed errors")


def _typed(said: Said) -> bool:
    return "itself failed" not in said.text and (not said.is_error or "Next: " in said.text)


def spoil_file(path: Path, spoil: Callable[[bytes], bytes]) -> None:
    """Write the damage into the same file, as a bad disk does."""
    spoiled = spoil(path.read_bytes())
    with path.open("r+b") as file:
        file.write(spoiled)
        file.truncate()


async def newer(grounds: Grounds, times: int, tally: Tally) -> None:
    """A schema of tomorrow is refused by every call that needs the file, which stays as it is."""
    for _ in range(times):
        with grounds.server() as wire:
            known = await bring(Talk(wire), grounds, "idle", holder=wire.process.pid)
            await leave(wire)
        file = grounds.state / "notte-mcp.sqlite"
        _version(file, LATEST + 1)
        before = file.read_bytes()
        with grounds.server() as wire:
            talk = Talk(wire)
            for tool in ("notte_status", "notte_start"):
                said = await talk.call(tool)
                held = said.is_error and "newer notte-mcp" in said.text and "update notte-mcp" in said.text
                tally.expect(held, f"newer: {tool}: {said.text[:300]}")
            await leave(wire)
        tally.expect(file.read_bytes() == before, "newer: the file is another")
        _version(file, LATEST)
        with grounds.server() as wire:
            await kept(Talk(wire), known, tally, "newer, and back")
            await leave(wire)


def _version(file: Path, number: int) -> None:
    with closing(sqlite3.connect(file)) as database:
        database.execute(f"PRAGMA user_version = {number}")
