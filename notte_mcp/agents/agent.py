"""One live agent: its record, its log, its hold on a session, and what it was told meanwhile.

Plain state with the rules that hold it together; whoever drives it (a model's loop,
the calling assistant) reads it and waits for its beats. Every change is on disk before
anyone hears of it, but for the number of its last step, which its steps tell.

Below: answers, moves, registry (Hold), store.base. Above: runner, life, supervisor.
"""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Final

import anyio

from notte_mcp.actions import Action, Completion, Help
from notte_mcp.agent_records import UNCOUNTED, AgentEvent, AgentRecord, AgentState, EventKind, Usage
from notte_mcp.agents import answers
from notte_mcp.agents.moves import Finish
from notte_mcp.agents.others import goes_on, told_of
from notte_mcp.errors import NotteMCPError, SessionBusy
from notte_mcp.receipts import Receipt
from notte_mcp.records import Actor, StepRecord
from notte_mcp.registry import Clock, Redactor
from notte_mcp.store.base import Store

WAITING: Final[frozenset[AgentState]] = frozenset({"paused", "needs_input"})
"""States in which it does nothing, and its caller may act in its session."""

TAIL_STEPS: Final = 100
"""Steps of a live agent that are kept in memory, too."""

MAX_THOUGHT_CHARS: Final = 1_000
"""Characters of a thought in the log."""


