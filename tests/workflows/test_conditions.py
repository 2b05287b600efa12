"""What a script waits for between steps, and what it looks for at the end: things that were seen."""

import re
from typing import Any

import pytest

from notte_mcp.errors import InvalidArgument
from notte_mcp.receipts import Locators, Target
from notte_mcp.workflows import Parameter, Style, Workflow, generalise, write
from notte_mcp.workflows.acting import action_of, placed, ways
from notte_mcp.workflows.landmark_texts import fixed, lasting, regex
from tests.workflows.broad import LONG, by_agent, reader, saw, shop
from tests.workflows.recording import SPEC, Recording, button, element, textbox

HOME = "http://shop.test"
READ = {"type": "evaluate_js", "code": "rows()"}


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["Thank you"], ("Thank you",)),
        (["Order PR-1042 placed"], ("Order PR-* placed",)),
        (["Order 1 placed", "Thank you"], ("Thank you", "Order * placed")),
        (["One", "Two", "Three"], ("One", "Two")),
        (["Order 1 placed", "Order 2 placed"], ("Order * placed",)),
        (["Your reference is AP-0021abd8"], ("Your reference is **",)),
        (["Booked: 1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed"], ("Booked: **",)),
        (["Booking KK-10001 is the 3rd", "Price 12.50 EUR"], ("Booking KK-* is the *rd", "Price * EUR")),
        (["Ref 0021abd8"], ()),
        (["ok", "x" * 81, "12", "A 7", "…cut", "a*b"], ()),
        (["Welcome, Ada Lovelace", "lovelace family", "ADA"], ()),
        (["Hello [secret PIN]"], ()),
        (["Due 2026-11-22", "Monday", "22 Nov", "3 minutes ago", "at 12:30", "Today", "March report"], ()),
        (["May we help?", "Marching band"], ("May we help?", "Marching band")),
        (["  Two \n lines  "], ("Two lines",)),
        (["\ud800 half", "\u202eodd"], ()),
    ],
)
def test_only_what_another_run_will_show_is_looked_for(texts: list[str], expected: tuple[str, ...]) -> None:
    """Ours: nothing typed, no date, no secret; numbers are left open."""
    assert lasting(texts, ["Ada Lovelace"]) == expected


def test_what_was_not_there_before_tells_most() -> None:
    """Ours: a heading of every page shows nothing."""
    assert lasting(["Shop", "Order 7 placed", "Cart"], [], before=["Shop", "Cart"]) == ("Order * placed", "Shop")


def test_a_text_with_open_numbers_is_seen_with_any() -> None:
    """Ours: in Python as in the scripts."""
    expected = "Order PR-* (paid) * EUR."

    assert re.search(regex(expected), "Your Order PR-7\n (paid) 1,299.50 EUR.")
    assert not re.search(regex(expected), "Order PR-x (paid) 12 EUR.")
    assert re.fullmatch(regex("Reference ** (*)."), "Reference AP-ff21abd8 (2).")
    assert fixed("Reference ** (*)") == "Reference"
    assert fixed(expected) == "Order PR-"


def test_the_end_is_told_by_what_was_not_there_before_it_was_done() -> None:
    """Ours: a label, a menu or a counter of before would be seen on a run that did nothing too."""

    def ends(*seen: str, **last: Any) -> tuple[str, ...]:
        form = Recording().goto(HOME).fill(textbox("I1", "Note"), "x")
        saw(form.click(button("B1", "Save"), **last), "Notes", "2 items")
        return generalise(saw(form.add(READ, data=1), *seen).steps, SPEC, seen=seen).expects

    assert ends("Notes", "Saved it", "3 items", "Note") == ("Saved it",)
    assert ends("Notes", "3 items", "Note") == ()
    assert ends("Notes", "3 items", to=f"{HOME}/b") == ("Notes",)


def test_a_text_that_may_be_a_frame_s_is_not_looked_for() -> None:
    """Ours: a view tells the texts of all frames alike; on another page they are the page's own again."""
    inside = Target("B1", "button", "Send", Locators(role=("button", "Send"), frame=("#f",)))
    recording = Recording().goto(HOME).click(inside)
    at_once = saw(Recording().goto(HOME).click(inside).add(READ, data=1), "Sent")
    moved = Recording().goto(HOME).click(inside).goto(f"{HOME}/a")

    assert generalise(recording.steps, SPEC, seen=["Sent"]).expects == ()
    assert generalise(at_once.steps, SPEC).steps[-1].awaits == ()
    assert generalise(moved.steps, SPEC, seen=["Sent"]).expects == ("Sent",)


