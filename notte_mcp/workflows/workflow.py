"""A workflow: what is to be done again, as values.

A workflow is a value that says nothing of any language. Its steps hold parsed
actions, so that a new action leaves the type checker pointing at each writer to
finish, and never an element id, a secret or a fixed wait.

Below: actions, receipts, records, parameters. Above: generalising, the script writers, runs.
"""

from dataclasses import dataclass
from typing import Any, Final, Literal

from notte_mcp.actions import Action, Scrape
from notte_mcp.receipts import Locators
from notte_mcp.records import SessionSpec
from notte_mcp.workflows.lifting import Value
from notte_mcp.workflows.parameters import Parameter

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
    which may have changed something outside (`Receipt.sent`), and `pause` is what is waited for after them where the
    page shows nothing: the answer to the first of them, or that the page asks for nothing more; `effect` says in words
    what repeating it would do again ("" where it only looks: see `effects`). `awaits` are
    texts that were to be seen before the step: what it reads, or what the click before it brought. `called` is the
    element's name in parts, where what was typed is part of it: with other values it is another element's. `shape` is the JSON Schema
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
    pause: Literal["", "response", "idle"] = ""
    effect: str = ""
    awaits: tuple[str, ...] = ()
    called: Value | None = None
    shape: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Workflow:
    """Steps with the parameters they need. `start_url` is where it begins. What a run can be checked by: `final_url`,
    the pattern of where it ended, and `expects`, texts that were to be seen there (`*` in
    one stands for any number: see `landmark_texts`). `tasks` are the agents' that did
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

    @property
    def opens(self) -> bool:
        """Whether it comes to any page."""
        return self.final_url is not None or self.start_url not in ("", "about:blank")


def without_aims(action: Action) -> Action:
    """The action without what it is aimed at. A `scrape`'s selector says what is read, and stays."""
    if isinstance(action, Scrape):
        return action
    return action.model_copy(update={name: None for name in AIMS if name in type(action).model_fields})
