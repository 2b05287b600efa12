"""Pausing, resuming, telling and answering an agent while it lives."""

import anyio
import pytest

from notte_mcp import actions as a
from notte_mcp.agent_records import AgentRecord, AgentSpec
from notte_mcp.agents.supervisor import Command
from notte_mcp.errors import AgentEnded, InvalidArgument, SessionBusy, UnknownAgent
from notte_mcp.models.base import ChatRequest
from notte_mcp.records import SessionSpec, StepRecord
from notte_mcp.registry import Batch
from tests.agents.conftest import DONE, FAIL, FILL, HELP, SEND, SLOW, SLOWLY, House, Street, shown, until

pytestmark = pytest.mark.anyio

NOBODY = "agt_00000000000000000000000000"


def let(house: House) -> None:
    """The model answers from now on."""
    house.plan_goes_on()


# --- pause and resume -------------------------------------------------------------


async def test_a_pause_while_the_model_is_asked_is_effective_at_once(house: House) -> None:
    """What it answers meanwhile is done after the resume."""
    agent = await house.asking(SEND, DONE)
    steered = await house.agents.steer(agent.id, "pause")
    assert (steered.record.state, steered.accepted, steered.at_step) == ("paused", True, 1)
    let(house)
    await anyio.wait_all_tasks_blocked()
    assert house.performed(agent) == ["goto"]
    steered = await house.agents.steer(agent.id, "resume")
    assert (steered.record.state, steered.accepted, steered.at_step) == ("running", True, 1)
    assert (await house.ended(agent.id)).state == "completed"
    assert house.performed(agent) == ["goto", "click"]
    assert await house.log(agent) == [(0, "started"), (1, "paused"), (1, "resumed"), (1, "thought"), (3, "ended")]
    assert len(house.model.requests) == 2


async def test_while_it_is_paused_its_caller_may_look_and_act(house: House) -> None:
    """Those are the agent's steps by the assistant, and the model is told of them at its next turn."""
    agent = await house.asking(SEND, DONE)
    await house.agents.steer(agent.id, "pause")
    await house.office.look(agent.session_id)
    done = await house.act(agent, a.Fill(selector="#applicant", value="Grace"))
    assert done.receipts[0].success
    let(house)
    await house.agents.steer(agent.id, "resume")
    record = await house.ended(agent.id)
    assert await house.steps(record) == [
        (1, "model", "goto", "done"),
        (2, "assistant", "fill", "done"),
        (3, "model", "completion", "done"),
    ]
    told = house.asked(1)
    assert "the caller did: fill" in told
    assert "Grace" in told


async def test_an_answer_from_before_the_callers_acts_is_not_done(house: House) -> None:
    """It was about another page: the model is asked anew."""
    agent = await house.asking(SEND, DONE)
    await house.agents.steer(agent.id, "pause")
    let(house)
    await house.act(agent, a.Fill(selector="#applicant", value="Grace"))
    await house.agents.steer(agent.id, "resume")
    await house.ended(agent.id)
    assert house.performed(agent) == ["goto", "fill"]


async def test_a_callers_action_that_is_under_way_at_the_resume_is_told_before_anything_is_done(house: House) -> None:
    """The pending answer of the model waits for it, and is dropped then."""
    agent = await house.asking(FILL, DONE, url=SLOW)
    await house.agents.steer(agent.id, "pause")
    let(house)
    await anyio.wait_all_tasks_blocked()
    click = a.Click(id=(await house.office.look(agent.session_id))["Take your time"])
    batch: list[Batch] = []

    async def act() -> None:
        batch.append(await house.act(agent, click, a.Reload()))

    async with anyio.create_task_group() as group:
        group.start_soon(act)
        await until(lambda: house.gate.statistics().tasks_waiting > 0)
        await house.agents.steer(agent.id, "resume")
        await anyio.wait_all_tasks_blocked()
        house.gate.set()
    await house.ended(agent.id)
    assert (len(batch[0].receipts), batch[0].stopped) == (1, "the agent goes on by itself")
    assert [step[1:3] for step in await house.steps(agent)] == [
        ("model", "goto"), ("assistant", "click"), ("model", "completion"),
    ]  # fmt: skip
    assert "the caller did: click" in house.asked(1)


