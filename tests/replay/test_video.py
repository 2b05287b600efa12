"""The MP4: what is in it, frame by frame, and what becomes of one that cannot be made."""

import json
import os
import subprocess
import sys
import time
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from typing import Any, cast

import anyio
import av
import pytest
from PIL import Image, ImageChops, ImageStat

from notte_mcp.errors import VideoFailed
from notte_mcp.frames import Frame
from notte_mcp.replay import encoding, pictures, storyboard, timeline, video
from notte_mcp.replay.bar import HEIGHT
from notte_mcp.replay.parts import Part
from tests.replay.filmed import frame, record, step

pytestmark = pytest.mark.anyio


def planned(*parts: Part) -> tuple[Any, timeline.Timeline]:
    """The storyboard of these parts as the process gets it, and their timeline."""
    reels = storyboard.reels(parts)
    line = timeline.lay_out(reels)
    return json.loads(json.dumps(storyboard.board(parts, reels, line))), line


def decoded(path: Path) -> list[tuple[float, Image.Image]]:
    """Each picture, and when it is shown (seconds)."""
    with av.open(str(path)) as container:
        frames: Any = container.decode(video=0)
        return [(frame.pts * float(frame.time_base), frame.to_image()) for frame in frames]


def at(pictures_of: list[tuple[float, Image.Image]], seconds: float) -> Image.Image:
    return [image for begin, image in pictures_of if begin <= seconds + 0.0005][-1]


def apart(one: Image.Image, other: Image.Image) -> float:
    """How much two pictures differ, as the mean of all px (0 to 255)."""
    return max(ImageStat.Stat(ImageChops.difference(one.convert("RGB"), other.convert("RGB"))).mean)


@pytest.fixture(name="part")
def _part(tmp_path: Path) -> Part:
    """Five steps on as many pages, a damaged frame between them, and a phone's viewport at the end."""
    frames = [frame(100.0 + number * 2 + half * 0.4, number * 2 + half) for number in range(5) for half in (0, 1)]
    frames.insert(3, Frame(102.1, frames[3].jpeg[:900] + b"\0" * 900, 960, 600, (1280, 800)))
    frames.append(frame(112.0, 3, size=(390, 844), viewport=(390, 844)))
    steps = [step(number + 1, 100.15 + number * 2, moved=number % 2 == 1, name=f"Nr {number}") for number in range(5)]
    return Part(record(tmp_path / "ses", *frames), steps)


async def test_each_step_is_seen_in_the_video_by_its_picture_and_its_caption(part: Part, tmp_path: Path) -> None:
    """Log, pictures and video agree; the bar says which step it is."""
    board, line = planned(part)
    made = tmp_path / "out.mp4"

    await encoding.encode(board, made)

    shown = decoded(made)
    across, down = board["size"]
    bars: list[Image.Image] = []
    for mark, one in zip(line.marks, part.steps, strict=True):
        image = at(shown, mark.shown)
        assert image.size == (across, down + HEIGHT)
        jpeg = pictures.picture(part.folder, part.steps, one)
        own = Image.open(BytesIO(jpeg or b""))
        left, top = (across - own.width) // 2, (down - own.height) // 2
        assert apart(image.crop((left, top, left + own.width, top + own.height)), own) < 6
        # Its right end, where the time is, and its edge, where the progress is, change for other reasons.
        bars.append(image.crop((0, down + 5, across - 90, down + HEIGHT)))
    assert all(apart(one, other) > 0.3 for one, other in pairwise(bars))
    assert made.stat().st_mode & 0o077 == 0


async def test_a_mark_can_be_jumped_to_and_the_end_is_where_it_was_said(part: Part, tmp_path: Path) -> None:
    """Clicking on a step seeks exactly; a player reads the length from the file."""
    board, line = planned(part)
    made = tmp_path / "out.mp4"
    await encoding.encode(board, made)

    with av.open(str(made)) as container:
        packets: list[Any] = [packet for packet in container.demux(video=0) if packet.pts is not None]
        keys = {round(float(packet.pts * packet.time_base), 3) for packet in packets if packet.is_keyframe}
        assert abs(cast(int, container.duration) / 1e6 - line.ms / 1_000) < 0.05
        assert container.streams.video[0].codec_context.name in {"h264", "vp9", "av1", "libdav1d"}
    assert {round(mark.at, 3) for mark in line.marks} <= keys
    head = made.read_bytes()[:4_000]
    assert b"moov" in head  # so that it plays while it is being loaded


