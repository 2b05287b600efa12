"""Recorded steps generalised: what to do again, with what was typed lifted to parameters.

Below: workflow and what it stands on, by_hand, folding, lifting, arrivals, effects. Above: the package's `generalise`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, cast

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
    SelectDropdownOption,
    UploadFile,
    Wait,
    WaitFor,
)
from notte_mcp.batches import parse_action
from notte_mcp.errors import InvalidAction
from notte_mcp.records import SessionSpec, StepRecord
from notte_mcp.workflows.arrivals import arrival, beginning, ending, seen_at_end
from notte_mcp.workflows.by_hand import told_as_deeds
from notte_mcp.workflows.effects import effect_of
from notte_mcp.workflows.folding import acts, done, kept_steps, kind, receipt_of, sets
from notte_mcp.workflows.landmark_texts import fresh, lasting
from notte_mcp.workflows.lifting import Lifter, Value, marked_name, secret_names
from notte_mcp.workflows.locators import spoken
from notte_mcp.workflows.numbers import settled
from notte_mcp.workflows.pauses import pause_after, seen_before, within_frames
from notte_mcp.workflows.shapes import shape_of
from notte_mcp.workflows.targets import aimed, destination_of, target_of
from notte_mcp.workflows.urls import anonymous, openable
from notte_mcp.workflows.whole_text import whole
from notte_mcp.workflows.workflow import Workflow, WorkflowStep, without_aims


def to_workflow(
    steps: Sequence[StepRecord],
    spec: SessionSpec,
    *,
    keep_failed: bool,
    seen: Sequence[str] = (),
    url: str = "",
    tasks: Mapping[str, str] | None = None,
) -> Workflow:
    """What these steps come to (see `folding.kept_steps`); with `keep_failed` the failed ones stay as comments."""
    steps = told_as_deeds(steps)
    kept = kept_steps(steps)
    recording = _Recording(steps, kept, Lifter(secret_names(steps)), seen_at_end(steps, kept, url))
    written = recording.from_the_start(recording.written(keep_failed=keep_failed))
    start_url = next((s.action.url for s in written if isinstance(s.action, Goto | GotoNewTab)), "")
    agents = {step.agent_id for step in written}
    lifter = recording.lifter
    return whole(
        Workflow(
            tuple(written),
            tuple(lifter.parameters.by_name.values()),
            _kept(spec),
            start_url=openable(start_url) if start_url else "",
            final_url=ending(recording.kept, lifter.typed_texts, end=recording.end),
            expects=recording.expected(seen),
            tasks=tuple((agent, task) for agent, task in (tasks or {}).items() if agent in agents),
        )
    )


@dataclass(frozen=True, slots=True)
class _Recording:
    """All recorded steps, those that are done again, what is lifted out of them, and where they were seen to end."""

    steps: Sequence[StepRecord]
    kept: Sequence[StepRecord]
    lifter: Lifter
    end: str = ""

    def written(self, *, keep_failed: bool) -> list[WorkflowStep]:
        places = {(step.session_id, step.number): place for place, step in enumerate(self.kept)}
        written: list[WorkflowStep] = []
        for step in self.steps:
            place = places.get((step.session_id, step.number))
            if place is not None:
                found = self._step(step, place)
                written += [found] if found is not None else []
            elif step.state in ("outcome_unknown", "intended"):
                what = f"{_described(step, self.steps)}: left out, since nobody knows whether it happened"
                written.append(WorkflowStep(step.number, comment=what))
            elif keep_failed and not done(step):
                why = step.message.partition(" Next: ")[0]  # a call of a tool is nothing to a script's reader
                written.append(WorkflowStep(step.number, comment=f"{_described(step)}: {why or step.state}"))
            elif keep_failed and kind(step) == "scrape":
                written.append(WorkflowStep(step.number, comment=f"{_described(step)}: read the page on the way"))
        return written

    def expected(self, seen: Sequence[str]) -> tuple[str, ...]:
        """What a run can be told by at its end, of the texts that were seen there.

        One that stood there before the last thing was done says nothing about it; only where that led to another page
        the first of them still says which.
        """
        if within_frames(self.kept):
            return ()
        typed, last = self.lifter.typed_texts, next((step for step in reversed(self.kept) if acts(step)), None)
        if last is None:
            return lasting(seen, typed)
        old = [text for step in self.steps if step.number <= last.number for text in step.saw]
        fields = [target.name for step in self.kept if sets(step) and (target := receipt_of(step).target)]
        return lasting(fresh(seen, (*old, *fields)), typed) or (
            lasting(seen, typed, most=1) if receipt_of(last).moved else ()
        )

    def _step(self, step: StepRecord, place: int) -> WorkflowStep | None:
        action = _parsed(step)
        if action is None:
            return WorkflowStep(step.number, comment=f"{_described(step)}: left out, its record cannot be read")
        if isinstance(action, Wait):
            return self._waited(step, action, place)
        locators, destination = target_of(step, action, self.steps), destination_of(step, action, self.steps)
        if (aimed(action) and locators is None) or (isinstance(action, Drag) and destination is None):
            return WorkflowStep(step.number, comment=f"{_described(step)}: left out, its element was not recorded")
        target = receipt_of(step).target
        # Before its own value is lifted: no element is called what will be typed into it.
        called = self.lifter.called(spoken(locators)) if locators is not None else None
        typed = self.lifter.typed_texts
        value, form = _lifted(step, self._after(place), action, self.lifter)
        plain = WorkflowStep(
            step.number,
            _emptied(action),
            value=value,
            form=form,
            role=target.role if target is not None else "",
            name=target.name if target is not None else "",
            locators=settled(locators, typed, called=called is not None),
            destination=settled(destination, typed),
            called=called,
            agent_id=step.agent_id,
        )
        return self._with_outcome(plain, step, place)

    def _with_outcome(self, plain: WorkflowStep, step: StepRecord, place: int) -> WorkflowStep:
        """The step with what its receipt says that it brought."""
        following = self._after(place)
        receipt = receipt_of(step)
        leads_to, anew = arrival(step, following, self.lifter.typed_texts, end=self.end)
        awaits = seen_before(self.kept, place, self.lifter.typed_texts)
        return replace(
            plain,
            leads_to=leads_to,
            anew=anew,
            opens_tab=receipt.new_tab is not None and kind(step) != "goto_new_tab",
            closes_tab=receipt.tab_closed and kind(step) != "close_tab",
            downloads=kind(step) == "download_file" or any(not file.failure for file in receipt.downloads),
            answers=receipt.data is not None,
            sends=receipt.sent,
            effect=effect_of(step, self.kept[:place]),
            awaits=awaits,
            pause=pause_after(self.kept, place, self.lifter.typed_texts) if leads_to is None else "",
            shape=shape_of(receipt.data) if receipt.data is not None else None,
        )

    def _after(self, place: int) -> StepRecord | None:
        return self.kept[place + 1] if place + 1 < len(self.kept) else None

    def _waited(self, step: StepRecord, action: Wait, place: int) -> WorkflowStep | None:
        """What is left of a fixed wait: nothing where a condition takes its place, else a comment."""
        typed = self.lifter.typed_texts
        replaced = place + 1 < len(self.kept) and seen_before(self.kept, place + 1, typed)
        if replaced or (place and pause_after(self.kept, place - 1, typed)):
            return None
        what = f"the recording waited {action.time_ms} ms here: wait for what the next step needs instead"
        return WorkflowStep(step.number, comment=what)

    def from_the_start(self, written: list[WorkflowStep]) -> list[WorkflowStep]:
        """The steps after a `goto` to where they began, unless they begin with one."""
        first = next((step.action for step in written if step.action is not None), None)
        start = beginning(self.kept)
        if start is None or first is None or isinstance(first, Goto | GotoNewTab):
            return written
        # Not checked again: a page was there, whatever a caller's address may look like.
        return [WorkflowStep(0, Goto.model_construct(url=start), value=self.lifter.url(start)), *written]


def _kept(spec: SessionSpec) -> SessionSpec:
    """What another run begins with: neither somebody's own browser, or open session, nor what may be a password."""
    proxy = anonymous(spec.proxy) if spec.proxy else spec.proxy
    return replace(spec, cdp_url=None, proxy=proxy, headers={}, cloud=_kept_cloud(spec.cloud))


