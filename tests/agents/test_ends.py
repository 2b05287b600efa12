"""How agents end: by themselves, by a limit, by somebody's wish, by a crash, and with the server."""

import asyncio
import time

import anyio
import pytest

from notte_mcp import actions as a
from notte_mcp.agent_records import AgentEvent, AgentRecord, Usage
from notte_mcp.errors import AgentEnded, ModelRefused, ModelUnavailable, StoreUnusable, UnknownAgent
from notte_mcp.models.base import ChatReply, ChatRequest
from notte_mcp.records import SessionRecord, StepRecord
from notte_mcp.registry import Batch
from notte_mcp.store.sql import SqlStore
from tests.agents.conftest import (
    DONE,
    FAIL,
    FILL,
    GAVE_UP,
    HELP,
    SEND,
    SLOW,
    House,
    Street,
    run,
    until,
)

pytestmark = pytest.mark.anyio

WAIT = {"actions": [{"type": "wait", "time_ms": 0}]}


def open_gate(house: House) -> None:
    assert house.model.gate is not None
    house.model.gate.set()


def down(retry_after_s: float | None = 0) -> ModelUnavailable:
    return ModelUnavailable("The model's API is down (503).", retry_after_s=retry_after_s)


async def session_state(house: House, agent: AgentRecord) -> str:
    return (await house.office.registry.record(agent.session_id)).state


# --- by itself --------------------------------------------------------------------


async def test_a_model_that_gives_up_has_failed(house: House) -> None:
    """And its answer says why."""
    record = await house.whole(GAVE_UP)
    assert (record.state, record.reason, record.success) == ("failed", "gave_up", False)
    assert record.answer == "There is no such form."
    assert record.ended_at == house.clock.unix()


async def test_three_failures_in_a_row_end_it(house: House) -> None:
    """The session stays, with its page as it is."""
    record = await house.whole(FAIL, FAIL, FAIL, DONE)
    assert (record.state, record.reason, record.success) == ("failed", "three_failures", False)
    assert len(house.model.requests) == 3
    assert await session_state(house, record) == "ready"


async def test_the_same_on_an_unchanged_page_is_a_loop(house: House) -> None:
    """Three times, and it is over."""
    hover = {"actions": [{"type": "hover", "id": "{{button 'Send request'}}"}]}
    record = await house.whole(hover, hover, hover, DONE)
    assert (record.state, record.reason) == ("failed", "loop")
    assert record.step_count == 4


async def test_an_answer_that_cannot_be_read_is_sent_back_twice(house: House) -> None:
    """Each time is a line of the log; the third time ends it."""
    record = await house.whole("what?", "I do not know.", "{", DONE)
    assert (record.state, record.reason) == ("failed", "malformed_answer")
    assert await house.log(record) == [(0, "started"), (1, "repaired"), (1, "repaired"), (1, "ended")]


async def test_an_answer_that_is_mended_goes_on(house: House) -> None:
    """Nothing was done with the broken one."""
    record = await house.whole("what?", SEND, DONE)
    assert (record.state, house.performed(record)) == ("completed", ["goto", "click"])


# --- by a limit -------------------------------------------------------------------


async def test_max_steps_stop_a_model_before_the_step_that_would_exceed_them(house: House) -> None:
    """What its turn held beyond them was not begun, nor what it asked for then."""
    turn = {"actions": [*FILL["actions"], *SEND["actions"]]}
    record = await house.whole(turn, SEND, DONE, max_steps=2)
    assert (record.state, record.reason, record.success, record.step_count) == ("stopped", "max_steps", False, 2)
    assert house.performed(record) == ["goto", "fill"]
    assert await session_state(house, record) == "ready"


async def test_a_model_without_a_step_left_may_still_complete_its_task(house: House) -> None:
    """Completing is no step."""
    record = await house.whole(SEND, DONE, max_steps=2)
    assert (record.state, record.step_count) == ("completed", 3)


async def test_time_that_is_over_ends_the_wait_for_a_model_at_once(house: House) -> None:
    """Its answer is not waited for."""
    agent = await house.asking(DONE, timeout_seconds=60)
    house.clock.turn(59)
    assert (await house.agents.record(agent.id)).state == "running"
    house.clock.turn(1)
    record = await house.ended(agent.id)
    assert (record.state, record.reason, record.success, record.usage.seconds) == ("stopped", "timeout", False, 60)


