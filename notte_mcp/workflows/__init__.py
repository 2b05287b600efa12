"""Scripts out of recorded steps: `generalise` makes a workflow of them, `write` a script of a workflow.

Everything here is a pure function of records: no page is looked at, no file is
written, nothing is run. Below: records. Above: runs, tools, resources.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from notte_mcp.errors import InvalidArgument
from notte_mcp.records import SessionSpec, StepRecord
from notte_mcp.workflows.generalising import to_workflow
from notte_mcp.workflows.heading import Provenance
from notte_mcp.workflows.json_actions import write_json
from notte_mcp.workflows.notte import write_notte
from notte_mcp.workflows.parameters import Parameter
from notte_mcp.workflows.playwright import write_playwright
from notte_mcp.workflows.pytest import write_pytest
from notte_mcp.workflows.stored import dump, load
from notte_mcp.workflows.workflow import Workflow, WorkflowStep

__all__ = [
    "Code", "Parameter", "Provenance", "Style", "Target", "Workflow", "WorkflowStep",
    "dump", "generalise", "load", "write", "write_code",
]  # fmt: skip

Target = Literal["playwright", "pytest", "notte", "json"]
Style = Literal["sync", "async"]


@dataclass(frozen=True, slots=True)
class Code:
    """A script's whole text and what it is given from outside."""

    code: str
    parameters: tuple[Parameter, ...]


def generalise(
    steps: Sequence[StepRecord],
    spec: SessionSpec,
    *,
    keep_failed: bool = False,
    seen: Sequence[str] = (),
    url: str = "",
    tasks: Mapping[str, str] | None = None,
) -> Workflow:
    """The recorded steps as a workflow.

    `seen` are the texts that stood out after the last of these steps and `url` is where the page stood then
    (`SessionRecord`), `tasks` are the agents' by agent id. With `keep_failed` the steps that failed stay as comments.

    Raises:
        InvalidArgument: no step is worth repeating; it says why.
    """
    workflow = to_workflow(steps, spec, keep_failed=keep_failed, seen=seen, url=url, tasks=tasks)
    if workflow.empty or not workflow.opens:
        failed = "no step of it succeeded." if workflow.empty else "it never left about:blank."
        what = f"Nothing to write: {failed if steps else 'no step is recorded yet.'}"
        raise InvalidArgument(what, next_call='notte_execute, for example with [{"type": "goto", "url": ...}]')
    return workflow


def write(
    workflow: Workflow,
    *,
    target: Target,
    style: Style | None = None,
    sdk: str | None = None,
    provenance: Provenance | None = None,
) -> Code:
    """A workflow as a script in the `target`'s form.

    `style` is for `playwright` and `notte` (default sync), `sdk` (1.9 or 1.10) for `notte`: by default the one that
    the steps need.

    Raises:
        InvalidArgument: the target has no such style, or there is no such SDK.
    """
    if target == "notte":
        _check_sdk(sdk, style or "sync")
    how = _How(style or "sync", sdk, provenance or Provenance())
    return Code(_text(workflow, target, how), workflow.parameters)


def write_code(
    steps: Sequence[StepRecord], spec: SessionSpec, *, target: Target, keep_failed: bool = False, **how: Any
) -> Code:
    """`generalise` and `write` in one; raises what they raise."""
    return write(generalise(steps, spec, keep_failed=keep_failed), target=target, **how)


def _check_sdk(sdk: str | None, style: Style) -> None:
    if sdk not in (None, "1.9", "1.10"):
        raise InvalidArgument(f"There is no form for SDK {sdk!r}: it is 1.9 or 1.10.", next_call="sdk=1.10")
    if style == "async" and sdk == "1.9":
        raise InvalidArgument("The 1.9 SDK has no async client.", next_call="sdk=1.10, or style=sync")


@dataclass(frozen=True, slots=True)
class _How:
    style: Style
    sdk: str | None
    provenance: Provenance


def _text(workflow: Workflow, target: Target, how: _How) -> str:
    is_async = how.style == "async"
    match target:
        case "playwright":
            return write_playwright(workflow, is_async=is_async, provenance=how.provenance)
        case "pytest":
            if is_async:
                raise InvalidArgument("A pytest-playwright test is sync; it has no async form.", next_call="style=sync")
            return write_pytest(workflow, provenance=how.provenance)
        case "json":
            return write_json(workflow)
        case "notte":
            return write_notte(workflow, is_async=is_async, sdk=how.sdk, provenance=how.provenance)
