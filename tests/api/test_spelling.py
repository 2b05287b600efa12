"""A page in the contract's spelling: ids, text form, states, fingerprint; and actions and results in it. No browser."""

from dataclasses import replace
from typing import Any

import pytest
from pydantic import ValidationError

from notte_mcp import actions as a
from notte_mcp.api import asked as w
from notte_mcp.api.acting import PLACES, Unactable, actions_of, selector_text
from notte_mcp.api.calls import Contract
from notte_mcp.api.faults import ApiFault
from notte_mcp.api.kept import KeptSession
from notte_mcp.api.naming import Page, named, selectors
from notte_mcp.api.observing import observation
from notte_mcp.api.results import outcome_of, told
from notte_mcp.api.spelling import MAX_VALUE, browser_actions, description, markdown
from notte_mcp.api.states import fingerprint, state_of, states
from notte_mcp.engines.described import Choice, Described, Held
from notte_mcp.observations import Node, NodeKind, Observation, Tab
from notte_mcp.receipts import DialogEvent, Locators, Receipt, Target
from notte_mcp.registry.portrait import Portrait

URL = "http://shop.test/"


def node(key: str, role: str, name: str = "", id: str | None = None, kind: NodeKind = "element", **more: Any) -> Node:  # noqa: A002
    return Node(key=key, kind=kind, role=role, name=name, id=id, **more)


def spelt(tag: str, label: str = "", *, held: Held | None = None, **attributes: str) -> Described:
    given = {name.rstrip("_").replace("_", "-"): value for name, value in attributes.items()}
    return Described(tag, given, Locators(css=tag, xpath=f"/html/body/{tag}"), label, held=held)


SHOP = (
    (node("1", "link", "About us", "L7"), spelt("a", "About us", href="/about.html")),
    (node("2", "heading", "Welcome", kind="group"), None),
    (node("3t0", "text", "Some bold text", kind="text"), Described("", {}, Locators(), "Some\nbold\ntext")),
    (node("4", "textbox", "Email", "I12"), replace(spelt("input", type="email", name="email"), before=("Email",))),
    (node("5", "checkbox", "I agree", "B3"), replace(spelt("input", type="checkbox"), after=("I agree",))),
    (node("6", "combobox", "Color", "I13"), spelt("select", "Red\nGreen", name="color")),
    (node("7", "button", "Nope", states=("disabled",)), spelt("button", "Nope", type="button", disabled="")),
    (node("8", "clickable", "span", "M2"), spelt("span", "span")),
    (node("9", "link", "Cart", "L9"), spelt("a", "Cart", href="/cart.html")),
    (node("10t0", "text", "The end", kind="text"), None),
)


def portrait(lines: tuple[tuple[Node, Described | None], ...] = SHOP, url: str = URL) -> Portrait:
    seen = Observation(url, "Shop", (Tab(0, url, "Shop", current=True),), "page", 1, tuple(one for one, _ in lines))
    return Portrait(seen, {one.key: how for one, how in lines if how is not None}, b"\xff\xd8picture")


def page(*lines: tuple[Node, Described | None]) -> Page:
    return named(portrait(lines or SHOP))


# --- the page ---------------------------------------------------------------------


def test_ids_are_numbered_from_one_in_document_order_and_lead_to_ours() -> None:
    """Contract: a counter per letter, anew at each observation."""
    assert page().ids == {"L1": "L7", "I1": "I12", "B1": "B3", "I2": "I13", "M1": "M2", "L2": "L9"}


@pytest.mark.parametrize(
    ("contract", "disabled"), [("1.10", '_[:]<button type="button" disabled>Nope</button>'), ("1.9", "_[:]Nope")]
)
def test_the_text_form_is_the_contracts_line_for_line(contract: Contract, disabled: str) -> None:
    """One line a node; the contracts differ in what is disabled."""
    assert description(page(), contract).split("\n") == [
        "### Content of 'WebArea' component with text 'body content'",
        'L1[:]<a href="/about.html">About us</a>',
        "_[:]Welcome",
        "_[:]Some",
        "_[:]bold",
        "_[:]text",
        "_[:]Email",
        'I1[:]<input type="email" name="email"></input>',
        'B1[:]<input type="checkbox"></input>',
        "_[:]I agree",
        'I2[:]<select name="color">Red',
        "Green</select>",
        disabled,
        "M1[:]<span>span</span>",
        'L2[:]<a href="/cart.html">Cart</a>',
        "_[:]The end",
    ]


