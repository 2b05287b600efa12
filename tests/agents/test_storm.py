"""Many agents at once, steered, crashed and stopped at any moment: each ends, and what is on record holds together."""

import random
from collections.abc import Sequence

import anyio
import pytest

from notte_mcp import actions as a
from notte_mcp.agent_records import AgentEvent, AgentRecord
from notte_mcp.agents.supervisor import Command
from notte_mcp.errors import NotteMCPError
from notte_mcp.models.base import ChatRequest
from tests.agents.conftest import DONE, FAIL, FILL, FORM, HELP, House, Street, run, until

pytestmark = pytest.mark.anyio

TURNS: Sequence[object] = (
    FILL,
    FAIL,
    HELP,
    DONE,
    "nonsense",
    {"actions": [{"type": "reload"}, {"type": "goto", "url": FORM}, {"type": "wait", "time_ms": 1}]},
    {"thought": "Again.", "actions": [{"type": "goto", "url": FORM}]},
)
COMMANDS: Sequence[Command] = ("pause", "resume", "message", "answer", "resume", "answer")


class Crowd:
    """Some agents, and somebody who does this and that to them."""

    def __init__(self, house: House, seed: int) -> None:
        self._house = house
        self._chance = random.Random(seed)  # noqa: S311 - the same storm each time
        self.agents: list[AgentRecord] = []
        self.refused: list[NotteMCPError] = []

    async def answer(self, request: ChatRequest) -> object:
        del request
        for _ in range(self._chance.randrange(4)):
            await anyio.lowlevel.checkpoint()
        return self._chance.choice(TURNS)

    async def gather(self, count: int) -> None:
        self._house.play(self.answer)
        for number in range(count):
            self.agents.append(await self._house.start(f"Task {number}.", retries=number % 3, max_steps=12))

    async def poke(self) -> None:
        """One thing, at one agent. What is refused is refused in words of ours."""
        agent = self._chance.choice(self.agents)
        try:
            match self._chance.randrange(12):
                case 0:
                    await self._house.agents.stop(agent.id, mode=self._chance.choice(("graceful", "now")))
                case 1:
                    self._lose(await self._house.agents.record(agent.id))
                case 2 | 3:
                    session_id = (await self._house.agents.record(agent.id)).session_id
                    await run(self._house.office, session_id, a.Reload())
                case 4 | 5:
                    self._house.clock.turn(self._chance.choice((0.5, 1, 4)))
                case _:
                    await self._house.agents.steer(agent.id, self._chance.choice(COMMANDS), "Go on.")
        except NotteMCPError as error:
            self.refused.append(error)

    def _lose(self, record: AgentRecord) -> None:
        if self._house.office.registry.is_live(record.session_id):
            self._house.office.engine.lose(record.session_id)


@pytest.mark.parametrize("seed", range(6))
async def test_whatever_is_done_to_them_agents_end_and_their_records_hold(street: Street, seed: int) -> None:
    """Numbers without a gap, each step with its outcome, nothing done by a model while it was paused, an end as the
    last line, and no session held."""
    async with street.house() as house:
        crowd = Crowd(house, seed)
        await crowd.gather(6)
        with anyio.fail_after(40):
            for _ in range(15):
                async with anyio.create_task_group() as group:
                    for _ in range(6):
                        group.start_soon(crowd.poke)
            for agent in crowd.agents:
                await house.agents.stop(agent.id)
        await until(lambda: not house.agents._life.live)
        for agent in crowd.agents:
            await _holds_together(house, agent)
        assert not house.agents._life.unwritten


async def _holds_together(house: House, agent: AgentRecord) -> None:
    record = await house.agents.record(agent.id)
    assert record.has_ended
    assert record == await house.store.agent(agent.id)
    steps = await house.agents.steps(agent.id)
    assert [step.agent_step for step in steps] == list(range(1, record.step_count + 1))
    assert all(step.state != "intended" and step.agent_id == agent.id for step in steps)
    lines = await house.agents.events(agent.id)
    assert (lines[0].event, lines[-1].event) == ("started", "ended")
    assert [line.sequence for line in lines] == sorted({line.sequence for line in lines})
    assert house.office.registry.holder(record.session_id) is None
    for first, last in _pauses(lines, record.step_count):
        assert {step.actor for step in steps[first:last]} <= {"assistant"}


def _pauses(lines: Sequence[AgentEvent], end: int) -> list[tuple[int, int]]:
    """(last step before, last step in it) of each time in which the agent was paused."""
    pauses: list[tuple[int, int]] = []
    for line in lines:
        if line.event == "paused":
            pauses.append((line.after_step, end))
        elif line.event == "resumed":
            pauses[-1] = (pauses[-1][0], line.after_step)
    return pauses
