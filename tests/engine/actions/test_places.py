"""Going places: URLs that load, fail or are refused; history; tabs."""

import socket
import time
from dataclasses import replace
from functools import partial

import anyio
import anyio.to_thread
import pytest

from notte_mcp import actions as a
from notte_mcp.engines.base import ObserveRequest
from notte_mcp.errors import UnsupportedUrl
from tests.engine.actions.driver import Driver, eventually

pytestmark = pytest.mark.anyio


@pytest.fixture
def driver(kept: Driver) -> Driver:
    """These tests are about pages and tabs, so they share a session."""
    return kept


async def test_a_page_with_an_error_status_is_opened_and_redirects_are_followed(driver: Driver) -> None:
    """An error page is a page, its status told; the receipt names where it ended."""
    receipt = await driver.open("/status/404")
    assert (receipt.status, "HTTP 404" in receipt.message) == (404, True)
    receipt = await driver.open("/redirect?to=/done?id=7&hops=3")
    assert (receipt.status, receipt.url_after) == (200, driver.site.url("/done?id=7"))


UNLOADED = (
    ("http://no-such-host.invalid/", "does not resolve"),
    ("http://127.0.0.1:{closed}/", "refuses the connection"),
    ("http://127.0.0.1:1/", "does not open this port"),
    ("{here}/loop", "redirects without end"),
    ("{here}/cut", "without an answer"),
    ("{here}/hit/nothing", "no content"),
)


async def test_a_page_that_does_not_load_is_a_failure_with_the_reason(driver: Driver) -> None:
    """In the browser's terms; the session goes on."""
    for url, said in UNLOADED:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))  # bound and not listening
            there = url.replace("{here}", driver.site.here).replace("{closed}", str(taken.getsockname()[1]))
            receipt = await driver.refused(a.Goto(url=there))
        assert (receipt.code, said in receipt.message) == ("page_load_failed", True), receipt.message
    await driver.open("/form.html")


async def test_a_load_that_is_given_up_leaves_a_page_that_answers(driver: Driver) -> None:
    """P6: while a load is pending Chromium answers for the old page nothing, so it is ended with the call."""
    await driver.open("/form.html")
    async with anyio.create_task_group() as group:
        group.start_soon(partial(driver.session.perform, a.Goto(url=driver.site.url("/hang")), timeout_ms=20_000))
        await anyio.to_thread.run_sync(driver.site.wait_for, "/hang")
        group.cancel_scope.cancel()
    with anyio.fail_after(3):
        seen = await driver.session.observe(ObserveRequest(1))
    assert seen.url == driver.site.url("/form.html")


NO_WEB_ADDRESSES = (
        "file:///etc/passwd", "  FILE:///etc/passwd", "\tjavascript:alert(1)", "JaVaScRiPt:alert(1)", "java\nscript:alert(1)",
        "javascript:1", "chrome://version", "chrome:80", "data:text/html,x", "view-source:http://127.0.0.1/", "\x01javascript:1",
        "about:version", "blob:http://127.0.0.1/x", "http:", "http://", "https:///x", "http://[::1", "", " ",
)  # fmt: skip


async def test_what_is_no_web_address_is_refused(driver: Driver) -> None:
    """Whatever spaces, case and control characters it hides behind; before a batch, and at its turn."""
    await driver.open("/form.html")
    for url in NO_WEB_ADDRESSES:
        action = a.Goto.model_construct(type="goto", url=url, wait_until="load", timeout_ms=1_000)
        assert (url, (await driver.refused(action)).code) == (url, "unsupported_url")
        with pytest.raises(UnsupportedUrl):
            await driver.session.check([a.GotoNewTab.model_construct(type="goto_new_tab", url=url)])
        assert driver.session.position.url == driver.site.url("/form.html")


async def test_a_page_that_does_not_answer_is_given_up_at_its_time(driver: Driver) -> None:
    """The tab stays where it was; what loaded in part is told as such."""
    await driver.open("/form.html")
    silent = await driver.refused(a.Goto(url=driver.site.url("/hang"), timeout_ms=400))
    assert "did not answer within 400 ms" in silent.message
    partly = await driver.refused(a.Goto(url=driver.site.url("/hang-body"), timeout_ms=600))
    assert "had not loaded fully" in partly.message
    await driver.act(a.Goto(url=driver.site.url("/hang-body"), wait_until="commit", timeout_ms=2_000))
    await driver.open("/form.html")


