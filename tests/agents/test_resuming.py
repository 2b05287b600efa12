"""Going on after a crash or a restart: explicitly, with the history, and with nothing done twice."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import anyio
import pytest

from notte_mcp import actions as a
from notte_mcp.agent_records import AgentEvent, AgentRecord
from notte_mcp.agents.past import past_of
from notte_mcp.errors import AgentEnded, NotteMCPError, SessionBusy, SessionNotLive
from notte_mcp.records import StepRecord
from tests.agents.conftest import DONE, FILL, FORM, GAVE_UP, HELP, SEND, SLOWLY, TO_LIST, House, Street, until

pytestmark = pytest.mark.anyio

INTERRUPTED = "started anew"


async def resume(house: House, agent: AgentRecord) -> AgentRecord:
    """Its session restored, and the agent resumed."""
    await house.office.registry.restore(agent.session_id)
    return (await house.agents.steer(agent.id, "resume")).record


async def left_behind(street: Street, *answers: object, **spec: Any) -> AgentRecord:
    """An agent of a server that ended while its model was asked a second time."""
    async with street.house("own_1") as house:

        async def answer(_: object) -> object:
            if len(house.model.requests) > len(answers):
                await anyio.sleep_forever()
            return answers[len(house.model.requests) - 1]

        house.play(answer)
        agent = await house.start(**spec)
        with anyio.fail_after(5):
            await house.model.asked(len(answers) + 1)
    return agent


async def test_an_agent_of_a_server_that_ended_is_interrupted_with_its_steps(street: Street) -> None:
    """Its record tells how far it came, and the log that it was interrupted."""
    agent = await left_behind(street, FILL)
    async with street.house("own_2") as house:
        record = await house.agents.record(agent.id)
        assert (record.state, record.reason, record.step_count) == ("interrupted", "restart", 2)
        assert (record.success, record.answer, record.ended_at) == (None, None, None)
        assert (await house.log(agent))[-1] == (2, "interrupted")
        assert await house.agents.wait(agent.id, seconds=5) == record


async def test_a_resumed_agent_goes_on_with_its_history(street: Street) -> None:
    """Its steps, its thoughts' results and its numbers; the browser is another one, and it is told so."""
    agent = await left_behind(street, FILL)
    async with street.house("own_2") as house:
        house.plan(SEND, DONE)
        assert (await resume(house, agent)).state == "running"
        record = await house.ended(agent.id)
        assert (record.state, record.owner, record.step_count) == ("completed", "own_2", 4)
        asked = house.asked(0)
        assert INTERRUPTED in asked
        assert asked.index('2 fill I1 "Applicant"') < asked.index(INTERRUPTED)
        assert house.performed(agent) == ["goto", "click"]
        steps = await house.agents.steps(agent.id)
        assert [(s.agent_step, s.number, s.action["type"]) for s in steps] == [
            (1, 1, "goto"), (2, 2, "fill"), (3, 4, "click"), (4, 5, "completion"),
        ]  # fmt: skip
        assert await house.log(agent) == [
            (0, "started"), (1, "thought"), (2, "interrupted"), (2, "resumed"), (2, "thought"), (4, "ended"),
        ]  # fmt: skip
        assert (await house.texts(agent, "resumed"))[0].startswith("after 2 steps, in session ses_")


async def test_what_it_used_and_may_still_use_goes_on(street: Street) -> None:
    """Limits are those of the whole agent."""
    agent = await left_behind(street, FILL, max_steps=3, timeout_seconds=100)
    async with street.house("own_2") as house:
        house.plan(SEND, TO_LIST)
        await resume(house, agent)
        record = await house.ended(agent.id)
        assert (record.reason, record.step_count, record.usage.model_calls) == ("max_steps", 3, 3)


