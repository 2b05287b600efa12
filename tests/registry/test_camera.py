"""One browser films for all who look: each at its own pace, and nobody for nobody."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import cast

import anyio
import psutil
import pytest

from notte_mcp.actions import Fill, Goto
from notte_mcp.app import App, open_app
from notte_mcp.engines.base import BrowserSession
from notte_mcp.errors import NotteMCPError, SessionNotLive, UnknownSession
from notte_mcp.frames import Frame, FrameListener
from notte_mcp.records import SessionSpec
from notte_mcp.registry.camera import Camera, Watch
from notte_mcp.replay import film, marks
from notte_mcp.replay.recorder import Recorder, Recording
from notte_mcp.settings import Settings
from tests.browsers import Browsers
from tests.registry.conftest import House, until
from tests.site import Site

pytestmark = pytest.mark.anyio

PIDS: list[int] = []
"""Of the browsers that sessions here have for themselves."""


class Painter:
    """A browser of which only the screen is there."""

    def __init__(self) -> None:
        self.listener: FrameListener | None = None
        self.asked: list[bool] = []
        self.painted = 0

    async def film(self, listener: FrameListener | None) -> None:
        self.asked.append(listener is not None)
        self.listener = listener

    def paint(self) -> float:
        """Something changes; gives what whoever listens said."""
        self.painted += 1
        assert self.listener is not None
        return self.listener(Frame(float(self.painted), str(self.painted).encode(), 960, 600, (1280, 800)))


@asynccontextmanager
async def running(camera: Camera) -> AsyncGenerator[Painter]:
    painter = Painter()
    async with anyio.create_task_group() as group:
        group.start_soon(camera.run, cast(BrowserSession, painter))
        yield painter
        group.cancel_scope.cancel()


async def test_the_browser_films_while_somebody_looks_and_no_longer() -> None:
    """Contract: what nobody looks at costs nothing."""
    camera = Camera()
    async with running(camera) as painter:
        await anyio.wait_all_tasks_blocked()
        assert painter.asked == []
        async with camera.watching(every_s=1), camera.watching(every_s=1):
            await until(lambda: painter.listener is not None)
        await until(lambda: painter.listener is None)
        assert painter.asked[-1] is False


async def test_the_smallest_wish_holds_for_all() -> None:
    """Contract: each has its own pace."""
    camera = Camera()
    async with running(camera) as painter, camera.watching(every_s=0.5), camera.watching(every_s=20):
        await until(lambda: painter.listener is not None)
        assert painter.paint() == pytest.approx(0.5)


async def test_who_is_slow_gets_the_newest_frame_and_holds_up_nobody() -> None:
    """Contract: it misses frames; the quick one does not."""
    camera = Camera()
    async with running(camera) as painter, camera.watching(every_s=0) as quick, camera.watching(every_s=0) as slow:
        await until(lambda: painter.listener is not None)
        for number in range(1, 4):
            painter.paint()
            assert (await quick.next()).at == number
        assert (await slow.next()).at == 3


async def test_a_watch_begins_with_what_is_known_and_keeps_its_pace() -> None:
    """Contract: on a still page nothing new is painted; and what was painted last is never missed."""
    camera = Camera()
    async with running(camera) as painter, camera.watching(every_s=0):
        await until(lambda: painter.listener is not None)
        painter.paint()
        async with camera.watching(every_s=0.2) as late:
            begun = anyio.current_time()
            assert (await late.next()).at == 1
            painter.paint()
            painter.paint()
            assert (await late.next()).at == 3
            assert anyio.current_time() - begun >= 0.19


async def test_a_recorder_that_wants_no_more_is_nobody_who_looks(tmp_path: Path) -> None:
    """Limit `max_replay_minutes`: the browser is not kept filming for it."""
    camera = Camera()
    camera.recorder = Recorder(tmp_path, Recording(max_s=0), stirred=camera.stir, tell=(told := list[str]()).append)
    async with running(camera) as painter:
        await until(lambda: painter.listener is not None)
        painter.paint()
        await until(lambda: painter.listener is None)
    assert len(told) == 1
    await camera.recorder.close(within_s=1)


async def test_a_step_hastens_the_next_frame(tmp_path: Path) -> None:
    """Contract: what a step left is there soon, though the recorder had said that it wants nothing for a while."""
    camera = Camera()
    camera.recorder = Recorder(tmp_path, Recording(), stirred=camera.stir, tell=list[str]().append)
    async with running(camera) as painter:
        await until(lambda: painter.listener is not None)
        painter.paint()
        asked = len(painter.asked)
        camera.settled()
        await until(lambda: len(painter.asked) > asked)
    await camera.recorder.close(within_s=1)


async def test_a_watch_is_told_what_has_become_of_its_session(house: House) -> None:
    """Contract: who looks learns of the end, and of an unknown session."""
    session_id = await house.open()
    ends: list[NotteMCPError] = []

    async def look(watch: Watch) -> None:
        try:
            while True:
                await watch.next()
        except NotteMCPError as error:
            ends.append(error)

    async with house.registry.watch(session_id, every_s=0) as watch, anyio.create_task_group() as group:
        group.start_soon(look, watch)
        await anyio.wait_all_tasks_blocked()
        await house.registry.stop(session_id)

    assert [type(end) for end in ends] == [SessionNotLive]
    assert house.registry.latest(session_id) is None
    with pytest.raises(SessionNotLive):
        async with house.registry.watch(session_id, every_s=1):
            pass
    with pytest.raises(UnknownSession):
        async with house.registry.watch("ses_nobody", every_s=1):
            pass


# --- in Chromium ------------------------------------------------------------------


@pytest.fixture
async def app(tmp_path: Path, browsers: Browsers) -> AsyncGenerator[App]:
    settings = Settings(state_dir=tmp_path / "state")
    async with open_app(settings, engines={"local": browsers.engine(settings, note_process=PIDS.append)}) as opened:
        yield opened


async def test_every_step_has_its_picture_and_a_restored_session_goes_on_in_its_film(app: App, site: Site) -> None:
    """Contract: a frame soon after each step; a lost browser ends no film."""
    registry = app.registry
    record, _ = await registry.open(SessionSpec(own_browser=True), url=site.url("/form.html"))
    folder = registry.folder(record.id)
    for value in ("Ada", "Brew", "Ada Brew"):
        async with registry.use(record.id) as live:
            done = await live.execute([Fill(selector="#applicant", value=value)], deadline_s=20)
        acted_at = done.receipts[0].acted_at
        assert acted_at is not None
        with anyio.fail_after(5):
            while not any(shot.at >= acted_at for shot in film.shots(folder)):  # noqa: ASYNC110 - a thread tells nobody
                await anyio.sleep(0.02)
    psutil.Process(PIDS[-1]).kill()
    await registry.until_ended(record.id)
    filmed = film.shots(folder)

    await registry.restore(record.id)
    async with registry.use(record.id) as live:
        await live.execute([Goto(url=site.url("/late.html"))], deadline_s=20)
    await registry.stop(record.id)

    after = film.shots(folder)
    assert after[: len(filmed)] == filmed
    assert len(after) > len(filmed)
    assert marks.ended(folder) == ""
    pictures = [film.jpeg(folder, shot) for shot in after]
    assert all(picture.startswith(b"\xff\xd8") and picture.endswith(b"\xff\xd9") for picture in pictures)


async def test_who_asks_for_no_film_has_none(app: App, site: Site) -> None:
    """Contract: a session may be asked not to be filmed, and what stands aside is not unless asked."""
    for spec, aside in ((SessionSpec(record=False), False), (SessionSpec(), True)):
        record, _ = await app.registry.open(spec, url=site.url("/form.html"), aside=aside)
        await app.registry.stop(record.id)
        assert film.shots(app.registry.folder(record.id)) == []
