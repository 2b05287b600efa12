"""What is typed into a password field is nowhere else: no log, no record, no question to a model, no answer.

(P9.) The task is told as its person wrote it, and a model's own answer is where a secret comes
from: everything after that goes without it.
"""

import pytest

from notte_mcp import actions as a
from notte_mcp.agent_records import AgentRecord
from notte_mcp.models.base import ChatRequest
from tests.agents.conftest import DONE, FILL, FORM, HELP, House, Street, shown

pytestmark = pytest.mark.anyio

SECRET = "correct horse 42"
SHORT = "q7z"
SCHEMA = {"type": "object", "properties": {"code": {"type": "string"}}, "required": ["code"]}


def typed(value: str) -> dict[str, object]:
    return {
        "thought": f"I type {value} into the field.",
        "actions": [{"type": "fill", "id": "{{password 'Access code'}}", "value": value}],
    }


async def everything(house: House, agent: AgentRecord) -> str:
    """All that anybody can read of the agent, in one text; and every byte on disk."""
    record = await house.agents.record(agent.id)
    read = [record, await house.agents.steps(agent.id), await house.agents.events(agent.id)]
    read += [await house.agents.agents(), await house.office.registry.steps(record.session_id)]
    return repr(read) + house.office.database().decode(errors="replace")


def asked_after(house: House, turn: int) -> str:
    """All that the model was shown from this question on, but for the task itself."""
    rest = [shown(_without_task(request)) for request in house.model.requests[turn:]]
    assert rest
    return "\n".join(rest)


def _without_task(request: ChatRequest) -> ChatRequest:
    return ChatRequest(request.system, request.messages[1:])


async def test_what_a_model_typed_is_known_by_its_name_only(house: House) -> None:
    """In its thought too, and in whatever it says later."""
    later = {"thought": f"{SECRET} was right.", "actions": FILL["actions"]}
    done = {"actions": [{"type": "completion", "success": True, "answer": f"The code is {SECRET}."}]}
    record = await house.whole(typed(SECRET), later, done)
    assert record.answer == "The code is [secret SECRET_ACCESS_CODE]."
    assert SECRET not in await everything(house, record)
    assert SECRET not in asked_after(house, 1)
    assert "[secret SECRET_ACCESS_CODE]" in asked_after(house, 1)
    assert house.browser(record)._here.elements[3].value == SECRET


async def test_a_turn_that_is_refused_whole_tells_nothing_of_what_it_would_have_typed(house: House) -> None:
    """Nobody has looked at its fields."""
    turn = {"thought": f"I type {SECRET}.", "actions": [{"type": "fill", "id": "I99", "value": SECRET}]}
    record = await house.whole(turn, DONE)
    assert await house.texts(record, "thought") == ["I type ...."]


async def test_a_short_secret_is_not_shown_as_an_action_of_its_own(house: House) -> None:
    """Too short to be looked for in every text, it is withheld where it was typed."""
    turn = {"actions": [{"type": "fill", "id": "{{password 'Access code'}}", "value": SHORT}]}
    record = await house.whole(turn, DONE)
    assert SHORT not in asked_after(house, 1)
    assert SHORT not in repr(await house.agents.steps(record.id))


async def test_a_result_is_without_secrets(house: House) -> None:
    """As its text is."""
    done = {"actions": [{"type": "completion", "success": True, "answer": {"code": SECRET}}]}
    record = await house.whole(typed(SECRET), done, response_schema=SCHEMA)
    assert (record.state, record.result) == ("completed", {"code": "[secret SECRET_ACCESS_CODE]"})
    assert SECRET not in await everything(house, record)


async def test_a_question_and_a_complaint_are_without_secrets(house: House) -> None:
    """What is asked of a person, and what could not be read."""
    asks = {"actions": [{"type": "help", "value": f"Is {SECRET} right?"}]}
    house.plan(typed(SECRET), f'{{"actions": [{{"type": "{SECRET}"}}]}}', asks, DONE)
    agent = await house.start()
    record = await house.until_state(agent.id, "needs_input")
    assert record.question == "Is [secret SECRET_ACCESS_CODE] right?"
    await house.agents.steer(agent.id, "answer", f"Yes, {SECRET} it is.")
    await house.ended(agent.id)
    assert SECRET not in await everything(house, agent)
    assert SECRET not in asked_after(house, 1)


async def test_what_its_caller_typed_is_never_shown_to_the_model(house: House) -> None:
    """A person logs in while the agent is paused."""
    agent = await house.asking(FILL, FILL, DONE)
    await house.agents.steer(agent.id, "pause")
    await house.act(agent, a.Fill(selector="#code", value=SECRET))
    house.plan_goes_on()
    await house.agents.steer(agent.id, "resume")
    await house.ended(agent.id)
    assert SECRET not in await everything(house, agent)
    assert SECRET not in "\n".join(shown(request) for request in house.model.requests)
    assert "the caller did: fill" in house.asked(1)


async def test_what_was_typed_by_an_agents_own_caller_is_nowhere(house: House) -> None:
    """Neither in its steps nor in its answer."""
    agent = await house.lead()
    await house.act(agent, a.Fill(selector="#code", value=SECRET))
    await house.act(agent, a.Help(value=f"Is {SECRET} right?"))
    await house.until_state(agent.id, "needs_input")
    await house.act(agent, a.Completion(success=True, answer=f"I typed {SECRET}."))
    record = await house.agents.steer(agent.id, "answer", SECRET)
    del record
    ended = await house.ended(agent.id)
    assert ended.answer == "I typed [secret SECRET_ACCESS_CODE]."
    assert SECRET not in await everything(house, agent)


async def test_a_secret_stays_one_after_a_restart(street: Street) -> None:
    """The new server knows it by its name; the model reads that."""
    async with street.house("own_1") as house:
        house.plan(typed(SECRET), HELP)
        agent = await house.start()
        await house.until_state(agent.id, "needs_input")
    async with street.house("own_2") as house:
        house.plan(DONE)
        await house.office.registry.restore(agent.session_id)
        await house.agents.steer(agent.id, "resume")
        record = await house.ended(agent.id)
        assert record.state == "completed"
        assert SECRET not in await everything(house, record)
        assert SECRET not in "\n".join(shown(request) for request in house.model.requests)
        assert "ACCESS_CODE" in house.asked(0)


async def test_a_secret_that_may_have_been_typed_is_withheld_too(house: House) -> None:
    """A form's field, by its name."""
    form = {"actions": [{"type": "form_fill", "value": {"password": SECRET, "full_name": "Ada"}}]}
    record = await house.whole(form, DONE, url=FORM)
    assert record.state == "completed"
    assert SECRET not in asked_after(house, 1)
    assert SECRET not in await everything(house, record)


async def test_the_task_is_told_as_it_was_written(house: House) -> None:
    """Its person put the secret there for the model: it could not log in again without."""
    record = await house.whole(typed(SECRET), DONE, task=f"Log in with {SECRET}.")
    assert record.state == "completed"
    assert all(SECRET in request.messages[0].text for request in house.model.requests)
    assert SECRET not in asked_after(house, 1)
