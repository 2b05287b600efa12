"""What is stored: sessions and steps, as values.

A record is the stored side of a thing; the live side is in the registry. Times
are Unix seconds (UTC) for people and for the disk; limits that are still running
are measured by the monotonic clock elsewhere.

Below: actions, observations, receipts. Above: store, registry, workflows, tools.
"""

from dataclasses import asdict, dataclass, field
from operator import attrgetter
from typing import Any, Final, Literal

from notte_mcp.receipts import Box, DialogEvent, Download, Locators, Receipt, Target

SessionState = Literal["starting", "ready", "busy", "interrupted", "stopping", "stopped", "failed"]
StepState = Literal["intended", "done", "failed", "cancelled", "outcome_unknown"]
Actor = Literal["assistant", "model", "human", "fallback", "workflow"]

LIVE_STATES: frozenset[SessionState] = frozenset({"starting", "ready", "busy", "stopping"})
"""States in which a session may have a browser."""


@dataclass(frozen=True, slots=True)
class SessionSpec:
    """How a session was asked for. Sizes in CSS px, times in minutes. `record` says that it is filmed.

    `headers` go with each request of its pages, and may hold a token: they are stored, and told nowhere.
    `cloud` are start fields of the Notte contract, for the engine `notte` alone and as their caller set them.
    `scripts_after_secrets`: its caller is the program that typed the secrets, and may run scripts in the page after.
    """

    engine: str = "local"
    cdp_url: str | None = None
    headless: bool = True
    viewport_width: int = 1280
    viewport_height: int = 800
    user_agent: str | None = None
    proxy: str | None = None
    headers: dict[str, str] = field(default_factory=dict[str, str])
    profile: str | None = None
    save_profile: bool = False
    own_browser: bool = False
    record: bool = True
    cloud: dict[str, Any] = field(default_factory=dict[str, Any])
    scripts_after_secrets: bool = False
    idle_timeout_minutes: float = 15
    max_duration_minutes: float = 240


@dataclass(frozen=True, slots=True)
class SessionRecord:
    """A session as stored. `step_count` counts steps, `view` is the last view's number.

    `seen` are the texts that stood out in the last view that a caller had after the last step (headings, messages;
    see `observations.landmarks`); empty where nobody has looked since. `remote_id` is the engine's own id of a session
    that lives on another machine, by which it is found again; empty for one of this machine.
    """

    id: str
    owner: str
    state: SessionState
    spec: SessionSpec
    created_at: float
    updated_at: float
    reason: str = ""
    url: str = ""
    title: str = ""
    step_count: int = 0
    view: int = 0
    id_counters: dict[str, int] = field(default_factory=dict[str, int])
    storage_saved_at: float | None = None
    seen: tuple[str, ...] = ()
    remote_id: str = ""


@dataclass(frozen=True, slots=True)
class Usage:
    """What an agent, or one of its steps, has used: model calls, tokens, US dollars where every call's price is known,
    seconds of work.

    `input_tokens` counts cached ones too. `seconds` leaves out the time in which it was paused or waited
    for an answer.
    """

    model_calls: int = 0
    input_tokens: int = 0
    cached_tokens: int = 0
    output_tokens: int = 0
    usd: float | None = None
    seconds: float = 0.0

    @property
    def tokens(self) -> int:
        """Tokens in and out."""
        return self.input_tokens + self.output_tokens

    def plus(self, other: "Usage") -> "Usage":
        """The sum. A price that is not known makes the sum's unknown, unless nothing was called before."""
        usd = None if self.usd is None or other.usd is None else self.usd + other.usd
        first = self.model_calls == 0
        return Usage(
            model_calls=self.model_calls + other.model_calls,
            input_tokens=self.input_tokens + other.input_tokens,
            cached_tokens=self.cached_tokens + other.cached_tokens,
            output_tokens=self.output_tokens + other.output_tokens,
            usd=other.usd if first else usd,
            seconds=self.seconds + other.seconds,
        )