async def test_time_that_was_used_before_counts(street: Street) -> None:
    """Time in which no server ran does not."""
    async with street.house("own_1") as house:
        agent = await house.asking(DONE, timeout_seconds=100)
        house.clock.turn(60)
    street.clock.turn(1_000)
    async with street.house("own_2") as house:
        house.plan(DONE).gate = anyio.Event()
        await resume(house, agent)
        with anyio.fail_after(5):
            await house.model.asked()
        house.clock.turn(39)
        await anyio.wait_all_tasks_blocked()
        assert (await house.agents.record(agent.id)).state == "running"
        house.clock.turn(1)
        assert (await house.ended(agent.id)).reason == "timeout"


async def test_what_a_person_said_is_in_the_history(street: Street) -> None:
    """In its place between the steps, and for further attempts too."""
    async with street.house("own_1") as house:
        agent = await house.asking(FILL, FILL, retries=1)
        await house.agents.steer(agent.id, "message", "The district is West.")
    async with street.house("own_2") as house:
        house.plan(GAVE_UP, DONE)
        await resume(house, agent)
        await house.until(agent.id, lambda record: record.attempt == 2)
        assert "message from the person: The district is West." in house.asked(0)
        await anyio.wait_all_tasks_blocked()
        house.clock.turn(1)
        record = await house.ended(agent.id)
        assert (record.state, record.attempt) == ("completed", 2)
        assert "The district is West." in house.asked(1)


async def test_what_the_caller_did_meanwhile_is_no_step_of_the_models(street: Street) -> None:
    """It is told, and takes nothing from its steps."""
    async with street.house("own_1") as house:
        agent = await house.asking(FILL, max_steps=2)
        await house.agents.steer(agent.id, "pause")
        await house.act(agent, a.Fill(selector="#applicant", value="Grace"))
    async with street.house("own_2") as house:
        house.plan(SEND, DONE)
        await resume(house, agent)
        assert (await house.ended(agent.id)).state == "completed"
        assert "the caller did: fill" in house.asked(0)


async def test_a_question_that_was_open_is_asked_again_or_not_by_the_model(street: Street) -> None:
    """It is not open any more: the model knows that it asked, and decides."""
    async with street.house("own_1") as house:
        house.plan(HELP)
        agent = await house.start()
        await house.until_state(agent.id, "needs_input")
    async with street.house("own_2") as house:
        house.plan(DONE)
        record = await resume(house, agent)
        assert (record.state, record.question) == ("running", None)
        await house.ended(agent.id)
        assert "Which district?" in house.asked(0)


# --- killed in the middle -----------------------------------------------------------


class Killed:
    """What is on disk of a server that was killed: `intended` steps, live records, a dead owner."""

    def __init__(self, street: Street, house: House) -> None:
        self._path: Path = house.office.root / "state.sqlite"
        self._street = street
        self.bytes = self._path.read_bytes()

    async def bury(self) -> None:
        """Put that state back, and mark it as the next server's start does."""
        self._path.write_bytes(self.bytes)
        async with self._street.house("own_2") as house:
            await house.store.interrupt(dead_owners=["own_1"], reason="restart")


async def test_an_action_that_the_server_died_in_is_told_as_unknown_and_not_done_again(street: Street) -> None:
    """P2 and P3: the model looks at the page and decides."""
    async with street.house("own_1") as house:
        agent = await house.acting(SLOWLY, DONE)
        killed = Killed(street, house)
    await killed.bury()
    async with street.house("own_2") as house:
        record = await house.agents.record(agent.id)
        assert (record.state, record.reason) == ("interrupted", "restart")
        house.gate.set()
        house.plan(DONE)
        await resume(house, agent)
        record = await house.ended(agent.id)
        assert record.state == "completed"
        assert house.performed(agent) == ["goto"]
        assert "it may have happened: look at the page" in house.asked(0)
        numbers = [step.agent_step or 0 for step in await house.agents.steps(agent.id)]
        assert numbers == sorted(set(numbers))
        assert numbers[-1] == record.step_count


