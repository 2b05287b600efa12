"""The database: it opens, it is whole, its schema is known; and how many sessions wait to be restored.

Looked at as SQLite itself does; `--fix` lets the store open it, which moves a damaged file
aside, and only where no other server has it open.

Below: finding, leftovers, store. Above: examining.
"""

import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Final

from notte_mcp.doctor.finding import Finding, failure, ok, warning
from notte_mcp.doctor.leftovers import folders, looking
from notte_mcp.errors import NotteMCPError
from notte_mcp.records import LIVE_STATES
from notte_mcp.settings import Settings

BUSY_S: Final = 5.0


def check(settings: Settings, *, fix: bool) -> Iterator[Finding]:
    """Findings of the database; `fix` moves a damaged one aside."""
    told: list[str] = []
    for folder in folders(settings.state_dir):
        path = folder / settings.database.name
        is_principals = folder != settings.state_dir
        if not path.exists():
            if not is_principals:
                yield ok("database", "There is none yet; the first session makes it.")
            continue
        for finding in _of(path, told, f" of {folder.name}" if is_principals else "", fix=fix):
            if not is_principals or finding.level != "ok":
                yield finding
    if told:
        text = "; ".join(told)
        restored = " notte_start(session_id=...) restores one." if "interrupted" in text else ""
        yield ok("sessions", f"Kept: {text}.{restored}")


def _of(path: Path, told: list[str], whose: str, *, fix: bool) -> Iterator[Finding]:
    try:
        yield from _looked_at(path, told, whose)
    except sqlite3.OperationalError as error:
        yield failure("database", f"{path} cannot be opened: {error}.", "end what holds it, or make it readable")
    except sqlite3.DatabaseError as error:
        yield _damaged(path, str(error), fix=fix)


def _looked_at(path: Path, told: list[str], whose: str) -> Iterator[Finding]:
    from notte_mcp.store.migrations import LATEST

    # To be written, since only who may write can roll a dead server's last transaction back.
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=rw", uri=True, timeout=BUSY_S)) as connection:
        verdict = str(connection.execute("PRAGMA integrity_check(1)").fetchone()[0])
        if verdict != "ok":
            raise sqlite3.DatabaseError(verdict)
        version = int(connection.execute("PRAGMA user_version").fetchone()[0])
        journal = str(connection.execute("PRAGMA journal_mode").fetchone()[0])
        if version > LATEST:
            yield failure("database", f"A newer notte-mcp wrote it (schema {version} > {LATEST}).", "update notte-mcp")
            return
        yield ok("database", f"{path} is whole (schema {version}, journal {journal}).")
        if version == LATEST:
            told.append(_sessions(connection, path.parent) + whose)


def _sessions(connection: sqlite3.Connection, folder: Path) -> str:
    """How many are kept. What is live of a server that died is interrupted, though nobody has put that on record yet."""
    state = looking(folder)
    counts: Counter[str] = Counter()
    for owner, kept, count in connection.execute("SELECT owner, state, count(*) FROM sessions GROUP BY owner, state"):
        is_live = kept in LIVE_STATES and state.owner_alive(owner)
        counts["live" if is_live else "interrupted" if kept in {*LIVE_STATES, "interrupted"} else "ended"] += count
    return ", ".join(f"{counts[kind]} {kind}" for kind in ("live", "interrupted", "ended") if counts[kind]) or "none"


def _damaged(path: Path, why: str, *, fix: bool) -> Finding:
    text = f"{path} is damaged ({why.splitlines()[0][:150]})."
    if not fix:
        return failure("database", text, "notte-mcp doctor --fix moves it aside, and a new one is begun")
    from notte_mcp.store.database import Database

    database = Database(path, busy_timeout_s=BUSY_S)
    try:
        database.open()
    except NotteMCPError as error:
        return failure("database", error.what, error.next_call)
    notes = database.notes
    database.close()
    if not notes:
        return failure("database", text, f"`sqlite3 {path} .recover` may save what is in it")
    return warning("database", "It was damaged, and a new one is begun.", done=notes[0])
