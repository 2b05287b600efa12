"""What of a session is filmed: near its steps much, later little, never more than was allowed."""

import itertools
import threading
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import anyio
import pytest

from notte_mcp.frames import Frame
from notte_mcp.replay import film, marks, recorder
from notte_mcp.replay.film import FilmWriter
from notte_mcp.replay.recorder import EVERY_S, NEAR_S, Recorder, Recording

pytestmark = pytest.mark.anyio

HOUR_S = 3_600
BYTES = 20_000


@dataclass
class Set:
    """A recorder, the time on it, and a page that paints 60 times a second, each time something else."""

    recorder: Recorder
    folder: Path
    now: list[float]
    told: list[str] = field(default_factory=list[str])
    numbers: "itertools.count[int]" = field(default_factory=itertools.count)

    def frame(self) -> Frame:
        return Frame(1_800_000_000 + self.now[0], _jpeg(next(self.numbers)), 960, 600, (1280, 800))

    async def paints(self, seconds: float, *, step_every_s: float | None = None) -> None:
        """The page paints as often as the recorder wants it, for so long."""
        until = self.now[0] + seconds
        step_at = self.now[0]
        while self.now[0] < until:
            if step_every_s is not None and self.now[0] >= step_at:
                self.recorder.begun()
                self.recorder.settled()
                step_at += step_every_s
            wait = max(self.recorder(self.frame()), 1 / 60)
            if step_every_s is not None:
                wait = min(wait, max(step_at - self.now[0], 1 / 60))
            self.now[0] += wait
            await self.written()

    async def written(self) -> None:
        """Until the disk has all."""
        reel = self.recorder._reel  # pyright: ignore[reportPrivateUsage]
        with anyio.fail_after(5):
            while reel is not None and not reel.is_idle:  # noqa: ASYNC110 - a thread tells nobody
                await anyio.sleep(0.0001)

    def shots(self) -> list[float]:
        """When each frame on the disk was painted, from the beginning on."""
        return [shot.at - 1_800_000_000 for shot in film.shots(self.folder)]


def _jpeg(number: int) -> bytes:
    return b"\xff\xd8" + number.to_bytes(4, "big") + bytes(BYTES)


@asynccontextmanager
async def filming(
    folder: Path, how: Recording | None = None, *, stirred: Callable[[], object] = bool
) -> AsyncGenerator[Set]:
    now, told = [0.0], list[str]()
    made = Recorder(folder, how or Recording(), stirred=stirred, tell=told.append, now=lambda: now[0])
    yield Set(made, folder, now, told)
    await made.close(within_s=5)


async def test_near_a_step_many_frames_are_kept_and_later_few(tmp_path: Path) -> None:
    """Contract: up to some a second within 3 s of a step, then one a second, one in 5 s after a minute."""
    async with filming(tmp_path) as on:
        await on.paints(180)

    near = [at for at in on.shots() if at <= NEAR_S]
    calm = [at for at in on.shots() if NEAR_S + 1 < at < 60]
    still = [at for at in on.shots() if at > 66]
    assert NEAR_S / EVERY_S[0] - 1 <= len(near) <= NEAR_S / EVERY_S[0] + 2
    assert 50 <= len(calm) <= 57
    assert 20 <= len(still) <= 24


async def test_what_a_step_left_is_kept_whatever_the_pace(tmp_path: Path) -> None:
    """Contract: pictures agree with steps, so the frame after a step never falls to the pace; and it is asked for."""
    asked: list[bool] = []
    async with filming(tmp_path, stirred=lambda: asked.append(True)) as on:
        on.recorder(on.frame())
        on.now[0] += 0.01
        assert on.recorder(on.frame()) > 0
        on.recorder.begun()
        on.recorder.settled()
        on.recorder(on.frame())  # too early to show it
        assert on.recorder.left == pytest.approx(recorder.PAINTED_S, abs=0.2)
        on.now[0] += recorder.PAINTED_S
        left = on.frame()
        on.recorder(left)
        await on.written()

    shots = film.shots(tmp_path)
    assert asked
    assert film.jpeg(tmp_path, shots[-1]) == left.jpeg
    assert len(shots) == 3  # what there was before the step, too


async def test_an_unchanged_picture_is_kept_once(tmp_path: Path) -> None:
    """Ours: a film that is begun anew shows the same picture again."""
    async with filming(tmp_path) as on:
        same = on.frame()
        for _ in range(3):
            on.recorder(same)
            on.now[0] += 1
        await on.written()

    assert len(film.shots(tmp_path)) == 1


