"""The providers' models over real HTTP: what is sent, what comes of a bad answer, what it costs, and what never leaks."""

import base64
import json
import traceback
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import anyio
import pytest

from notte_mcp.agents.extracting import Extracted, extract
from notte_mcp.errors import ModelRefused, ModelUnavailable, NotteMCPError
from notte_mcp.models.access import Access, Endpoint
from notte_mcp.models.base import ChatModel, ChatReply, ChatRequest, Message
from notte_mcp.models.exchange import MAX_REPLY_CHARS
from notte_mcp.models.named import model_named
from notte_mcp.models.patience import AT_ONCE, MAX_ASKS, ask_patiently
from tests.models.grounds import ANSWER, GROUNDS, KEY, PATIENCE_S, REQUEST, SCHEMA, Ground, access_to, model_at
from tests.models.server import HUGE, SAME, ModelServer
from tests.models.wires import CACHED_TOKENS, INPUT_TOKENS, OUTPUT_TOKENS

pytestmark = pytest.mark.anyio

JPEG = b"\xff\xd8 not really \xff\xd9"


class Field:
    """One provider's model and the server it talks to."""

    def __init__(self, ground: Ground, server: ModelServer) -> None:
        self.ground = ground
        self.server = server
        self.model: ChatModel = model_at(server, ground.name)

    async def ask(self, request: ChatRequest = REQUEST) -> ChatReply:
        with anyio.fail_after(30):
            return await self.model.ask(request, timeout_s=PATIENCE_S)

    async def failure(self, mode: str, request: ChatRequest = REQUEST) -> ModelRefused | ModelUnavailable:
        """What comes of one request in that mode, which is sent once."""
        self.server.then(mode)
        before = len(self.server.requests)
        with pytest.raises((ModelRefused, ModelUnavailable)) as caught:
            await self.ask(request)
        assert len(self.server.requests) == before + 1
        return caught.value


@asynccontextmanager
async def opened(ground: Ground) -> AsyncGenerator[Field]:
    with ModelServer([ANSWER]) as server:
        field = Field(ground, server)
        yield field
        await field.model.close()
        assert server.errors == []


@pytest.fixture(params=GROUNDS, ids=lambda ground: ground.name, scope="module")
async def kept(request: pytest.FixtureRequest) -> AsyncGenerator[Field]:
    async with opened(request.param) as field:
        yield field


@pytest.fixture
def field(kept: Field) -> Field:
    """Shared by tests that leave the model as it was; the server answers as it does at first."""
    kept.server.mode = "normal"
    kept.server.requests.clear()
    kept.server.answer(ANSWER)
    return kept


@pytest.fixture(params=GROUNDS, ids=lambda ground: ground.name)
async def own(request: pytest.FixtureRequest) -> AsyncGenerator[Field]:
    """A model of its own."""
    async with opened(request.param) as field:
        yield field


# --- what is sent -----------------------------------------------------------------------


async def test_the_system_text_the_schema_and_the_key_arrive_where_the_wire_wants_them(field: Field) -> None:
    """Each in the provider's own words; the key is the one that was passed in."""
    await field.ask()
    (asked,) = field.server.requests
    assert asked.wire.name == field.ground.wire
    assert asked.system == REQUEST.system
    assert set(asked.schema["properties"]) == set(SCHEMA["properties"])
    assert asked.key == (KEY if field.ground.has_key else "none")
    assert "Order soap." in asked.text


async def test_free_text_is_asked_for_without_a_schema(field: Field) -> None:
    """No tool and no format, else the provider would force an object."""
    await field.ask(replace(REQUEST, schema=None))
    assert field.server.requests[0].schema is None


async def test_what_is_stable_is_equal_from_turn_to_turn_and_comes_first(field: Field) -> None:
    """Providers cache by prefix: nothing in front of what is new may differ."""
    turns = [*REQUEST.messages, Message("assistant", json.dumps(ANSWER)), Message("user", "clicked B1")]
    first = ChatRequest(REQUEST.system, (*turns[:1], Message("user", "page one")), schema=SCHEMA)
    second = ChatRequest(REQUEST.system, (*turns, Message("user", "page two")), schema=SCHEMA)
    await field.ask(first)
    await field.ask(second)
    one, two = (asked.text for asked in field.server.requests)
    assert (first.messages[0], field.server.requests[0].system) == (second.messages[0], field.server.requests[1].system)
    assert field.server.requests[0].schema == field.server.requests[1].schema
    assert two.index("Order soap.") < two.index("clicked B1") < two.index("page two")
    assert "page one" in one
    assert "page one" not in two


async def test_an_image_goes_as_a_jpeg(field: Field) -> None:
    """In whichever base64 the wire has."""
    await field.ask(ChatRequest("s", (Message("user", "what is this?", image=JPEG),)))
    text = field.server.requests[0].text
    assert "image/jpeg" in text
    assert base64.b64encode(JPEG).decode() in text or base64.urlsafe_b64encode(JPEG).decode() in text


