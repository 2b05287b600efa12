"""The player in a real browser: what is seen, what is said, what is pressed, and what never happens."""

from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import anyio
import pytest
from playwright.async_api import BrowserContext, ConsoleMessage, Page

from notte_mcp.receipts import Target
from notte_mcp.replay import player
from notte_mcp.replay.parts import Mark
from tests.browsers import Browsers
from tests.replay.made_up import COLOURS, FAILED, MadeUp, made_up, step, video_of

pytestmark = pytest.mark.anyio

Opened = Callable[..., AbstractAsyncContextManager[Page]]

PIXEL = """([id]) => {
  const seen = document.getElementById(id), canvas = document.createElement("canvas");
  canvas.width = canvas.height = 1;
  canvas.getContext("2d").drawImage(seen, 0, 0, 1, 1);
  return [...canvas.getContext("2d").getImageData(0, 0, 1, 1).data].slice(0, 3);
}"""


@pytest.fixture(name="context", scope="module")
async def _context(browsers: Browsers) -> AsyncGenerator[BrowserContext]:
    context = await (await browsers.home()).browser.new_context(offline=True)
    yield context
    await context.close()


@pytest.fixture(name="opened")
def _opened(context: BrowserContext, tmp_path: Path) -> Opened:
    """A page made of these, opened from its file. What it asked of anybody else, said on its console or threw fails the
    test in the end."""

    @asynccontextmanager
    async def opened(
        made: MadeUp, *, width: int = 1440, height: int = 900, anchor: str = "", **how: Any
    ) -> AsyncGenerator[Page]:
        file = tmp_path / "replay.html"
        file.write_text("".join(player.page(**made._asdict(), **how)), encoding="utf-8")
        wrong: list[str] = []
        page = await context.new_page()
        await page.set_viewport_size({"width": width, "height": height})

        def heard(message: ConsoleMessage) -> None:
            wrong.append(message.text)

        def asked(url: str) -> None:
            if not url.startswith(("data:", "blob:")) and url != f"{file.as_uri()}{anchor}".partition("#")[0]:
                wrong.append(f"asked for {url}")

        page.on("console", heard)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("request", lambda request: asked(request.url.partition("#")[0]))
        page.on("dialog", lambda dialog: wrong.append(f"dialog {dialog.message}"))
        await page.goto(f"{file.as_uri()}{anchor}")
        yield page
        await page.close()
        assert wrong == []

    return opened


async def now(page: Page) -> int | None:
    """The number of the step that the log holds for the current one."""
    row = page.locator("#log .step[aria-current]")
    return int(await row.get_attribute("data-number") or 0) if await row.count() else None


async def seen(page: Page, id: str = "picture") -> int | None:  # noqa: A002 - the page's word
    """The number of the step whose colour is on the screen; None where it is another one."""
    if id == "video":
        await page.wait_for_function(
            "() => { const v = document.getElementById('video'); return v.readyState > 1 && !v.seeking }"
        )
    else:
        await page.wait_for_function("() => document.getElementById('picture').complete")
    pixel = await page.evaluate(PIXEL, [id])
    near = [
        n for n, colour in enumerate(COLOURS, 1) if all(abs(a - b) < 24 for a, b in zip(pixel, colour, strict=True))
    ]
    return near[0] if near else None


async def test_every_mark_leads_to_the_picture_the_row_and_the_details_of_its_step(opened: Opened) -> None:
    async with opened(made_up()) as page:
        for number in range(1, len(COLOURS) + 1):
            await page.locator(f"#marks .mark[data-number='{number}']").hover(force=True)
            await page.mouse.down()
            await page.mouse.up()

            assert (await seen(page), await now(page)) == (number, number)
            assert f"Step {number} click B{number}" in await page.locator("#about-name").inner_text()
            assert f"http://127.0.0.1/{number}" in await page.locator("#parts").inner_text()
            assert await page.locator("#box").is_visible()


async def test_of_a_video_each_row_of_the_log_leads_to_the_frame_of_its_step(opened: Opened, tmp_path: Path) -> None:
    made = made_up()
    film = replace(made.film, video=video_of(made.film, tmp_path / "film.mp4"))
    async with opened(made._replace(film=film)) as page:
        for number in (1, 4, 2, 6, 3, 5):
            await page.locator(f"#log .step[data-number='{number}'] button").click()

            assert (await seen(page, "video"), await now(page)) == (number, number)
        await page.locator("#play").click()
        with anyio.fail_after(10):
            await page.wait_for_function(
                "() => document.getElementById('log').querySelector('[aria-current]').dataset.number === '6'"
            )


