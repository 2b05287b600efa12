"""When an action is over: still pages at once, answers awaited, endless ones given up after 2 s."""

import time

import pytest

from notte_mcp import actions as a
from tests.engine.actions.driver import Driver

pytestmark = pytest.mark.anyio


@pytest.fixture
def driver(kept: Driver) -> Driver:
    """These tests are about a page, so they share a session."""
    return kept


async def test_a_click_on_a_still_page_is_over_in_two_frames(driver: Driver) -> None:
    """Target: 50 ms on an idle machine; the quickest of some has time for no wait, on a busy one too."""
    await driver.open("/fetch.html")
    took: list[float] = []
    for _ in range(12):
        begun = time.monotonic()
        receipt = await driver.click("text=/^Nothing$/")
        took.append((time.monotonic() - begun) * 1000)
        assert not receipt.unsettled
    assert min(took) < 150, took


LEADS_TO = (
    ("At once", "changed at once"),
    ("Microtask", "microtask"),
    ("Two frames", "two frames later"),
    ("One request", "3 items after 200 ms"),
    ("Two requests", "3 items after 150 ms"),
    ("Server error", "error 500"),
    ("Refused", "refused"),
)


async def test_what_a_click_leads_to_is_there_when_it_is_over(driver: Driver) -> None:
    """Rendered, not only answered."""
    await driver.open("/fetch.html")
    for name, shown in LEADS_TO:
        receipt = await driver.click(f'button:text-is("{name}")')
        assert (await driver.out(), receipt.unsettled) == (shown, False)
        assert bool(receipt.failed_requests) is (name in ("Server error", "Refused"))


async def test_what_renders_or_was_sent_in_a_frame_of_another_site_is_awaited_and_told_too(driver: Driver) -> None:
    """Its changes are watched where they happen; a text is waited for also where no walk has been."""
    await driver.open("/frames.html")
    await driver.act(a.WaitFor(value="Press deep-same", timeout_ms=3_000))
    frame = "#other >> internal:control=enter-frame >> "
    out = driver.page.locator(frame + "#out")
    await out.evaluate(
        "out => out.ownerDocument.getElementById('press').onclick = () =>"
        " fetch('/api/items?ms=200').then(r => r.json()).then(x => { setTimeout(() => { out.textContent = 'got ' + x.length; }, 30); })"
    )
    await driver.click(frame + "#press")
    assert await out.inner_text() == "got 3"
    receipt = await driver.click("#same >> internal:control=enter-frame >> #send")
    assert receipt.sent == (f"POST {driver.site.url('/submit')}",)
    assert (await driver.open("/form.html")).sent == ()


async def test_a_slow_answer_ends_the_wait_at_2_s_and_is_told(driver: Driver) -> None:
    """`unsettled`; `wait_for` takes it from there."""
    await driver.open("/fetch.html")
    begun = time.monotonic()
    receipt = await driver.click("text=Slow request")
    assert receipt.unsettled
    assert 1.8 < time.monotonic() - begun < 2.8
    await driver.act(a.WaitFor(value="3 items after 3000 ms"))


async def test_a_page_that_never_rests_ends_the_wait_at_2_s(driver: Driver) -> None:
    """Endless changes and requests."""
    await driver.open("/forever.html")
    begun = time.monotonic()
    receipt = await driver.click("#count")
    assert (receipt.unsettled, await driver.out()) == (True, "1")
    assert time.monotonic() - begun < 2.8


async def test_what_a_timer_brings_is_waited_for_inside_the_page(driver: Driver) -> None:
    """[click, wait_for], [click, wait_for]: 400 ms and 150 ms of timers."""
    await driver.open("/late.html")
    begun = time.monotonic()
    first = await driver.click("#search")
    assert not first.unsettled
    assert await driver.js("document.getElementById('book')") is None
    await driver.act(a.WaitFor(value="3 flights found"))
    await driver.batch([a.Click(selector="#book"), a.WaitFor(value="seat 14C")])
    assert time.monotonic() - begun < 5


UNMET = (
    (a.WaitFor(value="never there", timeout_ms=200), '"never there" did not appear'),
    (a.WaitFor(gone="Search flights", timeout_ms=200), '"Search flights" did not go'),
    (a.WaitFor(selector="#book", timeout_ms=200), "#book did not become visible"),
    (a.WaitFor(url="**/elsewhere", timeout_ms=200), "the URL did not become"),
)
MET = (
    ("document.getElementById('results').innerHTML = '<b id=book>Book</b>'", a.WaitFor(selector="#book")),
    ("document.getElementById('search').remove()", a.WaitFor(gone="Search flights")),
    ("history.pushState({}, '', '/later.html')", a.WaitFor(url="**/later.html")),
)


