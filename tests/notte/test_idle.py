"""A cloud session that nobody uses: its end by the cloud's own idle limit, as a second server tells it."""

from pathlib import Path

import anyio
import pytest

from notte_mcp.app import open_app
from notte_mcp.engines.notte.access import CloudAccess
from notte_mcp.engines.notte.engine import NotteEngine
from notte_mcp.errors import SessionLost
from notte_mcp.records import SessionSpec
from notte_mcp.settings import Settings
from tests.api.desk import FORM, desk

pytestmark = pytest.mark.anyio

SHORT = SessionSpec(idle_timeout_minutes=0.05)
"""What the API's contract takes whole minutes for, asked of its App."""


async def test_a_session_that_ended_by_idleness_there_is_stopped_here_with_that_reason(tmp_path: Path) -> None:
    """Attached to by its id; whoever asks next hears it, and it is neither gone on with nor replaced."""
    (tmp_path / "cloud").mkdir()
    async with desk(tmp_path / "cloud") as cloud:
        engine = NotteEngine(lambda: CloudAccess(cloud.api.key, cloud.api.url))
        async with open_app(Settings(state_dir=tmp_path / "state"), engines={"notte": engine}) as app:
            await app.registry.sessions()  # its store is open: what follows is quick
            there, _ = await cloud.app.registry.open(SHORT, url=FORM)
            own, _ = await app.registry.open(SessionSpec(engine="notte", cloud={"session_id": there.id}))
            with anyio.fail_after(10):
                ended = await cloud.app.registry.until_ended(there.id)
            told = await cloud.ask("GET", f"/sessions/{there.id}")
            with pytest.raises(SessionLost, match="idle_timeout"):
                async with app.registry.use(own.id) as live:
                    await live.observe()
            with anyio.fail_after(10):
                found = await app.registry.until_ended(own.id)
            stands = await app.registry.stands(own.id)
            live_there = [one for one in await cloud.app.registry.sessions() if one.state == "ready"]

    assert (ended.reason, told["status"], told["close_reason"]) == ("idle_timeout", "closed", "idle_timeout")
    assert (found.state, found.reason) == ("stopped", "idle_timeout")
    assert stands is not None
    assert (stands.is_live, stands.close_reason) == (False, "idle_timeout")
    assert live_there == []
