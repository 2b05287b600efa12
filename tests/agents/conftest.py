"""A house with agents: a registry over the permit office, a supervisor beside it, and a model that a test writes.

The clock stands still until a test turns it, the model can be held at its gate, and the button
"Take your time" on /slow at the house's: nothing here waits for time to pass.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
import pytest

from notte_mcp import actions as a
from notte_mcp.agent_records import AgentRecord, AgentSpec
from notte_mcp.agents.supervisor import Supervisor
from notte_mcp.engines.scripted import ScriptedSession
from notte_mcp.models.base import ChatRequest
from notte_mcp.models.scripted import ScriptedModel
from notte_mcp.records import SessionSpec
from notte_mcp.registry import Batch, Limits
from notte_mcp.store.sql import SqlStore
from tests.registry import conftest as office
from tests.registry.conftest import BASE, FORM, LIST, RESULT, SLOW, TurnedClock, run, until

__all__ = ["BASE", "FORM", "LIST", "RESULT", "SLOW", "run", "until"]

DONE = {"actions": [{"type": "completion", "success": True, "answer": "It is sent."}]}
GAVE_UP = {"actions": [{"type": "completion", "success": False, "answer": "There is no such form."}]}
SEND = {"thought": "I send it.", "actions": [{"type": "click", "id": "{{button 'Send request'}}"}]}
FILL = {
    "thought": "First the name.",
    "actions": [{"type": "fill", "id": "{{textbox 'Applicant'}}", "value": "Ada"}],
}
NOTE = {"actions": [{"type": "click", "id": "{{button 'Add a note'}}"}]}
SLOWLY = {
    "thought": "This takes time.",
    "actions": [
        {"type": "click", "id": "{{button 'Take your time'}}"},
        {"type": "fill", "id": "{{textbox 'Applicant'}}", "value": "Ada"},
    ],
}
HELP = {"actions": [{"type": "help", "value": "Which district?"}]}
FAIL = {"actions": [{"type": "click", "selector": "#nowhere"}]}
TO_LIST = {"actions": [{"type": "goto", "url": LIST}]}


@dataclass
class Models:
    """Every name is this model's."""

    model: ScriptedModel
    default: str | None = "scripted"

    def named(self, name: str) -> ScriptedModel:
        del name
        return self.model


