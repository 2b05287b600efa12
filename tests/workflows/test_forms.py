"""The forms that code is written in: Notte's SDK, Notte's JSON, and what no script holds."""

import ast
import inspect
import json
from typing import Any, get_args

import pytest
from playwright.sync_api import Page

from notte_mcp.actions import ACTION_TYPES, FORM_FIELDS
from notte_mcp.errors import InvalidArgument
from notte_mcp.receipts import Download, Locators, Target
from notte_mcp.records import SessionSpec
from notte_mcp.workflows import Style, write_code
from notte_mcp.workflows.form_fields import FORM_WORDS
from notte_mcp.workflows.locators import ARIA_ROLES, is_native_select
from tests.workflows.recording import Recording, button, element, textbox

HOME = "http://h.test"
STYLES: tuple[Style, ...] = ("sync", "async")
SPEC = SessionSpec(user_agent="Desk/1", profile="me", proxy="http://ada:hunter2@proxy.test:3128")


def everything() -> Recording:
    """Every action type, with what it may bring."""
    recording = Recording().goto(f"{HOME}/form")
    recording.fill(textbox("I1", "Applicant"), "Ada").fill(element("I2", "password", "Code"), {"secret": "CODE"})
    recording.fill(textbox("I3", "Note"), "x", clear_before_fill=False, timeout_ms=45_000)
    recording.add({"type": "fallback_fill", "id": "I1", "value": "Ada"}, textbox("I1", "Applicant"))
    recording.add({"type": "multi_factor_fill", "id": "I4", "value": {"secret": "OTP"}}, textbox("I4", "Digits"))
    recording.add({"type": "check", "id": "B1", "value": False}, element("B1", "checkbox", "News"))
    recording.add({"type": "select_dropdown_option", "id": "I5", "value": "N"}, element("I5", "combobox", "District"))
    recording.add(
        {"type": "select_dropdown_option", "id": "I6", "value": "S"}, element("I6", "combobox", "", css="form > select")
    )
    recording.add({"type": "upload_file", "id": "I7", "path": "cv.pdf"}, element("I7", "file", "CV", css="#cv"))
    recording.add({"type": "upload_file", "id": "B9", "path": "b.pdf"}, button("B9", "Choose"))
    recording.add({"type": "form_fill", "value": {"email": "a@h.test", "password": "hunter2"}})
    recording.add({"type": "hover", "id": "B2"}, button("B2", "Menu"))
    recording.add({"type": "double_click", "id": "B2"}, button("B2", "Menu"))
    recording.add({"type": "drag", "id": "B2", "to_selector": "#pile"}, button("B2", "Menu"))
    recording.add({"type": "press_key", "key": "Escape"}).add(
        {"type": "press_key", "id": "I1", "key": "Tab"}, textbox("I1", "Applicant")
    )
    recording.add({"type": "scroll_up"}, unsettled=True).add(
        {"type": "scroll_down", "id": "M1", "amount": 300}, element("M1", "clickable", "List"), unsettled=True
    )
    recording.add({"type": "wait_for", "value": "Ready"}).add({"type": "wait_for", "gone": "Busy"})
    recording.add({"type": "wait_for", "url": "**/x"}).add({"type": "wait_for", "id": "B2"})
    recording.add({"type": "handle_dialog", "value": "accept", "answer": "yes"}).add(
        {"type": "handle_dialog", "value": "dismiss"}
    )
    recording.add({"type": "evaluate_js", "code": "(() => {\n" + "  go();\n" * 9 + "})()"}, data=1)
    recording.add({"type": "evaluate_js", "code": "{}"}).add({"type": "wait", "time_ms": 700})
    recording.add({"type": "scrape", "instructions": "prices"}, data="x")
    recording.click(button("B3", "Send"), to=f"{HOME}/sent?id=1")
    recording.click(button("B4", "A name that is as long as names become when someone writes a sentence on a button"))
    deep = Locators(role=("link", "Inner"), css="#a", xpath="/html/a", frame=("#outer", 'iframe[name="inner"]'))
    recording.click(Target("L1", "link", "Inner", deep), new_tab=1, to=f"{HOME}/orders/1")
    long = Locators(role=("link", "Another name that is as long as names become when"), frame=deep.frame)
    recording.click(Target("L2", "link", "Another", long), downloads=(Download("a.pdf", 1),))
    recording.add({"type": "download_file", "id": "L3"}, element("L3", "link", "Invoice"))
    recording.add({"type": "goto", "url": f"{HOME}/b.zip"}, to=f"{HOME}/c", downloads=(Download("b.zip", 1),))
    recording.add({"type": "goto_new_tab", "url": f"{HOME}/d", "timeout_ms": 60_000}, to=f"{HOME}/d", new_tab=2)
    recording.add({"type": "switch_tab", "tab_index": 0}).add({"type": "close_tab"}).add({"type": "go_back"}).add(
        {"type": "go_forward"}
    )
    recording.add({"type": "reload"}).click(button("B5", "Next"), to=f"{HOME}/d").click(
        button("B6", "Close"), tab_closed=True
    )
    recording.add({"type": "captcha_solve"}).add({"type": "email_read"}).add({"type": "sms_read"})
    recording.click(button("B3", "Send"), success=False, message='"""\nimport os')
    recording.add({"type": "help", "value": "?"}).add({"type": "completion", "success": True, "answer": "done"})
    return recording.add({"type": "scrape"}, data="x")