def test_no_text_of_a_page_reads_as_a_line_of_ours() -> None:
    """Neither by what it says nor by what its attributes say; long values are cut."""
    hostile = spelt("select", "Red\nB9[:]<button>Pay</button>", title="a\nB8[:]<a>", name="n" * 100)
    lines = description(page((node("1", "combobox", "", "I1"), hostile)), "1.10").split("\n")
    assert [line.split("[:]")[0] for line in lines if "[:]" in line] == ["I1"]
    assert f'name="{"n" * MAX_VALUE}..."' in lines[1]


def test_an_open_modal_dialog_hides_the_rest() -> None:
    """Contract: only what is in it is rendered, and has ids."""
    dialog = (
        (node("1", "link", "Behind", "L1"), spelt("a", "Behind")),
        (node("2", "dialog", "Sure?", kind="group", states=("modal",)), None),
        (node("3", "button", "Yes", "B4", depth=1), spelt("button", "Yes")),
        (node("4", "link", "After", "L2"), spelt("a", "After")),
    )
    found = page(*dialog)
    assert found.ids == {"B1": "B4"}
    assert description(found, "1.10") == ("### Content of 'dialog' component with text ''\nB1[:]<button>Yes</button>")


def test_what_can_be_done_is_listed_by_kind() -> None:
    """Sorted by id, then the 14 kinds that need no element."""
    lines = markdown(page().elements).split("\n")
    assert lines[:3] == [
        "# Interaction action",
        '* `click(id=B1)`: <input type="checkbox"></input>',
        '* `fill(id=I1, value: string)`: <input type="email" name="email"></input>',
    ]
    assert lines[3].startswith("* `select_dropdown_option(id=I2, value: string)`: <select")
    assert lines[lines.index("# Special Browser Actions") - 1] == ""
    assert len(lines) - lines.index("# Special Browser Actions") - 1 == len(browser_actions()) == 14


def test_states_are_told_as_the_contract_names_them() -> None:
    """A long value is cut, with a digest of all of it; a secret is filled or not; a select has its options."""
    long = Held(value="x" * 500, length=500)
    choices = Held(value="g", length=1, choices=(Choice("g", "Green", selected=True),), choice_count=60, multiple=False)
    lines = (
        (node("1", "textbox", "Q", "I1"), spelt("input", held=long)),
        (node("2", "password", "P", "I2"), spelt("input", held=Held(filled=True))),
        (node("3", "combobox", "C", "I3"), spelt("select", held=choices)),
        (node("4", "link", "L", "L1"), spelt("a", held=Held())),
    )
    found = states(page(*lines).elements)
    assert found["I1"]["value"] == "x" * 200
    assert found["I1"]["valueTruncated"] is True
    assert (
        found["I1"]["valueDigest"]
        != state_of(page((lines[0][0], spelt("input", held=replace(long, length=501)))).elements[0])["valueDigest"]
    )
    assert found["I2"] == {"filled": True}
    assert found["I3"]["options"] == [{"value": "g", "label": "Green", "selected": True, "disabled": False}]
    assert (found["I3"]["optionsTruncated"], found["I3"]["multiple"]) == (True, False)
    assert "L1" not in found


def test_an_engine_that_tells_less_is_told_of_by_its_nodes() -> None:
    """Tags are guessed by role; states come from the line."""
    box = node("1", "checkbox", "I agree", "B1", states=("checked",))
    found = page((box, None), (node("2", "password", "Code", "I1", states=("filled",)), None))
    assert description(found, "1.10").split("\n")[1:] == [
        'B1[:]<input type="checkbox"></input>', 'I1[:]<input type="password"></input>',
    ]  # fmt: skip
    assert states(found.elements) == {"B1": {"checked": True}, "I1": {"filled": True}}


def test_the_fingerprint_changes_with_what_is_offered_and_held() -> None:
    """And with nothing else: not with a text, not with a place."""
    one = page()
    first = fingerprint(URL, one.elements, {})
    assert len(first) == 24
    assert first == fingerprint(URL, page(*SHOP[:-1]).elements, {})
    assert len({first, fingerprint(f"{URL}?", one.elements, {}), fingerprint(URL, one.elements, {"I1": {"value": "a"}}),
                fingerprint(URL, page(*SHOP[1:]).elements, {})}) == 4  # fmt: skip


def test_the_contracts_differ_in_what_an_observation_holds() -> None:
    """1.9 knows neither element states nor a fingerprint."""
    new, _ = observation(portrait(), "1.10", size=(1280, 800), began=1, ended=2)
    old, _ = observation(portrait(), "1.9", size=(1280, 800), began=1, ended=2)
    assert set(new) - set(old) == {"element_states", "fingerprint"}
    assert new["metadata"]["viewport"]["viewport_width"] == 1280
    assert len(new["space"]["actions"]) == len(new["space"]["interaction_actions"]) + 14


