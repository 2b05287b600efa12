"""Secret values are found however a page gives them back, and nothing else is touched."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notte_mcp import actions as a
from notte_mcp.observations import Changes, Node, Observation, Tab
from notte_mcp.receipts import Locators, Receipt, Target
from notte_mcp.registry.redaction import Redactor, is_redacted
from notte_mcp.registry.written import write_down

SECRET = "p&s w_r€d/1"


@pytest.fixture
def redactor() -> Redactor:
    redactor = Redactor()
    redactor.add("PASSWORD", SECRET)
    return redactor


@pytest.mark.parametrize(
    "spelt",
    [
        SECRET,
        "p%26s%20w_r%E2%82%ACd%2F1",
        "p%26s+w_r%e2%82%acd%2f1",
        "p%26s%20w%5Fr%E2%82%ACd/1",
        "p&amp;s w_r€d/1",
        r"p&s w\_r€d/1",
        "p&s\u00a0w_r€d/1",
    ],
)
def test_a_secret_is_found_in_every_spelling(redactor: Redactor, spelt: str) -> None:
    """As typed, in a URL, in HTML, in Markdown."""
    assert redactor.text(f"before {spelt} after") == "before [secret PASSWORD] after"


def test_a_number_is_found_with_its_digits_grouped() -> None:
    """Card numbers come back as the shop likes to write them."""
    redactor = Redactor()
    redactor.add("CC_NUMBER", "4111111111111111")
    for shown in ("4111111111111111", "4111 1111 1111 1111", "4111-1111-1111-1111"):
        assert redactor.text(f"card {shown}.") == "card [secret CC_NUMBER]."


def test_of_two_secrets_the_longer_one_is_taken_out_whole() -> None:
    """Nothing of it may stay because a part of it was found first."""
    redactor = Redactor()
    redactor.add("SHORT", "open")
    redactor.add("LONG", "open sesame")
    assert redactor.text("open sesame, open") == "[secret LONG], [secret SHORT]"


def test_very_short_values_are_not_looked_for() -> None:
    """They would hit half of every page."""
    redactor = Redactor()
    redactor.add("CODE", "123")
    assert redactor.text("123 steps") == "123 steps"


def test_every_text_of_a_receipt_is_searched_but_not_our_own_words() -> None:
    """A password that happens to be "click" must not make receipts unreadable."""
    redactor = Redactor()
    redactor.add("PASSWORD", "click")
    receipt = Receipt(
        "click", success=True, message="click it", code="click",
        target=Target("B1", "click", "click", Locators(role=("button", "click"), text="click")),
        url_after="http://x/?q=click", sent=("POST http://x/click",), data={"a": ["click", 1]},
    )  # fmt: skip
    mark = "[secret PASSWORD]"
    assert redactor(receipt) == Receipt(
        "click", success=True, message=f"{mark} it", code="click",
        target=Target("B1", "click", mark, Locators(role=("button", mark), text=mark)),
        url_after=f"http://x/?q={mark}", sent=(f"POST http://x/{mark}",), data={"a": [mark, 1]},
    )  # fmt: skip


def test_every_text_of_an_observation_is_searched(redactor: Redactor) -> None:
    """Names, values, options, title, tabs, events, and what changed."""
    node = Node("1", "element", "textbox", SECRET, value=SECRET, options=(SECRET,), hint=SECRET)
    seen = Observation(
        f"http://x/{SECRET}", SECRET, (Tab(0, SECRET, SECRET),), "changes", 1, nodes=(node,),
        changes=Changes(1, (node,), (node,), (node,)), note=SECRET, events=(SECRET,),
    )  # fmt: skip
    assert SECRET not in repr(redactor(seen))
    assert is_redacted(redactor(seen).url)


@given(st.text(min_size=4, max_size=40), st.text(max_size=20), st.text(max_size=20))
def test_no_text_keeps_a_secret_that_it_held(secret: str, before: str, after: str) -> None:
    """Whatever its characters mean elsewhere."""
    redactor = Redactor()
    redactor.add("NAME", secret)
    text = redactor.text(before + secret + after)
    assert secret not in text.replace("[secret NAME]", "")


@pytest.mark.parametrize(
    ("action", "name", "known", "stored"),
    [
        (a.Fill(id="I1", value="hunter22"), "PASSWORD", True, {"type": "fill", "id": "I1", "value": {"secret": "PASSWORD"}}),
        (a.Fill(selector="#a", value="Ada"), None, False, {"type": "fill", "selector": "#a", "value": None}),
        (a.Fill(id="I1", value=SECRET), None, True, {"type": "fill", "id": "I1", "value": {"secret": "PASSWORD"}}),
        (a.MultiFactorFill(id="I1", value="123456"), None, True,
         {"type": "multi_factor_fill", "id": "I1", "value": {"secret": "ONE_TIME_CODE"}}),
        (a.PressKey(id="I1", key="h"), "PASSWORD", True, {"type": "press_key", "id": "I1", "key": {"secret": "PASSWORD"}}),
        (a.PressKey(id="I1", key="Enter"), "PASSWORD", True, {"type": "press_key", "id": "I1", "key": "Enter"}),
        (a.FormFill(value={"email": "a@b.c", "cc_number": "4111"}), None, True,
         {"type": "form_fill", "value": {"email": "a@b.c", "cc_number": {"secret": "CC_NUMBER"}}}),
        (a.Check(id="B1"), None, True, {"type": "check", "id": "B1", "value": True}),
        (a.Goto(url=f"http://x/?q={SECRET}"), None, True, {"type": "goto", "url": "http://x/?q=[secret PASSWORD]"}),
        (a.Fill(id="I1", value="Ada", clear_before_fill=False), None, True,
         {"type": "fill", "id": "I1", "value": "Ada", "clear_before_fill": False}),
    ],
)  # fmt: skip
def test_an_action_is_written_down_without_its_secrets(
    redactor: Redactor, action: a.Action, name: str | None, known: bool, stored: dict[str, Any]
) -> None:
    """Design: the step holds `{secret: NAME}`; what nobody has looked at yet holds None; defaults are left out."""
    assert write_down(action, redactor, name=name, known=known) == stored
