import json
from pathlib import Path

from notte_mcp import __version__
from tests.stdio.wire import server


def test_a_client_of_2026_is_served_without_a_handshake(tmp_path: Path) -> None:
    """The 2026-07-28 revision has none: any request may be the first."""
    with server(tmp_path / "state") as wire:
        tools = wire.modern("tools/list")["result"]

    assert tools["tools"][0]["name"] == "notte_start"
    assert (tools["ttlMs"], tools["cacheScope"]) == (3_600_000, "private")


def test_a_client_of_2026_may_discover_first(tmp_path: Path) -> None:
    """`server/discover` is what Claude Code sends first."""
    with server(tmp_path / "state") as wire:
        found = wire.modern("server/discover")["result"]

    assert "2026-07-28" in found["supportedVersions"]
    assert "never from memory" in found["instructions"]


def test_a_client_of_2025_is_served_after_its_handshake(tmp_path: Path) -> None:
    """Codex and Gemini speak this."""
    with server(tmp_path / "state") as wire:
        hello = wire.handshake()["result"]
        tools = wire.request("tools/list", {})["result"]["tools"]

    assert hello["protocolVersion"] == "2025-11-25"
    assert hello["serverInfo"]["version"] == __version__
    assert len(tools) == 10


def test_the_first_request_may_be_a_tool_call(tmp_path: Path) -> None:
    """Ours: the App opens within the first call."""
    with server(tmp_path / "state") as wire:
        answer = wire.modern("tools/call", name="notte_status", arguments={})["result"]

    assert answer["structuredContent"] == {"sessions": [], "agents": []}


def test_nothing_is_opened_before_the_first_call(tmp_path: Path) -> None:
    """Ours: a host that only lists tools leaves no trace."""
    with server(tmp_path / "state") as wire:
        wire.modern("tools/list")
        wire.modern("resources/templates/list")
        listed_only = (tmp_path / "state").exists()
        wire.open_app()

    assert not listed_only
    assert (tmp_path / "state").exists()


def test_logs_go_to_stderr_as_json_and_stdout_carries_only_the_protocol(tmp_path: Path) -> None:
    """Ours: even at the lowest log level; no line tells an argument's value."""
    with server(tmp_path / "state", "--log-level", "debug") as wire:
        wire.modern("tools/call", name="notte_status", arguments={"id": "ses_of_a_secret"})
        wire.process.stdin.close()  # pyright: ignore[reportOptionalMemberAccess]
        rest = wire.rest()
        logged = [json.loads(line) for line in wire.errors().splitlines()]

    assert rest == []
    calls = [line for line in logged if line["event"] == "tool.called"]
    assert [(line["tool"], line["ok"]) for line in calls] == [("notte_status", False)]
    assert set(calls[0]) == {"event", "level", "log", "ms", "ok", "session", "timestamp", "tool"}
