"""The actions: what may be asked of a page, as one closed set of values.

An action is a flat object: `type`, and by type the rest. Each type is one
class here; `Action` is their union, so the type checker lists every engine and
every script writer that a new action leaves unfinished. Names and fields are
Notte's (its ExecutionRequest); `wait_for`, `drag` and `handle_dialog` are ours.

Only the values: how they are read from what a model wrote is `batches`. Nothing
here touches a page.

Below: ids. Above: batches, engines, registry, workflows, tools.
"""

import json
from typing import Any, Final, Literal, cast, get_args

from pydantic import Field, field_validator, model_validator

from notte_mcp.action_fields import (
    DEFAULT_LOAD_TIMEOUT_MS,
    DEFAULT_TIMEOUT_MS,
    FORM_FIELDS,
    ElementFields,
    ElementId,
    Fields,
    OptionalElementFields,
    Selector,
    TimeoutMs,
)

# --- the browser --------------------------------------------------------------


class Goto(Fields):
    """Open a URL in the current tab."""

    type: Literal["goto"] = "goto"
    url: str = Field(min_length=1, max_length=100_000)
    wait_until: Literal["load", "domcontentloaded", "commit"] = "load"
    timeout_ms: TimeoutMs = DEFAULT_LOAD_TIMEOUT_MS


class GotoNewTab(Fields):
    """Open a URL in a new tab, which becomes the current one."""

    type: Literal["goto_new_tab"] = "goto_new_tab"
    url: str = Field(min_length=1, max_length=100_000)
    timeout_ms: TimeoutMs = DEFAULT_LOAD_TIMEOUT_MS


class CloseTab(Fields):
    """Close the current tab; the last one is replaced by an empty one."""

    type: Literal["close_tab"] = "close_tab"


class SwitchTab(Fields):
    """Make another tab current; -1 is the last."""

    type: Literal["switch_tab"] = "switch_tab"
    tab_index: int = Field(ge=-1, le=1_000)


class GoBack(Fields):
    """One entry back in the tab's history."""

    type: Literal["go_back"] = "go_back"


class GoForward(Fields):
    """One entry forward in the tab's history."""

    type: Literal["go_forward"] = "go_forward"


class Reload(Fields):
    """Load the current page again."""

    type: Literal["reload"] = "reload"


class Wait(Fields):
    """Do nothing for a fixed time (ms). `wait_for` is nearly always the better one."""

    type: Literal["wait"] = "wait"
    time_ms: int = Field(ge=0, le=30_000)


class WaitFor(Fields):
    """Wait inside the page for one condition, at most `timeout_ms`."""

    type: Literal["wait_for"] = "wait_for"
    value: str | None = None
    gone: str | None = None
    id: ElementId | None = None
    selector: Selector | None = None
    url: str | None = None
    timeout_ms: TimeoutMs = DEFAULT_TIMEOUT_MS

    @model_validator(mode="after")
    def _one_condition(self) -> "WaitFor":
        given = [n for n in ("value", "gone", "id", "selector", "url") if getattr(self, n)]
        if len(given) != 1:
            raise ValueError("needs exactly one of `value`, `gone`, `id`, `selector`, `url`")
        return self


class PressKey(OptionalElementFields):
    """Press a key or a chord (Playwright's names: Enter, Control+A), on an element if one is named."""

    type: Literal["press_key"] = "press_key"
    key: str = Field(min_length=1, max_length=50)


class ScrollUp(OptionalElementFields):
    """Scroll up by `amount` px, else by 70 % of the viewport."""

    type: Literal["scroll_up"] = "scroll_up"
    amount: int | None = Field(default=None, ge=1, le=1_000_000)


class ScrollDown(OptionalElementFields):
    """Scroll down by `amount` px, else by 70 % of the viewport."""

    type: Literal["scroll_down"] = "scroll_down"
    amount: int | None = Field(default=None, ge=1, le=1_000_000)


class HandleDialog(Fields):
    """Say what the next dialog is to be answered; stands before the action that opens it."""

    type: Literal["handle_dialog"] = "handle_dialog"
    value: Literal["accept", "dismiss"]
    answer: str | None = None


class EvaluateJs(Fields):
    """Run an expression in the page (10 s and 256 kB at most); its JSON value is the result."""

    type: Literal["evaluate_js"] = "evaluate_js"
    code: str = Field(min_length=1)


class FormFill(Fields):
    """Fill a whole form by Notte's field names."""

    type: Literal["form_fill"] = "form_fill"
    value: dict[str, str]
    timeout_ms: TimeoutMs = DEFAULT_TIMEOUT_MS

    @field_validator("value", mode="before")
    @classmethod
    def _object_or_json(cls, value: Any) -> Any:
        return json.loads(value) if isinstance(value, str) else value

    @field_validator("value")
    @classmethod
    def _known_fields(cls, value: dict[str, str]) -> dict[str, str]:
        if unknown := sorted(set(value) - set(FORM_FIELDS)):
            raise ValueError(f"unknown form fields {unknown}; known: {', '.join(FORM_FIELDS)}")
        return value


