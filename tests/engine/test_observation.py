"""What an observation shows of a page, in which order, and within which budget."""

import pytest

from notte_mcp import actions as a
from notte_mcp import page_text
from notte_mcp.observations import Mode, estimate_tokens
from tests.engine.eyes import Eye, body, elements, id_of, named, names
from tests.site.generated import product

pytestmark = pytest.mark.anyio


async def test_the_permit_form_is_shown_as_the_design_has_it(fresh: Eye) -> None:
    """Design, section 3: ten controls, at most 180 tokens."""
    await fresh.go("/form.html")
    text = page_text.view(await fresh.look())
    assert text.split("\n", 1)[1] == (
        'form "Permit request"\n  I1 textbox "Applicant" required\n  I2 textbox "E-mail"\n  I3 password "Access code"\n'
        '  I4 combobox "District" = North (North | South | East | West)\n  B1 radio "New"\n  B2 radio "Renewal"\n'
        '  I5 date "Start date"\n  B3 checkbox "I accept the terms"\n  button "Save draft" disabled\n'
        '  B4 button "Send request"\nview 1'
    )
    assert estimate_tokens(text) <= 180


async def test_every_native_control_has_its_role_value_and_states(eye: Eye) -> None:
    """Roles by ARIA in HTML; a disabled control is said, and has no id."""
    await eye.go("/controls.html")
    seen = await eye.look()
    facts = {node.name: (node.role, node.value, node.states) for node in elements(seen)}
    assert (
        facts
        | {
            "Name": ("textbox", "Ada", ()),
            "E-mail": ("textbox", None, ("required",)),
            "Password": ("password", None, ("filled",)),
            "Search term": ("searchbox", None, ()),
            "Amount": ("spinbutton", None, ()),
            "Read-only": ("textbox", "cannot change", ("readonly",)),
            "Disabled": ("textbox", "not sent", ("disabled",)),
            "Town": ("combobox", None, ()),
            "Remarks": ("textbox", "first line second line", ()),
            "Day": ("date", None, ()),
            "Hour": ("time", None, ()),
            "Volume": ("slider", "30", ()),
            "Document": ("file", None, ()),
            "Size": ("combobox", "Medium", ()),
            "Colours": ("listbox", "Green, Grey", ()),
            "Newsletter": ("checkbox", None, ("checked",)),
            "Some of them": ("checkbox", None, ("mixed",)),
            "Alerts": ("switch", None, ()),
            "Post": ("radio", None, ("checked",)),
            "Cannot type here": ("textbox", None, ("disabled",)),
            "Cannot press": ("button", None, ("disabled",)),
            "Send as picture": ("button", None, ()),
        }
        == facts
    )
    assert all((node.id is None) == ("disabled" in node.states) for node in elements(seen))
    # Progress and meter say something, and are nothing to act on.
    told = {(node.role, node.name, node.value) for node in (await eye.look("page")).nodes if node.id is None}
    assert {("progressbar", "Progress", "3"), ("meter", "Disk use", "0.6")} <= told


async def test_widgets_made_of_boxes_have_the_states_that_they_say(eye: Eye) -> None:
    """ARIA states: checked, selected, expanded, pressed, value text."""
    await eye.go("/widgets.html")
    seen = await eye.look()
    facts = {(node.role, node.name): (node.value, node.states) for node in elements(seen)}
    assert facts[("combobox", "Fruit")] == (None, ("collapsed",))
    assert facts[("option", "Basic")] == (None, ("selected",))
    assert facts[("switch", "Dark mode")] == (None, ("checked",))
    assert facts[("radio", "Fast")] == (None, ("checked",))
    assert facts[("slider", "Brightness")] == ("4 of 10", ())
    assert facts[("tab", "One")] == (None, ("selected",))
    assert facts[("summary", "Shipping")] == (None, ("collapsed",))
    assert ("button", "three days") not in facts
    await eye.click(seen, "Mute")
    await eye.click(seen, "Shipping")
    after = await eye.look()
    assert named(after, "Mute").states == ("pressed",)
    assert named(after, "Shipping").states == ("expanded",)
    assert named(after, "three days").role == "button"


