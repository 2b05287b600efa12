"""Which way to an element is believed, once the first is gone."""

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
