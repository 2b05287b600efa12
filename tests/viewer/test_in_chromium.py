"""The live view as a person has it, in a real Chromium beside the one that it shows."""

from pathlib import Path

import anyio
import pytest
from playwright.async_api import Browser, Page, expect

from notte_mcp.actions import EvaluateJs, Goto
from notte_mcp.errors import UnsupportedUrl
from tests.site import Site
from tests.viewer.viewing import PHONE, Viewing, click, middle, script, take_over, until_done, view, viewing

pytestmark = pytest.mark.anyio

SECRET = "correct horse 42"
QUESTION = "North or <img src=x onerror=alert(1)> South?"
ASKS = {"actions": [{"type": "help", "value": QUESTION}]}
DONE = {"actions": [{"type": "completion", "success": True, "answer": "It is sent."}]}


async def colour(page: Page) -> list[int]:
    """The colour in the middle of the picture."""
    found: list[int] = await page.evaluate(
        """async () => {
          const image = document.getElementById("picture"), canvas = document.createElement("canvas");
          await image.decode().catch(() => 0);
          canvas.width = image.naturalWidth; canvas.height = image.naturalHeight;
          const ink = canvas.getContext("2d"); ink.drawImage(image, 0, 0);
          return [...ink.getImageData(canvas.width / 2, canvas.height / 2, 1, 1).data].slice(0, 3);
        }"""
    )
    return found


async def test_a_view_shows_what_the_session_shows_and_a_line_that_is_lost_is_told_and_mended(
    shown: Viewing, browser: Browser, site: Site
) -> None:
    """The picture, the address, the log with each step; the line mends by itself, and the log is not doubled by it."""
    session_id = await shown.session(site.url("/form.html"))
    async with view(browser, shown.viewer.url(session_id)) as page:
        await expect(page.locator("#title")).to_have_text("Permit request")
        assert await page.locator("#url").input_value() == site.url("/form.html")
        await expect(page.locator("#log .step")).to_have_count(1)
        await expect(page.locator("#link")).to_have_text("Live")
        paint = "document.body.style.background = 'rgb(200, 30, 30)'; document.body.replaceChildren(); 1"
        await script(shown, session_id, paint)
        with anyio.fail_after(10):
            while abs((await colour(page))[0] - 200) > 12:  # noqa: ASYNC110 - a picture tells of itself to nobody
                await anyio.sleep(0.02)
        await expect(page.locator("#log .step")).to_have_count(2)
        listener = shown.viewer._listener
        assert listener is not None
        await page.context.set_offline(True)
        for connection in list(listener._state.connections):
            connection.transport.abort()  # type: ignore[attr-defined, union-attr]
        await expect(page.locator("#link")).to_have_text("Connection lost, trying again")
        await page.context.set_offline(False)
        await expect(page.locator("#link")).to_have_text("Live", timeout=15_000)
        await expect(page.locator("#log .step")).to_have_count(2)


async def test_a_person_takes_over_and_what_is_clicked_and_typed_is_done_in_the_page(
    shown: Viewing, browser: Browser, site: Site
) -> None:
    """To the point; each act is a human's step; a secret goes whole, and stands in no log and no stream."""
    session_id = await shown.session(site.url("/form.html"))
    names = ("Applicant", "Access code", "I accept the terms", "District")
    places = {name: await middle(shown, session_id, name) for name in names}
    async with view(browser, shown.viewer.url(session_id)) as page:
        heard: list[str] = []
        await take_over(page, shown.viewer.keys.code)
        await click(page, places["Applicant"])
        await expect(page.locator("#typing-label")).to_have_text("Type into Applicant")
        await page.keyboard.type("Ada Lovelace")
        steps = await until_done(shown, session_id, "fill")
        assert steps[-1].receipt is not None
        assert steps[-1].receipt.value == "Ada Lovelace"
        await page.keyboard.press("Backspace")
        await until_done(shown, session_id, "press_key")
        await click(page, places["I accept the terms"])
        await until_done(shown, session_id, "click", 2)
        await click(page, places["District"])
        await page.get_by_role("button", name="South").click()
        await until_done(shown, session_id, "select_dropdown_option")
        await click(page, places["Access code"])
        box = page.get_by_label("Type into Access code (kept secret)")
        await expect(box).to_have_attribute("type", "password")
        await page.keyboard.type(SECRET)
        assert await box.input_value() == SECRET
        await page.keyboard.press("Enter")
        await until_done(shown, session_id, "fill", 2)
        await page.get_by_role("button", name="Give back").click()
        await expect(page.locator("#state")).to_have_text("Driven by the assistant")
        heard.append(await page.content())
    assert not shown.app.registry.is_taken(session_id)
    steps = await shown.app.registry.steps(session_id)
    assert {step.actor for step in steps[1:]} == {"human"}
    assert SECRET not in str(steps) + str(heard)
    async with shown.app.registry.use(session_id) as live:
        nodes = {node.name: node for node in (await live.observe()).nodes}
    assert nodes["Applicant"].value == "Ada Lovelac"
    assert nodes["District"].value == "South"
    assert "checked" in nodes["I accept the terms"].states
    assert "filled" in nodes["Access code"].states


