"""The doctor on real faults: what it finds, what it mends, and that it leaves alone what lives."""

import json
import os
import signal
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest

from notte_mcp.doctor import browser, database, examining, folder, keepers, leftovers, models
from notte_mcp.doctor.finding import Finding
from notte_mcp.ids import new_session_id
from notte_mcp.records import SessionRecord, SessionSpec
from notte_mcp.settings import Settings
from notte_mcp.state_folder import StateFolder
from notte_mcp.store.sql import SqlStore
from tests.e2e.whole import facts, told, whole
from tests.keeper.kept import FLAGS, kill, pid_of, relay
from tests.site import Site
from tests.stdio.wire import run

Found = dict[str, dict[str, Any]]


def doctor(state: Path, *flags: str, code: int, browser: Path | None = None) -> Found:
    """What the command finds, by name."""
    named = ("--browser", str(browser)) if browser else ()
    done = run("--state-dir", str(state), *FLAGS, *named, "doctor", "--json", *flags)
    assert (done.returncode, done.stderr) == (code, ""), done.stdout
    return {finding["name"]: finding for finding in json.loads(done.stdout)["findings"]}


def looked(state: Path, *, fix: bool = False) -> dict[str, Finding]:
    """What the checks of a state folder find: the command takes seconds, most of them the browser's."""
    settings = Settings(state_dir=state)
    checks = (folder.check, leftovers.check, keepers.check)
    return by_name(finding for check in checks for finding in check(settings, fix=fix))


def by_name(findings: Iterator[Finding]) -> dict[str, Finding]:
    return {finding.name: finding for finding in findings}