async def test_a_page_that_goes_on_by_itself_is_followed(driver: Driver) -> None:
    """A wait finds it there; one that goes to a scheme we refuse does not hang."""
    await driver.open("/jump.html")
    await driver.act(a.WaitFor(value="Your number is jumped"))
    await driver.js("void document.body.insertAdjacentHTML('beforeend', '<a href=\"chrome://version\">Odd link</a>')")
    receipt = await driver.click("text=Odd link")
    assert not receipt.navigated


async def test_a_link_to_a_download_is_told_and_the_file_saved(driver: Driver) -> None:
    """No page came of it."""
    await driver.open("/form.html")
    receipt = await driver.refused(a.Goto(url=driver.site.url("/download/report.csv")))
    assert ("is a download" in receipt.message, receipt.downloads[0].name) == (True, "report.csv")
    assert (driver.files / "report.csv").stat().st_size == receipt.downloads[0].size > 0
    assert driver.session.position.url == driver.site.url("/form.html")


async def test_history_goes_back_and_forward_and_says_where_it_ends(driver: Driver) -> None:
    """And `reload` loads again; entries of one document (pushState) are walked too."""
    await driver.open("/form.html")
    await driver.open("/done?id=1")
    back = await driver.act(a.GoBack())
    assert (back.url_after, driver.session.position.title) == (driver.site.url("/form.html"), "Permit request")
    await driver.act(a.GoForward())
    assert driver.session.position.url == driver.site.url("/done?id=1")
    assert "no page to go forward" in (await driver.refused(a.GoForward())).message
    driver.site.reset()
    await driver.act(a.Reload())
    assert driver.site.hits["/done"] == 1
    await driver.open("/router.html")
    await driver.click("text=/^Orders$/")
    await driver.act(a.GoBack())
    await driver.until("document.title === 'Router: home'")


# --- tabs -------------------------------------------------------------------------


async def test_tabs_are_opened_switched_and_closed(driver: Driver) -> None:
    """The last one is replaced by an empty one."""
    await driver.open("/form.html")
    opened = await driver.act(a.GotoNewTab(url=driver.site.url("/done?id=2")))
    assert (opened.new_tab, driver.session.position.tabs[1].title) == (1, "Request received")
    await driver.act(a.SwitchTab(tab_index=0))
    assert driver.session.position.url == driver.site.url("/form.html")
    await driver.act(a.SwitchTab(tab_index=-1))
    assert "tabs are 0 to 1" in (await driver.refused(a.SwitchTab(tab_index=7))).message
    closed = await driver.act(a.CloseTab())
    assert (closed.tab_closed, closed.url_after) == (True, driver.site.url("/form.html"))
    await driver.act(a.CloseTab())
    assert [tab.url for tab in driver.session.position.tabs] == ["about:blank"]


OPENED = (
    ("Form in a new tab", "/form.html"), ("Open a window", "/done?id=window"),
    ("Submit to a new tab", "/done?id=PR-1001"), ("Open a slow one", "/slow?ms=400"),
)  # fmt: skip


async def test_a_tab_that_a_page_opens_becomes_the_current_one(driver: Driver) -> None:
    """And the receipt names it: from a link, by a script as a window, by a form, a slow one."""
    await driver.open("/tabs.html")
    for number, (name, path) in enumerate(OPENED, 1):
        receipt = await driver.click(f"text={name}")
        assert receipt.new_tab == number
        await driver.act(a.WaitFor(url=driver.site.url(path)))
        assert driver.session.position.url == driver.site.url(path)
        await driver.act(a.SwitchTab(tab_index=0))


async def test_a_gesture_opens_one_tab_and_what_else_was_asked_for_is_told(driver: Driver) -> None:
    """As in a person's browser. A click counts for seconds; our script and a choice from a list are gestures too."""
    await driver.open("/tabs.html")
    assert (await driver.click("text=Flood of 30")).new_tab == 1
    assert any("29 windows" in event for event in driver.session.take_events())
    await driver.open("/tabs.html")
    await driver.click("text=Open after 200 ms")
    await eventually(lambda: len(driver.session.position.tabs) == 3)
    assert (await driver.act(a.EvaluateJs(code="void window.open('/form.html')"))).new_tab == 3
    await driver.open("/form.html")
    listening = "document.querySelector('#district').onchange = () => open('/done?id=chosen')"
    await driver.session._stage.tab.cdp.send("Runtime.evaluate", {"expression": listening})
    assert (await driver.act(a.SelectDropdownOption(selector="#district", value="South"))).new_tab == 4
    assert not driver.session.take_events()


