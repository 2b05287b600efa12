"""Values into every kind of field: what the page holds and what the server gets, not only what the receipt says."""

import pytest

from notte_mcp import actions as a
from tests.engine.actions.driver import Driver, eventually

pytestmark = pytest.mark.anyio


@pytest.fixture
def driver(kept: Driver) -> Driver:
    """These tests are about a page, so they share a session."""
    return kept


TEXTS = {
    "name": "Grace Hopper",
    "email": "grace@example.org",
    "phone": "+41 44 123",
    "website": "https://example.org/",
    "search": "compilers",
    "amount": "6",
    "short": "abcd",
    "town": "Basel",
    "remarks": "one\ntwo",
    "day": "2026-03-04",
    "hour": "13:45",
    "moment": "2026-03-04T13:45",
    "month": "2026-03",
    "week": "2026-W10",
    "colour": "#00ff7f",
    "volume": "70",
}


async def test_every_text_like_control_takes_its_value_and_the_server_gets_it(driver: Driver) -> None:
    """Text, e-mail, number, date, time, colour, range, text area, data list."""
    await driver.open("/controls.html")
    for name, value in TEXTS.items():
        receipt = await driver.act(a.Fill(selector=f"[name={name}]", value=value))
        assert (name, receipt.value) == (name, value)
    await driver.click("[value=Send]")
    got = driver.site.submissions[-1]
    assert {name: (got.value(name) or "").replace("\r\n", "\n") for name in TEXTS} == TEXTS


NOT_TAKEN = (("short", "abcdef", '"abcd"'), ("amount", "many", '""'), ("day", "tomorrow", '""'))
CLOSED = (("fixed", "read-only"), ("off", "disabled"), ("closed", "disabled"))


async def test_a_fill_clears_or_adds_and_one_that_is_not_taken_names_what_the_field_holds(driver: Driver) -> None:
    """`clear_before_fill=false`; a quiet success would be believed; nothing is done to a field that nobody can type
    in; frameworks hear of what is typed, or it would be lost at the next render."""
    await driver.open("/controls.html")
    await driver.act(a.Fill(selector="[name=name]", value=" Lovelace", clear_before_fill=False))
    assert await driver.js("document.forms[0].name.value") == "Ada Lovelace"
    await driver.act(a.Fill(selector="[name=name]", value=""))
    assert await driver.js("document.forms[0].name.value") == ""
    for name, value, holds in NOT_TAKEN:
        receipt = await driver.refused(a.Fill(selector=f"[name={name}]", value=value))
        assert (receipt.code, f"holds {holds}" in receipt.message) == ("action_failed", True), receipt.message
    for name, reason in CLOSED:
        receipt = await driver.refused(a.Fill(selector=f"[name={name}]", value="x"))
        assert (receipt.code, reason in receipt.message) == ("not_actionable", True), receipt.message
    await driver.js(
        "void document.addEventListener('input', e => { (window.heard ??= []).push(e.target.name + e.isTrusted); })"
    )
    await driver.act(a.Fill(selector="[name=name]", value="x"))
    await driver.act(a.Fill(selector="[name=volume]", value="10"))
    assert await driver.js("window.heard") == ["nametrue", "volumefalse"]


REFORMATS = (("mask", "0441234567", "044 123 456 7"), ("upper", "abc", "ABC"), ("rejects", "abc", ""))


async def test_a_field_that_reformats_or_refuses_is_told(driver: Driver) -> None:
    """The caller decides whether what it holds will do; so also of a code in a field that is not one of a row."""
    await driver.open("/stubborn.html")
    for field, value, holds in REFORMATS:
        receipt = await driver.refused(a.Fill(selector=f"#{field}", value=value))
        assert f'holds "{holds}"' in receipt.message
    assert "holds" in (await driver.refused(a.MultiFactorFill(selector="#rejects", value="123"))).message


async def test_a_field_that_takes_keys_is_controlled_or_replaced_keeps_its_value(driver: Driver) -> None:
    """`fallback_fill` types key by key; the state of a framework is set by the input event only; the field that stands
    in the place of one that is replaced as it is focused has the focus."""
    await driver.open("/stubborn.html")
    await driver.act(a.FallbackFill(selector="#keys", value="typed by hand"))
    await driver.until("document.getElementById('keys').value === 'typed by hand'")
    await driver.act(a.FallbackFill(selector="#keys", value="anew"))
    await driver.until("document.getElementById('keys').value === 'anew'")
    await driver.act(a.Fill(selector="#controlled", value="kept"))
    await driver.act(a.Wait(time_ms=60))
    assert await driver.js("document.getElementById('controlled').value") == "kept"
    await driver.act(a.Fill(selector="#replaced", value="here"))
    assert await driver.js("document.getElementById('replaced').value") == "here"


async def test_enter_after_a_fill_sends_the_form(driver: Driver) -> None:
    """`press_enter`; the navigation is the receipt's."""
    await driver.open("/keyboard.html")
    receipt = await driver.act(a.Fill(selector="#query", value="maps", press_enter=True))
    assert (receipt.navigated, receipt.url_after) == (True, driver.site.url("/done?id=PR-1001"))
    assert driver.site.submissions[-1].value("query") == "maps"


async def test_editable_boxes_and_documents_in_frames_take_text(driver: Driver) -> None:
    """Rich text, plain text only, one without a role; an editor that lives in a frame, and one in design mode."""
    await driver.open("/editor.html")
    for selector, shown in (("#text", "Anew\nand again"), ("#plain", "note"), ("#bare", "bare")):
        await driver.act(a.Fill(selector=selector, value=shown))
        assert (await driver.js(f"document.querySelector('{selector}').innerText")).strip() == shown
    for frame in ("[title='Editor frame']", "#design"):
        await driver.act(a.Fill(selector=f"{frame} >> internal:control=enter-frame >> body", value="inside"))
        assert (await driver.page.frame_locator(frame).locator("body").inner_text()).strip() == "inside"


async def test_boxes_of_one_digit_that_jump_take_the_whole_code(driver: Driver) -> None:
    """`multi_factor_fill` types key by key."""
    await driver.open("/secrets.html")
    receipt = await driver.act(a.MultiFactorFill(selector="[name=d1]", value="314159"))
    await driver.click("text=Verify")
    got = driver.site.submissions[-1].fields
    assert "".join(got[f"d{n}"][0] for n in range(1, 7)) == "314159"
    assert "314159" not in repr(receipt)


async def test_a_whole_form_is_filled_by_nottes_names(driver: Driver) -> None:
    """What the page has no field for is named."""
    await driver.open("/address.html")
    value = {"title": "Dr", "first_name": "Ada", "last_name": "King", "email": "ada@example.org", "city": "Bern",
             "country": "Switzerland", "password": "open sesame"}  # fmt: skip
    receipt = await driver.act(a.FormFill(value=value))
    assert (receipt.secret is not None, "sesame" in repr(receipt)) == (True, False)
    await driver.click("button")
    await eventually(lambda: bool(driver.site.submissions))
    got = driver.site.submissions[-1]
    sent = [got.value(n) for n in ("honorific", "given", "family", "mail", "town", "land", "pw")]
    assert sent == ["Dr", "Ada", "King", "ada@example.org", "Bern", "CH", "open sesame"]


async def test_a_form_without_a_named_field_says_which(driver: Driver) -> None:
    """Part of it is filled, and the receipt is no success."""
    await driver.open("/login.html")
    receipt = await driver.refused(a.FormFill(value={"username": "ada", "city": "Bern"}))
    assert "no field for city" in receipt.message
    assert await driver.js("document.querySelector('[name=username]').value") == "ada"
