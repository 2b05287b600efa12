"""The actions: what may be asked of a page, as one closed set of values.

An action is a flat object: `type`, and by type the rest. Each type is one
class here; `Action` is their union, so the type checker lists every engine and
every script writer that a new action leaves unfinished. Names and fields are
Notte's (its ExecutionRequest); `wait_for`, `drag` and `handle_dialog` are ours.

Lenient where a model slips (a JSON string for a list, "true" for true, an
object for `form_fill`), strict where silence would mislead (an unknown field is
refused by name). Nothing here touches a page.

Below: errors, ids. Above: receipts' readers, engines, registry, workflows, tools.
"""

import json
from collections.abc import Sequence
from typing import Annotated, Any, Final, Literal, cast, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
    field_validator,
    model_validator,
)

from notte_mcp.errors import InvalidAction
from notte_mcp.ids import element_id

MAX_ACTIONS: Final = 20
"""Actions in one batch."""

MAX_VALUE_CHARS: Final = 1_000_000
"""Characters of one typed value."""

DEFAULT_TIMEOUT_MS: Final = 10_000
"""How long an element action waits for its element, unless told otherwise."""

DEFAULT_LOAD_TIMEOUT_MS: Final = 30_000
"""How long a page may take to load, unless told otherwise."""

FORM_FIELDS: Final = (
    "title", "first_name", "middle_name", "last_name", "full_name", "email", "company",
    "address1", "address2", "address3", "city", "state", "postal_code", "country", "phone",
    "cc_name", "cc_number", "cc_exp_month", "cc_exp_year", "cc_exp", "cc_cvv",
    "username", "password", "current_password", "new_password", "totp",
)  # fmt: skip
"""Field names that `form_fill` knows (Notte's FormFillAction)."""


def _element_id(value: str) -> str:
    if (found := element_id(value)) is None:
        raise ValueError(f"{value!r} is no element id (they look like B3); put selectors in `selector`")
    return found


ElementId = Annotated[str, AfterValidator(_element_id)]
Selector = Annotated[str, Field(min_length=1, max_length=4_000)]
TimeoutMs = Annotated[int, Field(ge=1, le=60_000)]


class _Base(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, str_max_length=MAX_VALUE_CHARS)


class _Element(_Base):
    """An action on one element, named by an observed id or by a selector."""

    id: ElementId | None = None
    selector: Selector | None = None
    timeout_ms: TimeoutMs = DEFAULT_TIMEOUT_MS

    @model_validator(mode="after")
    def _one_target(self) -> "_Element":
        if (self.id is None) == (self.selector is None):
            raise ValueError("needs exactly one of `id` (from an observation) and `selector`")
        return self


class _OptionalElement(_Base):
    """An action that may be aimed at an element."""

    id: ElementId | None = None
    selector: Selector | None = None
    timeout_ms: TimeoutMs = DEFAULT_TIMEOUT_MS

    @model_validator(mode="after")
    def _at_most_one_target(self) -> "_OptionalElement":
        if self.id is not None and self.selector is not None:
            raise ValueError("takes one of `id` and `selector`, not both")
        return self


# --- the browser --------------------------------------------------------------


class Goto(_Base):
    """Open a URL in the current tab."""

    type: Literal["goto"] = "goto"
    url: str = Field(min_length=1, max_length=100_000)
    wait_until: Literal["load", "domcontentloaded", "commit"] = "load"
    timeout_ms: TimeoutMs = DEFAULT_LOAD_TIMEOUT_MS


class GotoNewTab(_Base):
    """Open a URL in a new tab, which becomes the current one."""

    type: Literal["goto_new_tab"] = "goto_new_tab"
    url: str = Field(min_length=1, max_length=100_000)
    timeout_ms: TimeoutMs = DEFAULT_LOAD_TIMEOUT_MS


class CloseTab(_Base):
    """Close the current tab; the last one is replaced by an empty one."""

    type: Literal["close_tab"] = "close_tab"


class SwitchTab(_Base):
    """Make another tab current; -1 is the last."""

    type: Literal["switch_tab"] = "switch_tab"
    tab_index: int = Field(ge=-1, le=1_000)


