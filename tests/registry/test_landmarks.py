"""What stood out in the page: known to the session after a look, to a batch's first step, and to nobody once stale."""

from pathlib import Path

import pytest

from notte_mcp import actions as a
from notte_mcp.app import open_app
from notte_mcp.observations import Changes, Node, Observation, landmarks, landmarks_after
from notte_mcp.records import SessionSpec
from notte_mcp.settings import Settings
from tests.browsers import Browsers
from tests.registry.conftest import FORM, RESULT, House, run
from tests.site import Site

pytestmark = pytest.mark.anyio

TOLD = "All fields are read by a person."


def node(role: str, name: str) -> Node:
    """A line of a view."""
    return Node(f"{role}{name}", "group" if role in ("heading", "dialog") else "text", role, name)


def view(*nodes: Node, changes: Changes | None = None, headings: tuple[str, ...] = ()) -> Observation:
    """A view of a page, or of what changed in it."""
    return Observation("http://x/", "X", (), "page", 2, nodes=nodes, changes=changes, headings=headings)


def test_headings_come_before_messages_and_those_before_plain_texts() -> None:
    """In reading order each; nothing that was cut, is long, or is no text; nothing twice."""
    seen = view(
        node("text", "Welcome"), node("heading", "Orders"), node("text", "a…z"), node("text", "x" * 81),
        Node("e1", "element", "textbox", "Name", value="Ada"), node("img", "A cat"), node("dialog", "Sure?"),
        node("heading", "Orders"), node("text", "Orders"), node("heading", "Later"), node("dialog", ""),
    )  # fmt: skip
    assert landmarks(seen) == ("Orders", "Later", "Sure?", "Welcome")
    assert landmarks(view(node("text", "b"), headings=("Top", "Next"))) == ("Top", "Next", "b")
    assert landmarks(view(*(node("text", f"t{n}") for n in range(9)))) == tuple(f"t{n}" for n in range(5))


def test_what_appeared_comes_before_what_was_known_and_what_went_is_forgotten() -> None:
    """The message that an action brought about is what tells most."""
    saved, gone = node("text", "Saved"), node("text", "Saving")
    known = ("Orders", "Saving", "Saved", "a", "b", "c", "d")
    changed = view(changes=Changes(1, (saved,), gone=(gone,)), headings=("Order 7",))
    assert landmarks_after(known, changed) == ("Saved", "Order 7", "Orders", "a", "b")
    assert landmarks_after(known, view(changes=Changes(1, (saved,), more=1))) == ("Saved",)
    assert landmarks_after(known, view(node("heading", "Other"))) == ("Other",)


def test_a_text_that_says_something_else_now_comes_before_the_headings() -> None:
    """A status line's new text; what it said before is not told, so nothing is left of what was known."""
    said = Changes(1, (node("text", "1 item"),), changed=(node("status", "Saved"), node("button", "Undo")))
    assert landmarks_after(("Orders", "Saving"), view(changes=said, headings=("Orders",))) == (
        "Saved",
        "1 item",
        "Orders",
    )


async def test_a_look_is_known_to_the_next_batchs_first_step_and_forgotten_by_it(house: House) -> None:
    """`seen` is of the page after the last step, `saw` of the page before it; both are on disk by the end."""
    session_id = await house.open(FORM)
    async with house.registry.use(session_id) as live:
        shown = {n.name: n.id for n in (await live.observe(mode="page")).nodes}
        assert live.record.seen == (TOLD,)
        await live.observe(find="Applicant")
        assert live.record.seen == (TOLD,)
    await run(house, session_id, a.Fill(id=shown["Applicant"], value="Ada"), a.Click(id=shown["Send request"]))
    assert (await house.registry.record(session_id)).seen == ()
    assert [step.saw for step in await house.store.steps(session_id)] == [(), (TOLD,), ()]

    async with house.registry.use(session_id) as live:
        await live.observe(mode="page", own=True)
    await run(house, session_id, a.Completion(success=True, answer="done"))
    await house.registry.stop(session_id)
    stored = await house.store.session(session_id)
    assert stored is not None
    assert (stored.url, stored.seen) == (RESULT, ("Your request has the number 4711.",))


async def test_a_landmark_that_holds_a_secret_is_none(house: House) -> None:
    """It would be in the script that asserts it."""
    session_id = await house.open(FORM)
    shown = await house.look(session_id)
    await run(house, session_id, a.Fill(id=shown["Access code"], value="person"))
    async with house.registry.use(session_id) as live:
        await live.observe(mode="page")
        assert live.record.seen == ()


async def test_in_a_browser_headings_and_messages_stand_out(site: Site, tmp_path: Path, browsers: Browsers) -> None:
    """A whole look, then what a click changed, then another page."""
    async with open_app(Settings(state_dir=tmp_path), engines={"local": browsers.engine()}) as app:
        record, _ = await app.registry.open(SessionSpec(), url=site.url("/shadow.html"))
        async with app.registry.use(record.id) as live:
            seen = await live.observe(mode="actions")
            card = next(n.id for n in seen.nodes if n.name == "Card button")
            assert live.record.seen == ("Shadow roots", "Slotted title")
            await live.execute([a.Click(id=card)], deadline_s=20)
            assert live.record.seen == ()
            await live.observe(mode="changes")
            assert live.record.seen == ("card pressed", "Shadow roots", "Slotted title")
            await live.observe(mode="actions")
            assert live.record.seen == ("card pressed", "Shadow roots", "Slotted title")
            await live.execute([a.Goto(url=site.url("/frames.html"))], deadline_s=20)
            await live.observe(mode="changes")
            assert live.record.seen[:1] == ("Frames",)
