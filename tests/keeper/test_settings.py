import os
import subprocess
import sys
from pathlib import Path

import pytest

from notte_mcp.caller import called_by, caller, environment
from notte_mcp.keeper import given, link, log_file, places, wanted
from notte_mcp.keeper.relay import hello
from notte_mcp.settings import Settings, SettingsWrong, default_config_file, default_state_dir
from tests.keeper.kept import relay
from tests.stdio.wire import environment as outside


@pytest.mark.parametrize(
    ("words", "flags"),
    [
        ([], {}),
        (["--no-sandbox", "--state-dir", "x"], {"no_sandbox": "true", "state_dir": "x"}),
        (
            ["--state-dir=a b", "--headful", "--in-process"],
            {"state_dir": "a b", "headless": "false", "in_process": "true"},
        ),
        (["--headless", "--headful"], None),
        (["--keeper"], None),
        (["--state-dir"], None),
        (["--state", "x"], None),
        (["demo"], None),
        (["--help"], None),
    ],
)
def test_the_servers_own_flags_are_read_and_all_else_is_left_alone(
    words: list[str], flags: dict[str, str] | None
) -> None:
    """What is not plainly the server's, argparse tells about."""
    assert wanted.server_flags(words) == flags
    if flags is not None:
        assert wanted.server_flags(wanted.words(flags)) == {k: v for k, v in flags.items() if k != "in_process"}


def test_the_relay_finds_the_state_folder_that_the_settings_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two who look for it differently would never meet."""
    monkeypatch.delenv("NOTTE_MCP_STATE_DIR")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    for base in ("", str(tmp_path / "data")):
        monkeypatch.setenv("XDG_DATA_HOME", base)
        assert places.state_dir({}, dict(os.environ)) == str(default_state_dir())
    assert places.config_file(dict(os.environ)) == str(default_config_file())
    (tmp_path / "notte-mcp").mkdir()
    (tmp_path / "notte-mcp" / "config.toml").write_text('state_dir = "~/elsewhere"\n', encoding="utf-8")
    assert places.state_dir({}, dict(os.environ)) == str(Settings().state_dir)
    monkeypatch.setenv("NOTTE_MCP_STATE_DIR", "here")
    assert places.state_dir({}, dict(os.environ)) == str(Settings().state_dir)
    assert places.state_dir({"state_dir": "there"}, dict(os.environ)) == str(
        Settings(state_dir=Path("there")).state_dir
    )


def test_a_connections_settings_are_those_of_its_own_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """P7: keys and defaults come with the connection, and the keeper's own environment is nothing to it."""
    monkeypatch.setenv("OPENAI_API_KEY", "the keeper's")
    monkeypatch.setenv("NOTTE_MCP_VIEWPORT_WIDTH", "333")
    (tmp_path / "notte-mcp").mkdir()
    (tmp_path / "notte-mcp" / "config.toml").write_text("viewport_height = 444\n", encoding="utf-8")
    environ = {"XDG_CONFIG_HOME": str(tmp_path), "gemini_api_key": "theirs", "NOTTE_MCP_MODEL": "", "crm_login": "x"}
    environ["NOTTE_MCP_UPLOAD_DIRS"] = '["letters", "/post"]'
    (tmp_path / "theirs").mkdir()
    with monkeypatch.context() as there:
        there.chdir(tmp_path / "theirs")
        values = hello({"headless": "false", "browser": "b/chrome"}, environ, "/state")

    found = given.settings_given(values)

    assert (found.openai_api_key, found.viewport_width, found.viewport_height) == (None, 1_280, 444)
    assert found.endpoints["google"] == ("theirs", None)
    assert (found.headless, found.model, found.state_dir) == (False, None, Path("/state"))
    assert found.browser == tmp_path / "theirs" / "b" / "chrome"
    assert found.upload_dirs == (tmp_path / "theirs" / "letters", Path("/post"))
    with called_by(given.caller_given(values)):
        assert environment()["crm_login"] == "x"
        assert caller().path("plan.json") == tmp_path / "theirs" / "plan.json"
    assert "crm_login" not in environment()
    assert "'x'" not in repr(given.caller_given(values))


def test_of_an_environment_that_is_too_long_the_longest_is_left_out() -> None:
    """P10: what comes with a connection is bounded, and the settings are not what is lost."""
    environ = {"NOTTE_MCP_MODEL": "m", "LONG": "x" * link.MAX_GREETING, "LONGER": "x" * (link.MAX_GREETING + 1)}

    said = link.greeting(hello({}, environ, "/state"))
    values = link.parse(said.partition(b"\n")[2])

    assert len(said) < link.MAX_GREETING
    assert link.named(values, "env.") == {"NOTTE_MCP_MODEL": "m"}


def test_no_key_of_the_settings_stays_in_the_keepers_environment() -> None:
    """P9: a field that is added to the settings must not be forgotten here."""
    names = {
        alias
        for field in Settings.model_fields.values()
        for alias in getattr(field.validation_alias, "choices", ())
        if isinstance(alias, str) and alias.isupper()
    }
    secret = {n for n in names if "KEY" in n or n.endswith("BASE_URL")}

    assert all(map(places.is_secret, secret | {"NOTTE_API_KEY", "notte_mcp_http_token", "CRM_PASSWORD"}))
    assert not any(
        map(places.is_secret, ("PATH", "DISPLAY", "XAUTHORITY", "NOTTE_MCP_BROWSER", "GNOME_KEYRING_CONTROL"))
    )
    assert set(given.OF_PROCESS) <= set(Settings.model_fields)


