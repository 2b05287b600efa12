"""How sessions end: asked to, by themselves, by a crash, and with the server."""

import time

import anyio
import pytest

from notte_mcp import actions as a
from notte_mcp.errors import SessionLost, SessionNotLive
from notte_mcp.records import SessionRecord, SessionSpec
from notte_mcp.registry import Batch
from tests.registry.conftest import FORM, LIST, House, Street, hanging, run, states, until, until_state

pytestmark = pytest.mark.anyio


async def test_a_stopped_session_has_no_browser_and_keeps_its_steps(house: House) -> None:
    """What comes next is a new session, and the error says with which call."""
    session_id = await house.open(FORM)
    record = await house.registry.stop(session_id)
    assert (record.state, record.reason, record.url, record.step_count) == ("stopped", "user", FORM, 1)
    assert house.browser(session_id).closed
    assert await house.store.session(session_id) == record
    assert await states(house, session_id) == [(1, "goto", "done")]
    with pytest.raises(SessionNotLive) as refused:
        await run(house, session_id, a.Reload())
    assert refused.value.next_call == f'notte_start(url="{FORM}") for a new one'


async def test_stopping_twice_and_at_once_gives_the_same_end(house: House) -> None:
    """Idempotent; who comes second waits for the first."""
    session_id = await house.open(FORM)
    ends: list[SessionRecord] = []

    async def stop(reason: str) -> None:
        ends.append(await house.registry.stop(session_id, reason=reason))

    async with anyio.create_task_group() as group:
        group.start_soon(stop, "first")
        group.start_soon(stop, "second")
    ends.append(await house.registry.stop(session_id, reason="third"))
    assert [(record.state, record.reason) for record in ends] == [("stopped", "first")] * 3


async def test_a_graceful_stop_lets_the_action_in_flight_end_and_begins_no_other(house: House) -> None:
    """Its outcome is known then, and its caller hears of it."""
    async with hanging(house, a.Goto(url=LIST)) as (session_id, outcome), anyio.create_task_group() as group:
        group.start_soon(house.registry.stop, session_id)
        await until_state(house, session_id, "stopping")
        house.gate.set()
        await until(lambda: bool(outcome))
        assert isinstance(outcome[0], Batch)
        assert (len(outcome[0].receipts), outcome[0].receipts[0].success) == (1, True)
        assert outcome[0].stopped == "the session is being stopped"
    assert await states(house, session_id) == [(1, "goto", "done"), (2, "click", "done")]


async def test_a_graceful_stop_cuts_an_action_that_does_not_end_within_its_grace(house: House) -> None:
    """Notte's rule: 2.5 s, then `outcome_unknown`; all within 4 s."""
    async with hanging(house, a.Goto(url=LIST)) as (session_id, outcome):
        begun = time.monotonic()
        record = await house.registry.stop(session_id)
        assert 2.4 < time.monotonic() - begun < 4
        assert (record.state, record.step_count) == ("stopped", 2)
        await until(lambda: bool(outcome))
        assert isinstance(outcome[0], Batch)
        assert outcome[0].receipts[0].code == "outcome_unknown"
        assert "look at what it would have changed before doing it again" in outcome[0].receipts[0].message
    assert await states(house, session_id) == [(1, "goto", "done"), (2, "click", "outcome_unknown")]


async def test_a_stop_now_waits_for_nobody_and_hurries_a_graceful_one(house: House) -> None:
    """Whoever asked first, the end comes at once."""
    async with hanging(house) as (session_id, _), anyio.create_task_group() as group:
        group.start_soon(house.registry.stop, session_id)
        await until_state(house, session_id, "stopping")
        with anyio.fail_after(1):
            await house.registry.stop(session_id, mode="now")
    assert (await states(house, session_id))[-1] == (2, "click", "outcome_unknown")


