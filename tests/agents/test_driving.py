"""How an agent goes about its task: driven by a model, or by whoever calls."""

import anyio
import pytest

from notte_mcp import actions as a
from notte_mcp.agent_records import Usage
from notte_mcp.errors import (
    InvalidArgument,
    LimitReached,
    ModelMissing,
    NeedsCloud,
    SessionBusy,
    UnsupportedUrl,
)
from notte_mcp.models.base import ChatReply, ChatRequest
from notte_mcp.registry import Batch
from tests.agents.conftest import BASE, DONE, FAIL, FILL, FORM, HELP, RESULT, SEND, SLOW, House, Street, run, until

pytestmark = pytest.mark.anyio

SCHEMA = {"type": "object", "properties": {"number": {"type": "integer"}}, "required": ["number"]}


def completion(answer: object) -> dict[str, object]:
    return {"actions": [{"type": "completion", "success": True, "answer": answer}]}


# --- by a model -------------------------------------------------------------------


async def test_a_model_does_the_task_step_by_step(house: House) -> None:
    """The url is the first step, each action one more; the answer and the state say how it ended."""
    record = await house.whole(FILL, SEND, DONE)
    assert (record.state, record.reason, record.success, record.answer) == ("completed", "", True, "It is sent.")
    assert (record.step_count, record.attempt, record.result) == (4, 1, None)
    assert await house.steps(record) == [
        (1, "model", "goto", "done"),
        (2, "model", "fill", "done"),
        (3, "model", "click", "done"),
        (4, "model", "completion", "done"),
    ]
    assert house.performed(record) == ["goto", "fill", "click"]


async def test_steps_are_the_sessions_steps_with_the_agents_own_numbers(house: House) -> None:
    """A session that was used before counts on; the agent begins at 1."""
    session_id = await house.office.open(FORM)
    house.plan(FILL, DONE)
    record = await house.ended((await house.start(session_id=session_id, url=None)).id)
    steps = await house.agents.steps(record.id)
    assert [(s.session_id, s.number, s.agent_step, s.agent_id) for s in steps] == [
        (session_id, 2, 1, record.id),
        (session_id, 3, 2, record.id),
    ]
    assert [s.agent_id for s in await house.office.registry.steps(session_id)] == [None, record.id, record.id]


async def test_the_log_holds_thoughts_and_ends_between_the_steps(house: House) -> None:
    """In order, each after the step that it stands behind."""
    record = await house.whole(FILL, SEND, DONE)
    assert await house.log(record) == [(0, "started"), (1, "thought"), (2, "thought"), (4, "ended")]
    assert await house.texts(record, "thought") == ["First the name.", "I send it."]
    assert await house.texts(record, "started") == ["Send the form."]
    assert await house.texts(record, "ended") == ["completed: It is sent."]


async def test_what_every_answer_used_is_summed(house: House) -> None:
    """Tokens, money and calls of all of them; seconds by the clock."""
    used = Usage(model_calls=1, input_tokens=100, cached_tokens=40, output_tokens=10, usd=0.25)

    def answer(_: object) -> ChatReply:
        house.clock.turn(2)
        kind = "wait" if len(house.model.requests) < 3 else "completion"
        more = '"time_ms":0' if kind == "wait" else '"success":true,"answer":"ok"'
        return ChatReply(f'{{"actions":[{{"type":"{kind}",{more}}}]}}', used)

    house.play(answer)
    record = await house.ended((await house.start()).id)
    assert record.state == "completed"
    assert record.usage == Usage(3, 300, 120, 30, 0.75, 6.0)


async def test_an_answer_that_fits_its_schema_is_given_as_a_value_too(house: House) -> None:
    """Beside the text that the model wrote."""
    record = await house.whole(completion({"number": 4711}), response_schema=SCHEMA)
    assert (record.state, record.answer, record.result) == ("completed", '{"number": 4711}', {"number": 4711})


async def test_an_answer_that_does_not_fit_is_refused_and_mended(house: House) -> None:
    """The model is told why, and the refused completion is a failed step, not an end."""
    record = await house.whole(completion("about 4711"), completion({"number": 4711}), response_schema=SCHEMA)
    assert (record.state, record.result) == ("completed", {"number": 4711})
    assert "no JSON" in house.asked(1)
    assert (await house.steps(record))[1:] == [(2, "model", "completion", "failed"), (3, "model", "completion", "done")]