def test_it_is_made_with_whatever_encoder_is_there(part: Part, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A PyAV without x264 makes what browsers play as well."""
    board, line = planned(part)
    others = tuple((name, how) for name, how in video.ENCODERS if name != "libx264")
    unfit: tuple[tuple[str, dict[str, str]], ...] = (("no_such", {}), ("libx264", {"preset": "no such"}))
    monkeypatch.setattr(video, "ENCODERS", (*unfit, *others))

    assert video.encode(board, str(tmp_path / "out.mp4")) != "libx264"

    assert abs(decoded(tmp_path / "out.mp4")[-1][0] - line.ms / 1_000) < 0.1
    monkeypatch.setattr(video, "ENCODERS", ())
    with pytest.raises(ValueError, match="no encoder"):
        video.encode(board, str(tmp_path / "none.mp4"))


async def test_what_fails_leaves_nothing_and_says_why(part: Part, tmp_path: Path) -> None:
    """A film that is gone, a folder that is, and a board that is no board."""
    board, _ = planned(part)
    place = tmp_path / "videos" / "out.mp4"
    with pytest.raises(VideoFailed, match="No such file"):
        await encoding.encode(board, place)
    place.parent.mkdir()
    with pytest.raises(VideoFailed, match="KeyError"):
        await encoding.encode({}, place)
    assert list(place.parent.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="bounds a file's size as Unix does")
def test_a_full_disk_is_called_that(part: Part, tmp_path: Path) -> None:
    """The reason that it has most often; a file of bounded size is as good as a disk that is full."""
    board, _ = planned(part)
    limit = "import resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); "
    limit += "resource.setrlimit(resource.RLIMIT_FSIZE, (20000, 20000)); sys.argv = ['video', sys.argv[1]]; "
    limit += "from notte_mcp.replay.video import main; raise SystemExit(main())"

    with subprocess.Popen(
        [sys.executable, "-c", limit, str(tmp_path / "out.mp4")], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps(board).encode() + b"\n")
        process.stdin.flush()
        told = json.loads(process.stdout.readline())
        process.kill()

    assert told["full"], told


async def test_the_process_ends_with_who_asked_for_it(part: Part, tmp_path: Path) -> None:
    """A server that is killed leaves no encoder behind."""
    board, _ = planned(part)
    long = {**board, "scenes": board["scenes"] * 400}
    command = [sys.executable, "-m", "notte_mcp.replay.video", str(tmp_path / "out.mp4")]
    async with await anyio.open_process(command, stderr=None) as process:
        assert process.stdin is not None
        await process.stdin.send(json.dumps(long).encode() + b"\n")
        with anyio.fail_after(60):
            while not (tmp_path / "out.mp4").exists():  # noqa: ASYNC110 - another process makes it
                await anyio.sleep(0.02)
            await process.stdin.aclose()
            assert await process.wait() == 3


async def test_one_that_nobody_waits_for_is_ended(part: Part, tmp_path: Path) -> None:
    """Cancelled means gone: the process, and what it had written."""
    board, _ = planned(part)
    place = tmp_path / "videos" / "out.mp4"
    place.parent.mkdir()
    long = {**board, "scenes": board["scenes"] * 400}
    async with anyio.create_task_group() as group:
        group.start_soon(encoding.encode, long, place)
        with anyio.fail_after(60):
            while not [one for one in place.parent.iterdir() if one.stat().st_size]:  # noqa: ASYNC110 - as above
                await anyio.sleep(0.02)
        group.cancel_scope.cancel()

    assert list(place.parent.iterdir()) == []


async def test_what_a_killed_server_left_unfinished_is_removed(part: Part, tmp_path: Path) -> None:
    """It would take room for ever."""
    board, _ = planned(part)
    old, young = tmp_path / ".a.mp4.1.making", tmp_path / ".a.mp4.2.making"
    for one in (old, young):
        one.write_bytes(b"x")
    past = time.time() - 3_600
    os.utime(old, (past, past))

    await encoding.encode(board, tmp_path / "a.mp4")

    assert not old.exists()
    assert young.exists()