async def test_a_stop_does_not_wait_for_an_engine_that_cannot_be_cut(house: House) -> None:
    """The step is accounted for by the stop then, and not written twice."""
    session_id = await house.open(FORM)
    browser, deaf, begun = house.browser(session_id), anyio.Event(), anyio.Event()
    performed = browser.perform

    async def perform(action: a.Action, *, timeout_ms: int, **_: object) -> object:
        with anyio.CancelScope(shield=True):
            begun.set()
            await deaf.wait()
        return await performed(action, timeout_ms=timeout_ms)

    browser.perform = perform  # type: ignore[method-assign, assignment]
    async with anyio.create_task_group() as group:
        batch: list[Batch] = []

        async def act() -> None:
            batch.append(await run(house, session_id, a.Reload(), a.Goto(url=LIST)))

        group.start_soon(act)
        with anyio.fail_after(5):
            await begun.wait()
            await house.registry.stop(session_id, mode="now")
        assert await states(house, session_id) == [(1, "goto", "done"), (2, "reload", "outcome_unknown")]
        deaf.set()
        await until(lambda: bool(batch))
    assert await states(house, session_id) == [(1, "goto", "done"), (2, "reload", "outcome_unknown")]
    assert (await house.registry.record(session_id)).state == "stopped"


async def test_a_stop_does_not_wait_for_login_state_that_does_not_come(house: House) -> None:
    """Neither for the save in the background nor for the last one."""
    session_id = await house.open(FORM)
    await until(lambda: house.registry._slots[session_id].saved_at is not None)
    asked: list[float] = []

    async def storage_state(*, within_s: float) -> dict[str, object]:
        del within_s
        asked.append(time.monotonic())
        await anyio.sleep_forever()
        return {}

    house.browser(session_id).storage_state = storage_state  # type: ignore[method-assign]
    house.clock.turn(2)
    await run(house, session_id, a.Reload())
    await until(lambda: len(asked) == 1)
    with anyio.fail_after(2):
        record = await house.registry.stop(session_id)
    assert (record.state, len(asked)) == ("stopped", 2)


async def test_a_stop_whose_caller_gives_up_takes_place_all_the_same(house: House) -> None:
    """Ends run in the registry's own tasks."""
    async with hanging(house) as (session_id, _):
        async with anyio.create_task_group() as group:
            group.start_soon(house.registry.stop, session_id)
            await until_state(house, session_id, "stopping")
            group.cancel_scope.cancel()
        house.gate.set()
        await until_state(house, session_id, "stopped")


# --- limits -----------------------------------------------------------------------


async def test_a_session_that_nobody_uses_is_stopped_when_its_idle_time_is_over(house: House) -> None:
    """By the clock alone; each use begins the time anew."""
    session_id = await house.open(FORM, SessionSpec(idle_timeout_minutes=15))
    house.clock.turn(14 * 60)
    await house.look(session_id)
    house.clock.turn(14 * 60)
    await anyio.wait_all_tasks_blocked()
    assert (await house.registry.record(session_id)).state == "ready"
    house.clock.turn(60)
    assert (await until_state(house, session_id, "stopped")).reason == "idle_timeout"


async def test_a_session_that_is_used_is_not_idle(house: House) -> None:
    """However long the use takes; its time runs from the end of it."""
    async with hanging(house) as (session_id, outcome):
        house.clock.turn(20 * 60)
        await anyio.wait_all_tasks_blocked()
        assert (await house.registry.record(session_id)).state == "busy"
        house.gate.set()
        await until(lambda: bool(outcome))
    house.clock.turn(14 * 60)
    await anyio.wait_all_tasks_blocked()
    assert (await house.registry.record(session_id)).state == "ready"
    house.clock.turn(2 * 60)
    assert (await until_state(house, session_id, "stopped")).reason == "idle_timeout"


async def test_a_session_ends_at_its_maximum_even_while_it_is_used(house: House) -> None:
    """A hanging call cannot keep a session alive for ever."""
    async with hanging(house) as (session_id, _):
        house.clock.turn(240 * 60)
        assert (await until_state(house, session_id, "stopped")).reason == "max_duration"
    assert (await states(house, session_id))[-1] == (2, "click", "outcome_unknown")


