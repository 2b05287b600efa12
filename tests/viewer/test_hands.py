"""What a page asks who has taken it over, and where they go, in a real Chromium beside the one that it shows."""

import pytest
from playwright.async_api import Browser, expect

from tests.site import Site
from tests.viewer.viewing import Viewing, click, middle, take_over, until_done, view

pytestmark = pytest.mark.anyio


async def test_a_question_of_the_page_is_told_and_may_be_answered_otherwise(
    shown: Viewing, browser: Browser, site: Site
) -> None:
    """A confirm that was answered no is asked again with a yes, a prompt with what the person says; or that is said before."""
    session_id = await shown.session(site.url("/dialogs.html"))
    names = ("Alert", "Confirm", "Prompt")
    alert, confirm, prompt = [await middle(shown, session_id, name) for name in names]
    async with view(browser, shown.viewer.url(session_id)) as page:
        said, again, ready = page.locator("#said"), page.locator("#again"), page.get_by_label("Next dialog")
        await take_over(page, shown.viewer.keys.code)
        await click(page, alert)
        await expect(said).to_have_text('alert "Saved." was dismissed')
        await expect(page.locator("#log .step").last).to_contain_text('alert "Saved." dismissed')
        await expect(again).to_be_hidden()
        await click(page, confirm)
        await expect(said).to_have_text('confirm "Delete everything?" was dismissed')
        await page.get_by_role("button", name="Do it again and accept").click()
        await expect(said).to_have_text('confirm "Delete everything?" was accepted')
        await expect(again).to_be_hidden()
        await expect(ready).to_have_value("dismiss")
        await click(page, prompt)
        await page.get_by_role("button", name="Do it again and answer").click()
        await page.get_by_role("textbox", name="The page asks: Your name?").fill("Zo\u00eb")
        await page.get_by_role("button", name="Set").click()
        await expect(said).to_have_text('prompt "Your name?" was accepted')
        await ready.select_option("accept")
        await expect(said).to_have_text("The next dialog of the page is accepted.")
        await click(page, confirm)
        await expect(said).to_have_text('confirm "Delete everything?" was accepted')
        await ready.select_option("accept")
        await page.get_by_role("button", name="Give back").click()
        await expect(page.locator("#state")).to_have_text("Driven by the assistant")
        await expect(ready).to_be_hidden()
    steps = await shown.app.registry.steps(session_id)
    answers = [
        (step.action["value"], step.action.get("answer")) for step in steps if step.action["type"] == "handle_dialog"
    ]
    # What was ready when the session was given back is taken back with it.
    assert answers == [("accept", None), ("accept", "Zo\u00eb"), ("accept", None), ("accept", None), ("dismiss", None)]


async def test_an_address_is_opened_as_it_was_written_and_stays_where_it_does_not_load(
    shown: Viewing, browser: Browser, site: Site
) -> None:
    """Of this machine without its scheme, since hardly anything there speaks TLS; and the browser's own address of its
    error page tells nobody anything."""
    session_id = await shown.session(site.url("/dialogs.html"))
    nobody = "http://127.0.0.1:9/none"
    async with view(browser, shown.viewer.url(session_id)) as page:
        await take_over(page, shown.viewer.keys.code)
        await page.locator("#url").fill(site.url("/form.html").removeprefix("http://"))
        await page.keyboard.press("Enter")
        await until_done(shown, session_id, "goto")
        await expect(page.locator("#title")).to_have_text("Permit request")
        await page.locator("#url").fill(nobody)
        await page.keyboard.press("Enter")
        await expect(page.locator("#said")).to_contain_text(nobody)
        await expect(page.locator("#title")).to_have_text("A page that did not load")
        await expect(page.locator("#url")).to_have_value(nobody)
        await expect(page.locator("#log .step")).to_have_count(3)
        assert "chrome-error" not in await page.content()
