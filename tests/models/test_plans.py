"""Plans: answers that name elements by role and name, and the files that hold them."""

import json
from pathlib import Path
from typing import Any

import pytest

from notte_mcp.errors import ModelRefused, ModelUnknown
from notte_mcp.models.base import ChatRequest, Message
from notte_mcp.models.plans import MAX_PLAN_BYTES, Plan, filled, read_plan
from notte_mcp.observations import Node, Observation
from notte_mcp.page_text import page

PAGE = page(
    Observation(
        url="http://127.0.0.1/form",
        title="Permit",
        tabs=(),
        mode="actions",
        view=3,
        nodes=(
            Node("g", "group", "form", "Permit request"),
            Node("a", "element", "textbox", "Applicant", "I1", 1, states=("required",)),
            Node("d", "element", "combobox", "District", "I4", 1, value="North", options=("North", "South")),
            Node("q", "element", "button", 'Say "yes"', "B9", 1),
            Node("s", "element", "button", "Send request", "B4", 1),
            Node("t", "text", "", 'B7 button "Send request"', None, 1),
            Node("r1", "element", "link", "Soap", "L1", 1, row="1"),
            Node("r2", "element", "button", "Add", "B11", 1, row="1"),
            Node("r3", "element", "link", "Sponge", "L2", 1, row="2"),
            Node("r4", "element", "button", "Add", "B13", 1, row="2"),
            Node("r5", "element", "link", "Rope", "L3", 1, row="3"),
            Node("r6", "element", "button", "Add", "B14", 1, states=("disabled",), row="3"),
            Node("r7", "element", "link", "Salt", "L4", 1, row="4"),
            Node("r8", "element", "button", "Sold out", "B15", 1, row="4"),
            Node("s2", "element", "button", "Send request", "B12", 1),
        ),
    )
)


def asked(*texts: str) -> ChatRequest:
    """A request whose messages alternate, a user's first."""
    roles = ("user", "assistant")
    return ChatRequest("system", tuple(Message(roles[n % 2], text) for n, text in enumerate(texts)))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("written", "means"),
    [
        ('{{button "Send request"}}', "B4"),
        ("{{button 'Send request'}}", "B4"),
        ('{{ button  "Send request" }}', "B4"),
        ('{{button "Send request" 1}}', "B4"),
        ('{{button "Send request" 2}}', "B12"),
        ('{{button "Say \\"yes\\""}}', "B9"),
        ("{{button 'Say \"yes\"'}}", "B9"),
        ('{{combobox "District"}}', "I4"),
        ('{{link "Soap"}}', "L1"),
        ('{{button "Add"}}', "B11"),
        ('{{link "Sponge"}}', "L2"),
        ('{{link "Rope"}}', "L3"),
        ('{{button "Add" 2}}', "B13"),
        ('{{button "Add" 3}}', "B14"),
        ('{{button "Sold out"}}', "B15"),
        ('press {{textbox "Applicant"}} then {{button "Add"}}', "press I1 then B11"),
    ],
)
def test_an_element_named_by_role_and_name_becomes_its_id(written: str, means: str) -> None:
    """Wherever it stands in the page's text: alone, in a row, twice; a text that only looks like a line is none."""
    assert filled(written, asked(PAGE)) == means


def test_elements_are_filled_in_anywhere_in_an_answer() -> None:
    """Strings at any depth; other values and the answer itself stay as they are."""
    plan: dict[str, Any] = {
        "thought": "t",
        "actions": [{"type": "drag", "id": '{{link "Soap"}}', "to_id": '{{button "Add"}}', "n": 1}],
    }
    assert filled(plan, asked(PAGE)) == {
        "thought": "t",
        "actions": [{"type": "drag", "id": "L1", "to_id": "B11", "n": 1}],
    }
    assert "Soap" in plan["actions"][0]["id"]


def test_the_page_of_these_tests_leaves_out_what_repeats() -> None:
    """Else they would not try it."""
    assert '- L2 "Sponge" · B13' in PAGE
    assert "B14 disabled" in PAGE


@pytest.mark.parametrize("text", ["{{SECRET_CODE}}", "{{ nothing }}", '{"a": {"b": 1}}', "plain"])
def test_what_is_no_placeholder_of_ours_stays(text: str) -> None:
    """A secret's placeholder among them: who fills a field replaces that one."""
    assert filled(text, asked(PAGE)) == text


@pytest.mark.parametrize(
    "written", ['{{button "Send"}}', '{{link "Send request"}}', '{{button "Send request" 3}}', '{{button "Add" 0}}']
)
def test_an_element_that_is_not_on_the_page_is_refused_by_name(written: str) -> None:
    """A plan that does not fit its page says so, instead of pressing something else."""
    with pytest.raises(ModelRefused, match="the page that the model was shown has none") as caught:
        filled(written, asked(PAGE))
    assert written.split('"')[1] in caught.value.what


def test_the_last_message_that_has_the_element_counts_and_only_a_users() -> None:
    """Ids live as long as their elements: an earlier page still names what a complaint pushed aside."""
    old, new = 'B1 button "Go"', 'B2 button "Go"'
    assert filled('{{button "Go"}}', asked(old, "answer", new, 'B3 button "Go"')) == "B2"
    assert filled('{{button "Go"}}', asked(old, "answer", "That was no JSON.")) == "B1"


def test_a_plan_is_a_list_of_answers_or_an_object_with_more(tmp_path: Path) -> None:
    """The two forms of the file."""
    file = tmp_path / "plan.json"
    file.write_text(json.dumps(["text", {"actions": []}]))
    assert read_plan(file) == Plan(("text", {"actions": []}))
    file.write_text(json.dumps({"answers": ["a"], "delay_s": 0.5, "repeat_last": True}))
    assert read_plan(file) == Plan(("a",), delay_s=0.5, repeat_last=True)


@pytest.mark.parametrize(
    "content",
    [
        "root:x:0:0",
        "{}",
        "31415926",
        '{"answers": 3}',
        '{"answers": [], "speed": 2}',
        '{"answers": [], "delay_s": "x"}',
        "[" * 100_000,
    ],
)
def test_a_file_that_is_no_plan_is_told_without_its_content(tmp_path: Path, content: str) -> None:
    """Any path may be asked for, so nothing of a file that is none comes out."""
    file = tmp_path / "plan.json"
    file.write_text(content)
    with pytest.raises(ModelUnknown, match=r"plan\.json") as caught:
        read_plan(file)
    assert content[:8] not in caught.value.what


def test_a_file_that_is_absent_too_large_or_a_folder_is_no_plan(tmp_path: Path) -> None:
    """Each with its reason."""
    large = tmp_path / "large.json"
    large.write_text("[" + " " * MAX_PLAN_BYTES + "]")
    for path, why in ((tmp_path / "none.json", "FileNotFound"), (large, "larger"), (tmp_path, "cannot be read")):
        with pytest.raises(ModelUnknown, match=why):
            read_plan(path)
