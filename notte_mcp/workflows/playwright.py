"""A workflow as a complete Python script on Playwright, sync or async.

The script stands alone: it finds its browser, takes each parameter as an option
with the recorded value as default, reads secrets from the environment and takes
them out of what it prints, shows the final URL and title, and ends with exit code
0 or 1.

Below: playwright_steps, playwright_parts, workflow. Above: the package's `write`.
"""

from collections.abc import Sequence

from notte_mcp.actions import CloseTab, Goto, GotoNewTab, SwitchTab
from notte_mcp.workflows import playwright_parts as parts
from notte_mcp.workflows.heading import Provenance, heading
from notte_mcp.workflows.parameters import Parameter
from notte_mcp.workflows.playwright_acts import Acts
from notte_mcp.workflows.playwright_needs import Needs, import_lines, signature, tuple_of
from notte_mcp.workflows.playwright_steps import Statements
from notte_mcp.workflows.source import Arg, Chain, Text, call, lay_out
from notte_mcp.workflows.urls import pattern
from notte_mcp.workflows.workflow import Workflow, WorkflowStep


def write_playwright(workflow: Workflow, *, is_async: bool, provenance: Provenance) -> str:
    """The script's whole text."""
    return _Script(workflow, provenance, is_async=is_async).text()


class _Script:
    """The script while it is written: what its steps need decides about imports, options and parts."""

    def __init__(self, workflow: Workflow, provenance: Provenance, *, is_async: bool) -> None:
        self.workflow = workflow
        self.provenance = provenance
        self.is_async = is_async
        self.needs = Needs(workflow)
        self.given = self.needs.given
        self.secrets = self.needs.secrets

    def text(self) -> str:
        secrets = ["\n".join(tuple_of(self.secrets))] if self.secrets else []
        head = "\n\n".join([self._header(), self._imports(), *secrets])
        called = [*self.needs.parts(is_async=self.is_async), *([parts.REDACTED] if self.secrets else [])]
        pieces = [head, self._run(), *called, self._arguments(), self._part(parts.LAUNCH), self._main()]
        start = "asyncio.run(main())" if self.is_async else "main()"
        return "\n\n\n".join([*pieces, f'if __name__ == "__main__":\n    sys.exit({start})\n'])

    def _part(self, text: str) -> str:
        return parts.part(text, is_async=self.is_async)

    # --- the top ---

    def _header(self) -> str:
        lines = [
            "Needs Python 3.11, `pip install playwright`, and a Chromium: the one that --browser or",
            "NOTTE_MCP_BROWSER names, else Playwright's own, else `chromium` on the PATH.",
        ]
        if self.given:
            lines.append("What was typed is the default of an option: see --help.")
        if self.secrets:
            lines += parts.secrets_line(self.secrets)
        return heading("A recorded browser session, to be run again.", self.workflow, self.provenance, lines)

    def _imports(self) -> str:
        modules = ["argparse", "os", "shutil", "sys"]
        modules += ["asyncio"] if self.is_async else []
        modules += ["re"] if self.needs.uses_re else []
        modules += ["json"] if self.needs.prints_json else []
        modules += ["contextlib"] if self.needs.suppresses else []
        kind = "async" if self.is_async else "sync"
        expects = self.needs.waits_gone or self.workflow.expects
        names = ["Browser", "Error", "Page", "Playwright", *self.needs.part_names()]
        names += [*(["expect"] if expects else []), f"{kind}_playwright"]
        lines = [f"import {module}" for module in sorted(modules)]
        lines += ["from collections.abc import Callable"] if self.needs.awaits_answers else []
        return "\n".join([*lines, "from pathlib import Path", "", *import_lines(f"playwright.{kind}_api", names)])

    # --- the steps ---

    def _run(self) -> str:
        statements = Statements(Acts(self.is_async, self.workflow.spec.viewport_height, redacts=bool(self.secrets)))
        body = [line for step in self.workflow.steps for line in statements.of(step)]
        context = ["    context = page.context"] if self.needs.has_tabs else []
        given = [f"{p.name}: {'Path' if p.type == 'path' else 'str'}" for p in self.given]
        given += ["downloads: Path"] if self.needs.downloads else []
        return "\n".join(
            [
                *signature(f"{'async ' if self.is_async else ''}def run", ["page: Page", *_keywords(given)], "Page"),
                '    """Repeat the steps; gives the page that they end on."""',
                *context,
                *body,
                *self._last_wait(),
                *statements.expectations(self.workflow.expects),
                "    return page",
            ]
        )

    def _last_wait(self) -> list[str]:
        """Wait for where the recording ended, unless the steps have just done so."""
        final, reached = self.workflow.final_url, None
        for step in self.needs.steps:
            if isinstance(step.action, (Goto, GotoNewTab)):
                reached = pattern(step.action.url)
            reached = None if _moves_between_tabs(step) else step.leads_to or reached
        if final is None or final == reached:
            return []
        return lay_out(Chain("page", awaited=self.is_async).then("wait_for_url", Text(final)))

    # --- the command line ---

    def _arguments(self) -> str:
        lines = [
            "def arguments() -> argparse.Namespace:",
            '    """What the command line says."""',
            '    parser = argparse.ArgumentParser(description="Repeat a recorded browser session.")',
            '    parser.add_argument("--browser", help="the browser\'s executable")',
            '    parser.add_argument("--headed", action="store_true", help="show the browser\'s window")',
        ]
        if self.needs.downloads:
            lines.append('    parser.add_argument("--downloads", type=Path, default=Path(), help="folder for files")')
        if self.workflow.spec.profile:
            lines.append('    parser.add_argument("--storage-state", help="login state, as Playwright saves it")')
        for parameter in self.given:
            lines += lay_out(Chain("parser").then("add_argument", *_option(parameter)))
        return "\n".join([*lines, "    return parser.parse_args()"])

    def _main(self) -> str:
        wait, an = ("await ", "async ") if self.is_async else ("", "")
        kind = "async" if self.is_async else "sync"
        shown = "redacted({})" if self.secrets else "{}"
        lines = [
            f"{an}def main() -> int:",
            '    """Exit code 0 when every step went as recorded, else 1."""',
            "    options = arguments()",
            *(parts.MISSING.splitlines() if self.secrets else []),
            "    try:",
            f"        {an}with {kind}_playwright() as playwright, {wait}launch(playwright, options) as browser:",
            *self._context(),
            *self._call_of_run(),
            f"            print({shown.format('page.url')})",
            f"            print({shown.format(f'{wait}page.title()')})",
            "    except (AssertionError, Error, OSError) as error:",
            f'        print(f"Failed: {{{shown.format("error")}}}", file=sys.stderr)',
            "        return 1",
            "    return 0",
        ]
        return "\n".join(lines)

    def _context(self) -> list[str]:
        spec = self.workflow.spec
        args: list[Arg] = [("viewport", f'{{"width": {spec.viewport_width}, "height": {spec.viewport_height}}}')]
        if spec.user_agent:
            args.append(("user_agent", Text(spec.user_agent)))
        if spec.profile:
            args.append(("storage_state", "options.storage_state"))
        hint = ["            # Recorded through a proxy: give one to new_context(proxy=...) if it matters."]
        made = Chain("browser", awaited=self.is_async).then("new_context", *args)
        return [*(hint if spec.proxy else []), *lay_out(made, before="context = ", indent=12)]

    def _call_of_run(self) -> list[str]:
        page = f"{'await ' if self.is_async else ''}context.new_page()"
        names = [p.name for p in self.given] + (["downloads"] if self.needs.downloads else [])
        run = call("run", page, *((name, f"options.{name}") for name in names), awaited=self.is_async)
        return lay_out(run, before="page = ", indent=12)


def _moves_between_tabs(step: WorkflowStep) -> bool:
    return step.closes_tab or isinstance(step.action, GotoNewTab | CloseTab | SwitchTab)


def _option(parameter: Parameter) -> list[Arg]:
    name = Text(f"--{parameter.name.replace('_', '-')}")
    default = parameter.default or ""
    if parameter.type == "path":
        return [name, ("type", "Path"), ("default", call("Path", Text(default)))]
    return [name, ("default", Text(default))]


def _keywords(given: Sequence[str]) -> list[str]:
    return ["*", *given] if given else []
