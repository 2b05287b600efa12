"""The life of an agent over a real browser: the task done, steered, stopped, and gone on with after a crash."""

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
from notte_mcp.models.scripted import ScriptedModel
from notte_mcp.records import SessionSpec
from notte_mcp.registry import Limits, Registry
from notte_mcp.store.sql import SqlStore
from tests import office
from tests.agents.conftest import DONE, FILL, SEND, Models, shown
from tests.browsers import Browsers

pytestmark = pytest.mark.anyio

SECRET = "correct horse 42"
LOGIN = {"actions": [{"type": "fill", "id": "{{password 'Access code'}}", "value": SECRET}]}
NEVER = {"actions": [{"type": "wait_for", "value": "It will never be said.", "timeout_ms": 10_000}]}


@dataclass
class Real:
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


@pytest.fixture
async def real(browsers: Browsers, tmp_path: Path) -> AsyncGenerator[Real]:
    store, pids = await SqlStore.open(tmp_path / "state.sqlite"), list[int]()
    engine = browsers.engine(note_process=pids.append)
    registry = Registry(
        engines={"local": engine}, store=store, sessions_dir=tmp_path / "sessions",
        profiles_dir=tmp_path / "profiles", owner="own_1", limits=Limits(),
    )  # fmt: skip
    models = Models(ScriptedModel([]))
    agents = Supervisor(registry=registry, store=store, models=models, owner="own_1")
    with office.served() as base:
        async with registry, agents:
            yield Real(registry, agents, models, base, pids)
        await engine.close(deadline_s=2)
    await store.close()


async def test_a_model_does_a_task_in_a_browser(real: Real) -> None:
    """With what it typed into a password field told to nobody."""
    agent = await real.start(FILL, LOGIN, SEND, DONE)
    record = await real.ended(agent)
    assert (record.state, record.answer, record.step_count) == ("completed", "It is sent.", 5)
    assert (await real.registry.record(agent.session_id)).url == f"{real.base}/result"
    assert "4711" in shown(real.models.model.requests[-1])
    read = repr([record, await real.agents.steps(agent.id), await real.agents.events(agent.id)])
    assert SECRET not in read
    assert all(SECRET not in shown(request) for request in real.models.model.requests)


async def test_a_stop_cuts_an_action_in_a_browser(real: Real) -> None:
    """Within 4 s, and the session can be used at once."""
    agent = await real.start(NEVER, DONE)
    await real.begun(agent, "wait_for")
    begun = time.monotonic()
    record = await real.agents.stop(agent.id)
    assert time.monotonic() - begun < 4
    assert (record.state, record.reason) == ("stopped", "user")
    assert (await real.agents.steps(agent.id))[-1].state == "cancelled"
    async with real.registry.use(agent.session_id) as live:
        assert (await live.execute([a.Reload()], deadline_s=20)).receipts[0].success


async def test_a_person_takes_over_in_a_paused_browser(real: Real) -> None:
    """The model sees what they did when it goes on."""
    real.models.model = ScriptedModel([SEND, DONE], gate=anyio.Event())
    spec = AgentSpec("Send the form.", "model", SessionSpec(), url=f"{real.base}/form")
    agent = await real.agents.start(spec)
    with anyio.fail_after(20):
        await real.models.model.asked()
    assert (await real.agents.steer(agent.id, "pause")).record.state == "paused"
    async with real.registry.use(agent.session_id) as live:
        await live.execute([a.Fill(selector="#applicant", value="Grace")], deadline_s=20)
    assert real.models.model.gate is not None
    real.models.model.gate.set()
    await real.agents.steer(agent.id, "resume")
    assert (await real.ended(agent)).state == "completed"
    assert "= Grace" in shown(real.models.model.requests[1])
    assert [step.action["type"] for step in await real.agents.steps(agent.id)] == ["goto", "fill", "completion"]


async def test_an_agent_goes_on_after_its_browser_was_killed(real: Real) -> None:
    """In another one, with its history, and nothing done twice."""
    agent = await real.start(FILL, NEVER, session=SessionSpec(own_browser=True))
    await real.begun(agent, "wait_for")
    psutil.Process(real.pids[-1]).kill()
    record = await real.ended(agent)
    assert (record.state, record.reason, record.step_count) == ("interrupted", "crash", 3)
    await real.registry.restore(agent.session_id)
    real.models.model = ScriptedModel([SEND, DONE])
    await real.agents.steer(agent.id, "resume")
    record = await real.ended(agent)
    assert (record.state, record.step_count) == ("completed", 5)
    asked = shown(real.models.model.requests[0])
    assert "started anew" in asked
    assert '2 fill I1 "Applicant"' in asked
