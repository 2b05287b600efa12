"""Every recorded way to an element finds that element and no other, by Playwright's own engine."""

import re

import anyio
import pytest
from playwright.async_api import FrameLocator, Locator, Page

from notte_mcp.engines.local import pointer
from notte_mcp.engines.local.elements import Element
from notte_mcp.engines.local.session import LocalSession
from notte_mcp.engines.local.world import World
from notte_mcp.observations import Node
from notte_mcp.receipts import Locators
from notte_mcp.workflows.locators import ARIA_ROLES, selector
from tests.engine.eyes import Eye

pytestmark = pytest.mark.anyio

PAGES = ("names", "shadow")

TRICKY = """<style>.i::before { content: "\\e001"; } .w::before { content: "New " }</style>
<button><i class=i></i> Save</button> <button>\ue002 Print</button> <button class=w>thing</button> <button>New thing</button>
<button>Close</button><span>Close</span> <button hidden>Open</button><button>Open</button>
<label>Search <input id=ember512></label> <div role=region aria-label=Search>x</div>
<button>Twin</button><x-twin></x-twin> <p><button id=r2d2x9>Send</button></p> <label>Pick <input type=file></label><button>Pick</button>
<input aria-label=City list=l><datalist id=l><option>Rome</datalist> <div contenteditable aria-label=Story>Once</div>
<label>Code <input type=password></label> <input aria-label=Code> <a href=#1>More</a><a href=#2>More</a>
<button aria-hidden=true>Ghost</button> <button><b>Del</b>ete</button> <p>Del<b>ete</b></p> <input type=submit value=Go><button>Go</button>
<svg width=40 height=40><a href=#3><text y=20>Map</text></a></svg> <label id=a>One</label><label id=b>Two</label><input aria-labelledby="a b">
<input id=":r1:" name="field-8f3a9c1d2" placeholder="Say  it"> <button aria-label="Send">S</button> <x-inside></x-inside>"""

DEFINE = """for (const [tag, html] of [["x-twin", "<button>Twin</button><p>Del<b>ete</b></p>"],
  ["x-inside", "<button>First</button><div><button>Second</button></div><input aria-label=City>"]]) {
  customElements.define(tag, class extends HTMLElement {
    constructor() { super(); this.attachShadow({mode: "open"}).innerHTML = html; } }); }"""


async def recorded(session: LocalSession, element_id: str) -> tuple[Element, Locators]:
    """An element that was shown, and the ways to it that a receipt would hold."""
    stage = session._stage
    reached = await pointer.reach(stage, await stage.book.live(element_id), kind="focus", timeout_ms=2_000)
    return reached.element, reached.target.locators


def ways(page: Page, found: Locators) -> dict[str, Locator]:
    """Each of the ways as a script writes it."""
    base: Page | FrameLocator = page
    for frame in found.frame:
        base = base.frame_locator(frame)
    assert found.css is not None
    host = found.css.rpartition(" >> ")[0] if found.shadow else ""
    below = base.locator(host) if host else base
    made = {"css": base.locator(found.css)}
    if found.xpath:
        made["xpath"] = base.locator(f"xpath={found.xpath}")
    if found.test_id:
        made["test id"] = below.locator(f'[{found.test_id_attribute}="{found.test_id}"]')
    if found.role and found.role[0] in ARIA_ROLES:
        made["role"] = below.get_by_role(found.role[0], name=found.role[1], exact=True)  # pyright: ignore[reportArgumentType]
    if found.role and found.numbered:
        opened = re.compile("^" + re.sub(r"\d+", r"\\d+", re.escape(found.role[1])) + "$")
        made["numbered"] = below.get_by_role(found.role[0], name=opened)  # pyright: ignore[reportArgumentType]
    if found.label:
        made["label"] = below.get_by_label(found.label, exact=True)
    if found.placeholder:
        made["placeholder"] = below.get_by_placeholder(found.placeholder, exact=True)
    if found.text:
        made["text"] = below.get_by_text(found.text, exact=True)
        made["text selector"] = below.locator(f"text={_quoted(found.text)}")
    if found.row:
        kind, text, role, name = found.row
        row = below.get_by_role(kind).filter(has=page.get_by_text(text, exact=True))  # pyright: ignore[reportArgumentType]
        made["row"] = row.get_by_role(role, name=name, exact=True)  # pyright: ignore[reportArgumentType]
        made["row selector"] = below.locator(selector(Locators(row=found.row)))
    return made


def _quoted(text: str) -> str:
    return '"' + re.sub(r'([\\"])', r"\\\1", text) + '"'


async def on_each(found: dict[Node, tuple[Element, Locators]], call: str) -> None:
    """Call a method of each element, told by its key in our own world."""
    keys: dict[World, list[int]] = {}
    for element, _ in found.values():
        keys.setdefault(element.world, []).append(element.key)
    for world, ours in keys.items():
        document = world.document or await world.enter()
        code = f"for (const key of {ours}) notte.elementFor(key).{call}"
        await world.cdp.send("Runtime.evaluate", {"expression": code, "contextId": document.context_id})


