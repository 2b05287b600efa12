"""A workflow step as one of Notte's action objects: its names of types and fields, resolved selectors.

Values are still lifted (parameters, secrets); the writers spell them. What only
we have (`wait_for`, `hover`, `double_click`, `drag`, `handle_dialog`, a key on an
element) gives None here. Facts: Notte's action schema, SDK 1.10.

Below: workflow, locators. Above: notte, json_actions.
"""

from dataclasses import replace
from typing import Any, assert_never

from notte_mcp import actions
from notte_mcp.receipts import Locators
from notte_mcp.workflows.locators import ARIA_ROLES, around_row_text, by_row, node_selectors, selector
from notte_mcp.workflows.workflow import WorkflowStep


def notte_action(step: WorkflowStep) -> dict[str, Any] | None:
    """The action object of this step, or None where Notte has no such action."""
    action = step.action
    if action is None:
        return None
    if isinstance(action, actions.ElementAction):
        fields = _of_element(step, action)
    elif isinstance(action, actions.NavigationAction):
        fields = _of_navigation(step, action)
    else:
        fields = _of_page(step, action)
    return None if fields is None else {"type": action.type, **fields}


def where(step: WorkflowStep) -> Any:
    """The step's element: a selector string, or Notte's NodeSelectors where it stands in a frame."""
    found = step.locators
    if found is None:
        return None
    if step.called is not None and (around := _around_name(found)) is not None:
        parts = step.called if isinstance(step.called, tuple) else (step.called,)
        named = (around[0], *parts, around[1])
        # Another element's place would contradict the name.
        return (
            node_selectors(replace(found, css=None, xpath=None)) | {"playwright_selector": named}
            if found.frame
            else named
        )
    return node_selectors(found) if found.frame else selector(found)


def _around_name(found: Locators) -> tuple[str, str] | None:
    """What stands around the name, or the row's text, in the selector."""
    if by_row(found) and found.row is not None:
        return around_row_text(found.row)
    if found.role is None or found.role[0] not in ARIA_ROLES:
        return None
    return f'role={found.role[0]}[name="', '"]'


def _of_element(step: WorkflowStep, action: actions.ElementAction) -> dict[str, Any] | None:
    element = {"selector": where(step)}
    match action:
        case actions.Click() | actions.DownloadFile():
            return element | _enter(action.press_enter)
        case actions.Fill() | actions.MultiFactorFill() | actions.FallbackFill():
            clear = {"clear_before_fill": action.clear_before_fill}
            return element | {"value": step.value} | clear | _enter(action.press_enter)
        case actions.Check():
            return element | {"value": action.value}
        case actions.SelectDropdownOption():
            return element | {"value": step.value}
        case actions.UploadFile():
            return element | {"file_path": step.value}
        case actions.DoubleClick() | actions.Hover() | actions.Drag():
            return None
        case _:
            assert_never(action)


def _of_navigation(step: WorkflowStep, action: actions.NavigationAction) -> dict[str, Any]:
    match action:
        case actions.Goto() | actions.GotoNewTab():
            return {"url": step.value}
        case actions.SwitchTab():
            return {"tab_index": action.tab_index}
        case actions.CloseTab() | actions.GoBack() | actions.GoForward() | actions.Reload():
            return {}
        case _:
            assert_never(action)


def _of_page(step: WorkflowStep, action: actions.PageAction) -> dict[str, Any] | None:
    match action:
        case actions.PressKey():
            fields = {"key": step.value or action.key} if step.locators is None else None
        case actions.ScrollUp() | actions.ScrollDown():
            fields = _given({"selector": where(step), "amount": action.amount})
        case actions.EvaluateJs():
            fields = {"code": action.code}
        case actions.FormFill():
            fields = {"value": dict(step.form)}
        case actions.Scrape():
            chosen = _given({"selector": action.selector, "instructions": action.instructions})
            fields = chosen | {"only_main_content": action.only_main_content}
        case actions.CaptchaSolve():
            fields = _given({"captcha_type": action.captcha_type})
        case actions.EmailRead() | actions.SmsRead():
            fields = {"limit": action.limit, "timedelta": action.timedelta, "only_unread": action.only_unread}
        case actions.Wait() | actions.WaitFor() | actions.HandleDialog() | actions.Help() | actions.Completion():
            fields = None
        case _:
            assert_never(action)
    return fields


def _given(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


def _enter(press_enter: bool) -> dict[str, Any]:  # noqa: FBT001 - the field's own value
    return {"press_enter": True} if press_enter else {}