async def test_an_agent_that_died_before_its_first_step_begins_at_the_beginning(street: Street) -> None:
    """Its url has not been opened yet."""
    async with street.house("own_1") as house:
        agent = await house.asking(DONE, url=None)
    async with street.house("own_2") as house:
        await house.store.put_agent((await house.agents.record(agent.id)).but(spec=replace(agent.spec, url=FORM)))
        house.plan(DONE)
        await resume(house, agent)
        await house.ended(agent.id)
        assert house.performed(agent) == ["goto"]
        assert INTERRUPTED not in house.asked(0)


# --- what a resume needs -------------------------------------------------------------


async def test_a_resume_without_its_session_names_the_call_that_restores_it(street: Street) -> None:
    """Nothing has changed then."""
    agent = await left_behind(street, FILL)
    async with street.house("own_2") as house:
        with pytest.raises(SessionNotLive) as refused:
            await house.agents.steer(agent.id, "resume")
        assert f'notte_start(session_id="{agent.session_id}")' in refused.value.next_call
        assert (await house.agents.record(agent.id)).state == "interrupted"
        for command in ("pause", "message", "answer"):
            with pytest.raises(AgentEnded, match="is interrupted") as ended:
                await house.agents.steer(agent.id, command, "text")
            assert f'notte_steer(agent_id="{agent.id}", command="resume")' in ended.value.next_call


async def test_a_resume_into_a_session_that_another_agent_has_is_refused(street: Street) -> None:
    """It stays interrupted, and can be resumed afterwards."""
    agent = await left_behind(street, FILL)
    async with street.house("own_2") as house:
        await house.office.registry.restore(agent.session_id)
        other = await house.asking(DONE, session_id=agent.session_id, url=None)
        with pytest.raises(SessionBusy, match=other.id):
            await house.agents.steer(agent.id, "resume")
        await house.agents.stop(other.id)
        house.plan(DONE)
        await house.agents.steer(agent.id, "resume")
        assert (await house.ended(agent.id)).state == "completed"


async def test_of_two_who_resume_it_at_once_one_does(street: Street) -> None:
    """The other one is told; the agent has its session all the same."""
    agent = await left_behind(street, FILL)
    async with street.house("own_2") as house:
        await house.office.registry.restore(agent.session_id)
        house.plan(SEND, DONE)
        refused: list[NotteMCPError] = []

        async def steer() -> None:
            try:
                await house.agents.steer(agent.id, "resume")
            except NotteMCPError as error:
                refused.append(error)

        async with anyio.create_task_group() as group:
            group.start_soon(steer)
            group.start_soon(steer)
        assert len(refused) == 1
        record = await house.ended(agent.id)
        assert (record.state, record.step_count) == ("completed", 4)


async def test_of_two_servers_that_resume_it_one_does(street: Street) -> None:
    """The slower one finds it taken and lets the session go."""
    agent = await left_behind(street, FILL)
    async with street.house("own_2") as house, street.house("own_3") as late:
        await late.office.registry.restore(agent.session_id)
        taken, take = anyio.Event(), late.store.take_agent

        async def take_agent(record: AgentRecord) -> bool:
            mine = (await house.agents.record(agent.id)).but(owner="own_2", state="running")
            assert await house.store.take_agent(mine)
            taken.set()
            return await take(record)

        late.store.take_agent = take_agent  # type: ignore[method-assign]
        with pytest.raises(AgentEnded, match="another server"):
            await late.agents.steer(agent.id, "resume")
        assert taken.is_set()
        assert late.office.registry.holder(agent.session_id) is None
        assert (await late.agents.record(agent.id)).owner == "own_2"


async def test_a_crashed_agent_is_resumed_in_the_same_server(house: House) -> None:
    """As often as it crashes."""
    agent = await house.asking(FILL, DONE)
    house.office.engine.lose(agent.session_id)
    await house.ended(agent.id)
    house.plan(SEND, DONE).gate = anyio.Event()
    await resume(house, agent)
    await house.model.asked()
    house.office.engine.lose(agent.session_id)
    assert (await house.ended(agent.id)).state == "interrupted"
    house.plan(SEND, DONE)
    await resume(house, agent)
    record = await house.ended(agent.id)
    assert (record.state, record.step_count) == ("completed", 3)
    assert [event for _, event in await house.log(agent)] == [
        "started", "interrupted", "resumed", "interrupted", "resumed", "thought", "ended",
    ]  # fmt: skip