async def test_it_is_used_by_its_keys_alone(opened: Opened) -> None:
    async with opened(made_up()) as page:
        press = page.keyboard.press
        await press("End")
        assert await now(page) == 6
        await press("Home")
        for number in (2, 3, 4):
            await press("ArrowRight")
            assert (await now(page), await seen(page)) == (number, number)
        await press("ArrowLeft")
        assert (await now(page), await seen(page)) == (3, 3)
        await press(".")
        assert (await now(page), await seen(page)) == (4, None)
        await press(",")
        assert (await now(page), await seen(page)) == (3, 3)

        await press("?")
        assert await page.get_by_role("dialog", name="Keys").is_visible()
        await press("Escape")
        await press("<")
        assert await page.locator("#speed").input_value() == "0.75"
        await press("Space")
        await page.wait_for_function("() => document.body.classList.contains('playing')")
        await page.wait_for_function("() => Number(document.querySelector('#log [aria-current]').dataset.number) >= 4")
        await press("Space")
        assert await page.get_by_role("button", name="Play").first.is_visible()

        await press("/")
        await page.keyboard.type("b5")
        assert await page.locator("#log li:visible").count() == 1
        for _ in range(2):
            await press("Tab")
        await press("Enter")
        assert (await now(page), await seen(page)) == (5, 5)


async def test_the_tab_key_goes_through_all_that_can_be_used_and_each_has_a_name(opened: Opened) -> None:
    async with opened(made_up()) as page:
        reached: list[str] = []
        for _ in range(12):
            await page.keyboard.press("Tab")
            reached.append(await page.evaluate("() => document.activeElement.id || document.activeElement.className"))
            outline = await page.evaluate("() => getComputedStyle(document.activeElement).outlineStyle")
            assert outline != "none", reached[-1]
        unnamed = await page.locator("body").aria_snapshot()

    assert reached == [
        "skip", "track", "back", "play", "on", "speed", "full", "keys", "filter", "only-failed", "row", "",
    ]  # fmt: skip
    assert 'slider "Time in the film"' in unnamed
    for role in ("button", "combobox", "searchbox", "checkbox", "slider"):
        assert f"- {role}\n" not in unnamed
        assert f"- {role}:\n" not in unnamed


async def test_a_failed_step_differs_by_its_sign_and_its_word_and_can_be_had_alone(opened: Opened) -> None:
    async with opened(made_up()) as page:
        row = page.locator(f"#log .step[data-number='{FAILED}']")
        assert "✕" in await row.inner_text()
        assert "failed: " in (await row.text_content() or "")
        assert "div#banner covers it" in await row.inner_text()
        shapes = await page.evaluate(
            "() => ['done', 'failed'].map(o => getComputedStyle(document.querySelector(`.mark[data-outcome=${o}]`)).borderRadius)"
        )
        assert shapes[0] != shapes[1]
        await page.locator("#only-failed").check()
        assert await page.locator("#log li:visible").count() == 1
        assert await page.locator("#found").inner_text() == "1 of 7"


HOSTILE = [
    "</script><img src=x onerror=\"document.title='hit'\"><script>document.title='hit'</script>",
    "<!--<script>", "\u2028\u2029 ' \" ` ${document.title='hit'} &lt;b&gt;", "\u05e9\u05dc\u05d5\u05dd \u0645\u0631\u062d\u0628\u0627", "\ud800 lone", "A" * 10_000,
]  # fmt: skip


async def test_what_pages_and_models_said_is_shown_as_text_and_runs_nothing(opened: Opened) -> None:
    whole = " ".join(HOSTILE)
    made = made_up(len(HOSTILE), title=whole, reason=whole, url=whole)
    good = step(1).receipt
    assert good is not None
    steps = [
        step(number, receipt=good.but(
            target=Target("B1", text, text), message=text, value=text, data={"text": text}, sent=(text,)
        ), action={"type": "click", "id": text})
        for number, text in enumerate(HOSTILE, 1)
    ]  # fmt: skip
    steps.append(step(len(HOSTILE) + 1, receipt=None, url=whole, state="intended"))
    lines = [*made.lines, *({"event": text, "text": text, "at": None} for text in HOSTILE)]
    async with opened(made._replace(steps=steps, lines=lines), width=375, height=812, notes=HOSTILE) as page:
        for number, text in enumerate(HOSTILE):
            await page.locator("#log .step button").nth(number).click()
            shown = text.replace("\u2028", "").replace("\u2029", "").replace("\ud800", "").strip()[:200]
            for part in ("#log", "#notes", "#parts"):
                assert shown in (await page.locator(part).text_content() or ""), part
        assert await page.locator("img").count() == 2
        assert not (await page.title()).startswith("hit")
        assert await page.evaluate("() => document.documentElement.scrollWidth <= 375")


