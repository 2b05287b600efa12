"""The store on SQLite where it meets the world: other versions, damage, other processes, a full disk."""
# ruff: noqa: ASYNC240 - what a test does to a local file takes no time worth a thread

import asyncio
import os
import sqlite3
import tempfile
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import ExitStack, asynccontextmanager, closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import anyio
import pytest
from sqlalchemy import Connection, Engine, event

from notte_mcp.agent_records import AgentRecord, AgentSpec
from notte_mcp.errors import StoreTooNew, StoreUnusable
from notte_mcp.receipts import Receipt
from notte_mcp.records import SessionRecord, SessionSpec, StepRecord
from notte_mcp.store import database, migrations
from notte_mcp.store.database import journal
from notte_mcp.store.sql import SqlStore
from notte_mcp.workflow_records import RunRecord, RunStep, ScriptRun, WorkflowRecord
from tests.second import says, second_process, tell

pytestmark = pytest.mark.anyio

SESSION = SessionRecord(
    id="ses_" + "a" * 26, owner="own_1", state="ready", spec=SessionSpec(), created_at=1.0, updated_at=1.0
)
STEP = StepRecord(SESSION.id, 1, "assistant", "intended", {"type": "click", "id": "B1"}, started_at=1.0)
AGENT = AgentRecord(
    id="agt_" + "a" * 26,
    owner="own_1",
    state="running",
    spec=AgentSpec(task="Look", driver="assistant", session=SessionSpec()),
    session_id=SESSION.id,
    created_at=1.0,
    updated_at=1.0,
)
WORKFLOW = WorkflowRecord(name="order", version=1, content={"steps": [1]}, source=SESSION.id, created_at=1.0)
RUN = RunRecord(
    id="run_" + "a" * 26,
    owner="own_1",
    kind="verify",
    state="running",
    source=SESSION.id,
    created_at=1.0,
    updated_at=1.0,
    steps=(RunStep(1, "click", "passed"),),
    script=ScriptRun(passed=True),
)
DONE = replace(STEP, state="done", ended_at=2.0, receipt=Receipt(type="click", success=True, message="clicked"))

HOLD = """
import sqlite3, sys
db = sqlite3.connect(sys.argv[1], isolation_level=None)
for statement in sys.argv[2:]:
    db.execute(statement).fetchone()
print("held", flush=True)
sys.stdin.readline()
db.execute("COMMIT")
print("free", flush=True)
sys.stdin.readline()
"""

WRITE = """
import anyio, sys
from dataclasses import replace
from pathlib import Path
from notte_mcp.receipts import Receipt
from notte_mcp.records import SessionRecord, SessionSpec, StepRecord
from notte_mcp.store.sql import SqlStore

async def main(path, letter, count):
    store = await SqlStore.open(Path(path))
    session = SessionRecord(id="ses_" + letter * 26, owner="own_" + letter, state="ready", spec=SessionSpec(),
                            created_at=1.0, updated_at=1.0)
    await store.put_session(session)
    for number in range(1, count + 1):
        step = StepRecord(session.id, number, "assistant", "intended", {"type": "click"}, 1.0)
        assert (await store.claim(f"{letter}{number}", tool="execute", digest="", owner="own")).fresh
        await store.intend([step])
        receipt = Receipt(type="click", success=True, message=f"clicked {number}")
        await store.settle(replace(step, state="done", receipt=receipt), replace(session, step_count=number))
        print(number, flush=True)
    await store.close()

anyio.run(main, sys.argv[1], sys.argv[2], int(sys.argv[3]))
"""

OPEN = """
import anyio, sys
from pathlib import Path
from notte_mcp.store.sql import SqlStore

async def main():
    for line in sys.stdin:
        store = await SqlStore.open(Path(line.strip()))
        print(len(store.notes), flush=True)
        await store.owners()
        await store.close()

print("ready", flush=True)
anyio.run(main)
"""

