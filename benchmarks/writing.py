"""What it costs that an acknowledged step is on disk: an intent and an outcome, one commit each.

The floor is the same two transactions on sqlite3 itself, with the same safety.

Below: the store. Above: `__main__`.
"""

import sqlite3
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.rows import Outcome, Run, paired
from notte_mcp.ids import new_session_id
from notte_mcp.receipts import Locators, Receipt, Target
from notte_mcp.records import SessionRecord, SessionSpec, StepRecord
from notte_mcp.store.sql import SqlStore


async def step(run: Run) -> Outcome:
    """Intend and settle one step."""
    with TemporaryDirectory(prefix="notte-mcp-bench-") as folder:
        store = await SqlStore.open(Path(folder) / "store")
        try:
            session = _session()
            await store.put_session(session)
            with closing(_bare(Path(folder) / "bare")) as bare:
                return paired([(await _ours(store, session, n + 1), _floor(bare)) for n in run.times(200)])
        finally:
            await store.close()


def _session() -> SessionRecord:
    now = time.time()
    return SessionRecord(new_session_id(), "own_bench", "ready", SessionSpec(), now, now)


async def _ours(store: SqlStore, session: SessionRecord, number: int) -> float:
    action = {"type": "click", "id": "B4", "timeout_ms": 10_000}
    written = StepRecord(session.id, number, "assistant", "intended", action, time.time(), url="http://127.0.0.1/form")
    target = Target("B4", "button", "Send request", Locators(role=("button", "Send request"), css="form > button"))
    receipt = Receipt(type="click", success=True, message='clicked B4 button "Send request"', target=target)
    begun = time.perf_counter()
    await store.intend([written])
    await store.settle(
        replace(written, state="done", receipt=receipt, ended_at=time.time()), replace(session, step_count=number)
    )
    return (time.perf_counter() - begun) * 1_000


def _bare(path: Path) -> sqlite3.Connection:
    bare = sqlite3.connect(path, isolation_level=None)
    bare.execute("PRAGMA synchronous=EXTRA")
    bare.execute("CREATE TABLE steps (number INTEGER PRIMARY KEY, state TEXT, body TEXT)")
    bare.execute("CREATE TABLE sessions (id TEXT PRIMARY KEY, body TEXT)")
    return bare


def _floor(bare: sqlite3.Connection) -> float:
    body = "x" * 300
    begun = time.perf_counter()
    bare.execute("BEGIN IMMEDIATE")
    number = bare.execute("INSERT INTO steps (state, body) VALUES ('intended', ?)", (body,)).lastrowid
    bare.execute("COMMIT")
    bare.execute("BEGIN IMMEDIATE")
    bare.execute("UPDATE steps SET state = 'done', body = ? WHERE number = ?", (body * 2, number))
    bare.execute("INSERT OR REPLACE INTO sessions VALUES ('a', ?)", (body,))
    bare.execute("COMMIT")
    return (time.perf_counter() - begun) * 1_000