async def test_tabs_are_capped_and_that_is_said(driver: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three at most in this test."""
    stage = driver.session._stage
    monkeypatch.setattr(stage, "options", replace(stage.options, max_tabs=3))
    await driver.open("/form.html")
    await driver.batch([a.GotoNewTab(url=driver.site.url("/tabs.html"))] * 2)
    assert (await driver.click("text=Open by script")).new_tab is None
    await eventually(lambda: (len(driver.session.position.tabs), len(driver.page.context.pages)) == (3, 3))
    assert any("at most 3 tabs" in event for event in driver.session.take_events())
    assert "the most it may have" in (await driver.refused(a.GotoNewTab(url=driver.site.url("/form.html")))).message


async def test_a_tab_that_closes_itself_gives_back_the_one_before_and_the_last_leaves_an_empty_one(
    driver: Driver,
) -> None:
    """The session goes on."""
    await driver.open("/tabs.html")
    await driver.click("text=Open one that closes itself")
    await eventually(lambda: len(driver.session.position.tabs) <= 1)
    assert driver.session.position.url == driver.site.url("/tabs.html")
    await driver.click("text=Open by script")
    await driver.batch([a.SwitchTab(tab_index=0), a.CloseTab()])
    await driver.perform(a.EvaluateJs(code="window.close()"))
    await eventually(lambda: driver.session.position.url == "about:blank")
    assert any("closed its own tab" in event for event in driver.session.take_events())
    await driver.open("/form.html")


async def test_a_page_that_closes_at_the_press_is_no_error(driver: Driver) -> None:
    """The rest of the click is answered by nobody then: what was pressed is told as pressed, or as under way."""
    await driver.open("/tabs.html")
    for _ in range(2):
        await driver.click("text=Open by script")
        await driver.page.evaluate("() => { onpointerdown = () => window.close() }")
        receipt = await driver.perform(a.Click(selector="h1"))
        assert (receipt.tab_closed, receipt.url_after) == (True, driver.site.url("/tabs.html"))
        assert receipt.success or "The page closed while click was under way" in receipt.message


async def test_leaving_is_never_held_up_by_a_page_that_asks(driver: Driver) -> None:
    """beforeunload: goto, a link, closing the tab."""
    for leave in (a.Goto(url=driver.site.url("/form.html")), a.Click(selector="text=Leave"), a.CloseTab()):
        await driver.open("/beforeunload.html")
        await driver.act(a.Fill(selector="#draft", value="unsaved"))
        await driver.click("button")
        begun = time.monotonic()
        receipt = await driver.act(leave)
        assert time.monotonic() - begun < 4
        assert receipt.dialogs == ()
    assert driver.session.position.url == "about:blank"


async def test_what_was_waited_for_scrolled_and_dragged_is_told_with_every_way_to_it(driver: Driver) -> None:
    """A script is written from the receipt alone; several that are waited for are none in particular."""
    await driver.open("/form.html")
    await driver.js(
        "document.body.innerHTML = '<div id=box role=region aria-label=Log style=\"height:50px;overflow:auto\">' +"
        " '<p style=\"height:500px\">long</p></div><button>A</button><button>B</button>'"
    )
    scrolled = await driver.act(a.ScrollDown(selector="#box", amount=100))
    waited = await driver.act(a.WaitFor(selector='role=button[name="A"]'))
    several = await driver.act(a.WaitFor(selector="button"))
    dragged = await driver.act(a.Drag(selector="text=A", to_selector="text=B"))
    told = [scrolled.target, waited.target, dragged.target, dragged.destination]
    assert [(target.name, target.locators.css) for target in told if target is not None] == [
        ("Log", "#box"),
        ("A", "html > body > button:nth-of-type(1)"),
        ("A", "html > body > button:nth-of-type(1)"),
        ("B", "html > body > button:nth-of-type(2)"),
    ]
    assert several.target is None


async def test_a_page_that_opens_dialog_after_dialog_is_left_in_a_new_tab(driver: Driver) -> None:
    """More time for the same goto would end the same way. Its tab can be closed then."""
    await driver.open("/fetch.html")
    await driver.js("void setInterval(() => alert(2), 20)")
    receipt = await driver.refused(a.Goto(url=driver.site.url("/hang"), timeout_ms=1_000))
    assert (receipt.code, "goto_new_tab" in receipt.message) == ("page_load_failed", True), receipt.message
    await driver.act(a.GotoNewTab(url=driver.site.url("/done")))
    await driver.batch([a.SwitchTab(tab_index=0), a.CloseTab()])
    assert [tab.url for tab in driver.session.position.tabs] == [driver.site.url("/done")]
