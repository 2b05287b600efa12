"""Elements and texts as their documents spell them."""

import pytest

from notte_mcp import actions as a
from notte_mcp.engines.described import Described
from notte_mcp.errors import UnknownElement
from notte_mcp.observations import Observation
from tests.engine.eyes import Eye, elements, id_of

pytestmark = pytest.mark.anyio

WHOLE = 10_000_000


async def described(eye: Eye, seen: Observation) -> dict[str, Described]:
    """Everything but the groups, by what it is called."""
    told = [node for node in seen.nodes if node.kind != "group"]
    found = await eye.session.describe([node.id or node.key for node in told])
    return {node.name or node.role: one for node, one in zip(told, found, strict=True) if one is not None}


async def test_an_element_is_told_as_its_document_writes_it(eye: Eye) -> None:
    """Tag, attributes, structural selectors through frames and shadow roots, text, labels, box."""
    await eye.go("/spelled.html")
    found = await described(eye, await eye.look("page", max_tokens=WHOLE))
    about = found["About us"]
    assert (about.tag, about.attributes, about.label) == ("a", {"href": "/about.html"}, "About us")
    assert (about.locators.css, about.locators.xpath) == ('a[href="/about.html"]', "/html/body/nav/a[1]")
    assert about.box is not None
    assert found["Far bottom link"].box is None
    email = found["Email"]
    assert email.attributes == {"type": "email", "name": "email", "placeholder": "you@example.com"}
    assert (email.before, found["I agree"].after, email.locators.css) == (("Email",), ("I agree",), "#email")
    inner, shadow = found["Inner frame button"].locators, found["Shadow btn"].locators
    assert (inner.frame, inner.css) == (('iframe[title="Inner"]',), "html > body > button")
    assert (shadow.shadow, shadow.css, shadow.xpath) == (True, "#host >> :scope > button", None)
    assert found["Nope"].attributes == {"type": "button", "disabled": ""}
    assert found["Some plain paragraph text with bold."].label == "Some plain paragraph text with\nbold\n."


async def test_what_elements_hold_now_is_told_and_no_secret(eye: Eye) -> None:
    """Values as they are now and not as they were written; of a password only that there is one."""
    await eye.go("/spelled.html")
    seen = await eye.look("page", max_tokens=WHOLE)
    await eye.do(a.Fill(id=id_of(seen, "Search box"), value="x" * 300))
    await eye.do(a.Check(id=id_of(seen, "I agree")))
    await eye.run("document.querySelector('select').value = 'g'")
    found = await described(eye, await eye.look("page", max_tokens=WHOLE))
    search, agree = found["Search box"], found["I agree"]
    assert search.attributes["value"] == "prefilled"
    assert search.held is not None
    assert (search.held.value, search.held.length) == ("x" * 300, 300)
    assert agree.held is not None
    assert agree.held.checked is True
    choice = found["combobox"].held
    assert choice is not None
    assert choice.choices is not None
    assert (choice.value, choice.choice_count, found["combobox"].label) == ("g", 3, "Red\nGreen\nBlue")
    assert [(one.value, one.selected, one.disabled) for one in choice.choices] == [
        ("Red", False, False), ("g", True, False), ("Blue", False, True),
    ]  # fmt: skip
    password = found["Password"]
    assert password.held is not None
    assert (password.held.filled, password.held.value) == (True, None)
    assert "hunter2" not in repr(found)
    pressed, collapsed = found["Custom div button"].held, found["Menu item"].held
    assert pressed is not None
    assert collapsed is not None
    assert (pressed.pressed, collapsed.expanded) == ("mixed", False)


async def test_selectors_lead_back_to_the_element_they_were_told_of(framed: Eye) -> None:
    """Each to one element, of the same role and name, also in frames of other origins."""
    seen = await framed.look(max_tokens=WHOLE)
    nodes = [node for node in elements(seen) if node.id is not None]
    found = await framed.session.describe([node.id or "" for node in nodes])
    ways: list[str] = []
    for one in found:
        assert one is not None
        ways.append(
            "".join(f"{css} >> internal:control=enter-frame >> " for css in one.locators.frame) + f"{one.locators.css}"
        )
    told = await framed.session.find(ways)
    assert len(nodes) > 12
    assert [(one.role, one.name) if one else None for one in told] == [(node.role, node.name) for node in nodes]


async def test_what_is_gone_is_none_and_what_never_was_is_refused(eye: Eye) -> None:
    """As with actions: an id that nobody was shown stands for nothing."""
    await eye.go("/spelled.html")
    seen = await eye.look(max_tokens=WHOLE)
    cart, email = id_of(seen, "Cart"), id_of(seen, "Email")
    await eye.run("document.querySelector('nav').remove()")
    gone, kept = await eye.session.describe([cart, email])
    assert (gone, kept is not None and kept.tag) == (None, "input")
    with pytest.raises(UnknownElement):
        await eye.session.describe(["B9999"])


async def test_a_view_says_how_far_its_page_is_scrolled(eye: Eye) -> None:
    """In CSS px, with the size of what is seen and of everything."""
    await eye.go("/spelled.html")
    await eye.run("scrollTo(0, 700)")
    view = (await eye.look()).viewport
    assert view is not None
    assert (view.scroll_x, view.scroll_y) == (0, 700)
    assert view.height < view.total_height > 2_000
    assert view.width == view.total_width
