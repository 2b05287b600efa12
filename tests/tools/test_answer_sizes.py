"""P10: whatever is kept and however long its texts are, no answer is larger than a model or a host can take."""

import json
import sqlite3
from collections.abc import AsyncGenerator
from contextlib import closing
from pathlib import Path

import pytest

from notte_mcp.agent_records import AgentRecord, AgentSpec
from notte_mcp.ids import new_agent_id, new_session_id
from notte_mcp.receipts import Receipt
from notte_mcp.records import SessionRecord, SessionSpec, StepRecord
from notte_mcp.resources.content import MAX_BYTES, as_list
from tests.tools.conftest import FORM, Host, text_of
from tests.tools.tokens import tokens

pytestmark = pytest.mark.anyio

LONG_URL = "http://shop.test/" + "very-long/" * 400
TITLE = "A title that does not end " * 40
STEPS = 3_000
TOKENS = 20_000
"""The most that an answer may ask for (HARD_MAX_TOKENS); those that name no budget stay below it by themselves."""


@pytest.fixture
async def full_house(tmp_path: Path) -> AsyncGenerator[tuple[Host, str, str]]:
    """A host whose store holds a thousand agents, three hundred sessions, and one of these with thousands of steps."""
    host = Host(tmp_path, "auto")
    async with host.connected():
        live = await host.start()
        assert host.app is not None
        store, owner = host.app.store, host.app.owner
        record = SessionRecord(
            new_session_id(), owner, "stopped", SessionSpec(), 1, 1, "user", LONG_URL[:500], TITLE[:200], STEPS
        )
        await store.put_session(record)
        task = AgentSpec(task="Find everything. " * 1_000, driver="assistant", session=SessionSpec())
        agent = AgentRecord(new_agent_id(), owner, "completed", task, record.id, 1, 1)
        await store.put_agent(agent.but(answer="All of it. " * 2_000, success=True))
        receipt = Receipt("goto", success=False, message="It did not load. " * 15, url_after=LONG_URL[:500])
        for begin in range(0, STEPS, 500):
            steps = [
                StepRecord(record.id, begin + n, "assistant", "intended", {"type": "goto", "url": LONG_URL}, 1.0)
                for n in range(1, 501)
            ]
            await store.intend(steps)
            for step in steps[::100]:
                await store.settle(step_done(step, receipt), record)
        _multiply(host.settings.database, "sessions", record.id, [new_session_id() for _ in range(300)])
        _multiply(host.settings.database, "agents", agent.id, [new_agent_id() for _ in range(1_000)])
        yield host, live, record.id


def _multiply(database: Path, table: str, like: str, ids: list[str]) -> None:
    """Rows as one that is there, in one transaction: a thousand commits would take half a minute."""
    with closing(sqlite3.connect(database, timeout=10)) as connection, connection:
        columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table})") if row[1] != "id"]
        listed = ", ".join(columns)
        copy = f"INSERT INTO {table} (id, {listed}) SELECT ?, {listed} FROM {table} WHERE id = ?"  # noqa: S608 - our names
        connection.executemany(copy, [(one, like) for one in ids])


def step_done(step: StepRecord, receipt: Receipt) -> StepRecord:
    return StepRecord(
        step.session_id, step.number, step.actor, "failed", step.action, 1.0, ended_at=2.0, receipt=receipt
    )


async def test_every_answer_about_a_full_house_is_bounded(full_house: tuple[Host, str, str]) -> None:
    """Lists, logs, records and refusals: by tokens as tools, by bytes as resources."""
    host, live, old = full_house
    assert host.app is not None
    (agent, *_) = await host.app.agents.agents(limit=1)
    for arguments in ({}, {"id": old}, {"id": old, "after_step": 0}, {"id": agent.id}, {"id": live}):
        answer = await host.call("notte_status", **arguments)
        assert not answer.is_error
        assert tokens(text_of(answer)) < TOKENS, arguments
    uris = [
        "notte://sessions", "notte://agents", "notte://runs", "notte://workflows", f"notte://sessions/{old}",
        f"notte://sessions/{old}/steps", f"notte://agents/{agent.id}", f"notte://agents/{agent.id}/steps",
        f"notte://sessions/{old}/files",
    ]  # fmt: skip
    assert host.client is not None
    for uri in uris:
        read = await host.client.read_resource(uri)
        assert sum(len(getattr(one, "text", "").encode()) for one in read.contents) <= MAX_BYTES, uri
        assert tokens(await host.text("notte_read", uri=uri)) < 4_000 * 1.25, uri


async def test_refusals_name_the_first_of_many_and_how_many_more(tmp_path: Path) -> None:
    """With all places taken by pages with long addresses."""
    host = Host(tmp_path, "auto")
    host.settings = host.settings.model_copy(update={"max_sessions": 24})
    async with host.connected():
        for _ in range(24):
            await host.start()
        for tool in ("notte_observe", "notte_stop", "notte_start"):
            said = await host.refusal(tool)
            assert "and 4 more" in said
            assert tokens(said) < 1_500
            assert FORM in said


def test_a_list_that_is_too_long_is_cut_and_says_so() -> None:
    """What fits is told."""
    values = [{"number": number, "text": "é" * (MAX_BYTES // 6)} for number in range(5)]

    body = as_list("notte://agents", "agents", values).body
    assert isinstance(body, str)
    *told, last = json.loads(body)

    assert told == values[:2]
    assert last["left_out"] == 3
    assert len(body.encode()) <= MAX_BYTES
