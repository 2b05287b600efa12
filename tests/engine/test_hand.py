"""A person's hand in a real browser: points through frames and canvases, a caret among lines, a drag, a wheel."""

from typing import Any

import anyio
import pytest

from notte_mcp import actions as a
from notte_mcp.engines.base import Hand, Spot
from notte_mcp.receipts import Receipt
from tests.engine.eyes import Eye, id_of

pytestmark = pytest.mark.anyio

_WORDS = """
document.body.insertAdjacentHTML('afterbegin', `
  <div style="position:absolute;left:0;top:0;width:900px;height:300px;background:#fff">
  <label for="mail" style="position:absolute;left:10px;top:10px">Where we write to</label>
  <input id="mail" type="email" style="position:absolute;left:200px;top:10px">
  <p style="position:absolute;left:10px;top:50px;margin:0">Plain <b id="bold">words</b></p>
  <canvas id="map" width="200" height="100" style="position:absolute;left:10px;top:90px;background:#ddd"></canvas>
  <button id="plus" style="position:absolute;left:300px;top:90px"><svg width="30" height="30"><circle r="9" cx="15" cy="15"/></svg></button>
  <div id="note" contenteditable aria-label="Note" style="position:absolute;left:300px;top:150px;width:200px">one<br>two</div>
  <div id="card" style="cursor:pointer;position:absolute;left:550px;top:90px"><h3 id="head" style="margin:0">Card</h3><button>Buy</button></div>
  <x-box style="position:absolute;left:550px;top:200px"></x-box></div>`);
document.querySelector('x-box').attachShadow({mode: 'open'}).innerHTML = '<a href="#shadow">In the <i>shadow</i></a>';
window.hits = [];
for (const el of document.querySelectorAll('canvas,button')) el.addEventListener('click', (e) => hits.push([el.id, e.offsetX, e.offsetY]));
"""


async def by_hand(eye: Eye, action: a.Action, **hand: Any) -> Receipt:
    """An action of a person that must succeed."""
    with anyio.fail_after(20):
        receipt = await eye.session.perform(action, timeout_ms=8_000, hand=Hand(**hand))
    assert receipt.success, receipt.message
    return receipt


async def at(eye: Eye, selector: str, dx: float = 0.5, dy: float = 0.5) -> tuple[float, float]:
    """A point of an element of the page itself."""
    code = f"""(() => {{ const r = document.querySelector({selector!r}).getBoundingClientRect();
      return [r.left + r.width * {dx}, r.top + r.height * {dy}]; }})()"""
    x, y = await eye.run(code)
    return x, y


async def spot(eye: Eye, point: tuple[float, float]) -> Spot:
    """What stands there."""
    found = await eye.session.spot(point)
    assert found is not None
    return found


async def click(eye: Eye, point: tuple[float, float]) -> Receipt:
    """Click what stands there."""
    return await by_hand(eye, a.Click(id=(await spot(eye, point)).id), point=point)


async def test_a_point_is_of_the_element_that_a_person_would_name(eye: Eye) -> None:
    """A label's control, the button of an icon, the box of plain words, a card's own part, a link of a shadow root."""
    await eye.go("/keyboard.html")
    await eye.run(_WORDS)
    expected = {
        "label[for=mail]": ("textbox", "Where we write to"), "#plus circle": ("button", ""),
        "#bold": ("paragraph", "Plain words"), "#map": ("canvas", ""), "#head": ("heading", "Card"),
        "x-box": ("link", "In the shadow"), "#note": ("textbox", "Note"),
    }  # fmt: skip
    found = {selector: await spot(eye, await at(eye, selector)) for selector in expected}
    assert {selector: (it.role, it.name) for selector, it in found.items()} == expected
    beside = [(await spot(eye, point)).role for point in ((700, 280), (1_200, 790))]
    assert beside == ["area", "document"]


async def test_a_canvas_is_hit_at_the_very_point(eye: Eye) -> None:
    """Where there is nothing to find but the point."""
    await eye.go("/keyboard.html")
    await eye.run(_WORDS)
    receipt = await click(eye, await at(eye, "#map", 0.1, 0.8))
    assert await eye.run("hits") == [["map", 20, 80]]
    assert receipt.target is not None
    assert receipt.target.locators.css == "#map"
    assert receipt.target.box is not None
    assert receipt.target.box[2:] == (200, 100)
    twice = await by_hand(eye, a.DoubleClick(selector="#map"), point=await at(eye, "#map", 0.5, 0.5))
    assert len(await eye.run("hits")) == 3
    assert twice.message == 'Double-clicked canvas ""'


