import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from mcp import MCPError

from notte_mcp import logs
from notte_mcp.actions import ACTION_TYPES
from notte_mcp.resources.guide import GUIDE
from tests.tools.conftest import ERAS, FORM, SLOW, Host

pytestmark = pytest.mark.anyio


@pytest.fixture
def log(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[dict[str, Any]]]:
    """What was logged at level info since this was last asked."""
    monkeypatch.setattr(logs._State, "logger", None)
    monkeypatch.setattr(logs._State, "threshold", 20)
    return lambda: [json.loads(line) for line in capsys.readouterr().err.splitlines()]


async def test_a_fault_of_ours_is_told_with_an_id_that_the_log_has_too(
    host: Host, log: Callable[[], list[dict[str, Any]]]
) -> None:
    """Ours: its text may hold anything, so it stays in the log."""
    session_id = await host.start()
    browser = host.engine.sessions[session_id]
    browser.observe = None  # type: ignore[method-assign,assignment]

    said = await host.refusal("notte_observe")

    (incident,) = re.findall(r"incident ([0-9a-f]{8})", said)
    crashed = next(line for line in log() if line["event"] == "tool.crashed")
    assert "TypeError" not in said
    assert crashed["incident"] == incident
    assert "TypeError" in crashed["exception"]


async def test_one_line_is_logged_per_call_without_its_arguments(
    host: Host, log: Callable[[], list[dict[str, Any]]]
) -> None:
    """Ours: tool, session, ms, ok."""
    session_id = await host.start()
    await host.refusal("notte_observe", cursor="c-geheim")

    lines = log()
    calls = [line for line in lines if line["event"] == "tool.called"]
    assert [(line["tool"], line["session"], line["ok"]) for line in calls] == [
        ("notte_start", session_id, True),
        ("notte_observe", None, False),
    ]
    assert all(isinstance(line["ms"], int) for line in calls)
    assert "geheim" not in str(lines)
    assert FORM not in str(lines)


async def test_what_keeps_the_app_from_opening_is_told_to_each_caller_and_tried_again(host: Host) -> None:
    """Ours: an unwritable state folder does not end the server."""
    host.settings.state_dir.write_text("a file where a folder is due", encoding="utf-8")

    first = await host.refusal("notte_status")
    assert host.client is not None
    with pytest.raises(MCPError, match="state"):
        await host.client.read_resource("notte://sessions")
    host.settings.state_dir.unlink()

    assert str(host.settings.state_dir) in first
    assert (await host.facts("notte_status"))["sessions"] == []


@ERAS
async def test_every_error_says_what_was_done_and_the_next_call(host: Host) -> None:
    """Ours: none is the bare text of the SDK."""
    session_id = await host.start()
    await host.call("notte_stop", id=session_id)
    calls: list[tuple[str, dict[str, Any]]] = [
        ("notte_observe", {"session_id": session_id}),
        ("notte_execute", {"actions": [{"type": "reload"}]}),
        ("notte_execute", {"actions": [{"type": "fly"}]}),
        ("notte_scrape", {"session_id": "ses_nope"}),
        ("notte_status", {"id": "ses_nope"}),
        ("notte_stop", {"id": "ses_nope"}),
        ("notte_workflow_code", {"id": "ses_nope"}),
        ("notte_read", {"uri": "notte://nope"}),
        ("notte_start", {"url": "javascript:alert(1)"}),
    ]

    for tool, arguments in calls:
        said = await host.refusal(tool, **arguments)
        assert "Next: " in said, said
        assert not said.startswith("Error executing tool"), said


@ERAS
async def test_a_call_that_takes_too_long_is_answered_all_the_same(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ours: every call answers within 45 s."""
    await host.start(SLOW)
    monkeypatch.setattr("notte_mcp.tools.boundary.CALL_S", 0.2)

    said = await host.refusal("notte_execute", actions=[{"type": "click", "id": "B1"}])

    assert "given up" in said
    assert "notte_status()" in said


def test_the_guide_knows_every_action_and_every_tool() -> None:
    """Ours: docs that drift mislead."""
    words = set(re.findall(r"[a-z_]+", GUIDE))

    assert [kind for kind in ACTION_TYPES if kind not in words] == []
    assert {"notte_start", "notte_observe", "notte_execute", "notte_workflow_code", "notte_stop"} <= words