async def test_the_answers_length_is_bounded_by_the_request(field: Field) -> None:
    """`max_output_tokens`, under each wire's own name."""
    await field.ask(replace(REQUEST, max_output_tokens=1_234))
    assert "1234" in field.server.requests[0].text


@pytest.mark.parametrize("name", ["anthropic:claude-opus-4-6", "anthropic:claude-opus-5"])
async def test_anthropic_is_told_what_to_cache(name: str) -> None:
    """The system text, and the messages up to the last that the next turn still has; never the page as it is now."""
    messages = (*REQUEST.messages, Message("assistant", "{}"), Message("user", "the page now"))
    with ModelServer([ANSWER]) as server:
        model = model_at(server, name)
        await model.ask(replace(REQUEST, messages=messages), timeout_s=PATIENCE_S)
        await model.close()
    body = server.requests[0].body
    assert "cache_control" in body["system"][-1]
    assert all("cache_control" in tool for tool in body.get("tools", []))
    marked = ["cache_control" in json.dumps(message) for message in body["messages"]]
    assert marked == [True, False, False]


async def test_what_pages_showed_is_not_left_with_openai() -> None:
    """The Responses API keeps what it is asked unless told otherwise."""
    with ModelServer([ANSWER]) as server:
        model = model_at(server, "openai-responses:gpt-5-mini")
        await model.ask(REQUEST, timeout_s=PATIENCE_S)
        await model.close()
    assert server.requests[0].body["store"] is False


@pytest.mark.parametrize("path", ["/", "/v1"])
async def test_ollamas_address_may_leave_out_its_path(path: str) -> None:
    """`OLLAMA_BASE_URL` is written both ways."""
    with ModelServer([ANSWER]) as server:
        model = model_named("ollama:qwen3", Access(ollama=Endpoint(None, server.base_url + path)))
        await model.ask(REQUEST, timeout_s=PATIENCE_S)
        await model.close()
    assert server.requests[0].path == "/v1/chat/completions"