async def test_a_page_that_does_not_load_is_told_to_the_model(house: House) -> None:
    """The failed load is a step; the model decides what to do then."""
    record = await house.whole(DONE, url=f"{BASE}/nowhere")
    assert record.state == "completed"
    assert "does not answer" in house.asked(0)
    assert (await house.steps(record))[0] == (1, "model", "goto", "failed")


async def test_an_address_that_no_page_has_is_told_to_the_model(house: House) -> None:
    """It was no step, since nothing was tried."""
    record = await house.whole(DONE, url="file:///etc/passwd")
    assert record.state == "completed"
    assert "file:///etc/passwd was not opened" in house.asked(0)
    assert [step[2] for step in await house.steps(record)] == ["completion"]


async def test_an_id_that_was_never_shown_is_refused_and_told(house: House) -> None:
    """Nothing is done with it, and the model reads why."""
    record = await house.whole({"actions": [{"type": "click", "id": "B99"}]}, DONE)
    assert record.state == "completed"
    assert "B99" in house.asked(1)
    assert house.performed(record) == ["goto"]


async def test_a_failed_action_ends_its_turn_and_is_told(house: House) -> None:
    """What stood behind it was not begun."""
    turn = {"actions": [*FAIL["actions"], *SEND["actions"]]}
    record = await house.whole(turn, SEND, DONE)
    assert [step[2:] for step in await house.steps(record)] == [
        ("goto", "done"), ("click", "failed"), ("click", "done"), ("completion", "done"),
    ]  # fmt: skip
    assert "#nowhere" in house.asked(1)
    assert "1 of 2 actions not run" in house.asked(1)


async def test_an_agent_of_a_fallback_says_so_in_its_steps(house: House) -> None:
    """And its model reads what came before."""
    record = await house.whole(FILL, DONE, is_fallback=True, guidance="Step 1 failed: it is covered.")
    assert {step[1] for step in await house.steps(record)} == {"fallback"}
    assert "it is covered" in house.asked(0)


async def test_two_agents_at_once_do_not_mix(house: House) -> None:
    """Each has its session, its numbers, its log and its history."""

    def answer(request: ChatRequest) -> object:
        text = request.messages[0].text
        number = next(word for word in ("First", "Second") if word in text)
        turns = sum(number in r.messages[0].text for r in house.model.requests)
        fill = {"type": "fill", "id": "{{textbox 'Applicant'}}", "value": number}
        return {"thought": number, "actions": [fill]} if turns == 1 else completion(number)

    house.play(answer)
    agents = [await house.start(f"{name} task") for name in ("First", "Second")]
    for agent, name in zip(agents, ("First", "Second"), strict=True):
        record = await house.ended(agent.id)
        assert (record.answer, record.step_count) == (name, 3)
        assert await house.texts(record, "thought") == [name]
        fill = (await house.agents.steps(record.id))[1]
        assert fill.action["value"] == name
        other = "Second" if name == "First" else "First"
        assert not any(other in str(r) for r in house.model.requests if f"{name} task" in r.messages[0].text)
    assert agents[0].session_id != agents[1].session_id


# --- by its caller ----------------------------------------------------------------


async def test_what_its_caller_does_are_the_agents_steps(house: House) -> None:
    """The first page is there when the start returns; a completion ends it, and the session stays."""
    agent = await house.lead()
    assert (agent.state, agent.step_count, agent.spec.driver) == ("running", 1, "assistant")
    await house.act(agent, a.Fill(selector="#applicant", value="Ada"), a.Click(selector="#send"))
    await house.act(agent, a.Completion(success=True, answer="It is sent."))
    record = await house.ended(agent.id)
    assert (record.state, record.success, record.answer, record.step_count) == ("completed", True, "It is sent.", 4)
    assert {step[1] for step in await house.steps(record)} == {"assistant"}
    assert (await house.office.registry.record(agent.session_id)).state == "ready"
    assert house.model.requests == []