def scripts(workflow: Workflow) -> list[str]:
    """Its scripts in both of Playwright's forms."""
    return [write(workflow, target="playwright").code, write(workflow, target="pytest").code]


def test_a_reading_step_waits_for_what_its_caller_had_seen() -> None:
    """Ours: a text of the last view that no view before had."""
    recording = Recording().goto(HOME).click(button("B1", "Load"))
    saw(recording, "Shop").add({"type": "wait", "time_ms": 900}).add(READ, data=1)
    workflow = generalise(saw(recording, "Shop", "12 rows loaded").steps, SPEC)

    assert [step.awaits for step in workflow.steps] == [(), (), ("* rows loaded",)]
    for code in scripts(workflow):
        assert 'shown(page, re.compile(r"\\d[\\d.,]*\\s+rows\\s+loaded")).wait_for()\n    print(' in code
        assert "waited" not in code


def test_without_a_text_the_answer_to_what_was_sent_is_waited_for() -> None:
    """Ours: else that the page asks for nothing more, where it was still changing."""
    pauses = [step.pause for step in generalise(reader().steps, SPEC).steps]

    assert pauses == ["", "", "response", "", "idle", "", "", ""]


@pytest.mark.parametrize("style", ["sync", "async"])
def test_a_script_on_notte_s_session_waits_for_the_same_within_its_page(style: Style) -> None:
    """Notte: execute and scrape wait for nothing; what a script of the page tells is looked at again and again."""
    code = write(generalise(reader().steps, SPEC), target="notte", style=style).code
    wait = "await " if style == "async" else ""

    assert f'        began = {wait}clock(session)\n        {wait}session.execute(type="click"' in code
    assert f'        {wait}wait_answer(session, "{HOME}/graphql", began)\n' in code
    assert f"        {wait}wait_quiet(session)\n" in code
    assert f'        {wait}wait_for(session, shown("Shop"))\n' in code
    assert f'        {wait}wait_for(session, at("{HOME}"))\n' in code
    assert "playwright" not in code
    assert compile(code, "recorded.py", "exec")


def test_the_end_is_looked_for_among_tabs_too_and_where_nothing_else_is() -> None:
    """Ours: it is what tells a run that worked from one that did not."""
    recording = Recording().goto(HOME).add({"type": "goto_new_tab", "url": f"{HOME}/a"}, to=f"{HOME}/a", new_tab=1)
    tabs = saw(recording.add(READ, data=1), "12 rows loaded").steps
    among_tabs = write(generalise(tabs, SPEC, seen=["Thank you"]), target="notte").code
    plain = write(generalise(Recording().goto(HOME).steps, SPEC), target="notte").code

    for condition in (r're.compile(r"\d[\d.,]*\s+rows\s+loaded")', '"Thank you"'):
        assert f"        wait_for(session, shown({condition}))\n" in among_tabs
    assert f'        wait_for(session, at("{HOME}/a"))\n' in among_tabs
    assert f'        wait_for(session, at("{HOME}"))\n' in plain
    assert "shown" not in plain


def test_a_fixed_wait_that_nothing_replaces_stays_a_comment() -> None:
    """Ours: a reader is told, and no script sleeps."""
    recording = Recording().goto(HOME).click(button("B1", "Load"))
    workflow = generalise(recording.add({"type": "wait", "time_ms": 900}).add(READ, data=1).steps, SPEC)

    assert [bool(step.comment) for step in workflow.steps] == [False, False, True, False]
    assert "the recording waited 900 ms here" in scripts(workflow)[0]


@pytest.mark.parametrize("then", [None, {"type": "goto", "url": HOME}, {"type": "reload"}])
def test_what_is_sent_last_is_answered_before_the_page_is_left(then: dict[str, str] | None) -> None:
    """Ours: a request that is cut off was never sent."""
    recording = Recording().goto(f"{HOME}/a").click(button("B1", "Save"), sent=(f"PUT {HOME}/items/1042/x",))
    recording = recording.add(then, to=HOME) if then else recording
    workflow = generalise(recording.steps, SPEC)

    assert workflow.steps[1].pause == "response"
    assert f'with page.expect_response(answers("PUT", "{HOME}/items/")):' in scripts(workflow)[0]


def test_what_is_sent_by_a_navigation_or_before_a_wait_needs_no_answer() -> None:
    """Ours: they are waited for already."""
    moved = Recording().goto(HOME).click(button("B1", "Send"), to=f"{HOME}/sent", sent=(f"POST {HOME}/send",))
    waited = Recording().goto(HOME).click(button("B1", "Send"), sent=(f"POST {HOME}/send",))
    waited.add({"type": "wait_for", "value": "Sent"})

    assert {step.pause for r in (moved, waited) for step in generalise(r.steps, SPEC).steps} == {""}


