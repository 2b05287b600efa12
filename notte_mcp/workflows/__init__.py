"""Scripts out of recorded steps: `write_code` is the whole of it.

Everything here is a pure function of records: no page is looked at, no file is
written, nothing is run. Below: records. Above: registry's users, tools.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from notte_mcp.errors import InvalidArgument
from notte_mcp.records import SessionSpec, StepRecord
from notte_mcp.workflows.json_actions import write_json
from notte_mcp.workflows.notte import write_notte
from notte_mcp.workflows.parameters import Parameter
from notte_mcp.workflows.playwright import write_playwright
from notte_mcp.workflows.workflow import Workflow, to_workflow

__all__ = ["Code", "Parameter", "Style", "Target", "write_code"]

Target = Literal["playwright", "notte", "json"]
Style = Literal["sync", "async"]


@dataclass(frozen=True, slots=True)
class Code:
    """A script's whole text and what it is given from outside."""

    code: str
    parameters: tuple[Parameter, ...]


def write_code(
    steps: Sequence[StepRecord],
    spec: SessionSpec,
    *,
    target: Target,
    style: Style = "sync",
    sdk: str = "1.10",
    keep_failed: bool = False,
) -> Code:
    """The recorded steps as a script in the `target`'s form.

    `style` is for the two Python targets, `sdk` (1.9 or 1.10) for `notte`. With
    `keep_failed` the steps that failed stay as comments.

    Raises:
        InvalidArgument: no step is worth repeating, or the SDK has no such style.
    """
    workflow = to_workflow(steps, spec, keep_failed=keep_failed)
    if workflow.empty:
        what = "Nothing to write: " + ("no step of it succeeded." if steps else "no step is recorded yet.")
        raise InvalidArgument(what, next_call='notte_execute, for example with [{"type": "goto", "url": ...}]')
    return Code(_text(workflow, target, style, sdk), workflow.parameters)


def _text(workflow: Workflow, target: Target, style: Style, sdk: str) -> str:
    is_async = style == "async"
    match target:
        case "playwright":
            return write_playwright(workflow, is_async=is_async)
        case "json":
            return write_json(workflow)
        case "notte":
            if sdk not in ("1.9", "1.10"):
                raise InvalidArgument(f"There is no form for SDK {sdk!r}: it is 1.9 or 1.10.", next_call="sdk=1.10")
            if is_async and sdk == "1.9":
                raise InvalidArgument("The 1.9 SDK has no async client.", next_call="sdk=1.10, or style=sync")
            return write_notte(workflow, is_async=is_async, sdk=sdk)