async def test_nothing_is_begun_after_a_completion(house: House) -> None:
    """Whatever stands behind it in the batch."""
    agent = await house.lead()
    done = await house.act(agent, a.Completion(success=True, answer="ok"), a.Click(selector="#send"))
    assert (len(done.receipts), done.stopped) == (1, "the agent has completed its task")
    await house.ended(agent.id)
    assert house.performed(agent) == ["goto"]


async def test_a_caller_who_gives_up_ends_it_as_failed(house: House) -> None:
    """With the answer as the reason."""
    agent = await house.lead()
    await house.act(agent, a.Completion(success=False, answer="No such form."))
    record = await house.ended(agent.id)
    assert (record.state, record.reason, record.success, record.answer) == ("failed", "gave_up", False, "No such form.")


async def test_a_callers_answer_is_held_to_the_schema(house: House) -> None:
    """The refusal says what is wrong; the agent goes on."""
    agent = await house.lead(response_schema=SCHEMA)
    refused = await house.act(agent, a.Completion(success=True, answer="4711"))
    assert (refused.receipts[0].success, refused.receipts[0].code) == (False, "refused")
    assert (await house.agents.record(agent.id)).state == "running"
    await house.act(agent, a.Completion(success=True, answer='{"number": 4711}'))
    assert (await house.ended(agent.id)).result == {"number": 4711}


async def test_the_step_that_would_exceed_max_steps_is_not_taken(house: House) -> None:
    """The first page counts, a completion would not; the session stays."""
    agent = await house.lead(max_steps=2)
    done = await house.act(agent, a.Fill(selector="#applicant", value="Ada"), a.Click(selector="#send"))
    assert (len(done.receipts), done.stopped) == (1, "max_steps (2) is reached")
    record = await house.ended(agent.id)
    assert (record.state, record.reason, record.success, record.step_count) == ("stopped", "max_steps", False, 2)
    assert house.performed(agent) == ["goto", "fill"]
    done = await house.act(agent, a.Click(selector="#send"))
    assert done.receipts[0].success
    assert (await house.office.registry.steps(agent.session_id))[-1].agent_id is None


async def test_a_completion_needs_no_step(house: House) -> None:
    """With none left the task can still be completed."""
    agent = await house.lead(max_steps=1)
    await house.act(agent, a.Completion(success=True, answer="ok"))
    assert (await house.ended(agent.id)).state == "completed"


async def test_a_caller_may_need_its_person(house: House) -> None:
    """`help` asks, an answer goes on, and limits hold meanwhile."""
    agent = await house.lead(max_steps=1)
    await house.act(agent, a.Help(value="Which district?"))
    record = await house.until_state(agent.id, "needs_input")
    assert record.question == "Which district?"
    steered = await house.agents.steer(agent.id, "answer", "North")
    assert (steered.record.state, steered.record.question, steered.accepted) == ("running", None, True)
    await house.act(agent, a.Help(value="Which one?"))
    await house.until_state(agent.id, "needs_input")
    done = await house.act(agent, a.Click(selector="#send"))
    assert done.receipts == ()
    assert (await house.ended(agent.id)).reason == "max_steps"


async def test_retries_are_for_agents_of_a_model(house: House) -> None:
    """The refusal names the call to make, and no session was opened."""
    with pytest.raises(InvalidArgument, match="retries"):
        await house.lead(retries=1)
    assert await house.office.registry.sessions() == []
    assert await house.agents.agents() == []


async def test_a_first_page_that_does_not_load_is_a_failed_step(house: House) -> None:
    """The caller goes on from there."""
    agent = await house.lead(url=f"{BASE}/nowhere")
    assert agent.state == "running"
    assert await house.steps(agent) == [(1, "assistant", "goto", "failed")]


async def test_a_first_address_that_no_page_has_leaves_nothing_live(house: House) -> None:
    """Neither an agent nor its session."""
    with pytest.raises(UnsupportedUrl):
        await house.lead(url="file:///etc/passwd")
    assert [(one.state, one.reason) for one in await house.agents.agents()] == [("failed", "unsupported_url")]
    assert [one.state for one in await house.office.registry.sessions()] == ["stopped"]


async def test_a_schema_that_is_none_is_refused_before_anything_is_opened(house: House) -> None:
    """Neither a session nor an agent comes of it."""
    with pytest.raises(InvalidArgument, match="no JSON Schema"):
        await house.start(response_schema={"type": "nothing"})
    assert (await house.office.registry.sessions(), await house.agents.agents()) == ([], [])


