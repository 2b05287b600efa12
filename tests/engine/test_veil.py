"""What stands in a field that takes a secret looks the same whatever it is: in every frame, and in every picture."""

import io
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from hashlib import sha256
from typing import Final

import anyio
import pytest
from PIL import Image

from notte_mcp import actions as a
from notte_mcp.frames import Frame
from notte_mcp.records import SessionSpec
from tests.engine.conftest import Lookout
from tests.engine.eyes import Eye
from tests.site import Site

pytestmark = pytest.mark.anyio

SECRET: Final = "482915"
SMALL: Final = SessionSpec(viewport_width=800, viewport_height=560)
"""A frame of it is as large as it is, so that each of its pixels is one."""

TOPS: Final = {
    "ref": 16, "otp": 64, "card": 112, "pw": 160, "any": 208, "late": 256, "inner": 304, "near": 352, "other": 400,
    "plain": 448,
}  # fmt: skip


def looks(jpeg: bytes) -> dict[str, bytes]:
    """What each field looks like in a picture, as far as telling whether two look the same."""
    picture = Image.open(io.BytesIO(jpeg)).convert("RGB")
    return {field: sha256(picture.crop((16, top, 336, top + 32)).tobytes()).digest() for field, top in TOPS.items()}


class Reel:
    """What the fields looked like in every frame of a session."""

    def __init__(self, eye: Eye) -> None:
        self.eye = eye
        self.frames: list[dict[str, bytes]] = []
        self._news = anyio.Event()

    def __call__(self, frame: Frame) -> float:
        self.frames.append(looks(frame.jpeg))
        self._news.set()
        return 0.0

    async def until(self, holds: Callable[[dict[str, bytes]], bool]) -> dict[str, bytes]:
        """The first frame of which that holds, from the last one on."""
        with anyio.fail_after(10):
            while not (self.frames and holds(self.frames[-1])):
                self._news = anyio.Event()
                await self._news.wait()
        return self.frames[-1]


@asynccontextmanager
async def filmed(lookout: Lookout, site: Site, path: str) -> AsyncGenerator[Reel]:
    session = await lookout.open(SMALL)
    reel = Reel(Eye(session, site))
    await reel.eye.go(path)
    await session.film(reel)
    yield reel
    await session.close(deadline_s=2)


async def dots(reel: Reel) -> list[bytes]:
    """What a field looks like that holds 0, 1, 2 ... characters which the browser itself hides."""
    found = [(await reel.until(lambda _: True))["ref"]]
    for _ in SECRET:
        await reel.eye.do(a.Fill(selector="#ref", value="1", clear_before_fill=False))
        frame = await reel.until(lambda frame: frame["ref"] not in found)
        found.append(frame["ref"])
    return found


async def test_no_frame_shows_what_a_field_holds_that_takes_a_secret(lookout: Lookout, site: Site) -> None:
    """Filled, typed, revealed, inserted, in a shadow root, in frames of two origins, and with the veil torn off."""
    async with filmed(lookout, site, f"/veil.html?s={SECRET}") as reel:
        hidden = await dots(reel)
        full = hidden[-1]
        for field in ("inner", "near", "other"):  # what the page itself has put there
            await reel.until(lambda frame, field=field: frame[field] == full)
        for action in (
            a.Fill(selector="#otp", value=SECRET),
            a.Click(selector="#strip"),
            a.FallbackFill(selector="#card", value=SECRET),
            a.Click(selector="#strip"),
            a.Fill(selector="#pw", value=SECRET),
            *[a.Click(selector="#eye")] * 5,
            a.MultiFactorFill(selector="#any", value=SECRET),
            a.Click(selector="#more"),
            a.Fill(selector="#inner", value=SECRET),
            a.Fill(selector="#near >> internal:control=enter-frame >> #number", value=SECRET),
            a.FallbackFill(selector="#other >> internal:control=enter-frame >> #number", value=SECRET),
            a.Fill(selector="#plain", value=SECRET),
        ):
            await reel.eye.do(action)
        await reel.until(lambda frame: frame["plain"] not in hidden)
        secret = [field for field in TOPS if field not in ("plain", "late")]
        assert {field: {frame[field] for frame in reel.frames} - set(hidden) for field in secret} == {
            field: set[bytes]() for field in secret
        }
        assert {frame["late"] for frame in reel.frames} == {reel.frames[0]["late"], full}
        assert [field for field in secret if reel.frames[-1][field] != full] == []


async def test_a_picture_of_the_page_hides_it_as_well(lookout: Lookout, site: Site) -> None:
    """Two pages that differ in their secrets alone give the same picture."""
    pictures: list[bytes] = []
    for secret in (SECRET, SECRET[::-1]):
        async with filmed(lookout, site, f"/veil.html?s={secret}") as reel:
            await reel.eye.do(a.Click(selector="#more"))
            await reel.eye.do(a.Fill(selector="#otp", value=secret))
            await reel.until(lambda frame: frame["other"] == frame["near"])
            pictures.append(await reel.eye.session.screenshot(marks=False))
    assert pictures[0] == pictures[1]
