"""What a person types in the live view gets where it was meant to, in a real Chromium beside the one that it shows."""

from typing import Any

import anyio
import pytest
from playwright.async_api import Browser, Page, expect

from tests.site import Site
from tests.viewer.viewing import Viewing, click, middle, take_over, until_done, view

pytestmark = pytest.mark.anyio

SECRET = "correct horse 42"


async def held(shown: Viewing, session_id: str, *names: str) -> list[str]:
    """What the fields of these names hold in the page itself."""
    async with shown.app.registry.use(session_id) as live:
        await live.observe()
    page: Any = shown.app.registry._slots[session_id].browser
    return [await page._stage.tab.page.locator(f"[name={name}]").input_value() for name in names]


async def until_held(shown: Viewing, session_id: str, **values: str) -> None:
    """Come back once the fields hold that."""
    found: list[str] = []
    try:
        with anyio.fail_after(20):
            while (found := await held(shown, session_id, *values)) != list(values.values()):  # noqa: ASYNC110
                await anyio.sleep(0.05)
    except TimeoutError:
        raise AssertionError(found) from None


async def test_a_secret_that_stands_in_the_box_goes_to_its_own_field_before_anything_else(
    shown: Viewing, browser: Browser, site: Site
) -> None:
    """A click beside it, a key, giving back: it is sent first, and the next field's box is empty."""
    session_id = await shown.session(site.url("/secrets.html"))
    card, code = [await middle(shown, session_id, name) for name in ("Card number", "Security code")]
    async with view(browser, shown.viewer.url(session_id)) as page:
        await take_over(page, shown.viewer.keys.code)
        await click(page, card)
        await page.get_by_label("Type into Card number (kept secret)").fill("4111 1111")
        await click(page, code)
        box = page.get_by_label("Type into Security code (kept secret)")
        await expect(box).to_have_value("")
        await until_held(shown, session_id, **{"cc-number": "4111 1111", "cc-csc": ""})
        await box.fill("737")
        await page.get_by_role("button", name="Give back").click()
        await expect(page.locator("#state")).to_have_text("Driven by the assistant")
        assert await held(shown, session_id, "cc-number", "cc-csc") == ["4111 1111", "737"]
        await expect(page.locator("#typing")).to_be_hidden()
    assert "4111 1111" not in str(await shown.app.registry.steps(session_id))


async def test_what_is_typed_at_once_after_a_click_into_a_secret_field_is_all_in_the_box(
    shown: Viewing, browser: Browser, site: Site
) -> None:
    """Before the page has told what has the focus, and after; Tab goes on in the page, and sends it first."""
    session_id = await shown.session(site.url("/form.html"))
    places = {name: await middle(shown, session_id, name) for name in ("Applicant", "Access code")}
    async with view(browser, shown.viewer.url(session_id)) as page:
        await take_over(page, shown.viewer.keys.code)
        await click(page, places["Access code"])
        await page.keyboard.type(SECRET, delay=40)
        box = page.get_by_label("Type into Access code (kept secret)")
        await expect(box).to_have_value(SECRET)
        await expect(box).to_be_focused()
        await page.keyboard.press("Tab")
        await until_held(shown, session_id, code=SECRET)
        await until_done(shown, session_id, "press_key")
        await expect(page.locator("#keys")).to_be_focused()
        # From a field to a secret one, faster than the page answers: each gets its own.
        await click(page, places["Applicant"])
        await page.keyboard.type("Ada")
        await page.wait_for_timeout(250)  # so that it is no double click
        await click(page, places["Access code"])
        await page.keyboard.type("other")
        await click(page, places["Applicant"])
        await until_held(shown, session_id, code="other", applicant="Ada")
    assert SECRET not in str(await shown.app.registry.steps(session_id))


async def test_what_is_composed_pasted_or_dropped_on_the_picture_is_typed(
    shown: Viewing, browser: Browser, site: Site
) -> None:
    """Dead keys and input methods, emoji, a keyboard on glass: not only what a key of its own writes."""
    session_id = await shown.session(site.url("/form.html"))
    place = await middle(shown, session_id, "Applicant")
    async with view(browser, shown.viewer.url(session_id)) as page:
        await take_over(page, shown.viewer.keys.code)
        await click(page, place)
        await expect(page.locator("#typing-label")).to_have_text("Type into Applicant")
        await page.keyboard.type("J")
        await page.keyboard.insert_text("ö😀")
        await compose(page, "rg", "ガ")
        await page.keyboard.press("Backspace")
        await page.locator("#keys").evaluate(
            """keys => keys.dispatchEvent(new InputEvent("beforeinput",
                 { inputType: "deleteContentBackward", bubbles: true, cancelable: true }))"""
        )
        await page.locator("#stage").evaluate(
            """stage => { const dataTransfer = new DataTransfer(); dataTransfer.setData("text/plain", " Grün");
                 stage.dispatchEvent(new DragEvent("drop", { dataTransfer, bubbles: true, cancelable: true })); }"""
        )
        await until_held(shown, session_id, applicant="Jö Grün")


async def compose(page: Page, *parts: str) -> None:
    """As an input method does: text that changes until it is settled."""
    cdp: Any = await page.context.new_cdp_session(page)
    for part in parts:
        await cdp.send(
            "Input.imeSetComposition", {"text": part, "selectionStart": len(part), "selectionEnd": len(part)}
        )
    await cdp.send("Input.insertText", {"text": parts[-1]})
    await cdp.detach()
