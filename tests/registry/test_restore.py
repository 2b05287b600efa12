"""What survives: login state, the last url, numbers; and what is never done again."""

import json
from dataclasses import replace

import anyio
import pytest

from notte_mcp import actions as a
from notte_mcp.errors import InvalidArgument, NeedsCloud, ProfileLocked, SessionNotLive
from notte_mcp.records import SessionRecord, SessionSpec, StepRecord
from notte_mcp.registry.opening import loadable
from notte_mcp.registry.saving import merge
from tests.registry.conftest import BASE, FORM, LIST, RESULT, House, Street, run, states, until, until_state

pytestmark = pytest.mark.anyio

COOKIE = {"name": "login", "value": "ada"}


async def saved_at(house: House, session_id: str) -> float | None:
    return (await house.registry.record(session_id)).storage_saved_at


# --- login state ------------------------------------------------------------------


async def test_login_state_is_saved_after_a_navigation(house: House) -> None:
    """In the background, readable by the owner only, and the record says when."""
    session_id = await house.open(FORM)
    await until((house.folder(session_id) / "state.json").exists)
    await until(lambda: house.registry._slots[session_id].record.storage_saved_at is not None)
    path = house.folder(session_id) / "state.json"
    assert path.stat().st_mode & 0o777 == 0o600
    assert await saved_at(house, session_id) == house.clock.unix()


async def test_login_state_is_saved_at_most_every_two_seconds(house: House) -> None:
    """However many pages are opened; the last one's state is saved then."""
    session_id = await house.open(FORM)
    await until(lambda: house.registry._slots[session_id].saved_at is not None)
    house.browser(session_id).cookies.append(COOKIE)
    house.clock.turn(1)
    await run(house, session_id, a.Goto(url=LIST), a.Goto(url=RESULT))
    await anyio.wait_all_tasks_blocked()
    path = house.folder(session_id) / "state.json"
    assert json.loads(path.read_text())["cookies"] == []
    house.clock.turn(1)
    await until(lambda: json.loads(path.read_text())["cookies"] == [COOKIE])


def test_what_was_saved_of_origins_that_tell_nothing_now_is_kept() -> None:
    """An engine reads live pages that answer; what those no longer hold is forgotten all the same."""
    a_, b, c = ({"origin": f"https://{name}.test", "localStorage": [name]} for name in "abc")
    earlier = {"cookies": ["old"], "origins": [a_, b, c]}
    now = {"cookies": ["new"], "origins": [{**b, "localStorage": ["b2"]}, {**c, "localStorage": []}]}
    assert merge(earlier, now) == {"cookies": ["new"], "origins": [a_, *now["origins"]]}


# --- restoring --------------------------------------------------------------------


async def test_a_restored_session_has_its_login_its_page_and_its_numbers(street: Street) -> None:
    """P3: a new browser, saved state, last url; loading that is a step of its own, and nothing else is done."""
    async with street.house() as house:
        session_id = await house.open(FORM)
        shown = await house.look(session_id)
        house.browser(session_id).cookies.append(COOKIE)
        await run(house, session_id, a.Fill(id=shown["Applicant"], value="Ada"), a.Click(id=shown["Send request"]))
        counters = house.browser(session_id).id_counters
        before = await house.registry.record(session_id)
    street.clock.turn(60)
    async with street.house("own_2") as house:
        record = await house.registry.restore(session_id)
        assert (record.state, record.owner, record.url, record.step_count) == ("ready", "own_2", RESULT, 4)
        assert record.storage_saved_at == street.clock.unix() - 60
        assert record.view == before.view
        request = house.engine.requests[0]
        assert request.storage_state == {"cookies": [COOKIE], "origins": []}
        assert request.id_counters == counters
        assert [action.type for action in house.browser(session_id).performed] == ["goto"]
        assert (await states(house, session_id))[3:] == [(4, "goto", "done")]
        assert set(await house.look(session_id)) == {"Back to the form"}
        assert not set((await house.look(session_id)).values()) & set(shown.values())


async def test_a_crashed_session_is_restored_in_the_same_server(house: House) -> None:
    """Like an interrupted one."""
    session_id = await house.open(FORM)
    house.engine.lose(session_id)
    await house.registry.wait(session_id, seconds=5, after_step=None, until="done")
    record = await house.registry.restore(session_id)
    assert (record.state, record.reason, record.url, record.step_count) == ("ready", "", FORM, 2)
    assert "Applicant" in await house.look(session_id)


async def test_numbers_go_on_after_the_steps_of_a_server_that_was_killed(street: Street) -> None:
    """Its intents stay as `outcome_unknown`, and their numbers are taken."""
    async with street.house() as house:
        session_id = await house.open(FORM)
        await house.registry.stop(session_id)
        record = await house.store.session(session_id)
        assert record is not None
        await house.store.put_session(_as_killed(record))
        step = (await house.registry.steps(session_id))[0]
        await house.store.intend([_as_intent(step, 2), _as_intent(step, 3)])
        await house.store.interrupt(dead_owners=["own_killed"], reason="restart")
        record = await house.registry.restore(session_id)
        assert record.step_count == 4
        assert [state for _, _, state in await states(house, session_id)] == [
            "done", "outcome_unknown", "outcome_unknown", "done",
        ]  # fmt: skip


