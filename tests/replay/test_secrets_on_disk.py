"""No file of the state folder holds what was typed into secret fields, in whichever spelling, with films, videos and all."""

import base64
import os
from collections.abc import AsyncGenerator, Iterator
from pathlib import Path

import pytest

from notte_mcp import actions as a
from notte_mcp.app import App, open_app
from notte_mcp.records import SessionSpec
from notte_mcp.replay import film
from notte_mcp.replay.parts import Part
from notte_mcp.settings import Settings
from tests.site import Site

pytestmark = pytest.mark.anyio

PLANTED = {
    '[name="new"]': "correct-horse-staple-77",
    '[name="totp"]': "491 682 775",
    '[name="cc-number"]': "4929 0412 3456 7895",
}
"""What is typed into the fields of a password, a one-time code and a card."""

NOTE = "kept in plain sight 31"
"""What is no secret, and is found: the scan can see."""


@pytest.fixture
async def app(tmp_path: Path, chromium: Path) -> AsyncGenerator[App]:
    async with open_app(Settings(state_dir=tmp_path / "state", browser=chromium)) as opened:
        yield opened


def spellings(value: str) -> Iterator[bytes]:
    """The value as text and in the forms in which files hold text."""
    for text in {value, value.replace(" ", ""), value.replace(" ", "+"), value.replace(" ", "%20")}:
        for encoding in ("utf-8", "utf-16-le", "utf-16-be"):
            plain = text.encode(encoding)
            yield plain
            # Where it begins within three bytes decides how base64 spells it; a character has six of its bits, and those
            # at its ends may hold its neighbours' too. Less of it than all would be found by chance in a film of megabytes.
            for shift in range(3):
                begin, end = -(-8 * shift // 6), 8 * (shift + len(plain)) // 6
                yield base64.b64encode(bytes(shift) + plain + bytes(2))[begin:end]


def files_with(folder: Path, value: str) -> set[str]:
    """The files below the folder, by name, that hold the value in any spelling."""
    wanted = set(spellings(value))
    found: set[str] = set()
    for place, _, names in os.walk(folder):
        for path in (Path(place) / name for name in names):
            if path.is_file() and any(one in path.read_bytes() for one in wanted):
                found.add(path.name)
    return found


async def test_no_file_holds_what_was_typed(app: App, site: Site, tmp_path: Path) -> None:
    """P9: steps, database, login state, film, pictures, video and player; the browser's own folders included."""
    record, _ = await app.registry.open(SessionSpec(), url=site.url("/secrets.html"))
    fills = [a.Fill(selector=selector, value=value) for selector, value in PLANTED.items()]
    async with app.registry.use(record.id) as live:
        done = await live.execute(fills, deadline_s=30)
        assert [receipt.success for receipt in done.receipts] == [True] * len(fills)
        # Shown in clear by the page itself, and typed once more where nobody would think of a secret.
        again = [a.Click(selector="#show"), a.Goto(url=site.url("/form.html"))]
        again += [
            a.Fill(selector=one, value=value)
            for one, value in zip(("#applicant", "#email"), PLANTED.values(), strict=False)
        ]
        await live.execute(again, on_error="continue", deadline_s=30)
        await live.execute(
            [a.Goto(url=site.url("/form.html")), a.Fill(selector="#applicant", value=NOTE)], deadline_s=30
        )
        await live.observe(mode="page")
    live_files = {value: files_with(tmp_path, value) for value in PLANTED.values()}
    await app.registry.stop(record.id)
    folder = app.registry.folder(record.id)
    steps = await app.registry.steps(record.id)
    part = Part(folder, steps)
    for step in steps:
        await app.replays.picture(part, step)
    await app.replays.video(record.id, [part], live=False)
    await app.replays.player(record.id, [part], lines=[], heading={}, live=False)

    assert film.shots(folder)
    assert live_files == {value: set() for value in PLANTED.values()}
    assert {value: files_with(tmp_path, value) for value in PLANTED.values()} == live_files
    assert "notte-mcp.sqlite" in files_with(tmp_path, NOTE)