# --- one session, one agent --------------------------------------------------------


async def test_a_second_agent_on_a_session_is_refused_with_the_first_ones_name(house: House) -> None:
    """After its end the session can be used again."""
    first = await house.asking(DONE)
    with pytest.raises(SessionBusy, match=first.id):
        await house.start(session_id=first.session_id)
    assert len(await house.agents.agents()) == 1
    assert house.model.gate is not None
    house.model.gate.set()
    await house.ended(first.id)
    house.plan(SEND, DONE)
    second = await house.ended((await house.start(session_id=first.session_id, url=None)).id)
    assert (second.state, second.session_id) == ("completed", first.session_id)
    assert house.browser(second).position.url == RESULT


async def test_more_agents_than_the_limit_are_refused(street: Street) -> None:
    """Those that are just being started count."""
    async with street.house(limit=2) as house:
        refused: list[str] = []

        async def start() -> None:
            try:
                await house.start()
            except LimitReached as error:
                refused.append(str(error))

        house.plan(HELP, HELP)
        async with anyio.create_task_group() as group:
            for _ in range(4):
                group.start_soon(start)
        assert len(refused) == 2
        assert "at most 2 agents" in refused[0]


async def test_a_callers_batch_that_was_under_way_stays_the_callers(house: House) -> None:
    """An agent that gets the session meanwhile neither counts nor stops it."""
    session_id = await house.office.open(SLOW)
    shown = await house.office.look(session_id)
    outcome: list[Batch] = []

    async def act() -> None:
        fill = a.Fill(id=shown["Applicant"], value="Ada")
        outcome.append(await run(house.office, session_id, a.Click(id=shown["Take your time"]), fill))

    house.plan(DONE)
    async with anyio.create_task_group() as group:
        group.start_soon(act)
        await until(lambda: house.gate.statistics().tasks_waiting > 0)
        await house.start(session_id=session_id, url=None)
        house.gate.set()
    (agent,) = await house.agents.agents()
    await house.ended(agent.id)
    assert [receipt.success for receipt in outcome[0].receipts] == [True, True]
    assert await house.steps(agent) == [(1, "model", "completion", "done")]
    assert [s.agent_id for s in await house.office.registry.steps(session_id)] == [None, None, None, agent.id]


# --- who drives --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "configured", "model", "driver"),
    [
        ("auto", "scripted", None, "model"),
        ("auto", None, None, "assistant"),
        ("auto", None, "scripted:plan", "model"),
        ("assistant", "scripted", None, "assistant"),
        ("model", "scripted", None, "model"),
        ("model", None, "scripted:plan", "model"),
    ],
)
async def test_the_driver_is_who_was_meant(
    house: House, asked: str, configured: str | None, model: str | None, driver: str
) -> None:
    """A configured model where there is one, else the caller; what is said goes before both."""
    house.models.default = configured
    assert house.agents.choose_driver(asked, engine="local", model=model) == driver


async def test_a_model_that_is_nowhere_is_told_with_the_call_that_works(house: House) -> None:
    """Without one, or by naming one."""
    house.models.default = None
    with pytest.raises(ModelMissing, match="none is configured") as refused:
        house.agents.choose_driver("model", engine="local", model=None)
    assert 'driver="assistant"' in refused.value.next_call


async def test_in_a_cloud_session_the_clouds_agent_is_meant_where_no_model_is_named(house: House) -> None:
    """Elsewhere it cannot act, which the refusal says."""
    drivers = [house.agents.choose_driver(asked, engine="notte", model=None) for asked in ("auto", "notte", "model")]
    assert drivers == ["notte", "notte", "model"]
    assert house.agents.choose_driver("auto", engine="notte", model="scripted:plan") == "model"
    with pytest.raises(NeedsCloud, match="this session is none") as refused:
        house.agents.choose_driver("notte", engine="local", model=None)
    assert '"engine": "notte"' in refused.value.next_call


async def test_the_model_that_drives_is_on_record(house: House) -> None:
    """Also where it is the configured one, so that a restart goes on with the same."""
    record = await house.whole(DONE)
    assert record.spec.model == "scripted"
    assert (await house.lead(session_id=record.session_id, url=None)).spec.model is None
