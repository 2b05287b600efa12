"""A workflow as a script for Notte's own SDK (`notte_sdk`), in the form of its exports.

One `session.execute(type=..., selector=..., ...)` per step, never an element id. What a step or
the end waits for is looked at by scripts within the page, so that the end is checked on any server. Only what Notte
has no action for (hovering, double clicks, dragging, keys on an element) goes through the session's Playwright page:
that needs Playwright, and a server that serves it, and the script says so. No `from __future__`
and no client-only session fields: Functions or newer servers refuse them.

Below: notte_steps, notte_needs, workflow, source. Above: the package's `write`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from notte_mcp.actions import CloseTab, EvaluateJs, GotoNewTab, Scrape, SwitchTab, WaitFor
from notte_mcp.workflows.agent_parts import by_agents, parts_of
from notte_mcp.workflows.asked import shape_asked
from notte_mcp.workflows.heading import Provenance, heading
from notte_mcp.workflows.notte_needs import NotteNeeds
from notte_mcp.workflows.notte_steps import NotteStatements, condition, needs_page
from notte_mcp.workflows.playwright_needs import import_lines, signature
from notte_mcp.workflows.playwright_parts import secrets_line
from notte_mcp.workflows.shapes import Models, model_shape
from notte_mcp.workflows.source import WIDTH, Arg, Text, call, columns, comment, flat, lay_out, pattern, quote
from notte_mcp.workflows.urls import ending_regex
from notte_mcp.workflows.workflow import Workflow, WorkflowStep

_TABS: Final = (CloseTab, GotoNewTab, SwitchTab)
_LEAST_VIEWPORT: Final = 500
"""Notte's smallest width and height, px."""


def write_notte(workflow: Workflow, *, is_async: bool, sdk: str | None, provenance: Provenance) -> str:
    """The script's whole text. The async form wants SDK 1.10 or newer."""
    chosen = sdk or ("1.9" if not is_async and by_agents(workflow) else "1.10")
    return _Script(workflow, provenance, is_async=is_async, sdk=chosen).text()


