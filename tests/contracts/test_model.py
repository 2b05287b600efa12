"""The model's contract, held by the scripted one and by every provider's over real HTTP. Another is one more line."""

import json
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any

import anyio
import anyio.to_thread
import pytest

from notte_mcp.errors import ModelRefused, ModelUnavailable
from notte_mcp.models.base import ChatModel, ChatReply, ChatRequest, Message
from notte_mcp.models.scripted import ScriptedModel
from tests.models.grounds import ANSWER, GROUNDS, PATIENCE_S, REQUEST, model_at
from tests.models.server import RETRY_AFTER_S, ModelServer

pytestmark = pytest.mark.anyio

FREE_TEXT = ChatRequest("Be brief.", (Message("user", "Say hello."),))


class Bench:
    """A model, and the ways to make it answer."""

    def __init__(self, model: ChatModel, name: str) -> None:
        self.model = model
        self.name = name

    async def ask(self, request: ChatRequest = REQUEST, *, timeout_s: float = PATIENCE_S) -> ChatReply:
        with anyio.fail_after(30):
            return await self.model.ask(request, timeout_s=timeout_s)

    def answer(self, *answers: object) -> None:
        raise NotImplementedError

    def hold(self) -> None:
        """From now on no answer comes."""
        raise NotImplementedError

    def release(self, *answers: object) -> None:
        """Answers come again, these."""
        raise NotImplementedError

    def fail(self, status: int) -> None:
        """The next request fails as by this HTTP status."""
        raise NotImplementedError

    async def wait_asked(self, count: int) -> None:
        raise NotImplementedError


class ScriptedBench(Bench):
    """The model that ships with the package."""

    def __init__(self) -> None:
        self._answers: list[object] = []
        self.scripted = ScriptedModel(lambda _request: self._answers.pop(0))
        super().__init__(self.scripted, "scripted")

    def answer(self, *answers: object) -> None:
        self._answers = list(answers)

    def hold(self) -> None:
        self.scripted.gate = anyio.Event()

    def release(self, *answers: object) -> None:
        self.scripted.gate = None
        self.answer(*answers)

    def fail(self, status: int) -> None:
        late = ModelUnavailable("later", retry_after_s=RETRY_AFTER_S) if status == 429 else ModelUnavailable("down")
        self._answers = [late if status >= 429 else ModelRefused("no")]

    async def wait_asked(self, count: int) -> None:
        await self.scripted.asked(count)


class ServerBench(Bench):
    """A provider's, over HTTP."""

    def __init__(self, name: str, server: ModelServer) -> None:
        self._server = server
        super().__init__(model_at(server, name), name)

    def answer(self, *answers: object) -> None:
        self._server.answer(*answers)

    def hold(self) -> None:
        self._server.mode = "slow"

    def release(self, *answers: object) -> None:
        self._server.mode = "normal"
        self.answer(*answers)

    def fail(self, status: int) -> None:
        self._server.then(str(status))

    async def wait_asked(self, count: int) -> None:
        assert await anyio.to_thread.run_sync(lambda: self._server.wait_for(count, timeout_s=PATIENCE_S))


MODELS = ("scripted", *(ground.name for ground in GROUNDS))


@asynccontextmanager
async def benched(name: str) -> AsyncGenerator[Bench]:
    if name == "scripted":
        yield ScriptedBench()
        return
    with ModelServer() as server:
        bench = ServerBench(name, server)
        yield bench
        await bench.model.close()
        assert server.errors == []


@pytest.fixture(scope="module", params=MODELS)
async def bench(request: pytest.FixtureRequest) -> AsyncGenerator[Bench]:
    """One for all tests that ask and are answered: a vendor's client takes longer to make than to use."""
    async with benched(request.param) as bench:
        yield bench


@pytest.fixture(params=MODELS)
async def own(request: pytest.FixtureRequest) -> AsyncGenerator[Bench]:
    """One of its own: for what ends without an answer."""
    async with benched(request.param) as bench:
        yield bench