async def test_a_field_that_is_said_to_be_invalid_is_shown_as_such(eye: Eye) -> None:
    """`aria-invalid`."""
    await eye.go("/form.html")
    await eye.run("document.getElementById('email').setAttribute('aria-invalid', 'true')")
    assert named(await eye.look(), "E-mail").states == ("invalid",)


async def test_few_options_are_listed_many_are_counted_and_find_shows_them(eye: Eye) -> None:
    """Design, section 3: up to 8 or 80 characters."""
    await eye.go("/controls.html")
    seen = await eye.look()
    assert named(seen, "Size").options == ("Small", "Medium", "Large", "Huge")
    hours = named(seen, "Hour of day")
    assert (hours.options, hours.option_count) == ((), 24)
    found = named(await eye.look(find="17:00"), "Hour of day")
    assert (found.options, found.option_count) == (("17:00",), 24)


async def test_what_a_cursor_a_listener_or_a_handler_makes_clickable_is_listed(eye: Eye) -> None:
    """No role says so, and a person would click it; plain boxes and texts are not listed."""
    await eye.go("/clickables.html")
    seen = await eye.look()
    clickable = {node.name for node in elements(seen) if node.role == "clickable"}
    assert clickable >= {
        "Open settings", "Sort by price", "Card title Card text", "Pick me", "Press me", "Inline handler",
        "Property handler", "Focus and Enter", "Go", "Inner", "Row 1 clickable row",
    }  # fmt: skip
    assert {node.hint for node in elements(seen)} >= {"id=dot", "id=bar", "id=canvas"}
    assert not {"Plain box", "Row 2 plain row", "Outer"} & clickable
    assert named(seen, "Label with box").role == "checkbox"


async def test_what_is_listed_without_a_role_can_be_clicked(eye: Eye) -> None:
    """The page tells what was hit."""
    await eye.go("/clickables.html")
    seen = await eye.look()
    for name, said in (("Pick me", "listener"), ("Sort by price", "cursor span"), ("Inner", "inner")):
        await eye.click(seen, name)
        assert await eye.out() == f"hit {said}"


async def test_a_listener_that_comes_later_is_seen_too(eye: Eye) -> None:
    """Nodes that come are looked at anew."""
    await eye.go("/clickables.html")
    await eye.look()
    await eye.run(
        "{ const b = document.createElement('div'); b.textContent = 'Late box'; b.addEventListener('click', () => {});"
        " document.body.append(b); }"
    )
    assert named(await eye.look(), "Late box").role == "clickable"


async def test_a_checkbox_that_only_its_label_shows_is_listed(eye: Eye) -> None:
    """What most designs make of a checkbox: the input is clipped away, its label drawn."""
    await eye.go("/done?id=1")
    await eye.run(
        "document.body.innerHTML = '<style>input{position:absolute;clip:rect(0 0 0 0);width:1px;height:1px;"
        "overflow:hidden}</style><input type=checkbox id=c><label for=c>Fancy box</label>'"
    )
    assert named(await eye.look(), "Fancy box").role == "checkbox"


async def test_rows_tell_equal_buttons_apart(eye: Eye) -> None:
    """A table's rows, and cards: what stands in one row shares it, and the row's first text goes before."""
    await eye.go("/rows.html")
    seen = await eye.look()
    edits = [node for node in elements(seen) if node.name == "Edit"]
    labels: dict[str | None, str] = {node.row: node.name for node in seen.nodes if node.kind != "element" and node.row}
    assert [labels[node.row] for node in edits] == ["1001", "1002", "1003"]
    details = [node for node in elements(seen) if node.name == "Details"]
    assert [labels[node.row] for node in details] == ["Red kite", "Blue tit"]
    seats = [(node.name, node.states) for node in elements(seen) if node.role == "gridcell"]
    assert seats == [("1A", ()), ("1B", ("selected",)), ("2A", ("disabled",)), ("2B", ())]