async def test_its_policy_lets_nothing_in_and_nothing_out(context: BrowserContext, tmp_path: Path) -> None:
    file = tmp_path / "replay.html"
    text = "".join(player.page(**made_up()._asdict()))
    file.write_text(
        text.replace("<main>", "<main><script>document.title = 'in'</script><b id=b onclick=1 style='color:red'>b</b>")
    )
    page = await context.new_page()
    await page.goto(file.as_uri())

    assert "replay" in await page.title()
    assert await page.evaluate("() => getComputedStyle(document.getElementById('b')).color") != "rgb(255, 0, 0)"
    refused = """async () => {
      const tries = [
        () => { document.body.innerHTML = "<p>x"; },
        () => fetch("http://127.0.0.1:9/").then(() => 0),
        () => { document.createElement("script").textContent = "1"; },
        () => new Promise((ok, no) => { const i = new Image(); i.onload = ok; i.onerror = no; i.src = "file:///x.png"; }),
      ];
      const results = await Promise.allSettled(tries.map(async (one) => one()));
      return results.map((one) => one.status);
    }"""
    assert await page.evaluate(refused) == ["rejected"] * 4
    await page.close()


async def test_without_a_video_it_says_what_to_install(opened: Opened) -> None:
    async with opened(made_up(), notes=[player.MISSING_VIDEO]) as page:
        assert 'pip install "PATH[video]"' in await page.locator("#notes").inner_text()
        assert await page.locator("#picture").is_visible()
        assert not await page.locator("#video").is_visible()


async def test_a_video_that_cannot_be_played_gives_way_to_the_pictures_of_the_steps(
    opened: Opened, tmp_path: Path
) -> None:
    (tmp_path / "no.mp4").write_bytes(b"\0" * 4_000)
    made = made_up()
    async with opened(made._replace(film=replace(made.film, video=tmp_path / "no.mp4"))) as page:
        await page.locator("#picture").wait_for()
        await page.locator("#log .step[data-number='4'] button").click()

        assert await seen(page) == 4
        assert "cannot play the video" in await page.locator("#notes").inner_text()
        assert not await page.locator("#box").is_visible()


async def test_what_still_goes_on_says_as_of_when_and_a_step_that_is_in_no_film_stands_in_the_log(
    opened: Opened,
) -> None:
    made = made_up(state="ready")
    marks: list[Mark] = [mark for mark in made.film.marks if mark.number != 2]
    film = replace(made.film, marks=marks)
    async with opened(made._replace(film=film), live=True, as_of=1_700_000_100.0, anchor="#step-4") as page:
        assert (await now(page), await seen(page)) == (4, 4)
        assert "as of" in await page.locator("#facts").inner_text()
        await page.locator("#log .step[data-number='2'] button").click()
        assert await now(page) == 2
        assert "not in the film" in await page.locator("#parts").inner_text()
        assert await page.locator("#marks .mark").count() == 5


async def test_no_part_of_it_is_wider_than_the_window(opened: Opened) -> None:
    async with opened(made_up(title="a" * 300, url="http://127.0.0.1/" + "b" * 400)) as page:
        for width in (375, 1440):
            await page.set_viewport_size({"width": width, "height": 812})
            assert await page.evaluate("() => document.documentElement.scrollWidth") <= width
            for id_ in ("play", "full", "filter", "log"):
                box = await page.locator(f"#{id_}").bounding_box()
                assert box is not None
                assert box["x"] >= 0
                assert box["x"] + box["width"] <= width


@pytest.mark.parametrize(("most", "says"), [(5_500_000, ""), (80_000, " of 40"), (66_000, "none")])
def test_a_file_that_may_not_be_larger_shows_less_and_says_so(most: int, says: str) -> None:
    made = made_up(40)

    text = "".join(player.page(**made._asdict(), max_bytes=most))

    assert len(text) <= most
    assert ("it shows a picture of each step" in text) == bool(says)
    assert says in text
