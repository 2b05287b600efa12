"""Another attempt: what is new in it, what goes on, and what ends the trying."""

import anyio
import pytest

from notte_mcp import actions as a
from notte_mcp.agent_records import AgentRecord
from notte_mcp.errors import ModelUnavailable
from notte_mcp.records import SessionSpec
from notte_mcp.registry import Limits
from tests.agents.conftest import DONE, FILL, GAVE_UP, SEND, SLOW, SLOWLY, House, Street, run, until

pytestmark = pytest.mark.anyio


async def waits(house: House, agent: AgentRecord, attempt: int) -> AgentRecord:
    """The agent once it waits before this attempt."""
    record = await house.until(agent.id, lambda record: record.attempt == attempt)
    await house.store.agent(agent.id)  # reads come after what was written: the attempt is on disk then
    await anyio.wait_all_tasks_blocked()
    return record


async def test_a_failed_attempt_is_followed_by_one_in_a_fresh_session(house: House) -> None:
    """The first one's own session is stopped; numbers go on, and the url is loaded again."""
    house.plan(FILL, GAVE_UP, SEND, DONE)
    agent = await house.start(retries=2)
    await waits(house, agent, 2)
    house.clock.turn(1)
    record = await house.ended(agent.id)
    assert (record.state, record.success, record.attempt, record.step_count) == ("completed", True, 2, 6)
    assert record.session_id != agent.session_id
    first = await house.office.registry.record(agent.session_id)
    assert (first.state, first.reason) == ("stopped", "retried")
    assert [(s.agent_step, s.number, s.session_id == agent.session_id) for s in await house.agents.steps(agent.id)] == [
        (1, 1, True), (2, 2, True), (3, 3, True), (4, 1, False), (5, 2, False), (6, 3, False),
    ]  # fmt: skip
    assert await house.log(agent) == [
        (0, "started"), (1, "thought"), (3, "attempt"), (3, "started"), (4, "thought"), (6, "ended"),
    ]  # fmt: skip
    assert "attempt 2 of 3" in (await house.texts(agent, "attempt"))[0]
    assert "There is no such form." in (await house.texts(agent, "attempt"))[0]


async def test_a_new_attempt_begins_with_nothing_of_the_last_ones_history(house: House) -> None:
    """Its page is a fresh one: what was done on the other is not true of it."""
    house.plan(FILL, GAVE_UP, DONE)
    agent = await house.start(retries=1)
    await waits(house, agent, 2)
    house.clock.turn(1)
    await house.ended(agent.id)
    assert "= Ada" in house.asked(1)
    assert "= Ada" not in house.asked(2)
    assert "First the name." not in house.asked(2)
    assert "started anew" not in house.asked(2)


async def test_what_a_person_said_holds_for_all_attempts(house: House) -> None:
    """It was said about the task, not about the page."""
    agent = await house.asking(GAVE_UP, GAVE_UP, DONE, retries=1)
    await house.agents.steer(agent.id, "message", "The district is West.")
    house.plan_goes_on()
    await waits(house, agent, 2)
    house.clock.turn(1)
    await house.ended(agent.id)
    assert "The district is West." in house.asked(-1)


async def test_the_waits_grow(house: House) -> None:
    """1, 2 and 4 seconds; then it has failed."""
    house.plan(*[GAVE_UP] * 4)
    agent = await house.start(retries=3)
    for attempt, seconds in ((2, 1), (3, 2), (4, 4)):
        await waits(house, agent, attempt)
        house.clock.turn(seconds - 0.5)
        await anyio.wait_all_tasks_blocked()
        assert len(house.model.requests) == attempt - 1
        house.clock.turn(0.5)
    record = await house.ended(agent.id)
    assert (record.state, record.reason, record.attempt) == ("failed", "gave_up", 4)
    assert len(house.office.engine.sessions) == 4
    states = [one.state for one in await house.office.registry.sessions()]
    assert states == ["ready", "stopped", "stopped", "stopped"]


async def test_a_callers_own_session_is_left_alone(house: House) -> None:
    """It was not opened for the agent; it can be used by others from then on."""
    session_id = await house.office.open()
    house.plan(GAVE_UP, GAVE_UP, DONE)
    agent = await house.start(session_id=session_id, retries=2)
    for attempt in (2, 3):
        await waits(house, agent, attempt)
        house.clock.turn(2)
    record = await house.ended(agent.id)
    assert (record.state, record.attempt) == ("completed", 3)
    assert (await house.office.registry.record(session_id)).state == "ready"
    assert house.office.registry.holder(session_id) is None
    assert (await run(house.office, session_id, a.Reload())).receipts[0].success
    states = sorted(one.state for one in await house.office.registry.sessions())
    assert states == ["ready", "ready", "stopped"]


async def test_max_steps_are_per_attempt(house: House) -> None:
    """An attempt that took them all is followed by one that has them all."""
    two = {"actions": [*FILL["actions"], {"type": "wait", "time_ms": 0}]}
    house.plan(*[two] * 4)
    agent = await house.start(retries=1, max_steps=2)
    await waits(house, agent, 2)
    house.clock.turn(1)
    record = await house.ended(agent.id)
    assert (record.reason, record.attempt, record.step_count) == ("max_steps", 2, 4)


async def test_usage_is_of_all_attempts(house: House) -> None:
    """A budget is too."""
    house.plan(GAVE_UP, GAVE_UP, DONE, usd=0.3)
    agent = await house.start(retries=2, max_usd=0.5)
    await waits(house, agent, 2)
    house.clock.turn(1)
    await waits(house, agent, 3)
    house.clock.turn(2)
    record = await house.ended(agent.id)
    assert (record.reason, record.usage.usd, record.usage.model_calls) == ("budget", 0.6, 2)