OPEN_AS_NOBODY = """
import anyio, os, sys
from pathlib import Path
import anyio._backends._asyncio
from notte_mcp.errors import NotteMCPError
from notte_mcp.store.sql import SqlStore

async def main(*paths):
    for path in paths:
        try:
            await SqlStore.open(Path(path))
        except NotteMCPError as error:
            print(type(error).__name__, error, flush=True)

if os.geteuid() == 0:
    os.setgroups([]), os.setgid(65534), os.setuid(65534)
anyio.run(main, *sys.argv[1:])
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the database is to be."""
    return tmp_path / "notte-mcp.sqlite"


@asynccontextmanager
async def opened(path: Path, *, busy_timeout_s: float = 10.0) -> AsyncGenerator[SqlStore]:
    """A store, closed at the end; no test of it may take long."""
    store = await SqlStore.open(path, busy_timeout_s=busy_timeout_s)
    try:
        with anyio.fail_after(30):
            yield store
    finally:
        await store.close()


@contextmanager
def on_connect(*statements: str) -> Generator[None]:
    """Run statements on every connection that SQLAlchemy opens meanwhile."""

    def run(connection: Any, _record: object) -> None:
        for statement in statements:
            connection.execute(statement)

    event.listen(Engine, "connect", run)
    try:
        yield
    finally:
        event.remove(Engine, "connect", run)


def ask(path: Path, query: str) -> list[Any]:
    """The first column of a query's rows, asked past the store."""
    with closing(sqlite3.connect(path)) as connection:
        return [row[0] for row in connection.execute(query)]


# --- the schema ------------------------------------------------------------------------


async def test_a_blank_file_gets_the_latest_schema_and_is_private(path: Path) -> None:
    """Mode 0600 whatever the umask, since cookies may stand in what is stored."""
    before = os.umask(0)
    try:
        async with opened(path) as store:
            assert store.notes == ()
            await store.put_session(SESSION)
    finally:
        os.umask(before)

    assert ask(path, "PRAGMA user_version") == [migrations.LATEST]
    assert set(ask(path, "SELECT name FROM sqlite_master WHERE type = 'table'")) >= {
        "sessions", "steps", "requests", "agents", "agent_events",
    }  # fmt: skip
    assert [p.name for p in path.parent.iterdir() if p.stat().st_mode & 0o077] == []


async def test_a_file_that_others_may_read_is_made_private(path: Path) -> None:
    """A copy that was put back by hand is as private as ours."""
    path.touch(0o644)
    async with opened(path):
        pass

    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("version", range(migrations.LATEST))
async def test_every_earlier_schema_is_brought_to_the_latest(path: Path, version: int) -> None:
    """Also the empty one, which has number 0."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(migrations, "MIGRATIONS", migrations.MIGRATIONS[:version])
        async with opened(path):
            pass
    assert ask(path, "PRAGMA user_version") == [version]

    async with opened(path) as store:
        await store.put_session(SESSION)
        assert await store.sessions() == [SESSION]


FIRST_SCHEMA_ROWS = (
    """INSERT INTO sessions VALUES ('ses_aaaaaaaaaaaaaaaaaaaaaaaaaa', 'own_1', 'ready', '', '{"engine":"local"}', 1.0, 1.0,
       '', '', 2, 0, '{}', NULL)""",
    """INSERT INTO steps VALUES ('ses_aaaaaaaaaaaaaaaaaaaaaaaaaa', 1, 'assistant', 'done',
       '{"type":"click","id":"B1"}', 1.0, 2.0, '{"type":"click","success":true,"message":"clicked"}', '')""",
    """INSERT INTO steps VALUES ('ses_aaaaaaaaaaaaaaaaaaaaaaaaaa', 2, 'assistant', 'intended',
       '{"type":"click","id":"B1"}', 1.0, NULL, NULL, '')""",
    "INSERT INTO requests VALUES ('r1', 'execute', 'd1', 'own_1', 1.0, '{\"text\":\"done\"}')",
)


async def test_a_file_of_the_first_schema_keeps_its_rows_and_takes_agents(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Written past the store, as the version that knew no agents wrote it."""
    with monkeypatch.context() as patch:
        patch.setattr(migrations, "MIGRATIONS", migrations.MIGRATIONS[:1])
        async with opened(path):
            pass
    with closing(sqlite3.connect(path)) as connection, connection:
        for statement in FIRST_SCHEMA_ROWS:
            connection.execute(statement)

    async with opened(path) as store:
        intended = replace(STEP, number=2)
        assert await store.sessions() == [replace(SESSION, step_count=2)]
        assert await store.steps(SESSION.id) == [DONE, intended]
        assert (await store.claim("r1", tool="execute", digest="d1", owner="own_2")).answer == {"text": "done"}
        mine = replace(STEP, number=3, agent_id=AGENT.id, agent_step=1)
        await store.put_agent(AGENT)
        await store.intend([mine])
        assert await store.agent(AGENT.id) == AGENT
        assert await store.agent_steps(AGENT.id) == [mine]