async def test_conditions_are_met_as_they_come_and_one_that_is_not_is_told_at_its_time(driver: Driver) -> None:
    """An element, a text that goes, a URL: which one, and within what."""
    await driver.open("/late.html")
    for wait, said in UNMET:
        begun = time.monotonic()
        receipt = await driver.refused(wait)
        assert (receipt.code, said in receipt.message) == ("action_timeout", True), receipt.message
        assert time.monotonic() - begun < 5
    for change, wait in MET:
        await driver.js(f"void setTimeout(() => {{ {change}; }}, 250)")
        await driver.act(wait)


async def test_a_wait_follows_a_navigation(driver: Driver) -> None:
    """The text is on the next page."""
    await driver.open("/fetch.html")
    await driver.click("text=Page by timer")
    await driver.act(a.WaitFor(value="Your number is later"))
    assert driver.session.position.url == driver.site.url("/done?id=later")


async def test_a_link_that_loads_is_followed_until_its_page_is_there(driver: Driver) -> None:
    """URL, status and title are those of the new page."""
    await driver.open("/fetch.html")
    receipt = await driver.click("text=/^Slow page$/")
    assert (receipt.navigated, receipt.status, receipt.url_after) == (True, 200, driver.site.url("/slow?ms=200"))
    assert (driver.session.position.title, receipt.unsettled) == ("Slow page", False)


async def test_a_form_is_sent_and_its_redirect_followed(driver: Driver) -> None:
    """POST, 303, GET."""
    await driver.open("/form.html")
    await driver.act(a.Fill(selector="#applicant", value="Ada"))
    receipt = await driver.click("text=Send request")
    assert (receipt.status, receipt.url_after) == (200, driver.site.url("/done?id=PR-1001"))
    assert (driver.session.position.title, driver.site.submissions[0].value("applicant")) == ("Request received", "Ada")


async def test_a_link_without_an_answer_stays_on_the_page_and_a_script_that_navigates_is_followed(
    driver: Driver,
) -> None:
    """204: no navigation, and no 2 s of waiting for one. `evaluate_js` settles as a click does."""
    await driver.open("/fetch.html")
    await driver.js("void document.body.insertAdjacentHTML('beforeend', '<a href=/hit/link>No content</a>')")
    begun = time.monotonic()
    receipt = await driver.click("text=No content")
    assert (receipt.navigated, receipt.status, receipt.unsettled) == (False, 204, False)
    assert time.monotonic() - begun < 5
    receipt = await driver.act(a.EvaluateJs(code="location.href = '/done?id=scripted'"))
    assert (receipt.navigated, receipt.url_after) == (True, driver.site.url("/done?id=scripted"))


async def test_addresses_that_change_without_a_load_are_told(driver: Driver) -> None:
    """Neither a hash nor pushState leaves the page, so its ids hold; the new URL and title are told."""
    await driver.open("/router.html")
    hashed = await driver.click("text=Notes >> nth=0")
    assert (hashed.navigated, hashed.url_after) == (False, driver.site.url("/router.html#notes"))
    pushed = await driver.click("text=/^Orders$/")
    assert (pushed.navigated, driver.session.position.title) == (False, "Router: orders")
    assert pushed.url_after != pushed.url_before
    slow = await driver.click("text=/^Slow$/")
    assert await driver.js("document.getElementById('main').textContent") == "SlowLoaded."
    assert not slow.unsettled


async def test_what_an_action_sent_is_told_without_queries_and_what_it_only_read_or_reported_is_not(
    driver: Driver,
) -> None:
    """What a script would do again outside: no beacon, no GET, five at most."""
    await driver.open("/fetch.html")
    await driver.js(
        "document.querySelector('button').onclick = async () => { navigator.sendBeacon('/submit', 'x');"
        " await fetch('/api/items?ms=1'); await fetch('/submit?token=abc#top', {method: 'POST', body: 'a=1'});"
        " for (let n = 0; n < 6; n++) await fetch('/submit/' + n, {method: 'PUT'}).catch(() => 0); }"
    )
    receipt = await driver.click("button >> nth=0")
    puts = tuple(f"PUT {driver.site.url(f'/submit/{n}')}" for n in range(4))
    assert receipt.sent == (f"POST {driver.site.url('/submit')}", *puts)


async def test_a_wait_that_is_cut_says_how_long_it_was(driver: Driver) -> None:
    """A success would say that all of it was waited."""
    receipt = await driver.refused(a.Wait(time_ms=30_000), timeout_ms=50)
    assert (receipt.code, "Waited 50 of 30000 ms" in receipt.message) == ("action_timeout", True)