def test_everything_is_every_action() -> None:
    """Ours: a new action is added to these tests too."""
    assert {step.action["type"] for step in everything().steps} == set(ACTION_TYPES)


def test_no_script_holds_a_secret() -> None:
    """P9: not the one in a record that should not hold it, and not the proxy's password."""
    for target in ("playwright", "notte", "json"):
        code = write_code(everything().steps, SPEC, target=target, keep_failed=True).code
        assert "hunter2" not in code
        assert "CODE" in code


def test_no_script_sleeps_or_names_an_element_id() -> None:
    """Design: a wait is for something; an id means something in its session only."""
    for target in ("playwright", "notte", "json"):
        code = write_code(everything().steps, SPEC, target=target).code
        assert "sleep" not in code
        assert "wait_for_timeout" not in code
        assert not any(f'"{key}"' in code for key in ("I1", "B2", "L1", "M1"))


def calls(code: str, function: str) -> list[dict[str, Any]]:
    """The keywords of each call of `session.<function>` in `run`; what is no literal as its source."""
    found = [node for node in ast.walk(runs(code)) if isinstance(node, ast.Call)]
    wanted = [node for node in found if ast.unparse(node.func) == f"session.{function}"]
    return [{str(word.arg): literal(word.value) for word in node.keywords} for node in wanted]


def runs(code: str) -> ast.FunctionDef | ast.AsyncFunctionDef:
    """The first function of a script: its steps."""
    return next(n for n in ast.walk(ast.parse(code)) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef))


def literal(node: ast.expr) -> Any:
    """The value of a literal, else its source."""
    try:
        return ast.literal_eval(node)
    except ValueError:
        return ast.unparse(node)