async def test_a_person_types_among_the_lines_of_an_editor(eye: Eye) -> None:
    """The caret is told in the text as it is read back, and a pasted text keeps its lines."""
    await eye.go("/keyboard.html")
    await eye.run(_WORDS)
    await click(eye, await at(eye, "#note", 0.9, 0.2))
    for key in ("Control+Home", "ArrowRight"):
        await by_hand(eye, a.PressKey(key=key))
    note = await eye.session.spot(None)
    assert note is not None
    assert (note.value, note.caret) == ("one\ntwo", (1, 1))
    typed = await by_hand(eye, a.Fill(id=note.id, value="-"), text="\N{THUMBS UP SIGN}")
    assert typed.value == "o\N{THUMBS UP SIGN}ne\ntwo"
    pasted = await by_hand(eye, a.Fill(id=note.id, value="-"), text="x\ny")
    assert pasted.value == "o\N{THUMBS UP SIGN}x\nyne\ntwo"
    note = await eye.session.spot(None)
    assert note is not None
    assert note.caret == (5, 5)


async def test_keys_are_keys_for_the_page(eye: Eye) -> None:
    """A shortcut moves the focus, arrows go to what has it, and a character typed is heard as one."""
    await eye.go("/keyboard.html")
    await by_hand(eye, a.PressKey(key="Control+k"))
    focus = await eye.session.spot(None)
    assert focus is not None
    assert focus.name == "Query"
    await by_hand(eye, a.Fill(id=focus.id, value="q"), text="q")
    assert await eye.out() == "q"
    sent = await by_hand(eye, a.PressKey(key="Enter"))
    assert sent.navigated
    assert eye.site.submissions[-1].fields["query"] == ["q"]


async def test_a_frame_of_any_origin_is_pointed_and_typed_into(framed: Eye) -> None:
    """Its box is of the whole viewport, and its locators lead through the frame."""
    for frame, title in (("same", "Same origin"), ("near", "Same site"), ("other", "Other site")):
        await framed.run(f"document.getElementById('{frame}').scrollIntoView({{block: 'start'}})")
        field = id_of(await framed.look("page"), f"Field {frame}")
        await framed.do(a.Fill(id=field, value=""))
        box = (await by_hand(framed, a.Hover(id=field))).target
        assert box is not None
        assert box.box is not None
        point = (box.box[0] + 5, box.box[1] + 5)
        found = await spot(framed, point)
        assert (found.id, [round(px) for px in found.box]) == (field, [round(px) for px in box.box])
        await click(framed, point)
        typed = await by_hand(framed, a.Fill(id=field, value="Grace"), text="Grace")
        held = f'iframe[title="{title}"]'
        assert (typed.value, typed.target and typed.target.locators.frame) == ("Grace", (held,))
        focus = await framed.session.spot(None)
        assert focus is not None
        assert (focus.id, focus.value, focus.caret) == (field, "Grace", (5, 5))


async def test_a_drag_goes_from_the_point_to_the_point(eye: Eye) -> None:
    """By the browser's own drag and by pointer events."""
    await eye.go("/drag.html")
    begin, end = await at(eye, "#a"), await at(eye, "#done")
    card, zone = await spot(eye, begin), await spot(eye, end)
    receipt = await by_hand(eye, a.Drag(id=card.id, to_id=zone.id), point=begin, to=end)
    assert (await eye.out(), receipt.destination and receipt.destination.name) == ("dropped in Done", "Done")
    thumb = await at(eye, "#thumb")
    slider = await spot(eye, thumb)
    goal = (thumb[0] + 138, thumb[1] + 3)
    await by_hand(eye, a.Drag(id=slider.id, to_selector="#track"), point=thumb, to=goal)
    assert await eye.out() == "level 50"


async def test_the_wheel_turns_what_is_under_it(eye: Eye) -> None:
    """The inner box first, then the page; what it moved is read from the page."""
    await eye.go("/scroll.html")
    inner = await by_hand(eye, a.ScrollDown(amount=120), point=await at(eye, "#list"))
    assert (inner.message, await eye.run("document.getElementById('list').scrollTop")) == ("Scrolled down 120 px", 120)
    page = await by_hand(eye, a.ScrollDown(), point=(900, 400))
    moved = await eye.run("scrollY")
    assert moved > 0
    assert page.message == f"Scrolled down {moved} px"
    await by_hand(eye, a.ScrollUp(amount=50), point=(900, 400))
    assert await eye.run("scrollY") == moved - 50