async def test_on_a_phone_an_agent_is_answered_and_goes_on(shown: Viewing, browser: Browser, site: Site) -> None:
    """The question stands where it is seen, as text; nothing is wider than the screen; the end is told."""
    agent = await shown.agent(site.url("/form.html"), ASKS, DONE)
    async with view(browser, shown.viewer.url(agent.session_id), size=PHONE, color_scheme="dark") as page:
        await expect(page.get_by_label(QUESTION)).to_be_in_viewport(timeout=15_000)
        assert await page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
        await page.get_by_label(QUESTION).fill("South")
        await page.get_by_role("button", name="Answer").click()
        await page.get_by_label("Code", exact=True).fill("AAAA-AAAA")
        await page.get_by_role("button", name="Continue").click()
        await expect(page.get_by_role("alert")).to_have_text("This is not the code.")
        await page.get_by_label("Code", exact=True).fill(shown.viewer.keys.code)
        await page.get_by_role("button", name="Continue").click()
        await expect(page.locator("#state")).to_have_text("Completed", timeout=15_000)
        await expect(page.locator("#outcome")).to_have_text("It is sent.")
    events = await shown.app.agents.events(agent.id)
    assert [event.text for event in events if event.event == "answer"] == ["South"]


async def test_all_of_it_is_done_with_the_keyboard_alone_and_the_agent_goes_on_after(
    shown: Viewing, browser: Browser, site: Site
) -> None:
    """Tab leads to every control, F6 out of the picture; the agent that was paused is let go on."""
    gate = anyio.Event()
    agent = await shown.agent(
        site.url("/keyboard.html"), DONE, DONE, gate=gate
    )  # it is asked anew, about what was done
    async with view(browser, f"{shown.viewer.url(agent.session_id)}.{shown.viewer.keys.code}") as page:
        await expect(page.locator("#state")).to_have_text("Working", timeout=15_000)
        assert shown.viewer.keys.code not in page.url
        await reach(page, "take")
        await page.keyboard.press("Enter")
        await expect(page.locator("#state")).to_have_text("You have taken over")
        assert (await shown.app.agents.record(agent.id)).state == "paused"
        await expect(page.locator("#keys")).to_be_focused()
        await page.keyboard.press("Tab")
        await page.keyboard.press("Control+a")
        await until_done(shown, agent.session_id, "press_key", 2)
        await page.keyboard.press("F6")
        await expect(page.locator("#take")).to_be_focused()
        await page.keyboard.press("Enter")
        await expect(page.locator("#state")).to_have_text("Working")
        gate.set()
        await expect(page.locator("#state")).to_have_text("Completed", timeout=15_000)
        await reach(page, "stop")
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("button", name="Cancel")).to_be_focused()
        await page.keyboard.press("Tab")
        await page.keyboard.press("Enter")
        await expect(page.locator("#note")).to_have_text("The session is over: it was stopped.", timeout=15_000)
        await expect(page.locator("#link")).to_have_text("Ended")


async def reach(page: Page, name: str) -> None:
    """Go there by Tab, from the top."""
    await page.evaluate("document.activeElement.blur()")
    for _ in range(30):
        await page.keyboard.press("Tab")
        if await page.evaluate("document.activeElement.id") == name:
            return
    raise AssertionError(name)


async def test_a_wrong_key_shows_nothing(shown: Viewing, browser: Browser, site: Site) -> None:
    session_id = await shown.session(site.url("/form.html"))
    page = await browser.new_page()
    await page.goto(f"{shown.base}/{session_id}#wrong")
    await expect(page.locator("#waiting")).to_contain_text("notte-mcp viewer")
    await expect(page.locator("#picture")).to_be_hidden()
    await expect(page.locator("#controls")).to_be_hidden()
    await page.close()


async def test_the_browser_of_the_model_cannot_open_it(tmp_path: Path, chromium: Path, site: Site) -> None:
    """Under any name: the model knows the address. Nor can a page in it: the browser itself refuses the port."""
    async with viewing(tmp_path, chromium) as own:
        session_id = await own.session(site.url("/form.html"))
        async with own.app.registry.use(session_id) as live:
            for host in ("127.0.0.1", "localhost", "[::1]", "127.1"):
                url = f"http://{host}:{own.viewer.port}/{session_id}"
                with pytest.raises(UnsupportedUrl, match="own"):
                    await live.execute([Goto(url=url)], deadline_s=20)
        asked = f"fetch('{own.base}/health', {{mode: 'no-cors'}}).then(() => 'reached', () => 'refused')"
        assert await script(own, session_id, asked) == "refused"


async def test_the_replay_is_opened_from_the_view_and_has_no_part_in_it(
    shown: Viewing, browser: Browser, site: Site
) -> None:
    """Its address holds no key, and ends; its page is sandboxed."""
    session_id = await shown.session(site.url("/form.html"), record=True)
    await script(shown, session_id, "document.body.style.background = 'teal'; 1")
    await shown.app.registry.stop(session_id)
    page = await browser.new_page()
    await page.goto(shown.viewer.url(session_id))
    await expect(page.locator("#link")).to_have_text("Ended", timeout=15_000)
    async with page.context.expect_page() as opened:
        await page.get_by_role("button", name="Replay").click()
    replay = await opened.value
    await replay.wait_for_url("**/replay/*", timeout=30_000)
    await expect(replay.locator("#title")).not_to_be_empty(timeout=15_000)
    assert shown.viewer.keys.of(session_id) not in replay.url
    assert await replay.evaluate("self.origin") == "null"
    await page.close()


async def test_the_log_keeps_its_end_in_sight_when_what_stands_above_grows(
    shown: Viewing, browser: Browser, site: Site
) -> None:
    """The last line is what is looked for when it is over."""
    session_id = await shown.session(site.url("/form.html"))
    async with view(browser, shown.viewer.url(session_id)) as page:
        async with shown.app.registry.use(session_id) as live:
            await live.execute([EvaluateJs(code="1")] * 25, deadline_s=30)
        await expect(page.locator("#log .step")).to_have_count(26)
        await expect(page.locator("#log .step").last).to_be_in_viewport(ratio=1)
        await shown.app.registry.stop(session_id)
        await expect(page.locator("#note")).to_be_visible(timeout=15_000)
        await expect(page.locator("#log .step").last).to_be_in_viewport(ratio=1)