@pytest.mark.parametrize("style", STYLES)
def test_a_notte_script_is_one_execute_per_step(style: Style) -> None:
    """Notte's export: type, resolved selector, values; the last scrape is what run() returns."""
    recording = Recording().goto(f"{HOME}/form").fill(textbox("I1", "Applicant"), 'A "B"', press_enter=True)
    recording.fill(element("I2", "password", "Code", css="#code"), {"secret": "CODE"})
    recording.add({"type": "upload_file", "id": "I7", "path": "cv.pdf"}, element("I7", "file", "CV", css="#cv"))
    inner = Locators(role=("link", "In"), css="#a", xpath="/html/a", frame=("#outer",))
    recording.click(Target("L1", "link", "In", inner), to=f"{HOME}/in").add({"type": "press_key", "key": "Enter"})
    recording.add({"type": "scrape", "instructions": "prices", "only_main_content": False}, data="x")
    code = write_code(recording.steps, SessionSpec(), target="notte", style=style).code

    assert calls(code, "execute") == [
        {"type": "goto", "url": f"{HOME}/form"},
        {
            "type": "fill",
            "selector": 'role=textbox[name="Applicant"]',
            "value": "applicant",
            "clear_before_fill": True,
            "press_enter": True,
        },
        {"type": "fill", "selector": "#code", "value": "os.environ['CODE']", "clear_before_fill": True},
        {"type": "upload_file", "selector": "#cv", "file_path": "cv"},
        {
            "type": "click",
            "selector": {
                "css_selector": "#a",
                "xpath_selector": "html/a",
                "playwright_selector": 'role=link[name="In"]',
                "in_iframe": True,
                "in_shadow_root": False,
                "iframe_parent_css_selectors": ["#outer"],
            },
        },
        {"type": "press_key", "key": "Enter"},
    ]
    assert calls(code, "scrape") == [{"instructions": "prices", "only_main_content": False}]
    run = runs(code)
    assert ast.unparse(run.args) == "applicant: str='A \"B\"', cv: str='cv.pdf'"
    assert "return " in ast.unparse(run.body[-1])
    assert "__future__" not in code
    assert ("AsyncNotteClient" in code) == (style == "async")


@pytest.mark.parametrize("style", STYLES)
def test_what_a_last_script_found_is_what_a_notte_script_returns(style: Style) -> None:
    """Notte: `execute` answers with `data`; one that found nothing is only run."""
    recording = Recording().goto(HOME).add({"type": "evaluate_js", "code": "document.title"}, data="Shop")
    silent = Recording().goto(HOME).add({"type": "evaluate_js", "code": "void 0"})
    code = write_code(recording.steps, SPEC, target="notte", style=style).code

    assert 'session.execute(type="evaluate_js", code="document.title")' in code.partition("read = ")[2]
    assert "        return read.data\n" in code
    assert "run() -> object:" in code
    assert "print(" in code
    assert "read" not in ast.unparse(runs(write_code(silent.steps, SPEC, target="notte", style=style).code))


def test_a_wait_is_for_the_tab_that_the_session_shows_whichever_that_is() -> None:
    """Ours: a condition is looked at where the session is; which tab `session.page` is by then, the SDK does not say."""
    recording = Recording().goto(HOME).add({"type": "wait_for", "value": "Ready"})
    recording.click(element("L1", "link", "Details"), new_tab=1).add({"type": "wait_for", "value": "Loaded"})
    recording.add({"type": "hover", "id": "B1"}, button("B1", "Menu"))
    code = write_code(recording.steps, SPEC, target="notte").code

    assert 'wait_for(session, shown("Ready"))' in code
    assert 'wait_for(session, shown("Loaded"))' in code
    assert "# Look here which tab `page` is" in code
    assert "`pip install playwright`, on the cloud only" in code


@pytest.mark.parametrize(
    ("wait", "condition"),
    [
        ({"value": "Ready"}, 'shown("Ready")'),
        ({"gone": "Loading"}, 'gone("Loading")'),
        ({"url": f"{HOME}/p/*"}, 'at(re.compile(r"^http://h\\.test/p/[^/]*$"))'),
        ({"selector": "#done", "timeout_ms": 45_000}, 'present("#done"), seconds=45'),
    ],
)
def test_what_is_waited_for_is_a_condition_within_the_page(wait: dict[str, Any], condition: str) -> None:
    """Notte has no action for it, and a server may have no page of Playwright's."""
    target = Target("", "", "", Locators(css="#done")) if "selector" in wait else None
    recording = Recording().goto(HOME).add({"type": "wait_for"} | wait, target).click(button("B1", "Go"))
    code = write_code(recording.steps, SPEC, target="notte").code

    assert f"        wait_for(session, {condition})\n" in code
    assert "playwright" not in code


