"""Who may use a session when, and who never has to wait for that."""

import anyio
import pytest

from notte_mcp import actions as a
from notte_mcp.errors import LimitReached, SessionBusy, SessionChoice, UnknownSession, UnsupportedUrl
from notte_mcp.ids import new_session_id
from notte_mcp.records import SessionSpec
from notte_mcp.registry import Limits
from tests.registry.conftest import BASE, FORM, House, Street, hanging, run, states, until

pytestmark = pytest.mark.anyio


# --- opening ----------------------------------------------------------------------


async def test_a_new_session_is_ready_and_on_disk(house: House) -> None:
    """Without a URL it has no step yet."""
    record, batch = await house.registry.open(SessionSpec())
    assert (record.state, record.url, record.step_count, record.owner, batch) == ("ready", "", 0, "own_1", None)
    assert await house.store.session(record.id) == record
    assert house.folder(record.id).stat().st_mode & 0o777 == 0o700


async def test_a_url_that_does_not_load_keeps_the_session(house: House) -> None:
    """Design, section 3: and the failed load is a step."""
    record, batch = await house.registry.open(SessionSpec(), url=f"{BASE}/nowhere")
    assert batch is not None
    assert (batch.receipts[0].success, batch.receipts[0].code, record.state) == (False, "page_load_failed", "ready")
    assert await states(house, record.id) == [(1, "goto", "failed")]


async def test_a_url_that_no_page_can_have_opens_nothing(house: House) -> None:
    """A caller's slip leaves no session, no browser and no folder."""
    with pytest.raises(UnsupportedUrl):
        await house.registry.open(SessionSpec(), url="file:///etc/passwd")
    assert await house.registry.sessions() == []
    assert [session.closed for session in house.engine.sessions.values()] == [True]
    assert list((house.root / "sessions").iterdir()) == []


async def test_a_caller_who_gives_up_while_the_browser_starts_leaves_nothing(house: House) -> None:
    """The id was never told, so nobody could stop it."""
    house.engine.gate = anyio.Event()
    async with anyio.create_task_group() as group:
        group.start_soon(house.registry.open, SessionSpec())
        await until(lambda: bool(house.engine.requests))
        assert [record.state for record in await house.registry.sessions()] == ["starting"]
        group.cancel_scope.cancel()
    assert await house.registry.sessions() == []


async def test_the_limit_names_who_holds_the_slots(street: Street) -> None:
    """And proposes to stop the one that has been idle longest."""
    async with street.house(limits=Limits(max_sessions=2)) as house:
        first = await house.open(FORM)
        house.clock.turn(30)
        second = await house.open(FORM)
        house.clock.turn(5)
        with pytest.raises(LimitReached) as refused:
            await house.open(FORM)
        assert f"{first} ({FORM}, idle 35 s); {second} ({FORM}, idle 5 s)" in str(refused.value)
        assert refused.value.next_call.startswith(f'notte_stop(id="{first}")')
        await house.registry.stop(first)
        await house.open(FORM)


# --- which session ----------------------------------------------------------------


async def test_the_only_live_session_needs_no_id(house: House) -> None:
    """Design, section 3."""
    session_id = await house.open(FORM)
    assert await house.registry.resolve(None) == session_id


async def test_without_an_id_and_several_live_sessions_the_error_lists_them(house: House) -> None:
    """So that the next call is the right one."""
    first, second = await house.open(FORM), await house.open(FORM)
    with pytest.raises(SessionChoice) as refused:
        await house.registry.resolve(None)
    assert first in str(refused.value)
    assert second in str(refused.value)


async def test_without_any_live_session_the_error_says_how_to_get_one(house: House) -> None:
    """A new one, or one that can be restored."""
    with pytest.raises(SessionChoice) as none:
        await house.registry.resolve(None)
    assert none.value.next_call == "notte_start()"
    session_id = await house.open(FORM)
    house.engine.lose(session_id)
    await house.registry.wait(session_id, seconds=5, after_step=None, until="done")
    with pytest.raises(SessionChoice) as lost:
        await house.registry.resolve(None)
    assert session_id in lost.value.next_call


async def test_an_unknown_id_is_refused_everywhere(house: House) -> None:
    """With the call that lists what there is."""
    unknown = new_session_id()
    for call in (
        house.registry.record(unknown),
        house.registry.steps(unknown),
        house.registry.stop(unknown),
        house.registry.restore(unknown),
        house.registry.resolve(unknown),
        house.registry.files(unknown),
        house.registry.read_file(unknown, "a"),
        house.registry.wait(unknown, seconds=1, after_step=None, until="step"),
    ):
        with pytest.raises(UnknownSession, match="notte_status"):
            await call