async def test_time_that_is_over_lets_the_action_in_flight_end(house: House) -> None:
    """Its outcome is known then, and nothing else is begun."""
    agent = await house.acting(timeout_seconds=60)
    house.clock.turn(60)
    await house.until_state(agent.id, "stopping")
    house.gate.set()
    record = await house.ended(agent.id)
    assert (record.state, record.reason, record.step_count) == ("stopped", "timeout", 2)
    assert (await house.steps(agent))[-1] == (2, "model", "click", "done")


async def test_time_runs_while_it_is_paused_and_is_not_counted_as_used(house: House) -> None:
    """A forgotten agent ends all the same."""
    agent = await house.asking(DONE, timeout_seconds=60)
    house.clock.turn(10)
    await house.agents.steer(agent.id, "pause")
    house.clock.turn(50)
    record = await house.ended(agent.id)
    assert (record.reason, record.usage.seconds) == ("timeout", 10)


async def test_a_budget_of_tokens_ends_it_before_the_next_question(house: House) -> None:
    """What the last answer asked for is still done: it was paid for."""
    record = await house.whole(SEND, DONE, max_tokens_spent=10)
    assert (record.state, record.reason) == ("stopped", "budget")
    assert len(house.model.requests) == 1
    assert house.performed(record) == ["goto", "click"]


async def test_a_completion_that_used_up_the_budget_counts(house: House) -> None:
    """It costs nothing more."""
    assert (await house.whole(DONE, max_tokens_spent=10)).state == "completed"


async def test_a_budget_of_money_ends_it(house: House) -> None:
    """As soon as it is reached."""
    house.plan(WAIT, FILL, SEND, DONE, usd=0.4)
    record = await house.ended((await house.start(max_usd=0.8)).id)
    assert (record.state, record.reason, record.usage.usd) == ("stopped", "budget", 0.8)
    assert len(house.model.requests) == 2


async def test_a_budget_of_money_cannot_be_held_where_no_price_is_known(house: House) -> None:
    """So it ends after the first answer, and says so."""
    house.plan(FILL, SEND, DONE, usd=None)
    record = await house.ended((await house.start(max_usd=0.8)).id)
    assert (record.state, record.reason, len(house.model.requests)) == ("stopped", "budget", 1)
    assert "costs" in (record.answer or "")


# --- by its model -----------------------------------------------------------------


async def test_a_model_that_is_down_for_a_while_is_asked_again(house: House) -> None:
    """Each retry is a line of the log."""
    record = await house.whole(down(), down(), DONE)
    assert record.state == "completed"
    assert await house.log(record) == [(0, "started"), (1, "model_retry"), (1, "model_retry"), (2, "ended")]
    assert "503" in (await house.texts(record, "model_retry"))[0]


async def test_a_model_that_stays_down_ends_it(house: House) -> None:
    """After four times, with what it said."""
    record = await house.whole(*[down()] * 5)
    assert (record.state, record.reason, len(house.model.requests)) == ("failed", "model_error", 4)
    assert "503" in (record.answer or "")


async def test_a_stop_while_a_model_that_is_down_is_waited_for_comes_at_once(house: House) -> None:
    """The wait before asking again is cut."""
    house.plan(down(30), DONE)
    agent = await house.start()
    await until(lambda: house.agents._life.live[agent.id]._sequence == 2)
    with anyio.fail_after(1):
        record = await house.agents.stop(agent.id)
    assert (record.state, record.reason) == ("stopped", "user")


async def test_a_stop_that_comes_just_before_a_question_keeps_it_from_being_asked(house: House) -> None:
    """Nothing is waited for that nobody wants any more."""
    put, writing = house.store.put_agent, anyio.Event()

    async def put_agent(record: AgentRecord, event: AgentEvent | None = None) -> None:
        if event is not None and event.event == "repaired":
            writing.set()
            await house.until_state(record.id, "stopping")
        await put(record, event)

    house.store.put_agent = put_agent  # type: ignore[method-assign]
    agent = await house.asking("nonsense")
    open_gate(house)
    house.model.gate = anyio.Event()
    with anyio.fail_after(2):
        await writing.wait()
        assert (await house.agents.stop(agent.id)).state == "stopped"


