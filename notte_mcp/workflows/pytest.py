"""A workflow as a test for pytest-playwright.

One function that takes a page and the parameters, with what was recorded as its first row:
a reader adds rows. It ends with what was seen at the end. Secrets come from the environment,
and a missing one fails the test by name: a test that skips would seem to pass.

Below: playwright_steps, playwright_parts, playwright_needs, workflow. Above: the package's `write`.
"""

from typing import Final

from notte_mcp.workflows.heading import Provenance, heading
from notte_mcp.workflows.parameters import Parameter
from notte_mcp.workflows.playwright_acts import Acts
from notte_mcp.workflows.playwright_needs import Needs, import_lines, signature, tuple_of
from notte_mcp.workflows.playwright_parts import secrets_line
from notte_mcp.workflows.playwright_steps import Statements
from notte_mcp.workflows.source import (
    WIDTH,
    Arg,
    Chain,
    Expression,
    Mapping,
    Text,
    call,
    columns,
    lay_out,
    pattern,
    quote,
)
from notte_mcp.workflows.urls import ending_regex
from notte_mcp.workflows.workflow import Workflow

_LAUNCH: Final = '''\
@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """The Chromium that NOTTE_MCP_BROWSER names, if it names one, in its sandbox."""
    sandbox = os.environ.get("NOTTE_MCP_NO_SANDBOX") != "1"
    arguments = {**browser_type_launch_args, "chromium_sandbox": sandbox}
    if executable := os.environ.get("NOTTE_MCP_BROWSER"):
        arguments["executable_path"] = executable
    return arguments'''

_CONTEXT: Final = '''\
@pytest.fixture(scope="session")
def browser_context_args(browser_context_args: dict[str, Any]) -> dict[str, Any]:
    """A context like the one of the recording."""
    return {
        **browser_context_args,
'''

_MISSING: Final = """\
    if missing := [name for name in SECRETS if not os.environ.get(name)]:
        pytest.fail(f"Set these in the environment first: {', '.join(missing)}")"""


def write_pytest(workflow: Workflow, *, provenance: Provenance) -> str:
    """The test file's whole text."""
    needs = Needs(workflow)
    secrets = ["\n".join(tuple_of(needs.secrets))] if needs.secrets else []
    head = "\n\n".join([_header(needs, provenance), _imports(needs), *secrets])
    pieces = [head, _LAUNCH, _context(workflow), _test(needs), *needs.parts(is_async=False)]
    return "\n\n\n".join(pieces) + "\n"


def _header(needs: Needs, provenance: Provenance) -> str:
    lines = [
        "Needs Python 3.11, `pip install pytest-playwright`, and a Chromium: the one that",
        "NOTTE_MCP_BROWSER names, else Playwright's own.",
    ]
    if needs.given:
        lines.append('What was typed is the row "recorded": add rows for other values.')
    lines += secrets_line(needs.secrets) if needs.secrets else []
    return heading("A recorded browser session, as a test.", needs.workflow, provenance, lines)


def _imports(needs: Needs) -> str:
    modules = ["os"]
    modules += ["re"] if needs.uses_re or _opens_url(needs.workflow) else []
    modules += ["json"] if needs.prints_json else []
    modules += ["contextlib"] if needs.suppresses else []
    lines = [f"import {module}" for module in sorted(modules)]
    lines += ["from collections.abc import Callable"] if needs.awaits_answers else []
    lines += ["from pathlib import Path"] if needs.paths or needs.downloads else []
    lines += ["from typing import Any", "", "import pytest"]
    names = ["Page", *needs.part_names(), *(["Error"] if needs.suppresses else [])]
    expects = needs.waits_gone or needs.workflow.expects or needs.workflow.final_url
    return "\n".join([*lines, *import_lines("playwright.sync_api", [*names, *(["expect"] if expects else [])])])


def _context(workflow: Workflow) -> str:
    spec = workflow.spec
    fields: list[tuple[str, Expression]] = [
        ("viewport", Mapping((("width", str(spec.viewport_width)), ("height", str(spec.viewport_height)))))
    ]
    if spec.user_agent:
        fields.append(("user_agent", Text(spec.user_agent)))
    if spec.profile:
        # A login state as Playwright saves it: the recording had one.
        fields.append(("storage_state", 'os.environ.get("NOTTE_MCP_STORAGE_STATE")'))
    lines = [line for name, value in fields for line in lay_out(value, before=f"{quote(name)}: ", after=",", indent=8)]
    hint = ["        # Recorded through a proxy: give one as `proxy` if it matters."] if spec.proxy else []
    return _CONTEXT + "\n".join([*lines, *hint, "    }"])


def _test(needs: Needs) -> str:
    statements = Statements(Acts(is_async=False, height=needs.workflow.spec.viewport_height))
    given = [f"{p.name}: {'Path' if p.type == 'path' else 'str'}" for p in needs.given]
    fixtures = ["page: Page", *(["tmp_path: Path"] if needs.downloads else [])]
    body = [
        *_rows(needs.given),
        *signature("def test_recorded_session", [*fixtures, *given], "None"),
        '    """Repeat the steps, then look for what was there at the end."""',
        *([_MISSING] if needs.secrets else []),
        *(["    context = page.context"] if needs.has_tabs else []),
        *(["    downloads = tmp_path"] if needs.downloads else []),
        *(line for step in needs.workflow.steps for line in statements.of(step)),
        *_ending(needs.workflow),
        *statements.expectations(needs.workflow.expects),
    ]
    return "\n".join(body)


def _rows(given: list[Parameter]) -> list[str]:
    """The decorator that gives the test what was recorded."""
    if not given:
        return []
    names = [quote(p.name) for p in given]
    line = f"    {names[0] if len(names) == 1 else '(' + ', '.join(names) + ')'},"
    named = [line] if columns(line) <= WIDTH else ["    (", *(f"        {name}," for name in names), "    ),"]
    values: list[Arg] = [_recorded(p) for p in given]
    row = lay_out(call("pytest.param", *values, ("id", Text("recorded"))), after=",", indent=8)
    return ["@pytest.mark.parametrize(", *named, "    [", *row, "    ],", ")"]


def _recorded(parameter: Parameter) -> Expression:
    default = Text(parameter.default or "")
    return call("Path", default) if parameter.type == "path" else default


def _opens_url(workflow: Workflow) -> bool:
    return workflow.final_url is not None and "*" in workflow.final_url


def _ending(workflow: Workflow) -> list[str]:
    if workflow.final_url is None:
        return []
    url = pattern(ending_regex(workflow.final_url)) if _opens_url(workflow) else Text(workflow.final_url)
    page: Chain = call("expect", "page")
    return lay_out(page.then("to_have_url", url))