SECOND_SCHEMA_ROWS = (
    *FIRST_SCHEMA_ROWS[:1],
    """INSERT INTO agents VALUES ('agt_aaaaaaaaaaaaaaaaaaaaaaaaaa', 'own_1', 'running',
       '{"task":"Look","driver":"assistant","session":{"engine":"local"}}', 'ses_aaaaaaaaaaaaaaaaaaaaaaaaaa', 1.0, 1.0,
       NULL, '', 1, 1, NULL, NULL, NULL, NULL, '{}')""",
    """INSERT INTO agent_events VALUES ('agt_aaaaaaaaaaaaaaaaaaaaaaaaaa', 1, 0, 1.0, 'started', 'Look')""",
    """INSERT INTO steps VALUES ('ses_aaaaaaaaaaaaaaaaaaaaaaaaaa', 1, 'assistant', 'done',
       '{"type":"click","id":"B1"}', 1.0, 2.0, '{"type":"click","success":true,"message":"clicked"}', '',
       'agt_aaaaaaaaaaaaaaaaaaaaaaaaaa', 1)""",
    *FIRST_SCHEMA_ROWS[3:],
)


async def test_a_file_of_the_second_schema_keeps_its_rows_and_takes_workflows(path: Path) -> None:
    """Written past the store, as the version that kept no workflows wrote it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(migrations, "MIGRATIONS", migrations.MIGRATIONS[:2])
        async with opened(path):
            pass
    with closing(sqlite3.connect(path)) as connection, connection:
        for statement in SECOND_SCHEMA_ROWS:
            connection.execute(statement)

    async with opened(path) as store:
        done = replace(DONE, agent_id=AGENT.id, agent_step=1)
        assert await store.sessions() == [replace(SESSION, step_count=2)]
        assert await store.steps(SESSION.id) == await store.agent_steps(AGENT.id) == [done]
        assert await store.agents() == [replace(AGENT, step_count=1)]
        assert [event.text for event in await store.events(AGENT.id)] == ["Look"]
        assert [event.text for event in await store.session_events(SESSION.id)] == ["Look"]
        assert (await store.claim("r1", tool="execute", digest="d1", owner="own_2")).answer == {"text": "done"}
        later = replace(STEP, number=2, saw=("Orders",))
        await store.put_session(replace(SESSION, seen=("Thanks",)))
        await store.intend([later])
        assert await store.add_workflow(WORKFLOW) == WORKFLOW
        await store.put_run(RUN)
    async with opened(path) as store:
        assert await store.sessions() == [replace(SESSION, seen=("Thanks",))]
        assert await store.steps(SESSION.id) == [done, later]
        assert await store.workflows() == [WORKFLOW]
        assert await store.runs() == [RUN]


async def test_a_runs_fields_of_a_later_version_are_left_out(path: Path) -> None:
    """As an agent's are, in what it holds too."""
    async with opened(path) as store:
        await store.put_run(RUN)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(
            "UPDATE runs SET record = json_set(record, '$.mood', 'calm', '$.steps[0].watts', 9, '$.script.colour', 1)"
        )

    async with opened(path) as store:
        assert await store.run(RUN.id) == RUN
        assert await store.runs() == [RUN]


async def test_two_servers_that_keep_one_name_at_once_get_versions_of_their_own(path: Path) -> None:
    """Neither overwrites the other's, and none is refused."""
    kept: list[int] = []

    async def keep(store: SqlStore) -> None:
        kept.extend([(await store.add_workflow(WORKFLOW)).version for _ in range(20)])

    async with opened(path) as one, opened(path) as two, anyio.create_task_group() as group:
        group.start_soon(keep, one)
        group.start_soon(keep, two)

    assert sorted(kept) == list(range(1, 41))


