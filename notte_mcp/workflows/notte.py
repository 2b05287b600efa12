"""A workflow as a script for Notte's own SDK (`notte_sdk`), in the form of its exports.

One `session.execute(type=..., selector=..., ...)` per step, never an element id.
What Notte has no action for (waiting for a condition, hovering, double clicks,
dragging, keys on an element) goes through the session's Playwright page. No `from
__future__` and no client-only session fields: Functions or newer servers refuse
them.

Below: notte_steps, workflow, source. Above: the package's `write_code`.
"""

from typing import Final

from notte_mcp.actions import Scrape, WaitFor
from notte_mcp.workflows.heading import Provenance, heading
from notte_mcp.workflows.notte_steps import NotteStatements, needs_json, needs_page
from notte_mcp.workflows.playwright_parts import secrets_line
from notte_mcp.workflows.source import WIDTH, Arg, Text, call, comment, flat, lay_out, quote
from notte_mcp.workflows.workflow import Workflow

_LEAST_VIEWPORT: Final = 500
"""Notte's smallest width and height, px."""


def write_notte(workflow: Workflow, *, is_async: bool, sdk: str | None, provenance: Provenance) -> str:
    """The script's whole text. The async form wants SDK 1.10 or newer."""
    return _Script(workflow, provenance, is_async=is_async, sdk=sdk or "1.10").text()


class _Script:
    """The script while it is written: what its steps need decides about imports and what is opened."""

    def __init__(self, workflow: Workflow, provenance: Provenance, *, is_async: bool, sdk: str) -> None:
        self.workflow = workflow
        self.provenance = provenance
        self.is_async = is_async
        self.sdk = sdk
        self.steps = [step for step in workflow.steps if step.action is not None]
        self.secrets = [p.env for p in workflow.parameters if p.env]
        self.needs_page = any(map(needs_page, self.steps))
        self.expects = any(isinstance(step.action, WaitFor) and step.action.gone for step in self.steps)
        self.scraped = isinstance(self.steps[-1].action, Scrape)

    def text(self) -> str:
        start = "asyncio.run(run())" if self.is_async else "run()"
        ending = f"print({start})" if self.scraped else start
        client = [] if self.is_async else ["client = NotteClient()"]
        head = "\n\n".join([self._header(), self._imports(), *client])
        return f'{head}\n\n\n{self._run()}\n\n\nif __name__ == "__main__":\n    {ending}\n'

    def _header(self) -> str:
        lines = [
            f'Needs `pip install "notte-sdk~={self.sdk}.0"` and NOTTE_API_KEY.',
        ]
        if self.needs_page:
            lines.append("Some steps use the session's Playwright page: `pip install playwright`.")
        if self.secrets:
            lines += secrets_line(self.secrets)
        title = "A recorded browser session, to be run again on the Notte cloud."
        return heading(title, self.workflow, self.provenance, lines)

    def _imports(self) -> str:
        modules = ["asyncio"] if self.is_async else []
        modules += ["json"] if any(map(needs_json, self.steps)) else []
        modules += ["os"] if self.secrets else []
        lines = [*(f"import {module}" for module in modules), *([""] if modules else [])]
        lines.append(f"from notte_sdk import {'AsyncNotteClient' if self.is_async else 'NotteClient'}")
        names = ["async_playwright"] if self.is_async and self.needs_page else []
        names += ["expect"] if self.expects else []
        if names:
            kind = "async" if self.is_async else "sync"
            lines.append(f"from playwright.{kind}_api import {', '.join(names)}")
        return "\n".join(lines)

    def _run(self) -> str:
        statements = NotteStatements(self.is_async, self.workflow.spec.viewport_height)
        last = self.steps[-1]
        body = [line for step in self.workflow.steps for line in statements.of(step, last=step is last)]
        return "\n".join([*self._signature(), '    """Repeat the steps."""', *self._opened(), *body])

    def _signature(self) -> list[str]:
        given = [f"{p.name}: str = {quote(p.default or '')}" for p in self.workflow.parameters if not p.secret]
        result = "object" if self.scraped else "None"
        opening = f"{'async ' if self.is_async else ''}def run("
        line = f"{opening}{', '.join(given)}) -> {result}:"
        if len(line) <= WIDTH:
            return [line]
        return [opening, *(f"    {parameter}," for parameter in given), f") -> {result}:"]

    def _opened(self) -> list[str]:
        session = call("client.Session", *self._session_fields())
        hints = [comment(hint, 4) for hint in self._hints()]
        if not self.is_async:
            page = ["        page = session.page"] if self.needs_page else []
            return [*hints, *lay_out(session, before="with ", after=" as session:"), *page]
        items = ["AsyncNotteClient() as client", f"{flat(session)} as session"]
        items += ["async_playwright() as playwright"] if self.needs_page else []
        line = f"    async with {', '.join(items)}:"
        if len(line) > WIDTH:
            line = "\n".join(["    async with (", *(f"        {item}," for item in items), "    ):"])
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
