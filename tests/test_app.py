"""The App: what opening it mends, what closing it leaves, and who hears of what goes wrong."""

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import anyio
import psutil
import pytest
from pydantic import SecretStr

from notte_mcp import app as app_module
from notte_mcp.actions import Goto
from notte_mcp.app import open_app
from notte_mcp.cloud_errors import CloudKeyMissing
from notte_mcp.engines.base import OpenRequest
from notte_mcp.engines.scripted import ScriptedEngine, ScriptedSession
from notte_mcp.errors import SessionNotLive, StateFolderUnusable, StoreTooNew
from notte_mcp.ids import new_session_id
from notte_mcp.records import SessionRecord, SessionSpec
from notte_mcp.runs import RunRequest, Script
from notte_mcp.settings import Settings
from notte_mcp.state_folder import StateFolder
from notte_mcp.store.sql import SqlStore
from notte_mcp.workflows import Workflow, WorkflowStep
from tests import office
from tests.second import says, second_process

pytestmark = pytest.mark.anyio

BASE = "http://office.test"
FORM = f"{BASE}/form"

OPEN_FOLDER = """
import sys
from pathlib import Path
from notte_mcp.state_folder import StateFolder
folder = StateFolder.open(Path(sys.argv[1]))
print(folder.owner, flush=True)
sys.stdin.read()
"""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(state_dir=tmp_path / "state")


@pytest.fixture
def engine() -> ScriptedEngine:
    return ScriptedEngine(office.scripted_pages(BASE))


async def test_a_session_of_an_app_is_on_disk_and_interrupted_when_the_app_closes(
    settings: Settings, engine: ScriptedEngine
) -> None:
    """P3; and nothing of this server is left in the state folder."""
    async with open_app(settings, engines={"local": engine}) as app:
        record, _ = await app.registry.open(SessionSpec(), url=FORM)
        assert record.owner == app.owner
    assert engine.sessions[record.id].closed
    assert list((settings.state_dir / "run").iterdir()) == []
    async with open_app(settings, engines={"local": engine}) as app:
        found = await app.registry.record(record.id)
        assert (found.state, found.reason, found.url) == ("interrupted", "restart", FORM)
        assert (await app.registry.restore(record.id)).owner == app.owner


async def test_what_a_killed_server_left_live_is_interrupted_when_the_next_one_opens(
    settings: Settings, engine: ScriptedEngine
) -> None:
    """P3: its lock is free, so it is dead; one that lives is left alone."""
    async with open_app(settings, engines={"local": engine}) as app:
        record, _ = await app.registry.open(SessionSpec(), url=FORM)
        async with open_app(settings, engines={"local": ScriptedEngine({})}) as second:
            assert (await second.registry.record(record.id)).state == "ready"
    store = await SqlStore.open(settings.database)
    killed = await store.session(record.id)
    assert killed is not None
    await store.put_session(_live_under(killed, "own_0123456789ab"))
    await store.close()
    async with open_app(settings, engines={"local": engine}) as app:
        assert (await app.registry.record(record.id)).state == "interrupted"


async def test_a_server_that_dies_while_another_lives_is_found_out_by_whoever_asks(
    settings: Settings, engine: ScriptedEngine
) -> None:
    """P3, P7: nobody has to start again to hear that its sessions are interrupted, and can be restored."""
    async with open_app(settings, engines={"local": engine}) as app:
        with second_process(OPEN_FOLDER, str(settings.state_dir)) as other:
            theirs = _live_under((await app.registry.open(SessionSpec(), url=FORM))[0], says(other))
            theirs = replace(theirs, id=new_session_id())
            await app.store.put_session(theirs)
            assert (await app.registry.record(theirs.id)).state == "ready"
            with pytest.raises(SessionNotLive, match="another server"):
                await app.registry.restore(theirs.id)
            other.kill()
            other.wait()
        listed = {record.id: record.state for record in await app.registry.sessions()}
        assert sorted(listed.values()) == ["interrupted", "ready"]
        assert (await app.registry.record(theirs.id)).reason == "restart"
        assert (await app.registry.restore(theirs.id)).owner == app.owner
        assert [path.stem for path in (settings.state_dir / "run").glob("*.lock")] == [app.owner]


async def test_a_database_that_was_lost_is_told_while_sessions_have_their_files(
    settings: Settings, engine: ScriptedEngine
) -> None:
    """P3: an empty list is not how the loss of all records is told; in an empty folder there is nothing to tell."""
    async with open_app(settings, engines={"local": engine}) as app:
        record, _ = await app.registry.open(SessionSpec(), url=FORM)
        assert app.notes == []
    settings.database.write_bytes(b"")
    async with open_app(settings, engines={"local": engine}) as app:
        assert await app.registry.sessions() == []
        assert "lost or replaced" in " ".join(app.notes)
        assert (settings.state_dir / "sessions" / record.id / "state.json").exists()
    # `doctor --fix` moves a damaged one aside, and who opens the App then has to hear where it is.
    settings.database.replace(aside := settings.database.with_name(f"{settings.database.name}.corrupt-1"))
    aside.with_name(f"{aside.name}-journal").touch()
    async with open_app(settings, engines={"local": engine}) as app:
        assert await app.registry.sessions() == []
        assert f"`sqlite3 {aside} .recover`" in " ".join(app.notes)


