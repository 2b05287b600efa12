"""What repeating a step would do outside again."""

from collections.abc import Callable

import pytest

from notte_mcp.records import StepRecord
from notte_mcp.workflows import generalise
from notte_mcp.workflows.effects import effect_of
from tests.workflows.recording import SPEC, Recording, button, element, textbox

SHOP = "http://shop.test"
PASSWORD = element("I2", "password", "Password")
ORDER = "POST http://shop.test/orders"


def start() -> Recording:
    """A page that has just been opened."""
    return Recording().goto(SHOP)


def login(recording: Recording) -> Recording:
    """A name and a password typed."""
    return recording.fill(textbox("I1", "User"), "ada").fill(PASSWORD, {"secret": "PASSWORD"})


ENTER = {"type": "press_key", "key": "Enter"}
SEARCH = {"type": "fill", "id": "I1", "value": "lamp", "press_enter": True}
CASES: dict[str, tuple[Callable[[], Recording], str]] = {
    "what was sent": (lambda: start().click(button("B1", "Go"), sent=(ORDER,)), f"sends {ORDER}"),
    "what a key sent": (lambda: start().add(ENTER, sent=(ORDER,)), f"sends {ORDER}"),
    "at most two are named": (
        lambda: start().click(button("B1", "Go"), sent=(ORDER, ORDER, "PUT http://a.test/", "DELETE http://b.test/")),
        f"sends {ORDER}, PUT http://a.test/ and 1 more",
    ),
    "asking is not sending": (lambda: start().click(button("B1", "Go"), sent=("GET http://a.test/",)), ""),
    "an address only looks": (lambda: Recording().add({"type": "goto", "url": SHOP}, to=SHOP, sent=(ORDER,)), ""),
    "a button called like a payment": (lambda: start().click(button("B1", "Pay now")), 'may submit "Pay now"'),
    "a word within another is none": (lambda: start().click(button("B1", "Display payload")), ""),
    "a button that asked for a page and sent nothing": (
        lambda: start().click(button("B1", "Order now"), to=f"{SHOP}/order", status=200),
        "",
    ),
    "nor does Enter that only asked for one": (
        lambda: start().add(SEARCH, textbox("I1", "Title"), to=f"{SHOP}/made", status=404),
        "",
    ),
    "a page that was sent for is an effect with any answer": (
        lambda: start().click(button("B1", "Next"), to=f"{SHOP}/x", status=200, sent=(ORDER,)),
        f"sends {ORDER}",
    ),
    "a tab of its own may have been sent": (
        lambda: start().click(button("B1", "Pay now"), new_tab=1, status=None),
        'may submit "Pay now"',
    ),
    "a link that deletes": (lambda: start().click(element("L1", "link", "Delete")), 'may submit "Delete"'),
    "a link to orders only looks": (lambda: start().click(element("L1", "link", "Order history"), to=SHOP + "/o"), ""),
    "a button that led on": (lambda: start().click(button("B1", "Done"), to=f"{SHOP}/x"), 'may submit "Done"'),
    "a button that leads on by its name": (lambda: start().click(button("B1", "Next"), to=f"{SHOP}/x"), ""),
    "a search leads to an address that holds it": (
        lambda: start().add(SEARCH, textbox("I1", "Search"), to=f"{SHOP}/?q=lamp"),
        "",
    ),
    "Enter that led elsewhere": (
        lambda: start().add(SEARCH, textbox("I1", "Title"), to=f"{SHOP}/made"),
        'may submit "Title"',
    ),
    "a login is none": (lambda: login(start()).click(button("B1", "Log in"), to=f"{SHOP}/in", sent=(ORDER,)), ""),
    "nor by Enter in the password": (
        lambda: start().fill(PASSWORD, {"secret": "P"}, press_enter=True),
        "",
    ),
    "a login on another page is over": (
        lambda: login(start()).goto(SHOP + "/x").click(button("B1", "Continue"), sent=(ORDER,)),
        f"sends {ORDER}",
    ),
    "a form with many fields is no login": (
        lambda: (
            login(start())
            .fill(textbox("I3", "Street"), "Main")
            .fill(textbox("I4", "City"), "Oslo")
            .click(button("B1", "Continue"), sent=(ORDER,))
        ),
        f"sends {ORDER}",
    ),
    "a payment with a password is no login": (
        lambda: login(start()).click(button("B1", "Pay now"), sent=(ORDER,)),
        f"sends {ORDER}",
    ),
    "typing does nothing outside": (lambda: start().fill(textbox("I1", "Order"), "x"), ""),
    "nor does looking": (lambda: start().add({"type": "hover", "id": "B1"}, button("B1", "Delete")), ""),
}


@pytest.mark.parametrize("case", CASES)
def test_the_effect_of_a_step_is_told_in_words(case: str) -> None:
    """Ours: by what was sent, else by what it is called and where it led."""
    record, expected = CASES[case]
    steps: list[StepRecord] = record().steps

    assert effect_of(steps[-1], steps[:-1]) == expected
    assert generalise(steps, SPEC).steps[-1].effect == expected
