"""What reading the log of a long session costs: 1,000 steps through notte_read, in pages of at most 4,000 tokens.

As text the number is that of all pages together, as JSON lines that of the slowest page. The floor is sqlite3 that
reads the same rows and decodes their JSON.

Below: host, wire, the store. Above: `__main__`.
"""

import json
import re
import sqlite3
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager, closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from benchmarks.host import SERVER, Answer, Host
from benchmarks.rows import Outcome, Run, paired
from benchmarks.wire import BenchmarkFailed, wire
from notte_mcp.ids import new_session_id
from notte_mcp.receipts import Locators, Receipt, Target
from notte_mcp.records import SessionRecord, SessionSpec, StepRecord
from notte_mcp.settings import Settings
from notte_mcp.store.sql import SqlStore

STEPS: Final = 1_000
STEPS_SHORT: Final = 200
PAGE_TOKENS: Final = 4_000

_CURSOR: Final = re.compile(r"cursor (p[0-9a-f]+\.\d+)$")


async def as_text(run: Run) -> Outcome:
    """All pages of the log as lines for people."""
    return await _read(run, "?format=text", sum)


async def as_json(run: Run) -> Outcome:
    """The slowest page of the log as JSON lines: the first one, which reads the whole."""
    return await _read(run, "", max)


async def _read(run: Run, form: str, number: Callable[[Sequence[float]], float]) -> Outcome:
    pairs: list[tuple[float, float]] = []
    largest = 0
    steps = STEPS_SHORT if run.short else STEPS
    async with _kept(steps) as (host, uri, database):
        await _pages(host, uri + form, steps)  # the database is opened by the first call
        for _ in run.times(9):
            pages = await _pages(host, uri + form, steps)
            largest = max(largest, *(page.tokens for page in pages))
            pairs.append((number([page.ms for page in pages]), _floor(database)))
    return paired(pairs, tokens=largest)


async def _pages(host: Host, uri: str, last: int) -> list[Answer]:
    pages = [await host.call("notte_read", {"uri": uri, "max_tokens": PAGE_TOKENS})]
    while more := _CURSOR.search(pages[-1].text):
        pages.append(await host.call("notte_read", {"uri": uri, "cursor": more[1], "max_tokens": PAGE_TOKENS}))
    if str(last) not in pages[-1].text:
        raise BenchmarkFailed(f"the log ends without its last step: {pages[-1].text[-300:]}")
    return pages


@asynccontextmanager
async def _kept(steps: int) -> AsyncGenerator[tuple[Host, str, Path]]:
    """A server over a state folder with one long session in it: the session's log, and the database."""
    with TemporaryDirectory(prefix="notte-mcp-bench-", ignore_cleanup_errors=True) as folder:
        state = Path(folder) / "state"
        state.mkdir(mode=0o700)
        database = Settings(state_dir=state).database
        session = SessionRecord(
            new_session_id(), "own_bench", "stopped", SessionSpec(), time.time(), time.time(), "user"
        )
        store = await SqlStore.open(database)
        try:
            await store.put_session(session)
            await store.intend([_step(session, number) for number in range(1, steps + 1)])
        finally:
            await store.close()
        async with wire(SERVER, {"NOTTE_MCP_STATE_DIR": str(state)}) as line:
            host = Host(line)
            await host.hello()
            yield host, f"notte://sessions/{session.id}/steps", database


def _step(session: SessionRecord, number: int) -> StepRecord:
    locators = Locators(
        role=("button", "Send request"), css="main > form.request > button.primary", xpath="/html/body/main/form/button"
    )
    target = Target("B4", "button", f"Send request {number}", locators, box=(12.5, 340.0, 120.0, 32.0))
    url = f"http://127.0.0.1/form/{number}"
    receipt = Receipt("click", success=True, target=target, url_before=url, url_after=url, acted_at=time.time())
    return StepRecord(
        session.id, number, "assistant", "done", {"type": "click", "id": "B4"}, time.time(), ended_at=time.time(),
        receipt=receipt, url=url,
    )  # fmt: skip


def _floor(database: Path) -> float:
    begun = time.perf_counter()
    with closing(sqlite3.connect(database)) as bare:
        for action, receipt in bare.execute("SELECT action, receipt FROM steps ORDER BY number"):
            json.loads(action)
            json.loads(receipt)
    return (time.perf_counter() - begun) * 1_000