async def test_a_model_is_called_what_it_was_asked_for_by(bench: Bench) -> None:
    """models.base: it is what a record says of an agent."""
    assert bench.model.name == bench.name


async def test_free_text_comes_back_as_it_is(bench: Bench) -> None:
    """No schema: nothing is made of the text."""
    bench.answer("Hello, {you} — ünïcode")
    assert (await bench.ask(FREE_TEXT)).text == "Hello, {you} — ünïcode"


async def test_an_object_comes_back_as_one_json_text(bench: Bench) -> None:
    """By whatever way the provider gives structured answers."""
    bench.answer(ANSWER)
    assert json.loads((await bench.ask()).text) == ANSWER


@pytest.mark.parametrize("answer", [{"unexpected": [1]}, "I would rather talk.", "", '{"actions": ['])
async def test_an_answer_that_does_not_fit_is_still_a_reply(bench: Bench, answer: object) -> None:
    """The asker can have it repaired; nothing here judges it."""
    bench.answer(answer)
    text = (await bench.ask()).text
    assert (json.loads(text) if isinstance(answer, dict) else text) == answer


async def test_what_an_answer_used_is_told(bench: Bench) -> None:
    """One call, tokens in and out; cached ones are among those that went in."""
    bench.answer(ANSWER)
    usage = (await bench.ask()).usage
    assert usage.model_calls == 1
    assert 0 <= usage.cached_tokens <= usage.input_tokens
    assert usage.input_tokens > 0
    assert usage.output_tokens > 0


async def test_answers_follow_each_other_over_a_conversation_with_an_image(bench: Bench) -> None:
    """Messages of both sides, an empty one among them, and a JPEG."""
    bench.answer("one", "two")
    conversation = (*FREE_TEXT.messages, Message("assistant", "one"), Message("user", "", image=b"\xff\xd8\xff\xd9"))
    first = await bench.ask(FREE_TEXT)
    second = await bench.ask(ChatRequest(FREE_TEXT.system, conversation))
    assert (first.text, second.text) == ("one", "two")


async def test_an_answer_that_takes_too_long_is_unavailable(own: Bench) -> None:
    """Within `timeout_s`, and not at some client's own idea of it."""
    own.answer("warm")
    await own.ask(FREE_TEXT)
    own.hold()
    with pytest.raises(ModelUnavailable, match=r"within 0\.2 s"), anyio.fail_after(5):
        await own.ask(timeout_s=0.2)


async def test_cancelling_ends_the_question_and_the_model_can_be_asked_again(own: Bench) -> None:
    """A stopped agent waits for nobody."""
    own.answer("one", "two", "three")
    await own.ask(FREE_TEXT)
    own.hold()
    with anyio.fail_after(5):
        async with anyio.create_task_group() as group:
            group.start_soon(own.ask)
            await own.wait_asked(2)
            group.cancel_scope.cancel()
    own.release("again")
    assert (await own.ask(FREE_TEXT)).text == "again"


@pytest.mark.parametrize(
    ("status", "kind", "after"),
    [
        (400, ModelRefused, None),
        (401, ModelRefused, None),
        (403, ModelRefused, None),
        (404, ModelRefused, None),
        (429, ModelUnavailable, RETRY_AFTER_S),
        (500, ModelUnavailable, None),
        (503, ModelUnavailable, None),
    ],
)
async def test_what_may_pass_is_told_from_what_will_not(
    bench: Bench, status: int, kind: Callable[..., Any], after: float | None
) -> None:
    """models.base: refused for good, or unavailable now, with what the provider said of the wait."""
    bench.fail(status)
    with pytest.raises((ModelRefused, ModelUnavailable)) as caught:
        await bench.ask()
    assert type(caught.value) is kind
    assert getattr(caught.value, "retry_after_s", None) == after


async def test_closing_twice_or_unasked_is_no_error(own: Bench) -> None:
    """It is called wherever an agent ends."""
    await own.model.close()
    own.answer(ANSWER)
    await own.model.close()