def test_the_1_9_sdk_has_no_async_form() -> None:
    """Notte: AsyncNotteClient came with 1.10."""
    steps = Recording().goto(HOME).steps

    assert "notte-sdk~=1.9.0" in write_code(steps, SPEC, target="notte", sdk="1.9").code
    with pytest.raises(InvalidArgument, match=r"no async client.*sdk=1\.10"):
        write_code(steps, SPEC, target="notte", style="async", sdk="1.9")
    with pytest.raises(InvalidArgument, match=r"1\.9 or 1\.10"):
        write_code(steps, SPEC, target="notte", sdk="2")


def test_json_is_a_list_of_action_objects() -> None:
    """Notte's json_actions; what only we have keeps our form."""
    recording = Recording().goto(HOME).fill(textbox("I1", "Applicant"), "Ada")
    recording.fill(element("I2", "password", "Code", css="#code"), {"secret": "CODE"})
    recording.add({"type": "wait_for", "value": "Ready", "timeout_ms": 20_000})
    recording.add({"type": "handle_dialog", "value": "accept", "answer": "yes"})
    recording.add({"type": "drag", "id": "B2", "to_selector": "#pile"}, button("B2", "Card"))
    recording.add({"type": "goto", "url": f"{HOME}/?k=[secret CODE]"})

    assert json.loads(write_code(recording.steps, SPEC, target="json").code) == [
        {"type": "goto", "url": HOME},
        {"type": "fill", "selector": 'role=textbox[name="Applicant"]', "value": "Ada", "clear_before_fill": True},
        {"type": "fill", "selector": "#code", "value": {"secret": "CODE"}, "clear_before_fill": True},
        {"type": "wait_for", "value": "Ready", "timeout_ms": 20_000},
        {"type": "handle_dialog", "value": "accept", "answer": "yes"},
        {"type": "drag", "selector": 'role=button[name="Card"]', "to_selector": "#pile"},
        {"type": "goto", "url": f"{HOME}/?k=[secret CODE]"},
    ]


def test_where_there_is_nothing_to_write_the_error_says_what_to_do() -> None:
    """Design: an error is for the assistant that reads it."""
    failed = Recording().add({"type": "goto", "url": HOME}, success=False).steps

    with pytest.raises(InvalidArgument, match=r"no step is recorded yet.*Next: notte_execute"):
        write_code([], SPEC, target="playwright")
    with pytest.raises(InvalidArgument, match="no step of it succeeded"):
        write_code(failed, SPEC, target="json", keep_failed=True)


def test_only_roles_that_playwright_knows_are_looked_for_by_role() -> None:
    """Playwright: get_by_role takes its AriaRole."""
    known = inspect.signature(Page.get_by_role).parameters["role"].annotation

    assert set(get_args(known)) == ARIA_ROLES


def test_every_form_field_can_be_found() -> None:
    """Ours: the writers know Notte's field names as the actions do."""
    assert set(FORM_WORDS) == set(FORM_FIELDS)


@pytest.mark.parametrize(
    ("locators", "expected"),
    [
        (Locators(css='form > select[name="a"]'), True),
        (Locators(css="#x >> select:nth-of-type(2)"), True),
        (Locators(css="#select"), False),
        (Locators(css="select > option"), False),
        (Locators(css="#x", xpath="/html/body/select[2]"), True),
        (Locators(css="#x", xpath="/html/body/selector"), False),
    ],
)
def test_a_native_select_is_told_by_its_structure(locators: Locators, expected: bool) -> None:
    """Ours: any other list is opened and its option clicked."""
    assert is_native_select(locators) == expected
