"""One workflow step as a statement on a Notte session.

Below: notte_actions, playwright_steps, source. Above: notte.
"""

from collections.abc import Mapping as AnyMapping
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, cast

from notte_mcp.actions import Action, EvaluateJs, HandleDialog, Scrape
from notte_mcp.workflows.notte_actions import notte_action
from notte_mcp.workflows.parameters import Parameter
from notte_mcp.workflows.playwright_acts import Acts, source_of
from notte_mcp.workflows.playwright_steps import Statements, answered
from notte_mcp.workflows.source import Arg, Chain, Expression, Items, Mapping, Text, call, comment, flat, lay_out
from notte_mcp.workflows.workflow import WorkflowStep


def needs_page(step: WorkflowStep) -> bool:
    """Whether the step goes through the session's Playwright page."""
    return step.action is not None and notte_action(step) is None and not isinstance(step.action, HandleDialog)


def needs_json(step: WorkflowStep) -> bool:
    """Whether the step's statement uses the `json` module."""
    return isinstance(step.action, HandleDialog) and bool(step.value) and step.action.value == "accept"


@dataclass(frozen=True, slots=True)
class NotteStatements:
    """Writes steps; `is_async` puts `await` where it belongs. `height` is the viewport's, in px. `models` are the
    pydantic models of scraped data, by step number."""

    is_async: bool
    height: int
    indent: int = 8
    models: AnyMapping[int, str] = field(default_factory=dict[int, str])

    def of(self, step: WorkflowStep, *, last: bool) -> list[str]:
        """The lines of one step; the `last` scrape is what the script returns."""
        lines = [comment(step.comment, self.indent)] if step.comment else []
        if step.action is None:
            return lines
        if needs_page(step):
            plain = replace(step, leads_to=None, opens_tab=False, closes_tab=False, downloads=False, comment="")
            return [*lines, *self._statements().of(plain)]
        return [*lines, *self._statements().beforehand(step), *self._waiting(step, last=last)]

    def _waiting(self, step: WorkflowStep, *, last: bool) -> list[str]:
        """The step's own statement, within or before what is waited for on the session's page."""
        pad, wait = " " * self.indent, "await " if self.is_async else ""
        if step.pause == "response" and step.sends:
            opening = f"{pad}{'async ' if self.is_async else ''}with {answered(step.sends[0])}:"
            return [opening, *replace(self, indent=self.indent + 4).alone(step, step.action, last=last)]
        idle = [f'{pad}{wait}page.wait_for_load_state("networkidle")'] if step.pause == "idle" else []
        return [*self.alone(step, step.action, last=last), *idle]

    def alone(self, step: WorkflowStep, action: Action | None, *, last: bool) -> list[str]:
        """The step's own statement, with nothing that is waited for."""
        if isinstance(action, Scrape):
            return self._scrape(step, last=last)
        if isinstance(action, HandleDialog):
            answer = call("session.execute", ("type", Text("evaluate_js")), ("code", _answering(step, action)))
            return lay_out(replace(answer, awaited=self.is_async), indent=self.indent)
        kept = "read = " if last and step.answers and isinstance(action, EvaluateJs) else ""
        return lay_out(self._call("session.execute", notte_action(step) or {}), before=kept, indent=self.indent)

    def expectations(self, texts: Sequence[str]) -> list[str]:
        """Assertions on the session's page that each of these texts is to be seen."""
        return self._statements().expectations(texts)

    def _statements(self) -> Statements:
        return Statements(Acts(self.is_async, self.height), self.indent)

    def _scrape(self, step: WorkflowStep, *, last: bool) -> list[str]:
        fields = {name: value for name, value in (notte_action(step) or {}).items() if name != "type"}
        scrape = self._call("session.scrape", fields)
        if model := self.models.get(step.number):
            link = scrape.links[0]
            scrape = replace(scrape, links=(replace(link, args=(*link.args, ("response_format", model))),))
        return (
            lay_out(scrape, before="return ", indent=self.indent)
            if last
            else lay_out(call("print", scrape), indent=self.indent)
        )

    def _call(self, function: str, fields: AnyMapping[str, Any]) -> Chain:
        args: list[Arg] = [(name, _source(value)) for name, value in fields.items()]
        return call(function, *args, awaited=self.is_async)


def _source(value: Any) -> Expression:
    if isinstance(value, str):
        return Text(value, lines=True)
    if isinstance(value, Parameter | tuple):
        return source_of(cast("Parameter | tuple[str | Parameter, ...]", value))
    if isinstance(value, dict):
        items = cast(dict[str, Any], value).items()
        return Mapping(tuple((key, _source(item)) for key, item in items))
    if isinstance(value, list):
        return Items(tuple(_source(item) for item in cast(list[Any], value)))
    return repr(value)


def _answering(step: WorkflowStep, action: HandleDialog) -> Expression:
    """A script that answers dialogs of this page: the backend would dismiss them before any listener."""
    if action.value == "dismiss":
        return Text("void (window.confirm = () => false, window.prompt = () => null)")
    if not step.value:
        return Text("void (window.confirm = () => true)")
    return f'"void (window.prompt = () => " + json.dumps({flat(source_of(step.value))}) + ")"'
