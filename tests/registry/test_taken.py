"""A session that a person has taken over in the live view."""

import anyio
import pytest

from notte_mcp import actions as a
from notte_mcp.engines.base import Hand, Spot
from notte_mcp.errors import InvalidAction, SessionBusy
from notte_mcp.records import SessionSpec
from notte_mcp.registry import Batch, Limits
from notte_mcp.registry.taking import KEPT_S, TAKEN
from tests.registry.conftest import BASE, FORM, House, Street, hanging, run, until

pytestmark = pytest.mark.anyio


async def by_hand(house: House, session_id: str, action: a.Action, hand: Hand | None = None) -> Batch:
    """One action of a person."""
    with anyio.fail_after(10):
        async with house.registry.use(session_id) as live:
            return await live.execute([action], actor="human", hand=hand, deadline_s=10)


async def spot(house: House, session_id: str, name: str) -> Spot:
    """What a person finds who points at the element of this name."""
    async with house.registry.use(session_id) as live:
        for y in range(0, 800, 12):
            if (found := await live.spot((60, y))) is not None and found.name == name:
                return found
    raise AssertionError(name)


async def taken(house: House, spec: SessionSpec | None = None) -> str:
    session_id = await house.open(FORM, spec)
    await house.registry.take_over(session_id)
    return session_id


def middle(found: Spot) -> tuple[float, float]:
    left, top, width, height = found.box
    return left + width / 2, top + height / 2


async def test_while_a_person_has_it_only_the_person_acts(house: House) -> None:
    """Anybody else is told why, and may look."""
    session_id = await taken(house)
    shown = await house.look(session_id)
    with pytest.raises(SessionBusy) as refused:
        await run(house, session_id, a.Click(id=shown["Send request"]))
    assert "A person has taken over" in str(refused.value)
    assert "Nothing was done." in str(refused.value)
    assert refused.value.next_call.startswith(f'notte_status(id="{session_id}", wait_seconds=45, until="done")')
    record = await house.registry.record(session_id)
    assert (house.registry.is_taken(session_id), record.state, record.reason) == (True, "ready", TAKEN)
    await house.registry.give_back(session_id)
    assert (await house.registry.record(session_id)).reason == ""
    assert (await run(house, session_id, a.Click(id=shown["Send request"]))).receipts[0].success


async def test_a_person_acts_at_the_point_and_it_is_a_step_like_any_other(house: House) -> None:
    """Intent, target with locators, receipt; the actor is the person."""
    session_id = await taken(house)
    button = await spot(house, session_id, "Send request")
    done = await by_hand(house, session_id, a.Click(id=button.id), Hand(point=middle(button)))
    assert done.receipts[0].navigated
    step = (await house.store.steps(session_id))[-1]
    assert (step.actor, step.state, step.action) == ("human", "done", {"type": "click", "id": button.id})
    assert step.receipt is not None
    assert step.receipt.target is not None
    assert (step.receipt.target.name, step.receipt.target.locators.css) == ("Send request", "#send")


async def test_an_id_that_pointing_gave_out_is_on_disk_before_it_is_used(house: House) -> None:
    """After a crash it must not be given to another element."""
    session_id = await taken(house)
    found = await spot(house, session_id, "Applicant")
    stored = await house.store.session(session_id)
    assert stored is not None
    assert stored.id_counters[found.id[0]] >= int(found.id[1:])


async def test_a_person_who_has_not_taken_over_is_refused(house: House) -> None:
    """Somebody else may be acting."""
    session_id = await house.open(FORM)
    with pytest.raises(SessionBusy, match="not taken over"):
        await by_hand(house, session_id, a.Reload())
    await house.registry.give_back(session_id)
    await house.registry.give_back("ses_00000000000000000000000000")
    assert not house.registry.is_taken(session_id)
    assert [step.action["type"] for step in await house.registry.steps(session_id)] == ["goto"]


async def test_taking_over_waits_for_the_call_in_flight_but_not_for_ever(street: Street) -> None:
    """It would otherwise pull the page from under an action."""
    async with street.house(limits=Limits(lock_wait_s=0.05)) as house, hanging(house) as (session_id, outcome):
        with pytest.raises(SessionBusy, match="execute"):
            await house.registry.take_over(session_id)
        assert not house.registry.is_taken(session_id)
        house.gate.set()
        await until(lambda: bool(outcome))
        await house.registry.take_over(session_id)
        assert house.registry.is_taken(session_id)