async def test_a_pause_while_it_acts_is_effective_when_the_action_has_ended(house: House) -> None:
    """The rest of its turn is not begun; the model decides about it after the resume."""
    agent = await house.acting()
    steered = await house.agents.steer(agent.id, "pause")
    assert (steered.record.state, steered.accepted, steered.at_step) == ("running", True, 2)
    house.gate.set()
    await house.until_state(agent.id, "paused")
    assert await house.steps(agent) == [(1, "model", "goto", "done"), (2, "model", "click", "done")]
    await house.agents.steer(agent.id, "resume")
    assert (await house.ended(agent.id)).state == "completed"
    assert house.performed(agent) == ["goto", "click"]
    assert "1 of 2 actions not run" in house.asked(1)
    assert await house.log(agent) == [
        (0, "started"), (1, "thought"), (2, "paused"), (2, "resumed"), (3, "ended"),
    ]  # fmt: skip


async def test_a_pause_that_comes_as_a_turn_begins_holds_all_of_it_back(house: House) -> None:
    """Nothing is begun in a paused agent, and its turn is done after the resume, thought of once."""
    put = house.store.put_agent

    async def put_agent(record: AgentRecord, event: object = None) -> None:
        await put(record, event)  # type: ignore[arg-type]
        if getattr(event, "event", "") == "thought":
            house.store.put_agent = put  # type: ignore[method-assign]
            await house.agents.steer(record.id, "pause")

    house.store.put_agent = put_agent  # type: ignore[method-assign]
    house.plan(SEND, DONE)
    agent = await house.start()
    await house.until_state(agent.id, "paused")
    await anyio.wait_all_tasks_blocked()
    assert house.performed(agent) == ["goto"]
    await house.agents.steer(agent.id, "resume")
    assert (await house.ended(agent.id)).state == "completed"
    assert house.performed(agent) == ["goto", "click"]
    assert [event for _, event in await house.log(agent)] == ["started", "thought", "paused", "resumed", "ended"]


async def test_being_paused_is_no_failure(house: House) -> None:
    """However often it is."""
    fails = {"actions": [FAIL["actions"][0]]}
    agent = await house.asking(fails, fails, SEND, DONE)
    for _ in range(4):
        await house.agents.steer(agent.id, "pause")
        await house.agents.steer(agent.id, "resume")
    let(house)
    assert (await house.ended(agent.id)).state == "completed"


async def test_a_second_pause_and_a_resume_of_nothing_are_not_accepted(house: House) -> None:
    """They change nothing and are no lines of the log."""
    agent = await house.asking(DONE)
    assert not (await house.agents.steer(agent.id, "resume")).accepted
    assert (await house.agents.steer(agent.id, "pause")).accepted
    again = await house.agents.steer(agent.id, "pause")
    assert (again.accepted, again.record.state) == (False, "paused")
    assert await house.log(agent) == [(0, "started"), (1, "paused")]


async def test_a_page_that_changed_while_it_was_paused_is_seen(house: House) -> None:
    """By hands that the server knows nothing of: the next question shows the page as it is then."""
    agent = await house.acting()
    await house.agents.steer(agent.id, "pause")
    house.gate.set()
    await house.until_state(agent.id, "paused")
    (name,) = house.browser(agent)._here.find("textbox", "Applicant")
    name.value = "Grace"
    await house.agents.steer(agent.id, "resume")
    await house.ended(agent.id)
    assert "= Grace" in house.asked(1)


async def test_a_pause_in_the_wait_of_a_question_holds_after_the_answer(house: House) -> None:
    """Neither undoes the other."""
    house.plan(HELP, DONE)
    agent = await house.start()
    await house.until_state(agent.id, "needs_input")
    assert (await house.agents.steer(agent.id, "pause")).accepted
    await house.agents.steer(agent.id, "answer", "North")
    await house.until_state(agent.id, "paused")
    await house.agents.steer(agent.id, "resume")
    assert (await house.ended(agent.id)).state == "completed"


# --- who may act ------------------------------------------------------------------


async def test_nobody_else_acts_while_a_model_is_at_work(house: House) -> None:
    """The refusal names the agent and the call that pauses it; nothing is done."""
    agent = await house.asking(DONE)
    with pytest.raises(SessionBusy) as refused:
        await house.act(agent, a.Reload())
    assert agent.id in refused.value.what
    assert refused.value.next_call == f'notte_steer(agent_id="{agent.id}", command="pause"), then the same call'
    assert house.performed(agent) == ["goto"]
    assert len(await house.office.registry.steps(agent.session_id)) == 1


async def test_anybody_may_look_and_an_agents_looks_are_not_theirs(house: House) -> None:
    """What changed for a caller is counted from its own last view."""
    agent = await house.asking(FILL, DONE)
    async with house.office.registry.use(agent.session_id) as live:
        first = await live.observe()
    let(house)
    await house.ended(agent.id)
    async with house.office.registry.use(agent.session_id) as live:
        seen = await live.observe(mode="changes")
    assert seen.changes is not None
    assert seen.changes.since == first.view
    assert [(node.name, node.value) for node in seen.changes.changed] == [("Applicant", "Ada")]


