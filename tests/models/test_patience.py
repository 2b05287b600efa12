"""Asking again: how often, after how long, and that it is told."""

import logging
from collections.abc import Iterator

import anyio
import pytest
import stamina

from notte_mcp.errors import ModelRefused, ModelUnavailable
from notte_mcp.models.base import ChatRequest, Message
from notte_mcp.models.patience import AT_ONCE, MAX_ASKS, Waits, ask_patiently
from notte_mcp.models.plans import Plan
from notte_mcp.models.scripted import ScriptedModel

pytestmark = pytest.mark.anyio

REQUEST = ChatRequest("s", (Message("user", "u"),))
DOWN = ModelUnavailable("It is down.")


@pytest.fixture
def no_waiting() -> Iterator[None]:
    """Waits are reckoned as in earnest, and not waited for."""
    with stamina.set_testing(True, attempts=100, cap=True):
        yield


async def test_a_model_that_answers_is_asked_once_and_nothing_is_told() -> None:
    """The usual case."""
    model, told = ScriptedModel(["hello"]), list[str]()
    assert (await ask_patiently(model, REQUEST, timeout_s=1, on_retry=told.append)).text == "hello"
    assert (len(model.requests), told) == (1, [])


@pytest.mark.usefixtures("no_waiting")
async def test_a_model_that_is_down_is_asked_four_times_with_growing_waits() -> None:
    """1, 2, 4 s: each is told before it begins, and the last failure is what comes out."""
    model, told = ScriptedModel(Plan((DOWN,), repeat_last=True)), list[str]()
    with pytest.raises(ModelUnavailable, match="It is down"):
        await ask_patiently(model, REQUEST, timeout_s=1, on_retry=told.append)
    assert len(model.requests) == MAX_ASKS == 4
    assert told == [
        "It is down. Asked again in 1 s (2 of 4).",
        "It is down. Asked again in 2 s (3 of 4).",
        "It is down. Asked again in 4 s (4 of 4).",
    ]


@pytest.mark.usefixtures("no_waiting")
async def test_a_provider_that_names_a_wait_gets_it_up_to_a_bound() -> None:
    """Retry-After; ten minutes are not waited out."""
    model = ScriptedModel([ModelUnavailable("a.", retry_after_s=7), ModelUnavailable("b.", retry_after_s=600), "ok"])
    told: list[str] = []
    assert (await ask_patiently(model, REQUEST, timeout_s=1, on_retry=told.append)).text == "ok"
    assert told == ["a. Asked again in 7 s (2 of 4).", "b. Asked again in 30 s (3 of 4)."]


@pytest.mark.parametrize(("said", "wait"), [(None, 2), (0.0, 0), (-5.0, 0), (0.25, 0.25), (31.0, 30)])
def test_waits_are_within_their_bounds(said: float | None, wait: float) -> None:
    """The second one, by what the provider said."""
    assert Waits().after(2, ModelUnavailable("x", retry_after_s=said)) == wait


async def test_waits_are_waited() -> None:
    """In earnest, if briefly."""
    model = ScriptedModel([DOWN, "ok"])
    began = anyio.current_time()
    await ask_patiently(model, REQUEST, timeout_s=1, on_retry=lambda _text: None, waits=Waits(steps=(0.15,)))
    assert anyio.current_time() - began >= 0.15


async def test_a_refusal_is_not_asked_again() -> None:
    """It would change nothing."""
    model, told = ScriptedModel([ModelRefused("no")]), list[str]()
    with pytest.raises(ModelRefused):
        await ask_patiently(model, REQUEST, timeout_s=1, on_retry=told.append, waits=AT_ONCE)
    assert (len(model.requests), told) == (1, [])


async def test_a_mistake_of_our_own_is_not_asked_again_either() -> None:
    """Only what may pass is repeated."""
    model = ScriptedModel([ZeroDivisionError()])
    with pytest.raises(ZeroDivisionError):
        await ask_patiently(model, REQUEST, timeout_s=1, on_retry=lambda _text: None, waits=AT_ONCE)
    assert len(model.requests) == 1


async def test_who_is_told_may_take_its_time() -> None:
    """An agent writes it to disk."""
    told: list[str] = []

    async def write(text: str) -> None:
        await anyio.lowlevel.checkpoint()
        told.append(text)

    await ask_patiently(ScriptedModel([DOWN, "ok"]), REQUEST, timeout_s=1, on_retry=write, waits=AT_ONCE)
    assert len(told) == 1


async def test_cancelling_ends_a_wait() -> None:
    """A stopped agent does not wait for a rate limit to pass."""
    waiting = anyio.Event()
    model = ScriptedModel(Plan((ModelUnavailable("x", retry_after_s=30),), repeat_last=True))
    with anyio.fail_after(5):
        async with anyio.create_task_group() as group:

            async def ask() -> None:
                await ask_patiently(model, REQUEST, timeout_s=1, on_retry=lambda _text: waiting.set())

            group.start_soon(ask)
            await waiting.wait()
            group.cancel_scope.cancel()
    assert len(model.requests) == 1


async def test_retries_leave_no_line_on_any_stream(
    capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """The protocol owns stdout; who asks says what is worth saying."""
    with caplog.at_level(logging.DEBUG):
        await ask_patiently(
            ScriptedModel([DOWN, DOWN, "ok"]), REQUEST, timeout_s=1, on_retry=lambda _t: None, waits=AT_ONCE
        )
    assert (*capfd.readouterr(), caplog.text) == ("", "", "")
