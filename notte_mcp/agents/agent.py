"""One live agent: its record, its log, its hold on a session, and what it was told meanwhile.

Plain state with the rules that hold it together; whoever drives it (a model's loop,
the calling assistant) reads it and waits for its beats. Every change is on disk before
anyone hears of it, but for the number of its last step, which its steps tell.

Below: answers, moves, registry (Hold), store.base. Above: runner, supervisor.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import anyio

from notte_mcp.actions import Action, Completion, Help
from notte_mcp.agent_records import UNCOUNTED, AgentEvent, AgentRecord, EventKind, Usage
from notte_mcp.agents import answers
from notte_mcp.agents.moves import Finish
from notte_mcp.errors import NotteMCPError, SessionBusy
from notte_mcp.receipts import Receipt
from notte_mcp.records import Actor, StepRecord
from notte_mcp.registry import Clock
from notte_mcp.step_text import step_line
from notte_mcp.store.base import Store


class Agent:
    """See the module. It is a `Hold` of its session."""

    def __init__(self, record: AgentRecord, *, store: Store, clock: Clock, sequence: int = 0, acted: int = 0) -> None:
        self.record = record
        self.redact: Callable[[str], str] = str
        self.ending: Finish | None = None
        self.is_held_up = False
        self.said: Completion | Help | None = None
        self.acted = acted
        self.told: list[str] = []
        self.asking = anyio.CancelScope()
        self.running = anyio.CancelScope()
        self.watching = anyio.CancelScope()
        self.is_acting = False
        self.ended = anyio.Event()
        self._store = store
        self._clock = clock
        self._sequence = sequence
        self._pulse = anyio.Event()
        self._begun = clock.now() - record.usage.seconds

    # --- what it is ---------------------------------------------------------------

    @property
    def id(self) -> str:
        return self.record.id

    @property
    def is_driven_by_caller(self) -> bool:
        return self.record.spec.driver == "assistant"

    @property
    def actor(self) -> Actor:
        """Who its own steps are done by."""
        if self.is_driven_by_caller:
            return "assistant"
        return "fallback" if self.record.spec.is_fallback else "model"

    @property
    def steps_left(self) -> int:
        """Steps that this attempt may still take."""
        return max(0, self.record.spec.max_steps - self.acted)

    def snapshot(self) -> AgentRecord:
        """The agent as a reader may see it."""
        is_stopping = self.ending is not None and not self.ended.is_set()
        return self.record.but(state="stopping", usage=self._used()) if is_stopping else self.record

    # --- its log ------------------------------------------------------------------

    async def note(self, event: EventKind, text: str = "", **changes: Any) -> None:
        """Write a line of the log, and what changes with it, in one commit; then wake who waits.

        Raises:
            StoreUnusable.
        """
        self._sequence += 1
        line = AgentEvent(self.id, self._sequence, self.record.step_count, self._clock.unix(), event, self.redact(text))
        self.record = self.record.but(updated_at=line.at, **{"usage": self._used(), **changes})
        await self._store.put_agent(self.record, line)
        self.beat()

    def _used(self) -> Usage:
        return replace(self.record.usage, seconds=round(self._clock.now() - self._begun, 3))

    def beat(self) -> None:
        """Wake everyone who waits for something to change."""
        self._pulse.set()
        self._pulse = anyio.Event()

    async def next_beat(self) -> None:
        """Come back at the next `beat`."""
        await self._pulse.wait()

    # --- steering -----------------------------------------------------------------

    def end(self, finish: Finish) -> None:
        """Ask it to end: at once where it waits for a model, else when its action is over. The first to ask says how."""
        if self.ending is None and not self.ended.is_set():
            self.ending = finish
            self.asking.cancel()
            self.beat()

    def tell(self, text: str) -> None:
        """Something that the model is to read at its next turn."""
        self.told.append(text)
        self.beat()

    def take_told(self) -> list[str]:
        """What was told since this was last asked."""
        told, self.told = self.told, []
        return told

    # --- its hold on the session ----------------------------------------------------

    @property
    def agent_id(self) -> str:
        return self.record.id

    @property
    def step_count(self) -> int:
        return self.record.step_count

    @property
    def keeps(self) -> bool:
        return not self.is_driven_by_caller

    def refusal(self, by: str | None) -> NotteMCPError | None:
        if by == self.id or self.is_driven_by_caller or self.record.state in ("paused", "needs_input"):
            return None
        return SessionBusy(
            f"Agent {self.id} is at work in session {self.record.session_id}; you may observe, but not act.",
            next_call=f'notte_steer(agent_id="{self.id}", command="pause"), then the same call',
        )

    def stops(self, action: Action) -> str:
        if self.ending is not None:
            return f"the agent is ending ({self.ending.reason})"
        if self.record.state == "paused":
            return ""
        if self.is_held_up:
            return "the agent is being paused"
        if action.type in UNCOUNTED or self.record.state == "needs_input" or self.steps_left:
            return ""
        limit = f"max_steps ({self.record.spec.max_steps}) is reached"
        if self.is_driven_by_caller:
            self.end(Finish("stopped", "max_steps", f"Stopped: {limit}."))
        return limit

    def judge(self, action: Action) -> Receipt | None:
        match action:
            case Completion(success=True) if wrong := self._misfit(action.answer):
                return Receipt(action.type, success=False, code="refused", message=f"The answer was refused: {wrong}")
            case Completion():
                self.said = action
                how = "success" if action.success else "failure"
                return Receipt(action.type, success=True, message=f"Completed ({how})")
            case Help():
                self.said = action
                return Receipt(action.type, success=True, message=f"Asked for help: {action.value[:300]}")
            case _:
                return None

    def settled(self, step: StepRecord) -> None:
        if step.agent_step is not None:
            self.record = self.record.but(step_count=max(self.record.step_count, step.agent_step))
        if step.actor != self.actor:
            self.told.append(f"while you were paused, the caller did: {step_line(step)}: {step.message or 'done'}")
        elif step.action.get("type") not in UNCOUNTED:
            self.acted += 1
        self.beat()

    def _misfit(self, answer: str) -> str:
        schema = self.record.spec.response_schema
        return answers.check(answer, schema) if schema is not None else ""