@pytest.mark.parametrize("step_every_s", [None, 60, 1])
async def test_an_hour_of_a_page_that_repaints_for_ever_fits(tmp_path: Path, step_every_s: float | None) -> None:
    """Bad input: whatever the steps do, the film is never larger than it may be, and with few steps it is not full."""
    how = Recording(max_bytes=600_000 * BYTES // 1_000, max_s=2 * HOUR_S)
    async with filming(tmp_path, how) as on:
        await on.paints(HOUR_S, step_every_s=step_every_s)

    shots = film.shots(tmp_path)
    assert shots[-1].offset + shots[-1].size <= how.max_bytes
    assert step_every_s == 1 or on.shots()[-1] > HOUR_S - 120
    assert step_every_s == 1 or marks.ended(tmp_path) == ""


async def test_from_four_fifths_on_there_is_one_frame_a_step_then_none_and_the_end_is_told_once(tmp_path: Path) -> None:
    """Limit `max_replay_bytes`."""
    how = Recording(max_bytes=100 * BYTES)
    async with filming(tmp_path, how) as on:
        await on.paints(600, step_every_s=1)
        assert not on.recorder.wants

    sizes = [shot.offset + shot.size for shot in film.shots(tmp_path)]
    late = [at for at, size in zip(on.shots(), sizes, strict=True) if size > 0.82 * how.max_bytes]
    assert 0.95 * how.max_bytes < sizes[-1] <= how.max_bytes
    assert all(b - a >= 0.9 for a, b in itertools.pairwise(late))
    assert len(on.told) == 1
    assert "max_replay_bytes" in on.told[0]
    assert "max_replay_bytes" in marks.ended(tmp_path)


async def test_after_its_minutes_nothing_more_is_filmed(tmp_path: Path) -> None:
    """Limit `max_replay_minutes`."""
    async with filming(tmp_path, Recording(max_s=30)) as on:
        await on.paints(60)

    assert 29 < on.shots()[-1] <= 31
    assert "max_replay_minutes" in marks.ended(tmp_path)
    assert len(on.told) == 1


async def test_a_disk_that_takes_no_more_is_told_once_and_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bad input: what is there stays, the gap is told, and it goes on by itself."""
    monkeypatch.setattr(recorder, "LOOK_S", (0.01, 0.01))
    full, whole = [False], FilmWriter.append

    def append(self: FilmWriter, frame: Frame) -> None:
        if full[0]:
            raise OSError(28, "No space left on device")
        whole(self, frame)

    monkeypatch.setattr(FilmWriter, "append", append)
    made = Recorder(tmp_path, Recording(), stirred=bool, tell=(told := list[str]()).append)
    on = Set(made, tmp_path, [0.0])
    async with anyio.create_task_group() as group:
        group.start_soon(made.watch_room)
        await _until(lambda: made(on.frame()) >= 0 and len(film.shots(tmp_path)) == 1)
        full[0] = True
        made.settled()
        made(on.frame())
        await _until(lambda: bool(told))
        full[0] = False
        await _until(lambda: made.wants)
        await _until(lambda: made(on.frame()) >= 0 and len(film.shots(tmp_path)) > 1)
        await made.close(within_s=5)
        group.cancel_scope.cancel()

    assert len(told) == 1
    assert "No space left" in told[0]
    assert " to " in marks.ended(tmp_path)


async def test_no_room_on_the_disk_stops_the_film_before_the_disk_is_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Contract: a film is large, so it is asked for room as all that is large."""
    monkeypatch.setattr(recorder, "LOOK_S", (0.01, 0.01))
    short = ["the disk has 3 MB left."]

    async def shortage() -> str:
        return short[0]

    stirred: list[bool] = []
    made = Recorder(
        tmp_path, Recording(shortage=shortage), stirred=lambda: stirred.append(True), tell=(told := list[str]()).append
    )
    async with anyio.create_task_group() as group:
        group.start_soon(made.watch_room)
        await _until(lambda: not made.wants)
        assert told == ["recording stopped, the session goes on: the disk has 3 MB left."]
        short[0] = ""
        await _until(lambda: made.wants)
        group.cancel_scope.cancel()
    await made.close(within_s=5)

    assert len(stirred) == 2


async def test_a_slow_disk_drops_frames_and_holds_up_neither_frames_nor_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Contract: a bounded queue, dropped rather than waited for; closing has its own bound."""
    go_on = threading.Event()
    whole = FilmWriter.append

    def append(self: FilmWriter, frame: Frame) -> None:
        go_on.wait(10)
        whole(self, frame)

    monkeypatch.setattr(FilmWriter, "append", append)
    async with filming(tmp_path) as on:
        for _ in range(100):
            on.recorder(on.frame())
            on.now[0] += 1
        begun = anyio.current_time()
        await on.recorder.close(within_s=0.2)
        assert anyio.current_time() - begun < 2
        assert on.recorder.dropped > 50
        go_on.set()


async def test_a_film_goes_on_where_another_process_was_killed(tmp_path: Path) -> None:
    """Contract: what was written half is removed, and nothing before it is lost."""
    async with filming(tmp_path) as on:
        await on.paints(2)
    before = film.shots(tmp_path)
    with (tmp_path / film.FOLDER / film.FILM).open("ab") as file:
        file.write(b"nmf1 half of a frame")
    assert film.shots(tmp_path) == before

    async with filming(tmp_path) as on:
        on.numbers = itertools.count(10_000)
        await on.paints(1)

    after = film.shots(tmp_path)
    assert after[: len(before)] == before
    assert len(after) > len(before)


async def _until(condition: Callable[[], bool]) -> None:
    with anyio.fail_after(10):
        while not condition():  # noqa: ASYNC110 - a thread tells nobody
            await anyio.sleep(0.005)
