"""What the API tells of agents that a server left behind."""

from pathlib import Path

import pytest

from tests.api.desk import PLAN, desk

pytestmark = pytest.mark.anyio


async def test_a_stop_of_an_agent_that_its_server_left_changes_nothing_that_was_told(tmp_path: Path) -> None:
    """Contract, 3.3: it is closed, with an answer; another server is asked about it."""
    async with desk(tmp_path) as first:
        first.plan(*PLAN, delay_s=20)
        session_id = await first.session()
        agent_id = await first.start(session_id)
    async with desk(tmp_path) as second:
        left = await second.ask("GET", f"/agents/{agent_id}")
        stopped = await second.ask("DELETE", f"/agents/{agent_id}/stop", params={"session_id": session_id})
        again = await second.ask("GET", f"/agents/{agent_id}")

    assert (left["status"], left["success"]) == ("closed", False)
    assert "Interrupted" in left["answer"]
    assert stopped == again == left
