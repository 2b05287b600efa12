"""Reaching what is to be clicked: covered, disabled, moving, far away, in frames and shadow roots."""

import time

import pytest

from notte_mcp import actions as a
from tests.engine.actions.driver import Driver

pytestmark = pytest.mark.anyio

ENTER = " >> internal:control=enter-frame >> "


def button(name: str) -> str:
    return f'button:text-is("{name}")'


UNREACHED = (
    ("Disabled for good", "disabled"),
    ("Said to be disabled", "disabled"),
    ("Moving for ever", "moving"),
    ("Lets clicks through", "covered"),
)


async def test_what_cannot_be_acted_on_is_told_with_the_reason_and_soon_on_a_still_page(kept: Driver) -> None:
    """And nothing is hit. A still page will not uncover what is covered: 1 s is enough to know, and names the cover."""
    await kept.open("/covered.html")
    for name, reason in UNREACHED:
        receipt = await kept.refused(a.Click(selector=button(name), timeout_ms=900))
        assert (receipt.code, reason in receipt.message) == ("not_actionable", True), receipt.message
    await kept.until("!document.getElementById('short')")
    await kept.js("document.getElementById('always').remove()")
    await kept.js("document.getElementById('move').getAnimations().forEach(x => x.finish())")
    begun = time.monotonic()
    receipt = await kept.refused(a.Click(selector=button("Covered for good")))
    took = time.monotonic() - begun
    assert (receipt.code, 'region "Cookie wall"' in receipt.message) == ("not_actionable", True), receipt.message
    assert took < 1.6
    assert await kept.out() == "nothing hit"
    receipt = await kept.refused(a.Click(selector="#gone"))
    assert (receipt.code, "landed on" in receipt.message) == ("action_failed", True), receipt.message


async def test_an_explicit_time_is_honoured_in_full(kept: Driver) -> None:
    """Whoever names a time means it, however still the page is."""
    await kept.open("/covert.html")
    await kept.js("setTimeout(() => { document.getElementById('undone').disabled = false; }, 1800)")
    await kept.js("document.getElementById('undone').disabled = true")
    await kept.act(a.Click(selector="#undone", timeout_ms=4_000))


VEILED = (
    "const veil = document.createElement('div'); veil.className = 'veil';"
    " document.querySelector('.spot').append(veil); setTimeout(() => veil.remove(), 400)"
)
LATER = (
    ("Covered for 600 ms", VEILED),
    ("Half covered", ""),
    ("Enabled after 500 ms", "$('off').disabled = true; setTimeout(() => { $('off').disabled = false; }, 400)"),
    ("Moving for 1.2 s", "$('move').getAnimations()[0].currentTime = 600; $('move').getAnimations()[0].play()"),
    ("Shown after 300 ms", "$('shown').hidden = true; setTimeout(() => { $('shown').hidden = false; }, 300)"),
)


async def test_what_can_be_acted_on_a_moment_later_is_waited_for(kept: Driver) -> None:
    """And then it is hit; so is what is half covered, or tiny."""
    await kept.open("/covered.html")
    await kept.until("!$('short') && !$('off').disabled && !$('shown').hidden")
    for name, again in LATER:
        await kept.js(f"(() => {{ {again} }})()")
        await kept.click(button(name))
        assert await kept.out() == f"hit {name}"
    await kept.click("#tiny")
    assert await kept.out() == "hit Tiny"


async def test_an_element_far_below_and_one_in_a_box_that_scrolls_are_brought_into_view(kept: Driver) -> None:
    """Down, and sideways."""
    await kept.open("/covered.html")
    await kept.click("#far")
    assert await kept.out() == "hit Far below"
    await kept.open("/scroll.html")
    await kept.js("document.addEventListener('click', e => { window.hit = e.target.textContent; })")
    for name in ("Pick 50", "Nested end", "Right end", "Cut away", "End of the page"):
        await kept.click(button(name))
        assert await kept.js("window.hit") == name


async def test_something_that_moves_by_script_is_hit(kept: Driver) -> None:
    """No animation tells of it; the receipt is true either way."""
    await kept.open("/covered.html")
    await kept.js(
        "const m = document.getElementById('move'); m.style.animation = 'none'; let x = 0;"
        "(function go() { m.style.left = (x += 5) + 'px'; if (x < 400) requestAnimationFrame(go); })()"
    )
    receipt = await kept.perform(a.Click(selector="#move"))
    hit = await kept.out() == "hit Moving for 1.2 s"
    assert receipt.success is hit


FRAMES = (
    (["#same"], "same"),
    (["#near"], "near"),
    (["#other"], "other"),
    (["#nested", "[title='Deep across']"], "deep-across"),
    (["#nested", "[title='Deep same']"], "deep-same"),
    (["#sandboxed"], "sandboxed"),
)


async def test_clicks_and_texts_land_inside_frames_and_frames_that_are_gone_are_not_asked_again(kept: Driver) -> None:
    """Same origin, same site, another site in a process of its own, nested, sandboxed. What covers a frame covers what
    is in it, of the same origin and of another. Each that is gone would cost every action a tenth of a second: those
    that a page took out, and those of a page that was left."""
    await kept.open("/frames.html")
    await kept.js(
        "document.body.insertAdjacentHTML('beforeend', '<div id=wall style=\"position:fixed;inset:0\">Wall of glass</div>')"
    )
    for frame in ("#same", "#other"):
        receipt = await kept.refused(a.Click(selector=f"{frame}{ENTER}#press", timeout_ms=1_200))
        assert "Wall of glass" in receipt.message
        assert await kept.page.locator(f"{frame}{ENTER}#out").inner_text() == ""
    await kept.js("wall.remove()")
    for frames, who in FRAMES:
        await _lands_inside(kept, frames, who)

    tab = kept.session._stage.tab
    assert len(tab.worlds) > 4
    await kept.js("document.querySelectorAll('iframe:not(#other)').forEach(frame => frame.remove())")
    await kept.act(a.WaitFor(value="Frames"))
    await kept.click("h1")
    assert len(tab.worlds) == 2
    await kept.open("/form.html")
    assert tab.worlds == [tab.main]