class GoBack(_Base):
    """One entry back in the tab's history."""

    type: Literal["go_back"] = "go_back"


class GoForward(_Base):
    """One entry forward in the tab's history."""

    type: Literal["go_forward"] = "go_forward"


class Reload(_Base):
    """Load the current page again."""

    type: Literal["reload"] = "reload"


class Wait(_Base):
    """Do nothing for a fixed time (ms). `wait_for` is nearly always the better one."""

    type: Literal["wait"] = "wait"
    time_ms: int = Field(ge=0, le=30_000)


class WaitFor(_Base):
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


class PressKey(_OptionalElement):
    """Press a key or a chord (Playwright's names: Enter, Control+A), on an element if one is named."""

    type: Literal["press_key"] = "press_key"
    key: str = Field(min_length=1, max_length=50)


class ScrollUp(_OptionalElement):
    """Scroll up by `amount` px, else by 70 % of the viewport."""

    type: Literal["scroll_up"] = "scroll_up"
    amount: int | None = Field(default=None, ge=1, le=1_000_000)


class ScrollDown(_OptionalElement):
    """Scroll down by `amount` px, else by 70 % of the viewport."""

    type: Literal["scroll_down"] = "scroll_down"
    amount: int | None = Field(default=None, ge=1, le=1_000_000)


class HandleDialog(_Base):
    """Say what the next dialog is to be answered; stands before the action that opens it."""

    type: Literal["handle_dialog"] = "handle_dialog"
    value: Literal["accept", "dismiss"]
    answer: str | None = None


class EvaluateJs(_Base):
    """Run an expression in the page (10 s and 256 kB at most); its JSON value is the result."""

    type: Literal["evaluate_js"] = "evaluate_js"
    code: str = Field(min_length=1)


class FormFill(_Base):
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


class Click(_Element):
    """Click an element."""

    type: Literal["click"] = "click"
    press_enter: bool = False


class DoubleClick(_Element):
    """Double-click an element."""

    type: Literal["double_click"] = "double_click"
    press_enter: bool = False


class Hover(_Element):
    """Move the pointer onto an element."""

    type: Literal["hover"] = "hover"
    press_enter: bool = False


class DownloadFile(_Element):
    """Click an element and wait for the download it starts."""

    type: Literal["download_file"] = "download_file"
    press_enter: bool = False


class _Fill(_Element):
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


class Check(_Element):
    """Set a checkbox, radio or switch."""

    type: Literal["check"] = "check"
    value: bool = True


class SelectDropdownOption(_Element):
    """Choose an option by its label or value, in a native select or in a listbox widget."""

    type: Literal["select_dropdown_option"] = "select_dropdown_option"
    value: str


class UploadFile(_Element):
    """Give a file to a file input. `path`: an allowed file, or a name under the session's files."""

    type: Literal["upload_file"] = "upload_file"
    path: str = Field(min_length=1, max_length=4_000)


class Drag(_Element):
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


class Scrape(_Base):
    """The page as markdown, as a step of a batch."""

    type: Literal["scrape"] = "scrape"
    selector: str | None = None
    only_main_content: bool = True
    instructions: str | None = None


class CaptchaSolve(_Base):
    """Solve a captcha; the Notte cloud can."""

    type: Literal["captcha_solve"] = "captcha_solve"
    captcha_type: str | None = None


class EmailRead(_Base):
    """Read a persona's e-mail; the Notte cloud can."""

    type: Literal["email_read"] = "email_read"
    limit: int = 10
    timedelta: str = "PT5M"
    only_unread: bool = True


class SmsRead(_Base):
    """Read a persona's text messages; the Notte cloud can."""

    type: Literal["sms_read"] = "sms_read"
    limit: int = 10
    timedelta: str = "PT5M"
    only_unread: bool = True


class Help(_Base):
    """Say that the task cannot go on without a person, and why."""

    type: Literal["help"] = "help"
    value: str


class Completion(_Base):
    """Say that the task is done."""

    type: Literal["completion"] = "completion"
    success: bool
    answer: str


