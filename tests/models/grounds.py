"""Every provider's model, against the server of tests: what its name, wire and key are."""

from dataclasses import dataclass

from notte_mcp.models.access import Access, Endpoint
from notte_mcp.models.base import ChatModel, ChatRequest, Message
from notte_mcp.models.named import model_named
from tests.models.server import ModelServer

KEY = "sk-test-0123456789abcdef"
PATIENCE_S = 20
"""For answers that come: the first one imports the vendors' packages, on a machine that may be busy."""

SCHEMA = {
    "type": "object",
    "properties": {
        "thought": {"type": "string"},
        "actions": {"type": "array", "items": {"type": "object", "properties": {"type": {"type": "string"}}}},
    },
    "required": ["actions"],
}
ANSWER = {"thought": "it is there", "actions": [{"type": "click", "id": "B1"}]}
REQUEST = ChatRequest("You drive a browser.", (Message("user", "Order soap."),), schema=SCHEMA, name="turn")


@dataclass(frozen=True)
class Ground:
    """A model's name, the wire that it speaks, and whether it has a key."""

    name: str
    wire: str
    has_key: bool = True


GROUNDS = (
    Ground("anthropic:claude-opus-4-6", "messages"),  # takes a tool that must be called
    Ground("anthropic:claude-opus-5", "messages"),  # is asked natively
    Ground("openai:gpt-5-mini", "chat"),  # another address than OpenAI's
    Ground("openai-chat:gpt-5-mini", "chat"),
    Ground("openai-responses:gpt-5-mini", "responses"),
    Ground("google:gemini-2.5-flash", "gemini"),
    Ground("ollama:qwen3", "chat", has_key=False),
)


def access_to(server: ModelServer, *, key: str | None = KEY) -> Access:
    """Every provider at this server."""
    by_base, by_v1 = Endpoint(key, server.base_url), Endpoint(key, server.openai_url)
    return Access(anthropic=by_base, openai=by_v1, google=by_base, ollama=Endpoint(None, server.base_url))


def model_at(server: ModelServer, name: str) -> ChatModel:
    """The model of that name, at this server."""
    return model_named(name, access_to(server))