async def test_an_open_dialog_comes_first_then_the_viewport_then_fields_then_the_rest(eye: Eye) -> None:
    """Design, section 3: what comes first under the token budget."""
    await eye.go("/products/100")
    await eye.run(
        "document.querySelector('main').insertAdjacentHTML('beforeend',"
        " '<label>Far field <input></label><dialog aria-label=Ask><button>Sure</button></dialog>')"
    )
    before = await eye.look(max_tokens=900)
    assert "Far field" in names(before)
    assert "Sure" not in names(before)
    await eye.run("document.querySelector('dialog').showModal()")
    few = await eye.look(max_tokens=60)
    assert names(few)[-1] == "Sure"
    assert "modal" in next(node for node in few.nodes if node.role == "dialog").states


async def test_the_viewport_comes_before_what_is_above_it(eye: Eye) -> None:
    """Of a page that was scrolled, what is seen is shown."""
    await eye.go("/products/300")
    await eye.run("document.querySelector('[data-product=\"200\"]').scrollIntoView()")
    shown = names(await eye.look(max_tokens=100))
    assert any(name.endswith(" 201") for name in shown)
    assert not any(name.endswith(" 3") for name in shown)


@pytest.mark.parametrize("path", ["/products/300", "/table/300", "/controls.html"])
async def test_the_budget_holds(eye: Eye, path: str) -> None:
    """Within a tenth, of the text as it is given; header and footer are not the page's."""
    await eye.go(path)
    modes: tuple[Mode, ...] = ("actions", "page")
    for tokens in (300, 2_000):
        for mode in modes:
            assert estimate_tokens(body(await eye.look(mode, max_tokens=tokens))) <= tokens * 1.1


async def test_a_view_goes_on_where_the_page_was_scrolled_to(eye: Eye) -> None:
    """What follows the viewport comes before what was scrolled past: scrolling on shows more."""
    await eye.go("/products/300")
    await eye.look(max_tokens=600)
    await eye.do(a.ScrollDown(amount=5_000))
    shown = names(await eye.look(max_tokens=600))
    assert product(1)[0] not in shown
    assert product(60)[0] in shown


async def test_cursors_reach_every_one_of_a_thousand_products_once(eye: Eye) -> None:
    """What does not fit is never lost, and nothing is shown twice."""
    await eye.go("/products/1000")
    pages = await eye.pages(await eye.look(), max_tokens=8_000)
    links = [node.name for node in elements(*pages) if node.role == "link"]
    ids = [node.id for node in elements(*pages)]
    assert len(links) == len(set(links)) == 1_000
    assert len(ids) == len(set(ids)) == 2_000
    assert 0 < pages[0].omitted <= 2_000 - len(elements(pages[0]))


async def test_thousands_of_products_fit_the_budget_and_find_reaches_any_and_what_stands_in_its_row(eye: Eye) -> None:
    """A page of 20,000 elements; the one that is looked for may be anywhere on it."""
    await eye.go("/products/4000")
    seen = await eye.look(max_tokens=2_000)
    assert len(elements(seen)) > 50
    assert seen.omitted > 3_600
    assert seen.cursor is not None
    link = await eye.run("document.querySelector('a[href=\"/product/3876\"]').textContent")
    seen = await eye.look(find=link)
    assert [(node.role, node.name) for node in elements(seen)] == [("link", link), ("button", "Add to cart")]
    await eye.click(seen, "Add to cart")
    assert any(node.name == "Cart: 1" for node in (await eye.look("page", max_tokens=500)).nodes)


async def test_what_a_list_has_scrolled_out_of_sight_is_still_listed(eye: Eye) -> None:
    """A box that scrolls keeps what it scrolled past."""
    await eye.go("/done?id=1")
    await eye.run(
        "{ document.body.innerHTML = '<div id=box style=\"height:100px;overflow:auto\">' + Array.from({length: 50},"
        " (_, n) => `<p><button>Item ${n}</button></p>`).join('') + '</div>'; box.scrollTop = 1e6; }"
    )
    assert len(names(await eye.look())) == 50


async def test_a_deep_page_shows_its_button(eye: Eye) -> None:
    """300 boxes in one another."""
    await eye.go("/nested/300")
    assert id_of(await eye.look(), "Deep")
