"""What the steps of a workflow need around them in a script for Notte's SDK: imports, and functions of its own.

Below: workflow, notte_parts, notte_steps. Above: notte.
"""

from dataclasses import dataclass

from notte_mcp.actions import WaitFor
from notte_mcp.workflows import notte_parts as parts
from notte_mcp.workflows.notte_steps import condition, needs_json, needs_page, waits_for_answer
from notte_mcp.workflows.workflow import Workflow, WorkflowStep


@dataclass(frozen=True, slots=True)
class NotteNeeds:
    """Questions to a workflow; each answer decides about some lines of its script."""

    workflow: Workflow

    @property
    def steps(self) -> list[WorkflowStep]:
        """Those that do something."""
        return [step for step in self.workflow.steps if step.action is not None]

    @property
    def secrets(self) -> list[str]:
        """The names of the environment variables."""
        return [parameter.env for parameter in self.workflow.parameters if parameter.env]

    @property
    def page(self) -> bool:
        """Whether a step goes through the session's Playwright page."""
        return any(map(needs_page, self.steps))

    @property
    def modules(self) -> list[str]:
        """What the functions and steps import of the standard library."""
        tells = self._shows or self._at or self._present or self._answers or any(map(needs_json, self.steps))
        wanted = (
            ("contextlib", self._answers),
            ("json", tells),
            ("os", bool(self.secrets)),
            ("re", self._shows or self._at),
            ("time", self.waits),
        )
        return [name for name, needed in wanted if needed]

    @property
    def waits(self) -> bool:
        """Whether a condition is waited for."""
        return self._shows or self._at or self._present or self._answers

    @property
    def session_type(self) -> bool:
        """Whether a function takes the session."""
        return self.waits or self._quiet

    def parts(self, *, is_async: bool) -> list[str]:
        """The functions that the steps call, as source."""
        wanted = (
            (self.waits, parts.WAIT_FOR),
            (self._shows, parts.SHOWN),
            (self._gone, parts.GONE),
            (self._at, parts.AT),
            (self._present, parts.PRESENT),
            (self._answers, parts.ANSWERED),
            (self._quiet, parts.QUIET),
        )
        return [parts.part(text, is_async=is_async) for needed, text in wanted if needed]

    @property
    def _conditions(self) -> list[str]:
        return [expected.head for step in self.steps if (expected := condition(step)) is not None]

    @property
    def _shows(self) -> bool:
        seen = bool(self.workflow.expects) or any(step.awaits for step in self.steps)
        return seen or self._gone or "shown" in self._conditions

    @property
    def _gone(self) -> bool:
        return any(isinstance(step.action, WaitFor) and step.action.gone is not None for step in self.steps)

    @property
    def _at(self) -> bool:
        return self.workflow.final_url is not None or "at" in self._conditions

    @property
    def _present(self) -> bool:
        return "present" in self._conditions

    @property
    def _answers(self) -> bool:
        return any(map(waits_for_answer, self.steps))

    @property
    def _quiet(self) -> bool:
        return any(step.pause == "idle" for step in self.steps)