def test_what_a_killed_server_left_is_found_and_mended_beside_one_that_lives(
    tmp_path: Path, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without --fix nothing is touched; with it all is well again, and the live session goes on."""
    monkeypatch.delenv("NODE_COMPILE_CACHE")
    state = tmp_path / "state"
    with whole(state) as living:
        session = facts(living, "notte_start", url=site.url("/form.html"))["session_id"]
        with whole(state) as dying:
            dying.modern("tools/call", name="notte_status", arguments={})
            os.kill(dying.process.pid, signal.SIGKILL)
            dying.end()
        left = {path.name for path in (state / "run").iterdir() if path.is_dir()}
        state.chmod(0o755)
        (open_file := state / "sessions" / session / "files" / "open.txt").write_text("for everyone")
        open_file.chmod(0o644)
        (link := Path(tempfile.gettempdir()) / f"nm-doctor-{os.getpid()}").symlink_to(state / "run" / "own_gone")
        try:
            found = looked(state)
            assert (state / "cache").stat().st_mode & 0o777 == 0o700
            assert "mode 0755" in found["state folder"].text
            assert {name for name, one in found.items() if one.level == "warning"} == {
                "leftovers",
                "links",
                "files inside",
            }
            assert "1 server died" in found["leftovers"].text
            assert link.is_symlink()
            assert {path.name for path in (state / "run").iterdir() if path.is_dir()} == left

            mended = doctor(state, "--fix", code=0)
            assert mended["rendering"]["level"] == "ok"
            assert "it was 0755" in mended["state folder"]["done"]
            assert "what 1 server left" in mended["leftovers"]["done"]
            assert "removed 1 link" in mended["links"]["done"]
            assert not link.is_symlink()
        finally:
            link.unlink(missing_ok=True)
        assert (state.stat().st_mode & 0o777, open_file.stat().st_mode & 0o777) == (0o700, 0o600)
        (alive,) = [path for path in (state / "run").iterdir() if path.is_dir()]
        assert alive.name in left
        assert "Applicant" in told(living, "notte_observe", session_id=session)
        assert [finding for finding in looked(state, fix=True).values() if finding.done or finding.level != "ok"] == []


def test_a_live_keeper_is_left_alone_and_a_dead_ones_socket_is_removed(tmp_path: Path) -> None:
    """By the lock that a keeper holds while it lives."""
    state = tmp_path / "state"
    with relay(state) as wire:
        assert "result" in wire.modern("tools/list")
        keeper = pid_of(state)
        found = looked(state, fix=True)["keeper"]
        assert f"One runs (process {keeper}" in found.text
        assert (found.level, found.done) == ("ok", "")
        assert "result" in wire.modern("tools/list")
    kill(state)
    assert "left its socket" in looked(state)["keeper"].text
    assert "removed its socket" in looked(state, fix=True)["keeper"].done
    assert not (state / "keeper" / "socket").exists()


def test_a_damaged_database_is_moved_aside_and_only_where_nobody_has_it_open(tmp_path: Path) -> None:
    """The damaged file is kept."""
    settings = Settings(state_dir=tmp_path)
    assert by_name(database.check(settings, fix=True))["database"].level == "ok"

    async def beside(*, is_open: bool) -> Finding:
        store = await SqlStore.open(settings.database)
        if not is_open:
            await store.close()
        with settings.database.open("r+b") as file:
            file.write(b"no database at all" * 100)
        try:
            return by_name(database.check(settings, fix=True))["database"]
        finally:
            await store.close()

    in_use = anyio.run(lambda: beside(is_open=True))
    assert (in_use.level, in_use.done) == ("failure", "")
    assert by_name(database.check(settings, fix=False))["database"].mend.startswith("notte-mcp doctor --fix")
    mended = by_name(database.check(settings, fix=True))["database"]
    assert "was moved to" in mended.done
    assert len([p for p in tmp_path.glob("*.corrupt-*") if p.read_bytes().startswith(b"no database")]) == 1
    assert by_name(database.check(settings, fix=False))["database"].level == "ok"
    with sqlite3.connect(settings.database) as connection:
        connection.execute("PRAGMA user_version = 9999")
    connection.close()
    assert "newer notte-mcp" in by_name(database.check(settings, fix=True))["database"].text


def test_a_folder_that_holds_too_much_is_told_with_its_largest_and_mended_where_that_is_safe(tmp_path: Path) -> None:
    """What is older than keep_days goes, and nothing else."""
    state = tmp_path / "state"
    assert by_name(folder.check(Settings(state_dir=state), fix=True))["state folder"].done.startswith("made")
    old = state / "notte-mcp.sqlite.corrupt-20200101T000000-000001"
    old.write_bytes(os.urandom(300_000))
    os.utime(old, (0, 0))
    (state / "sessions" / "ses_large").mkdir(mode=0o700)
    (state / "sessions" / "ses_large" / "file").write_bytes(os.urandom(200_000))
    settings = Settings(state_dir=state, max_state_bytes=400_000)
    (state / "small.lock").touch()
    room = by_name(folder.check(settings, fix=False))["room"]
    assert "small.lock" not in room.text
    assert room.level == "failure"
    assert "notte-mcp.sqlite.corrupt" in room.text
    assert "sessions/ses_large (2" in room.text
    assert "1 damaged database" in (mended := by_name(folder.check(settings, fix=True))["room"]).done
    assert mended.level == "ok"
    assert (state / "sessions" / "ses_large" / "file").exists()


def test_what_a_server_of_others_left_is_found_with_each_of_them(tmp_path: Path) -> None:
    """Each principal has a folder of its own, and what died in it lies there."""
    state = tmp_path / "state"
    StateFolder.open(state).close()
    (state / "principals").mkdir(mode=0o700)
    StateFolder.open(state / "principals" / "alice").close()
    (left := state / "principals" / "alice" / "run" / "own_0123456789ab").mkdir(mode=0o700)
    found = looked(state)["leftovers"]
    mended = looked(state, fix=True)["leftovers"]

    assert (found.level, "1 server died" in found.text, "own_0123456789ab" in found.text) == ("warning", True, True)
    assert (mended.level, "1 server left" in mended.done, left.exists()) == ("ok", True, False)


def test_sessions_of_dead_servers_count_as_interrupted_and_those_of_principals_are_told(tmp_path: Path) -> None:
    """P3: after a kill nobody may have put it on record yet; `notte-mcp sessions` lists everybody's."""
    state = tmp_path / "state"
    theirs = state / "principals" / "alice"

    async def keep(folder: Path, owner: str) -> None:
        store = await SqlStore.open(folder / "notte-mcp.sqlite")
        await store.put_session(
            SessionRecord(new_session_id(), owner, "ready", SessionSpec(), time.time(), time.time())
        )
        await store.close()

    dead, living = StateFolder.open(state), StateFolder.open(theirs)
    anyio.run(keep, state, dead.owner)
    anyio.run(keep, theirs, living.owner)
    dead.close()
    try:
        said = by_name(database.check(Settings(state_dir=state), fix=False))["sessions"].text
        assert said == "Kept: 1 interrupted; 1 live of alice. notte_start(session_id=...) restores one."
        assert f"process {os.getpid()}" in looked(state)["servers"].text
        listed = run("--state-dir", str(state), "sessions").stdout.splitlines()
        assert [line.endswith("(of alice)") for line in listed] == [False, True]
    finally:
        living.close()


def test_what_is_passed_over_is_so_for_principals_too_and_what_is_open_is_told(tmp_path: Path) -> None:
    """Nobody comes to what browsers make but through folders that are looked at."""
    theirs = tmp_path / "state" / "principals" / "alice"
    for name in ("run", "cache", "files"):
        (theirs / name).mkdir(parents=True)
        (theirs / name / "open").touch()
    for path in (*theirs.parents, *theirs.glob("*"), theirs):
        if path.is_relative_to(tmp_path / "state"):
            path.chmod(0o700)
    (theirs / "files" / "open").chmod(0o644)
    found = looked(tmp_path / "state")["files inside"]
    assert found.text == "1 in it may be opened by others: principals/alice/files/open."


def test_a_folder_that_cannot_be_made_is_told_before_a_start_finds_out(tmp_path: Path) -> None:
    """By its nearest parent that is there, in which nothing is left."""
    (tmp_path / "file").touch()
    for path, parent in ((tmp_path / "file" / "x", tmp_path / "file"), (Path("/proc/none/x"), Path("/proc"))):
        found = by_name(folder.check(Settings(state_dir=path), fix=False))["state folder"]
        assert (found.level, f"nothing can be made in {parent} (" in found.text) == ("failure", True)
    assert by_name(folder.check(Settings(state_dir=tmp_path / "a" / "b"), fix=False))["state folder"].level == "ok"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_folders_that_are_not_ours_are_refused_and_left_as_they_are(tmp_path: Path) -> None:
    """Were a wrong folder named, to close it to others would do harm."""
    (tmp_path / "home").mkdir(mode=0o755)
    (tmp_path / "home" / "notes.txt").touch()
    found = by_name(folder.check(Settings(state_dir=tmp_path / "home"), fix=True))["state folder"]
    assert (found.level, (tmp_path / "home").stat().st_mode & 0o777) == ("failure", 0o755)
    (tmp_path / "link").symlink_to(tmp_path / "home")
    assert (
        "symbolic link" in by_name(folder.check(Settings(state_dir=tmp_path / "link"), fix=True))["state folder"].text
    )


def test_what_is_configured_wrongly_is_said_and_the_rest_is_looked_at_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An unknown key in config.toml, a browser that is none, a model without its key, Ollama that does not run."""
    missing = browser.check(Settings(state_dir=tmp_path, browser=tmp_path / "none"), fix=True)
    assert "is no program" in by_name(missing)["browser"].text
    told = doctor(tmp_path / "state", "--fix", code=1, browser=tmp_path / "none")
    assert told["browser"]["level"] == "failure"
    (broken := tmp_path / "broken").write_text("#!/bin/sh\nexit 1\n")
    broken.chmod(0o700)
    (found,) = browser.check(Settings(state_dir=tmp_path, browser=broken), fix=False)
    assert "does not start" in found.text
    assert found.mend.startswith("set NOTTE_MCP_BROWSER=")
    assert (
        "ANTHROPIC_API_KEY is not set" in by_name(models.check(Settings(model="anthropic:x"), fix=False))["model"].text
    )
    ollama = models.check(Settings(model="ollama:x", ollama_base_url="http://127.0.0.1:9"), fix=False)
    assert "Nothing answers" in by_name(ollama)["ollama"].text

    other = browser.check(Settings(state_dir=tmp_path, browser=Path("/bin/ls")), fix=False)
    looks = next(iter(other))
    assert (looks.level, "\n" in looks.text, "does not look like a Chromium" in looks.text) == ("warning", False, True)

    (tmp_path / "config" / "notte-mcp").mkdir(parents=True)
    (tmp_path / "config" / "notte-mcp" / "config.toml").write_text("max_sesions = 3\n")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setattr(examining, "CHECKS", (models.check,))
    monkeypatch.setenv("NOTTE_MCP_MAX_SESIONS", "3")
    findings = by_name(examining.examine({}, fix=False))
    assert f"{tmp_path}/config/notte-mcp/config.toml sets max_sesions" in findings["settings"].text
    assert "NOTTE_MCP_MAX_SESIONS is set" in findings["environment"].text
    assert findings["environment"].mend == "NOTTE_MCP_MAX_SESSIONS may be meant"
    assert findings["settings"].level == "failure"
    assert findings["model"].level == "ok"
