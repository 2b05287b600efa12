"""What a page or a person wrote stays text in a script, whatever it is."""

import ast
import json
from collections.abc import AsyncGenerator, Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from playwright.async_api import Page

from notte_mcp.receipts import Locators, Target
from notte_mcp.records import SessionSpec
from notte_mcp.workflows import Style, write_code
from notte_mcp.workflows import Target as Language
from notte_mcp.workflows.acting import ways
from notte_mcp.workflows.locators import locator, selector
from notte_mcp.workflows.source import comment, flat, quote
from tests.browsers import Browsers
from tests.workflows.recording import Recording, element

FORM = "http://h.test/form"
FORMS: list[tuple[Language, Style]] = [
    ("playwright", "sync"),
    ("playwright", "async"),
    ("notte", "sync"),
    ("notte", "async"),
]
NASTY = (
    '"""',
    "'''",
    "\\",
    '\\"',
    "a\nb\r\nc\tb",
    "\x00\x1b[31m\x07",
    "\u202eright to left\u2066",
    "\u2028\u2029\x85",
    "{name} {0} %s %(x)s $HOME `id`",
    '"); import os; os.system("id") #',
    "# -*- coding: utf-7 -*-",
    "名前 🎉 é",
    "x" * 500,
    "\ud800",
    "[secret PATH]",
)
TEXTS = st.one_of(st.sampled_from(NASTY), st.text(max_size=60))


def typable(text: str) -> str:
    """The text as an action may hold it: half a character is refused there, a page's name may have one."""
    return text.encode("utf-8", "replace").decode()


def hostile(text: str) -> Recording:
    """A recording in which this text stands wherever a text may come from outside."""
    known = Locators(
        role=("button", text), label=text, placeholder=text, text=text, css=text or "a", frame=(text or "f",)
    )
    target = Target("B1", "button", text, known)
    box = Target("I1", "textbox", text, Locators(placeholder=text or "p"))
    typed = typable(text)
    recording = Recording().goto(FORM + "?" + typed)
    recording.add({"type": "fill", "id": "I1", "value": typed}, box)
    recording.add({"type": "select_dropdown_option", "id": "I2", "value": typed}, element("I2", "combobox", text))
    recording.add({"type": "upload_file", "id": "I3", "path": typed or "f"}, element("I3", "file", text))
    recording.add({"type": "handle_dialog", "value": "accept", "answer": typed})
    recording.add({"type": "wait_for", "value": typed or "x"}).add({"type": "wait_for", "url": typed or "x"})
    recording.add({"type": "evaluate_js", "code": typed or "1"}, data=text)
    recording.add({"type": "press_key", "key": typed[:50] or "a"})
    recording.add({"type": "form_fill", "value": {"email": typed}})
    recording.add({"type": "scrape", "selector": typed, "instructions": typed}, data=text)
    recording.click(target, success=False, message=text)
    recording.add({"type": "fill", "id": "I4", "value": {"secret": text}}, element("I4", "password", text))
    return recording.click(target, to=FORM + "/" + text)


def constants(code: str) -> list[Any]:
    """Every literal of a script, joined ones joined."""
    return [node.value for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Constant)]


def nasty(test: Callable[[str], None]) -> Callable[[], None]:
    """The test with each of the nasty texts, and some that nobody thought of."""
    checked = given(st.text(max_size=60))(test)
    for text in NASTY:
        checked = example(text)(checked)
    return settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])(checked)


@nasty
def test_a_script_compiles_and_holds_each_text_as_it_was(text: str) -> None:
    """Ours: no text ends its literal, and none is changed; what a failed step said changes nothing but comments, each of
    them one line."""
    recording, spec = hostile(text), SessionSpec(user_agent=text, profile=text, proxy=text)
    for language, style in FORMS:
        kept, left_out = (
            write_code(recording.steps, spec, target=language, style=style, keep_failed=keep_failed)
            for keep_failed in (True, False)
        )
        compile(kept.code, "script.py", "exec")
        found = constants(kept.code)

        assert all(p.default in found for p in kept.parameters if p.default)
        assert all(p.env in found for p in kept.parameters if p.env)
        assert all(char.isprintable() or char == "\n" for char in kept.code)
        assert typable(text)[:50] in found or not text or language == "notte"
        assert ast.dump(ast.parse(kept.code)) == ast.dump(ast.parse(left_out.code))


@nasty
def test_the_json_holds_each_text_as_it_was(text: str) -> None:
    """Ours: also half a character."""
    code = write_code(hostile(text).steps, SessionSpec(), target="json").code

    code.encode("utf-8")
    assert json.loads(code)[1]["value"] == typable(text)


@given(TEXTS)
def test_a_literal_means_its_text_and_nothing_invisible_stands_in_it(text: str) -> None:
    """Ours: `quote` is the only way in."""
    assert ast.literal_eval(quote(text)) == text
    assert quote(text).isprintable()


@given(TEXTS)
def test_a_comment_is_one_line_that_commands_no_tool(text: str) -> None:
    """Ours: `noqa` and `type: ignore` want a `#` of their own."""
    line = comment(f"step 1 failed: {text}", 4)

    assert line.isprintable()
    assert len(line) <= 100
    assert line.count("#") == 1


NAMES = ('Say "hi"', "it's", "a \\ b", "a >> b", "x]y[z", "Ærø 名前", "/slash/i", "  two  spaces ", "# > .a", "100 %")


@pytest.fixture(name="page", scope="module")
async def _page(browsers: Browsers) -> AsyncGenerator[Page]:
    context = await (await browsers.home()).browser.new_context()
    yield await context.new_page()
    await context.close()


@pytest.mark.anyio
@pytest.mark.parametrize("way", ["role", "placeholder", "text", "test_id", "label", "other_id"])
async def test_an_element_is_found_by_whatever_it_is_called(page: Page, way: str) -> None:
    """Ours: as code and as a string, among all the others, and its neighbour of almost the same name is not."""
    it = "<input>" if way in ("placeholder", "label") else "<button></button>"
    await page.set_content(f"<p>{it}<button></button><label></label></p>" * len(NAMES))
    attribute = {"placeholder": "placeholder", "test_id": "data-testid", "other_id": "data-qa"}.get(way)
    await page.evaluate(
        """([names, attribute, way]) => names.forEach((name, index) => {
            const [it, other, l] = document.querySelectorAll("p")[index].children;
            it.id = index;
            other.textContent = name + "!";
            if (attribute) it.setAttribute(attribute, name);
            else if (way === "label") { l.htmlFor = index; l.textContent = name; }
            else it.textContent = name;
        })""",
        [NAMES, attribute, way],
    )
    for number, name in enumerate(NAMES):
        squeezed = " ".join(name.split())
        locators = {
            "role": Locators(role=("button", squeezed)),
            "placeholder": Locators(placeholder=name),
            "text": Locators(text=squeezed),
            "test_id": Locators(test_id=name),
            "other_id": Locators(test_id=name, test_id_attribute="data-qa"),
            "label": Locators(label=squeezed),
        }[way]
        as_code = eval(flat(locator(locators)), {"page": page})  # noqa: S307 - what was written is what is tested
        for found in (as_code, page.locator(selector(locators)), page.locator(ways(locators)[0].selector)):
            assert await found.evaluate_all("all => all.map(e => e.id)") == [str(number)], name
