"""Log, pictures and video agree about every step, in a real browser that is given its steps as fast as it takes them."""

from collections.abc import AsyncGenerator
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from notte_mcp import actions as a
from notte_mcp.app import App, open_app
from notte_mcp.receipts import Box
from notte_mcp.records import SessionSpec, StepRecord
from notte_mcp.replay import film, pictures
from notte_mcp.replay.timeline import Reel, lay_out
from notte_mcp.settings import Settings
from tests.site import Site

pytestmark = pytest.mark.anyio

VIEWPORT = (1280, 800)

_GREEN_ONCE_GIVEN = """
for (const p of document.querySelectorAll("p")) p.style.margin = "%s";
addEventListener("input", (event) => { event.target.closest("p").style.background = "rgb(0, 190, 0)"; });
"""

FORM: list[a.Action] = [
    a.Fill(selector="#applicant", value="Ada Brew"),
    a.Fill(selector="#email", value="ada@example.org"),
    a.Fill(selector="#code", value="tea-at-four"),
    a.SelectDropdownOption(selector="#district", value="East"),
    a.Check(selector="[value=renewal]", value=True),
    a.Fill(selector="#start", value="2026-12-01"),
    a.Check(selector="[name=terms]", value=True),
    a.Click(selector="form button:not([disabled])"),
]


@pytest.fixture(scope="module")
async def app(tmp_path_factory: pytest.TempPathFactory, chromium: Path) -> AsyncGenerator[App]:
    state = tmp_path_factory.mktemp("agreeing") / "state"
    async with open_app(Settings(state_dir=state, browser=chromium)) as opened:
        yield opened


def is_green(jpeg: bytes, box: Box) -> bool:
    """Whether the paragraph of a box is, right of it: a field's is once it was given something."""
    image = Image.open(BytesIO(jpeg)).convert("RGB")
    scale = image.width / VIEWPORT[0]
    found = image.getpixel((round((box[0] + box[2] + 250) * scale), round((box[1] + box[3] / 2) * scale)))
    assert isinstance(found, tuple)
    return found[1] > found[0] + 90


@pytest.mark.parametrize("apart", ["4px", "500px 0"])
async def test_the_picture_of_each_step_of_a_fast_batch_shows_what_it_did(app: App, site: Site, apart: str) -> None:
    """Contract, on one screen and where each field has to be scrolled to: what was typed is to be seen at its box, the
    click that leads away shows what it sent, and the video shows the same shots."""
    record, _ = await app.registry.open(
        SessionSpec(record=True, viewport_width=VIEWPORT[0], viewport_height=VIEWPORT[1]), url=site.url("/form.html")
    )
    folder = app.registry.folder(record.id)
    async with app.registry.use(record.id) as live:
        await live.execute([a.EvaluateJs(code=_GREEN_ONCE_GIVEN % apart)], deadline_s=20)
        done = await live.execute(FORM, deadline_s=20)
    assert [receipt.message for receipt in done.receipts if not receipt.success] == []
    await app.registry.stop(record.id)

    steps = await app.store.steps(record.id)
    shots = film.shots(folder)
    boxes = {step.number: box_of(step) for step in steps[-len(FORM) :]}
    wrong = [
        step.number
        for step in steps[-len(FORM) : -1]
        if not is_green(pictures.picture(folder, steps, step) or b"", boxes[step.number])
    ]
    assert wrong == []
    sent = pictures.picture(folder, steps, steps[-1]) or b""
    here = [box for number, box in boxes.items() if number < steps[-1].number]
    assert all(is_green(sent, box) for box in here) or apart != "4px"
    assert Image.open(BytesIO(sent)).width == Image.open(BytesIO(film.jpeg(folder, shots[0]))).width
    line = lay_out([Reel(shots, steps)])
    shown = {scene.step: scene.shot for scene in line.scenes if scene.shows}
    when = pictures.times(shots)
    assert shown == {index: pictures.shot_of(when, steps, index) for index in range(len(steps))}


def box_of(step: StepRecord) -> Box:
    assert step.receipt is not None
    assert step.receipt.target is not None
    assert step.receipt.target.box is not None
    return step.receipt.target.box
