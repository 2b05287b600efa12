"""Selectors, scripts and secrets."""

import time

import pytest
from playwright.async_api import Page

from notte_mcp import actions as a
from notte_mcp.engines.base import TargetCheck
from tests.engine.actions.driver import Driver

pytestmark = pytest.mark.anyio


@pytest.fixture
def driver(kept: Driver) -> Driver:
    """These tests are about a page, so they share a session."""
    return kept


SELECTORS = (
    "#press", "xpath=//button[@id='press']", "//button[@id='press']", "css=button#press", "text=Press", "~Press",
    "role=button[name='Press']", 'internal:role=button[name="Press"i]',
)  # fmt: skip


async def test_a_hostile_page_is_pressed_by_every_kind_of_selector_and_its_form_filled_and_sent(driver: Driver) -> None:
    """The page has replaced what scripts rely on; ours run elsewhere."""
    await driver.open("/hostile.html")
    for selector in SELECTORS:
        await driver.session._stage.tab.cdp.send("Runtime.evaluate", {"expression": "out.textContent = 'nothing yet'"})
        receipt = await driver.click(selector)
        assert receipt.target is not None, selector
        assert (receipt.target.role, receipt.target.name) == ("button", "Press"), selector
        assert (selector, await driver.page.locator("#out").inner_text()) == (selector, "pressed")
    await driver.act(a.Fill(selector="[name=name]", value="Ada"))
    await driver.act(a.SelectDropdownOption(selector="[name=kind]", value="Two"))
    await driver.click("text=Send")
    got = driver.site.submissions[-1]
    assert (got.value("name"), got.value("kind")) == ("Ada", "Two")


NO_ONE_ELEMENT = (
    ("#nowhere", "selector_not_found", "No element matches"),
    ("button", "selector_ambiguous", "matches 11 elements (button At once"),
    ("button[", "selector_not_found", "no usable selector"),
    ("xpath=//[", "selector_not_found", "no usable selector"),
    ("nonsense=x", "selector_not_found", "no usable selector"),
)


async def test_a_selector_that_means_no_one_element_is_told_and_hidden_twins_are_no_choice(driver: Driver) -> None:
    """None, several (with samples), or no selector; of several the only visible one is meant."""
    await driver.open("/fetch.html")
    for selector, code, said in NO_ONE_ELEMENT:
        receipt = await driver.refused(a.Click(selector=selector, timeout_ms=300))
        assert (receipt.code, said in receipt.message) == (code, True), receipt.message
    await driver.js("void document.body.insertAdjacentHTML('beforeend', '<button hidden>At once</button>')")
    await driver.click("text=At once")
    assert await driver.out() == "changed at once"


# --- scripts ----------------------------------------------------------------------


VALUES: tuple[tuple[str, object], ...] = (
    ("1 + 1", 2),
    ("document.title", "Requests"),
    ("(() => ({a: [1, 'x', null]}))()", {"a": [1, "x", None]}),
    ("() => 7", 7),
    ("async () => { await null; return 8; }", 8),
    ("Promise.resolve('later')", "later"),
    ("await Promise.resolve(9)", 9),
    ("const x = 4; return x * 2;", 8),
    ("const y = await fetch('/api/items?ms=1'); return y.status", 200),
    ("undefined", None),
    ("void 0", None),
    ("let z = 1;", None),
    ("document.title;", "Requests"),
    ("(() => 3)();\n", 3),
    ("await Promise.resolve(9);", 9),
    ("const one = 1; one + 1", 2),
    ("const one = 1; one + 2;", 3),
    ("function twice(x) { return 2 * x; } twice(4)", 8),
    ("let later = Promise.resolve('kept'); later", "kept"),
    ("let none; none", None),
    ("'return; await'; /* ; */ -0;", 0),
    ("let half = 0 / 0; half", None),
    ("window", "(it ran; its result, a Window, is no JSON value)"),
    ("10n", "(it ran; its result, a BigInt, is no JSON value)"),
)
ERRORS = (
    ("throw new Error('no luck')", "Error: no luck"), ("nothing.here", "nothing is not defined"), ("1 +", "SyntaxError"),
    ("Promise.reject('refused')", "refused"), ("JSON.parse('{')", "SyntaxError"),
)  # fmt: skip


async def test_a_script_gives_its_value_and_a_large_one_is_cut_and_says_so(driver: Driver) -> None:
    """Expressions, functions, promises, statements, one after the other in one page; 256,000 characters."""
    await driver.open("/fetch.html")
    for code, result in VALUES:
        assert (code, (await driver.act(a.EvaluateJs(code=code))).data) == (code, result)
    receipt = await driver.act(a.EvaluateJs(code="'x'.repeat(3e6)"))
    assert (len(receipt.data), "cut" in receipt.message) == (256_000, True)