async def test_a_model_that_refuses_ends_it_at_once(house: House) -> None:
    """A key that is refused once is refused again."""
    record = await house.whole(ModelRefused("The key was refused (401)."), DONE, retries=2)
    assert (record.state, record.reason, record.attempt) == ("failed", "model_refused", 1)
    assert len(house.model.requests) == 1


async def test_a_fault_of_our_own_ends_one_agent_and_no_other(house: House) -> None:
    """It is a failure with a reason, not a server that is gone."""

    def answer(_: ChatRequest) -> object:
        raise ZeroDivisionError

    house.play(answer)
    record = await house.ended((await house.start()).id)
    assert (record.state, record.reason) == ("failed", "crashed")
    assert (await house.whole(DONE)).state == "completed"


# --- asked to stop ----------------------------------------------------------------


async def test_a_stop_does_not_wait_for_the_model(house: House) -> None:
    """What it would have answered is not done."""
    agent = await house.asking(SEND)
    with anyio.fail_after(1):
        record = await house.agents.stop(agent.id)
    assert (record.state, record.reason, record.success) == ("stopped", "user", False)
    open_gate(house)
    assert house.performed(agent) == ["goto"]
    assert await session_state(house, agent) == "ready"
    assert await house.log(agent) == [(0, "started"), (1, "ended")]


async def test_a_graceful_stop_lets_the_action_in_flight_end(house: House) -> None:
    """And begins no other."""
    agent = await house.acting()
    async with anyio.create_task_group() as group:
        group.start_soon(house.agents.stop, agent.id)
        await house.until_state(agent.id, "stopping")
        house.gate.set()
    record = await house.agents.record(agent.id)
    assert (record.state, record.reason, record.step_count) == ("stopped", "user", 2)
    assert await house.steps(agent) == [(1, "model", "goto", "done"), (2, "model", "click", "done")]


async def test_a_graceful_stop_cuts_an_action_that_does_not_end(house: House) -> None:
    """Within 4 s; whether it happened is unknown, and the session can be used."""
    agent = await house.acting()
    begun = time.monotonic()
    record = await house.agents.stop(agent.id)
    assert 2.4 < time.monotonic() - begun < 4
    assert (record.state, record.reason, record.step_count) == ("stopped", "user", 2)
    assert (await house.steps(agent))[-1] == (2, "model", "click", "outcome_unknown")
    assert (await run(house.office, agent.session_id, a.Reload())).receipts[0].success


async def test_a_stop_now_waits_for_nothing_and_hurries_a_graceful_one(house: House) -> None:
    """Whoever asked first."""
    agent = await house.acting()
    async with anyio.create_task_group() as group:
        group.start_soon(house.agents.stop, agent.id)
        await house.until_state(agent.id, "stopping")
        with anyio.fail_after(1):
            await house.agents.stop(agent.id, mode="now")
    record = await house.agents.record(agent.id)
    assert (record.state, (await house.steps(agent))[-1][3]) == ("stopped", "outcome_unknown")


async def test_stopping_twice_gives_the_same_end(house: House) -> None:
    """The second one changes nothing, also long after."""
    agent = await house.asking(DONE)
    first = await house.agents.stop(agent.id)
    house.clock.turn(5)
    assert await house.agents.stop(agent.id) == first == await house.store.agent(agent.id)
    assert await house.log(agent) == [(0, "started"), (1, "ended")]


async def test_a_stop_of_a_completed_agent_leaves_it_completed(house: House) -> None:
    """Its record is what it was."""
    record = await house.whole(DONE)
    assert await house.agents.stop(record.id) == record


async def test_a_task_that_is_completed_while_it_is_stopped_is_completed(house: House) -> None:
    """What was reached is not denied."""
    settled, stopping = house.store.settle, anyio.Event()

    async def settle(step: StepRecord, session: SessionRecord) -> None:
        if step.action["type"] == "completion":
            stopping.set()
            await house.until_state(agent.id, "stopping")
        await settled(step, session)

    house.store.settle = settle  # type: ignore[method-assign]
    agent = await house.asking(DONE)
    async with anyio.create_task_group() as group:
        open_gate(house)
        await stopping.wait()
        group.start_soon(house.agents.stop, agent.id)
    record = await house.ended(agent.id)
    assert (record.state, record.success) == ("completed", True)


