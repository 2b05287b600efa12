"""Actions between the Notte contract's spelling and ours.

Names are mostly the same; what differs: `timeout` (ms) for `timeout_ms`, `file_path` for `path`, a help's `reason`, a
scrape's `response_format`. What only we have has no spelling there, and its caller does it another way. Facts: the
contract's PageExecuteRequest, SDK 1.10.

Below: actions. Above: performing, hosted.
"""

from collections.abc import Mapping
from typing import Any, Final, assert_never, cast

from notte_mcp import actions
from notte_mcp.actions import Action

Selectors = Mapping[str, Mapping[str, Any]]
"""What an element of ours is called there, by our id: `{"id": "B1"}` (their numbering), or `{"selector": ...}` with a
selector string or their NodeSelectors."""

_ELEMENT_FIELDS: Final = ("value", "clear_before_fill", "press_enter")
_DISPLAY: Final = frozenset({"category", "description", "text_label", "accessible_name", "id", "record"})
"""Fields of theirs that say nothing of what is to be done, and the id, which is of another numbering than ours."""

_OURS: Final = {"timeout": "timeout_ms", "file_path": "path", "response_format": "response_schema", "reason": "value"}
_OF_SCRAPE: Final = frozenset({"scrape_links", "scrape_images", "ignored_tags", "use_link_placeholders", "only_images"})


def action_to_wire(action: Action, selectors: Selectors, *, timeout_ms: int | None = None) -> dict[str, Any] | None:
    """The action's object there, with the fields that its caller set; None for one that Notte does not have
    (`wait_for`, `hover`, `double_click`, `drag`, `handle_dialog`, a key on an element).

    `timeout_ms` is sent with an action on an element, else the action's own where that was set.

    Raises:
        KeyError: the action names an id that `selectors` does not hold.
    """
    if isinstance(action, actions.ElementAction):
        found = _of_element(action, selectors, timeout_ms)
    elif isinstance(action, actions.NavigationAction):
        found = _of_navigation(action)
    else:
        found = _of_page(action, selectors)
    return None if found is None else {"type": action.type, **found}


def _of_element(action: actions.ElementAction, selectors: Selectors, timeout_ms: int | None) -> dict[str, Any] | None:
    match action:
        case actions.DoubleClick() | actions.Hover() | actions.Drag():
            return None
        case actions.UploadFile():
            own: dict[str, Any] = {"file_path": action.path}
        case actions.Check():
            own = {"value": action.value}
        case actions.SelectDropdownOption():
            own = {"value": action.value}
        case (
            actions.Click()
            | actions.DownloadFile()
            | actions.Fill()
            | actions.MultiFactorFill()
            | actions.FallbackFill()
        ):
            own = _set(action, *_ELEMENT_FIELDS)
        case _:
            assert_never(action)
    where = dict(selectors[action.id]) if action.id is not None else {"selector": action.selector}
    limit = timeout_ms if timeout_ms is not None else _set(action, "timeout_ms").get("timeout_ms")
    return where | own | ({} if limit is None else {"timeout": limit})


def _of_navigation(action: actions.NavigationAction) -> dict[str, Any]:
    match action:
        case actions.Goto():
            return _set(action, "url", "wait_until")
        case actions.GotoNewTab():
            return {"url": action.url}
        case actions.SwitchTab():
            return {"tab_index": action.tab_index}
        case actions.CloseTab() | actions.GoBack() | actions.GoForward() | actions.Reload():
            return {}
        case _:
            assert_never(action)


def _of_page(action: actions.PageAction, selectors: Selectors) -> dict[str, Any] | None:  # noqa: C901 - one case per type
    found: dict[str, Any] | None
    match action:
        case actions.Wait():
            found = {"time_ms": action.time_ms}
        case actions.PressKey():
            found = {"key": action.key} if action.id is None and action.selector is None else None
        case actions.ScrollUp() | actions.ScrollDown():
            found = _container(action, selectors) | _set(action, "amount")
        case actions.EvaluateJs():
            found = {"code": action.code}
        case actions.FormFill():
            found = {"value": action.value}
        case actions.Scrape():
            schema = {} if action.response_schema is None else {"response_format": action.response_schema}
            found = _set(action, "selector", "only_main_content", "instructions") | schema
        case actions.CaptchaSolve():
            found = _set(action, "captcha_type")
        case actions.EmailRead() | actions.SmsRead():
            found = _set(action, "limit", "timedelta", "only_unread")
        case actions.Help():
            found = {"reason": action.value}
        case actions.Completion():
            found = {"success": action.success, "answer": action.answer}
        case actions.WaitFor() | actions.HandleDialog():
            found = None
        case _:
            assert_never(action)
    return found


def _container(action: actions.ScrollUp | actions.ScrollDown, selectors: Selectors) -> dict[str, Any]:
    """What is scrolled, which goes by one string there."""
    where: Any = action.selector if action.id is None else selectors[action.id].get("selector")
    if where is None:
        return {}
    return {"selector": where if isinstance(where, str) else one_selector(where)}


_INTO_FRAME: Final = " >> internal:control=enter-frame >> "
"""How Playwright spells, within one string, that what follows stands in the frame before it."""


def one_selector(ways: Mapping[str, Any]) -> str:
    """Their NodeSelectors as one selector string, through the frames that the element stands in."""
    own = next((found for name in ("playwright_selector", "css_selector") if (found := _text(ways.get(name)))), "")
    frames: Any = ways.get("iframe_parent_css_selectors") if ways.get("in_iframe") is True else None
    path = [*(one for one in cast(list[Any], frames) if _text(one))] if isinstance(frames, list) else list[str]()
    return _INTO_FRAME.join([*path, own or f"xpath={_text(ways.get('xpath_selector'))}"])


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _set(action: Action, *names: str) -> dict[str, Any]:
    """The fields of these names that the caller set, and did not set to nothing."""
    given = {name: getattr(action, name, None) for name in names if name in action.model_fields_set}
    return {name: value for name, value in given.items() if value is not None}


def action_from_wire(raw: Mapping[str, Any]) -> dict[str, Any]:
    """Their action by our names, as it is recorded: without what is empty or only for show, and without their id. A
    selector is one string. A type that we do not have keeps its fields."""
    kind = str(raw.get("type") or "unknown")
    passed = _DISPLAY | (_OF_SCRAPE if kind == "scrape" else frozenset[str]())
    given = {name: value for name, value in raw.items() if name not in passed and value not in (None, "", {})}
    if kind not in actions.ACTION_TYPES:
        return {**given, "type": kind}
    found: dict[str, Any] = {"type": kind}
    for name, value in given.items():
        if name == "reason" and kind != "help":
            continue
        found[_OURS.get(name, name)] = value
    if isinstance(found.get("selector"), dict):
        found["selector"] = one_selector(cast(dict[str, Any], found["selector"]))
    if found.get("press_enter") is False:
        del found["press_enter"]
    return found