def test_an_element_that_is_called_what_was_typed_is_called_by_the_parameter() -> None:
    """Ours: with another value it is another element."""
    workflow = generalise(shop().steps, SPEC)
    link, add = workflow.steps[2], workflow.steps[3]

    for code in scripts(workflow):
        assert 'get_by_role("link", name=product, exact=True).click()' in code
        assert 'get_by_role("button", name=f"Add {product} to cart", exact=True).click()' in code
        assert 'shown(page, f"1 x {product}").wait_for()' in code
    assert '"role=link[name=\\"red lamp\\"]"' in write(workflow, target="json").code
    assert placed(link, {}) == link.locators
    other = placed(add, {"product": "oil"})
    assert other is not None
    assert [way.selector for way in ways(other)] == ['role=button[name="Add oil to cart"]']
    assert action_of(workflow.steps[4], {"product": "oil"}, selector=None, to_selector=None).model_dump()["value"] == (
        "1 x oil"
    )


def test_a_row_that_is_told_by_what_was_typed_is_told_by_the_parameter() -> None:
    """Ours: the link "Edit" of what was entered, and of no other row."""
    edit = element("L1", "link", "Edit", row=("row", "Royal fern", "link", "Edit"), css="tr > td > a")
    workflow = generalise(Recording().goto(HOME).fill(textbox("I1", "Plant"), "Royal fern").click(edit).steps, SPEC)

    for code in scripts(workflow):
        assert (
            'get_by_role("row").filter(has=page.get_by_text(plant, exact=True))'
            '.get_by_role("link", name="Edit", exact=True).click()'
        ) in squeezed(code)
    assert "Royal fern" in write(workflow, target="notte").code
    assert "Royal fern" in write(workflow, target="json").code
    other = placed(workflow.steps[-1], {"plant": "Moss"})
    assert other is not None
    exact = r'role=row >> internal:has="internal:text=\"Moss\"s" >> role=link[name="Edit"]'
    assert [way.selector for way in ways(other)] == [exact]


def squeezed(code: str) -> str:
    """Code with its line breaks inside calls taken out."""
    return re.sub(r"\n\s+(?=\.|\))|(?<=\()\n\s+", "", code)


@pytest.mark.parametrize(
    ("typed", "target"),
    [
        ("2", button("B1", "Step 2")),
        ("lamp", button("B1", "Lampshade")),
        ("kettle", element("L1", "link", "Copper kettle")),
        ("lamp", button("B1", "Send lamp-oil")),
        ("Ada", textbox("I2", "Ada")),
        ("red lamp", button("B1", "red")),
        ("Lamp", button("B1", "lamp")),
    ],
)
def test_a_name_that_is_like_it_by_chance_stays_as_it_is(typed: str, target: Target) -> None:
    """Ours: whole words, of some length, and no field's name."""
    recording = Recording().goto(HOME).fill(textbox("I1", "Product"), typed).click(target)

    assert generalise(recording.steps, SPEC).steps[-1].called is None


ENTER = {"type": "press_key", "key": "Enter"}


@pytest.mark.parametrize(
    ("field", "enter"),
    [
        (element("I1", "searchbox", "Plants"), []),
        (textbox("I1", "Search the shop"), []),
        (textbox("I1", "", placeholder="Filter..."), []),
        (textbox("I1", "", css='input[name="q"]'), []),
        (textbox("I1", "Plant"), [ENTER]),
    ],
)
def test_a_word_of_a_search_is_no_part_of_what_was_found(field: Target, enter: list[dict[str, str]]) -> None:
    """Ours: another search finds other things; only what is called just like it is called by the parameter."""
    recording = Recording().goto(HOME).fill(field, "Royal fern")
    for key in enter:
        recording.add(key)
    recording.click(element("L1", "link", "Royal fern, 9 EUR")).click(element("L2", "link", "Royal fern"))
    entered = Recording().goto(HOME).fill(textbox("I1", "Plant"), "Royal fern").click(button("B1", "Save Royal fern"))
    *_, found, same = generalise(recording.steps, SPEC).steps

    assert found.called is None
    assert isinstance(same.called, Parameter)
    assert isinstance(generalise(entered.steps, SPEC).steps[-1].called, tuple)