async def test_a_stop_during_the_wait_ends_it_at_once(house: House) -> None:
    """No further session is opened."""
    house.plan(GAVE_UP, DONE)
    agent = await house.start(retries=1)
    await waits(house, agent, 2)
    with anyio.fail_after(1):
        record = await house.agents.stop(agent.id)
    assert (record.state, record.reason) == ("stopped", "user")
    assert len(house.office.engine.sessions) == 1


async def test_a_stop_while_the_next_session_opens_leaves_no_browser(house: House) -> None:
    """It is cut after its grace, like an action."""
    house.plan(GAVE_UP, DONE)
    agent = await house.start(retries=1)
    await waits(house, agent, 2)
    house.office.engine.gate = anyio.Event()
    house.clock.turn(1)
    await until(lambda: len(house.office.engine.requests) == 2)
    with anyio.fail_after(1):
        record = await house.agents.stop(agent.id, mode="now")
    assert record.state == "stopped"
    await until(lambda: len(house.office.registry._slots) == 0)


async def test_its_time_is_for_all_attempts(house: House) -> None:
    """The wait between them counts."""
    house.plan(*[GAVE_UP] * 4)
    agent = await house.start(retries=3, timeout_seconds=2)
    await waits(house, agent, 2)
    house.clock.turn(1)
    await waits(house, agent, 3)
    house.clock.turn(1)
    record = await house.ended(agent.id)
    assert (record.state, record.reason, record.attempt) == ("stopped", "timeout", 3)


@pytest.mark.parametrize("while_it", ["acts", "asks"])
async def test_a_crash_is_a_failed_attempt_while_retries_are_left(house: House, while_it: str) -> None:
    """The next one has a browser of its own; without retries the agent would be interrupted."""
    if while_it == "acts":
        agent = await house.acting(SLOWLY, DONE, retries=1)
        house.office.engine.lose(agent.session_id)
    else:
        agent = await house.asking(SEND, DONE, retries=1)
        house.office.engine.lose(agent.session_id)
        await until(lambda: not house.office.registry.is_live(agent.session_id))
        house.plan_goes_on()
    await waits(house, agent, 2)
    house.clock.turn(1)
    record = await house.ended(agent.id)
    assert (record.state, record.attempt) == ("completed", 2)
    assert (await house.office.registry.record(agent.session_id)).state == "failed"
    assert record.session_id != agent.session_id


async def test_a_lost_session_that_somebody_restored_is_not_gone_on_in(house: House) -> None:
    """What the agent knows of its page is not true of the new browser: the next attempt has its own."""
    agent = await house.asking(SEND, SEND, DONE, retries=1)
    house.office.engine.lose(agent.session_id)
    await until(lambda: not house.office.registry.is_live(agent.session_id))
    await house.office.registry.restore(agent.session_id)
    house.plan_goes_on()
    await waits(house, agent, 2)
    house.clock.turn(1)
    record = await house.ended(agent.id)
    assert (record.state, record.attempt) == ("completed", 2)
    assert house.performed(agent) == ["goto"]
    assert [step[2] for step in await house.steps(agent)] == ["goto", "goto", "click", "completion"]


async def test_a_crash_in_the_last_attempt_interrupts_it(house: House) -> None:
    """It can go on in a restored session."""
    house.plan(GAVE_UP, SLOWLY)
    agent = await house.start(url=SLOW, retries=1)
    await waits(house, agent, 2)
    house.clock.turn(1)
    await until(lambda: house.gate.statistics().tasks_waiting > 0)
    house.office.engine.lose((await house.agents.record(agent.id)).session_id)
    record = await house.ended(agent.id)
    assert (record.state, record.reason, record.attempt) == ("interrupted", "crash", 2)


async def test_a_crash_during_the_wait_changes_nothing(house: House) -> None:
    """The session was to be left anyway."""
    house.plan(GAVE_UP, DONE)
    agent = await house.start(retries=1)
    await waits(house, agent, 2)
    house.office.engine.lose(agent.session_id)
    await until(lambda: not house.office.registry.is_live(agent.session_id))
    await anyio.wait_all_tasks_blocked()
    house.clock.turn(1)
    assert (await house.ended(agent.id)).state == "completed"


async def test_a_model_that_stays_down_is_tried_again_in_another_attempt(house: House) -> None:
    """It may be up again by then."""
    house.plan(*[ModelUnavailable("It is down.", retry_after_s=0)] * 4, DONE)
    agent = await house.start(retries=1)
    await waits(house, agent, 2)
    house.clock.turn(1)
    assert (await house.ended(agent.id)).state == "completed"


async def test_a_fresh_session_that_cannot_be_opened_ends_it(street: Street) -> None:
    """With the reason why there is none."""
    async with street.house(limits=Limits(max_sessions=1, lock_wait_s=5)) as house:
        session_id = await house.office.open()
        house.plan(GAVE_UP, DONE)
        agent = await house.start(session_id=session_id, retries=1)
        await waits(house, agent, 2)
        house.clock.turn(1)
        record = await house.ended(agent.id)
        assert (record.state, record.reason) == ("failed", "limit_reached")
        assert house.office.registry.holder(session_id) is None


async def test_a_fresh_session_is_like_the_first_one(house: House) -> None:
    """Also where the first one was the caller's."""
    session_id = await house.office.open(spec=SessionSpec(viewport_width=640))
    house.plan(GAVE_UP, DONE)
    agent = await house.start(session_id=session_id, retries=1)
    await waits(house, agent, 2)
    house.clock.turn(1)
    await house.ended(agent.id)
    assert [request.spec.viewport_width for request in house.office.engine.requests] == [640, 640]
