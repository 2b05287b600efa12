"""Waiting for an agent, and reading it: what a wait is for, and that nobody depends on it."""

import anyio
import pytest

from notte_mcp import actions as a
from notte_mcp.agent_records import AgentRecord
from notte_mcp.agents.reading import Until
from notte_mcp.errors import UnknownAgent
from notte_mcp.ids import new_agent_id
from tests.agents.conftest import DONE, FILL, HELP, SEND, SLOWLY, House

pytestmark = pytest.mark.anyio

NOBODY = "agt_00000000000000000000000000"


class Waiter:
    """Somebody who waits; `record` is what came of it."""

    def __init__(self, house: House) -> None:
        self._house = house
        self.record: AgentRecord | None = None

    async def wait(self, agent: AgentRecord, until: Until, after_step: int | None = None) -> None:
        with anyio.fail_after(5):
            self.record = await self._house.agents.wait(agent.id, seconds=20, after_step=after_step, until=until)

    def done(self) -> AgentRecord:
        assert self.record is not None
        return self.record


async def test_a_wait_for_a_step_ends_when_it_is_on_disk(house: House) -> None:
    """The next one, unless told which."""
    agent = await house.acting()
    waiter = Waiter(house)
    async with anyio.create_task_group() as group:
        group.start_soon(waiter.wait, agent, "step")
        await anyio.wait_all_tasks_blocked()
        assert waiter.record is None
        house.gate.set()
    record = waiter.done()
    assert record.step_count >= 2
    assert (await house.agents.steps(agent.id))[1].state == "done"


async def test_a_step_that_was_taken_already_is_not_waited_for(house: House) -> None:
    """`after_step` is the last one that the waiter knows."""
    agent = await house.asking(DONE)
    with anyio.fail_after(1):
        assert (await house.agents.wait(agent.id, seconds=20, after_step=0, until="step")).step_count == 1


async def test_a_wait_for_the_end_is_not_over_at_a_step(house: House) -> None:
    """But at the end."""
    agent = await house.asking(FILL, SEND, DONE)
    waiter = Waiter(house)
    async with anyio.create_task_group() as group:
        group.start_soon(waiter.wait, agent, "done")
        await anyio.wait_all_tasks_blocked()
        house.plan_goes_on()
    record = waiter.done()
    assert (record.state, record.step_count) == ("completed", 4)


@pytest.mark.parametrize("for_what", ["step", "input", "done"])
async def test_whoever_waits_is_told_of_a_question(house: House, for_what: Until) -> None:
    """Whatever they wait for: without an answer nothing else would come."""
    agent = await house.asking(HELP, DONE)
    waiter = Waiter(house)
    async with anyio.create_task_group() as group:
        group.start_soon(waiter.wait, agent, for_what, 2)
        await anyio.wait_all_tasks_blocked()
        house.plan_goes_on()
    record = waiter.done()
    assert (record.state, record.question) == ("needs_input", "Which district?")


@pytest.mark.parametrize("for_what", ["step", "input", "done"])
async def test_whoever_waits_is_told_of_the_end(house: House, for_what: Until) -> None:
    """Also where they wait for something that will not come any more."""
    agent = await house.asking(DONE)
    waiter = Waiter(house)
    async with anyio.create_task_group() as group:
        group.start_soon(waiter.wait, agent, for_what, 7)
        await anyio.wait_all_tasks_blocked()
        await house.agents.stop(agent.id)
    assert (waiter.done()).state == "stopped"


async def test_a_wait_that_is_over_first_tells_how_it_stands(house: House) -> None:
    """It takes no longer than it was given."""
    agent = await house.asking(DONE)
    with anyio.fail_after(2):
        record = await house.agents.wait(agent.id, seconds=0.05, until="done")
    assert (record.state, record.step_count) == ("running", 1)


async def test_a_wait_that_is_given_up_leaves_the_agent_alive(house: House) -> None:
    """It lives in the server, not in whoever asked for it."""
    agent = await house.asking(SEND, DONE)
    async with anyio.create_task_group() as group:
        group.start_soon(Waiter(house).wait, agent, "done")
        await anyio.wait_all_tasks_blocked()
        group.cancel_scope.cancel()
    house.plan_goes_on()
    assert (await house.ended(agent.id)).state == "completed"


async def test_an_agent_outlives_the_call_that_started_it(house: House) -> None:
    """Also where that call was cut."""
    house.plan(SLOWLY, DONE).gate = anyio.Event()
    async with anyio.create_task_group() as group:
        group.start_soon(house.start)
        with anyio.fail_after(5):
            await house.model.asked()
        group.cancel_scope.cancel()
    (agent,) = await house.agents.agents()
    assert agent.state == "running"
    await house.agents.stop(agent.id)


async def test_an_ended_agent_is_read_as_it_ended(house: House) -> None:
    """At once, and the same for ever."""
    record = await house.whole(DONE)
    with anyio.fail_after(1):
        assert await house.agents.wait(record.id, seconds=20, until="done") == record
    assert await house.agents.record(record.id) == await house.store.agent(record.id) == record
    assert await house.agents.agents() == [record]


async def test_a_reader_never_waits_for_an_agent(house: House) -> None:
    """However long its action takes."""
    agent = await house.acting()
    with anyio.fail_after(1):
        assert (await house.agents.record(agent.id)).state == "running"
        assert [one.id for one in await house.agents.agents()] == [agent.id]
        assert len(await house.agents.steps(agent.id)) >= 2
        assert len(await house.agents.events(agent.id)) == 2
        on_it = await house.agents.agent_on(agent.session_id)
        assert on_it is not None
        assert on_it.id == agent.id
    await house.agents.stop(agent.id, mode="now")
    assert await house.agents.agent_on(agent.session_id) is None


async def test_a_live_agent_is_listed_however_many_newer_ones_are_kept(house: House) -> None:
    """It comes first then."""
    agent = await house.lead()
    await house.store.put_agent(agent.but(id=new_agent_id(), state="stopped", created_at=agent.created_at + 1))
    assert [one.id for one in await house.agents.agents(limit=1)] == [agent.id]
    assert [one.id for one in house.agents.live()] == [agent.id]


async def test_steps_and_events_are_read_from_a_cursor_on(house: House) -> None:
    """By the agent's own numbers."""
    record = await house.whole(FILL, SEND, DONE)
    assert [step.agent_step for step in await house.agents.steps(record.id, after=2)] == [3, 4]
    assert [line.event for line in await house.agents.events(record.id, after=2)] == ["thought", "ended"]


async def test_its_usage_is_told_while_it_runs(house: House) -> None:
    """Not only when something is written."""
    agent = await house.asking(DONE)
    house.clock.turn(7)
    assert (await house.agents.record(agent.id)).usage.seconds == 7


async def test_an_id_that_nobody_has_is_told_as_such(house: House) -> None:
    """By every reader."""
    for read in (
        house.agents.record(NOBODY),
        house.agents.steps(NOBODY),
        house.agents.events(NOBODY),
        house.agents.wait(NOBODY, seconds=1),
    ):
        with pytest.raises(UnknownAgent, match="notte_status"):
            await read


async def test_a_caller_who_waits_for_its_own_agent_sees_its_steps(house: House) -> None:
    """A step that somebody takes in it wakes who waits."""
    agent = await house.lead()
    waiter = Waiter(house)
    async with anyio.create_task_group() as group:
        group.start_soon(waiter.wait, agent, "step")
        await anyio.wait_all_tasks_blocked()
        await house.act(agent, a.Reload())
    assert (waiter.done()).step_count == 2