# --- crashes ----------------------------------------------------------------------


async def test_a_browser_that_dies_in_an_action_leaves_its_outcome_unknown_and_says_how_to_go_on(house: House) -> None:
    """P2 and P3."""
    async with hanging(house, a.Goto(url=LIST)) as (session_id, outcome):
        house.engine.lose(session_id, "it was killed")
        await until(lambda: bool(outcome))
    assert isinstance(outcome[0], SessionLost)
    assert "outcome of action 1 is unknown" in outcome[0].done
    assert outcome[0].next_call.startswith(f'notte_start(session_id="{session_id}")')
    record = await house.registry.wait(session_id, seconds=5, after_step=None, until="done")
    assert (record.state, record.reason) == ("failed", "crash")
    assert await states(house, session_id) == [(1, "goto", "done"), (2, "click", "outcome_unknown")]


async def test_a_browser_that_dies_unused_fails_its_session_by_itself(house: House) -> None:
    """Status tells it before anyone acts."""
    session_id = await house.open(FORM)
    house.engine.lose(session_id)
    record = await house.registry.wait(session_id, seconds=5, after_step=None, until="done")
    assert (record.state, record.reason, record.url) == ("failed", "crash", FORM)


async def test_a_browser_that_died_silently_is_found_out_at_the_next_use(house: House) -> None:
    """An engine may not have noticed."""
    session_id = await house.open(FORM)
    house.browser(session_id).lose()
    with pytest.raises(SessionLost):
        await house.look(session_id)
    assert (await until_state(house, session_id, "failed")).reason == "crash"
    with pytest.raises(SessionNotLive, match="restores it"):
        await house.look(session_id)


async def test_a_crash_ends_no_other_session(house: House) -> None:
    """P6."""
    lost, other = await house.open(FORM), await house.open(FORM)
    house.engine.lose(lost)
    await until_state(house, lost, "failed")
    assert "Applicant" in await house.look(other)


# --- the server's end -------------------------------------------------------------


async def test_the_sessions_of_a_server_that_ends_are_interrupted(street: Street) -> None:
    """P3: with their steps, even those in flight, and within the time there is."""
    async with street.house() as house:
        idle = await house.open(FORM)
        async with hanging(house) as (busy, _):
            begun = time.monotonic()
            await house.registry.close(deadline_s=1)
            assert time.monotonic() - begun < 2
        with pytest.raises(SessionNotLive):
            await house.open(FORM)
    async with street.house("own_2") as house:
        records = {record.id: record for record in await house.registry.sessions()}
        assert {(r.state, r.reason) for r in records.values()} == {("interrupted", "restart")}
        assert records[idle].url == FORM
        assert (await states(house, busy))[-1] == (2, "click", "outcome_unknown")


async def test_what_is_refused_while_the_server_ends_names_what_the_next_server_can_do(house: House) -> None:
    """The session is restored there, and not begun anew; who stops one does not get it back."""
    async with hanging(house) as (session_id, _), anyio.create_task_group() as group:
        group.start_soon(lambda: house.registry.close(deadline_s=2))
        await until_state(house, session_id, "stopping")
        with pytest.raises(SessionNotLive, match="its server is ending") as refused:
            await house.registry.restore(session_id)
        assert refused.value.next_call == f'notte_start(session_id="{session_id}") restores it'
        with pytest.raises(SessionNotLive) as refused:
            await house.open(FORM)
        assert refused.value.next_call == "the same call again"


async def test_a_session_that_is_live_in_another_server_is_left_alone(street: Street) -> None:
    """P7: all can read it, none steals it."""
    async with street.house("own_1") as first, street.house("own_2") as second:
        session_id = await first.open(FORM)
        assert (await second.registry.record(session_id)).state == "ready"
        for call in (second.registry.stop(session_id), second.registry.restore(session_id), second.look(session_id)):
            with pytest.raises(SessionNotLive, match="another server"):
                await call
        assert "Applicant" in await first.look(session_id)