async def test_an_agents_fields_of_a_later_version_are_left_out(path: Path) -> None:
    """Two versions may share a state folder while one of them is updated."""
    async with opened(path) as store:
        await store.put_agent(AGENT)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(
            "UPDATE agents SET spec = json_set(spec, '$.mood', 'calm', '$.session.colour', 'red'),"
            " usage = json_set(usage, '$.watts', 9)"
        )

    async with opened(path) as store:
        assert await store.agent(AGENT.id) == AGENT
        assert await store.agents() == [AGENT]


async def test_an_agents_steps_are_found_by_their_index(path: Path) -> None:
    """A log of many sessions is not read through for one agent's steps."""
    async with opened(path):
        pass

    with closing(sqlite3.connect(path)) as connection:
        plan = connection.execute(
            "EXPLAIN QUERY PLAN SELECT * FROM steps WHERE agent_id = ? AND agent_step > ? ORDER BY agent_step", ("a", 0)
        ).fetchall()
    assert ["USING INDEX steps_by_agent" in row[-1] for row in plan] == [True]


async def test_a_migration_keeps_what_is_stored(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An update of the program never costs its records."""

    def one_more(connection: Connection) -> None:
        connection.exec_driver_sql("ALTER TABLE sessions ADD COLUMN colour TEXT NOT NULL DEFAULT 'red'")

    async with opened(path) as store:
        await store.put_session(SESSION)
    monkeypatch.setattr(migrations, "MIGRATIONS", (*migrations.MIGRATIONS, one_more))
    async with opened(path):
        pass

    assert ask(path, "SELECT colour FROM sessions") == ["red"]
    assert ask(path, "PRAGMA user_version") == [migrations.LATEST + 1]


async def test_a_migration_that_fails_leaves_the_file_as_it_was(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All pending migrations are one transaction."""

    def half_done(connection: Connection) -> None:
        connection.exec_driver_sql("CREATE TABLE half (a)")
        connection.exec_driver_sql("CREATE TABLE half (a)")

    async with opened(path) as store:
        await store.put_session(SESSION)
    with monkeypatch.context() as patch:
        patch.setattr(migrations, "MIGRATIONS", (*migrations.MIGRATIONS, half_done))
        with pytest.raises(StoreUnusable, match="half"):
            await SqlStore.open(path)

    assert ask(path, "SELECT name FROM sqlite_master WHERE name = 'half'") == []
    async with opened(path) as store:
        assert await store.sessions() == [SESSION]


async def test_a_newer_schema_is_refused_and_left_untouched(path: Path) -> None:
    """A downgrade must not write into what it does not know."""
    async with opened(path) as store:
        await store.put_session(SESSION)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 99")
    before = path.read_bytes()

    with pytest.raises(StoreTooNew, match=r"schema 99; this one knows \d+.*NOTTE_MCP_STATE_DIR"):
        await SqlStore.open(path)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ((3, 40, 1), ("TRUNCATE", "EXTRA")),
        ((3, 51, 2), ("TRUNCATE", "EXTRA")),
        ((3, 51, 3), ("WAL", "FULL")),
        ((4, 0, 0), ("WAL", "FULL")),
    ],
)
def test_write_ahead_logging_waits_for_the_sqlite_that_is_safe(version: tuple[int, ...], expected: object) -> None:
    """SQLite's WAL-reset bug, fixed in 3.51.3: several connections could corrupt the file."""
    assert journal(version) == expected


