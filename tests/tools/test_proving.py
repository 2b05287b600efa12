"""Verified, kept and run in a real browser, through the tools alone."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp.types import CallToolResult

from notte_mcp.app import App, open_app
from notte_mcp.settings import Settings
from tests.browsers import Browsers
from tests.site import Site
from tests.tools.conftest import Host

pytestmark = pytest.mark.anyio

ACCESS = "correct horse 42"
PATIENCE_S = 100.0
"""A script brings its own interpreter and browser, beside whatever else the machine does."""


class Real(Host):
    """A host whose sessions are Chromium's."""

    def __init__(self, folder: Path, chromium: Path, browsers: Browsers) -> None:
        super().__init__(folder, "auto")
        self.settings = Settings(state_dir=folder / "state", browser=chromium)
        self.browsers = browsers

    @asynccontextmanager
    async def open_app(self) -> AsyncGenerator[App]:
        engine = self.browsers.engine(self.settings)
        async with open_app(self.settings, engines={"local": engine}) as self.app:
            yield self.app

    async def call(self, tool: str, **arguments: Any) -> CallToolResult:
        assert self.client is not None
        with anyio.fail_after(PATIENCE_S):
            return await self.client.call_tool(tool, arguments)

    async def ended(self, told: dict[str, Any]) -> dict[str, Any]:
        """The run that a call began, once it is over."""
        with anyio.fail_after(PATIENCE_S):
            while True:
                run = await self.facts("notte_status", id=told["run_id"], wait_seconds=40, until="done")
                if run["state"] != "running":
                    return run


@pytest.fixture
async def host(tmp_path: Path, chromium: Path, browsers: Browsers) -> AsyncGenerator[Real]:
    host = Real(tmp_path, chromium, browsers)
    async with host.connected():
        yield host


async def requested(host: Real, site: Site) -> str:
    """A session in which a permit was requested, in four steps after the first page."""
    session_id = await host.start(site.url("/form.html"))
    actions = [
        {"type": "fill", "selector": "#applicant", "value": "Ada"},
        {"type": "fill", "selector": "#code", "value": ACCESS},
        {"type": "select_dropdown_option", "selector": "#district", "value": "South"},
        {"type": "click", "selector": 'role=button[name="Send request"]'},
    ]
    assert "Request received" in await host.text("notte_execute", session_id=session_id, actions=actions)
    return session_id


async def test_a_session_is_proved_safely_and_then_by_its_script_which_says_so_in_its_header(
    host: Real, site: Site
) -> None:
    """Contract: safely it stops before the first step that has an effect, null for the rest, with the call that does all;
    else the steps in a fresh session, then the script itself in a process of its own."""
    session_id = await requested(host, site)
    safe = await host.facts("notte_workflow_code", id=session_id, target="playwright", verify="safe")

    assert safe["verified"] is None
    assert safe["report"]["passed"] == 4
    assert safe["report"]["not_run"] == '5, click button "Send request"'
    assert "/submit" in safe["report"]["reason"]
    assert safe["report"]["script"]["passed"] is None
    assert 'verify="run"' in safe["next"]
    assert len(site.submissions) == 1

    told = await host.facts(
        "notte_workflow_code", id=session_id, target="playwright", verify="run", save_as="permit", wait_seconds=45
    )
    run = await host.ended(told)
    code = (await host.facts("notte_workflow_code", id="permit", target="playwright"))["code"]
    kept = await host.text("notte_read", uri="notte://workflows/permit")

    assert (run["state"], run["verified"], run["script"]["passed"]) == ("completed", True, True), run
    assert [one.value("applicant") for one in site.submissions] == ["Ada"] * 3
    assert [one.value("code") for one in site.submissions] == [ACCESS] * 3
    assert "erified" in code.partition('"""\n')[0]
    assert '"verified": true' in kept
    assert ACCESS not in code + kept + str(run) + str(told)


async def test_a_kept_workflow_runs_with_another_parameter_and_heals_what_it_can_of_a_changed_page(
    host: Real, site: Site
) -> None:
    """Contract: no model, at the browser's speed; another recorded locator finds a field, and what is really gone is told,
    with its page open."""
    session_id = await requested(host, site)
    await host.facts("notte_workflow_code", id=session_id, save_as="permit")
    await host.facts("notte_stop", id=session_id)

    given = {"applicant": "Grace", "secret_access_code": ACCESS}
    told = await host.facts("notte_run_workflow", name="permit", parameters=given)

    assert (told["state"], told["step_count"]) == ("completed", 5), told.get("difference")
    assert (site.submissions[-1].value("applicant"), site.submissions[-1].value("district")) == ("Grace", "South")
    assert ACCESS not in str(told)

    site.rewrite = lambda page: page.replace(">Applicant<", ">Who applies<").replace("<option>South", "")
    told = await host.facts("notte_run_workflow", name="permit", parameters={"secret_access_code": ACCESS})
    status = await host.facts("notte_status", id=told["run_id"])
    page = await host.text("notte_observe", session_id=told["session_id"])

    assert told["state"] == status["state"] == "failed", told
    assert [step["number"] for step in told["healed"]] == [2], told
    assert told["healed"][0]["healed_by"]
    assert [step["state"] for step in status["steps"]] == ["passed", "healed", "passed", "failed"]
    assert "South" in told["steps"][3]["message"]
    assert "Who applies" in page
    assert len(site.submissions) == 2
