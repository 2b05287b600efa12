"""Recorded steps as a workflow: what to do again, with what was typed lifted to parameters.

A workflow is a value that says nothing of any language. Its steps hold parsed
actions, so that a new action leaves the type checker pointing at each writer to
finish, and never an element id, a secret or a fixed wait.

Below: actions, receipts, records, errors. Above: the script writers.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from notte_mcp.actions import (
    Action,
    Drag,
    FallbackFill,
    Fill,
    FormFill,
    Goto,
    GotoNewTab,
    HandleDialog,
    MultiFactorFill,
    PressKey,
    Scrape,
    SelectDropdownOption,
    UploadFile,
    Wait,
    WaitFor,
)
from notte_mcp.batches import parse_action
from notte_mcp.errors import InvalidAction
from notte_mcp.receipts import Locators
from notte_mcp.records import SessionSpec, StepRecord
from notte_mcp.workflows.arrivals import arrival, beginning, ending
from notte_mcp.workflows.folding import done, kept_steps, kind, receipt_of
from notte_mcp.workflows.lifting import Lifter, Value, marked_name, secret_names
from notte_mcp.workflows.parameters import Parameter
from notte_mcp.workflows.targets import aimed, destination_of, target_of
from notte_mcp.workflows.urls import anonymous, openable
from notte_mcp.workflows.whole_text import whole

AIMS: Final = ("id", "selector", "to_id", "to_selector")
"""Fields of an action that say where: a step has locators instead."""


@dataclass(frozen=True, slots=True)
class WorkflowStep:
    """One thing to do again, or (without an action) one comment.

    `value` and `form` hold what the action's own fields held, lifted; `locators`
    and `destination` say where, in place of any id, and `role` what stands there. `leads_to` is the pattern of
    the address that the step ends at; `anew` says that the address before fits
    it too, so that only a navigation tells them apart. `name` is what the element was
    called. `agent_id` is the agent's that did it. `sends` are the requests that it made
    which may have changed something outside (`Receipt.sent`), and `effect` says in words
    what repeating it would do again ("" where it only looks: see `effects`). `awaits` are
    texts that were on the page before a step that reads it. `called` is the element's name in parts, where what was
    typed is part of it: with other values it is another element's. `shape` is the JSON Schema
    of the data that a reading step gave.
    """

    number: int
    action: Action | None = None
    value: Value | None = None
    form: tuple[tuple[str, Value], ...] = ()
    role: str = ""
    locators: Locators | None = None
    destination: Locators | None = None
    leads_to: str | None = None
    anew: bool = False
    opens_tab: bool = False
    closes_tab: bool = False
    downloads: bool = False
    answers: bool = False
    comment: str = ""
    name: str = ""
    agent_id: str | None = None
    sends: tuple[str, ...] = ()
    effect: str = ""
    awaits: tuple[str, ...] = ()
    called: Value | None = None
    shape: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Workflow:
    """Steps with the parameters they need. `start_url` is where it begins. What a run can be checked by: `final_url`,
    the pattern of where it ended, and `expects`, texts that were to be seen there. `tasks` are the agents' that did
    some of the steps, by agent id."""

    steps: tuple[WorkflowStep, ...]
    parameters: tuple[Parameter, ...]
    spec: SessionSpec
    start_url: str = ""
    final_url: str | None = None
    expects: tuple[str, ...] = ()
    tasks: tuple[tuple[str, str], ...] = ()

    @property
    def empty(self) -> bool:
        """Whether nothing is done at all."""
        return not any(step.action for step in self.steps)


def to_workflow(steps: Sequence[StepRecord], spec: SessionSpec, *, keep_failed: bool) -> Workflow:
    """What these steps come to (see `folding.kept_steps`); with `keep_failed` the failed ones stay as comments."""
    lifter = Lifter(secret_names(steps))
    kept = kept_steps(steps)
    places = {(step.session_id, step.number): place for place, step in enumerate(kept)}
    written: list[WorkflowStep] = []
    for step in steps:
        place = places.get((step.session_id, step.number))
        if place is not None:
            following = kept[place + 1] if place + 1 < len(kept) else None
            written.append(_step(step, following, steps, lifter))
        elif keep_failed and not done(step):
            written.append(WorkflowStep(step.number, comment=f"{_described(step)}: {step.message or step.state}"))
    written = _from_the_start(written, kept, lifter)
    start_url = next((s.action.url for s in written if isinstance(s.action, Goto | GotoNewTab)), "")
    return whole(
        Workflow(
            tuple(written),
            tuple(lifter.parameters.by_name.values()),
            _kept(spec),
            start_url=openable(start_url) if start_url else "",
            final_url=ending(kept, lifter.typed_texts),
        )
    )


def _kept(spec: SessionSpec) -> SessionSpec:
    """What another run begins with: neither somebody's own browser nor a password of a proxy."""
    return replace(spec, cdp_url=None, proxy=anonymous(spec.proxy) if spec.proxy else spec.proxy)