class Agent:
    """See the module. It is a `Hold` of its session.

    `in_flight` says that an action of its session is under way, whoever does it (`current` is its step); `is_acting`
    that it is one of its own. `own_steps` are those that the runner has not taken yet, `tail` the last ones of anybody; `was_held_back` says
    that one was not begun though it could have been. `lines` is the last line of its log that is on disk. `thought` is what the model thought of its turn, until it is in
    the log; `asked` what asking it has used, until a step that came of it has its outcome. `told` is what the model is to read at its next turn, `heard` all that a person ever said. `is_between`
    holds from a failed attempt to the next one.
    """

    def __init__(
        self,
        record: AgentRecord,
        *,
        store: Store,
        clock: Clock,
        sequence: int = 0,
        acted: int = 0,
        heard: Sequence[str] = (),
        heartbeat: Callable[[AgentRecord], None] | None = None,
    ) -> None:
        self.record = record
        self.redact = Redactor()
        self.ending: Finish | None = None
        self.is_held_up = False
        self.is_acting = False
        self.is_between = False
        self.in_flight = False
        self.current: StepRecord | None = None
        self.said: Completion | Help | None = None
        self.acted = acted
        self.was_held_back = False
        self.own_steps: list[StepRecord] = []
        self.tail: deque[StepRecord] = deque(maxlen=TAIL_STEPS)
        self.thought = ""
        self.asked = Usage()
        self.told: list[str] = []
        self.heard = list(heard)
        self.asking = anyio.CancelScope()
        self.running = anyio.CancelScope()
        self.watching = anyio.CancelScope()
        self.ended = anyio.Event()
        self._store = store
        self._clock = clock
        self._sequence = self.lines = sequence
        self._pulse = anyio.Event()
        self._heartbeat = heartbeat
        self._worked = record.usage.seconds
        self._since = clock.now()

    # --- what it is ---------------------------------------------------------------

    @property
    def id(self) -> str:
        return self.record.id

    @property
    def is_driven_by_caller(self) -> bool:
        return self.record.spec.driver == "assistant"

    @property
    def is_hosted(self) -> bool:
        """Whether the cloud runs it: nothing reaches it between its steps but the word to stop."""
        return self.record.spec.driver == "notte"

    @property
    def is_waiting(self) -> bool:
        return self.record.state in WAITING

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
        """The agent as a reader may see it: no end that is not on disk."""
        if self.ended.is_set():
            return self.record
        state = self.record.state if self.ending is None else "stopping"
        return self.record.but(state=state, usage=self._used())

    # --- its log ------------------------------------------------------------------

    async def note(self, event: EventKind, text: str = "", **changes: Any) -> None:
        """Write a line of the log, and what changes with it, in one commit; then wake who waits.

        Raises:
            StoreUnusable.
        """
        self._sequence += 1
        line = AgentEvent(
            self.id, self._sequence, self.record.step_count, self._clock.unix(), event, self.redact.text(text),
            session_id=self.record.session_id,
        )  # fmt: skip
        self.record = self.record.but(updated_at=line.at, **{"usage": self._used(), **changes})
        await self._store.put_agent(self.record, line)
        self.lines = line.sequence
        self.beat()

    async def save(self) -> None:
        """Put what it has used on disk, so that its budgets outlive the server. Raises: StoreUnusable."""
        self.record = self.record.but(usage=self._used())
        await self._store.put_agent(self.record)

    def _used(self) -> Usage:
        """What it has used until now; the time in which it only waits for somebody is not counted."""
        now = self._clock.now()
        self._worked += 0 if self.is_waiting else now - self._since
        self._since = now
        return replace(self.record.usage, seconds=round(self._worked, 3))

    def beat(self) -> None:
        """Wake everyone who waits for something to change, and tell who listens to all agents."""
        self._pulse.set()
        self._pulse = anyio.Event()
        if self._heartbeat is not None:
            self._heartbeat(self.record)

    @property
    def pulse(self) -> anyio.Event:
        """What is set at the next `beat`; taken before one looks, nothing that happens meanwhile is missed."""
        return self._pulse

    async def next_beat(self) -> None:
        """Come back at the next `beat`."""
        await self._pulse.wait()

    async def recount(self) -> None:
        """Its last step's number from the disk: the outcome of one that a session's end cut is not told to anyone."""
        steps = await self._store.agent_steps(self.id, after=self.record.step_count)
        # An intent of a caller's batch may still be taken back.
        numbers = [step.agent_step or 0 for step in steps if step.state != "intended"]
        self.record = self.record.but(step_count=max(self.record.step_count, *numbers, 0))

    async def quiet(self) -> None:
        """Come back when no action is under way in its session."""
        while self.in_flight:
            await self.next_beat()

    # --- steering -----------------------------------------------------------------

    def end(self, finish: Finish) -> None:
        """Ask it to end: at once where it waits for a model, else when its action is over. The first to ask says how."""
        if self.ending is None and not self.ended.is_set():
            self.ending = finish
            self.asking.cancel()
            self.beat()

    def asks(self) -> anyio.CancelScope:
        """The scope of a wait (for a model, for the next attempt) that its end cuts short."""
        self.asking = anyio.CancelScope()
        if self.ending is not None:
            self.asking.cancel()
        return self.asking

    def tell(self, text: str) -> None:
        """Something that a person says, for the model's next turn."""
        self.heard.append(text)
        self.told.append(text)
        self.beat()

    def take_told(self) -> list[str]:
        """What was told since this was last asked."""
        told, self.told = self.told, []
        return told

    def take_steps(self) -> list[StepRecord]:
        """Its own steps since this was last asked, as they are on disk."""
        steps, self.own_steps = self.own_steps, []
        return steps

    @property
    def is_held_back(self) -> bool:
        """Whether it is to begin nothing now: it ends, is paused, or is to ask the model anew."""
        return self.ending is not None or self.is_held_up or bool(self.told)

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
        if by == self.id or self.is_driven_by_caller or self.is_waiting:
            return None
        if self.is_held_up:
            return SessionBusy(
                f"Agent {self.id} is being paused: its step in flight ends first.",
                next_call=f'notte_status(id="{self.id}", wait_seconds=10), then the same call',
            )
        pause = f'notte_steer(agent_id="{self.id}", command="pause")'
        wait = f'notte_status(id="{self.id}", wait_seconds=30, until="done") or notte_stop(id="{self.id}")'
        return SessionBusy(
            f"Agent {self.id} is at work in session {self.record.session_id}; you may observe, but not act.",
            next_call=f"{wait if self.is_hosted else pause}, then the same call",
        )

    async def intended(self, *, by: str | None) -> None:
        if by == self.id:
            await self.note_thought()

    async def note_thought(self) -> None:
        """Put what the model thought into the log, once."""
        text, self.thought = self.redact.text(self.thought)[:MAX_THOUGHT_CHARS], ""
        if text:
            await self.note("thought", text)

    def spent(self, *, by: str | None) -> Usage | None:
        return self.asked if by == self.id and self.asked.model_calls else None

    def stops(self, action: Action, *, by: str | None) -> str:
        if by == self.id:
            self.was_held_back = self.is_held_back
        reason = self._stops(action, by)
        self.in_flight = not reason
        return reason

    def _stops(self, action: Action, by: str | None) -> str:
        if self.ending is not None:
            return f"the agent is ending ({self.ending.reason or self.ending.state})"
        if isinstance(self.said, Completion):
            return "the agent has completed its task"
        if by is None and not self.is_driven_by_caller:
            return "" if self.is_waiting else "the agent goes on by itself"
        if by == self.id and self.is_held_back:
            return "the agent is being paused" if self.is_held_up else "the agent was told something new"
        if action.type in UNCOUNTED or self.steps_left:
            return ""
        limit = f"max_steps ({self.record.spec.max_steps}) is reached"
        if self.is_driven_by_caller:
            self.end(Finish("stopped", "max_steps", f"Stopped: {limit}."))
        return limit

    def begun(self, step: StepRecord) -> None:
        self.current = step

    def judge(self, action: Action, *, by: str | None) -> Receipt | None:
        match action:
            case Completion() | Help() if by is None and not self.is_driven_by_caller:
                why = (
                    "a model drives this agent, and only it says when it is done. "
                    f'Next: notte_steer(agent_id="{self.id}", command="resume"), or notte_stop(id="{self.id}") to end it'
                )
                return Receipt(action.type, success=False, code="not_allowed", message=why)
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

    def steps_after(self, after: int, limit: int) -> list[StepRecord] | None:
        """Steps above `after` from memory, so that who asks waits for no disk; None where that does not reach back
        so far."""
        oldest = self.tail[0].agent_step or 1 if self.tail else self.record.step_count + 1
        if after < oldest - 1:
            return None
        known = [*self.tail, *([self.current] if self.current is not None else [])]
        return [step for step in known if (step.agent_step or 0) > after][:limit]

    def settled(self, step: StepRecord) -> None:
        self.in_flight, self.current = False, None
        before = self.tail[-1] if self.tail else step
        self.tail.append(step)
        if step.usage is not None:
            self.asked = Usage()
        self.record = self.record.but(step_count=max(self.record.step_count, step.agent_step or 0))
        counts = step.action.get("type") not in UNCOUNTED
        if step.actor != self.actor:
            if goes_on(step, before) and self.told[-1:] == [told_of(before)]:
                self.told.pop()
            self.told += [told_of(step)] if counts else []
        else:
            if not self.is_driven_by_caller and not self.is_hosted:
                self.own_steps.append(step)
            self.acted += counts
        self.beat()

    def _misfit(self, answer: str) -> str:
        schema = self.record.spec.response_schema
        return answers.check(answer, schema) if schema is not None else ""
