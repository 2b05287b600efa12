"""Numbers in names: open where they are clearly data, as they stand everywhere else."""

import re

import pytest

from notte_mcp.receipts import Locators
from notte_mcp.records import receipt_from_json, receipt_to_json
from notte_mcp.workflows import Workflow, dump, generalise, load, numbers, write
from notte_mcp.workflows.acting import ways
from tests.workflows.recording import SPEC, Recording, button, element, textbox

HOME = "http://shop.test"
PAY = element("B1", "button", "Pay order 5001", role=("button", "Pay order 5001"), numbered=True, css="#pay")


def paid(recording: Recording | None = None) -> Workflow:
    """An order is paid whose number is in the button's name."""
    return generalise((recording or Recording().goto(HOME)).click(PAY).steps, SPEC)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Pay order 5001", r"^Pay order \d+$"),
        ("Order PR-1042 (open)", r"^Order PR-\d+ \(open\)$"),
        ("#1042 is open.", r"^#\d+ is open\.$"),
        ("Basket (3)", r"^Basket \(\d+\)$"),
        ("Order 77001 of 2024", r"^Order \d+ of 2024$"),
    ],
)
def test_a_number_that_is_data_is_open(name: str, expected: str) -> None:
    """Ours: counts, and long numbers that nothing says are fixed."""
    found = Locators(role=("link", name), numbered=True)
    assert numbers.settled(found, []) == found
    assert numbers.regex(name) == expected
    assert re.search(expected, name)


@pytest.mark.parametrize(
    "name",
    [
        "Page 2", "Page 101", "5001", "3 items", "Annual report 2024", "Express (11.90 €)", "USD 250 more", "Due 2026-11-22",
        "Phone with 256 GB", "At 12:300", "Invoice 1,042", "Call 044 123 45 67", "Form 1040", "Remove (12) now", "A100 card",
        "100% cotton", "Rows 100-200", "Path a/100",
    ],
)  # fmt: skip
def test_any_other_number_stays_as_it_is(name: str) -> None:
    """Ours: paging, years, prices, dates, measures, and what is called by its number."""
    found = numbers.settled(Locators(role=("link", name), numbered=True), [])
    assert found is not None
    assert not found.numbered


def test_every_script_finds_the_element_with_any_number() -> None:
    """Playwright's own forms for it; a run falls back on the recorded number, where several have one."""
    workflow = paid()
    for target in ("playwright", "pytest"):
        code = write(workflow, target=target).code
        assert 'page.get_by_role("button", name=re.compile(r"^Pay order \\d+$")).click()' in code
        assert "\nimport re\n" in code
    for target in ("notte", "json"):
        assert r"role=button[name=/^Pay order \\d+$/]" in write(workflow, target=target).code
    found = load(dump(workflow)).steps[-1].locators
    assert found is not None
    assert [(way.selector, way.steady) for way in ways(found)][:2] == [
        (r"role=button[name=/^Pay order \d+$/]", True),
        ('role=button[name="Pay order 5001"]', True),
    ]


def test_a_number_that_was_typed_is_not_open() -> None:
    """Ours: it is a parameter, or what belongs to one."""
    named = paid(Recording().goto(HOME).fill(textbox("I1", "Number"), "5001")).steps[-1]
    short = generalise(
        Recording().goto(HOME).fill(textbox("I1", "Sum"), "500").click(
            element("B2", "button", "Give 500", role=("button", "Give 500"), numbered=True)
        ).steps, SPEC
    ).steps[-1]  # fmt: skip
    assert named.called is not None
    assert [step.locators is not None and step.locators.numbered for step in (named, short)] == [False, False]


def test_nothing_in_a_name_ends_a_selector() -> None:
    """A page says what names are."""
    assert numbers.as_literal("\"Say\" 'it' >> `a/b` 7001") == r"/^\x22Say\x22 \x27it\x27 \x3e\x3e \x60a\x2fb\x60 \d+$/"


def test_a_record_keeps_that_a_name_is_the_elements_own_with_any_number() -> None:
    """There and back; records of before have none."""
    receipt = Recording().goto(HOME).click(PAY).steps[-1].receipt
    assert receipt is not None
    assert receipt_from_json(receipt_to_json(receipt)) == receipt
    plain = Recording().goto(HOME).click(button("B2", "Go")).steps[-1].receipt
    assert plain is not None
    assert "numbered" not in str(receipt_to_json(plain))