# --- one element --------------------------------------------------------------


class Click(ElementFields):
    """Click an element."""

    type: Literal["click"] = "click"
    press_enter: bool = False


class DoubleClick(ElementFields):
    """Double-click an element."""

    type: Literal["double_click"] = "double_click"
    press_enter: bool = False


class Hover(ElementFields):
    """Move the pointer onto an element."""

    type: Literal["hover"] = "hover"
    press_enter: bool = False


class DownloadFile(ElementFields):
    """Click an element and wait for the download it starts."""

    type: Literal["download_file"] = "download_file"
    press_enter: bool = False


class _Fill(ElementFields):
    value: str
    clear_before_fill: bool = True
    press_enter: bool = False


class Fill(_Fill):
    """Put text into a field at once."""

    type: Literal["fill"] = "fill"


class MultiFactorFill(_Fill):
    """Type a one-time code key by key (fields that jump from digit to digit)."""

    type: Literal["multi_factor_fill"] = "multi_factor_fill"


class FallbackFill(_Fill):
    """Type text key by key, for fields that ignore `fill`."""

    type: Literal["fallback_fill"] = "fallback_fill"


class Check(ElementFields):
    """Set a checkbox, radio or switch."""

    type: Literal["check"] = "check"
    value: bool = True


class SelectDropdownOption(ElementFields):
    """Choose an option by its label or value, in a native select or in a listbox widget."""

    type: Literal["select_dropdown_option"] = "select_dropdown_option"
    value: str


class UploadFile(ElementFields):
    """Give a file to a file input. `path`: an allowed file, or a name under the session's files."""

    type: Literal["upload_file"] = "upload_file"
    path: str = Field(min_length=1, max_length=4_000)


class Drag(ElementFields):
    """Drag an element onto another."""

    type: Literal["drag"] = "drag"
    to_id: ElementId | None = None
    to_selector: Selector | None = None

    @model_validator(mode="after")
    def _one_destination(self) -> "Drag":
        if (self.to_id is None) == (self.to_selector is None):
            raise ValueError("needs exactly one of `to_id` and `to_selector`")
        return self


# --- not of the page ----------------------------------------------------------


class Scrape(Fields):
    """The page as markdown, as a step of a batch. `response_schema` (JSON Schema) is what notte_scrape was asked for."""

    type: Literal["scrape"] = "scrape"
    selector: str | None = None
    only_main_content: bool = True
    instructions: str | None = None
    response_schema: dict[str, Any] | None = None


class CaptchaSolve(Fields):
    """Solve a captcha; the Notte cloud can."""

    type: Literal["captcha_solve"] = "captcha_solve"
    captcha_type: str | None = None


class EmailRead(Fields):
    """Read a persona's e-mail; the Notte cloud can."""

    type: Literal["email_read"] = "email_read"
    limit: int = 10
    timedelta: str = "PT5M"
    only_unread: bool = True


class SmsRead(Fields):
    """Read a persona's text messages; the Notte cloud can."""

    type: Literal["sms_read"] = "sms_read"
    limit: int = 10
    timedelta: str = "PT5M"
    only_unread: bool = True


class Help(Fields):
    """Say that the task cannot go on without a person, and why."""

    type: Literal["help"] = "help"
    value: str


class Completion(Fields):
    """Say that the task is done."""

    type: Literal["completion"] = "completion"
    success: bool
    answer: str


FillAction = Fill | MultiFactorFill | FallbackFill
ClickAction = Click | DoubleClick | Hover | DownloadFile
ElementAction = ClickAction | FillAction | Check | SelectDropdownOption | UploadFile | Drag
NavigationAction = Goto | GotoNewTab | CloseTab | SwitchTab | GoBack | GoForward | Reload
CloudAction = CaptchaSolve | EmailRead | SmsRead
PageAction = (
    Wait
    | WaitFor
    | PressKey
    | ScrollUp
    | ScrollDown
    | HandleDialog
    | EvaluateJs
    | FormFill
    | Scrape
    | CloudAction
    | Help
    | Completion
)
"""What is neither aimed at one element by its nature nor a navigation."""

Action = NavigationAction | ElementAction | PageAction
"""Any action. `action.type` tells which."""

ACTION_CLASSES: Final[tuple[type[Fields], ...]] = get_args(Action)
ACTION_TYPES: Final = tuple(cast(str, cls.model_fields["type"].default) for cls in ACTION_CLASSES)
"""Every action type by name, in the order of the union."""
