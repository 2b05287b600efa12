"""A recorded step in the shapes of the contract.

    typed   elements {"type", "value"}: agent_step_start, agent_completion, execution_result, agent_step_stop (1.10)
    legacy  one AgentCompletion a step: {"state", "action", "started_at", "ended_at"} (1.9)
    flat    {"action", "success", "message", "url"}, which stands in every legacy step besides: who reads steps by
            hand reads these, and the SDK's parser lets them pass

Pure: what an agent thought and what came before are given. Secrets are names here as they are in the record:
`[secret PASSWORD]`. What was seen between the steps is not on record, so there are no `observation` elements.

Below: asked, results; records, step_text, workflows.locators. Above: trajectory.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, cast

from notte_mcp.api import asked, results
from notte_mcp.api.faults import ApiFault
from notte_mcp.api.moments import moment
from notte_mcp.api.results import Outcome, detail
from notte_mcp.records import StepRecord
from notte_mcp.step_text import step_line
from notte_mcp.workflows.locators import selector

OURS: Final = frozenset({"wait_for", "hover", "double_click", "drag", "handle_dialog"})
"""Actions that the contract does not know. A legacy step says `wait` in their place (`click` for a double one), with
what was really done under `own`, since its reader takes no other type and would give up the whole list."""

REFUSED: Final = "refused"
"""The code of a completion whose answer was not accepted: the agent goes on."""

_NAMED_OTHERWISE: Final[Mapping[tuple[str, str], str]] = {
    ("help", "value"): "reason",
    ("upload_file", "path"): "file_path",
    ("scrape", "response_schema"): "response_format",
}
_NO_TIMEOUT: Final = frozenset({"goto", "goto_new_tab"})
_BY_HAND: Final = "A person did this in between."


def action_of(step: StepRecord) -> dict[str, Any]:
    """The step's action as the contract spells it, the element's selector with it where it was found."""
    kind = str(step.action.get("type", ""))
    given: dict[str, Any] = {"type": kind}
    for name, value in step.action.items():
        if name == "timeout_ms":
            given |= {} if kind in _NO_TIMEOUT else {"timeout": value}
        elif name != "type":
            given[_NAMED_OTHERWISE.get((kind, name), name)] = _plain(value)
    target = step.receipt.target if step.receipt is not None else None
    if target is not None and "selector" not in given and (way := selector(target.locators)) != "xpath=None":
        given["selector"] = way
    return given


def _plain(value: Any) -> Any:
    """A value without our mark of a secret, of which only the name is known; a withheld one is empty."""
    match value:
        case None:
            return ""
        case {"secret": str(name)}:
            return f"[secret {name}]"
        case dict():
            return {key: _plain(inner) for key, inner in cast(dict[str, Any], value).items()}
        case _:
            return value


def outcome_of(step: StepRecord) -> Outcome:
    """What came of it, in the words and classes that an `execute` of the same action is answered with."""
    said = step.message or step_line(step)
    if step.receipt is None:
        return results.failed(results.kind_of(step.state), said)
    try:
        wanted = asked.asked_of(action_of(step), "1.9")
    except ApiFault:  # one of ours
        code, kind = step.receipt.code, str(step.action.get("type"))
        found = results.Outcome(said) if step.success else results.failed(results.kind_of(code, kind), said)
    else:
        found = results.outcome_of(wanted, [step.receipt], "")
    if found.failure is None and found.data is None and step.receipt.data is not None:
        return replace(found, data=_data(step.receipt.data))
    return found if found.said else replace(found, said=said)


def _data(found: Any) -> dict[str, Any]:
    """What it brought: a DataSpace."""
    text = found if isinstance(found, str) else json.dumps(found, indent=2, ensure_ascii=False)
    return {"markdown": text, "structured": None}


# --- typed ----------------------------------------------------------------------


def result_of(step: StepRecord, outcome: Outcome) -> dict[str, Any]:
    """What came of it: an ExecutionResult."""
    failure = outcome.failure
    return {
        "started_at": moment(step.started_at),
        "ended_at": moment(_ended(step)),
        "action": action_of(step),
        "success": failure is None,
        "message": outcome.said,
        "data": outcome.data,
        "exception": None if failure is None else failure.said,
        "exception_detail": None if failure is None else detail(failure),
    }


def width(step: StepRecord) -> int:
    """How many elements `typed` makes of it."""
    return 1 if step.agent_id is None else 4


def element(kind: str, value: dict[str, Any]) -> dict[str, Any]:
    """One element of a trajectory."""
    return {"type": kind, "value": value}


def typed(step: StepRecord, outcome: Outcome, thought: "Thought") -> list[dict[str, Any]]:
    """The elements of a step: of one that no agent did, its result alone."""
    result = element("execution_result", result_of(step, outcome))
    if step.agent_id is None:
        return [result]
    which = {"step_number": (step.agent_step or 1) - 1, "agent_id": step.agent_id}
    return [
        element("agent_step_start", {**which, "started_at": moment(step.started_at)}),
        element("agent_completion", completion_of(step, thought)),
        result,
        element("agent_step_stop", {**which, "ended_at": moment(_ended(step))}),
    ]


# --- a completion -----------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Thought:
    """What an agent thought of a step, and what had come of its step before (None: it is its first)."""

    text: str = ""
    before: "Outcome | None" = None
    url: str = ""


def completion_of(step: StepRecord, thought: Thought) -> dict[str, Any]:
    """What the agent decided: an AgentCompletion."""
    return {
        "state": _state(step, thought),
        "action": action_of(step),
        "started_at": moment(step.started_at),
        "ended_at": moment(_ended(step)),
    }


def _state(step: StepRecord, thought: Thought) -> dict[str, Any]:
    before = thought.before
    went = "unknown" if before is None else "success" if before.failure is None else "failure"
    target = step.receipt.target if step.receipt is not None else None
    named = [{"id": target.id, "reason": f"{target.role} {target.name}".strip()}] if target and target.id else []
    where = step.receipt.url_before if step.receipt is not None else ""
    return {
        "previous_goal_status": went,
        "previous_goal_eval": "Nothing was done before." if before is None else before.said,
        "page_summary": where or thought.url or step.url,
        "relevant_interactions": named,
        "memory": "",
        "next_goal": _BY_HAND if step.actor == "human" else thought.text,
    }


def legacy(step: StepRecord, outcome: Outcome, thought: Thought) -> dict[str, Any]:
    """A step as SDKs before 1.10 parse it, with the flat shape's keys."""
    completion = completion_of(step, thought)
    if (kind := step.action.get("type")) in OURS:
        own = completion["action"]
        took_ms = min(30_000, round((_ended(step) - step.started_at) * 1000))
        aimed = {name: own[name] for name in ("id", "selector") if name in own}
        known: dict[str, Any] = {"type": "wait", "time_ms": took_ms}
        completion |= {"action": {"type": "click", **aimed} if kind == "double_click" else known, "own": own}
    return {**completion, "success": outcome.failure is None, "message": outcome.said, "url": step.url or None}


def _ended(step: StepRecord) -> float:
    """When it was over; one whose outcome nobody knows has no other time than its beginning."""
    return max(step.started_at, step.ended_at or step.started_at)