async def test_a_stop_of_nobody_says_so(house: House) -> None:
    """With the call that lists those there are."""
    with pytest.raises(UnknownAgent, match="notte_status"):
        await house.agents.stop("agt_00000000000000000000000000")


async def test_a_stop_of_a_paused_agent_ends_it_at_once(house: House) -> None:
    """Nothing has to be resumed for that."""
    agent = await house.asking(SEND)
    await house.agents.steer(agent.id, "pause")
    with anyio.fail_after(1):
        assert (await house.agents.stop(agent.id)).state == "stopped"


async def test_a_stop_ends_one_that_waits_for_an_answer(house: House) -> None:
    """Its question goes with it."""
    house.plan(HELP)
    agent = await house.start()
    await house.until_state(agent.id, "needs_input")
    with anyio.fail_after(1):
        record = await house.agents.stop(agent.id)
    assert (record.state, record.question) == ("stopped", None)


async def test_a_stop_lets_a_callers_action_end_and_begins_no_other_of_its_batch(house: House) -> None:
    """The steps of an agent that ended are all on record under its name."""
    agent = await house.lead(url=SLOW)
    batch: list[Batch] = []

    async def act() -> None:
        click = a.Click(id=(await house.office.look(agent.session_id))["Take your time"])
        batch.append(await house.act(agent, click, a.Reload()))

    async with anyio.create_task_group() as group:
        group.start_soon(act)
        await until(lambda: house.gate.statistics().tasks_waiting > 0)
        group.start_soon(house.agents.stop, agent.id)
        await house.until_state(agent.id, "stopping")
        house.gate.set()
    assert (len(batch[0].receipts), batch[0].stopped) == (1, "the agent is ending (user)")
    record = await house.agents.record(agent.id)
    assert (record.state, record.step_count) == ("stopped", 2)
    assert await house.steps(agent) == [(1, "assistant", "goto", "done"), (2, "assistant", "click", "done")]


async def test_a_stop_now_cuts_a_callers_action(house: House) -> None:
    """Its outcome is unknown, and on record before the agent's end."""
    agent = await house.lead(url=SLOW)
    batch: list[Batch] = []

    async def act() -> None:
        click = a.Click(id=(await house.office.look(agent.session_id))["Take your time"])
        batch.append(await house.act(agent, click, a.Reload()))

    async with anyio.create_task_group() as group:
        group.start_soon(act)
        await until(lambda: house.gate.statistics().tasks_waiting > 0)
        with anyio.fail_after(1):
            await house.agents.stop(agent.id, mode="now")
    record = await house.agents.record(agent.id)
    assert (record.state, record.step_count) == ("stopped", 2)
    assert [receipt.code for receipt in batch[0].receipts] == ["outcome_unknown"]
    assert (await house.steps(agent))[-1] == (2, "assistant", "click", "outcome_unknown")


# --- with its session -------------------------------------------------------------


@pytest.mark.parametrize("driver", ["model", "assistant"])
async def test_a_stop_of_its_session_ends_it(house: House, driver: str) -> None:
    """The agent could do nothing any more."""
    agent = await (house.asking(DONE) if driver == "model" else house.lead())
    await house.office.registry.stop(agent.session_id)
    record = await house.ended(agent.id)
    assert (record.state, record.reason, record.success) == ("stopped", "session_stopped", False)


async def test_a_stop_of_its_session_while_it_acts_ends_both(house: House) -> None:
    """The action in flight has its grace, and is on record."""
    agent = await house.acting()
    async with anyio.create_task_group() as group:
        group.start_soon(house.office.registry.stop, agent.session_id)
        await until(lambda: not house.office.registry.is_live(agent.session_id))
        house.gate.set()
    record = await house.ended(agent.id)
    assert (record.state, record.reason, record.step_count) == ("stopped", "session_stopped", 2)
    assert (await house.steps(agent))[-1] == (2, "model", "click", "done")