def test_what_a_connection_wants_of_the_process_is_compared_where_it_says_so() -> None:
    """A mismatch is said and not passed over; what allows something counts also where nothing was said."""
    kept = Settings(max_sessions=4, no_sandbox=True, upload_dirs=(Path("/a"),), viewport_width=500)

    told = given.mismatch(Settings(max_tabs=10, no_sandbox=False, viewport_width=700), kept)
    assert told == "no_sandbox = True (not False), upload_dirs = /a (not none)"
    assert given.mismatch(kept.model_copy(update={"viewport_width": 9}), kept) == ""
    assert "max_sessions = 4 (not 5)" in given.mismatch(kept.model_copy(update={"max_sessions": 5}), kept)


def test_the_relay_imports_next_to_nothing() -> None:
    """Its start is a number we are proud of: each of these modules costs more than all of its work."""
    ask = "import sys, notte_mcp.cli, notte_mcp.keeper.relay; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-S", "-c", ask], capture_output=True, text=True, check=True, timeout=30, env=outside()
    )

    costly = {"argparse", "contextlib", "enum", "json", "pathlib", "re", "socket", "subprocess", "threading", "typing"}
    assert costly.isdisjoint(done.stdout.split())


def test_a_log_that_grew_too_long_is_emptied_for_all_who_write_into_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """P10: browsers and drivers have the same file open, and go on in it."""
    monkeypatch.chdir(tmp_path)
    log_file.bound()
    with Path(places.LOG).open("ab", buffering=0) as writer:
        writer.write(b"x" * log_file.MAX_BYTES)
        log_file.bound()
        writer.write(b"y")
        log_file.bound()
        writer.write(b"z")

    assert Path(places.LOG).read_bytes() == b"z"
    assert Path(f"{places.LOG}.1").read_bytes() == b"x" * log_file.MAX_BYTES + b"y"


@pytest.mark.parametrize("inside", [(), ("profiles", "run", "sessions", "cache")], ids=["empty", "ours"])
def test_a_state_folder_open_to_others_is_closed_where_the_server_would_close_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, inside: tuple[str, ...]
) -> None:
    """P7: else the first host had no keeper, and closed it for the second one, which then had."""
    monkeypatch.chdir(tmp_path)
    (state := tmp_path / "state").mkdir()
    for name in inside:
        (state / name).mkdir(mode=0o700)
    state.chmod(0o755)
    with pytest.raises(places.FolderUnusable, match="other users may open"):
        places.enter(str(state), closing=False)
    assert places.enter(str(state)) == str(state / "keeper")
    assert state.stat().st_mode & 0o777 == 0o700

    (foreign := tmp_path / "foreign").mkdir()
    (foreign / "notes.txt").touch()
    foreign.chmod(0o755)
    with pytest.raises(places.FolderUnusable, match="other users may open"):
        places.enter(str(foreign))
    assert foreign.stat().st_mode & 0o777 == 0o755


def test_where_no_keeper_can_live_it_is_said_by_the_status(tmp_path: Path) -> None:
    """P7: agents that end with their host are no surprise."""
    (state := tmp_path / "state").mkdir(mode=0o700)
    (state / "keeper").touch()
    with relay(state) as wire:
        answer = wire.modern("tools/call", name="notte_status", arguments={})
    note = answer["result"]["structuredContent"]["note"]
    assert note.startswith("No keeper can live in this state folder, so agents and sessions end with this host")
    assert str(state / "keeper") in note


@pytest.mark.parametrize(
    ("toml", "env", "words"),
    [
        ("max_sesions = 3", {}, "{config} sets max_sesions, and there is no such setting. Is max_sessions meant?"),
        ("max_sessions = ", {}, "the settings in {config} cannot be read: Invalid value (at "),
        ("", {"UPLOAD_DIRS": "/a"}, "NOTTE_MCP_UPLOAD_DIRS (the setting upload_dirs) is no JSON; it is wanted like '["),
        ("", {"UPLOAD_DIRS": '{"a": 1}'}, "such as NOTTE_MCP_UPLOAD_DIRS='[\"/home"),
        ("", {"HTTP_TOKENS": "alice:x"}, "NOTTE_MCP_HTTP_TOKENS (the setting http_tokens) is no JSON"),
        ("", {"HTTP_ALLOWED_HOSTS": '["http://x/y"]'}, "`http://x/y` is no host; it is wanted as it stands"),
    ],
)
def test_what_is_wrong_with_settings_is_said_by_its_place(
    tmp_path: Path, toml: str, env: dict[str, str], words: str
) -> None:
    """Whoever reads it corrects that one thing."""
    (config := tmp_path / "config.toml").write_text(toml, encoding="utf-8")
    with pytest.raises(SettingsWrong) as wrong:
        Settings.read({}, environ={f"NOTTE_MCP_{name}": value for name, value in env.items()}, config=config)
    assert words.format(config=config) in str(wrong.value)


def test_a_start_that_is_refused_for_its_settings_leaves_nothing(tmp_path: Path) -> None:
    """A folder that nobody wanted would be looked at by the next doctor."""
    with relay(tmp_path / "state", env={"NOTTE_MCP_MAX_SESSIONS": "none"}) as wire:
        assert wire.end()[0] == 2
        assert "max_sessions" in wire.errors()
    assert list(tmp_path.iterdir()) == []
