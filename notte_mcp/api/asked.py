"""An action as the contract's `page/execute` takes it: one object, told apart by `type`.

`goto` takes no field that it does not know; the others pass over what they do not know, `category` and `description`
above all. What does not fit is refused as FastAPI refuses it.

Below: calls, faults. Above: acting, results, pages.
"""

from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from notte_mcp.action_fields import FORM_FIELDS
from notte_mcp.api.calls import Contract
from notte_mcp.api.faults import invalid

SPECIAL: Final = "Special Browser Actions"
INTERACTIONS: Final = "Interaction Actions"


class Selectors(BaseModel):
    """An element's selectors (NodeSelectors), of which a caller may give some."""

    css_selector: str = ""
    xpath_selector: str = ""
    in_iframe: bool = False
    in_shadow_root: bool = False
    iframe_parent_css_selectors: list[str] = Field(default_factory=list[str])
    notte_selector: str | None = None
    playwright_selector: str | None = None
    python_selector: str | None = None


class Asked(BaseModel):
    """What all actions have."""

    model_config = ConfigDict(extra="ignore")

    category: str = SPECIAL
    description: str = ""


class Goto(Asked):
    """Open a URL in the current tab."""

    model_config = ConfigDict(extra="forbid")

    type: Literal["goto"]
    url: str
    wait_until: Literal["commit", "domcontentloaded", "load", "networkidle"] | None = None


class GotoNewTab(Asked):
    """Open a URL in a new tab."""

    type: Literal["goto_new_tab"]
    url: str


class Plain(Asked):
    """What takes no field."""

    type: Literal["close_tab", "go_back", "go_forward", "reload"]


class SwitchTab(Asked):
    """Make another tab current; -1 is the last."""

    type: Literal["switch_tab"]
    tab_index: int


class Wait(Asked):
    """Do nothing for a time."""

    type: Literal["wait"]
    time_ms: int = Field(ge=0, le=30_000)


class PressKey(Asked):
    """Press a key."""

    type: Literal["press_key"]
    key: str


class Scroll(Asked):
    """Scroll the page or a container; without an amount by a page."""

    type: Literal["scroll_up", "scroll_down"]
    amount: int | None = None
    selector: str | Selectors | None = None


class CaptchaSolve(Asked):
    """Solve a captcha."""

    type: Literal["captcha_solve"]
    captcha_type: str | None = None


class Help(Asked):
    """Ask a person."""

    type: Literal["help"]
    reason: str


class Completion(Asked):
    """Say that a task is done."""

    type: Literal["completion"]
    success: bool
    answer: str


class Scrape(Asked):
    """The page as markdown, or data out of it."""

    type: Literal["scrape"]
    instructions: str | None = None
    only_main_content: bool = False
    selector: str | None = None
    scrape_links: bool = True
    scrape_images: bool = False
    ignored_tags: list[str] | None = None
    response_format: dict[str, Any] | None = None


class Inbox(Asked):
    """Read a persona's mail or messages."""

    type: Literal["email_read", "sms_read"]
    limit: int = 10
    timedelta: str | None = "PT5M"
    only_unread: bool = True


class Verification(Asked):
    """Read a code out of a mail."""

    type: Literal["email_verification_read"]
    mailbox_id: str = Field(min_length=1)
    sender_domain: str = Field(min_length=1)
    max_age_seconds: int = Field(default=300, ge=30, le=900)


class EvaluateJs(Asked):
    """Run JavaScript in the page."""

    type: Literal["evaluate_js"]
    code: str


class FormFill(Asked):
    """Fill a form by what its fields are for."""

    type: Literal["form_fill"]
    value: dict[str, str] = Field(min_length=1)

    @model_validator(mode="after")
    def _known(self) -> "FormFill":
        if unknown := sorted(set(self.value) - set(FORM_FIELDS)):
            raise ValueError(f"unknown form fields {unknown}; known: {', '.join(FORM_FIELDS)}")
        return self


class Interaction(Asked):
    """What is done with one element, by id or by selector. `timeout` is in ms; 0 is the default."""

    category: str = INTERACTIONS
    id: str = ""
    selector: str | Selectors | None = None
    press_enter: bool | None = None
    text_label: str | None = None
    accessible_name: str | None = None
    timeout: int = Field(default=15_000, ge=0)

    @model_validator(mode="after")
    def _aimed(self) -> "Interaction":
        if not self.id and not self.selector:
            raise ValueError("either `id` or `selector` must be given")
        return self


class Click(Interaction):
    """Click, or click for a download."""

    type: Literal["click", "download_file"]


class Fill(Interaction):
    """Put text into a field."""

    type: Literal["fill", "multi_factor_fill", "fallback_fill"]
    value: str
    clear_before_fill: bool = True


class Check(Interaction):
    """Set a checkbox."""

    type: Literal["check"]
    value: bool


class Select(Interaction):
    """Choose an option."""

    type: Literal["select_dropdown_option"]
    value: str


class Upload(Interaction):
    """Give a file to a file input; `file_path` is an uploaded file's name."""

    type: Literal["upload_file"]
    file_path: str


AnyAsked = Annotated[
    Goto | GotoNewTab | Plain | SwitchTab | Wait | PressKey | Scroll | CaptchaSolve | Help | Completion | Scrape
    | Inbox | Verification | EvaluateJs | FormFill | Click | Fill | Check | Select | Upload,
    Field(discriminator="type"),
]  # fmt: skip

_ADAPTER: Final[TypeAdapter[AnyAsked]] = TypeAdapter(AnyAsked)


def asked_of(given: Any, contract: Contract, *at: str) -> AnyAsked:
    """The action that a body, or its part `at`, asks for. Raises: ApiFault (422)."""
    try:
        return _ADAPTER.validate_python(given, extra="ignore" if contract == "1.9" else None)
    except ValidationError as error:
        raise invalid(error, at=at) from error


def echoed(asked: AnyAsked) -> dict[str, Any]:
    """The action as an answer tells it."""
    told = asked.model_dump(mode="json")
    return told if told["description"] else {name: value for name, value in told.items() if name != "description"}
