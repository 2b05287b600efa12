import json
from collections.abc import Iterator, Mapping
from typing import Any, cast

import pytest

from notte_mcp.server import INSTRUCTIONS
from tests.tools.surface import PATH, published, tools
from tests.tools.tokens import tokens

pytestmark = pytest.mark.anyio

MAX_LIST_TOKENS = 3_000

# What one host or another refuses (measured on hosts).
REFUSED = {"$ref", "$defs", "anyOf", "oneOf", "allOf", "title", "discriminator", "const", "nullable"}


async def schemas() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every schema of every tool, down to the leaves, with where it stands."""
    found: list[tuple[str, dict[str, Any]]] = []

    def walk(place: str, schema: dict[str, Any]) -> None:
        found.append((place, schema))
        for name, inner in cast(Mapping[str, dict[str, Any]], schema.get("properties", {})).items():
            walk(f"{place}.{name}", inner)
        if "items" in schema:
            walk(f"{place}[]", schema["items"])

    for tool in await tools():
        walk(f"{tool['name']}:in", tool["inputSchema"])
        if "outputSchema" in tool:
            walk(f"{tool['name']}:out", tool["outputSchema"])
    return iter(found)


async def test_what_is_published_is_what_was_reviewed() -> None:
    """P11: a committed snapshot shows every change in a diff; `python -m tests.tools.surface` writes it anew."""
    assert await published() == json.loads(PATH.read_text(encoding="utf-8"))


async def test_the_tool_list_is_small() -> None:
    """Contract: every session of every host pays for it."""
    listed = json.dumps({"tools": await tools()}, separators=(",", ":"), ensure_ascii=False)

    assert tokens(listed) <= MAX_LIST_TOKENS


async def test_schemas_are_what_every_host_takes() -> None:
    """Measured on hosts: no unions, no references, a type everywhere, no null types."""
    for place, schema in await schemas():
        assert not REFUSED & set(schema), place
        assert isinstance(schema.get("type"), str), place
        assert "required" not in schema or schema["required"], place
        if schema["type"] == "array":
            assert "items" in schema, place


async def test_objects_with_named_properties_take_no_others() -> None:
    """Contract: unknown keys are refused, and the schema says so."""
    for place, schema in await schemas():
        if ":in" in place and "properties" in schema:
            assert schema["additionalProperties"] is False, place


async def test_every_tool_says_what_it_is_and_what_it_does() -> None:
    """Contract: title and four annotations; descriptions below 600 characters."""
    for tool in await tools():
        assert tool["title"]
        assert 40 < len(tool["description"]) < 600, tool["name"]
        assert set(tool["annotations"]) == {"readOnlyHint", "destructiveHint", "idempotentHint", "openWorldHint"}


async def test_lifetimes_are_said_where_a_session_is_started() -> None:
    """SEP-2567: a handle's lifetime stands in the description."""
    start = next(tool for tool in await tools() if tool["name"] == "notte_start")

    assert "15 minutes" in start["description"]
    assert "240" in start["description"]


async def test_two_to_four_core_tools_are_loaded_at_once() -> None:
    """Measured on hosts: others are loaded when a model looks for them."""
    core = [tool["name"] for tool in await tools() if tool.get("_meta", {}).get("anthropic/alwaysLoad")]

    assert core == ["notte_start", "notte_observe", "notte_execute"]


async def test_only_control_tools_have_structured_output() -> None:
    """Contract: where there is structured content, some hosts drop text and images."""
    structured = [tool["name"] for tool in await tools() if "outputSchema" in tool]

    assert structured == [
        "notte_start",
        "notte_status",
        "notte_steer",
        "notte_stop",
        "notte_workflow_code",
        "notte_run_workflow",
    ]


async def test_the_instructions_teach_the_loop_and_its_rules_in_few_words() -> None:
    """Contract: at most 1,500 characters."""
    loop = ["notte_start", "notte_observe", "notte_execute", "notte_workflow_code", "notte_run_workflow", "notte_stop"]

    assert len(INSTRUCTIONS) <= 1_500
    assert all(tool in INSTRUCTIONS for tool in loop)
    assert "never from memory" in INSTRUCTIONS
    assert "untrusted" in INSTRUCTIONS
    assert "wait_for" in INSTRUCTIONS
