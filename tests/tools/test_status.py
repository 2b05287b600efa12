import sqlite3
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import pytest
from anyio.lowlevel import checkpoint

from notte_mcp.tools.patience import PATIENCE_S, UNREAD
from tests.tools.conftest import DONE, ERAS, FILL_AND_SEND, FORM, SLOW, Host

pytestmark = pytest.mark.anyio


async def busy(host: Host, session_id: str) -> None:
    """Until an action is under way in the session, and told to be."""
    with anyio.fail_after(5):
        while not host.engine.sessions[session_id].acting:
            await checkpoint()
    assert (await host.facts("notte_status", id=session_id))["state"] == "busy"


async def test_without_an_id_all_are_listed(host: Host) -> None:
    """Contract."""
    empty = await host.facts("notte_status")
    first, second = await host.start(), await host.start(DONE)
    await host.call("notte_stop", id=second)

    listed = (await host.facts("notte_status"))["sessions"]

    assert empty == {"sessions": [], "agents": []}
    assert listed == [
        {"session_id": first, "state": "ready", "url": FORM, "title": "Permit request", "step_count": 1},
        {"session_id": second, "state": "stopped", "reason": "user", "url": DONE, "title": "Done", "step_count": 1},
    ]


async def test_one_session_is_told_with_its_last_steps(host: Host) -> None:
    """Contract: the structured result's names are stable."""
    session_id = await host.start()
    await host.call("notte_execute", actions=[*FILL_AND_SEND[:2], {"type": "click", "selector": "#nope"}])

    facts = await host.facts("notte_status", id=session_id)

    assert facts | {"steps": [], "next": ""} == {
        "id": session_id,
        "kind": "session",
        "state": "ready",
        "session_id": session_id,
        "url": FORM,
        "title": "Permit request",
        "steps": [],
        "last_step": 4,
        "step_count": 4,
        "next": "",
    }
    assert [(step["number"], step["action"], step["success"]) for step in facts["steps"]] == [
        (1, f"goto -> {FORM} (200)", True),
        (2, 'fill I1 "Applicant" = "Ada"', True),
        (3, 'fill I2 "Access code" = (secret SECRET_ACCESS_CODE)', True),
        (4, "click #nope", False),
    ]
    assert "matches nothing" in facts["steps"][3]["message"]


async def test_only_the_last_ten_steps_are_told_unless_asked(host: Host) -> None:
    """Contract: else the last 10 and step_count."""
    session_id = await host.start()
    await host.call("notte_execute", actions=[{"type": "wait", "time_ms": 0}] * 14)

    last = await host.facts("notte_status", id=session_id)
    after = await host.facts("notte_status", id=session_id, after_step=2)

    assert ([step["number"] for step in last["steps"]], last["step_count"]) == (list(range(6, 16)), 15)
    assert [step["number"] for step in after["steps"]] == list(range(3, 16))


async def test_waiting_ends_with_the_next_step(host: Host) -> None:
    """Contract: it waits on a condition and comes back by itself."""
    session_id = await host.start(SLOW)
    waited: list[dict[str, Any]] = []

    async def wait() -> None:
        waited.append(await host.facts("notte_status", id=session_id, wait_seconds=8, after_step=1))

    with anyio.fail_after(5):
        async with anyio.create_task_group() as group:
            group.start_soon(wait)
            group.start_soon(lambda: host.call("notte_execute", actions=[{"type": "click", "id": "B1"}]))
            await busy(host, session_id)
            host.gate.set()

    assert [step["action"] for step in waited[0]["steps"]] == ['click B1 "Wait"']


async def test_waiting_ends_with_the_session(host: Host) -> None:
    """Contract: until=done."""
    session_id = await host.start()
    waited: list[dict[str, Any]] = []

    async def wait() -> None:
        waited.append(await host.facts("notte_status", id=session_id, wait_seconds=8, until="done"))

    with anyio.fail_after(5):
        async with anyio.create_task_group() as group:
            group.start_soon(wait)
            await host.call("notte_stop", id=session_id)

    assert waited[0]["state"] == "stopped"


@ERAS
async def test_waiting_for_nothing_comes_back_by_itself_and_tells_progress(host: Host) -> None:
    """Contract: sends progress while it waits."""
    session_id = await host.start()
    told: list[float] = []

    async def note(progress: float, total: float | None, message: str | None) -> None:
        assert (total, message) == (1.2, f"ready, 1 steps, {FORM}")
        told.append(progress)

    assert host.client is not None
    with anyio.fail_after(5):
        arguments = {"id": session_id, "wait_seconds": 1.2}
        result = await host.client.call_tool("notte_status", arguments, progress_callback=note)

    assert not result.is_error
    assert told == sorted(told)
    assert len(told) == 2


async def test_waiting_for_an_ended_session_does_not_wait(host: Host) -> None:
    """Ours: nothing will happen there."""
    session_id = await host.start()
    await host.call("notte_stop", id=session_id)

    with anyio.fail_after(2):
        assert (await host.facts("notte_status", id=session_id, wait_seconds=40))["state"] == "stopped"


async def test_status_and_stop_do_not_queue_behind_a_caller(host: Host) -> None:
    """P6."""
    session_id = await host.start(SLOW)
    begun = anyio.current_time()

    async with anyio.create_task_group() as group:
        group.start_soon(lambda: host.call("notte_execute", actions=[{"type": "click", "id": "B1"}]))
        await busy(host, session_id)
        await host.call("notte_stop", id=session_id, mode="now")

    stopped = await host.facts("notte_status", id=session_id)
    assert anyio.current_time() - begun < 4
    assert stopped["state"] == "stopped"
    assert stopped["steps"][-1]["action"] == "click B1"
    assert "success" not in stopped["steps"][-1]


async def test_a_wait_outside_the_bounds_is_refused(host: Host) -> None:
    """Contract: at most 45 s, since hosts cut at 60."""
    for seconds in (-1, 46, "soon"):
        assert "`wait_seconds`" in await host.refusal("notte_status", wait_seconds=seconds)


async def test_what_is_live_is_told_at_once_while_the_records_cannot_be_read(tmp_path: Path) -> None:
    """P6: another program holds the database, and an outcome waits for it."""
    host = Host(tmp_path, "auto")
    async with host.connected():
        session_id = await host.start(SLOW)
        acting = partial(host.call, "notte_execute", actions=[{"type": "click", "id": "B1"}])
        async with anyio.create_task_group() as group:
            group.start_soon(acting)
            await busy(host, session_id)
            with closing(sqlite3.connect(host.settings.database, isolation_level=None)) as other:
                other.execute("BEGIN EXCLUSIVE")
                host.gate.set()
                with anyio.fail_after(2 * PATIENCE_S + 3):
                    listed = await host.facts("notte_status")
                    told = await host.facts("notte_status", id=session_id)
                assert [one["session_id"] for one in listed["sessions"]] == [session_id]
                assert (listed["note"], told["note"]) == (UNREAD, UNREAD)
                assert (told["state"], told["url"]) == ("busy", SLOW)
                other.execute("ROLLBACK")
