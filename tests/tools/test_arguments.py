from typing import Any

import pytest

from notte_mcp.action_schema import ACTION_FIELDS, actions_schema
from tests.tools.conftest import ERAS, FORM, Host

pytestmark = pytest.mark.anyio


@ERAS
async def test_an_unknown_argument_is_refused_by_name_and_the_right_one_offered(host: Host) -> None:
    """Measured on hosts: the SDK alone ignores it, so that a misspelt option does nothing."""
    said = await host.refusal("notte_start", sesion_id="ses_x", url=FORM)

    assert "`sesion_id` (did you mean `session_id`?)" in said
    assert "It takes: task, url, session_id, driver, max_steps," in said
    assert host.opened == 0


async def test_a_missing_argument_is_named(host: Host) -> None:
    """Ours."""
    assert "`actions` is missing" in await host.refusal("notte_execute")
    assert "`uri` is missing" in await host.refusal("notte_read")


async def test_a_wrong_type_is_named_without_repeating_what_was_sent(host: Host) -> None:
    """P9: what was sent may be a secret."""
    said = await host.refusal("notte_observe", max_tokens="geheim", mode="everything")

    assert "`mode`" in said
    assert "`max_tokens`" in said
    assert "geheim" not in said


@ERAS
async def test_null_for_an_optional_argument_counts_as_not_given(host: Host) -> None:
    """Contract: lenient inputs; a flat schema makes some models send every field."""
    await host.start()

    result = await host.call("notte_observe", session_id=None, mode=None, max_tokens=None, screenshot=None)

    assert not result.is_error


async def test_text_is_accepted_where_a_number_a_truth_or_an_object_is_due(host: Host) -> None:
    """Contract: a JSON string where an object is due, "true" for true."""
    facts = await host.facts("notte_start", url=FORM, session='{"viewport_width": "640", "headless": "true"}')
    result = await host.call("notte_observe", screenshot="true", max_tokens="500")

    assert host.engine.requests[0].spec.viewport_width == 640
    assert facts["state"] == "ready"
    assert len(result.content) == 2


@ERAS
async def test_an_unknown_tool_is_told_so(host: Host) -> None:
    """The SDK's own words."""
    assert "notte_fly" in await host.refusal("notte_fly")


def test_every_field_of_every_action_is_in_the_schema_once() -> None:
    """Ours: derived from the classes, so that a new action appears by itself."""
    item: dict[str, Any] = actions_schema()["items"]

    assert set(ACTION_FIELDS) < set(item["properties"])
    assert item["properties"]["value"]["type"] == "string"
    assert item["properties"]["timeout_ms"]["type"] == "integer"
    assert item["properties"]["success"]["type"] == "boolean"
    assert item["properties"]["wait_until"]["enum"] == ["load", "domcontentloaded", "commit"]
