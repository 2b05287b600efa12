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


@pytest.mark.parametrize(
    "selector",
    ["#press", "xpath=//button[@id='press']", "//button[@id='press']", "css=button#press", "text=Press", "~Press",
     "role=button[name='Press']", 'internal:role=button[name="Press"i]'],
)  # fmt: skip
async def test_every_kind_of_selector_finds_its_element_even_in_a_hostile_page(driver: Driver, selector: str) -> None:
    """The page has replaced what scripts rely on; ours run elsewhere."""
    await driver.open("/hostile.html")
    receipt = await driver.click(selector)
    assert receipt.target is not None
    assert (receipt.target.role, receipt.target.name) == ("button", "Press")
    assert await driver.page.locator("#out").inner_text() == "pressed"


async def test_a_form_in_a_hostile_page_is_filled_and_sent(driver: Driver) -> None:
    """Typing, choosing, clicking."""
    await driver.open("/hostile.html")
    await driver.act(a.Fill(selector="[name=name]", value="Ada"))
    await driver.act(a.SelectDropdownOption(selector="[name=kind]", value="Two"))
    await driver.click("text=Send")
    got = driver.site.submissions[-1]
    assert (got.value("name"), got.value("kind")) == ("Ada", "Two")


@pytest.mark.parametrize(
    ("selector", "code", "said"),
    [
        ("#nowhere", "selector_not_found", "No element matches"),
        ("button", "selector_ambiguous", "matches 11 elements (button At once"),
        ("button[", "selector_not_found", "no usable selector"),
        ("xpath=//[", "selector_not_found", "no usable selector"),
        ("nonsense=x", "selector_not_found", "no usable selector"),
    ],
)
async def test_a_selector_that_means_no_one_element_is_told(
    driver: Driver, selector: str, code: str, said: str
) -> None:
    """None, several (with samples), or no selector."""
    await driver.open("/fetch.html")
    receipt = await driver.refused(a.Click(selector=selector, timeout_ms=300))
    assert (receipt.code, said in receipt.message) == (code, True), receipt.message


async def test_of_several_the_only_visible_one_is_meant(driver: Driver) -> None:
    """Hidden twins are no choice."""
    await driver.open("/fetch.html")
    await driver.js("void document.body.insertAdjacentHTML('beforeend', '<button hidden>At once</button>')")
    await driver.click("text=At once")
    assert await driver.out() == "changed at once"


# --- scripts ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "result"),
    [
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
    ],
)
async def test_a_script_gives_its_value(driver: Driver, code: str, result: object) -> None:
    """Expressions, functions, promises, statements."""
    await driver.open("/fetch.html")
    assert (await driver.act(a.EvaluateJs(code=code))).data == result


@pytest.mark.parametrize(
    ("code", "said"),
    [("throw new Error('no luck')", "Error: no luck"), ("nothing.here", "nothing is not defined"), ("1 +", "SyntaxError"),
     ("Promise.reject('refused')", "refused"), ("JSON.parse('{')", "SyntaxError")],
)  # fmt: skip
async def test_a_script_that_fails_is_told_with_its_error(driver: Driver, code: str, said: str) -> None:
    """And it runs once."""
    await driver.open("/fetch.html")
    receipt = await driver.refused(a.EvaluateJs(code=code))
    assert (receipt.code, said in receipt.message) == ("action_failed", True), receipt.message
    for ran, ending in enumerate((", JSON.parse('{')", "; JSON.parse('{')", "; throw new SyntaxError(); return 1"), 1):
        await driver.refused(a.EvaluateJs(code=f"window.runs = (window.runs ?? 0) + 1{ending}"))
        assert await driver.js("window.runs") == ran


@pytest.mark.parametrize("code", ["while (true) {}", "for (;;) ;", "new Promise(() => {})"])
async def test_a_script_without_end_is_ended_and_the_page_lives(driver: Driver, code: str) -> None:
    """At its deadline."""
    await driver.open("/fetch.html")
    begun = time.monotonic()
    receipt = await driver.refused(a.EvaluateJs(code=code), timeout_ms=500)
    assert (receipt.code, time.monotonic() - begun < 2.5) == ("action_timeout", True)
    await driver.click("text=At once")
    assert await driver.out() == "changed at once"


