"""What runs say when they cannot do what was asked: texts only.

Below: errors, ids, workflow_records. Above: values, runs.
"""

from collections.abc import Iterable, Sequence

from notte_mcp.errors import InvalidArgument, LimitReached, ModelMissing, UnknownRun, UnknownWorkflow
from notte_mcp.ids import is_agent_id, is_run_id, is_session_id
from notte_mcp.workflow_records import RunRecord
from notte_mcp.workflows import Parameter

MAX_LISTED = 10
"""Names that a refusal lists."""


def unknown_run(run_id: str) -> UnknownRun:
    """No run has this id."""
    return UnknownRun(f"There is no run {run_id!r}.", next_call="notte_status() lists what there is")


def unknown_workflow(name: str, known: Sequence[str]) -> UnknownWorkflow:
    """No workflow has this name, or not this version."""
    listed = ", ".join(known[:MAX_LISTED])
    there = f"There are: {listed}{', ...' if len(known) > MAX_LISTED else ''}." if known else "None is saved yet."
    return UnknownWorkflow(
        f"There is no workflow {name!r}. {there}",
        next_call="the same call with one of these"
        if known
        else 'notte_workflow_code(id=..., save_as="...") saves a session\'s',
    )


def bad_name(name: str) -> InvalidArgument:
    """A name that could not be part of an address."""
    return InvalidArgument(
        f"{name!r} is no name for a workflow: 1 to 64 letters, digits, '-', '_' and '.', a letter or digit first.",
        next_call='the same call with a name such as "weekly-orders"',
    )


def full(limit: int, live: Sequence[RunRecord]) -> LimitReached:
    """All places are taken; those that are just being started are not among the `live` yet."""
    listed = "; ".join(f"{one.id} ({one.workflow or one.source}, {one.step_count} steps)" for one in live)
    first = f'notte_status(id="{live[0].id}", wait_seconds=40, until="done")' if live else "the same call in a moment"
    return LimitReached(
        f"This server does at most {limit} runs at once; now: {listed or 'as many are starting'}.",
        next_call=f"{first}, or notte_stop one",
    )


def ending() -> InvalidArgument:
    """Nothing begins any more."""
    return InvalidArgument("This server is ending.", next_call="the same call again")


def unknown_parameters(unknown: Iterable[str], known: Sequence[Parameter]) -> InvalidArgument:
    """Names that the workflow has not."""
    names = ", ".join(f"{one.name}{' (secret)' if one.secret else ''}" for one in known)
    return InvalidArgument(
        f"The workflow has no parameter {', '.join(map(repr, sorted(unknown)))}. "
        + (f"It has: {names}." if names else "It has none."),
        next_call="the same call with these names",
    )


def no_text(name: str, value: object) -> InvalidArgument:
    """A value that cannot be typed."""
    return InvalidArgument(
        f"The parameter {name} is a text, and not a {type(value).__name__}.",
        next_call=f'the same call with "{name}" as a text',
    )


def no_file(name: str, path: str, verified: str | None) -> InvalidArgument:
    """A path with no file behind it."""
    return InvalidArgument(
        f"The parameter {name} is a file, and there is none at {path!r}, nor among the files of the session that was "
        "recorded.",
        next_call=_given(name, "the absolute path of a file", verified),
    )


def no_secret(parameter: Parameter, verified: str | None) -> InvalidArgument:
    """A secret that nobody knows."""
    live = " or verify while its session is live," if verified is not None else ""
    return InvalidArgument(
        f"The secret {parameter.name} has no value: the session it was typed in is not live any more, and the "
        f"environment variable {parameter.env} is not set.",
        next_call=f"set {parameter.env} in the environment of notte-mcp and restart it,{live} or "
        f"{_given(parameter.name, 'its value', verified)} (it is not written down)",
    )


def no_value(parameter: Parameter, verified: str | None) -> InvalidArgument:
    """A text with no recorded default."""
    return InvalidArgument(
        f"The parameter {parameter.name} has no recorded value and needs one.",
        next_call=_given(parameter.name, "a text", verified),
    )


def no_model() -> ModelMissing:
    """Nobody is there to mend a step."""
    return ModelMissing(
        "heal=true needs a model, and none is configured.",
        next_call="the same call without heal: a run that fails leaves its page open to you; "
        "or set NOTTE_MCP_MODEL and restart the server",
    )


def _given(name: str, what: str, verified: str | None) -> str:
    """How a parameter is given; verifying takes none."""
    if verified is None:
        return f'the same call with "{name}": {what} among the parameters'
    named = "id" if is_session_id(verified) or is_agent_id(verified) or is_run_id(verified) else "name"
    return f'notte_run_workflow({named}="{verified}", parameters={{"{name}": ...}}) with {what}, which runs all of it'
