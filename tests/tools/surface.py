"""The published surface as JSON. `python -m tests.tools.surface` writes the snapshot anew; review its diff."""

import json
from pathlib import Path
from typing import Any

import anyio
from mcp import Client

from notte_mcp.server import INSTRUCTIONS, create_server
from notte_mcp.settings import Settings

PATH = Path(__file__).parents[1] / "surface.json"


async def published() -> dict[str, Any]:
    """Tools, resources, templates, prompts and instructions, as a client is given them."""
    async with Client(create_server(_never, Settings(state_dir=Path("unused")))) as client:
        resources = (await client.list_resources()).resources
        templates = (await client.list_resource_templates()).resource_templates
        return {
            "instructions": INSTRUCTIONS.split("\n"),
            "tools": [_json(tool) for tool in (await client.list_tools()).tools],
            "resources": [_json(resource) for resource in resources],
            "templates": [_json(template) for template in templates],
            "prompts": [_json(prompt) for prompt in (await client.list_prompts()).prompts],
        }


async def tools() -> list[dict[str, Any]]:
    """The tools alone."""
    found: list[dict[str, Any]] = (await published())["tools"]
    return found


def _json(value: Any) -> dict[str, Any]:
    return value.model_dump(mode="json", by_alias=True, exclude_none=True)


def _never() -> Any:
    raise AssertionError("listing opens nothing")


if __name__ == "__main__":
    PATH.write_text(json.dumps(anyio.run(published), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
