"""Replays: made once, kept, made anew when there is more; and what is said where there is nothing."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import anyio
import pytest

from notte_mcp.errors import ExtraMissing, NothingRecorded, VideoFailed
from notte_mcp.replay import encoding, marks
from notte_mcp.replay.film import FilmWriter
from notte_mcp.replay.replays import Part, Replays
from tests.replay.filmed import SESSION, frame, record, step

pytestmark = pytest.mark.anyio


@pytest.fixture(name="part")
def _part(tmp_path: Path) -> Part:
    folder = record(tmp_path / SESSION, frame(100.0, 0), frame(100.6, 1), frame(102.0, 2))
    return Part(folder, [step(1, 100.3), step(2, 101.5, moved=True)])


@pytest.fixture(name="made")
def _made(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the videos that were really encoded."""
    names: list[str] = []
    encode = encoding.encode

    async def counted(board: Mapping[str, Any], place: Path) -> None:
        names.append(place.name)
        await encode(board, place)

    monkeypatch.setattr(encoding, "encode", counted)
    return names


async def test_many_who_ask_have_one_made(part: Part, made: list[str]) -> None:
    """A video costs seconds of a processor."""
    found: list[Any] = []

    async def ask(replays: Replays) -> None:
        found.append(await replays.video(SESSION, [part], live=False))

    async with Replays() as replays:
        replays.begin(SESSION, [part])
        async with anyio.create_task_group() as asking:
            for _ in range(5):
                asking.start_soon(ask, replays)
        again = await replays.video(SESSION, [part], live=False)
    async with Replays() as another:
        assert await another.video(SESSION, [part], live=False) == again

    assert made == [f"{SESSION}.mp4"]
    assert all(one == again for one in found)
    assert again.path.parent == part.folder / "replay"
    assert again.size == again.path.stat().st_size
    assert [mark.number for mark in again.marks] == [1, 2]


async def test_what_has_grown_is_made_anew(part: Part, made: list[str]) -> None:
    """Of a live session: what is there so far, each time."""
    async with Replays() as replays:
        before = await replays.video(SESSION, [part], live=True)
        writer = FilmWriter.open(part.folder)
        writer.append(frame(110.0, 4))
        writer.close()
        after = await replays.video(SESSION, [replace(part, steps=[*part.steps, step(3, 109.0)])], live=True)

    assert len(made) == 2
    assert after.path == before.path
    assert after.seconds > before.seconds
    assert len(after.marks) == 3


async def test_a_caller_that_goes_away_takes_nothing_from_the_others(part: Part, made: list[str]) -> None:
    """What was begun is finished, and kept for who asks next."""
    async with Replays() as replays:
        async with anyio.create_task_group() as leaving:
            leaving.start_soon(lambda: replays.video(SESSION, [part], live=False))
            with anyio.fail_after(20):
                while not made:  # noqa: ASYNC110 - it is begun by another task
                    await anyio.sleep(0.01)
            leaving.cancel_scope.cancel()
        await replays.video(SESSION, [part], live=False)

    assert len(made) == 1


async def test_closing_ends_what_is_being_made_and_says_so(part: Part, made: list[str]) -> None:
    """A server that ends waits for no video."""
    said: list[str] = []

    async def ask(replays: Replays) -> None:
        try:
            await replays.video(SESSION, [part], live=False)
        except VideoFailed as error:
            said.append(str(error))

    async with anyio.create_task_group() as asking, Replays() as replays:
        asking.start_soon(ask, replays)
        with anyio.fail_after(20):
            while not made:  # noqa: ASYNC110 - it is begun by another task
                await anyio.sleep(0.01)
        with anyio.fail_after(5):
            await replays.close(deadline_s=2)

    assert "the server is ending" in said[0]
    assert not list((part.folder / "replay").glob("*.mp4"))
    assert not list((part.folder / "replay").glob(".*"))
    replays.begin(SESSION, [part])  # never raises


async def test_what_nobody_foresaw_ends_one_video_and_nothing_else(
    part: Part, made: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither what is begun by itself nor what somebody asked for: the server and its sessions go on."""

    async def broken(_board: Mapping[str, Any], _place: Path) -> None:
        raise RuntimeError("unforeseen")

    def unfindable(_name: str) -> None:
        raise ImportError("unforeseen")

    async with Replays() as replays:
        with monkeypatch.context() as patched:
            patched.setattr(encoding, "encode", broken)
            with pytest.raises(VideoFailed, match="RuntimeError"):
                await replays.video(SESSION, [part], live=False)
            patched.setattr(encoding, "find_spec", unfindable)
            replays.begin(SESSION, [part])
            with pytest.raises(ImportError):
                await replays.video(SESSION, [part], live=False)
        await replays.video(SESSION, [part], live=False)
    assert made == [f"{SESSION}.mp4"]


async def test_nothing_recorded_is_said_in_words(tmp_path: Path, part: Part) -> None:
    """Off, nothing painted yet, swept: each is another thing to do about."""
    empty = Part(tmp_path / "ses_none", part.steps)
    swept = Part(record(tmp_path / "ses_swept", frame(1.0, 1)), part.steps)
    (swept.folder / "replay" / "film.bin").unlink()
    marks.note_swept(swept.folder, at=1_000_000.0, why="it was older than 30 days.")
    async with Replays() as replays:
        with pytest.raises(NothingRecorded, match="Recording was off"):
            await replays.video("ses_none", [empty], live=False)
        with pytest.raises(NothingRecorded, match="painted yet"):
            await replays.video("ses_none", [empty], live=True)
        with pytest.raises(NothingRecorded, match="older than 30 days"):
            await replays.picture(swept, part.steps[0])
        with pytest.raises(NothingRecorded, match="There is no recording"):
            await replays.player("agt_x", [], lines=[], heading={}, live=False)
        assert replays.about(empty.folder).frames == 0
        assert replays.about(part.folder).frames == 3


async def test_a_step_while_recording_paused_has_no_picture_of_something_else(part: Part) -> None:
    """The last frame before it is not what it looked like."""
    marks.note_pause(part.folder, marks.Pause(101.0, "the disk is full."))
    async with Replays() as replays:
        assert await replays.picture(part, part.steps[0])
        with pytest.raises(NothingRecorded, match="the disk is full"):
            await replays.picture(part, part.steps[1])
    assert "the disk is full" in replays.about(part.folder).ended


async def test_the_player_is_made_with_the_video_and_without_pyav_with_pictures(
    part: Part, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Missing PyAV: the player works, and says what to install."""
    lines = [{"number": one.number, "success": True} for one in part.steps]
    heading = {"id": SESSION, "url": "http://127.0.0.1/a"}
    async with Replays() as replays:
        player = await replays.player(SESSION, [part], lines=lines, heading=heading, live=False)
        assert '<script type="text/plain" id="video-bytes">' in player.read_text("utf-8")
        written = player.stat().st_mtime_ns
        assert await replays.player(SESSION, [part], lines=lines, heading=heading, live=False) == player
        assert player.stat().st_mtime_ns == written

        def missing(_name: str) -> None:
            return None

        monkeypatch.setattr(encoding, "find_spec", missing)
        with pytest.raises(ExtraMissing, match=r"PATH\[video\]"):
            await replays.video(SESSION, [part], live=False)
        text = (await replays.player(SESSION, [part], lines=lines, heading=heading, live=False)).read_text("utf-8")
        assert '<script type="text/plain" id="video-bytes">' not in text
        assert 'id="picture-0"' in text
        assert "PATH[video]" in text
