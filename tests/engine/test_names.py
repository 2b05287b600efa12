"""Names and roles: the table of `pages/names.html`, which two judges that are not ours agree with."""

from typing import cast

import pytest

from tests.engine.eyes import Eye

pytestmark = pytest.mark.anyio

_TABLE = "[...document.querySelectorAll('[data-name]')].map(n => [n.dataset.role, n.dataset.name])"
_OURS = {"": "summary", "image": "img"}
_GROUPS = {"group", "region", "form", "navigation", "table", "heading"}


async def test_names_and_roles_are_those_of_the_w3c_rules(eye: Eye) -> None:
    """W3C, Accessible Name and Description Computation 1.2, one element a rule."""
    await eye.go("/names.html")
    table = cast("list[list[str]]", await eye.run(_TABLE))
    expected = [(_OURS.get(role, role), name) for role, name in table]
    expected = [(role, name) for role, name in expected if role not in _GROUPS | {"figure", "img"}]
    seen = await eye.look(max_tokens=20_000)
    found = [(node.role, node.name) for node in seen.nodes if node.kind == "element"]
    missing = [pair for pair in expected if pair not in found]
    assert len(expected) > 55
    assert missing == []
    assert len(found) == len(expected) + 3  # a link and a field inside labels, a link in the navigation


async def test_groups_and_pictures_have_their_names_too(eye: Eye) -> None:
    """Groups are named by legend, caption or label, never by what stands in them."""
    await eye.go("/names.html")
    seen = await eye.look("page", max_tokens=20_000)
    groups = {(node.role, node.name) for node in seen.nodes if node.kind == "group"}
    assert {("group", "Delivery"), ("navigation", "Main"), ("heading", "A heading"), ("region", "Part one")} <= groups
    assert all("Text is no name" not in name for _, name in groups)
    assert ("img", "A bridge") in {(node.role, node.name) for node in seen.nodes if node.kind == "text"}


async def test_what_has_no_name_carries_a_hint(eye: Eye) -> None:
    """Test id, data attribute, icon, class, picture or colour; ids and marks tell them apart."""
    await eye.go("/clickables.html")
    nameless = [node for node in (await eye.look()).nodes if node.kind == "element" and not node.name]
    hints = [node.hint for node in nameless]
    assert all(hints)
    assert len(set(hints)) == len(hints)
    assert {"data-testid=download-button", "data-action=zoom-in", ".btn-trash", "rgb(220,20,60)"} <= set(hints)


async def test_a_field_without_a_name_is_told_by_the_text_before_it(eye: Eye) -> None:
    """As a person tells it."""
    await eye.go("/done?id=1")
    await eye.run("document.body.innerHTML = '<p>Quantity: <input></p><p>Colour</p><div><input></div>'")
    assert [node.hint for node in (await eye.look()).nodes] == ["after Quantity:", "after Colour"]
