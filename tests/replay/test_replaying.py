"""`notte-mcp replay`: where the files are, that a live session is left alone, and what is said where there is none."""

import os
import shutil
import subprocess
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import NamedTuple

import anyio.to_thread
import pytest

from notte_mcp.actions import Click, Goto
from notte_mcp.app import App, open_app
from notte_mcp.engines.scripted import ScriptedEngine
from notte_mcp.records import SessionSpec
from notte_mcp.settings import Settings
from tests import office
from tests.forks import ROOT
from tests.stdio.wire import run

pytestmark = pytest.mark.anyio

BASE = "http://office.test"


class Filmed(NamedTuple):
    """An App that lives, and a session of it that was filmed and lives too; one that was not."""

    app: App
    state: Path
    session: str
    unfilmed: str


@pytest.fixture(name="filmed", scope="module")
async def _filmed(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Filmed]:
    state = tmp_path_factory.mktemp("filmed") / "state"
    engine = ScriptedEngine(office.scripted_pages(BASE))
    async with open_app(Settings(state_dir=state), engines={"local": engine}) as app:
        record, _ = await app.registry.open(SessionSpec(record=True), url=f"{BASE}/form")
        async with app.registry.use(record.id) as live:
            await live.execute(
                [Goto(type="goto", url=f"{BASE}/form"), Click(type="click", selector="#nothing")],
                actor="assistant",
                deadline_s=10,
            )
        with anyio.fail_after(10):
            while not app.replays.about(app.registry.folder(record.id)).frames:  # noqa: ASYNC110 - the film is a file
                await anyio.sleep(0.02)
        other, _ = await app.registry.open(SessionSpec(record=False), url=f"{BASE}/form")
        yield Filmed(app, state, record.id, other.id)


async def replay(
    filmed: Filmed, *arguments: str, env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """The command in a process of its own, on the state folder of a server that lives."""

    def command() -> subprocess.CompletedProcess[str]:
        return run("--state-dir", str(filmed.state), "replay", *arguments, env=env)

    return await anyio.to_thread.run_sync(command)


def names(folder: Path) -> list[str]:
    return [one.name for one in folder.iterdir()]


async def test_the_replay_of_a_live_session_is_made_and_the_session_lives_on(filmed: Filmed) -> None:
    done = await replay(filmed, filmed.session)

    assert done.returncode == 0, done.stderr
    page, video = map(Path, done.stdout.splitlines())
    text = page.read_text(encoding="utf-8")
    assert (page.suffix, video.suffix) == (".html", ".mp4")
    assert video.read_bytes()[4:8] == b"ftyp"
    assert filmed.session in text
    assert '"kind":"step"' in text
    assert "still goes on" in done.stderr
    assert (await filmed.app.registry.record(filmed.session)).owner == filmed.app.owner
    async with filmed.app.registry.use(filmed.session) as live:
        await live.execute([Goto(type="goto", url=f"{BASE}/form")], actor="assistant", deadline_s=10)


@pytest.mark.parametrize(("name", "begins"), [("seen.html", b"<!doctype html>"), ("seen.MP4", b"\0\0\0")])
async def test_it_is_written_where_it_is_asked_for(filmed: Filmed, tmp_path: Path, name: str, begins: bytes) -> None:
    out = tmp_path / name
    done = await replay(filmed, filmed.session, "--out", str(out))

    assert (done.returncode, done.stdout) == (0, f"{out}\n"), done.stderr
    assert out.read_bytes().startswith(begins)
    assert names(tmp_path) == [name]


async def test_without_pyav_there_is_the_player_and_the_line_that_installs_it(filmed: Filmed, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text("import sys; sys.modules['av'] = None", encoding="utf-8")
    env = {"PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"}
    state = tmp_path / "state"  # of its own, so that no video is there already
    await anyio.to_thread.run_sync(
        lambda: shutil.copytree(filmed.state, state, ignore=shutil.ignore_patterns("*.mp4", "*.html", "run"))
    )
    done = await replay(filmed._replace(state=state), filmed.session, env=env)
    refused = await replay(filmed._replace(state=state), filmed.session, "--out", str(tmp_path / "x.mp4"), env=env)

    assert done.returncode == 0, done.stderr
    (page,) = map(Path, done.stdout.splitlines())
    for text in (done.stderr, page.read_text(encoding="utf-8"), refused.stderr):
        assert "PATH[video]" in text
    assert (refused.returncode, refused.stdout) == (1, "")


async def test_it_is_opened_in_the_browser_of_the_person(filmed: Filmed, tmp_path: Path) -> None:
    opened = tmp_path / "opened"
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" > {opened}\n', encoding="utf-8")
    browser.chmod(0o755)
    done = await replay(filmed, filmed.session, "--open", env={"BROWSER": f"{browser} %s"})

    assert done.returncode == 0, done.stderr
    assert opened.read_text().strip() == Path(done.stdout.splitlines()[0]).as_uri()


@pytest.mark.parametrize("of", [f"agt_{'0' * 26}", "../a\x1b[31mb"])
async def test_an_id_that_nobody_has_is_said_in_a_sentence(filmed: Filmed, of: str) -> None:
    done = await replay(filmed, of)

    assert (done.returncode, done.stdout) == (1, "")
    assert len(done.stderr.splitlines()) == 1
    assert "No session or agent has the id" in done.stderr
    assert "\x1b" not in done.stderr


async def test_what_was_not_filmed_and_where_nothing_can_be_written_is_said_in_a_sentence(
    filmed: Filmed, tmp_path: Path
) -> None:
    (tmp_path / "folder.html").mkdir()
    nowhere = tmp_path / "no" / "x.html"
    wrong = [
        await replay(filmed, filmed.unfilmed),
        await replay(filmed, filmed.session, "--out", str(tmp_path / "folder.html")),
        await replay(filmed, filmed.session, "--out", str(nowhere)),
    ]

    for done, word in zip(wrong, ("was filmed", "folder.html", str(nowhere.parent)), strict=True):
        assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (1, "", 1), done.stderr
        assert word in done.stderr
    assert names(tmp_path) == ["folder.html"]


@pytest.mark.parametrize("arguments", [["ses_x", "--out", "x.gif"], ["ses_x", "--open", "--out", "x.html"]])
async def test_wrong_arguments_end_with_two(filmed: Filmed, arguments: list[str]) -> None:
    done = await replay(filmed, *arguments)

    assert (done.returncode, done.stdout) == (2, "")