async def test_a_live_session_is_restored_to_itself(house: House) -> None:
    """No second browser."""
    session_id = await house.open(FORM)
    record = await house.registry.restore(session_id)
    assert (record.state, record.step_count, len(house.engine.requests)) == ("ready", 1, 1)


async def test_two_callers_who_restore_at_once_get_one_browser(street: Street) -> None:
    """The second waits for the first."""
    async with street.house() as house:
        session_id = await house.open(FORM)
    async with street.house("own_2") as house:
        records: list[SessionRecord] = []

        async def restore() -> None:
            records.append(await house.registry.restore(session_id))

        async with anyio.create_task_group() as group:
            group.start_soon(restore)
            group.start_soon(restore)
        assert [record.state for record in records] == ["ready", "ready"]
        assert len(house.engine.requests) == 1


async def test_a_stopped_session_is_not_restored(house: House) -> None:
    """The error says how to get another one at the same page."""
    session_id = await house.open(FORM)
    await house.registry.stop(session_id)
    with pytest.raises(SessionNotLive) as refused:
        await house.registry.restore(session_id)
    assert refused.value.next_call.startswith(f'notte_start(url="{FORM}")')


async def test_an_interrupted_session_that_is_stopped_stays_stopped(street: Street) -> None:
    """Stopping says that nobody wants it back."""
    async with street.house() as house:
        session_id = await house.open(FORM)
    async with street.house("own_2") as house:
        assert (await house.registry.stop(session_id)).state == "stopped"
        with pytest.raises(SessionNotLive):
            await house.registry.restore(session_id)


async def test_a_restore_that_fails_leaves_the_session_as_it_was(street: Street) -> None:
    """It can be tried again."""
    async with street.house() as house:
        session_id = await house.open(FORM, SessionSpec(profile="ada"))
    async with street.house("own_2") as house:
        holder = await house.open(FORM, SessionSpec(profile="ada"))
        before = await house.registry.record(session_id)
        with pytest.raises(ProfileLocked):
            await house.registry.restore(session_id)
        assert await house.registry.record(session_id) == before
        await house.registry.stop(holder)
        assert (await house.registry.restore(session_id)).state == "ready"


@pytest.mark.parametrize(
    ("url", "again"),
    [
        ("https://x.test/a?q=1#b", "https://x.test/a?q=1#b"),
        ("https://x.test/a?q=[secret CODE]", "https://x.test/a"),
        ("https://x.test/[secret CODE]/a", None),
        ("about:blank", None),
        ("", None),
    ],
)
def test_only_what_is_left_of_a_redacted_url_is_opened_again(url: str, again: str | None) -> None:
    """A mark is no address."""
    assert loadable(url) == again


# --- profiles ---------------------------------------------------------------------


async def test_a_profile_is_kept_by_one_session_and_given_to_the_next(house: House) -> None:
    """`save_profile` writes it on a clean stop."""
    first = await house.open(FORM, SessionSpec(profile="ada", save_profile=True))
    house.browser(first).cookies.append(COOKIE)
    await house.registry.stop(first)
    await house.open(FORM, SessionSpec(profile="ada"))
    assert house.engine.requests[-1].storage_state == {"cookies": [COOKIE], "origins": []}


@pytest.mark.parametrize("how", ["now", "crash", "not asked"])
async def test_a_profile_is_written_on_a_clean_stop_only(house: House, how: str) -> None:
    """What a crash or a hasty end left may be half a login."""
    spec = SessionSpec(profile="ada", save_profile=how != "not asked")
    session_id = await house.open(FORM, spec)
    house.browser(session_id).cookies.append(COOKIE)
    if how == "crash":
        house.engine.lose(session_id)
        await until_state(house, session_id, "failed")
    else:
        await house.registry.stop(session_id, mode="now" if how == "now" else "graceful")
    await house.open(FORM, spec)
    assert house.engine.requests[-1].storage_state is None


async def test_a_profile_in_use_is_refused_and_the_holder_named(house: House) -> None:
    """And nothing is left of the attempt."""
    holder = await house.open(FORM, SessionSpec(profile="ada"))
    with pytest.raises(ProfileLocked, match=holder):
        await house.open(FORM, SessionSpec(profile="ada"))
    assert [record.id for record in await house.registry.sessions()] == [holder]


# --- engines ----------------------------------------------------------------------


async def test_an_engine_that_is_not_there_is_refused_with_the_one_that_is(house: House) -> None:
    """The cloud in its own words."""
    with pytest.raises(NeedsCloud, match="local"):
        await house.registry.open(SessionSpec(engine="notte"))
    with pytest.raises(InvalidArgument, match="known: local"):
        await house.registry.open(SessionSpec(engine="firefox"))


def _as_killed(record: SessionRecord) -> SessionRecord:
    return SessionRecord(
        record.id, "own_killed", "ready", record.spec, record.created_at, record.updated_at, url=f"{BASE}/form",
        step_count=record.step_count,
    )  # fmt: skip


def _as_intent(step: StepRecord, number: int) -> StepRecord:
    return replace(step, number=number, state="intended", receipt=None, ended_at=None)
