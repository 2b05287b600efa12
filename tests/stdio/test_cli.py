from pathlib import Path

import pytest

from notte_mcp import __version__
from tests.stdio.wire import run, server


def test_the_version_is_printed() -> None:
    """`notte-mcp --version`."""
    done = run("--version")

    assert (done.returncode, done.stdout) == (0, f"notte-mcp {__version__}\n")


@pytest.mark.parametrize("command", [["fly"], ["--fly"], ["--headless", "--headful"]])
def test_wrong_arguments_end_with_two_and_say_nothing_on_stdout(command: list[str]) -> None:
    """Exit codes stand in cli alone."""
    done = run(*command)

    assert (done.returncode, done.stdout) == (2, "")
    assert "usage: notte-mcp" in done.stderr


@pytest.mark.parametrize(
    ("env", "named"),
    [
        ({"NOTTE_MCP_MAX_SESSIONS": "many"}, "NOTTE_MCP_MAX_SESSIONS"),
        ({"NOTTE_MCP_VIEWPORT_WIDTH": "5"}, "NOTTE_MCP_VIEWPORT_WIDTH"),
        ({"NOTTE_MCP_ENGINE": "firefox"}, "NOTTE_MCP_ENGINE"),
    ],
)
def test_a_wrong_setting_ends_with_two_and_one_sentence(env: dict[str, str], named: str) -> None:
    """Ours: a host shows stderr, and a traceback there helps nobody."""
    done = run("--in-process", env=env)

    assert (done.returncode, done.stdout) == (2, "")
    assert named in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_configuration_file_that_is_no_toml_ends_with_two_and_one_sentence(tmp_path: Path) -> None:
    """Ours."""
    folder = tmp_path / "notte-mcp"
    folder.mkdir()
    (folder / "config.toml").write_text("this is = = no toml", encoding="utf-8")

    done = run("--in-process", env={"XDG_CONFIG_HOME": str(tmp_path)})

    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (2, "", 1)


def test_an_unknown_key_in_the_configuration_file_is_named(tmp_path: Path) -> None:
    """settings.py: a misspelt setting that is ignored is worse."""
    folder = tmp_path / "notte-mcp"
    folder.mkdir()
    (folder / "config.toml").write_text("max_sesions = 3\n", encoding="utf-8")

    done = run("--in-process", env={"XDG_CONFIG_HOME": str(tmp_path)})

    assert done.returncode == 2
    assert "max_sesions" in done.stderr


def test_no_sessions_are_listed_as_none(tmp_path: Path) -> None:
    """`notte-mcp sessions`."""
    done = run("--state-dir", str(tmp_path / "state"), "sessions")

    assert (done.returncode, done.stderr) == (0, "")
    assert "No sessions are kept" in done.stdout


def test_a_state_folder_that_cannot_be_used_is_told_and_the_server_lives_on(tmp_path: Path) -> None:
    """Ours: bad input."""
    (tmp_path / "file").write_text("", encoding="utf-8")
    with server(tmp_path / "file" / "state") as wire:
        first = wire.modern("tools/call", name="notte_status", arguments={})["result"]
        tools = wire.modern("tools/list")["result"]["tools"]

    assert first["isError"]
    assert str(tmp_path / "file") in first["content"][0]["text"]
    assert "notte_start" in {tool["name"] for tool in tools}
