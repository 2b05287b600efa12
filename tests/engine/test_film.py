"""A film of a real page: what is painted comes, at the pace of who looks, and nothing is left of it."""

import asyncio
import io
import time
from collections.abc import Callable
from itertools import pairwise

import anyio
import pytest
from PIL import Image

from notte_mcp import actions as a
from notte_mcp.frames import Frame, size_of
from notte_mcp.records import SessionSpec
from tests.engine.conftest import Lookout
from tests.engine.eyes import Eye
from tests.site import Site

pytestmark = pytest.mark.anyio

_MARK = (214, 51, 108)
_PAINTS = """document.body.innerHTML = ""; let n = 0;
(function paint() {
  document.body.style.background = n >= %d ? "rgb(0, 128, 0)" : n %% 2 ? "rgb(200, 200, 0)" : "rgb(0, 0, 200)";
  if (n++ < %d) requestAnimationFrame(paint);
})()"""


class Reel:
    """Frames as they come, and when."""

    def __init__(self, every_s: float = 0.0) -> None:
        self.every_s = every_s
        self.frames: list[Frame] = []
        self.came: list[float] = []
        self._news = anyio.Event()

    def __call__(self, frame: Frame) -> float:
        self.frames.append(frame)
        self.came.append(time.monotonic())
        self._news.set()
        return self.every_s

    async def until(self, holds: Callable[[Frame], bool]) -> Frame:
        """The frame of which that holds, once it is the last one."""
        with anyio.fail_after(10):
            while not (self.frames and holds(self.frames[-1])):
                self._news = anyio.Event()
                await self._news.wait()
        return self.frames[-1]


def colour(frame: Frame) -> tuple[int, ...]:
    pixel = Image.open(io.BytesIO(frame.jpeg)).convert("RGB").getpixel((frame.width // 2, frame.height - 20))
    assert isinstance(pixel, tuple)
    return tuple(int(part) for part in pixel)


def is_green(frame: Frame) -> bool:
    red, green, blue = colour(frame)
    return green > red + 60 and green > blue + 60


@pytest.fixture
async def reel(eye: Eye) -> Reel:
    """A film of a page of the site, its first frame there."""
    await eye.go("/form.html")
    reel = Reel()
    await eye.session.film(reel)
    await reel.until(lambda _: True)
    return reel


async def test_what_a_page_has_come_to_is_the_last_frame_however_fast_it_painted(eye: Eye) -> None:
    """What is painted while the browser waits to be asked is made up for; no two frames come closer than is wanted,
    but for those of what an action is about to leave."""
    await eye.go("/form.html")
    reel = Reel(every_s=0.15)
    await eye.session.film(reel)
    for paints in (1, 2, 3, 5, 30):
        await eye.run(_PAINTS % (10_000, 1))
        await reel.until(lambda frame: not is_green(frame))
        await eye.run(_PAINTS % (paints, paints))
        await reel.until(is_green)
    came = [at for at, frame in zip(reel.came, reel.frames, strict=True) if not frame.asked]
    gaps = [after - before for before, after in pairwise(came)]
    assert min(gaps) >= reel.every_s - 0.01


@pytest.mark.parametrize("size", [(375, 667), (1600, 1200)])
async def test_a_frame_tells_its_own_size_and_what_it_shows(
    lookout: Lookout, site: Site, size: tuple[int, int]
) -> None:
    """At most 960 px, of the viewport in CSS px, scrolled and zoomed as it may be; `at` is a time of the day."""
    session = await lookout.open(SessionSpec(viewport_width=size[0], viewport_height=size[1]))
    eye, reel = Eye(session, site), Reel()
    await eye.go("/products/100")
    await session.film(reel)
    await reel.until(lambda _: True)
    seen = len(reel.frames)
    await eye.run("document.body.style.zoom = 1.5; scrollTo(0, 700)")
    await reel.until(lambda _: len(reel.frames) > seen)
    for frame in reel.frames:
        assert frame.viewport == size
        assert Image.open(io.BytesIO(frame.jpeg)).size == (frame.width, frame.height) == size_of(frame.jpeg)
        assert max(frame.width, frame.height) <= 960
        assert abs(frame.width / frame.height - size[0] / size[1]) < 0.01
        assert abs(frame.at - time.time()) < 30
    await session.close(deadline_s=2)


async def test_ids_that_are_drawn_for_a_picture_are_in_no_frame(eye: Eye, reel: Reel) -> None:
    """They come and go between two frames."""
    await eye.look()
    marked = await eye.session.screenshot(marks=True)
    assert _drawn(marked)
    seen = len(reel.frames)
    await eye.run("document.body.style.background = 'rgb(0, 128, 0)'")
    await reel.until(lambda frame: len(reel.frames) > seen and is_green(frame))
    assert not [frame for frame in reel.frames if _drawn(frame.jpeg)]


def _drawn(jpeg: bytes) -> bool:
    image = Image.open(io.BytesIO(jpeg)).convert("RGB")
    found = image.getcolors(image.width * image.height) or []
    return sum(count for count, pixel in found if isinstance(pixel, tuple) and _near(pixel)) > 40


def _near(pixel: tuple[int, ...]) -> bool:
    return all(abs(is_ - mark) < 12 for is_, mark in zip(pixel, _MARK, strict=True))


async def test_the_film_goes_on_in_the_tab_that_has_taken_the_place_of_one(eye: Eye, reel: Reel) -> None:
    """A new one, and the old one once that is closed."""
    await eye.run("document.body.style.background = 'rgb(0, 128, 0)'")
    await reel.until(is_green)
    await eye.do(a.GotoNewTab(url=eye.site.url("/form.html")))
    await reel.until(lambda frame: not is_green(frame))
    await eye.do(a.CloseTab())
    await reel.until(is_green)


async def test_nothing_is_left_of_a_film_that_ended(lookout: Lookout, site: Site) -> None:
    """Whoever ended it: who looked, who looks instead, or the session's end."""
    session = await lookout.open()
    eye, first, second = Eye(session, site), Reel(), Reel()
    await eye.go("/form.html")
    await session.film(first)
    await first.until(lambda _: True)
    await session.film(second)
    await second.until(lambda _: True)
    ended = len(first.frames)
    await eye.run("document.body.style.background = 'rgb(0, 128, 0)'")
    await second.until(is_green)
    assert len(first.frames) == ended
    await session.film(None)
    assert not _filming()
    await session.film(second)
    await session.close(deadline_s=2)
    assert not _filming()


def _filming() -> list[str]:
    return [task.get_name() for task in asyncio.all_tasks() if task.get_name() == "filming"]


async def test_a_listener_that_fails_fails_nothing_else(eye: Eye) -> None:
    """Its film is over; the page goes on."""
    await eye.go("/form.html")
    called = anyio.Event()

    def broken(_: Frame) -> float:
        called.set()
        raise RuntimeError

    await eye.session.film(broken)
    with anyio.fail_after(5):
        await called.wait()
        while _filming():
            await anyio.lowlevel.checkpoint()
    await eye.run("1")
