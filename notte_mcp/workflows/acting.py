"""A workflow's steps as actions for an engine: each way to its element as one selector, its values filled in.

Below: workflow, locators, actions. Above: runs.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from notte_mcp.actions import Action
from notte_mcp.receipts import Locators
from notte_mcp.workflows.workflow import WorkflowStep


@dataclass(frozen=True, slots=True)
class Way:
    """One way to an element: a selector that Playwright takes, through its frames and shadow roots.

    `steady` says that it names the element by what it is (test id, role and name, label, an id or name attribute)
    and not by where it stands, so that one match can be believed.
    """

    selector: str
    steady: bool


def ways(locators: Locators) -> tuple[Way, ...]:
    """Every recorded way to an element, the most resilient first: the one that scripts use."""
    raise NotImplementedError


def action_of(
    step: WorkflowStep, values: Mapping[str, str], *, selector: str | None, to_selector: str | None
) -> Action:
    """The step's action with `values` (parameter name to text, secrets too) in place of what was lifted.

    `selector` and `to_selector` say where; None for a step that names no element.

    Raises:
        InvalidAction: a value does not fit the action (a url that is none, a text that is too long).
    """
    raise NotImplementedError
