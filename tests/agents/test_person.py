"""A person takes an agent's session over in the live view: the agent stands still, and hears of it."""

import anyio
import pytest

from notte_mcp import actions as a
from notte_mcp.engines.base import Hand
from notte_mcp.registry import Batch
from tests.agents.conftest import DONE, SEND, House

pytestmark = pytest.mark.anyio


async def by_hand(house: House, session_id: str, action: a.Action, hand: Hand | None = None) -> Batch:
    """One action of a person who has taken over."""
    with anyio.fail_after(10):
        async with house.office.registry.use(session_id) as live:
            return await live.execute([action], actor="human", hand=hand, deadline_s=10)


async def test_what_a_person_did_meanwhile_is_told_to_the_model_with_the_value_typed_last(house: House) -> None:
    """Key by key it is one line: what the field held in the end."""
    registry = house.office.registry
    agent = await house.asking(SEND, DONE)
    await house.agents.steer(agent.id, "pause")
    await registry.take_over(agent.session_id)
    field = (await house.office.look(agent.session_id))["Applicant"]
    for value, text in (("G", "G"), ("Gr", "r")):
        done = await by_hand(house, agent.session_id, a.Fill(id=field, value=value), Hand(text=text))
        assert done.receipts[0].success
    await registry.give_back(agent.session_id)
    house.plan_goes_on()
    await house.agents.steer(agent.id, "resume")
    record = await house.ended(agent.id)
    assert await house.steps(record) == [
        (1, "model", "goto", "done"),
        (2, "human", "fill", "done"),
        (3, "human", "fill", "done"),
        (4, "model", "completion", "done"),
    ]
    told = house.asked(1)
    assert told.count("while you were waiting, a person did: fill") == 1
    assert "Gr" in told


async def test_an_agent_that_nobody_paused_waits_until_the_session_is_given_back(house: House) -> None:
    """It does nothing meanwhile, its turn is not lost, and it is not told that anything failed."""
    registry = house.office.registry
    agent = await house.asking(SEND, DONE)
    await registry.take_over(agent.session_id)
    house.plan_goes_on()
    await anyio.wait_all_tasks_blocked()
    assert house.performed(agent) == ["goto"]
    await registry.give_back(agent.session_id)
    assert (await house.ended(agent.id)).state == "completed"
    assert house.performed(agent) == ["goto", "click"]
    assert "refused" not in [event for _, event in await house.log(agent)]
