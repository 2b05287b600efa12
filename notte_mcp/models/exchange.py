"""One question to a provider and its answer: our request in pydantic-ai's words, its response in ours.

Below: shapes, vendors, tokens, base, pydantic_ai. Above: providers (which imports this in a thread).
"""

from contextlib import suppress
from typing import Final

import anyio
from pydantic_ai.direct import model_request
from pydantic_ai.exceptions import ModelHTTPError
from pydantic_ai.messages import (
    BinaryContent,
    CachePoint,
    ModelMessage,
    ModelRequest,
    ModelResponse,
    TextPart,
    ToolCallPart,
    UserContent,
    UserPromptPart,
)
from pydantic_ai.settings import merge_model_settings

from notte_mcp.agent_records import Usage
from notte_mcp.models.base import ChatReply, ChatRequest, Message
from notte_mcp.models.shapes import parameters, takes_no_schemas
from notte_mcp.models.tokens import tokens_of
from notte_mcp.models.vendors import Vendor
from notte_mcp.observations import estimate_tokens

MAX_REPLY_CHARS: Final = 200_000
"""An answer's text is cut here; no plan of a turn is nearly as long."""


class Line:
    """A provider's model, ready to be asked."""

    def __init__(self, vendor: Vendor) -> None:
        self._vendor = vendor
        self._in_words = False

    async def ask(self, request: ChatRequest) -> ChatReply:
        """One request and what came back. A server that takes no schemas is told of them in words, from then on.

        Raises:
            Whatever the vendors raise.
        """
        in_words = self._in_words or not self._takes(request)
        try:
            return await self._ask(request, in_words=in_words)
        except ModelHTTPError as error:
            if in_words or request.schema is None or not takes_no_schemas(error):
                raise
        reply = await self._ask(request, in_words=True)
        self._in_words = True
        return reply

    def _takes(self, request: ChatRequest) -> bool:
        """Whether this provider's form can hold the request's schema, which may be anybody's."""
        try:
            asked = parameters(self._vendor, request, in_words=False)
            self._vendor.model.prepare_request(self._vendor.settings, asked)
        except Exception:  # noqa: BLE001 - their readers of schemas raise what they come upon
            return False
        return True

    async def _ask(self, request: ChatRequest, *, in_words: bool) -> ChatReply:
        model = self._vendor.model
        settings = merge_model_settings(self._vendor.settings, {"max_tokens": request.max_output_tokens})
        asked = parameters(self._vendor, request, in_words=in_words)
        messages = _messages(request.messages, marks_cache=self._vendor.marks_cache)
        response = await model_request(model, messages, model_settings=settings, model_request_parameters=asked)
        return _reply(response, request)

    async def close(self) -> None:
        """Let the connections go, within a second. Never raises."""
        with anyio.CancelScope(shield=True), anyio.move_on_after(1), suppress(Exception):
            await self._vendor.http.aclose()


def _messages(messages: tuple[Message, ...], *, marks_cache: bool) -> list[ModelMessage]:
    users = [number for number, message in enumerate(messages) if message.role == "user"]
    # The last user's message is the page as it is now, which the next turn drops; what is before it stays.
    stable = users[-2] if marks_cache and len(users) > 1 else None
    found: list[ModelMessage] = []
    for number, message in enumerate(messages):
        if message.role == "assistant":
            found.append(ModelResponse(parts=[TextPart(message.text or "(nothing)")]))
        else:
            found.append(ModelRequest(parts=[UserPromptPart(_content(message, mark=number == stable))]))
    return found


def _content(message: Message, *, mark: bool) -> list[UserContent]:
    # An empty text is an error at some providers.
    content: list[UserContent] = [message.text or "(nothing)"]
    if message.image is not None:
        content.append(BinaryContent(message.image, media_type="image/jpeg"))
    if mark:
        content.append(CachePoint())
    return content


def _reply(response: ModelResponse, request: ChatRequest) -> ChatReply:
    calls = [part.args_as_json_str() for part in response.parts if isinstance(part, ToolCallPart)]
    texts = [part.content for part in response.parts if isinstance(part, TextPart)]
    text = (calls[0] if calls else "".join(texts))[:MAX_REPLY_CHARS]
    used = response.usage
    usage = Usage(
        model_calls=1,
        # A provider that counts nothing must not run past a budget of tokens.
        input_tokens=used.input_tokens or tokens_of(request),
        cached_tokens=used.cache_read_tokens,
        output_tokens=used.output_tokens or estimate_tokens(text),
        usd=_price(response),
    )
    return ChatReply(text, usage)


def _price(response: ModelResponse) -> float | None:
    """US dollars, where the price list knows the model."""
    if not response.model_name or not response.usage.input_tokens:
        return None
    try:
        return float(response.cost().total_price)
    except (LookupError, ValueError):
        return None