def _kept_cloud(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The same of a cloud session's start fields; its login state is begun with and not written again."""
    kept = {name: value for name, value in fields.items() if name not in _OF_ONE_RUN}
    if isinstance(kept.get("proxies"), list):
        proxies = cast(list[dict[str, Any]], kept["proxies"])
        kept["proxies"] = [{k: v for k, v in one.items() if k not in _SECRETIVE} for one in proxies]
    if "profile" in kept:
        kept["profile"] = {**kept["profile"], "persist": False}
    return kept


_OF_ONE_RUN: Final = frozenset({"session_id", "cdp_url", "extra_http_headers"})
_SECRETIVE: Final = frozenset({"username", "password", "oauth_client_id", "oauth_client_secret"})


def _parsed(step: StepRecord) -> Action | None:
    """The action with an empty text wherever a secret was withheld; None for one that this version does not know."""
    raw = dict(step.action)
    value = raw.get("value")
    if kind(step) == "form_fill" and isinstance(value, dict):
        raw["value"] = {
            name: text if isinstance(text, str) else "" for name, text in cast(dict[str, Any], value).items()
        }
    elif marked_name(value) is not None or (value is None and "value" in raw and kind(step) != "wait_for"):
        raw["value"] = ""
    for name, stand_in in (("answer", ""), ("key", "?")):
        if marked_name(raw.get(name)) is not None:
            raw[name] = stand_in
    try:
        return parse_action(raw)
    except InvalidAction:
        return None


def _lifted(
    step: StepRecord, following: StepRecord | None, action: Action, lifter: Lifter
) -> tuple[Value | None, tuple[tuple[str, Value], ...]]:
    """What the action holds besides its type and target: one value, or a form's."""
    value: Value | None = None
    match action:
        case Fill() | MultiFactorFill() | FallbackFill() | SelectDropdownOption():
            value = lifter.typed(step, following)
        case UploadFile():
            value = lifter.path(step)
        case Goto() | GotoNewTab():
            value = lifter.url(action.url)
        case HandleDialog() if action.answer is not None:
            value = lifter.answer(step.action.get("answer"))
        case WaitFor() if action.value or action.gone:
            value = lifter.spoken(action.value or action.gone or "")
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


# --- words ---------------------------------------------------------------------


def _described(step: StepRecord, steps: Sequence[StepRecord] = ()) -> str:
    """`step 4, click on button "Send"`, with its outcome where it is none.

    What has no receipt is named by what any of the `steps` learnt of its element.
    """
    named = step.action.get("id")
    known = (target for one in steps if named and (target := receipt_of(one).target) and target.id == named)
    target = receipt_of(step).target or next(known, None)
    where = named or step.action.get("selector")
    place = f' on {target.role} "{target.name}"' if target is not None else f" on {where}" if steps and where else ""
    outcome = (
        ""
        if done(step)
        else {"done": " failed", "outcome_unknown": " (outcome unknown)"}.get(step.state, f" {step.state}")
    )
    return f"step {step.number}, {kind(step) or 'action'}{place}{outcome}"