class _Script:
    """The script while it is written: what its steps need decides about imports and what is opened."""

    def __init__(self, workflow: Workflow, provenance: Provenance, *, is_async: bool, sdk: str) -> None:
        self.needs = NotteNeeds(_warned(workflow))
        self.workflow = self.needs.workflow
        self.provenance = provenance
        self.is_async = is_async
        self.sdk = sdk
        self.steps = self.needs.steps
        self.secrets = self.needs.secrets
        self.needs_page = self.needs.page
        self.scraped = isinstance(self.steps[-1].action, Scrape)
        self.reads = isinstance(self.steps[-1].action, EvaluateJs) and self.steps[-1].answers
        self.models = Models()
        self.model_names = dict(self._scraped_models())

    def _scraped_models(self) -> Iterator[tuple[int, str]]:
        """(step number, model) of each scrape that was asked for data of a form, or whose data had one."""
        for step in self.steps:
            if not isinstance(step.action, Scrape):
                continue
            asked = step.action.response_schema
            if shape := model_shape(shape_asked(asked) if asked else step.shape or {}):
                yield step.number, self.models.type_of(shape, "result")

    def text(self) -> str:
        start = "asyncio.run(run())" if self.is_async else "run()"
        ending = f"print({start})" if self.scraped or self.reads else start
        client = [] if self.is_async else ["client = NotteClient()"]
        head = "\n\n".join([self._header(), self._imports(), *client])
        called = self.needs.parts(is_async=self.is_async)
        pieces = [head, *self.models.sources, self._run(), *called, f'if __name__ == "__main__":\n    {ending}\n']
        return "\n\n\n".join(pieces)

    def _header(self) -> str:
        lines = [
            f'Needs `pip install "notte-sdk~={self.sdk}.0"` and NOTTE_API_KEY. NOTTE_API_URL names another server.',
        ]
        if self.needs_page:
            lines.append("Some steps use the session's Playwright page: `pip install playwright`, on the cloud only.")
        if self.secrets:
            lines += secrets_line(self.secrets)
        title = "A recorded browser session, to be run again on the Notte cloud, or where its API is served."
        return heading(title, self.workflow, self.provenance, lines)

    def _imports(self) -> str:
        modules = sorted([*(["asyncio"] if self.is_async else []), *self.needs.modules])
        lines = [*(f"import {module}" for module in modules), *([""] if modules else [])]
        typed = self.needs.session_type
        if self.is_async:
            lines.append("from notte_sdk import AsyncNotteClient")
            lines += ["from notte_sdk.endpoints.sessions import AsyncRemoteSession"] if typed else []
            lines += ["from playwright.async_api import async_playwright"] if self.needs_page else []
        else:
            lines += import_lines("notte_sdk", ["NotteClient", *(["RemoteSession"] if typed else [])])
        if self.models.sources:
            lines.append(f"from pydantic import BaseModel{', Field' if self.models.aliased else ''}")
        return "\n".join(lines)

    def _run(self) -> str:
        last = self.steps[-1]
        # What the script returns comes after what it checks.
        returned = next((i for i, s in enumerate(self.workflow.steps) if self.scraped and s is last), None)
        before, after = self.workflow.steps[:returned], self.workflow.steps[returned:] if returned is not None else ()
        body = [*self._body(before), *self._ending(after), *self._body(after)]
        # A script of the page's own may change it: it is run before the checks.
        body += ["        return read.data"] if self.reads else []
        return "\n".join([*self._signature(), '    """Repeat the steps."""', *self._opened(), *body])

    def _body(self, steps: Sequence[WorkflowStep]) -> list[str]:
        writer = NotteStatements(self.is_async, self.workflow.spec.viewport_height, models=self.model_names)
        lines: list[str] = []
        for task, group in parts_of(self.workflow, steps):
            written = writer
            if task is not None and self.sdk == "1.9":
                lines += lay_out(
                    call("client.AgentFallback", "session", ("task", Text(task))), before="with ", after=":", indent=8
                )
                written = replace(writer, indent=12)
            elif task is not None:
                lines.append(comment(f"An agent did this: {task}", 8))
            lines += [line for step in group for line in written.of(step, last=step is self.steps[-1])]
        return lines

    def _ending(self, after: Sequence[WorkflowStep]) -> list[str]:
        """Waits for where it ends and for what is to be seen there, unless what comes after does so."""
        final = self.workflow.final_url
        url = None if final is None else pattern(ending_regex(final)) if "*" in final else Text(final)
        writer = NotteStatements(self.is_async, self.workflow.spec.viewport_height)
        awaited = {text for step in after for text in step.awaits}
        return writer.ending(url, [text for text in self.workflow.expects if text not in awaited])

    def _signature(self) -> list[str]:
        given = [f"{p.name}: str = {quote(p.default or '')}" for p in self.workflow.parameters if not p.secret]
        result = "object" if self.scraped or self.reads else "None"
        return signature(f"{'async ' if self.is_async else ''}def run", given, result)

    def _opened(self) -> list[str]:
        session = call("client.Session", *self._session_fields())
        hints = [comment(hint, 4) for hint in self._hints()]
        if not self.is_async:
            page = ["        page = session.page"] if self.needs_page else []
            return [*hints, *lay_out(session, before="with ", after=" as session:"), *page]
        playwright = ["async_playwright() as playwright"] if self.needs_page else []
        line = (
            f"    async with {', '.join(['AsyncNotteClient() as client', f'{flat(session)} as session', *playwright])}:"
        )
        if columns(line) > WIDTH:
            opened = lay_out(session, after=" as session,", indent=8)
            items = ["        AsyncNotteClient() as client,", *opened, *(f"        {item}," for item in playwright)]
            line = "\n".join(["    async with (", *items, "    ):"])
        connected = [
            "        browser = await playwright.chromium.connect_over_cdp(await session.cdp_url())",
            "        page = browser.contexts[0].pages[0]",
        ]
        return [*hints, line, *(connected if self.needs_page else [])]

    def _session_fields(self) -> list[Arg]:
        spec = self.workflow.spec
        fields: list[Arg] = []
        if min(spec.viewport_width, spec.viewport_height) >= _LEAST_VIEWPORT:
            fields += [("viewport_width", str(spec.viewport_width)), ("viewport_height", str(spec.viewport_height))]
        if spec.user_agent:
            fields.append(("user_agent", Text(spec.user_agent)))
        return fields

    def _hints(self) -> list[str]:
        """What the recorded session had that only its user can give to a cloud session."""
        spec = self.workflow.spec
        hints: list[str] = []
        if spec.profile:
            hints.append('Recorded with a login state: give the session a profile={"id": ..., "persist": False}.')
        if spec.proxy:
            hints.append("Recorded through a proxy: give the session proxies=[...] if it matters.")
        return hints


def _warned(workflow: Workflow) -> Workflow:
    """The workflow, with a word at the steps on the session's Playwright page where tabs came or went before: which of
    them that page is then, the SDK does not say."""
    steps: list[WorkflowStep] = []
    elsewhere = False
    for step in workflow.steps:
        steps.append(_told(step) if elsewhere else step)
        elsewhere = elsewhere or step.opens_tab or step.closes_tab or isinstance(step.action, _TABS)
    return replace(workflow, steps=tuple(steps))


def _told(step: WorkflowStep) -> WorkflowStep:
    """A step on the session's page where that may be another tab: a wait in words, anything else with a warning."""
    if isinstance(step.action, WaitFor) and condition(step) is None:
        wanted = step.action.model_dump(exclude_defaults=True, exclude={"type", "timeout_ms"})
        what = ", ".join(f"{name} {value}" for name, value in wanted.items())
        return replace(step, action=None, comment=f"Waited here, in the tab that was open then: {what or step.name}")
    if not needs_page(step):
        return step
    return replace(step, comment=step.comment or "Look here which tab `page` is: tabs came or went before.")
