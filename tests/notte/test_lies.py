"""What a page says of itself may be any JSON: it is of its question's form, or it is no answer."""

import json
import re
from typing import Any

import pytest

from notte_mcp.engines.notte.answers import Hush
from notte_mcp.engines.notte.probing import Probe
from notte_mcp.engines.notte.telling import told
from notte_mcp.engines.notte.traffic import _entries  # pyright: ignore[reportPrivateUsage]

pytestmark = pytest.mark.anyio

PLACE: dict[str, Any] = {
    "document": "d1", "url": "https://shop.test/", "title": "Shop", "ready": "complete", "status": 200,
    "view": [800, 600.5],
}  # fmt: skip
FACTS: dict[str, Any] = {
    "key": 1, "tag": "input", "role": "textbox", "name": "Name", "secret": False, "editable": "text", "value": "Ada",
    "caret": [0, 3], "filled": False, "writable": True, "checked": None, "disabled": False, "box": [1, 2.5, 3, 4],
    "ways": {"css": "#name", "xpath": None, "frame": [], "shadow": False}, "more": "of no form",
}  # fmt: skip
LIES: list[dict[str, Any]] = [
    {"box": [1]}, {"box": "left"}, {"box": [1, 2, 3, float("nan")]}, {"ways": {}}, {"ways": None}, {"key": "a"},
    {"key": 10**400}, {"key": 0}, {"caret": [{}, {}]}, {"value": {}}, {"secret": None}, {"role": ["x"]},
    {"ways": FACTS["ways"] | {"role": ["x"]}}, {"ways": FACTS["ways"] | {"frame": [1]}},
]  # fmt: skip


def test_an_answer_of_its_form_is_taken_without_the_rest() -> None:
    """Half a character, which a page may cut a text to, is replaced."""
    answer = told("spot", {"point": [1, 2]}, PLACE | {"element": FACTS | {"value": "\ud83d"}, "control": True})
    assert answer is not None
    assert answer["element"] == {name: value for name, value in FACTS.items() if name != "more"} | {
        "value": "?", "caret": (0, 3), "box": (1, 2.5, 3, 4)
    }  # fmt: skip


@pytest.mark.parametrize("lie", LIES)
def test_a_lie_about_an_element_is_no_answer(lie: dict[str, Any]) -> None:
    """Whichever part of it: nothing of it is used."""
    assert told("spot", {}, PLACE | {"element": FACTS | lie, "control": True}) is None
    assert told("facts", {"keys": [1]}, PLACE | {"found": [FACTS | lie]}) is None


def test_an_answer_about_fewer_elements_than_were_asked_is_none() -> None:
    """Each question names how many."""
    assert told("facts", {"keys": [1, 2]}, PLACE | {"found": [None]}) is None
    assert told("look", {"sets": []}, PLACE | {"found": [], "headings": []}) is not None
    assert told("spot", {}, PLACE | {"element": None}) is None


async def test_what_a_page_learned_of_one_document_is_of_no_use_in_the_next() -> None:
    """Each has a name and a word of its own; a function of the old name that answers with another word is not heard."""
    ran: list[str] = []
    answers: list[Any] = []

    async def run(code: str) -> Any:
        ran.append(code)
        if answers:
            return answers.pop(0)
        name, document = re.findall(r'by = "(\w+)"', code)[0], re.findall(r'\("(\w+)"\)', code)[-1]
        return {"by": name, "answer": PLACE | {"document": document, "element": None}}

    probe = Probe(run)
    first = await probe.ask("place")
    assert first is not None
    name = re.findall(r'by = "(\w+)"', ran[0])[0]
    answers.append({"by": name, "answer": PLACE | {"document": "guessed", "element": None}})
    second = await probe.ask("place")
    assert second is not None
    assert len(ran) == 3
    assert name not in ran[2]
    assert len({first["document"], second["document"], "guessed"}) == 3
    answers.append({"by": name, "answer": PLACE | {"document": first["document"], "element": None}})
    assert await probe.ask("place") == first, "a tab that is gone back to"


def test_what_is_nested_too_deep_is_neither_told_nor_a_fault() -> None:
    """A server says what it likes."""
    deep = '{"a":' * 900 + "1" + "}" * 900
    assert _entries(deep.encode()) is None
    assert _entries(b'{"a": [{"b": 1}]}') == [{"a": [{"b": 1}]}]
    hushed = json.dumps(Hush("a-secret-key").value(json.loads(deep.replace("1}", '"a-secret-key"}'))))
    assert "a-secret-key" not in hushed