async def test_an_agent_of_a_caller_is_resumed_too(street: Street) -> None:
    """Its caller goes on with its steps."""
    async with street.house("own_1") as house:
        agent = await house.lead(max_steps=3)
        await house.act(agent, a.Fill(selector="#applicant", value="Ada"))
    async with street.house("own_2") as house:
        assert (await resume(house, agent)).state == "running"
        await house.act(agent, a.Click(selector="#send"))
        done = await house.act(agent, a.Reload())
        assert done.receipts == ()
        record = await house.ended(agent.id)
        assert (record.reason, record.step_count) == ("max_steps", 3)


async def test_a_long_past_is_read_whole(house: House) -> None:
    """More steps and lines than one page of them: numbers go on, and none is given twice."""
    record = await house.whole(DONE)
    steps = [
        StepRecord(
            record.session_id, number, "model", "done", {"type": "reload"}, 0.0, agent_id=record.id, agent_step=number
        )
        for number in range(3, 1_203)
    ]
    await house.store.intend(steps)
    for number in range(3, 1_103):
        await house.store.put_event(AgentEvent(record.id, number, 2, 0.0, "message", f"m{number}"))
    past = await past_of(record, house.store)
    assert (past.step_count, past.sequence, len(past.heard)) == (1_202, 1_102, 1_100)
    assert len(past.lines) == 1_202 + 1_100


async def test_a_session_that_is_stopped_can_not_be_gone_on_in(house: House) -> None:
    """The error says what can be done."""
    agent = await house.asking(DONE)
    house.office.engine.lose(agent.session_id)
    await house.ended(agent.id)
    await house.office.registry.restore(agent.session_id)
    await house.office.registry.stop(agent.session_id)
    with pytest.raises(SessionNotLive):
        await house.agents.steer(agent.id, "resume")
    await until(lambda: house.office.registry.holder(agent.session_id) is None)


async def test_a_stop_that_finds_it_resumed_stops_the_one_that_goes_on(house: House) -> None:
    """Of the two wishes the later one holds, and nothing is written over a live agent."""
    agent = await house.asking(DONE)
    house.office.engine.lose(agent.session_id)
    await house.ended(agent.id)
    house.plan(DONE).gate = anyio.Event()
    take = house.store.take_agent

    async def take_agent(record: AgentRecord) -> bool:
        house.store.take_agent = take  # type: ignore[method-assign]
        await resume(house, agent)
        await house.model.asked()
        return await take(record)

    house.store.take_agent = take_agent  # type: ignore[method-assign]
    with anyio.fail_after(5):
        record = await house.agents.stop(agent.id)
    assert (record.state, record.reason) == ("stopped", "user")
    assert [event for _, event in await house.log(agent)] == ["started", "interrupted", "resumed", "ended"]
    assert house.office.registry.holder(agent.session_id) is None


@pytest.mark.parametrize("state", ["paused", "needs_input"])
async def test_a_crash_while_it_waits_interrupts_it_too(house: House, state: str) -> None:
    """It is resumed as one that runs: a pause and a question are of the page that is gone."""
    agent = await house.asking(HELP, DONE)
    if state == "paused":
        await house.agents.steer(agent.id, "pause")
    else:
        house.plan_goes_on()
    await house.until_state(agent.id, state)
    house.office.engine.lose(agent.session_id)
    record = await house.ended(agent.id)
    assert (record.state, record.reason, record.question) == ("interrupted", "crash", None)
    house.plan(DONE)
    await resume(house, agent)
    assert (await house.ended(agent.id)).state == "completed"