FillAction = Fill | MultiFactorFill | FallbackFill
ClickAction = Click | DoubleClick | Hover | DownloadFile
ElementAction = ClickAction | FillAction | Check | SelectDropdownOption | UploadFile | Drag
NavigationAction = Goto | GotoNewTab | CloseTab | SwitchTab | GoBack | GoForward | Reload
CloudAction = CaptchaSolve | EmailRead | SmsRead
Action = (
    NavigationAction
    | ElementAction
    | Wait
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
"""Any action. `action.type` tells which."""

ACTION_CLASSES: Final[tuple[type[_Base], ...]] = get_args(Action)
ACTION_TYPES: Final = tuple(cast(str, cls.model_fields["type"].default) for cls in ACTION_CLASSES)
"""Every action type by name, in the order of the union."""

_FIELDS: Final = {t: tuple(c.model_fields) for t, c in zip(ACTION_TYPES, ACTION_CLASSES, strict=True)}
_ADAPTER: Final[TypeAdapter[Action]] = TypeAdapter(Annotated[Action, Field(discriminator="type")])


def parse_action(raw: object, index: int = 1) -> Action:
    """One action from what a model wrote.

    `index` (from 1) is named in the error, so that a batch of eight says which one.

    Raises:
        InvalidAction: unknown type, unknown field, missing field or bad value.
    """
    if isinstance(raw, str):
        raw = _from_json(raw, f"action {index}")
    if not isinstance(raw, dict):
        raise InvalidAction(f"Action {index} is no object.", next_call='send {"type": "click", "id": "B3"}')
    # A flat schema makes some models send every field, the unused ones as null.
    fields = {str(k): v for k, v in cast(dict[Any, Any], raw).items() if v is not None}
    kind = fields.get("type")
    if kind not in _FIELDS:
        raise InvalidAction(
            f"Action {index} has an unknown type {kind!r}. Known: {', '.join(ACTION_TYPES)}.",
            next_call="the same call with a known type",
        )
    if unknown := sorted(set(fields) - set(_FIELDS[kind])):
        raise InvalidAction(
            f"Action {index} ({kind}) has unknown field(s) {', '.join(unknown)}. "
            f"It takes: {', '.join(_FIELDS[kind])}.",
            next_call="the same call without them",
        )
    fields = _lenient(kind, fields)
    try:
        return _ADAPTER.validate_python(fields)
    except ValidationError as error:
        raise InvalidAction(
            f"Action {index} ({kind}): {_reasons(error)}.", next_call="the same call, corrected"
        ) from error


def parse_actions(raw: object) -> list[Action]:
    """A batch of actions (1 to 20) from what a model wrote: a list, one object, or either as JSON.

    Raises:
        InvalidAction: naming the first action that is wrong; none has been done then.
    """
    if isinstance(raw, str):
        raw = _from_json(raw, "`actions`")
    if isinstance(raw, dict):
        raw = [raw]
    if not isinstance(raw, Sequence) or not 1 <= len(cast(Sequence[Any], raw)) <= MAX_ACTIONS:
        raise InvalidAction(f"`actions` is a list of 1 to {MAX_ACTIONS} actions.", next_call="split the batch")
    return [parse_action(item, index) for index, item in enumerate(cast(Sequence[object], raw), start=1)]


def _from_json(text: str, what: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise InvalidAction(f"{what} is no JSON: {error}.", next_call="send objects, not text") from error


def _lenient(kind: str, fields: dict[str, Any]) -> dict[str, Any]:
    """A number or a truth value where text is due becomes text; `value` of a check becomes a truth value."""
    value = fields.get("value")
    if kind not in ("check", "form_fill") and isinstance(value, (bool, int, float)):
        fields["value"] = json.dumps(value)
    return fields


def _reasons(error: ValidationError) -> str:
    """What pydantic found, without its URLs and without repeating long values."""
    found: list[str] = []
    for detail in error.errors(include_url=False, include_input=False)[:3]:
        place = ".".join(str(part) for part in detail["loc"][1:])
        text = detail["msg"].removeprefix("Value error, ")
        found.append(f"`{place}`: {text}" if place else text)
    return "; ".join(found)
