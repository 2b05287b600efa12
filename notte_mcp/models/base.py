"""The model contract: one question, one answer as text, and what it cost.

A `ChatModel` is asked once per turn of an agent and knows nothing of agents, pages
or actions. Vendor exceptions end at this border. It does not retry: who asks decides
how patient to be (`models.patience`).

One contract suite (tests/contracts/test_model.py) runs over every implementation.
Below: agent_records (Usage), errors. Above: agents, app.
"""

from dataclasses import dataclass
from typing import Any, Literal, Protocol

from notte_mcp.agent_records import Usage


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of the conversation. `image` is a JPEG that belongs to a user's message."""

    role: Literal["user", "assistant"]
    text: str
    image: bytes | None = None


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """What a model is asked.

    `system` is stable through an agent's life and comes first, as do the first messages, so that a provider's
    prompt cache hits. `schema` is the JSON Schema of the one object that the answer must be (None: free text);
    `name` names that object. `max_output_tokens` bounds the answer.
    """

    system: str
    messages: tuple[Message, ...]
    schema: dict[str, Any] | None = None
    name: str = "answer"
    max_output_tokens: int = 4_000


@dataclass(frozen=True, slots=True)
class ChatReply:
    """The answer's text, whatever it is (nothing here checks it against the schema), and what it used."""

    text: str
    usage: Usage


class ChatModel(Protocol):
    """See the module."""

    @property
    def name(self) -> str:
        """As it was asked for: `anthropic:claude-sonnet-5`, `scripted`."""
        ...

    async def ask(self, request: ChatRequest, *, timeout_s: float) -> ChatReply:
        """The model's answer, within `timeout_s`.

        An answer that the provider's protocol does not cover (empty, cut, not what its schema says) is a reply
        with whatever text there is, since the asker can have that repaired.

        Raises:
            ModelRefused: key or request refused; ModelUnavailable: rate limit, server error, timeout, no
            connection. Cancelling ends the request.
        """
        ...

    async def close(self) -> None:
        """Let connections go. Never raises."""
        ...