def test_where_only_the_position_tells_a_comment_says_so() -> None:
    """Ours: the line that will break first."""
    target = Target("B1", "button", "", Locators(css="form > button:nth-of-type(2)", xpath="/html/form/button[2]"))
    named = generalise(Recording().goto(HOME).click(button("B1", "Send")).steps, SPEC)
    placed_only = generalise(Recording().goto(HOME).click(target).steps, SPEC)

    for code in (*scripts(placed_only), write(placed_only, target="notte").code):
        assert "# Found by where it stands" in code
    assert "# Found" not in scripts(named)[0]


def test_the_header_says_what_made_it_and_what_it_does() -> None:
    """Ours: the same text for the same workflow."""
    reads = generalise(Recording().goto(HOME).add({"type": "scrape"}, data="x").steps, SPEC)
    opens = generalise(Recording().goto(HOME).steps, SPEC)

    assert "It only reads." in scripts(reads)[0]
    assert "It only opens pages." in scripts(opens)[0]
    assert "Never verified." in scripts(opens)[1]
    assert "It only" not in scripts(generalise(shop().steps, SPEC))[0]


def test_a_recording_that_never_opened_a_page_is_refused() -> None:
    """Ours: there is nothing to repeat on an empty tab."""
    with pytest.raises(InvalidArgument, match="never left about:blank"):
        generalise(Recording().add({"type": "press_key", "key": "Enter"}).steps, SPEC)


def test_pytest_has_no_async_form() -> None:
    """pytest-playwright: its page is sync."""
    with pytest.raises(InvalidArgument, match="sync; it has no async form"):
        write(generalise(Recording().goto(HOME).steps, SPEC), target="pytest", style="async")


def test_agents_parts_are_written_for_the_sdk_that_has_agents() -> None:
    """Notte: AgentFallback takes no scrape, and the 1.10 SDK has no agents."""
    recording = Recording().goto(HOME).click(button("B1", LONG)).click(element("L1", "link", "In"))
    by_agent(recording, "agt_1", 2)
    workflow = generalise(recording.steps, SPEC, tasks={"agt_1": "Go in with [secret PIN]"})
    by_default, newer = write(workflow, target="notte").code, write(workflow, target="notte", sdk="1.10").code

    assert 'with client.AgentFallback(session, task="Go in with [secret PIN]"):' in by_default
    assert "notte-sdk~=1.9.0" in by_default
    assert "# An agent did this: Go in with [secret PIN]" in newer
    assert "AgentFallback" not in newer


def test_a_page_that_was_slow_to_come_is_the_end_where_it_was_seen() -> None:
    """Ours: the last receipt was written before it came; what was done after it is not its end."""
    slow = Recording().goto(f"{HOME}/a").click(button("B1", "Join"), to=None, sent=(f"POST {HOME}/join",))
    looked = generalise(slow.steps, SPEC, url=f"{HOME}/done?id=1")
    unlooked = generalise(slow.steps, SPEC)
    failed = slow.add({"type": "click", "id": "B2"}, success=False, url_before=f"{HOME}/done")

    assert (looked.final_url, looked.steps[-1].leads_to) == (f"{HOME}/done?**", f"{HOME}/done?**")
    assert (unlooked.final_url, unlooked.steps[-1].leads_to) == (f"{HOME}/a", None)
    assert generalise(failed.steps, SPEC, url=f"{HOME}/else").final_url == f"{HOME}/done"


def test_a_step_waits_for_what_the_click_before_it_brought() -> None:
    """Ours: a request's answer would otherwise come after it; not what was typed for, in a frame, or on another page."""
    two, once = button("B1", "Two requests"), button("B2", "At once")
    framed = Target("B3", "button", "Send", Locators(role=("button", "Send"), frame=("#f",)))

    def awaited(before: Recording, then: Target = once, text: str = "3 items after 150 ms") -> tuple[str, ...]:
        return generalise(saw(before.click(then), "Shop", text).steps, SPEC).steps[-1].awaits

    def pressed(**receipt: Any) -> Recording:
        return saw(Recording().goto(HOME).click(two, **receipt), "Shop")

    typed = saw(Recording().goto(HOME).fill(textbox("I1", "Query"), "tea"), "Shop").click(two)
    assert awaited(pressed()) == ("* items after * ms",)
    assert awaited(pressed(), framed) == ()
    assert awaited(pressed(), once, "Loading items") == ()
    assert awaited(pressed(to=f"{HOME}/a")) == ()
    assert awaited(Recording().goto(HOME).click(two)) == ("Shop",)
    assert awaited(Recording().goto(HOME).add({"type": "click", "selector": "#two"}, two)) == ()
    assert awaited(typed) == ()
