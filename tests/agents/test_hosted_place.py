"""Where a session stands while an agent of the cloud leads it: real engine, real API on scripted pages."""

from pathlib import Path

import anyio
import pytest

from notte_mcp.agent_records import AgentSpec
from notte_mcp.app import open_app
from notte_mcp.engines.notte.access import CloudAccess
from notte_mcp.engines.notte.engine import NotteEngine
from notte_mcp.records import SessionSpec
from notte_mcp.settings import Settings
from tests.api.desk import FORM, RESULT, SEND, desk

pytestmark = pytest.mark.anyio

LINGER = {"actions": [{"type": "wait", "time_ms": 20_000}]}


async def test_where_it_leads_its_session_is_told_while_it_works(tmp_path: Path) -> None:
    """A click that leads elsewhere says so in no step of it; what is told here is where the session stands there."""
    (tmp_path / "cloud").mkdir()
    spec = AgentSpec("Send the form.", "notte", SessionSpec(engine="notte"), url=FORM)
    async with desk(tmp_path / "cloud") as cloud:
        cloud.plan(SEND, LINGER)
        engine = NotteEngine(lambda: CloudAccess(cloud.api.key, cloud.api.url))
        async with open_app(Settings(state_dir=tmp_path / "state"), engines={"notte": engine}) as app:
            agent = await app.agents.start(spec)
            with anyio.fail_after(20):
                while (await app.registry.record(agent.session_id)).url != RESULT:
                    await app.registry._slots[agent.session_id].next_beat()
            session = await app.registry.record(agent.session_id)
            assert (await app.agents.record(agent.id)).is_live
            assert session.title == "Request received"