async def test_a_person_who_has_gone_gives_it_back(house: House) -> None:
    """Five minutes after the last thing done; who waits for it hears of that at once, and of the steps."""
    session_id = await taken(house)
    house.clock.turn(KEPT_S - 1)
    button = await spot(house, session_id, "Add a note")
    await by_hand(house, session_id, a.Click(id=button.id), Hand(point=middle(button)))
    back: list[str] = []

    async def wait() -> None:
        record = await house.registry.wait(session_id, seconds=60, after_step=None, until="done")
        back.append(record.reason)

    async with anyio.create_task_group() as group:
        group.start_soon(wait)
        house.clock.turn(2)
        await anyio.wait_all_tasks_blocked()
        assert house.registry.is_taken(session_id)
        house.clock.turn(KEPT_S - 2)
        await until(lambda: bool(back))
    assert back == [""]
    assert not house.registry.is_taken(session_id)
    async with house.registry.use(session_id) as live:
        assert live.events == ("a person had the session in the live view and did step 2",)


async def test_the_idle_limit_stands_still_while_a_person_is_there(house: House) -> None:
    """However short it is; it runs from when the person has gone."""
    session_id = await taken(house, SessionSpec(idle_timeout_minutes=1))
    house.clock.turn(KEPT_S - 1)
    await anyio.wait_all_tasks_blocked()
    assert house.registry.is_live(session_id)
    house.clock.turn(2)
    await anyio.wait_all_tasks_blocked()
    assert house.registry.is_live(session_id)
    house.clock.turn(60)
    record = await house.registry.until_ended(session_id)
    assert (record.state, record.reason) == ("stopped", "idle_timeout")


async def test_a_session_that_ended_is_nobodys(house: House) -> None:
    """And its restore is nobody's either."""
    session_id = await taken(house)
    house.engine.lose(session_id)
    await house.registry.until_ended(session_id)
    assert not house.registry.is_taken(session_id)
    await house.registry.restore(session_id)
    assert not house.registry.is_taken(session_id)


async def test_what_a_person_types_is_on_record_as_the_whole_value(house: House) -> None:
    """The intent names it before the page is touched; the receipt reads it back."""
    session_id = await taken(house)
    field = await spot(house, session_id, "Applicant")
    await by_hand(house, session_id, a.Fill(id=field.id, value="Ada"), Hand(text="Ada"))
    await by_hand(house, session_id, a.PressKey(key="Backspace"))
    steps = await house.registry.steps(session_id)
    assert [(s.action["type"], s.receipt.value) for s in steps if s.receipt][1:] == [
        ("fill", "Ada"),
        ("press_key", "Ad"),
    ]
    async with house.registry.use(session_id) as live:
        focus = await live.spot(None)
    assert focus is not None
    assert (focus.id, focus.value, focus.caret) == (field.id, "Ad", (2, 2))


async def test_a_secret_that_a_person_types_is_nowhere_on_the_disk(house: House) -> None:
    """Whole it is a step under its name; a single character of it would be told, and is refused."""
    session_id = await taken(house)
    field = await spot(house, session_id, "Access code")
    assert (field.secret, field.value, field.caret) == ("SECRET_ACCESS_CODE", None, None)
    await by_hand(house, session_id, a.Fill(id=field.id, value="hunter2"), Hand(text="hunter2"))
    with pytest.raises(InvalidAction, match="SECRET_ACCESS_CODE"):
        await by_hand(house, session_id, a.PressKey(key="x"))
    await by_hand(house, session_id, a.PressKey(key="Tab"))
    step = (await house.store.steps(session_id))[1]
    assert step.action == {"type": "fill", "id": field.id, "value": {"secret": field.secret}}
    assert b"hunter2" not in house.database()


async def test_a_page_that_shows_a_secret_is_pointed_at_without_it(street: Street) -> None:
    """Pointing is a look, and passes the redactor."""
    async with street.house() as house:
        session_id = await taken(house)
        code = await spot(house, session_id, "Access code")
        await by_hand(house, session_id, a.Fill(id=code.id, value="hunter2"), Hand(text="hunter2"))
        name = await spot(house, session_id, "Applicant")
        await by_hand(house, session_id, a.Fill(id=name.id, value="hunter2"), Hand(text="hunter2"))
        async with house.registry.use(session_id) as live:
            found = await live.spot(None)
        assert found is not None
        assert found.value == f"[secret {code.secret}]"
        assert BASE in (await house.registry.record(session_id)).url
