"""The shelf: the models of one server."""

import json
from pathlib import Path

import pytest

from notte_mcp.errors import ModelMissing, ModelUnknown
from notte_mcp.models.access import Access, Endpoint
from notte_mcp.models.base import ChatRequest, Message
from notte_mcp.models.shelf import Shelf

pytestmark = pytest.mark.anyio

REQUEST = ChatRequest("s", (Message("user", "u"),))


async def test_a_providers_model_is_shared_and_a_plan_is_not(tmp_path: Path) -> None:
    """Connections are kept for all; a plan is told once to each."""
    file = tmp_path / "plan.json"
    file.write_text(json.dumps(["one"]))
    shelf = Shelf(Access(openai=Endpoint("key")), default="openai:x")
    assert shelf.named("openai:x") is shelf.named("openai:x")
    texts = [(await shelf.named(f"scripted:{file}").ask(REQUEST, timeout_s=1)).text for _ in range(2)]
    assert texts == ["one", "one"]
    await shelf.close()


async def test_a_name_that_cannot_be_kept_says_why_each_time() -> None:
    """A failure is not remembered."""
    shelf = Shelf(Access())
    for _ in range(2):
        with pytest.raises(ModelUnknown):
            shelf.named("gpt-5")
        with pytest.raises(ModelMissing):
            shelf.named("anthropic:claude-opus-5")
    await shelf.close()
