"""A session that a person has taken over, as its callers are told of it."""

import anyio
import pytest

from notte_mcp import actions as a
from tests.tools.conftest import Host

pytestmark = pytest.mark.anyio


async def test_callers_hear_that_a_person_has_it_and_what_the_person_did(host: Host) -> None:
    """They may look, are refused with the call to wait by, and that call comes back when it is given back."""
    session_id = await host.start()
    assert host.app is not None
    registry = host.app.registry
    await registry.take_over(session_id)

    told = await host.facts("notte_status", id=session_id)
    seen = await host.text("notte_observe")
    refused = await host.refusal("notte_execute", actions=[{"type": "reload"}])

    assert (told["state"], told["reason"]) == ("ready", "taken_over")
    assert told["next"].startswith("a person has taken over (live view)")
    assert "event: a person has taken over (live view)" in seen
    assert "A person has taken over" in refused
    assert f'notte_status(id="{session_id}", wait_seconds=45, until="done")' in refused

    back: list[object] = []

    async def wait() -> None:
        facts = await host.facts("notte_status", id=session_id, wait_seconds=30, until="done")
        back.append(facts.get("reason"))

    with anyio.fail_after(10):
        async with anyio.create_task_group() as group:
            group.start_soon(wait)
            async with registry.use(session_id) as live:
                await live.execute([a.Reload()], actor="human", deadline_s=5)
            await anyio.wait_all_tasks_blocked()
            assert back == []
            await registry.give_back(session_id)
    assert back == [None]
    assert "event: a person had the session in the live view and did step 2" in await host.text("notte_observe")
    assert "1 reload" in await host.text("notte_execute", actions=[{"type": "reload"}])