@dataclass
class House:
    """A server with agents. `model` is the one that drives them all."""

    office: office.House
    agents: Supervisor
    models: Models

    @property
    def model(self) -> ScriptedModel:
        return self.models.model

    @property
    def clock(self) -> TurnedClock:
        return self.office.clock

    @property
    def store(self) -> SqlStore:
        return self.office.store

    @property
    def gate(self) -> anyio.Event:
        return self.office.gate

    def plan(self, *answers: object, usd: float | None = 0.0) -> ScriptedModel:
        """From now on agents are driven by a model that gives these answers."""
        self.models.model = ScriptedModel(list(answers), usd=usd)
        return self.model

    def play(self, answer: Callable[[ChatRequest], object | Awaitable[object]]) -> ScriptedModel:
        """From now on agents are driven by a model that answers by this function."""
        self.models.model = ScriptedModel(answer)
        return self.model

    def plan_goes_on(self) -> None:
        """The model that was held answers from now on."""
        assert self.model.gate is not None
        self.model.gate.set()

    async def start(self, task: str = "Send the form.", *, session_id: str | None = None, **spec: Any) -> AgentRecord:
        """An agent of a model, at /form unless told otherwise."""
        values: dict[str, Any] = {"driver": "model", "session": SessionSpec(), "url": FORM} | spec
        with anyio.fail_after(5):
            return await self.agents.start(AgentSpec(task, **values), session_id=session_id)

    async def lead(self, task: str = "Send the form.", **spec: Any) -> AgentRecord:
        """An agent that the caller drives."""
        return await self.start(task, driver="assistant", **spec)

    async def ended(self, agent_id: str) -> AgentRecord:
        """The agent once it has ended (or is interrupted)."""
        return await self.until(agent_id, lambda record: record.has_ended or record.state == "interrupted")

    async def until_state(self, agent_id: str, state: str) -> AgentRecord:
        return await self.until(agent_id, lambda record: record.state == state)

    async def until(self, agent_id: str, condition: Callable[[AgentRecord], bool]) -> AgentRecord:
        """The agent's record once this holds of it."""
        with anyio.fail_after(6):
            while not condition(record := await self.agents.record(agent_id)):
                await anyio.wait_all_tasks_blocked()
        return record

    async def whole(self, *answers: object, **spec: Any) -> AgentRecord:
        """An agent with this plan, from its start to its end."""
        self.plan(*answers)
        return await self.ended((await self.start(**spec)).id)

    async def acting(self, *answers: object, **spec: Any) -> AgentRecord:
        """An agent whose action hangs at the gate (its plan begins with SLOWLY)."""
        self.plan(*(answers or (SLOWLY, DONE)))
        agent = await self.start(url=SLOW, **spec)
        await until(lambda: self.gate.statistics().tasks_waiting > 0)
        return agent

    async def asking(self, *answers: object, **spec: Any) -> AgentRecord:
        """An agent whose model does not answer until the test opens its gate."""
        self.plan(*answers).gate = anyio.Event()
        agent = await self.start(**spec)
        with anyio.fail_after(5):
            await self.model.asked()
        return agent

    async def act(self, agent: AgentRecord, *actions: a.Action) -> Batch:
        """The caller acts in the agent's session."""
        return await run(self.office, (await self.agents.record(agent.id)).session_id, *actions)

    def browser(self, agent: AgentRecord) -> ScriptedSession:
        return self.office.browser(agent.session_id)

    def performed(self, agent: AgentRecord) -> list[str]:
        """What was done to the page of the agent's session."""
        return [action.type for action in self.browser(agent).performed]

    async def steps(self, agent: AgentRecord) -> list[tuple[int, str, str, str]]:
        """(number, actor, type, state) of the agent's steps on disk."""
        return [(s.agent_step or 0, s.actor, s.action["type"], s.state) for s in await self.agents.steps(agent.id)]

    async def log(self, agent: AgentRecord) -> list[tuple[int, str]]:
        """(after_step, event) of the lines of the agent's log."""
        return [(line.after_step, line.event) for line in await self.agents.events(agent.id)]

    async def texts(self, agent: AgentRecord, event: str) -> list[str]:
        """What the lines of this event say."""
        return [line.text for line in await self.agents.events(agent.id) if line.event == event]

    def asked(self, turn: int = -1) -> str:
        """All that the model was shown in one question."""
        return shown(self.model.requests[turn])


def shown(request: ChatRequest) -> str:
    """A question as one text."""
    return "\n".join([request.system, *(message.text for message in request.messages)])


@dataclass
class Street:
    """Opens houses with agents over one state folder."""

    office: office.Street

    @property
    def clock(self) -> TurnedClock:
        return self.office.clock

    @asynccontextmanager
    async def house(
        self,
        owner: str = "own_1",
        *,
        limit: int = 16,
        limits: Limits | None = None,
        store: Callable[[SqlStore], SqlStore] | None = None,
    ) -> AsyncGenerator[House]:
        async with self.office.house(owner, limits=limits, store=store) as rooms:
            models = Models(ScriptedModel([]))
            agents = Supervisor(
                registry=rooms.registry, store=rooms.store, models=models, owner=owner, limit=limit, clock=self.clock
            )
            async with agents:
                yield House(rooms, agents, models)


@pytest.fixture
def street(tmp_path: Path) -> Street:
    return Street(office.Street(tmp_path))


@pytest.fixture
async def house(street: Street) -> AsyncGenerator[House]:
    async with street.house() as house:
        yield house
