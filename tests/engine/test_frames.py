"""Frames of every kind and open shadow roots: all that is in them is shown at its place, and can be acted on."""

from typing import Final

import anyio
import pytest

from notte_mcp import actions as a
from notte_mcp.errors import StaleElement
from notte_mcp.observations import estimate_tokens
from tests.engine.eyes import Eye, body, elements, id_of, named, names, told

pytestmark = pytest.mark.anyio

FRAMES = ("same", "near", "other", "deep-across", "deep-same", "sandboxed")
"""Same origin, same site, another site, nested across processes, nested within one, sandboxed."""

ALONE: Final = """document.body.innerHTML = '<iframe id="same" src="/frame-inner.html?who=same"></iframe><iframe id="late"></iframe>';"""
"""Two frames of the page's own process, which are there quickly."""


async def test_every_frame_is_shown_at_its_place_with_what_it_holds(framed: Eye) -> None:
    """Reading order, across processes; an empty and a hidden frame are not there."""
    seen = await framed.look()
    fields = [name.removeprefix("Field ") for name in names(seen) if name.startswith("Field ")]
    assert fields == ["same", "near", "other", "deep-across", "deep-same", "srcdoc", "sandboxed"]
    frames = [node.name for node in seen.nodes if node.role == "frame"]
    assert frames == [
        "Same origin", "Same site", "Other site", "Nested", "Deep across", "Deep same", "Written in place", "Sandboxed",
    ]  # fmt: skip
    assert named(seen, "Field deep-across").depth > named(seen, "Middle button").depth > 0


async def test_what_stands_in_a_frame_can_be_filled_and_pressed_and_nothing_else_changes(framed: Eye) -> None:
    """Of every kind of frame: the frame itself says that it was pressed."""
    seen = await framed.look()
    assert (await framed.changes(seen.view)).empty
    for who in FRAMES:
        before = await framed.look()
        await framed.do(a.Fill(id=id_of(seen, f"Field {who}"), value="Ada"))
        await framed.click(seen, f"Press {who}")
        changes = await framed.changes(before.view)
        assert told(changes.appeared) == [f"text pressed in {who}"]
        assert [(node.name, node.value) for node in changes.changed] == [(f"Field {who}", "Ada")]
        assert changes.gone == ()


async def test_cursor_and_budget_hold_across_frames(framed: Eye) -> None:
    """Every element of every frame once."""
    whole = names(await framed.look())
    pages = await framed.pages(await framed.look(max_tokens=120), max_tokens=120)
    assert len(pages) > 1
    assert estimate_tokens(body(await framed.look("page", max_tokens=300))) <= 300 * 1.1
    assert sorted(names(*pages)) == sorted(whole)


async def test_find_reaches_into_frames(framed: Eye) -> None:
    """And shows nothing else."""
    seen = await framed.look(find="press deep-across")
    assert names(seen) == ["Press deep-across"]
    assert [node.name for node in seen.nodes if node.role == "frame"] == ["Nested", "Deep across"]


async def test_a_frame_that_comes_and_one_that_goes_are_changes(eye: Eye) -> None:
    """With what stands in them."""
    await eye.go("/form.html")
    await eye.run(ALONE)
    await eye.do(a.WaitFor(value="Press same"))
    seen = await eye.look()
    await eye.run("document.getElementById('same').remove()")
    gone = await eye.changes(seen.view)
    assert {node.name for node in gone.gone if node.kind == "element"} == {
        "Field same", "Agree same", "Send same", "Press same",
    }  # fmt: skip
    await eye.run("document.getElementById('late').src = '/frame-inner.html?who=late'")
    await eye.do(a.WaitFor(value="Press late"))
    assert "button Press late" in told((await eye.changes(gone.since)).appeared)


async def test_an_id_is_not_healed_onto_another_page_in_the_same_frame(eye: Eye) -> None:
    """A frame that went elsewhere is another page, although its form looks the same."""
    await eye.go("/form.html")
    await eye.run(ALONE)
    await eye.do(a.WaitFor(value="Press same"))
    press = id_of(await eye.look(), "Press same")
    await eye.run("{ document.getElementById('same').src = '/done?id=1'; }")
    await eye.do(a.WaitFor(value="Your number is 1."))
    await eye.run("{ document.getElementById('same').contentDocument.body.innerHTML = '<button>Press same</button>'; }")
    with pytest.raises(StaleElement):
        await eye.session.check([a.Click(id=press)])


async def test_open_shadow_roots_are_read_as_they_are_rendered(eye: Eye) -> None:
    """Slots take their places; labels in a root name their fields; a closed root stays closed."""
    await eye.go("/shadow.html")
    seen = await eye.look("page")
    assert [(node.role, node.name) for node in elements(seen)] == [
        ("button", "Slotted button"), ("button", "Card button"), ("textbox", "Nickname"), ("button", "Send form"),
        ("textbox", "Deep field"), ("button", "Deep button"), ("combobox", "Deep choice"),
    ]  # fmt: skip
    assert "Slotted title" in [node.name for node in seen.nodes if node.role == "heading"]


async def test_what_stands_in_nested_shadow_roots_can_be_acted_on(eye: Eye) -> None:
    """Fill, press, and the page answers."""
    await eye.go("/shadow.html")
    seen = await eye.look()
    await eye.do(a.Fill(id=id_of(seen, "Deep field"), value="pearl"))
    await eye.click(seen, "Deep button")
    assert await eye.out() == "deep pearl"
    assert named(await eye.look(), "Deep field").value == "pearl"


async def test_a_change_inside_a_shadow_root_is_told(eye: Eye) -> None:
    """As anywhere."""
    await eye.go("/shadow.html")
    seen = await eye.look()
    await eye.do(a.Fill(id=id_of(seen, "Deep field"), value="pearl"))
    changed = (await eye.changes(seen.view)).changed
    assert [(node.name, node.value) for node in changed] == [("Deep field", "pearl")]


async def test_a_click_right_after_a_scroll_does_not_go_to_the_frame_that_was_there(framed: Eye) -> None:
    """The browser sends input by its last picture, which on a busy machine is older than the scroll."""
    for _ in range(4):
        await framed.click(await framed.look(), "Load the late frame")
        with anyio.fail_after(10):
            while "Press late" not in names(seen := await framed.look()):
                pass
        await framed.click(seen, "Press late")
        said = await framed.run("document.getElementById('late').contentDocument.getElementById('out').textContent")
        assert said == "pressed in late"
    await framed.run("{ document.getElementById('late').src = 'about:blank'; }")
    with anyio.fail_after(10):
        while "Press late" in names(await framed.look()):
            pass