@dataclass(frozen=True, slots=True)
class StepRecord:
    """One action as stored: written as an intent before the browser is touched.

    `action` is the action's fields with every secret value replaced by
    `{"secret": NAME}` (and, until the outcome is known, a value whose target
    could not be looked at first by None). A step that was done while an agent
    had the session carries the agent's id and the agent's own number for it. `saw` are
    the texts that stood out in the last view before it (`SessionRecord.seen`), at the
    first step of a batch. `usage` is what the model calls used that led to it since the agent's step before, those
    that came to nothing among them; None where no model was asked in between.
    """

    session_id: str
    number: int
    actor: Actor
    state: StepState
    action: dict[str, Any]
    started_at: float
    ended_at: float | None = None
    receipt: Receipt | None = None
    url: str = ""
    agent_id: str | None = None
    agent_step: int | None = None
    saw: tuple[str, ...] = ()
    usage: Usage | None = None

    @property
    def success(self) -> bool:
        return self.receipt is not None and self.receipt.success

    @property
    def message(self) -> str:
        if self.receipt is not None:
            return self.receipt.message
        return {"intended": "in flight", "outcome_unknown": "the server ended before its outcome was known"}.get(
            self.state, self.state
        )


_OF_RECEIPTS: Final = frozenset(Receipt.__slots__)
_OF_LOCATORS: Final = frozenset(Locators.__slots__)

_ROWS: Final = frozenset({"dialogs", "downloads"})
"""Receipt fields that hold values of their own kinds."""

_EMPTY_TELLS: Final = frozenset({"data", "value"})
"""Receipt fields whose empty value is a finding: a script's `false`, a field that was cleared."""

_SIZED: Final = (str, tuple, list, dict)
_NESTED: Final = (Target, Locators)
_PARTS: Final = {kind: attrgetter(*kind.__slots__) for kind in (Receipt, *_NESTED)}


def receipt_to_json(receipt: Receipt) -> dict[str, Any]:
    """A receipt as plain JSON values, defaults left out. What `data` holds is not copied."""
    return _compact(receipt)


def _compact(value: Receipt | Target | Locators) -> dict[str, Any]:
    # Not `asdict`: a log of a thousand steps would take most of its time to copy what it only writes down.
    small: dict[str, Any] = {}
    kept: Any
    for key, kept in zip(value.__slots__, _PARTS[type(value)](value), strict=True):
        # Most of it is empty: that is seen first.
        if kept is None or (not kept and key not in _EMPTY_TELLS and (kept is False or isinstance(kept, _SIZED))):
            continue
        if isinstance(kept, _NESTED):
            if inner := _compact(kept):
                small[key] = inner
        else:
            small[key] = tuple(asdict(one) for one in kept) if key in _ROWS else kept
    return small


def receipt_from_json(values: dict[str, Any]) -> Receipt:
    """The receipt that `receipt_to_json` wrote; unknown keys (of a newer version) are left out."""
    fields = _known(values, _OF_RECEIPTS)
    for key in ("target", "destination"):
        if key in fields:
            fields[key] = _target_from_json(fields[key])
    for key, kind in (("dialogs", DialogEvent), ("downloads", Download)):
        if key in fields:
            fields[key] = tuple(kind(**one) for one in fields[key])
    for key in ("failed_requests", "sent"):
        if key in fields:
            fields[key] = tuple(fields[key])
    fields.setdefault("success", False)
    return Receipt(**fields)


def _target_from_json(values: dict[str, Any]) -> Target:
    locators = _known(values.get("locators", {}), _OF_LOCATORS)
    for key in ("role", "row", "frame"):
        if key in locators:
            locators[key] = tuple(locators[key])
    return Target(
        id=values.get("id"),
        role=values.get("role", ""),
        name=values.get("name", ""),
        locators=Locators(**locators),
        box=_box(values.get("box")),
    )


def _known(values: dict[str, Any], names: frozenset[str]) -> dict[str, Any]:
    return values.copy() if values.keys() <= names else {k: v for k, v in values.items() if k in names}


def _box(values: Any) -> Box | None:
    """Four numbers, or None: what a newer version makes of a box is no reason to lose a step."""
    match values:
        case [float() | int() as left, float() | int() as top, float() | int() as width, float() | int() as height]:
            return float(left), float(top), float(width), float(height)
        case _:
            return None
