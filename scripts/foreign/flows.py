"""What an assistant does on each site, and how its outcome is known from what the site received.

A flow is recorded once and its script run after it: both times the same has to arrive.

Below: assistant, the three sites. Above: __main__.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

from scripts.foreign.assistant import Assistant
from scripts.foreign.manual import Manual
from scripts.foreign.nursery import PASSWORD, USER, Nursery
from scripts.foreign.petshop import PetShop


@dataclass(frozen=True, slots=True)
class Flow:
    """One thing to do on a site. `drive` does it through the server; `arrived` is what the site has received so far,
    oldest first. `secrets` are values that must stand nowhere. `others` are parameters for one more run, by option,
    and `shows` a text that must then be in what arrives, which is as much as was recorded."""

    site: str
    title: str
    drive: Callable[[Assistant], Awaitable[None]]
    arrived: Callable[[], Sequence[object]]
    secrets: Sequence[str] = ()
    others: Mapping[str, str] = field(default_factory=dict[str, str])
    shows: str = ""


def flows(nursery: Nursery, manual: Manual, shop: PetShop) -> list[Flow]:
    """All of them, in the order that they are done."""
    fern, heart = "Hart's tongue", {"name": "Hart's tongue", "search": "hart"}
    return [
        Flow("Django admin", "add", lambda a: _add(a, nursery), nursery.added, (PASSWORD,), {"name": fern}, fern),
        Flow("Django admin", "edit, delete", lambda a: _edit(a, nursery), nursery.history, (PASSWORD,), heart, fern),
        Flow("Django admin", "pop-up", lambda a: _popup(a, nursery), nursery.history, (PASSWORD,)),
        Flow(
            "Sphinx",
            "search",
            lambda a: _search(a, manual),
            lambda: manual.opened,
            (),
            {"search": "tenmoku"},
            "/glazes",
        ),
        Flow("Sphinx", "contents", lambda a: _contents(a, manual), lambda: manual.opened),
        Flow("Swagger UI", "list", lambda a: _list(a, shop), lambda: shop.calls, (), {"limit": "5"}, "limit=5"),
        Flow("Swagger UI", "add, get", lambda a: _post(a, shop), lambda: shop.calls),
    ]


# --- Django's admin ----------------------------------------------------------------


async def _log_in(a: Assistant, site: Nursery) -> None:
    await a.open(site.url)
    await a.do(
        {"type": "fill", "id": await a.id("textbox", "Username:"), "value": USER},
        {"type": "fill", "id": await a.id("password", "Password:"), "value": PASSWORD},
        {"type": "click", "id": await a.id("button", "Log in")},
        expect="Site administration",
    )


async def _add(a: Assistant, site: Nursery) -> None:
    """Every kind of field, and Save."""
    await _log_in(a, site)
    await a.click("link", "Add", near='"Plants"', expect="Add plant")
    await a.do(
        {"type": "fill", "id": await a.id("textbox", "Name:"), "value": "Maidenhair"},
        {"type": "select_dropdown_option", "id": await a.id("combobox", "Genus:"), "value": "Polystichum"},
        {"type": "select_dropdown_option", "id": await a.id("combobox", "Light:"), "value": "Shade"},
        {"type": "fill", "id": await a.id("spinbutton", "Height in cm:"), "value": "35"},
        {"type": "fill", "id": await a.id("spinbutton", "Price:"), "value": "8.90"},
        {"type": "fill", "id": await a.id("textbox", "Planted:"), "value": "2024-05-17"},
        {"type": "check", "id": await a.id("checkbox", "Evergreen")},
        {"type": "fill", "id": await a.id("textbox", "Notes:"), "value": "Likes it damp."},
        {"type": "click", "id": await a.id("button", "Save")},
        expect="was added successfully",
    )


async def _edit(a: Assistant, site: Nursery) -> None:
    """Add, search, filter, edit with the calendar, delete and confirm."""
    await _log_in(a, site)
    await a.click("link", "Plants", near='Plants" · ', expect="Select plant to change")
    await a.click("link", "Add plant", expect="Save and continue editing")
    await a.do(
        {"type": "fill", "id": await a.id("textbox", "Name:"), "value": "Royal fern"},
        {"type": "select_dropdown_option", "id": await a.id("combobox", "Genus:"), "value": "Hypnum"},
        {"type": "select_dropdown_option", "id": await a.id("combobox", "Light:"), "value": "Half shade"},
        {"type": "fill", "id": await a.id("spinbutton", "Height in cm:"), "value": "120"},
        {"type": "fill", "id": await a.id("spinbutton", "Price:"), "value": "19"},
    )
    await a.click("link", "Today", expect="")
    await a.click("button", "Save", expect="was added successfully")
    await a.do({"type": "fill", "id": await a.id("textbox", "Search"), "value": "royal", "press_enter": True})
    await a.click("link", "Half shade", expect="Royal fern")
    await a.click("link", "Royal fern", expect="Change plant")
    await a.do(
        {"type": "fill", "id": await a.id("spinbutton", "Price:"), "value": "21.50"},
        {"type": "check", "id": await a.id("checkbox", "Evergreen")},
        {"type": "click", "id": await a.id("button", "Save and continue editing")},
        expect="was changed successfully",
    )
    await a.click("link", "Delete", expect="Are you sure")
    await a.click("button", "Yes, I’m sure", expect="was deleted successfully")  # noqa: RUF001 - as Django writes it


async def _popup(a: Assistant, site: Nursery) -> None:
    """A genus through the window that the form of a plant opens, which closes itself."""
    await _log_in(a, site)
    await a.click("link", "Add", near='"Plants"', expect="Add plant")
    await a.do({"type": "fill", "id": await a.id("textbox", "Name:"), "value": "Lady fern"})
    await a.click("link", "Add another genus", expect="Add genus")
    await a.do(
        {"type": "fill", "id": await a.id("textbox", "Name:"), "value": "Athyrium"},
        {"type": "click", "id": await a.id("button", "Save")},
    )
    await a.do(
        {"type": "select_dropdown_option", "id": await a.id("combobox", "Light:"), "value": "Full sun"},
        {"type": "fill", "id": await a.id("spinbutton", "Height in cm:"), "value": "70"},
        {"type": "fill", "id": await a.id("spinbutton", "Price:"), "value": "6"},
        {"type": "fill", "id": await a.id("textbox", "Planted:"), "value": "2024-06-01"},
        {"type": "click", "id": await a.id("button", "Save and add another")},
        expect="was added successfully",
    )
    await a.click("button", "Log out", expect="Logged out")


# --- Sphinx --------------------------------------------------------------------------


async def _search(a: Assistant, site: Manual) -> None:
    """Search, and open what was found."""
    await a.open(site.url)
    await a.do(
        {"type": "fill", "id": await a.id("textbox", "Search"), "value": "celadon", "press_enter": True},
        expect="Search finished",
    )
    await a.click("link", "Glazes", near="Celadon", expect="a green glaze")


async def _contents(a: Assistant, site: Manual) -> None:
    """From the contents to a section, to another page by the sidebar, and home."""
    await a.open(site.url)
    await a.click("link", "Cooling", expect="stays closed")
    await a.click("link", "Glazes", expect="Tenmoku is")
    await a.click("link", "Tenmoku", expect="")
    await a.click("link", "Kiln", expect="How to fire clay")


# --- Swagger UI ------------------------------------------------------------------------


async def _list(a: Assistant, site: PetShop) -> None:
    """An operation with a choice and a number."""
    await a.open(site.url)
    await a.click("button", "get /pets")
    await a.click("button", "Try it out")
    await a.look()
    await a.do(
        {"type": "select_dropdown_option", "id": await a.id("combobox", "", near="= available"), "value": "sold"},
        {"type": "fill", "id": await a.id("textbox", "limit"), "value": "3"},
        {"type": "click", "id": await a.id("button", "Execute")},
        {"type": "wait_for", "value": "Sorrel"},
    )


async def _post(a: Assistant, site: PetShop) -> None:
    """Two operations open at once: a body is sent, and what came of it fetched."""
    await a.open(site.url)
    await a.click("button", "get /pets/{petId}")
    await a.click("button", "post /pets")
    await a.look()
    await a.click("button", "Try it out")
    await a.look()
    body = '{"name": "Thyme", "status": "available"}'
    await a.do(
        {"type": "fill", "id": await a.id("textbox", "", near="Rex"), "value": body},
        {"type": "click", "id": await a.id("button", "Execute")},
        {"type": "wait_for", "value": "Server response"},
    )
    await a.look(mode="page")
    await a.click("button", "Try it out")
    await a.look()
    await a.do(
        {"type": "fill", "id": await a.id("textbox", "petId"), "value": "2"},
        {"type": "click", "id": await a.id("button", "Execute", place=1)},
        {"type": "wait_for", "value": "Sorrel"},
    )
