"""What an action really did.

A receipt is written from what the browser showed, not from what was asked:
the element that was hit, the value read back, where the page went. An action
that did nothing it was asked for is `success=False`, never a quiet success.

Below: errors, ids, observations. Above: engines, records, registry, tools.
"""

from dataclasses import dataclass, field, replace
from typing import Any, Literal

DialogKind = Literal["alert", "confirm", "prompt", "beforeunload"]


@dataclass(frozen=True, slots=True)
class Locators:
    """Every way to find the acted element that was unique when it was acted on.

    `role` is (role, exact name), `numbered` says that the name is the element's own with any numbers in the place of
    its own; `row`, where that repeats from row to row, (role of the row: row, listitem or
    article; the whole text of an element in it, as no other such row has one; role, exact name of the element, unique within the row); `frame` holds one CSS selector per enclosing
    frame from the top down; `given` is the caller's own selector. CSS and
    XPath are structural and always there, the others only where unique.
    `shadow` says that the element stands in an open shadow root (then `css`
    is a Playwright piercing chain and XPath is empty).
    """

    test_id: str | None = None
    test_id_attribute: str | None = None
    role: tuple[str, str] | None = None
    label: str | None = None
    placeholder: str | None = None
    text: str | None = None
    row: tuple[str, str, str, str] | None = None
    css: str | None = None
    xpath: str | None = None
    frame: tuple[str, ...] = ()
    shadow: bool = False
    given: str | None = None
    numbered: bool = False


Box = tuple[float, float, float, float]
"""Left, top, width and height in CSS px of the tab's viewport."""


@dataclass(frozen=True, slots=True)
class Target:
    """The element that an action reached, and where it stood then (None: it was out of sight, or nobody looked)."""

    id: str | None
    role: str
    name: str
    locators: Locators = field(default_factory=Locators)
    box: Box | None = None


@dataclass(frozen=True, slots=True)
class DialogEvent:
    """A dialog that opened, and what it was answered."""

    kind: DialogKind
    message: str
    answer: Literal["accepted", "dismissed"]


@dataclass(frozen=True, slots=True)
class Download:
    """A file that came down. `name` is its name under the session's files; `size` is in bytes."""

    name: str
    size: int
    failure: str | None = None


@dataclass(frozen=True, slots=True)
class Receipt:
    """What one action did.

    `code` and `message` tell the failure where `success` is false. `navigated` says
    that the page was left for another document; a URL that changed within one shows in
    `url_after` alone. `status` is the HTTP status of a navigation. `value` is what the
    field held afterwards (never for a secret: `secret` is the NAME it was withheld
    under). `sent` are the requests of the page that may have changed something outside, as
    `POST https://host/path` without a query. `destination` is what a `drag` ended on. `acted_at` is when the page was
    touched (Unix seconds): what it looked like before and after is told apart by it. `unsettled` says that the page was
    still changing when the action's time to settle was over.
    """

    type: str
    success: bool
    message: str = ""
    code: str = ""
    target: Target | None = None
    destination: Target | None = None
    healed: bool = False
    value: str | None = None
    secret: str | None = None
    url_before: str = ""
    url_after: str = ""
    navigated: bool = False
    status: int | None = None
    new_tab: int | None = None
    tab_closed: bool = False
    dialogs: tuple[DialogEvent, ...] = ()
    downloads: tuple[Download, ...] = ()
    failed_requests: tuple[str, ...] = ()
    sent: tuple[str, ...] = ()
    data: Any = None
    unsettled: bool = False
    acted_at: float | None = None

    @property
    def moved(self) -> bool:
        """Whether the tab stands at another URL or document than before."""
        return self.navigated or self.url_after not in ("", self.url_before)

    def but(self, **changes: Any) -> "Receipt":
        """A copy with some fields replaced."""
        return replace(self, **changes)


def unloaded(url: str, why: str) -> str:
    """That a page did not load and `why`, said once: an engine's own words may begin with it."""
    return why if " did not load" in why.partition(": ")[0] else f"{url} did not load: {why}"