async def test_an_action_that_cannot_even_be_cut_is_on_record_under_its_name(house: House) -> None:
    """The session's end writes it down; the agent's number of steps holds it."""
    agent = await house.asking({"actions": [{"type": "reload"}]}, DONE)
    browser, deaf, begun = house.browser(agent), anyio.Event(), anyio.Event()
    performed = browser.perform

    async def perform(action: a.Action, *, timeout_ms: int, **_: object) -> object:
        with anyio.CancelScope(shield=True):
            begun.set()
            await deaf.wait()
        return await performed(action, timeout_ms=timeout_ms)

    browser.perform = perform  # type: ignore[method-assign, assignment]
    open_gate(house)
    await begun.wait()
    await house.office.registry.stop(agent.session_id, mode="now")
    deaf.set()
    record = await house.ended(agent.id)
    assert (record.state, record.reason, record.step_count) == ("stopped", "session_stopped", 2)
    assert (await house.steps(agent))[-1] == (2, "model", "reload", "outcome_unknown")


async def test_a_session_does_not_idle_while_a_model_works_in_it(house: House) -> None:
    """Its idle time begins when the agent has ended."""
    agent = await house.asking(DONE)
    house.clock.turn(16 * 60)
    await anyio.wait_all_tasks_blocked()
    assert await session_state(house, agent) == "ready"
    open_gate(house)
    await house.ended(agent.id)
    house.clock.turn(14 * 60)
    await anyio.wait_all_tasks_blocked()
    assert await session_state(house, agent) == "ready"
    house.clock.turn(2 * 60)
    await until(lambda: not house.office.registry.is_live(agent.session_id))


async def test_an_agent_whose_caller_stays_away_ends_with_its_idle_session(house: House) -> None:
    """And says which limit it was."""
    agent = await house.lead(timeout_seconds=36_000)
    house.clock.turn(15 * 60)
    record = await house.ended(agent.id)
    assert (record.reason, "idle_timeout" in (record.answer or "")) == ("session_stopped", True)


@pytest.mark.parametrize("while_it", ["asks", "acts"])
async def test_a_crash_of_its_browser_interrupts_it(house: House, while_it: str) -> None:
    """It is no failure of the agent: it can go on in a restored session."""
    agent = await (house.asking(DONE) if while_it == "asks" else house.acting())
    house.office.engine.lose(agent.session_id)
    record = await house.ended(agent.id)
    assert (record.state, record.reason, record.success, record.answer) == ("interrupted", "crash", None, None)
    assert (await house.log(agent))[-1][1] == "interrupted"
    assert (record.ended_at, record.step_count) == (None, 1 if while_it == "asks" else 2)


async def test_a_stop_of_an_interrupted_agent_makes_it_stay_ended(house: House) -> None:
    """It cannot be resumed then."""
    agent = await house.asking(DONE)
    house.office.engine.lose(agent.session_id)
    await house.ended(agent.id)
    record = await house.agents.stop(agent.id)
    assert (record.state, record.reason, record.success) == ("stopped", "user", False)
    assert record == await house.store.agent(agent.id)
    assert [event for _, event in await house.log(agent)] == ["started", "interrupted", "ended"]
    with pytest.raises(AgentEnded):
        await house.agents.steer(agent.id, "resume")


# --- with the server --------------------------------------------------------------


@pytest.mark.parametrize("while_it", ["asks", "acts", "is paused", "waits for its caller"])
async def test_the_end_of_its_server_interrupts_it(house: House, while_it: str) -> None:
    """At once: nothing it was about is waited for."""
    if while_it == "acts":
        agent = await house.acting()
    else:
        agent = await (house.lead() if "caller" in while_it else house.asking(DONE))
    if while_it == "is paused":
        await house.agents.steer(agent.id, "pause")
    begun = time.monotonic()
    await house.agents.close(deadline_s=2)
    assert time.monotonic() - begun < 2
    record = await house.store.agent(agent.id)
    assert record is not None
    assert (record.state, record.reason, record.success) == ("interrupted", "restart", None)
    if while_it == "acts":
        assert record.step_count == 2
        assert (await house.steps(agent))[-1] == (2, "model", "click", "outcome_unknown")


async def test_a_server_that_ends_starts_no_agent(house: House) -> None:
    """Whoever asks is told."""
    await house.agents.close(deadline_s=0.5)
    with pytest.raises(Exception, match="ending"):
        await house.start()