@pytest.mark.parametrize(("mode", "number"), [(("TRUNCATE", "EXTRA"), 3), (("WAL", "FULL"), 2)])
async def test_the_journal_that_was_chosen_is_the_one_in_force(
    path: Path, mode: tuple[str, str], number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A PRAGMA that does not take is silent; and a file changes over when the version does."""

    def chosen(_version: tuple[int, ...]) -> tuple[str, str]:
        return mode

    for previous in (("WAL", "FULL"), ("TRUNCATE", "EXTRA")):
        monkeypatch.setattr(database, "journal", lambda _version, p=previous: p)  # pyright: ignore[reportUnknownArgumentType, reportUnknownLambdaType]
        async with opened(path) as store:
            await store.put_session(SESSION)
    monkeypatch.setattr(database, "journal", chosen)
    async with opened(path) as store:
        with store._database.transaction(write=False) as connection:
            assert connection.exec_driver_sql("PRAGMA journal_mode").scalar_one() == mode[0].lower()
            assert connection.exec_driver_sql("PRAGMA synchronous").scalar_one() == number
        assert await store.sessions() == [SESSION]


# --- damage ------------------------------------------------------------------------------


def text_instead(_whole: bytes) -> bytes:
    """Something else under the database's name."""
    return b"this is no database at all, only some text"


def header_lost(whole: bytes) -> bytes:
    """The first hundred bytes zeroed."""
    return bytes(100) + whole[100:]


def junk_inside(whole: bytes) -> bytes:
    """Every page after the first overwritten."""
    return whole[:4096] + b"\xa5" * (len(whole) - 4096)


def cut_in_half(whole: bytes) -> bytes:
    """The later pages gone."""
    return whole[: len(whole) // 8192 * 4096]


@pytest.mark.parametrize("damage", [text_instead, header_lost, junk_inside, cut_in_half])
async def test_a_damaged_file_is_moved_aside_and_a_new_one_begun(path: Path, damage: Callable[[bytes], bytes]) -> None:
    """Nothing is deleted, the owner is told, and the server works."""
    async with opened(path) as store:
        await store.put_session(SESSION)
    path.write_bytes(damage(path.read_bytes()))
    damaged = path.read_bytes()
    journal_of_old = path.with_name(f"{path.name}-journal").stat().st_ino

    async with opened(path) as store:
        (note,) = store.notes
        assert await store.sessions() == []
        await store.put_session(SESSION)
    async with opened(path) as store:
        assert store.notes == ()
        assert await store.sessions() == [SESSION]

    aside, companion = sorted(path.parent.glob("*.corrupt-*"))
    assert aside.read_bytes() == damaged
    assert f"moved to {aside} and" in note
    # Left where it was, a journal of the old file would be played into the new one.
    assert companion.name == f"{aside.name}-journal"
    assert companion.stat().st_ino == journal_of_old


async def test_a_damaged_file_that_another_server_has_open_stays_where_it_is(path: Path) -> None:
    """Moving it under the other one would let both write one journal."""
    with second_process(WRITE.replace("await store.close()", "sys.stdin.readline()"), str(path), "b", "1") as other:
        assert says(other) == "1"
        damaged = junk_inside(path.read_bytes())
        path.write_bytes(damaged)

        with pytest.raises(StoreUnusable, match="damaged, and another notte-mcp has it open"):
            await SqlStore.open(path)
        assert path.read_bytes() == damaged
    async with opened(path) as store:
        assert len(store.notes) == 1


async def test_damage_that_shows_later_is_told_and_the_server_lives(path: Path) -> None:
    """The next start moves the file aside; until then each call says what is wrong."""
    async with opened(path) as store:
        for number in range(1, 60):
            await store.intend([replace(STEP, number=number, action={"type": "fill", "value": "x" * 500})])
        path.write_bytes(junk_inside(path.read_bytes()))
        with closing(sqlite3.connect(path)) as connection:  # another's change makes ours read the pages anew
            connection.execute("PRAGMA user_version = 1")

        with pytest.raises(StoreUnusable, match=r"is damaged.*start the server again"):
            await store.steps(SESSION.id)


# --- other processes -----------------------------------------------------------------------


async def test_a_file_that_another_program_holds_is_waited_for(path: Path) -> None:
    """A short transaction elsewhere is no error: the write goes through when it ends."""
    async with opened(path) as store:
        await store.put_session(SESSION)
        with second_process(HOLD, str(path), "BEGIN EXCLUSIVE") as other:
            assert says(other) == "held"
            async with anyio.create_task_group() as group:
                group.start_soon(store.put_session, replace(SESSION, title="later"))
                await anyio.lowlevel.checkpoint()
                tell(other)

        assert await store.sessions() == [replace(SESSION, title="later")]


@pytest.mark.parametrize("lock", ["BEGIN EXCLUSIVE", "BEGIN IMMEDIATE", "BEGIN; SELECT count(*) FROM sessions"])
async def test_a_file_held_too_long_is_an_error_and_the_store_works_afterwards(path: Path, lock: str) -> None:
    """Whether the lock is met at the beginning or, with a reader elsewhere, at the commit."""
    async with opened(path, busy_timeout_s=0.05) as store:
        await store.put_session(SESSION)
        with second_process(HOLD, str(path), *lock.split("; ")) as other:
            assert says(other) == "held"
            with pytest.raises(StoreUnusable, match=r"is locked: .* longer than 0\.05 s"):
                await store.put_session(replace(SESSION, title="never"))
            tell(other)
            assert says(other) == "free"
        assert await store.sessions() == [SESSION]
        await store.put_session(replace(SESSION, title="after"))

        assert await store.sessions() == [replace(SESSION, title="after")]


@pytest.mark.parametrize("replaced", [False, True])
async def test_a_file_that_was_removed_while_it_was_open_takes_no_more(path: Path, replaced: bool) -> None:
    """P1: SQLite goes on writing to what no path leads to, and nothing of it is there after a restart."""
    async with opened(path) as store:
        await store.put_session(SESSION)
        path.unlink()
        if replaced:
            path.touch()
        with pytest.raises(StoreUnusable, match=r"was moved or removed.*start it again"):
            await store.put_session(SESSION)
        assert await store.sessions() == [SESSION]


async def test_a_locked_file_cannot_be_opened_and_can_afterwards(path: Path) -> None:
    """The start says so instead of hanging."""
    async with opened(path) as store:
        await store.put_session(SESSION)
    with second_process(HOLD, str(path), "BEGIN EXCLUSIVE") as other:
        assert says(other) == "held"
        with pytest.raises(StoreUnusable, match="is locked"):
            await SqlStore.open(path, busy_timeout_s=0.05)
    async with opened(path) as store:
        assert await store.sessions() == [SESSION]


async def test_two_servers_write_one_file_and_nothing_is_lost_or_refused(path: Path) -> None:
    """P7: several servers may share one state folder."""
    count = 60
    with second_process(WRITE, str(path), "b", str(count)) as b, second_process(WRITE, str(path), "c", str(count)) as c:
        heard = [[int(line) for line in process.stdout or ()] for process in (b, c)]
        assert (b.wait(), c.wait()) == (0, 0)

    assert heard == [list(range(1, count + 1))] * 2
    async with opened(path) as store:
        for letter in "bc":
            steps = await store.steps("ses_" + letter * 26)
            assert [s.message for s in steps] == [f"clicked {n}" for n in range(1, count + 1)]


def test_servers_that_start_at_once_on_a_damaged_file_move_it_once(tmp_path: Path) -> None:
    """The second one must not move the first one's new file away."""
    with ExitStack() as stack:
        servers = [stack.enter_context(second_process(OPEN)) for _ in range(3)]
        assert [says(server) for server in servers] == ["ready"] * 3
        for number in range(15):
            path = tmp_path / f"{number}.sqlite"
            path.write_bytes(b"no database")
            for server in servers:
                tell(server, str(path))

            assert sorted(says(server) for server in servers) == ["0", "0", "1"]
            assert len(list(tmp_path.glob(f"{number}.sqlite.corrupt-*"))) == 1


@pytest.mark.parametrize("after", [1, 17])
async def test_an_acknowledged_step_survives_kill_9(path: Path, after: int) -> None:
    """P1: what the caller has heard of is on disk, and the file is sound."""
    with second_process(WRITE, str(path), "b", "100000") as writer:
        heard = 0
        while heard < after:
            heard = int(says(writer))
        writer.kill()
        heard = max([heard, *(int(line) for line in writer.stdout or ())])

    async with opened(path) as store:
        assert store.notes == ()
        steps = await store.steps("ses_" + "b" * 26, limit=100_000)
        session = await store.session("ses_" + "b" * 26)
    assert [s.message for s in steps[:heard]] == [f"clicked {n}" for n in range(1, heard + 1)]
    assert len(steps) - heard in {0, 1, 2}  # one settled and unheard of, one more intended
    assert session is not None
    assert session.step_count == sum(s.success for s in steps)


# --- the disk --------------------------------------------------------------------------------


async def test_a_full_disk_is_told_and_what_is_written_stays_readable(path: Path) -> None:
    """SQLite's own limit of pages gives the error of a full disk."""
    async with opened(path) as store:
        await store.put_session(SESSION)
    with on_connect("PRAGMA max_page_count = 20"):
        async with opened(path) as store:
            await store.intend([STEP])
            big = replace(DONE, receipt=Receipt(type="click", success=True, data="x" * 100_000))
            with pytest.raises(StoreUnusable, match=r"disk is full.*Nothing was written"):
                await store.settle(big, replace(SESSION, title="never"))

            assert await store.steps(SESSION.id) == [STEP]
            assert await store.sessions() == [SESSION]
            await store.settle(DONE, SESSION)
            assert await store.steps(SESSION.id) == [DONE]


async def test_a_file_that_turned_read_only_is_told(path: Path) -> None:
    """A disk that the kernel remounted, say."""
    async with opened(path) as store:
        with store._database.transaction(write=False) as connection:
            connection.exec_driver_sql("PRAGMA query_only = ON")

        with pytest.raises(StoreUnusable, match="is read-only"):
            await store.put_session(SESSION)
        assert await store.sessions() == []


async def test_a_file_that_may_not_be_written_cannot_be_opened() -> None:
    """Whether its folder may or not; told at the start, not at the first step. Tried as an unprivileged user: root may
    write everything."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        paths = [Path(folder) / name / "notte-mcp.sqlite" for name in ("open", "shut")]
        for path, folder_mode in zip(paths, (0o777, 0o555), strict=True):
            path.parent.mkdir()
            async with opened(path):
                pass
            for beside in path.parent.iterdir():
                beside.chmod(0o666)
            path.chmod(0o444)
            path.parent.chmod(folder_mode)
        with second_process(OPEN_AS_NOBODY, *map(str, paths)) as other:
            for path in paths:
                assert says(other).startswith(f"StoreUnusable The database {path} is read-only")
        for path in paths:
            path.parent.chmod(0o700)


async def test_a_path_that_cannot_be_has_its_own_error(tmp_path: Path) -> None:
    """Here below a regular file, which root cannot write either."""
    (tmp_path / "file").touch()

    with pytest.raises(StoreUnusable, match=r"cannot be opened.*NOTTE_MCP_STATE_DIR"):
        await SqlStore.open(tmp_path / "file" / "notte-mcp.sqlite")


# --- cancellation ------------------------------------------------------------------------------


async def test_a_step_cancelled_at_any_point_is_whole_or_absent(path: Path) -> None:
    """Not only by anyio's scopes, which the store shields itself from: also by `Task.cancel`."""
    async with opened(path) as store:
        await store.put_session(SESSION)
        for number in range(1, 41):
            await store.intend([replace(STEP, number=number)])
            settling = store.settle(replace(DONE, number=number), replace(SESSION, step_count=number))
            task = asyncio.create_task(settling)
            for _ in range(number):
                await asyncio.sleep(0)
            task.cancel()
            await asyncio.wait([task])

            session = await store.session(SESSION.id)
            (step,) = await store.steps(SESSION.id, after=number - 1)
            assert session is not None
            assert (step.state == "done") == (session.step_count == number)


async def test_a_read_that_is_cancelled_while_the_file_is_locked_returns_at_once(path: Path) -> None:
    """Status and the end of the server never wait for somebody else's lock."""
    async with opened(path) as store:
        await store.put_session(SESSION)
        with second_process(HOLD, str(path), "BEGIN EXCLUSIVE") as other:
            assert says(other) == "held"
            with anyio.fail_after(5), anyio.move_on_after(0.05) as scope:
                await store.sessions()
            assert scope.cancelled_caught
            tell(other)
            assert says(other) == "free"

        assert await store.sessions() == [SESSION]
