"""Element ids: stable while an element lives, never given twice, healed only where there is no doubt."""

import pytest

from notte_mcp import actions as a
from notte_mcp.errors import StaleElement, UnknownElement
from tests.engine.eyes import Eye, elements, id_of, named

pytestmark = pytest.mark.anyio


async def test_an_element_keeps_its_id_when_the_page_is_reordered(eye: Eye) -> None:
    """Ids follow elements, not places."""
    await eye.go("/form.html")
    first = {node.name: node.id for node in elements(await eye.look())}
    await eye.run("{ const f = document.querySelector('form'); [...f.children].reverse().forEach(c => f.append(c)); }")
    second = await eye.look()
    assert {node.name: node.id for node in elements(second)} == first
    assert elements(second)[0].name == "Save draft"


async def test_no_id_is_given_twice_over_pages_and_tabs_and_a_tab_keeps_its_own(eye: Eye) -> None:
    """Within a session a number never returns; back on a tab it means the same element."""
    await eye.go("/form.html")
    first = await eye.look()
    await eye.do(a.GotoNewTab(url=eye.site.url("/controls.html")))
    views = [first, await eye.look()]
    await eye.go("/form.html")
    views.append(await eye.look())
    given = [node.id for node in elements(*views) if node.id]
    assert len(given) == len(set(given)) > 40
    await eye.do(a.SwitchTab(tab_index=0))
    assert id_of(await eye.look(), "Applicant") == id_of(first, "Applicant")


async def _deed(eye: Eye, what: str) -> str:
    await eye.go("/heal.html")
    seen = await eye.look()
    await eye.click(seen, what)
    return id_of(seen, "Only one")


async def test_an_id_is_healed_to_its_only_heir(eye: Eye) -> None:
    """Same role, same name, same region; the receipt says so, and the id stays."""
    once = await _deed(eye, "Replace by its twin")
    await eye.session.check([a.Click(id=once)])
    receipt = await eye.do(a.Click(id=once))
    assert receipt.healed
    assert await eye.out() == "Only one in Single"
    assert id_of(await eye.look(), "Only one") == once


@pytest.mark.parametrize("what", ["Remove", "Rename", "Replace by a link"])
async def test_an_id_without_an_heir_is_refused(eye: Eye, what: str) -> None:
    """Gone; renamed is the same element still; another role is another element."""
    once = await _deed(eye, what)
    if what == "Rename":
        await eye.do(a.Click(id=once))
        assert named(await eye.look(), "Another name").id == once
        return
    with pytest.raises(StaleElement, match="no longer on the page"):
        await eye.session.check([a.Click(id=once)])


async def test_an_id_with_two_heirs_is_refused_and_they_are_named(eye: Eye) -> None:
    """The candidates have ids that can be used at once."""
    once = await _deed(eye, "Replace by two")
    with pytest.raises(StaleElement, match="Alike now: B") as refused:
        await eye.session.check([a.Click(id=once)])
    candidate = str(refused.value).split("Alike now: ")[1].split(" ")[0]
    await eye.do(a.Click(id=candidate))


async def test_an_element_that_moves_keeps_its_id(eye: Eye) -> None:
    """It lives."""
    once = await _deed(eye, "Move elsewhere")
    receipt = await eye.do(a.Click(id=once))
    assert not receipt.healed
    assert await eye.out() == "Only one in Basket"


async def test_ids_are_healed_each_in_its_own_region(eye: Eye) -> None:
    """Two buttons of one name, in two regions, after the whole body was built anew."""
    await eye.go("/heal.html")
    seen = await eye.look()
    basket, invoice = [node.id for node in elements(seen) if node.name == "Pay"]
    await eye.click(seen, "Replace the whole body")
    for given, place in ((invoice, "Invoice"), (basket, "Basket")):
        assert (await eye.do(a.Click(id=given))).healed
        assert await eye.out() == f"Pay in {place}"


async def test_what_lived_beside_an_element_is_not_its_heir(eye: Eye) -> None:
    """Of two equal buttons one goes: the other is not it."""
    await eye.go("/heal.html")
    await eye.click(await eye.look(), "Replace by two")
    first, second = [node.id for node in elements(await eye.look()) if node.name == "Only one"]
    await eye.run("{ document.getElementById('once').remove(); }")
    with pytest.raises(StaleElement):
        await eye.session.check([a.Click(id=first)])
    await eye.do(a.Click(id=second))


async def test_nothing_is_healed_onto_another_page(eye: Eye) -> None:
    """Another path is another page, however alike."""
    await eye.go("/done?id=1")
    await eye.run("{ document.body.innerHTML = '<button>Send</button>'; }")
    send = id_of(await eye.look(), "Send")
    await eye.go("/status/200")
    await eye.run("{ document.body.innerHTML = '<button>Send</button>'; }")
    await eye.look()
    with pytest.raises(StaleElement):
        await eye.session.check([a.Click(id=send)])


async def test_an_id_that_was_never_shown_is_refused(fresh: Eye) -> None:
    """Although an element is there that would have got it."""
    await fresh.go("/products/1000")
    shown = {node.id for node in elements(await fresh.look(max_tokens=300))}
    assert "L900" not in shown
    with pytest.raises(UnknownElement, match="notte_observe"):
        await fresh.session.check([a.Click(id="L900")])