async def faults(eye: Eye) -> tuple[int, list[str]]:
    """How many ways there are to what is on the page, and those that find nothing, several or another element."""
    assert isinstance(eye.session, LocalSession)
    page = eye.session._stage.tab.page
    nodes = [node for node in (await eye.look(max_tokens=20_000)).nodes if node.id]
    found = {node: await recorded(eye.session, f"{node.id}") for node in nodes}
    await on_each(found, "setAttribute('judged', key)")  # there Playwright can read which element it is
    count, wrong = 0, list[str]()
    for node, (element, locators) in found.items():
        for kind, locator in ways(page, locators).items():
            count += 1
            matched = await locator.evaluate_all("all => all.map(one => one.getAttribute('judged'))")
            if matched != [str(element.key)]:
                wrong.append(f'{node.role} "{node.name}" by {kind} is {matched} and not {element.key}: {locators}')
    await on_each(found, "removeAttribute('judged')")
    return count, wrong


@pytest.mark.parametrize("page", PAGES)
async def test_every_recorded_way_is_strict(eye: Eye, page: str) -> None:
    """As many ways as there are: what is not sure is not recorded."""
    await eye.go(f"/{page}.html")
    with anyio.fail_after(60):
        count, wrong = await faults(eye)
    assert wrong == []
    assert count > 20


async def test_every_recorded_way_is_strict_in_frames_of_every_kind(framed: Eye) -> None:
    """Each way leads through the frames that the element is in."""
    with anyio.fail_after(60):
        count, wrong = await faults(framed)
    assert wrong == []
    assert count > 20


async def test_what_looks_alike_is_told_apart_and_what_a_program_made_up_is_not_used(eye: Eye) -> None:
    """Glyphs of icon fonts, twins in shadow roots, labels that are names of something else, counted ids."""
    assert isinstance(eye.session, LocalSession)
    await eye.go("/form.html")
    await eye.run(f"document.body.innerHTML = {TRICKY!r}; {DEFINE}")
    with anyio.fail_after(60):
        count, wrong = await faults(eye)
    assert wrong == []
    assert count > 80

    by_name: dict[str, Locators] = {}
    for node in (await eye.look()).nodes:
        if node.id is not None:
            by_name[f"{node.role} {node.name}"] = (await recorded(eye.session, node.id))[1]
    structural = " ".join(f"{found.css}" for found in by_name.values())
    assert not re.search(r"ember|r2d2|r1|8f3a", structural), structural
    assert (by_name["textbox Search"].role, by_name["textbox Search"].label) == (("textbox", "Search"), None)
    assert (by_name["button Save"].role, by_name["button Save"].text) == (None, "Save")
    assert by_name["button Second"].role == ("button", "Second")


ROWS = """<h1>Plants</h1><table><tr><th>Name<th>Sown<th>
<tr><td><input type=checkbox aria-label=Pick><td>Royal fern<td>12<td><a href=/plants/a/edit>Edit</a> <button>Delete</button>
<tr><td><input type=checkbox aria-label=Pick><td>Royal fern, red<td>13<td><a href=/plants/b/edit>Edit</a> <button>Delete</button>
<tr><td><input type=checkbox aria-label=Pick><th>Hart's "tongue"<td>12<td><a href=/plants/7>Edit</a> <button>Delete</button><button>Delete</button></table>
<ul><li>Tea <button>Add</button><li><b>Coffee</b> <button>Add</button></ul> <ul role=none><li>Rum <button>Add</button></ul>
<article><h2>One</h2><button>Read</button></article><article><h2>Two</h2><button>Read</button></article>
<table role=presentation><tr><td>Left<td><button>Add</button></table>
<button>Pay order 5001</button> <button>Open 12</button> <button>Open 13</button>
<div role=row>Grid <button>Delete</button></div> <ul><li>Nest <ul><li>Egg <button>Add</button></ul></ul>"""


async def test_what_repeats_from_row_to_row_is_told_by_a_text_of_its_row(eye: Eye) -> None:
    """Where the text is that of a whole element and of no other row's, and the row is one for a script too."""
    await eye.go("/form.html")
    await eye.run(f"document.body.innerHTML = {ROWS!r}")
    with anyio.fail_after(60):
        count, wrong = await faults(eye)
    assert wrong == []
    assert isinstance(eye.session, LocalSession)
    found = [(await recorded(eye.session, node.id))[1] for node in (await eye.look()).nodes if node.id]
    rows = [way.row for way in found if way.row]
    for row in [
        ("row", "Royal fern, red", "link", "Edit"), ("row", "Royal fern, red", "button", "Delete"),
        ("row", "Hart's \"tongue\"", "checkbox", "Pick"), ("listitem", "Coffee", "button", "Add"),
        ("row", "Royal fern", "button", "Delete"), ("article", "Two", "button", "Read"),
    ]:  # fmt: skip
        assert row in rows, rows
    assert not {row[1] for row in rows if row is not None} & {"Tea", "Grid", "Rum", "Left"}
    links = [way.css for way in found if way.row and way.row[2] == "link"]
    assert 'a[href="/plants/b/edit"]' in links
    assert not any("7" in (css or "") for css in links)
    assert [way.role for way in found if way.numbered] == [("button", "Pay order 5001")]
    assert count > 40
