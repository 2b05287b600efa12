"""Changes: exactly what appeared, changed and went since a view, and nothing else."""

import pytest

from notte_mcp import actions as a
from notte_mcp.errors import UnknownView
from tests.engine.eyes import Eye, id_of, names, told

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("path", ["/controls.html", "/shadow.html", "/products/300"])
async def test_a_still_page_has_no_changes(eye: Eye, path: str) -> None:
    """Whatever it holds."""
    await eye.go(path)
    first = await eye.look()
    assert (await eye.changes(first.view)).empty
    assert (await eye.changes(first.view)).empty


async def test_exactly_what_changed_is_told(eye: Eye) -> None:
    """A value, a state, an option, a name; in reading order."""
    await eye.go("/controls.html")
    seen = await eye.look()
    await eye.do(a.Fill(id=id_of(seen, "Name"), value="Grace"))
    await eye.do(a.Check(id=id_of(seen, "Newsletter"), value=False))
    await eye.do(a.SelectDropdownOption(id=id_of(seen, "Size"), value="Large"))
    changes = await eye.changes(seen.view)
    assert [(node.name, node.value, node.states) for node in changes.changed] == [
        ("Name", "Grace", ()), ("Size", "Large", ()), ("Newsletter", None, ()),
    ]  # fmt: skip
    assert (changes.appeared, changes.gone) == ((), ())


async def test_text_that_appears_changes_or_goes_is_told(eye: Eye) -> None:
    """Also in a look that listed no text."""
    await eye.go("/widgets.html")
    seen = await eye.look()
    await eye.click(seen, "Remember me")
    changes = await eye.changes(seen.view)
    assert [(node.role, node.name) for node in changes.changed] == [
        ("checkbox", "Remember me"), ("text", "checkbox Remember me"),
    ]  # fmt: skip
    await eye.run("{ document.getElementById('out').textContent = ''; }")
    assert told((await eye.changes(eye.view)).gone) == ["text checkbox Remember me"]


async def test_changes_are_since_the_view_that_is_named(eye: Eye) -> None:
    """Not only since the last one."""
    await eye.go("/form.html")
    first = await eye.look()
    await eye.do(a.Fill(id=id_of(first, "Applicant"), value="Ada"))
    second = await eye.look()
    await eye.do(a.Fill(id=id_of(first, "E-mail"), value="ada@example.org"))
    since_first = await eye.changes(first.view)
    since_second = await eye.changes(second.view)
    assert [node.name for node in since_first.changed] == ["Applicant", "E-mail"]
    assert [node.name for node in since_second.changed] == ["E-mail"]


async def test_an_unknown_view_gives_the_whole_page_and_says_so(eye: Eye) -> None:
    """Design, section 2."""
    await eye.go("/form.html")
    await eye.look()
    seen = await eye.look("changes", since=777)
    assert (seen.changes, seen.whole) == (None, True)
    assert "777" in seen.note
    assert "Applicant" in names(seen)


async def test_a_new_document_is_told_whole_with_its_text(eye: Eye) -> None:
    """Nothing of it was there before."""
    await eye.go("/form.html")
    first = await eye.look()
    await eye.go("/done?id=PR-7")
    seen = await eye.look("changes", since=first.view)
    assert (seen.changes, seen.whole, seen.note) == (None, True, "")
    assert "Your number is PR-7." in [node.name for node in seen.nodes]
    assert seen.title == "Request received"


async def test_a_list_that_is_built_anew_tells_only_what_is_different(eye: Eye) -> None:
    """Same look, new nodes: each of them is the only heir of its old self."""
    await eye.go("/spa.html")
    seen = await eye.look()
    await eye.click(seen, "Buy stamps")
    changes = await eye.changes(seen.view)
    assert told(changes.changed) == ["text 1 open"]
    assert [(node.name, node.states) for node in changes.appeared] == [("Buy stamps", ("checked",))]
    assert [(node.name, node.states) for node in changes.gone] == [("Buy stamps", ())]


async def test_the_old_ids_of_a_list_that_was_built_anew_still_work(eye: Eye) -> None:
    """What was not told again is healed when it is used."""
    await eye.go("/spa.html")
    seen = await eye.look()
    call = id_of(seen, "Call the office")
    await eye.click(seen, "Buy stamps")
    receipt = await eye.do(a.Click(id=call))
    assert receipt.healed
    assert receipt.target is not None
    assert receipt.target.name == "Call the office"


async def test_a_link_that_was_taken_out_by_itself_is_gone(eye: Eye) -> None:
    """A detached link is the root of its own tree, and has a `host`: its URL's, which is no shadow host (HTML, URL mixin)."""
    await eye.go("/spa.html")
    await eye.run("{ document.body.innerHTML = '<a href=\"/elsewhere\">Back</a>'; }")
    seen = await eye.look()
    await eye.run("{ document.body.innerHTML = '<h1>Tasks</h1>'; }")
    changes = await eye.changes(seen.view)
    assert [(node.role, node.name) for node in changes.gone] == [("link", "Back")]


async def test_an_item_that_went_is_told_and_those_that_moved_up_are_not(eye: Eye) -> None:
    """Only what is gone."""
    await eye.go("/spa.html")
    seen = await eye.look()
    removes = [node.id for node in seen.nodes if node.name == "Remove"]
    await eye.do(a.Click(id=removes[0]))
    changes = await eye.changes(seen.view)
    assert [node.name for node in changes.gone if node.role == "checkbox"] == ["Water the plants"]
    assert [node.name for node in changes.appeared if node.role == "checkbox"] == []


async def test_a_dialog_that_opens_is_told_with_what_it_holds(eye: Eye) -> None:
    """And goes as it came."""
    await eye.go("/modal.html")
    seen = await eye.look()
    await eye.click(seen, "Open modal")
    opened = await eye.look("changes", since=seen.view)
    assert opened.changes is not None
    assert told(opened.changes.appeared) == [
        "text This cannot be undone.", "textbox Type DELETE", "button Delete", "button Keep",
    ]  # fmt: skip
    assert [node.role for node in opened.changes.appeared if node.kind == "group"] == ["dialog"]
    keep = next(node.id for node in opened.changes.appeared if node.name == "Keep")
    await eye.do(a.Click(id=keep))
    closed = await eye.changes(opened.view)
    assert "button Keep" in told(closed.gone)
    assert told(closed.appeared) == ["text answer no"]


async def test_changes_keep_to_the_budget_and_count_the_rest(eye: Eye) -> None:
    """A thousand new lines are not told one by one."""
    await eye.go("/done?id=1")
    first = await eye.look()
    await eye.run("{ document.body.innerHTML += Array.from({length: 1000}, (_, n) => `<p>Line ${n}</p>`).join(''); }")
    seen = await eye.look("changes", since=first.view, max_tokens=200)
    assert seen.changes is not None
    assert 10 < len(seen.changes.appeared) < 80
    assert seen.changes.more > 900


async def test_a_cursor_dies_with_its_page(eye: Eye) -> None:
    """And names the call to make."""
    await eye.go("/products/100")
    seen = await eye.look(max_tokens=300)
    await eye.go("/form.html")
    with pytest.raises(UnknownView, match="notte_observe"):
        await eye.look(cursor=seen.cursor)