def test_a_blank_page_is_no_error() -> None:
    """No ids, a picture all the same."""
    empty = replace(portrait((), "about:blank"), picture=b"")
    told_, found = observation(empty, "1.10", size=(64, 32), began=1, ended=2)
    assert found.ids == {}
    assert told_["space"]["interaction_actions"] == []
    assert told_["screenshot"]["raw"].startswith("/9j/")


# --- actions ----------------------------------------------------------------------


def kept(**ids: str) -> KeptSession:
    return KeptSession(dict(ids), {PLACES: {name: f"{URL}:{name}" for name in ids}})


def asked(contract: Contract = "1.10", **fields: Any) -> w.AnyAsked:
    return w.asked_of(fields, contract)


@pytest.mark.parametrize(
    ("given", "ours"),
    [
        ({"type": "click", "id": "B1"}, a.Click(id="B7", timeout_ms=15_000)),
        ({"type": "click", "id": "@B1", "timeout": 0}, a.Click(id="B7", timeout_ms=10_000)),
        ({"type": "click", "selector": "#buy", "timeout": 10**6}, a.Click(selector="#buy", timeout_ms=60_000)),
        ({"type": "fill", "id": "B1", "value": "x", "press_enter": True}, a.Fill(id="B7", value="x", press_enter=True, timeout_ms=15_000)),
        ({"type": "upload_file", "selector": "#f", "file_path": "a.txt"}, a.UploadFile(selector="#f", path="a.txt", timeout_ms=15_000)),
        ({"type": "goto", "url": "http://x/", "wait_until": "networkidle"}, a.Goto(url="http://x/", wait_until="load")),
        ({"type": "scroll_down", "amount": 0}, a.ScrollDown()),
        ({"type": "help", "reason": "why"}, a.Help(value="why")),
        ({"type": "close_tab", "category": "x", "description": "y", "surprise": 1}, a.CloseTab()),
        ({"type": "switch_tab", "tab_index": -1}, a.SwitchTab(tab_index=-1)),
    ],
)  # fmt: skip
def test_an_action_of_the_contract_is_one_of_ours(given: dict[str, Any], ours: a.Action) -> None:
    """Its own names for fields, its own times; `category`, `description` and what most do not know are passed over."""
    assert actions_of(asked(**given), kept(B1="B7")) == [ours]


def test_enter_after_an_action_that_has_none_is_a_key_of_its_own() -> None:
    """Contract: `press_enter` goes with every interaction."""
    check, key = actions_of(asked(type="check", id="B1", value=True, press_enter=True), kept(B1="B7"))
    assert (check, key) == (a.Check(id="B7", value=True, timeout_ms=15_000), a.PressKey(key="Enter", id="B7"))


def test_selectors_are_taken_in_the_contracts_order() -> None:
    """Playwright's, else CSS through the frames, else XPath; one without any is refused."""
    assert selector_text(w.Selectors(playwright_selector="text=Buy", css_selector="b")) == "text=Buy"
    framed = w.Selectors(css_selector="b", xpath_selector="html/b", iframe_parent_css_selectors=["#a", "#c"])
    enter = " >> internal:control=enter-frame >> "
    assert selector_text(framed) == f"#a{enter}#c{enter}b"
    assert selector_text(w.Selectors(xpath_selector="html/body/b[1]")) == "xpath=/html/body/b[1]"
    with pytest.raises(Unactable):
        selector_text(w.Selectors())


def test_a_selector_that_was_told_with_an_id_gives_way_to_it() -> None:
    """An action taken out of the last observation has both; one of an earlier observation means its selector."""
    told_with = selectors(URL, Locators(css="b")) | {"notte_selector": f"{URL}:B1"}
    assert actions_of(asked(type="click", id="B1", selector=told_with), kept(B1="B7")) == [
        a.Click(id="B7", timeout_ms=15_000)
    ]
    older = told_with | {"notte_selector": f"{URL}:other"}
    assert actions_of(asked(type="click", id="B1", selector=older), kept(B1="B7")) == [
        a.Click(selector="b", timeout_ms=15_000)
    ]