async def test_sessions_that_ended_long_ago_go_with_their_files(
    settings: Settings, engine: ScriptedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`keep_days`, when the App opens and every day from then on; a live one stays whatever its age."""
    monkeypatch.setattr(app_module, "SWEEP_S", 0.05)
    async with open_app(settings, engines={"local": engine}) as app:
        old, _ = await app.registry.open(SessionSpec())
        new, _ = await app.registry.open(SessionSpec())
        for record in (old, new):
            await app.registry.stop(record.id)
    with closing(sqlite3.connect(settings.database)) as db, db:
        db.execute("update sessions set updated_at = updated_at - 31 * 86400 where id = ?", (old.id,))
    async with open_app(settings, engines={"local": engine}) as app:
        assert [record.id for record in await app.registry.sessions()] == [new.id]
        assert [path.name for path in (settings.state_dir / "sessions").iterdir()] == [new.id]
        live, _ = await app.registry.open(SessionSpec())
        with closing(sqlite3.connect(settings.database)) as db, db:
            db.execute("update sessions set updated_at = updated_at - 31 * 86400")
        with anyio.fail_after(10):
            while [record.id for record in await app.registry.sessions()] != [live.id]:  # noqa: ASYNC110 - looked at
                await anyio.sleep(0.02)


async def test_a_browser_starts_while_the_database_is_still_being_opened(
    settings: Settings, engine: ScriptedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first call pays for the slower of the two, not for both."""
    asked, go_on = anyio.Event(), anyio.Event()
    opened = SqlStore.open

    async def slow(path: Path) -> SqlStore:
        await go_on.wait()
        return await opened(path)

    class Watched(ScriptedEngine):
        async def open(self, request: OpenRequest) -> ScriptedSession:
            asked.set()
            return await super().open(request)

    monkeypatch.setattr(SqlStore, "open", slow)
    async with open_app(settings, engines={"local": Watched(engine.pages)}) as app, anyio.create_task_group() as group:
        group.start_soon(app.registry.open, SessionSpec())
        with anyio.fail_after(5):
            await asked.wait()
            go_on.set()


async def test_a_database_that_cannot_be_opened_is_told_to_each_call_and_tried_again(
    settings: Settings, engine: ScriptedEngine
) -> None:
    """No session is left over; once it is mended the same App works."""
    async with open_app(settings, engines={"local": engine}) as app:
        await app.registry.sessions()
    with closing(sqlite3.connect(settings.database)) as db:
        (version,) = db.execute("pragma user_version").fetchone()
        db.execute("pragma user_version = 999")
    async with open_app(settings, engines={"local": engine}) as app:
        for _ in range(2):
            with pytest.raises(StoreTooNew):
                await app.registry.open(SessionSpec())
        assert all(session.closed for session in engine.sessions.values())
        with closing(sqlite3.connect(settings.database)) as db:
            db.execute(f"pragma user_version = {version}")
        record, _ = await app.registry.open(SessionSpec())
        assert record.state == "ready"


async def test_a_state_folder_that_cannot_be_made_is_told_at_once(tmp_path: Path, engine: ScriptedEngine) -> None:
    """With the path and the setting that names another one."""
    (tmp_path / "file").write_text("")
    with pytest.raises(StateFolderUnusable, match="NOTTE_MCP_STATE_DIR"):
        async with open_app(Settings(state_dir=tmp_path / "file" / "state"), engines={"local": engine}):
            pytest.fail("it opened")


async def test_what_ends_the_block_comes_out_of_it_as_it_is(settings: Settings, engine: ScriptedEngine) -> None:
    """Not wrapped in a group; and the App is closed all the same."""

    async def fail() -> None:
        async with open_app(settings, engines={"local": engine}) as app:
            await app.registry.open(SessionSpec())
            raise KeyError

    with pytest.raises(KeyError):
        await fail()
    assert all(session.closed for session in engine.sessions.values())
    folder = StateFolder.open(settings.state_dir)
    assert folder.dead_owners() == []
    folder.close()


def _live_under(record: SessionRecord, owner: str) -> SessionRecord:
    return replace(record, state="ready", reason="", owner=owner)


HANGS = "import subprocess, sys\nsubprocess.run([sys.executable, '-c', 'import time; time.sleep(600)'], check=False)\n"


async def test_a_verification_in_flight_ends_with_the_app_and_its_script_too(
    settings: Settings, engine: ScriptedEngine
) -> None:
    """P5: within the time that closing has; the next App reads how it ended."""
    flow = Workflow((WorkflowStep(1, Goto(url=FORM)),), (), SessionSpec())
    request = RunRequest(flow, "ses_0", kind="verify", script=Script("playwright", HANGS))
    others = _below()  # a browser that tests share
    async with open_app(settings, engines={"local": engine}) as app:
        run = await app.runs.start(request)
        with anyio.fail_after(20):
            while len(begun := [process for process in _below() if process not in others]) < 2:  # noqa: ASYNC110 - another process says nothing when it starts
                await anyio.sleep(0.05)
        closing = anyio.current_time()
    assert anyio.current_time() - closing < 1.3
    assert [process for process in begun if process in _below()] == []
    async with open_app(settings, engines={"local": engine}) as app:
        kept = await app.runs.record(run.id)
        assert (kept.state, kept.reason) == ("interrupted", "restart")
    assert list((settings.state_dir / "run").iterdir()) == []


def _below() -> list[psutil.Process]:
    """The processes that are ours."""
    return psutil.Process().children(recursive=True)


@pytest.mark.parametrize("for_others", [False, True])
async def test_the_cloud_is_used_with_a_key_of_the_callers_own_or_not_at_all(
    tmp_path: Path, *, for_others: bool
) -> None:
    """Without one, and for others than this machine's user, nothing is started; in words that say what to do."""
    key = SecretStr("key-of-this-machine-51e0") if for_others else None
    settings = Settings(
        state_dir=tmp_path / "state", notte_api_key=key, notte_api_url="http://127.0.0.1:9", for_others=for_others
    )
    async with open_app(settings) as app:
        with pytest.raises(CloudKeyMissing, match="NOTTE_API_KEY"):
            await app.registry.open(SessionSpec(engine="notte"))
        assert await app.registry.sessions() == []
