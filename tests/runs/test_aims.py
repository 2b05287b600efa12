"""Which way to an element is believed, once the first is gone."""

from dataclasses import replace

import pytest

from notte_mcp import actions as a
from notte_mcp.engines.base import Found
from notte_mcp.receipts import Locators
from notte_mcp.runs.aims import aims_of, chosen_of, healing
from notte_mcp.workflows import WorkflowStep

SEND = WorkflowStep(
    1, a.Click(selector="x"), role="button", name="Send",
    locators=Locators(role=("button", "Send"), css="form > p:nth-child(2) > button", frame=("#outer",)),
)  # fmt: skip
HERE = Found("button", "Send")


def test_another_frame_is_believed_where_it_is_the_only_one_that_has_the_element() -> None:
    """Its selector changed; the element in it has its role and name still."""
    aims = aims_of(SEND, {})
    count, recorded = len(aims[0].all), len(aims[0].ways)
    one = [HERE if place == recorded + 1 else None for place in range(count)]
    two = [HERE if place > recorded else None for place in range(count)]
    assert chosen_of(aims, one, any_way=False) is None
    chosen = chosen_of(aims, one, any_way=True)
    assert chosen is not None
    assert healing(aims, chosen).startswith("iframe >> nth=1 >> ")
    assert chosen_of(aims, two, any_way=True) is None


def test_a_place_is_believed_only_where_the_name_is_the_same() -> None:
    """And a recorded way goes before another frame."""
    aims = aims_of(SEND, {})
    rest = [None] * (len(aims[0].all) - 2)
    assert chosen_of(aims, [None, Found("button", "Delete"), *rest], any_way=True) is None
    chosen = chosen_of(aims, [None, HERE, *rest], any_way=True)
    assert chosen == [aims[0].ways[1], None]
    assert chosen_of(aims, [HERE, None, *rest], any_way=False) == [aims[0].ways[0], None]


BY_ROW = Locators(row=("row", "Birch", "button", "Delete"), css="tr:nth-of-type(2) > td > button")
OTHER = Found("button", "Delete")


@pytest.mark.parametrize(
    ("locators", "effect"),
    [
        (BY_ROW, ""),
        (replace(BY_ROW, css="#delete-2"), ""),
        (replace(BY_ROW, css='button[name="delete-2"]', frame=("#list",)), ""),
        (Locators(given=".birch button", css="tr:nth-of-type(2) > td > button"), ""),
        (Locators(role=("button", "Delete"), css="tr:nth-of-type(2) > td > button"), "sends DELETE /birch"),
    ],
)
def test_no_place_is_believed_where_another_element_may_stand_there_by_now(locators: Locators, effect: str) -> None:
    """Its row is gone, and the next one has moved up: same role, same name, same place, or its number."""
    step = WorkflowStep(
        1, a.Click(selector="x"), role="button", name="Delete", locators=locators, effect=effect
    )  # fmt: skip
    aims = aims_of(step, {})
    found = [None, *([OTHER] * (len(aims[0].ways) - 1)), *([None] * len(aims[0].astray))]
    assert len(aims[0].ways) > 1
    assert chosen_of(aims, found, any_way=True) is None
    assert chosen_of(aims_of(replace(step, locators=replace(locators, css="#birch")), {}), found, any_way=True)


def test_a_place_that_is_the_first_way_is_believed_only_with_what_stood_there() -> None:
    """Nothing else was recorded; with another name it is another element."""
    step = WorkflowStep(1, a.Click(selector="x"), role="button", name="Pay", locators=Locators(css="p > button"))
    aims = aims_of(step, {})
    assert not aims[0].is_sure
    assert chosen_of(aims, [Found("button", "Pay")], any_way=False) == [aims[0].ways[0], None]
    assert chosen_of(aims, [OTHER], any_way=True) is None
    assert chosen_of(aims, [Found("link", "Pay")], any_way=True) is None
