"""One workflow step as a statement on a Notte session, after what it waits for and before what is waited for after it.

A condition is looked at within the page, by `wait_for` of the script's own (see `notte_parts`). What Notte has no action
for (hovering, double clicks, dragging, keys on an element) goes through the session's Playwright page.

Below: notte_actions, playwright_steps, source. Above: notte.
"""

from collections.abc import Mapping as AnyMapping
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, cast

from notte_mcp.actions import Action, EvaluateJs, HandleDialog, Scrape, WaitFor
from notte_mcp.workflows.notte_actions import notte_action
from notte_mcp.workflows.parameters import Parameter
from notte_mcp.workflows.playwright_acts import Acts, source_of
from notte_mcp.workflows.playwright_steps import Statements, text_pattern
from notte_mcp.workflows.source import (
    Arg,
    Chain,
    Expression,
    Items,
    Mapping,
    Text,
    call,
    comment,
    flat,
    lay_out,
    pattern,
)
from notte_mcp.workflows.urls import pattern as url_pattern
from notte_mcp.workflows.urls import regex
from notte_mcp.workflows.workflow import WorkflowStep

_USUAL_SECONDS: Final = 30
"""What `wait_for` of a script waits if nothing is said."""


def needs_page(step: WorkflowStep) -> bool:
    """Whether the step goes through the session's Playwright page."""
    if step.action is None or isinstance(step.action, HandleDialog):
        return False
    return notte_action(step) is None and condition(step) is None


def condition(step: WorkflowStep) -> Chain | None:
    """What a `wait_for` step waits for, as a condition of the script; None for any other step, and where only
    Playwright's selectors say which element it is."""
    action, found = step.action, step.locators
    if not isinstance(action, WaitFor):
        return None
    if action.url is not None:
        return call("at", pattern(regex(action.url)))
    if found is None:
        return call("gone" if action.gone is not None else "shown", source_of(step.value))
    return call("present", Text(found.css)) if found.css and not found.frame and not found.shadow else None


def waits_for_answer(step: WorkflowStep) -> bool:
    """Whether the answer to what the step sends is waited for."""
    return step.action is not None and step.pause == "response" and bool(step.sends)


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
        bare = replace(step, leads_to=None, opens_tab=False, closes_tab=False, downloads=False, comment="", awaits=())
        lines += self._statements().beforehand(bare)
        for text in step.awaits:
            lines += self._wait_for(call("shown", text_pattern(text)))
        pad, wait = " " * self.indent, "await " if self.is_async else ""
        answered = waits_for_answer(step)
        lines += [f"{pad}began = {wait}clock(session)"] if answered else []
        lines += self.alone(replace(bare, pause=""), step.action, last=last)
        if answered:
            answer = call("wait_answer", "session", Text(_address(step.sends[0])), "began", awaited=self.is_async)
            lines += lay_out(answer, indent=self.indent)
        return [*lines, f"{pad}{wait}wait_quiet(session)"] if step.pause == "idle" else lines

    def _wait_for(self, expected: Expression, seconds: int = _USUAL_SECONDS) -> list[str]:
        longer: list[Arg] = [("seconds", str(seconds))] if seconds > _USUAL_SECONDS else []
        return lay_out(call("wait_for", "session", expected, *longer, awaited=self.is_async), indent=self.indent)

    def alone(self, step: WorkflowStep, action: Action | None, *, last: bool) -> list[str]:
        """The step's own statement, with nothing that is waited for besides."""
        if isinstance(action, WaitFor) and (expected := condition(step)) is not None:
            return self._wait_for(expected, round(action.timeout_ms / 1000))
        if needs_page(step):
            return self._statements().of(step)
        if isinstance(action, Scrape):
            return self._scrape(step, last=last)
        if isinstance(action, HandleDialog):
            answer = call("session.execute", ("type", Text("evaluate_js")), ("code", _answering(step, action)))
            return lay_out(replace(answer, awaited=self.is_async), indent=self.indent)
        kept = "read = " if last and step.answers and isinstance(action, EvaluateJs) else ""
        return lay_out(self._call("session.execute", notte_action(step) or {}), before=kept, indent=self.indent)

    def ending(self, url: Expression | None, texts: Sequence[str]) -> list[str]:
        """Waits for the address that the steps end at, and for each of these texts."""
        expected = [*([call("at", url)] if url is not None else []), *(call("shown", text_pattern(t)) for t in texts)]
        return [line for one in expected for line in self._wait_for(one)]

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


def _address(request: str) -> str:
    """The beginning of the address of `POST https://host/path` that another run's has, too."""
    return url_pattern(request.partition(" ")[2]).partition("*")[0]
