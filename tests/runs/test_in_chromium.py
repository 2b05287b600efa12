"""Runs in the real browser, of what it recorded: proved by the script, stopped in time, healed on a changed page."""

import os
import signal
import subprocess
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import psutil
import pytest

from notte_mcp.app import App, open_app
from notte_mcp.batches import parse_actions
from notte_mcp.records import SessionSpec
from notte_mcp.runs import RunRequest, Script
from notte_mcp.settings import Settings
from notte_mcp.workflow_records import RunRecord
from notte_mcp.workflows import Workflow, generalise, write
from tests.browsers import Browsers
from tests.workflows import desk as site
from tests.workflows.desk import Desk
from tests.workflows.test_recorded_session import act

pytestmark = pytest.mark.anyio
CODE = "correct horse"
REQUEST: tuple[dict[str, Any], ...] = (
    {"type": "fill", "id": "@textbox Applicant", "value": "Ada"},
    {"type": "fill", "id": "@password Access code", "value": CODE},
    {"type": "check", "id": "@checkbox I accept the terms"},
    {"type": "handle_dialog", "value": "accept"},
    {"type": "click", "id": "@button Send request"},
)


@asynccontextmanager
async def app_at(folder: Path, chromium: Path, browsers: Browsers | None = None) -> AsyncGenerator[App]:
    """In a browser of its own, or in the one that is shared."""
    root = os.geteuid() == 0
    settings = Settings(state_dir=folder / "state", browser=chromium, no_sandbox=root)
    engines = {"local": browsers.engine(settings)} if browsers else None
    with anyio.fail_after(110):
        async with open_app(settings, engines=engines) as app:
            yield app


async def recorded(app: App, desk: Desk) -> tuple[str, Workflow]:
    """A request sent to the desk, as a workflow; its session stays live."""
    session = (await app.registry.open(SessionSpec(), url=desk.url("/form")))[0].id
    await act(app, session, *REQUEST)
    async with app.registry.use(session) as live:
        await live.observe()
    record = await app.registry.record(session)
    return session, generalise(await app.registry.steps(session), record.spec, seen=record.seen, url=record.url)


async def ran(app: App, request: RunRequest) -> RunRecord:
    run = await app.runs.start(request)
    return await app.runs.wait(run.id, seconds=90)


async def test_a_recorded_session_is_proved_by_doing_it_again_and_by_its_script(tmp_path: Path, chromium: Path) -> None:
    """The secret comes from the live session, and stands in nothing that is kept; no process is left."""
    before = _all_below(os.getpid())
    with Desk() as desk:
        async with app_at(tmp_path, chromium) as app:
            session, workflow = await recorded(app, desk)
            safe = await ran(app, RunRequest(workflow, session, kind="verify", mode="safe"))
            assert (safe.state, safe.verified, len(desk.arrived)) == ("completed", None, 1)
            assert safe.steps[-1].state == "not_run"

            script = Script("pytest", write(workflow, target="pytest").code)
            run = await ran(app, RunRequest(workflow, session, kind="verify", script=script))
            assert (run.verified, run.difference, run.script and run.script.errors) == (True, "", "")
            assert all(step.state == "passed" for step in run.steps)
            assert CODE not in str(run)
            assert (await app.registry.resolve(None)) == session
    assert desk.arrived == [desk.arrived[0]] * 3
    assert desk.arrived[0]["code"] == CODE
    assert CODE.encode() not in b"".join(path.read_bytes() for path in (tmp_path / "state").glob("*.sqlite*"))
    assert [process for process in _all_below(os.getpid()) if process not in before] == []


