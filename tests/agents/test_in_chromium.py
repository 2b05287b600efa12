"""The life of an agent over a real browser: the task done, steered, stopped, and gone on with after a crash."""

import itertools
import os
import time
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
import psutil
import pytest

from notte_mcp import actions as a
from notte_mcp.agent_records import AgentRecord, AgentSpec
from notte_mcp.agents.supervisor import Supervisor
from notte_mcp.engines.base import OpenRequest
from notte_mcp.engines.local.engine import LocalEngine
from notte_mcp.models.scripted import ScriptedModel
from notte_mcp.records import SessionSpec
from notte_mcp.registry import Limits, Registry
from notte_mcp.store.sql import SqlStore
from tests import office
from tests.agents.conftest import DONE, FILL, SEND, Models, shown

pytestmark = pytest.mark.anyio

SECRET = "correct horse 42"
LOGIN = {"actions": [{"type": "fill", "id": "{{password 'Access code'}}", "value": SECRET}]}
NEVER = {"actions": [{"type": "wait_for", "value": "It will never be said.", "timeout_ms": 10_000}]}


@dataclass
class Browsers:
    """A server with agents whose browsers are real. `pids` are their processes."""

    registry: Registry
    agents: Supervisor
    models: Models
    base: str
    pids: list[int]

    async def start(self, *answers: object, **spec: Any) -> AgentRecord:
        self.models.model = ScriptedModel(list(answers))
        values: dict[str, Any] = {"driver": "model", "session": SessionSpec(), "url": f"{self.base}/form"} | spec
        return await self.agents.start(AgentSpec("Send the form.", **values))

    async def ended(self, agent: AgentRecord) -> AgentRecord:
        with anyio.fail_after(30):
            record = await self.agents.wait(agent.id, seconds=30, until="done")
        assert not record.is_live, record
        return record

    async def begun(self, agent: AgentRecord, kind: str) -> None:
        """Come back when the agent does such an action."""
        with anyio.fail_after(20):
            while all(step.action["type"] != kind for step in await self.agents.steps(agent.id)):  # noqa: ASYNC110 - a record is no event of ours
                await anyio.sleep(0.02)


@pytest.fixture(scope="module")
async def engine(
    chromium: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncGenerator[tuple[LocalEngine, list[int]]]:
    folder, numbers, pids = tmp_path_factory.mktemp("browsers"), itertools.count(), list[int]()

    def tmp_for(name: str) -> Path:
        path = folder / f"{name}{next(numbers)}"
        path.mkdir()
        return path

    as_root = hasattr(os, "geteuid") and os.geteuid() == 0
    engine = LocalEngine(executable=chromium, no_sandbox=as_root, tmp_for=tmp_for, note_process=pids.append)
    (folder / "kept").mkdir()
    kept = await engine.open(OpenRequest("ses_kept", SessionSpec(), folder / "kept"))  # the browser lives as long as it
    yield engine, pids
    await kept.close(deadline_s=2)
    await engine.close(deadline_s=3)


@pytest.fixture
async def browsers(engine: tuple[LocalEngine, list[int]], tmp_path: Path) -> AsyncGenerator[Browsers]:
    store = await SqlStore.open(tmp_path / "state.sqlite")
    registry = Registry(
        engines={"local": engine[0]}, store=store, sessions_dir=tmp_path / "sessions",
        profiles_dir=tmp_path / "profiles", owner="own_1", limits=Limits(),
    )  # fmt: skip
    models = Models(ScriptedModel([]))
    agents = Supervisor(registry=registry, store=store, models=models, owner="own_1")
    with office.served() as base:
        async with registry, agents:
            yield Browsers(registry, agents, models, base, engine[1])
    await store.close()


async def test_a_model_does_a_task_in_a_browser(browsers: Browsers) -> None:
    """With what it typed into a password field told to nobody."""
    agent = await browsers.start(FILL, LOGIN, SEND, DONE)
    record = await browsers.ended(agent)
    assert (record.state, record.answer, record.step_count) == ("completed", "It is sent.", 5)
    assert (await browsers.registry.record(agent.session_id)).url == f"{browsers.base}/result"
    assert "4711" in shown(browsers.models.model.requests[-1])
    read = repr([record, await browsers.agents.steps(agent.id), await browsers.agents.events(agent.id)])
    assert SECRET not in read
    assert all(SECRET not in shown(request) for request in browsers.models.model.requests)


async def test_a_stop_cuts_an_action_in_a_browser(browsers: Browsers) -> None:
    """Within 4 s, and the session can be used at once."""
    agent = await browsers.start(NEVER, DONE)
    await browsers.begun(agent, "wait_for")
    begun = time.monotonic()
    record = await browsers.agents.stop(agent.id)
    assert time.monotonic() - begun < 4
    assert (record.state, record.reason) == ("stopped", "user")
    assert (await browsers.agents.steps(agent.id))[-1].state == "cancelled"
    async with browsers.registry.use(agent.session_id) as live:
        assert (await live.execute([a.Reload()], deadline_s=20)).receipts[0].success


async def test_a_person_takes_over_in_a_paused_browser(browsers: Browsers) -> None:
    """The model sees what they did when it goes on."""
    browsers.models.model = ScriptedModel([SEND, DONE], gate=anyio.Event())
    spec = AgentSpec("Send the form.", "model", SessionSpec(), url=f"{browsers.base}/form")
    agent = await browsers.agents.start(spec)
    with anyio.fail_after(20):
        await browsers.models.model.asked()
    assert (await browsers.agents.steer(agent.id, "pause")).record.state == "paused"
    async with browsers.registry.use(agent.session_id) as live:
        await live.execute([a.Fill(selector="#applicant", value="Grace")], deadline_s=20)
    assert browsers.models.model.gate is not None
    browsers.models.model.gate.set()
    await browsers.agents.steer(agent.id, "resume")
    assert (await browsers.ended(agent)).state == "completed"
    assert "= Grace" in shown(browsers.models.model.requests[1])
    assert [step.action["type"] for step in await browsers.agents.steps(agent.id)] == ["goto", "fill", "completion"]


async def test_an_agent_goes_on_after_its_browser_was_killed(browsers: Browsers) -> None:
    """In another one, with its history, and nothing done twice."""
    agent = await browsers.start(FILL, NEVER, session=SessionSpec(own_browser=True))
    await browsers.begun(agent, "wait_for")
    psutil.Process(browsers.pids[-1]).kill()
    record = await browsers.ended(agent)
    assert (record.state, record.reason, record.step_count) == ("interrupted", "crash", 3)
    await browsers.registry.restore(agent.session_id)
    browsers.models.model = ScriptedModel([SEND, DONE])
    await browsers.agents.steer(agent.id, "resume")
    record = await browsers.ended(agent)
    assert (record.state, record.step_count) == ("completed", 5)
    asked = shown(browsers.models.model.requests[0])
    assert "started anew" in asked
    assert '2 fill I1 "Applicant"' in asked