async def test_nothing_is_left_behind(street: Street) -> None:
    """No task of an agent outlives it, however it ended."""
    async with street.house() as house:
        before = len(asyncio.all_tasks())
        session_id = await house.office.open(SLOW)
        alone = len(asyncio.all_tasks())
        house.plan(DONE)
        await house.ended((await house.start(session_id=session_id)).id)
        agent = await house.acting(session_id=session_id)
        await house.agents.stop(agent.id, mode="now")
        await until(lambda: len(asyncio.all_tasks()) <= alone)
        await house.office.registry.stop(session_id)
        await until(lambda: len(asyncio.all_tasks()) <= before)


# --- disk trouble -----------------------------------------------------------------


class FullDisk:
    """A store whose disk takes nothing of what is named in `full`."""

    def __init__(self, store: SqlStore) -> None:
        self.full: set[str] = set()
        for name in ("put_agent", "settle", "intend"):
            self._spoil(store, name)

    def _spoil(self, store: SqlStore, name: str) -> None:
        write = getattr(store, name)

        async def spoilt(*args: object) -> None:
            if name in self.full:
                raise StoreUnusable("The disk is full.")
            await write(*args)

        setattr(store, name, spoilt)


async def test_an_end_that_the_disk_does_not_take_is_an_end_all_the_same(house: House) -> None:
    """It is told as such, and written as soon as there is room."""
    disk = FullDisk(house.store)
    agent = await house.asking(DONE)
    disk.full.add("put_agent")
    with anyio.fail_after(2):
        record = await house.agents.stop(agent.id)
    assert (record.state, record.reason) == ("stopped", "user")
    assert (await house.agents.record(agent.id)).state == "stopped"
    assert [one.state for one in await house.agents.agents()] == ["stopped"]
    stored = await house.store.agent(agent.id)
    assert stored is not None
    assert stored.state == "running"
    disk.full.clear()
    house.clock.turn(5)
    await until(lambda: not house.agents._life.unwritten)
    assert (await house.store.agent(agent.id)) == await house.agents.record(agent.id)
    assert (await house.log(agent))[-1] == (1, "ended")


@pytest.mark.parametrize("what", ["settle", "intend", "put_agent"])
async def test_a_disk_that_takes_nothing_ends_it(house: House, what: str) -> None:
    """It is not tried again for ever, and hangs nobody."""
    disk = FullDisk(house.store)
    agent = await house.asking(FILL, SEND, DONE, retries=2)
    disk.full.add(what)
    open_gate(house)
    record = await house.ended(agent.id)
    assert (record.state, record.reason, record.attempt) == ("failed", "store_unusable", 1)


async def test_an_agent_that_the_disk_does_not_take_is_not_begun(house: House) -> None:
    """Its session is gone too, and another one's is free."""
    disk = FullDisk(house.store)
    session_id = await house.office.open()
    disk.full.add("put_agent")
    for one in (None, session_id):
        with pytest.raises(StoreUnusable):
            await house.start(session_id=one)
    assert house.office.registry.holder(session_id) is None
    disk.full.clear()
    assert await house.agents.agents() == []
    assert sorted(one.state for one in await house.office.registry.sessions()) == ["ready", "stopped"]


async def test_a_caller_who_gives_up_while_an_agent_starts_leaves_a_whole_one_or_none(house: House) -> None:
    """Never one that nobody drives."""
    gate, put = anyio.Event(), house.store.put_agent
    waiting = anyio.Event()

    async def put_agent(record: AgentRecord, event: AgentEvent | None = None) -> None:
        waiting.set()
        await gate.wait()
        await put(record, event)

    house.store.put_agent = put_agent  # type: ignore[method-assign]
    house.plan(DONE)
    async with anyio.create_task_group() as group:
        group.start_soon(house.start)
        await waiting.wait()
        group.cancel_scope.cancel()
        gate.set()
    live = [one for one in await house.agents.agents() if one.is_live]
    for one in live:
        assert (await house.ended(one.id)).state == "completed"
    assert {s.state for s in await house.office.registry.sessions()} == ({"ready"} if live else {"stopped"})


async def test_usage_is_kept_of_an_answer_that_came_to_nothing(house: House) -> None:
    """It was paid for."""
    used = Usage(model_calls=1, input_tokens=70, output_tokens=7, usd=0.1)
    house.play(lambda _: ChatReply("nonsense", used))
    record = await house.ended((await house.start()).id)
    assert (record.reason, record.usage.model_calls, record.usage.tokens) == ("malformed_answer", 3, 231)
