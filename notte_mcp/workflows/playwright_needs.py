"""What the steps of a workflow need around them in a Playwright script: imports, parts, parameters.

Below: workflow, playwright_parts, locators. Above: playwright, pytest, notte.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from notte_mcp.actions import CloseTab, FormFill, Goto, GotoNewTab, SelectDropdownOption, SwitchTab, WaitFor
from notte_mcp.receipts import Locators
from notte_mcp.workflows import playwright_parts as parts
from notte_mcp.workflows.landmark_texts import is_open
from notte_mcp.workflows.locators import is_native_select, opens_name
from notte_mcp.workflows.parameters import Parameter
from notte_mcp.workflows.playwright_acts import prints_json
from notte_mcp.workflows.source import WIDTH, columns, quote
from notte_mcp.workflows.workflow import Workflow, WorkflowStep


@dataclass(frozen=True, slots=True)
class Needs:
    """Questions to a workflow; each answer decides about some lines of its script."""

    workflow: Workflow

    @property
    def steps(self) -> list[WorkflowStep]:
        """Those that do something."""
        return [step for step in self.workflow.steps if step.action is not None]

    @property
    def given(self) -> list[Parameter]:
        """The parameters but for the secrets."""
        return [parameter for parameter in self.workflow.parameters if not parameter.secret]

    @property
    def secrets(self) -> list[str]:
        """The names of the environment variables."""
        return [parameter.env for parameter in self.workflow.parameters if parameter.env]

    @property
    def paths(self) -> bool:
        return any(parameter.type == "path" for parameter in self.given)

    @property
    def downloads(self) -> bool:
        return any(step.downloads for step in self.steps)

    @property
    def suppresses(self) -> bool:
        """Whether an address turns out to be a file, which ends its navigation with an error."""
        return any(step.downloads and isinstance(step.action, Goto) for step in self.steps)

    @property
    def chooses(self) -> bool:
        return any(
            isinstance(step.action, SelectDropdownOption) and not is_native_select(step.locators or Locators())
            for step in self.steps
        )

    @property
    def fills_forms(self) -> bool:
        return any(isinstance(step.action, FormFill) for step in self.steps)

    @property
    def awaits_answers(self) -> bool:
        """Whether a step waits for the answer to what it sends."""
        return any(step.pause == "response" and step.sends for step in self.steps)

    @property
    def waits_gone(self) -> bool:
        return any(isinstance(step.action, WaitFor) and step.action.gone for step in self.steps)

    @property
    def shows(self) -> bool:
        """Whether a text is looked for."""
        waits = any(isinstance(s.action, WaitFor) and (s.action.value or s.action.gone) for s in self.steps)
        return waits or bool(self._texts)

    @property
    def opens_numbers(self) -> bool:
        return any(map(is_open, self._texts))

    @property
    def uses_re(self) -> bool:
        """Whether a part, or a text or name with open numbers, is a regular expression."""
        named = any(opens_name(found) for step in self.steps for found in (step.locators, step.destination))
        return named or self.fills_forms or self.opens_numbers

    @property
    def _texts(self) -> list[str]:
        return [*self.workflow.expects, *(text for step in self.steps for text in step.awaits)]

    @property
    def prints_json(self) -> bool:
        return any(map(prints_json, self.steps))

    @property
    def has_tabs(self) -> bool:
        """Whether the tabs of the page's context are spoken of."""
        return any(step.closes_tab or isinstance(step.action, GotoNewTab | SwitchTab) for step in self.steps)

    def parts(self, *, is_async: bool) -> list[str]:
        """The functions that the steps call, as source."""
        wanted = (
            (self.chooses, parts.CHOOSE),
            (self.fills_forms, parts.FILL_FORM_FIELD),
            (self.downloads, parts.SAVE),
            (any(isinstance(step.action, CloseTab) for step in self.steps), parts.CLOSE_TAB),
            (self.awaits_answers, parts.ANSWERS),
            (self.shows, parts.SHOWN_OPEN if self.opens_numbers else parts.SHOWN),
        )
        return [parts.part(text, is_async=is_async) for needed, text in wanted if needed]

    def part_names(self) -> list[str]:
        """What these functions import of Playwright's API."""
        names = ["Download"] if self.downloads else []
        names += ["FrameLocator"] if self.chooses else []
        names += ["Locator"] if self.chooses or self.shows else []
        names += ["Response"] if self.awaits_answers else []
        return names


def signature(opening: str, parameters: Sequence[str], result: str) -> list[str]:
    """The first lines of a function."""
    line = f"{opening}({', '.join(parameters)}) -> {result}:"
    if columns(line) <= WIDTH:
        return [line]
    return [f"{opening}(", *(f"    {parameter}," for parameter in parameters), f") -> {result}:"]


def import_lines(module: str, names: Sequence[str]) -> list[str]:
    """`from module import names`, in the order of a formatter: classes before functions."""
    ordered = [*sorted(n for n in names if n[0].isupper()), *sorted(n for n in names if not n[0].isupper())]
    line = f"from {module} import {', '.join(ordered)}"
    if columns(line) <= WIDTH:
        return [line]
    return [f"from {module} import (", *(f"    {name}," for name in ordered), ")"]


def tuple_of(names: Sequence[str]) -> list[str]:
    """`SECRETS = ("A", "B")`, one a line where they are too many for one."""
    line = f"SECRETS = ({', '.join(map(quote, names))}{',' if len(names) == 1 else ''})"
    return [line] if columns(line) <= WIDTH else ["SECRETS = (", *(f"    {quote(name)}," for name in names), ")"]
