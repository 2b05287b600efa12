"""One workflow step as Playwright statements: its action, within and before what it brings about.

A download, a new tab, a navigation: these are wrapped around or waited for after
any action alike. Whatever waits does so for something; there is no sleep.

Below: playwright_acts, workflow, source. Above: playwright, pytest, notte_steps.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from notte_mcp.actions import Action, Goto, Scrape
from notte_mcp.workflows.landmark_texts import is_open, regex
from notte_mcp.workflows.locators import by_position, scope
from notte_mcp.workflows.playwright_acts import Act, Acts, opens_chooser, source_of
from notte_mcp.workflows.source import Chain, Expression, Text, call, comment, flat, lay_out, pattern, quote
from notte_mcp.workflows.urls import pattern as url_pattern
from notte_mcp.workflows.workflow import WorkflowStep

EXTRACTED: Final = "Asked of this text when it was recorded"

BY_POSITION: Final = "Found by where it stands: nothing that it is called was its own."


@dataclass(frozen=True, slots=True)
class Statements:
    """Writes steps in order, with the actions as `acts` writes them. `framed` is what the script's `frame` holds."""

    acts: Acts
    indent: int = 4
    framed: list[str] = field(default_factory=list[str])

    def of(self, step: WorkflowStep) -> list[str]:
        """The lines of one step."""
        lines = [comment(step.comment, self.indent)] if step.comment else []
        if step.action is None:
            return lines
        lines += self.beforehand(step)
        body = self._acting(step, step.action, self.acts)
        if step.locators is not None and step.locators.frame and any(line.endswith("(") for line in body):
            # Too long for a line: the frame gets one of its own.
            inside = replace(step, locators=replace(step.locators, frame=()))
            body = self._in_frame(scope(step.locators))
            body += self._acting(inside, step.action, replace(self.acts, head="frame"))
        lines += [*body, *self._afterwards(step)]
        if any(line.lstrip().startswith("page = ") for line in lines):
            self.framed.clear()
        return lines

    def _in_frame(self, frame: Expression) -> list[str]:
        """The frame by a name of its own, unless it has that already."""
        if self.framed == [flat(frame)]:
            return []
        self.framed[:] = [flat(frame)]
        return lay_out(frame, before="frame = ", indent=self.indent)

    def beforehand(self, step: WorkflowStep) -> list[str]:
        """What is said of the step, and what it reads being there."""
        lines = [comment(BY_POSITION, self.indent)] if step.locators and by_position(step.locators) else []
        if isinstance(step.action, Scrape) and (step.action.instructions or step.action.response_schema):
            wish = f": {step.action.instructions}" if step.action.instructions else ": data of a given form."
            lines.append(comment(f"{EXTRACTED}{wish}", self.indent))
        for text in step.awaits:
            shown = call("shown", "page", text_pattern(text)).then("wait_for")
            lines += lay_out(replace(shown, awaited=self.acts.is_async), indent=self.indent)
        return lines

    def expectations(self, texts: Sequence[str]) -> list[str]:
        """Assertions that each of these texts is to be seen."""
        lines: list[str] = []
        for text in texts:
            shown = call("expect", call("shown", "page", text_pattern(text)), awaited=self.acts.is_async)
            lines += lay_out(shown.then("to_be_visible"), indent=self.indent)
        return lines

    def _acting(self, step: WorkflowStep, action: Action, writer: Acts) -> list[str]:
        acts = writer.of(step, action)
        # What an action brings, its last call brings: Enter after a fill, not the fill.
        last = len(acts) - 1
        wrappers = _wrappers(step)
        lines: list[str] = []
        for position, act in enumerate(acts):
            lines += self._wrapped(act, wrappers if position == last else [], self.indent)
        return lines

    def _wrapped(self, act: Act, wrappers: Sequence[str], indent: int) -> list[str]:
        if not wrappers:
            return lay_out(act.expression, before=act.before, indent=indent)
        # In the async form what is no async context manager has a `with` of its own.
        together = 1 if self.acts.is_async else len(wrappers)
        is_async = self.acts.is_async and not wrappers[0].startswith("contextlib.")
        opening = f"{' ' * indent}{'async ' if is_async else ''}with {', '.join(wrappers[:together])}:"
        return [opening, *self._wrapped(act, wrappers[together:], indent + 4)]

    def _afterwards(self, step: WorkflowStep) -> list[str]:
        wait, pad = "await " if self.acts.is_async else "", " " * self.indent
        lines: list[str] = []
        if step.downloads:
            lines.append(f"{pad}{wait}save({wait}download_of.value, downloads)")
        elif step.opens_tab:
            lines.append(f"{pad}page = {wait}popup_of.value")
        if opens_chooser(step):
            files = flat(source_of(step.value))
            chooser = "(await chooser_of.value)" if self.acts.is_async else "chooser_of.value"
            lines.append(f"{pad}{wait}{chooser}.set_files({files})")
        if step.closes_tab:
            lines.append(f"{pad}page = context.pages[-1]")
        if step.pause == "idle":
            lines.append(f'{pad}{wait}page.wait_for_load_state("networkidle")')
        if step.leads_to is not None and not step.anew and not step.downloads:
            arrival = Chain("page").then("wait_for_url", Text(step.leads_to))
            lines += lay_out(replace(arrival, awaited=self.acts.is_async), indent=self.indent)
        return lines


def _wrappers(step: WorkflowStep) -> list[str]:
    """The context managers that an action stands in, for what it brings."""
    found: list[str] = []
    if step.downloads:
        found.append("page.expect_download() as download_of")
        if isinstance(step.action, Goto):
            # A page that turns out to be a file ends the navigation with an error.
            found.append("contextlib.suppress(Error)")
    elif step.opens_tab:
        found.append("page.expect_popup() as popup_of")
    elif opens_chooser(step):
        found.append("page.expect_file_chooser() as chooser_of")
    elif step.closes_tab:
        found.append('page.expect_event("close")')
    if step.pause == "response" and step.sends:
        found.append(answered(step.sends[0]))
    if step.anew and step.leads_to is not None and not step.downloads:
        found.append(f"page.expect_navigation(url={quote(step.leads_to)})")
    return found


def answered(request: str) -> str:
    """The context manager that waits for the response to `POST https://host/path`; what is another's next time is left
    open."""
    method, _, url = request.partition(" ")
    return f"page.expect_response({flat(call('answers', Text(method), Text(url_pattern(url).partition('*')[0])))})"


def text_pattern(text: str) -> Expression:
    """A text of a page as `get_by_text` takes it, its numbers open where they are."""
    return pattern(regex(text)) if is_open(text) else Text(text)