# --- one at a time ----------------------------------------------------------------


async def test_who_comes_while_the_session_is_used_waits_and_then_learns_by_what(street: Street) -> None:
    """At most `lock_wait_s`; the text says what holds it and for how long."""
    async with street.house(limits=Limits(lock_wait_s=0.05)) as house, hanging(house) as (session_id, _):
        house.clock.turn(3)
        with pytest.raises(SessionBusy, match="execute since 3 s"):
            await run(house, session_id, a.Reload())


async def test_callers_take_their_turns_in_the_order_they_came(house: House) -> None:
    """First in, first out."""
    order: list[int] = []

    async def come(session_id: str, number: int) -> None:
        async with house.registry.use(session_id):
            order.append(number)

    async with anyio.create_task_group() as group, hanging(house) as (session_id, outcome):
        for number in range(3):
            group.start_soon(come, session_id, number)
            await anyio.wait_all_tasks_blocked()
        house.gate.set()
        await until(lambda: bool(outcome) and len(order) == 3)
    assert order == [0, 1, 2]


async def test_reading_does_not_wait_for_who_holds_the_session(house: House) -> None:
    """P6: a hung page never blocks status."""
    async with hanging(house) as (session_id, _):
        with anyio.fail_after(1):
            assert (await house.registry.record(session_id)).state == "busy"
            assert [record.state for record in await house.registry.sessions()] == ["busy"]
            assert len(await house.registry.steps(session_id)) == 2
            assert await house.registry.files(session_id) == []
            waited = await house.registry.wait(session_id, seconds=0, after_step=None, until="step")
            assert waited.step_count == 1


async def test_a_hanging_session_does_not_hold_up_another_one(house: House) -> None:
    """P6."""
    async with hanging(house):
        with anyio.fail_after(1):
            other = await house.open(FORM)
            assert "Applicant" in await house.look(other)


# --- waiting ----------------------------------------------------------------------


async def test_waiting_ends_with_the_next_step(house: House) -> None:
    """On a condition: it comes back when the outcome is on disk."""
    async with hanging(house) as (session_id, _), anyio.create_task_group() as group:

        async def wait() -> None:
            record = await house.registry.wait(session_id, seconds=30, after_step=None, until="step")
            assert record.step_count == 2
            assert (await states(house, session_id))[-1] == (2, "click", "done")

        with anyio.fail_after(5):
            group.start_soon(wait)
            await anyio.wait_all_tasks_blocked()
            house.gate.set()


async def test_waiting_for_a_step_that_is_done_already_comes_back_at_once(house: House) -> None:
    """`after_step` says what the caller has seen."""
    session_id = await house.open(FORM)
    with anyio.fail_after(1):
        record = await house.registry.wait(session_id, seconds=30, after_step=0, until="step")
    assert record.step_count == 1


async def test_waiting_ends_with_the_session(house: House) -> None:
    """`done` outlasts steps; an end is the end of every wait."""
    session_id = await house.open(FORM)
    with anyio.fail_after(5):
        async with anyio.create_task_group() as group:

            async def wait() -> None:
                record = await house.registry.wait(session_id, seconds=30, after_step=None, until="done")
                assert (record.state, record.step_count) == ("stopped", 2)

            group.start_soon(wait)
            await run(house, session_id, a.Reload())
            await house.registry.stop(session_id)


async def test_waiting_ends_when_its_time_is_over(house: House) -> None:
    """With the record as it stands."""
    session_id = await house.open(FORM)
    with anyio.fail_after(2):
        record = await house.registry.wait(session_id, seconds=0.05, after_step=None, until="step")
    assert (record.state, record.step_count) == ("ready", 1)


# --- files ------------------------------------------------------------------------


async def test_the_files_of_a_session_are_listed_and_read_also_after_its_end(house: House) -> None:
    """They stay until the session is swept."""
    session_id = await house.open(FORM)
    (house.folder(session_id) / "files" / "permit.pdf").write_bytes(b"%PDF")
    await house.registry.stop(session_id)
    assert await house.registry.files(session_id) == [("permit.pdf", 4)]
    assert await house.registry.read_file(session_id, "permit.pdf") == b"%PDF"