@pytest.mark.parametrize("ground", GROUNDS, ids=lambda ground: ground.name)
async def test_the_environments_own_keys_and_addresses_are_not_used(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a connection configured is what is used: the process may be somebody else's."""
    for vendor in ("ANTHROPIC", "OPENAI", "GOOGLE", "GEMINI", "OLLAMA", "GOOGLE_GEMINI"):
        monkeypatch.setenv(f"{vendor}_API_KEY", "sk-of-the-environment")
        monkeypatch.setenv(f"{vendor}_BASE_URL", "http://127.0.0.1:9/nowhere")
    monkeypatch.setenv("ANTHROPIC_AUTH_TOKEN", "sk-of-the-environment")
    async with opened(ground) as field:
        await field.ask()
        (asked,) = field.server.requests
        assert "sk-of-the-environment" not in json.dumps(asked.headers)


async def test_a_server_that_takes_no_schemas_is_told_of_them_in_words_and_from_then_on(own: Field) -> None:
    """Many that speak these wires know no structured output; the second turn does not try again."""
    own.server.mode = "no_schema"
    for _ in range(2):
        assert json.loads((await own.ask()).text) == ANSWER
    first, again, later = own.server.requests
    assert first.schema is not None
    assert (again.schema, later.schema) == (None, None)
    assert REQUEST.system in again.system
    assert '"thought"' in again.system


async def test_a_schema_that_the_providers_form_cannot_hold_is_told_in_words() -> None:
    """A caller's own schema may be any; Anthropic's native form takes only fields with a type."""
    schema: dict[str, Any] = {"type": "object", "properties": {"anything": {}}, "required": ["anything"]}
    with ModelServer([{"anything": 1}]) as server:
        model = model_at(server, "anthropic:claude-opus-5")
        reply = await model.ask(replace(REQUEST, schema=schema), timeout_s=PATIENCE_S)
        await model.close()
    (asked,) = server.requests
    assert json.loads(reply.text) == {"anything": 1}
    assert asked.schema is None
    assert '"anything"' in asked.system


# --- what comes back --------------------------------------------------------------------


async def test_tokens_and_their_price_are_told(field: Field) -> None:
    """Cached tokens are among the input's; a model of one's own has no price."""
    usage = (await field.ask()).usage
    assert (usage.model_calls, usage.seconds) == (1, 0)
    assert (usage.input_tokens, usage.cached_tokens, usage.output_tokens) == (
        INPUT_TOKENS,
        CACHED_TOKENS,
        OUTPUT_TOKENS,
    )
    if field.ground.has_key:
        assert usage.usd is not None
        assert 0 < usage.usd < 0.01
    else:
        assert usage.usd is None


async def test_an_answer_of_ten_megabytes_is_cut(field: Field) -> None:
    """What is kept of it fits a record."""
    field.server.then("huge")
    text = (await field.ask()).text
    assert len(text) == MAX_REPLY_CHARS
    assert HUGE.startswith(text)


async def test_an_answer_of_the_protocol_that_is_no_use_is_a_reply(field: Field) -> None:
    """It can be sent back for repair."""
    field.server.then("silent", "wrong_schema")
    silent, wrong = await field.ask(), await field.ask()
    assert (silent.text, json.loads(wrong.text)) == ("", {"unexpected": [1]})
    assert silent.usage.input_tokens == wrong.usage.input_tokens == INPUT_TOKENS


async def test_the_same_action_may_come_for_ever(field: Field) -> None:
    """Whether that is a loop is for the asker to see."""
    field.server.mode = "same"
    assert [json.loads((await field.ask()).text) for _ in range(3)] == [SAME] * 3


async def test_a_body_that_is_not_the_protocols_is_unavailable_or_an_empty_reply(field: Field) -> None:
    """A proxy's page, half an answer, nothing: asking again may help. Gemini's client takes some for silence."""
    for mode in ("cut", "not_json", "empty", "wrong_shape"):
        if field.ground.wire == "gemini" and mode in {"empty", "wrong_shape"}:
            field.server.then(mode)
            reply = await field.ask()
            assert reply.text == "", mode
            assert reply.usage.input_tokens > 0
        else:
            failed = await field.failure(mode)
            assert isinstance(failed, ModelUnavailable), mode
            assert field.ground.name in failed.what


async def test_nobody_at_the_address_is_unavailable() -> None:
    """A refused connection may pass: the server may just be starting."""
    with ModelServer() as server:
        pass
    for ground in GROUNDS:
        model = model_at(server, ground.name)
        with pytest.raises(ModelUnavailable, match="could not be reached"):
            await model.ask(REQUEST, timeout_s=PATIENCE_S)
        await model.close()


async def test_no_vendors_client_retries_on_its_own(field: Field) -> None:
    """Four requests arrive for four asks: ours are all there are."""
    field.server.mode = "500"
    field.server.then("429", "cut", "empty" if field.ground.wire != "gemini" else "500")
    told: list[str] = []
    with pytest.raises(ModelUnavailable):
        await ask_patiently(field.model, REQUEST, timeout_s=PATIENCE_S, on_retry=told.append, waits=AT_ONCE)
    assert len(field.server.requests) == MAX_ASKS
    assert "HTTP 429" in told[0]


async def test_data_are_taken_out_of_a_page_by_every_providers_model(field: Field) -> None:
    """Answered in words, mended, and refused without a word of the key."""
    field.server.answer("It is 4711.", {"number": 4711})
    schema = {"type": "object", "properties": {"number": {"type": "integer"}}, "required": ["number"]}

    async def taken() -> Extracted:
        wish: dict[str, Any] = {"instructions": "the number", "schema": schema, "seconds": PATIENCE_S}
        return await extract(field.model, "# Done\n\nYour number is 4711.", **wish)

    found = await taken()
    field.server.then("401")
    refused = await taken()

    assert (found.text, found.usage.model_calls) == ('{"number":4711}', 2)
    assert [asked.schema for asked in field.server.requests] == [None] * 3
    assert "untrusted" in field.server.requests[0].system
    assert refused.text == ""
    assert refused.problem
    assert KEY not in refused.problem


# --- keys -------------------------------------------------------------------------------


async def test_no_key_is_in_an_error_or_its_traceback(field: Field) -> None:
    """P9. The server repeats the key that it refuses, as some do."""
    for status in ("400", "401", "403", "404", "429", "500"):
        failed = await field.failure(status)
        shown = "".join(traceback.format_exception(failed))
        assert KEY not in shown
        assert f"HTTP {status}" in failed.what


async def test_a_refused_key_is_named_by_its_setting(field: Field) -> None:
    """The next call mends it."""
    failed = await field.failure("401")
    settings = {"messages": "ANTHROPIC_API_KEY", "responses": "OPENAI_API_KEY", "gemini": "GOOGLE_API_KEY"}
    expected = settings.get(field.ground.wire, "OPENAI_API_KEY") if field.ground.has_key else "server's key"
    assert expected in failed.next_call
    assert ("[key]" in failed.what) is field.ground.has_key


async def test_a_part_of_a_key_and_a_password_in_an_address_are_hidden_too() -> None:
    """OpenAI repeats the key with stars in it; a proxy's address may hold a password."""
    said = {"401": "Incorrect API key provided: sk-te****cdef. See https://user:hush@proxy/"}

    with ModelServer(mode="401") as server:
        server.words.update(said)
        host = server.openai_url.removeprefix("http://")
        model = model_named("openai:x", Access(openai=Endpoint(KEY, f"http://user:hush@{host}")))
        with pytest.raises(NotteMCPError) as caught:
            await model.ask(REQUEST, timeout_s=PATIENCE_S)
        await model.close()
    assert "cdef" not in str(caught.value)
    assert "hush" not in str(caught.value)
    assert "Incorrect API key provided: [key]" in str(caught.value)


async def test_a_keys_white_space_is_left_behind() -> None:
    """A key copied with its line's end works."""
    with ModelServer([ANSWER]) as server:
        model = model_named("anthropic:claude-opus-5", access_to(server, key=f" {KEY}\n"))
        await model.ask(REQUEST, timeout_s=PATIENCE_S)
        await model.close()
    assert server.requests[0].key == KEY