async def test_a_page_that_calls_its_elements_otherwise_is_healed_by_the_other_ways(
    tmp_path: Path, chromium: Path, browsers: Browsers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Names that changed, attributes that did not; the script, which has one way only, says where it fails."""
    with Desk() as desk:
        async with app_at(tmp_path, chromium, browsers) as app:
            session, workflow = await recorded(app, desk)
            changed = site.FORM.replace("Applicant", "Who applies").replace("I accept the terms", "Agreed")
            monkeypatch.setitem(site.PAGES, "/form", changed)
            run = await ran(app, RunRequest(workflow, session, parameters={"applicant": "Grace"}))
    assert (run.state, run.reason) == ("completed", "")
    assert [step.what for step in run.healed] == ['fill textbox "Applicant"', 'check checkbox "I accept the terms"']
    assert [(one["applicant"], one["terms"]) for one in desk.arrived] == [("Ada", "on"), ("Grace", "on")]


def plants(*names: str) -> str:
    rows = "".join(f"<tr><td>{n}<td><button onclick=\"fetch('/hit/{n[:6]}')\">Delete</button>" for n in names)
    return f"<!doctype html><title>Plants</title><table>{rows}</table>"


async def test_a_row_that_is_gone_costs_no_other_row_its_life(
    tmp_path: Path, chromium: Path, browsers: Browsers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither the one that stands in its place by now nor the one whose name only begins as its."""
    monkeypatch.setitem(site.PAGES, "/plants", plants("Alder", "Birch", "Cedar"))
    with Desk() as desk:
        async with app_at(tmp_path, chromium, browsers) as app:
            session = (await app.registry.open(SessionSpec(), url=desk.url("/plants")))[0].id
            async with app.registry.use(session) as live:
                birch = [node.id for node in (await live.observe(mode="actions")).nodes if node.name == "Delete"][1]
                await live.execute(parse_actions([{"type": "click", "id": birch}]), deadline_s=30)
            record = await app.registry.record(session)
            workflow = generalise(await app.registry.steps(session), record.spec, seen=record.seen, url=record.url)
            again = await ran(app, RunRequest(workflow, session))
            assert (again.state, desk.hits) == ("completed", ["Birch", "Birch"])

            monkeypatch.setitem(site.PAGES, "/plants", plants("Alder", "Birchwood", "birch", "Cedar"))
            run = await ran(app, RunRequest(workflow, session))
    assert (run.state, run.failed_step and run.failed_step.what) == ("failed", 'click button "Delete"')
    assert desk.hits == ["Birch", "Birch"]


SERVER = """
import anyio, sys
from pathlib import Path
from notte_mcp.app import open_app
from notte_mcp.records import SessionSpec
from notte_mcp.actions import Goto
from notte_mcp.runs import RunRequest, Script
from notte_mcp.settings import Settings
from notte_mcp.workflows import Workflow, WorkflowStep

TEXT = '''
import os
from playwright.sync_api import sync_playwright
with sync_playwright() as p:
    sandbox = os.environ.get("NOTTE_MCP_NO_SANDBOX") != "1"
    browser = p.chromium.launch(executable_path=os.environ["NOTTE_MCP_BROWSER"], chromium_sandbox=sandbox)
    browser.new_page().goto("about:blank")
    open("up", "w").close()
    while True:
        browser.contexts[0].pages[0].wait_for_timeout(1000)
'''

async def main():
    root = sys.argv[3] == "root"
    settings = Settings(state_dir=Path(sys.argv[1]), browser=Path(sys.argv[2]), no_sandbox=root)
    async with open_app(settings) as app:
        flow = Workflow((WorkflowStep(1, Goto(url="about:blank")),), (), SessionSpec())
        await app.runs.start(RunRequest(flow, "ses_0", kind="verify", script=Script("playwright", TEXT)))
        await anyio.sleep_forever()

anyio.run(main)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere what is left goes at the next start")
async def test_a_server_that_is_killed_leaves_no_script_and_no_browser_of_it(tmp_path: Path, chromium: Path) -> None:
    """P4: and the next server says that the run was interrupted."""
    state = tmp_path / "state"
    who = "root" if os.geteuid() == 0 else "user"
    server = subprocess.Popen([sys.executable, "-c", SERVER, str(state), str(chromium), who])  # noqa: ASYNC220 - it must not die with a task
    try:
        with anyio.fail_after(60):
            while not list(state.glob("run/*/script-*/up")):
                assert server.poll() is None
                await anyio.sleep(0.1)
        script = _all_below(server.pid)
        server.send_signal(signal.SIGKILL)
        with anyio.fail_after(10):
            while any(_lives(process) for process in script):  # noqa: ASYNC110 - the same
                await anyio.sleep(0.1)
    finally:
        server.kill()
        server.wait()
    async with app_at(tmp_path, chromium) as app:
        (run,) = await app.runs.runs()
        assert (run.state, run.reason) == ("interrupted", "restart")
        assert list(state.glob("run/*/script-*")) == []


def _all_below(pid: int) -> list[psutil.Process]:
    return [process for process in psutil.Process(pid).children(recursive=True) if _lives(process)]


def _lives(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False
