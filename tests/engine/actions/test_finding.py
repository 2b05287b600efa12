"""Selectors that a script may hold: what each matches now, and that each can be acted on by."""

import pytest

from notte_mcp import actions as a
from notte_mcp.engines.base import Found
from tests.engine.actions.driver import Driver

pytestmark = pytest.mark.anyio

ENTER = " >> internal:control=enter-frame >> "
FRAMES = {
    "same": "#same",
    "near": "#near",
    "other": "#other",
    "deep-across": f"#nested{ENTER}iframe >> nth=0",
    "sandboxed": "#sandboxed",
}


async def test_what_stands_in_frames_and_shadow_roots_is_found_and_acted_on_by_selector(kept: Driver) -> None:
    """Also in a frame of another process, which nobody has looked into yet; filled, ticked and pressed there, as a
    script that is run says it."""
    await kept.open("/frames.html")
    ways = {f'{frame}{ENTER}role=button[name="Press {who}"]': who for who, frame in FRAMES.items()}
    found = await kept.session.find([*ways, f"#same{ENTER}role=button", f"#nowhere{ENTER}role=button"])
    assert found == [*(Found("button", f"Press {who}") for who in ways.values()), None, None]
    for who in ("deep-across", "sandboxed"):
        frame = FRAMES[who] + ENTER
        filled = await kept.act(a.Fill(selector=f'{frame}internal:label="Field {who}"s', value="Ada"))
        ticked = await kept.act(a.Check(selector=f'{frame}role=checkbox[name="Agree {who}"]'))
        pressed = await kept.act(a.Click(selector=f'{frame}role=button[name="Press {who}"]'))
        assert (filled.value, ticked.value) == ("Ada", "checked")
        assert pressed.target is not None
        assert pressed.target.name == f"Press {who}"
        assert await kept.page.locator(f"{frame}#out").inner_text() == f"pressed in {who}"

    await kept.open("/shadow.html")
    assert await kept.session.find(
        [
            "x-outer >> x-inner >> button",
            'x-outer >> internal:label="Deep choice"s',
            "x-field >> *",
            "role=heading[level=9]",
        ]
    ) == [Found("button", "Deep button"), Found("combobox", "Deep choice"), None, None]


async def test_only_what_is_seen_counts_where_several_match(kept: Driver) -> None:
    """A dialog that is kept hidden beside the one that is open."""
    await kept.open("/form.html")
    await kept.js(
        "document.body.innerHTML = '<p><button class=go>Go</button></p><p hidden><button class=go>Gone</button></p>'"
    )
    assert await kept.session.find([".go", "button:has-text('Gone')"]) == [
        Found("button", "Go"),
        Found("button", "Gone"),
    ]


SELECTORS = (
    '[data-testid="city"]',
    'role=textbox[name="City"]',
    'internal:role=textbox[name="City"s]',
    'internal:label="City"s',
    '[placeholder="Where \\"to\\"?"]',
    "#city",
    "xpath=/html/body/p/label/input",
    "css=label > input",
    "label >> input",
)


async def test_every_kind_of_selector_that_a_script_holds_is_acted_on(kept: Driver) -> None:
    """As `workflows.locators` writes them."""
    await kept.open("/form.html")
    field = """<input id=city data-testid=city placeholder='Where "to"?'>"""
    await kept.js(f"document.body.innerHTML = `<p><label>City {field}</label></p><button>Go on</button>`")
    for number, selector in enumerate(SELECTORS):
        receipt = await kept.act(a.Fill(selector=selector, value=f"Rome {number}"))
        assert (receipt.value, await kept.js("city.value")) == (f"Rome {number}", f"Rome {number}"), selector
    found = await kept.session.find([*SELECTORS, 'text="Go on"'])
    assert found == [*[Found("textbox", "City")] * len(SELECTORS), Found("button", "Go on")]