async def test_a_caller_cannot_complete_an_agent_of_a_model(house: House) -> None:
    """It is told what it can do instead."""
    agent = await house.asking(DONE)
    await house.agents.steer(agent.id, "pause")
    done = await house.act(agent, a.Completion(success=True, answer="ok"))
    assert (done.receipts[0].success, done.receipts[0].code) == (False, "not_allowed")
    assert "notte_stop" in done.receipts[0].message
    let(house)
    await house.agents.steer(agent.id, "resume")
    assert (await house.ended(agent.id)).answer == "It is sent."


async def test_the_callers_steps_do_not_use_up_the_agents(house: House) -> None:
    """max_steps are the model's."""
    agent = await house.asking(SEND, DONE, max_steps=3)
    await house.agents.steer(agent.id, "pause")
    await house.act(agent, *[a.Reload()] * 4)
    let(house)
    await house.agents.steer(agent.id, "resume")
    record = await house.ended(agent.id)
    assert (record.state, record.step_count) == ("completed", 6)


async def test_the_caller_may_act_while_a_question_is_open(house: House) -> None:
    """That is how a person helps; the model is told."""
    house.plan(HELP, DONE)
    agent = await house.start()
    await house.until_state(agent.id, "needs_input")
    assert (await house.act(agent, a.Fill(selector="#applicant", value="Ada"))).receipts[0].success
    await house.agents.steer(agent.id, "answer", "I filled it.")
    await house.ended(agent.id)
    assert "the caller did: fill" in house.asked(1)
    assert "the person's answer: I filled it." in house.asked(1)


# --- messages and answers ---------------------------------------------------------


async def test_a_message_is_seen_at_the_next_turn(house: House) -> None:
    """Also where the model was being asked: that answer is dropped, since it does not know of it."""
    agent = await house.asking(SEND, DONE)
    steered = await house.agents.steer(agent.id, "message", "Do not send it.")
    assert (steered.accepted, steered.at_step, steered.record.state) == (True, 1, "running")
    let(house)
    await house.ended(agent.id)
    assert house.performed(agent) == ["goto"]
    assert "message from the person: Do not send it." in house.asked(1)
    assert await house.log(agent) == [(0, "started"), (1, "message"), (2, "ended")]


async def test_a_message_while_it_acts_takes_effect_after_that_action(house: House) -> None:
    """The rest of the turn is not begun: a step is one action."""
    agent = await house.acting()
    await house.agents.steer(agent.id, "message", "Leave the name empty.")
    house.gate.set()
    await house.ended(agent.id)
    assert house.performed(agent) == ["goto", "click"]
    assert "Leave the name empty." in house.asked(1)
    assert "1 of 2 actions not run" in house.asked(1)


async def test_a_message_stays_in_the_history(house: House) -> None:
    """Every later question holds it, once."""
    agent = await house.asking(SEND, FAIL, DONE)
    await house.agents.steer(agent.id, "message", "The district is West.")
    let(house)
    await house.ended(agent.id)
    assert [shown(request).count("The district is West.") for request in house.model.requests[1:]] == [1, 1]


async def test_a_question_is_answered(house: House) -> None:
    """State and question say that it waits; the answer goes to the model."""
    house.plan(HELP, DONE)
    agent = await house.start()
    record = await house.until_state(agent.id, "needs_input")
    assert (record.question, record.step_count, record.success) == ("Which district?", 2, None)
    steered = await house.agents.steer(agent.id, "answer", "North")
    assert (steered.record.state, steered.record.question) == ("running", None)
    assert (await house.ended(agent.id)).state == "completed"
    assert "the person's answer: North" in house.asked(1)
    assert await house.log(agent) == [(0, "started"), (2, "needs_input"), (2, "answer"), (3, "ended")]


async def test_waiting_for_an_answer_is_no_work(house: House) -> None:
    """Its seconds stand still."""
    house.plan(HELP, DONE)
    agent = await house.start()
    await house.until_state(agent.id, "needs_input")
    house.clock.turn(100)
    await house.agents.steer(agent.id, "answer", "North")
    assert (await house.ended(agent.id)).usage.seconds == 0


# --- wrong uses -------------------------------------------------------------------


@pytest.mark.parametrize("command", ["pause", "resume", "message", "answer"])
async def test_an_ended_agent_is_not_steered(house: House, command: Command) -> None:
    """The error says how it ended and what to call."""
    record = await house.whole(DONE)
    with pytest.raises(AgentEnded, match="is completed") as refused:
        await house.agents.steer(record.id, command, "text")
    assert refused.value.next_call.startswith(f'notte_status(id="{record.id}")')
    assert await house.log(record) == [(0, "started"), (2, "ended")]