async def test_a_script_that_fails_is_told_with_its_error(driver: Driver) -> None:
    """And it runs once."""
    await driver.open("/fetch.html")
    for code, said in ERRORS:
        receipt = await driver.refused(a.EvaluateJs(code=code))
        assert (receipt.code, said in receipt.message) == ("action_failed", True), receipt.message
    for ran, ending in enumerate((", JSON.parse('{')", "; JSON.parse('{')", "; throw new SyntaxError(); return 1"), 1):
        await driver.refused(a.EvaluateJs(code=f"window.runs = (window.runs ?? 0) + 1{ending}"))
        assert await driver.js("window.runs") == ran


async def test_a_script_without_end_is_ended_and_the_page_lives(driver: Driver) -> None:
    """At its deadline: one that is busy, one that waits."""
    await driver.open("/fetch.html")
    for code in ("while (true) {}", "new Promise(() => {})"):
        begun = time.monotonic()
        receipt = await driver.refused(a.EvaluateJs(code=code), timeout_ms=400)
        assert (receipt.code, time.monotonic() - begun < 2.5) == ("action_timeout", True)
    await driver.click("text=At once")
    assert await driver.out() == "changed at once"


async def test_a_strict_policy_does_not_matter(driver: Driver) -> None:
    """No eval is allowed there."""
    await driver.open("/csp")
    assert (await driver.act(a.EvaluateJs(code="document.title"))).data == "Strict policy"
    await driver.click("#go")
    assert await driver.out() == "pressed"
    await driver.act(a.Fill(selector="input", value="noted"))


# --- secrets ----------------------------------------------------------------------


SECRETS = (
    ("cc-number", "SECRET_CARD_NUMBER"),
    ("cc-csc", "SECRET_SECURITY_CODE"),
    ("totp", "SECRET_AUTHENTICATOR_CODE"),
    ("new", "SECRET_NEW_PASSWORD"),
)


async def test_a_secret_is_nowhere_in_the_receipt_and_scripts_are_off_after_the_first(driver: Driver) -> None:
    """P9: passwords, one-time codes (each box of one, not only that which says so), cards; of one that was not taken
    only the length is told, since what the field holds instead may be most of it."""
    await driver.open("/secrets.html")
    assert (await driver.act(a.EvaluateJs(code="document.title"))).data == "Secrets"
    for field, name in SECRETS:
        for action in (a.Fill, a.FallbackFill, a.MultiFactorFill):
            receipt = await driver.act(action(selector=f"[name={field}]", value="4929123412341234"))
            assert (receipt.secret, receipt.value) == (name, None)
            assert "4929" not in repr(receipt)
        assert await driver.js(f"document.querySelector('[name={field}]').value") == "4929123412341234"
        off = await driver.refused(a.EvaluateJs(code="document.title"))
        assert "a secret was typed" in off.message
    receipt = await driver.act(a.Fill(selector="[name=d4]", value="7"))
    assert (receipt.secret, receipt.value) == ("SECRET_DIGIT_4", None)
    await driver.js("document.getElementById('new').maxLength = 6")
    receipt = await driver.refused(a.Fill(selector="#new", value="open sesame"))
    assert ("6 other characters" in receipt.message, "open" in receipt.message) == (True, False)


ASKS = (("place", "Where am I"), ("note", "Notify"), ("camera", "Camera"), ("paste", "Read clipboard"))


async def test_permissions_are_denied_and_the_clipboard_is_not_read(driver: Driver) -> None:
    """Nobody is there to be asked, and what the person copied elsewhere is theirs."""
    await driver.open("/permissions.html")
    for asked, name in ASKS:
        await driver.click(f"text={name}")
        got = "refused|denied" if asked == "paste" else "refused|denied|default"
        await driver.act(a.WaitFor(selector=f"text=/{asked} ({got})/", timeout_ms=5_000))


async def test_a_secret_is_known_at_its_turn_and_painted_over_in_a_screenshot(driver: Driver) -> None:
    """Not before a batch: a selector is looked at then. Also in the page's own dialog, which stands above everything
    else."""
    await driver.open("/secrets.html")
    assert await driver.session.check([a.Fill(selector="#new", value="x")]) == [TargetCheck(known=False)]
    await driver.js(
        "void document.body.insertAdjacentHTML('beforeend', '<dialog><input type=password id=inner value=hidden></dialog>')"
    )
    await driver.js("document.querySelector('dialog').showModal()")
    await driver.js("document.getElementById('inner').type = 'text'")
    await driver.js("document.getElementById('inner').type = 'password'")
    painted = await _differs(driver, driver.page, "#inner")
    assert painted
    assert await driver.js("document.querySelector('notte-marks')") is None


async def _differs(driver: Driver, page: Page, selector: str) -> bool:
    """Whether the session's screenshot is the same whatever the field holds."""
    first = await driver.session.screenshot(marks=False)
    await page.eval_on_selector(selector, "field => { field.value = 'another one, and longer'; }")
    return await driver.session.screenshot(marks=False) == first
