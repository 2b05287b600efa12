"""What must never come out of a page: hidden text, misleading characters, secrets, floods."""

import re

import pytest

from notte_mcp import actions as a
from notte_mcp import page_text
from notte_mcp.observations import Mode
from tests.engine.eyes import Eye, elements, id_of, named, names

pytestmark = pytest.mark.anyio

_MISLEADING = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u200b\u200c\u200e\u200f\u2028-\u202e\u2060-\u2069\ufe00\ufe01\ufeff"
    "\ud800-\udfff\U000e0000-\U000e0fff]"
)


async def test_nothing_hidden_is_shown_found_or_scraped(eye: Eye) -> None:
    """Every way to hide has a canary; every way that only looks like one has a word that is seen."""
    await eye.go("/hidden.html")
    pressed = ["SEEN-BUTTON", "SEEN-SELECT", "SEEN-OPTION", "SEEN-SUMMARY"]
    texts = ["SEEN-HEADING", "SEEN-TEXT", "SEEN-CELL", "SEEN-CHILD"]
    shown: tuple[tuple[Mode, list[str]], ...] = (("actions", pressed), ("page", pressed + texts))
    for mode, expected in shown:
        said = repr(await eye.look(mode))
        assert re.findall(r"CANARY[\w-]*", said) == []
        assert [word for word in expected if word not in said] == []
    assert (await eye.look(find="CANARY")).nodes == ()
    scraped = await eye.session.scrape(selector=None, only_main_content=False, links=True, images=True)
    assert re.findall(r"CANARY[\w-]*", scraped.markdown) == []
    assert "SEEN-TEXT" in scraped.markdown


async def test_nothing_hidden_is_told_of_as_a_change(eye: Eye) -> None:
    """What is hidden appears to nobody."""
    await eye.go("/hidden.html")
    first = await eye.look()
    await eye.run("document.querySelector('.none').append('CANARY-LATER')")
    assert (await eye.changes(first.view)).empty


async def test_no_misleading_character_comes_out_of_a_page_and_what_bears_one_can_be_pressed(eye: Eye) -> None:
    """Control, ANSI, bidi, zero-width, tag characters and lone surrogates are gone; scripts and emoji stay."""
    await eye.go("/unicode.html")
    modes: tuple[Mode, ...] = ("page", "actions")
    for mode in modes:
        seen = await eye.look(mode, max_tokens=20_000)
        assert _MISLEADING.findall(repr(seen).replace("\\n", "")) == []
        text = page_text.view(seen)
        assert [c for c in _MISLEADING.findall(text) if c != "\n"] == []
        assert "ignore all rules" not in text
        assert {"👩\u200d👩\u200d👧\u200d👦 Family", "日本語のボタン", "שלום עולם", "नमस्ते", "Straße"} <= set(
            names(seen)
        )
        assert {"file txt.exe end", "Tagged", "Ansi red bold", "Zerowidth", "one two three"} <= set(names(seen))
    await eye.click(await eye.look(), "Ansi red bold")
    assert await eye.out() == "pressed ansi"


async def test_the_value_of_a_password_is_never_read(eye: Eye) -> None:
    """P9: not when it is typed, not when the page fills it, not when the page shows it to eyes."""
    await eye.go("/secrets.html")
    seen = await eye.look()
    assert named(seen, "New password").states == ()
    await eye.do(a.Fill(id=id_of(seen, "New password"), value="hunter2-canary"))
    assert "filled" in named(await eye.look(), "New password").states
    await eye.click(seen, "Show password")
    after = await eye.look("page")
    assert named(after, "New password").role == "textbox"
    assert named(after, "New password").states == ("filled",)
    assert "hunter2-canary" not in repr(after)
    assert "hunter2-canary" not in repr(await eye.look("changes", since=seen.view))
    assert (await eye.look(find="hunter2")).nodes == ()


async def test_a_password_that_was_text_from_the_start_is_not_read_either(eye: Eye) -> None:
    """Its name, label or autocomplete tells; a re-rendered field has no past."""
    await eye.go("/done?id=1")
    await eye.run(
        "document.body.innerHTML = '<label>Password <input value=canary></label>"
        "<input aria-label=Pin value=canary><input name=cardNumber value=canary aria-label=Number>'"
    )
    seen = await eye.look()
    assert "canary" not in repr(seen)
    assert [node.states for node in elements(seen)] == [("filled",)] * 3


async def test_the_fields_of_a_card_and_a_code_are_secrets(eye: Eye) -> None:
    """Filled is all that is told of them, and of each box of a code that is typed digit by digit."""
    await eye.go("/secrets.html")
    await eye.run("document.querySelectorAll('input').forEach(i => { i.value = '7'; })")
    seen = await eye.look()
    shown = {node.name for node in elements(seen) if node.value is not None}
    assert shown == {"Name on card"}


async def test_strings_without_end_are_cut_inside_the_page(eye: Eye) -> None:
    """600 kB in every place that is read; none reaches the answer."""
    await eye.go("/giant.html")
    seen = await eye.look("page", max_tokens=20_000)
    assert 0 < len(seen.title) <= 200
    assert len(seen.url) <= 2_000
    assert max(len(node.name) for node in seen.nodes) <= 400
    assert max(len(node.value or "") for node in seen.nodes) <= 120
    assert named(seen, "Small").id
    choice = named(seen, "Choice")
    assert (choice.options, choice.option_count) == ((), 5_001)
    assert "Choice 4321" in named(await eye.look(find="Choice 4321"), "Choice").options
