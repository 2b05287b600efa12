"""`notte-mcp serve` as it is, but with scripted pages for browsers and scripted models: `python -m` with its arguments."""

import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import anyio

from notte_mcp.app import App, open_app
from notte_mcp.commands import _parser, _settings
from notte_mcp.engines.scripted import ScriptedEngine
from notte_mcp.models.scripted import ScriptedModel
from notte_mcp.serve import serving
from notte_mcp.settings import Settings
from tests.tools.conftest import Models, pages

STEP_S = 0.2
"""How long the model of an agent thinks."""

STEPS = 10


async def slowly(request: object) -> object:
    """A model that goes to the page and back some times, and then is done."""
    slowly.turns += 1  # type: ignore[attr-defined]
    await anyio.sleep(STEP_S)
    if slowly.turns > STEPS:  # type: ignore[attr-defined]
        return {"actions": [{"type": "completion", "success": True, "answer": "It is sent."}]}
    return {"actions": [{"type": "reload"}]}


slowly.turns = 0  # type: ignore[attr-defined]


@asynccontextmanager
async def opened(settings: Settings) -> AsyncGenerator[App]:
    """An App of its own, with pages whose gates never open."""
    models = Models({"slow": ScriptedModel(slowly)}, None)
    async with open_app(settings, engines={"local": ScriptedEngine(pages(anyio.Event()))}, models=models) as app:
        yield app


def main() -> None:
    """Serve as the arguments say."""
    read = _settings(_parser().parse_args(sys.argv[1:]))
    assert isinstance(read, Settings), read
    sys.exit(serving.run(read, opened))


if __name__ == "__main__":
    main()