async def test_a_large_result_is_cut_and_says_so(driver: Driver) -> None:
    """256,000 characters."""
    await driver.open("/fetch.html")
    receipt = await driver.act(a.EvaluateJs(code="'x'.repeat(3e6)"))
    assert (len(receipt.data), "cut" in receipt.message) == (256_000, True)


async def test_a_strict_policy_does_not_matter(driver: Driver) -> None:
    """No eval is allowed there."""
    await driver.open("/csp")
    assert (await driver.act(a.EvaluateJs(code="document.title"))).data == "Strict policy"
    await driver.click("#go")
    assert await driver.out() == "pressed"
    await driver.act(a.Fill(selector="input", value="noted"))


# --- secrets ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "name"),
    [
        ("cc-number", "SECRET_CARD_NUMBER"),
        ("cc-csc", "SECRET_SECURITY_CODE"),
        ("totp", "SECRET_AUTHENTICATOR_CODE"),
        ("new", "SECRET_NEW_PASSWORD"),
    ],
)
async def test_a_secret_is_nowhere_in_the_receipt_and_scripts_are_off_afterwards(
    driver: Driver, field: str, name: str
) -> None:
    """P9: passwords, one-time codes, cards."""
    await driver.open("/secrets.html")
    for action in (a.Fill, a.FallbackFill, a.MultiFactorFill):
        receipt = await driver.act(action(selector=f"[name={field}]", value="4929123412341234"))
        assert (receipt.secret, receipt.value) == (name, None)
        assert "4929" not in repr(receipt)
    assert await driver.js(f"document.querySelector('[name={field}]').value") == "4929123412341234"
    off = await driver.refused(a.EvaluateJs(code="document.title"))
    assert "a secret was typed" in off.message


async def test_every_box_of_a_code_is_secret(driver: Driver) -> None:
    """P9: not only the one that says so."""
    await driver.open("/secrets.html")
    receipt = await driver.act(a.Fill(selector="[name=d4]", value="7"))
    assert (receipt.secret, receipt.value) == ("SECRET_DIGIT_4", None)


@pytest.mark.parametrize(("asked", "name"), [("place", "Where am I"), ("note", "Notify"), ("camera", "Camera")])
async def test_permissions_are_denied(driver: Driver, asked: str, name: str) -> None:
    """Nobody is there to be asked."""
    await driver.open("/permissions.html")
    await driver.click(f"text={name}")
    await driver.act(a.WaitFor(selector=f"text=/{asked} (refused|denied|default)/", timeout_ms=5_000))


async def test_the_clipboard_is_not_read(driver: Driver) -> None:
    """What the person copied elsewhere is theirs."""
    await driver.open("/permissions.html")
    await driver.click("text=Read clipboard")
    await driver.act(a.WaitFor(selector="text=/paste (refused|denied)/", timeout_ms=5_000))


async def test_a_failed_fill_of_a_secret_tells_only_its_length(driver: Driver) -> None:
    """What the field holds instead may be most of it."""
    await driver.open("/secrets.html")
    await driver.js("document.getElementById('new').maxLength = 6")
    receipt = await driver.refused(a.Fill(selector="#new", value="open sesame"))
    assert ("6 other characters" in receipt.message, "open" in receipt.message) == (True, False)


async def test_a_secret_is_painted_over_in_a_screenshot(driver: Driver) -> None:
    """Also in the page's own dialog, which stands above everything else."""
    await driver.open("/secrets.html")
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


async def test_secrets_are_known_before_a_batch(driver: Driver) -> None:
    """A selector is looked at only at its turn."""
    await driver.open("/secrets.html")
    assert await driver.session.check([a.Fill(selector="#new", value="x")]) == [TargetCheck(known=False)]