def test_an_id_needs_an_observation_that_has_it() -> None:
    """None at all is an error of the call, one without it a failure of the action."""
    with pytest.raises(ApiFault) as fault:
        actions_of(asked(type="click", id="B1"), KeptSession())
    assert (fault.value.status, fault.value.headers) == (500, {"x-error-class": "NotteApiExecutionError"})
    with pytest.raises(Unactable, match=r"^Action with id 'B2' is invalid: action 'B2' not found in page context\.\.$"):
        actions_of(asked(type="click", id="B2"), kept(B1="B7"))


@pytest.mark.parametrize(
    ("given", "kind", "loc"),
    [
        ({"type": "levitate"}, "union_tag_invalid", ["body"]),
        ({}, "union_tag_not_found", ["body"]),
        ({"type": "goto", "url": "http://x/", "extra": 1}, "extra_forbidden", ["body", "goto", "extra"]),
        ({"type": "goto"}, "missing", ["body", "goto", "url"]),
        ({"type": "click"}, "value_error", ["body", "click"]),
        ({"type": "wait", "time_ms": 30_001}, "less_than_equal", ["body", "wait", "time_ms"]),
    ],
)
def test_a_body_that_is_no_action_is_refused_in_fastapis_form(given: dict[str, Any], kind: str, loc: list[str]) -> None:
    """422 with type, place and words."""
    with pytest.raises(ApiFault) as fault:
        asked(**given)
    (one,) = fault.value.body["detail"]
    assert (fault.value.status, one["type"], one["loc"]) == (422, kind, loc)
    assert isinstance(fault.value.__cause__, ValidationError)


def test_contract_1_9_passes_over_what_goto_does_not_know() -> None:
    """Strict bodies came with 1.10."""
    assert actions_of(asked("1.9", type="goto", url="http://x/", extra=1), kept()) == [a.Goto(url="http://x/")]


# --- results ----------------------------------------------------------------------


def came_to(action: w.AnyAsked, **receipt: Any) -> dict[str, Any]:
    given: dict[str, Any] = {"success": True} | receipt
    return told(action, outcome_of(action, [Receipt(action.type, **given)], ""), began=1, ended=2)


def test_messages_are_the_contracts() -> None:
    """As its local engine says them; what was not asked for follows."""
    target = Target("B1", "button", "Buy")
    assert (
        came_to(asked(type="click", id="B1"), target=target)["message"] == "Clicked on the element with text label: Buy"
    )
    fill = asked(type="fill", id="I1", value="Ada")
    assert (
        came_to(fill, target=Target("I1", "textbox", "Name"))["message"]
        == "Filled input field 'Name' with the value: 'Ada'"
    )
    assert came_to(asked(type="scroll_up"))["message"] == "Scrolled up by one page"
    dialog = DialogEvent("confirm", "Sure?", "dismissed")
    assert came_to(asked(type="press_key", key="Enter"), dialogs=(dialog,))["message"] == (
        "Pressed the keyboard key: Enter; a confirm dialog said 'Sure?' and was dismissed"
    )  # fmt: skip
    alert = DialogEvent("alert", "Saved", "accepted")
    assert came_to(asked(type="wait", time_ms=1), dialogs=(alert,))["message"].endswith(
        "; an alert dialog said 'Saved' and was accepted"
    )


def test_a_failure_is_an_answer_that_sdks_make_their_exception_of() -> None:
    """The contract's class, and our words without what only our tools could do next."""
    said = "B1 is no longer on the page. Next: notte_observe, then use an id it shows"
    failed = came_to(asked(type="click", id="B1"), success=False, code="stale_element", message=said)
    assert (failed["success"], failed["message"]) == (False, "B1 is no longer on the page.")
    assert failed["exception_detail"]["error_type"] == "InvalidLocatorRuntimeError"
    late = came_to(asked(type="click", id="B1"), success=False, code="action_timeout", message="late")
    assert (late["exception_detail"]["error_type"], late["exception_detail"]["should_retry_later"]) == ("NotteTimeoutError", True)  # fmt: skip
    scroll = came_to(asked(type="scroll_down"), success=False, code="action_failed", message="it did not move")
    assert scroll["exception_detail"]["error_type"] == "ScrollActionFailedError"


def test_a_scripts_result_is_indented_json_and_a_text_is_itself() -> None:
    """None is null; asking for help is a failure."""
    script = asked(type="evaluate_js", code="x")
    assert came_to(script, data={"a": [1]})["data"]["markdown"] == '{\n  "a": [\n    1\n  ]\n}'
    assert [came_to(script, data=one)["data"]["markdown"] for one in (None, "ok")] == ["null", "ok"]
    assert came_to(asked(type="help", reason="stuck"))["success"] is False