async def _lands_inside(kept: Driver, frames: list[str], who: str) -> None:
    prefix = "".join(frame + ENTER for frame in frames)
    receipt = await kept.act(a.Click(selector=prefix + "#press"))
    assert await kept.page.locator(prefix + "#out").inner_text() == f"pressed in {who}"
    assert receipt.target is not None
    assert len(receipt.target.locators.frame) == len(frames)
    await kept.act(a.Fill(selector=prefix + "[name=text]", value=f"to {who}"))
    await kept.act(a.Check(selector=prefix + "[name=agree]"))
    if who != "sandboxed":
        await kept.act(a.Click(selector=prefix + "#send"))
        got = kept.site.submissions[-1]
        assert (got.value("who"), got.value("text"), got.value("agree")) == (who, f"to {who}", "yes")


async def test_shadow_roots_are_reached_into(kept: Driver) -> None:
    """Nested, slotted, and a field that takes part in a form."""
    await kept.open("/shadow.html")
    await kept.click("text=Card button")
    assert await kept.out() == "card pressed"
    await kept.act(a.Fill(selector="x-inner input", value="depths"))
    receipt = await kept.click("text=Deep button")
    assert await kept.out() == "deep depths"
    assert receipt.target is not None
    assert receipt.target.locators.shadow
    await kept.act(a.SelectDropdownOption(selector="x-outer select", value="two"))
    await kept.act(a.Fill(selector="x-field input", value="Ada"))
    await kept.click("text=Send form")
    assert kept.site.submissions[-1].value("nickname") == "Ada"


# --- gestures ---------------------------------------------------------------------


async def test_the_pointer_opens_a_menu_and_a_delayed_card(kept: Driver) -> None:
    """`hover`, then what it showed is clicked."""
    await kept.open("/hover.html")
    await kept.act(a.Hover(selector="#card"))
    await kept.act(a.WaitFor(value="Follow", timeout_ms=2_000))
    await kept.act(a.Hover(selector="text=/^Products$/"))
    receipt = await kept.click("text=Offers")
    assert receipt.url_after == kept.site.url("/done?id=offers")


async def test_a_double_click_is_one(kept: Driver) -> None:
    """Two clicks of one gesture."""
    await kept.open("/hover.html")
    await kept.act(a.DoubleClick(selector="#cell"))
    assert await kept.js("document.getElementById('edit').value") == "old"


async def test_things_are_dragged_by_html5_and_by_pointer(kept: Driver) -> None:
    """The receipt tells where to."""
    await kept.open("/drag.html")
    receipt = await kept.act(a.Drag(selector="#a", to_selector="#done"))
    assert await kept.js("document.querySelector('#done #a') !== null")
    assert receipt.destination is not None
    assert receipt.destination.name == "Done"
    await kept.act(a.Drag(selector="li:text-is('First')", to_selector="li:text-is('Third')"))
    assert await kept.out() == "order Second Third First"
    await kept.act(a.Drag(selector="#thumb", to_selector="#track"))
    assert (await kept.out()).startswith("level 5")


async def test_keys_do_what_keys_do(kept: Driver) -> None:
    """On the page, on an element, in chords; and one that does not exist."""
    await kept.open("/keyboard.html")
    await kept.act(a.PressKey(key="Escape"))
    assert await kept.js("document.getElementById('panel')") is None
    await kept.act(a.PressKey(key="ArrowRight", selector="#pad"))
    assert await kept.js("document.getElementById('at').textContent") == "1,0"
    await kept.act(a.PressKey(key="Control+k"))
    await kept.act(a.Fill(selector="#query", value="old text"))
    await kept.act(a.PressKey(key="Control+A"))
    await kept.act(a.PressKey(key="x"))
    assert await kept.js("document.getElementById('query').value") == "x"
    await kept.act(a.PressKey(key="Tab"))
    assert await kept.js("document.activeElement.id") == "pad"
    assert "no key" in (await kept.refused(a.PressKey(key="Hyper+Q"))).message
    sent = await kept.act(a.PressKey(key="Enter", selector="#query"))
    assert (sent.navigated, kept.site.submissions[-1].value("query")) == (True, "x")


async def test_the_page_and_its_boxes_scroll_and_what_did_not_is_told(kept: Driver) -> None:
    """By an amount, or by 70 % of what is seen."""
    await kept.open("/scroll.html")
    await kept.act(a.ScrollDown(amount=300))
    assert await kept.js("scrollY") == 300
    await kept.act(a.ScrollDown())
    height = await kept.js("innerHeight")
    assert await kept.js("scrollY") == pytest.approx(300 + 0.7 * height, abs=2)
    await kept.act(a.ScrollUp(amount=100_000))
    assert "at its top" in (await kept.refused(a.ScrollUp())).message
    await kept.act(a.ScrollDown(selector="#list", amount=120))
    assert await kept.js("[document.getElementById('list').scrollTop, scrollY]") == [120, 0]
