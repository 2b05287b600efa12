"""The scripted model beyond the contract: plans, functions, gates, and what it keeps."""

import json
from pathlib import Path

import anyio
import pytest

from notte_mcp.agent_records import Usage
from notte_mcp.errors import ModelRefused, ModelUnavailable
from notte_mcp.models.access import Access
from notte_mcp.models.base import ChatReply, ChatRequest, Message
from notte_mcp.models.named import model_named
from notte_mcp.models.plans import Plan
from notte_mcp.models.scripted import ScriptedModel

pytestmark = pytest.mark.anyio

REQUEST = ChatRequest("You drive a browser.", (Message("user", 'B4 button "Send request"'),))


async def test_a_plan_is_answered_in_order_and_every_request_is_kept() -> None:
    """What a test of the loop looks at."""
    model = ScriptedModel(["one", {"actions": [{"type": "click", "id": '{{button "Send request"}}'}]}])
    first = await model.ask(REQUEST, timeout_s=1)
    second = await model.ask(REQUEST, timeout_s=1)
    assert first.text == "one"
    assert json.loads(second.text) == {"actions": [{"type": "click", "id": "B4"}]}
    assert model.requests == [REQUEST, REQUEST]


async def test_a_plan_that_is_over_says_so() -> None:
    """Asking again would change nothing."""
    model = ScriptedModel(["one"])
    await model.ask(REQUEST, timeout_s=1)
    with pytest.raises(ModelRefused, match="has 1 answers, and was asked for number 2"):
        await model.ask(REQUEST, timeout_s=1)


async def test_the_last_answer_may_be_given_for_ever() -> None:
    """For what must end by itself: limits, and the same action again and again."""
    model = ScriptedModel(Plan(("one", "two"), repeat_last=True))
    assert [(await model.ask(REQUEST, timeout_s=1)).text for _ in range(4)] == ["one", "two", "two", "two"]


async def test_a_function_answers_from_the_request_whether_it_waits_or_not() -> None:
    """Both kinds of function, in any form that a plan may hold."""

    async def later(request: ChatRequest) -> object:
        await anyio.lowlevel.checkpoint()
        return {"said": request.messages[0].text}

    assert (await ScriptedModel(lambda asked: asked.system).ask(REQUEST, timeout_s=1)).text == REQUEST.system
    assert json.loads((await ScriptedModel(later).ask(REQUEST, timeout_s=1)).text) == {"said": REQUEST.messages[0].text}


async def test_an_error_in_the_plan_is_raised_and_the_plan_goes_on() -> None:
    """A provider that is down for one turn."""
    model = ScriptedModel([ModelUnavailable("down", retry_after_s=3), "up"])
    with pytest.raises(ModelUnavailable, match="down"):
        await model.ask(REQUEST, timeout_s=1)
    assert (await model.ask(REQUEST, timeout_s=1)).text == "up"


async def test_a_whole_reply_is_given_as_it_is_and_a_price_is_told() -> None:
    """For tests of budgets."""
    reply = ChatReply("x", Usage(model_calls=1, input_tokens=9_000, usd=0.5))
    assert await ScriptedModel([reply]).ask(REQUEST, timeout_s=1) is reply
    assert (await ScriptedModel(["x"], usd=0.25).ask(REQUEST, timeout_s=1)).usage.usd == 0.25
    assert (await ScriptedModel(["x"], usd=None).ask(REQUEST, timeout_s=1)).usage.usd is None


async def test_a_gate_holds_the_answer_until_it_is_set() -> None:
    """The test decides when the model is done thinking."""
    gate, replies = anyio.Event(), list[str]()
    model = ScriptedModel(["late"], gate=gate)

    async def ask() -> None:
        replies.append((await model.ask(REQUEST, timeout_s=5)).text)

    with anyio.fail_after(5):
        async with anyio.create_task_group() as group:
            group.start_soon(ask)
            await model.asked(1)
            assert replies == []
            gate.set()
    assert replies == ["late"]


async def test_longer_requests_cost_more_tokens() -> None:
    """Budgets can be tested with it."""
    long = ChatRequest(REQUEST.system, (*REQUEST.messages, Message("user", "soap " * 500, image=b"\xff")))
    model = ScriptedModel(Plan(("ok",), repeat_last=True))
    short_use, long_use = (await model.ask(REQUEST, timeout_s=1)).usage, (await model.ask(long, timeout_s=1)).usage
    assert long_use.input_tokens > short_use.input_tokens + 1_000


async def test_a_plans_file_is_a_model_by_name_that_starts_anew_each_time(tmp_path: Path) -> None:
    """`scripted:/path/to/plan.json`: two agents do not share one place in it."""
    file = tmp_path / "plan.json"
    file.write_text(json.dumps(["one", "two"]))
    first, second = (model_named(f"scripted:{file}", Access()) for _ in range(2))
    texts = [(await model.ask(REQUEST, timeout_s=1)).text for model in (first, second, first)]
    assert texts == ["one", "one", "two"]
    assert first.name == f"scripted:{file}"