def _step(step: StepRecord, following: StepRecord | None, steps: Sequence[StepRecord], lifter: Lifter) -> WorkflowStep:
    action = _parsed(step)
    if action is None:
        return WorkflowStep(step.number, comment=f"{_described(step)}: left out, its record cannot be read")
    if isinstance(action, Wait):
        what = f"the recording waited {action.time_ms} ms here: wait for what the next step needs instead"
        return WorkflowStep(step.number, comment=what)
    locators, destination = target_of(step, action, steps), destination_of(step, action, steps)
    if (aimed(action) and locators is None) or (isinstance(action, Drag) and destination is None):
        return WorkflowStep(step.number, comment=f"{_described(step)}: left out, its element was not recorded")
    value, form = _lifted(step, action, lifter)
    leads_to, anew = arrival(step, following, lifter.typed_texts)
    receipt = receipt_of(step)
    return WorkflowStep(
        step.number,
        _emptied(action),
        value=value,
        form=form,
        role=receipt.target.role if receipt.target is not None else "",
        locators=locators,
        destination=destination,
        leads_to=leads_to,
        anew=anew,
        opens_tab=receipt.new_tab is not None and kind(step) != "goto_new_tab",
        closes_tab=receipt.tab_closed and kind(step) != "close_tab",
        downloads=action.type == "download_file" or any(not file.failure for file in receipt.downloads),
        answers=receipt.data is not None,
    )


def _from_the_start(written: list[WorkflowStep], kept: Sequence[StepRecord], lifter: Lifter) -> list[WorkflowStep]:
    """The steps after a `goto` to where they began, unless they begin with one."""
    first = next((step.action for step in written if step.action is not None), None)
    start = beginning(kept)
    if start is None or first is None or isinstance(first, Goto | GotoNewTab):
        return written
    # Not checked again: a page was there, whatever a caller's address may look like.
    return [WorkflowStep(0, Goto.model_construct(url=start), value=lifter.url(start)), *written]


def _parsed(step: StepRecord) -> Action | None:
    """The action with an empty text wherever a secret was withheld; None for one that this version does not know."""
    raw = dict(step.action)
    value = raw.get("value")
    if kind(step) == "form_fill" and isinstance(value, dict):
        raw["value"] = {name: text if isinstance(text, str) else "" for name, text in _items(value)}
    elif marked_name(value) is not None or (value is None and "value" in raw and kind(step) != "wait_for"):
        raw["value"] = ""
    for name, stand_in in (("answer", ""), ("key", "?")):
        if marked_name(raw.get(name)) is not None:
            raw[name] = stand_in
    try:
        return parse_action(raw)
    except InvalidAction:
        return None


def _items(value: Any) -> list[tuple[str, Any]]:
    return list(value.items())


def _lifted(step: StepRecord, action: Action, lifter: Lifter) -> tuple[Value | None, tuple[tuple[str, Value], ...]]:
    """What the action holds besides its type and target: one value, or a form's."""
    value: Value | None = None
    match action:
        case Fill() | MultiFactorFill() | FallbackFill() | SelectDropdownOption():
            value = lifter.typed(step)
        case UploadFile():
            value = lifter.path(step)
        case Goto() | GotoNewTab():
            value = lifter.url(action.url)
        case HandleDialog() if action.answer is not None:
            value = lifter.answer(step.action.get("answer"))
        case WaitFor() if action.value or action.gone:
            value = lifter.literal(action.value or action.gone or "")
        case PressKey():
            value = lifter.key(step.action.get("key"))
        case _:
            pass
    return value, lifter.form(step.action.get("value")) if isinstance(action, FormFill) else ()


def _emptied(action: Action) -> Action:
    """The action without what was lifted from it, and without an id: a secret that a record should not hold ends
    here."""
    changes: dict[str, Any] = {}
    match action:
        case Fill() | MultiFactorFill() | FallbackFill() | SelectDropdownOption():
            changes = {"value": ""}
        case FormFill():
            changes = {"value": dict.fromkeys(action.value, "")}
        case Goto() | GotoNewTab():
            changes = {"url": openable(action.url)}
        case _:
            pass
    return without_aims(action.model_copy(update=changes))


def without_aims(action: Action) -> Action:
    """The action without what it is aimed at. A `scrape`'s selector says what is read, and stays."""
    if isinstance(action, Scrape):
        return action
    return action.model_copy(update={name: None for name in AIMS if name in type(action).model_fields})


# --- words ---------------------------------------------------------------------


def _described(step: StepRecord) -> str:
    """`step 4, click on button "Send"`, with its outcome where it is none."""
    target = receipt_of(step).target
    place = f' on {target.role} "{target.name}"' if target is not None else ""
    outcome = (
        ""
        if done(step)
        else {"done": " failed", "outcome_unknown": " (outcome unknown)"}.get(step.state, f" {step.state}")
    )
    return f"step {step.number}, {kind(step) or 'action'}{place}{outcome}"