@pytest.mark.parametrize("command", ["pause", "resume", "message", "answer"])
async def test_an_agent_that_is_ending_is_not_steered(house: House, command: Command) -> None:
    """Nothing is written behind its end."""
    agent = await house.acting()
    async with anyio.create_task_group() as group:
        group.start_soon(house.agents.stop, agent.id)
        await house.until_state(agent.id, "stopping")
        with pytest.raises(AgentEnded, match="stopping"):
            await house.agents.steer(agent.id, command, "text")
        house.gate.set()
    assert (await house.log(agent))[-1][1] == "ended"


async def test_an_agent_whose_end_is_being_written_is_not_steered(house: House) -> None:
    """It has completed, though the disk does not say so yet."""
    put, writing, gate = house.store.put_agent, anyio.Event(), anyio.Event()

    async def put_agent(record: AgentRecord, event: object = None) -> None:
        if getattr(event, "event", "") == "ended":
            writing.set()
            await gate.wait()
        await put(record, event)  # type: ignore[arg-type]

    house.store.put_agent = put_agent  # type: ignore[method-assign]
    house.plan(DONE)
    agent = await house.start()
    await writing.wait()
    assert (await house.agents.record(agent.id)).state == "stopping"
    with pytest.raises(AgentEnded):
        await house.agents.steer(agent.id, "message", "Wait!")
    gate.set()
    await house.ended(agent.id)
    assert (await house.log(agent))[-1][1] == "ended"


async def test_an_answer_to_nothing_is_refused(house: House) -> None:
    """A message is what was meant."""
    agent = await house.asking(DONE)
    with pytest.raises(InvalidArgument, match="asked nothing") as refused:
        await house.agents.steer(agent.id, "answer", "North")
    assert 'command="message"' in refused.value.next_call


@pytest.mark.parametrize("command", ["message", "answer"])
@pytest.mark.parametrize("text", [None, "", "  "])
async def test_a_message_and_an_answer_need_a_text(house: House, command: Command, text: str | None) -> None:
    """An empty one says nothing."""
    agent = await house.asking(DONE)
    with pytest.raises(InvalidArgument, match="needs `text`"):
        await house.agents.steer(agent.id, command, text)


async def test_there_is_nothing_to_pause_in_an_agent_that_its_caller_drives(house: House) -> None:
    """It does nothing between the calls."""
    agent = await house.lead()
    with pytest.raises(InvalidArgument, match="driven by you"):
        await house.agents.steer(agent.id, "pause")


async def test_nobody_is_steered_by_an_id_that_nobody_has(house: House) -> None:
    """The error names the call that lists the agents."""
    with pytest.raises(UnknownAgent, match="notte_status"):
        await house.agents.steer(NOBODY, "pause")


async def test_an_agent_of_another_server_is_left_to_it(street: Street) -> None:
    """It can be read here, and nothing else."""
    async with street.house() as first, street.house("own_2") as second:
        agent = await first.asking(DONE)
        assert (await second.agents.record(agent.id)).state == "running"
        for act in (second.agents.steer(agent.id, "pause"), second.agents.stop(agent.id)):
            with pytest.raises(AgentEnded, match="another server"):
                await act
        assert [one.id for one in await second.agents.agents()] == [agent.id]


# --- the first page ---------------------------------------------------------------


async def test_a_pause_before_the_first_page_holds_it_back(house: House) -> None:
    """It is loaded after the resume."""
    house.plan(DONE)
    house.office.engine.gate = anyio.Event()
    house.office.engine.gate.set()
    agent = await house.agents.start(AgentSpec("Send it.", "model", SessionSpec(), url=SLOW))
    await house.agents.steer(agent.id, "pause")
    await house.agents.steer(agent.id, "message", "Take your time.")
    await anyio.wait_all_tasks_blocked()
    assert house.performed(agent) == []
    await house.agents.steer(agent.id, "resume")
    record = await house.ended(agent.id)
    assert (record.state, record.step_count) == ("completed", 2)
    assert house.performed(agent) == ["goto"]
    assert "Take your time." in house.asked(0)


async def test_a_turn_is_told_by_its_own_steps_numbers(house: House) -> None:
    """Whatever the caller did in between."""

    def answer(request: ChatRequest) -> object:
        del request
        return SLOWLY if len(house.model.requests) == 1 else DONE

    house.play(answer)
    agent = await house.start(url=SLOW)
    house.gate.set()
    await house.ended(agent.id)
    steps: list[StepRecord] = await house.agents.steps(agent.id)
    assert [step.agent_step for step in steps] == [1, 2, 3, 4]
    assert '2 click B1 "Take your time"' in house.asked(1)
