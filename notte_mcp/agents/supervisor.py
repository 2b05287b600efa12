"""Agents by id: start, steer, stop; found and waited for in `reading`.

Agents live in the App's task group, never in a request: whoever waits may leave. Reading
and stopping never queue behind an agent. Of each agent that ended it is said how and why;
what a dead server drove is `interrupted`, and goes on only when asked to.

Below: reading, life, attempts, driving, agent, past, registry, models, store.base. Above: app, tools, resources.
"""

from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Final, Literal, Self

import anyio

from notte_mcp.agent_records import PERSON_LEFT, AgentEvent, AgentRecord, AgentSpec, Driver
from notte_mcp.agents import answers, refusals
from notte_mcp.agents.agent import Agent
from notte_mcp.agents.attempts import by_caller
from notte_mcp.agents.beginning import Beginning
from notte_mcp.agents.driving import Driving, Models, require_hostable
from notte_mcp.agents.life import GRACE_S, LEFT, Life
from notte_mcp.agents.moves import Finish
from notte_mcp.agents.past import TOLD, past_of
from notte_mcp.agents.reading import Reading
from notte_mcp.errors import InvalidArgument, LimitReached, ModelMissing, SessionNotLive
from notte_mcp.models.base import ChatModel
from notte_mcp.registry import Clock, Count, Registry, SystemClock
from notte_mcp.store.base import Store

Command = Literal["pause", "resume", "message", "answer"]

CUT_S: Final = 1.2
"""How long it may take to end once it was cut."""


@dataclass(frozen=True, slots=True)
class Steered:
    """What a steering command came to. It takes effect after the agent's step `at_step`."""

    record: AgentRecord
    accepted: bool
    at_step: int


class Supervisor(Reading):
    """See the module. Runs between entering and leaving it (`async with`), in one task, within the registry's time."""

    def __init__(
        self,
        *,
        registry: Registry,
        store: Store,
        models: Models,
        owner: str,
        limit: int = 16,
        places: Count | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._clock = clock or SystemClock()
        super().__init__(Life(registry, self._clock), registry, store)
        self._models = models
        self._driving = Driving(registry, models, self._life, self._clock)
        self._owner = owner
        self._limit = limit
        self._places = places or Count(limit)
        self._joined_places = ExitStack()
        self._beginning = Beginning(registry, store, self._clock, owner, self._tell)
        self._starting = 0
        self._closing = False

    async def __aenter__(self) -> Self:
        self._life.tasks = await anyio.create_task_group().__aenter__()
        self._joined_places.enter_context(self._places.joined(self._count))
        return self

    async def __aexit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        await self.close(deadline_s=0.5)
        self._joined_places.close()
        self._life.tasks.cancel_scope.cancel()
        await self._life.tasks.__aexit__(None, None, None)

    # --- beginnings ---------------------------------------------------------------

    def choose_driver(self, asked: str, *, engine: str, model: str | None) -> Driver:
        """The driver meant by `auto|assistant|model|notte`: on a cloud session the cloud's agent, else a
        configured model, else the assistant.

        Raises:
            ModelMissing: `model` and none is configured, or its extra is not installed.
            ModelUnknown: no provider has this name. NeedsCloud: `notte` without a cloud session.
        """
        named = model or self._models.default
        if asked == "notte" and engine != "notte":
            raise refusals.not_in_the_cloud()
        if asked == "notte" or (asked == "auto" and engine == "notte" and model is None):
            return "notte"
        if asked == "assistant" or (asked == "auto" and named is None):
            return "assistant"
        if named is None:
            there = "notte" if engine == "notte" else "assistant"
            raise ModelMissing(
                "driver model needs a model, and none is configured.",
                next_call=f'the same call with model="anthropic:..." or driver="{there}"; '
                "or set NOTTE_MCP_MODEL and restart the server",
            )
        self._models.named(named)
        return "model"

    async def start(self, spec: AgentSpec, *, session_id: str | None = None) -> AgentRecord:
        """A new agent, in the session named or in one of its own; on disk when this returns, with the first
        page loaded where `spec.url` is given and the caller drives it (a model's agent loads it by itself).

        Raises:
            SessionBusy (an agent has that session), InvalidArgument (no JSON Schema), ModelMissing,
            ModelUnknown, what `Registry.open` and `Registry.use` raise, and of one that the cloud drives the errors of
            the cloud: none was started then, unless the error says otherwise.
        """
        model = self._ready(spec)
        if spec.driver != "notte":
            spec = replace(spec, model=(spec.model or self._models.default) if model else None)
        with self._place():
            agent = await self._beginning.new(spec, session_id)
            self._life.begin(agent)
        owns = session_id is None
        if model is not None:
            self._life.drive(agent, self._driving.by_model(agent, model, owns_session=owns).run())
        elif agent.is_hosted:
            attempts, hosting = self._driving.by_cloud(agent, owns_session=owns)
            self._life.drive(agent, attempts.run())
            await self._driving.begun(hosting, agent, owns_session=owns)
        else:
            self._life.drive(agent, by_caller(agent))
            await self._beginning.first_page(agent, owns_session=owns)
        return agent.snapshot()

    @contextmanager
    def _place(self) -> Generator[None]:
        """A place among the live ones, for one that is about to begin."""
        self._starting += 1
        try:
            yield
        finally:
            self._starting -= 1

    def _count(self) -> int:
        return len(self._life.live) + self._starting

    def _full(self) -> LimitReached:
        live = [agent.record for agent in self._life.live.values()]
        if (own := self._count()) >= self._limit:
            return refusals.full(self._limit, live)
        return refusals.full(self._places.limit, live, others=self._places.live - own)

    def _ready(self, spec: AgentSpec) -> ChatModel | None:
        """The model that drives it (None: the caller does, or the cloud), once nothing of what was asked for is wrong."""
        if self._closing:
            raise InvalidArgument("This server is ending.", next_call="the same call again")
        if self._count() >= self._limit or self._places.is_full:
            raise self._full()
        answers.require_schema(spec.response_schema)
        if spec.driver == "notte":
            require_hostable(spec)
            return None
        if spec.driver == "assistant":
            if spec.retries:
                raise InvalidArgument(
                    "retries need an agent that a model drives; this one would be driven by you.",
                    next_call="the same call without retries",
                )
            return None
        return self._models.named(spec.model or self._models.default or "")

    # --- steering -----------------------------------------------------------------

    async def steer(self, agent_id: str, command: Command, text: str | None = None) -> Steered:
        """Pause, resume (an interrupted one too, once its session is restored), message, answer.

        Raises: UnknownAgent, AgentEnded, InvalidArgument (no text, nothing was asked, it runs in the cloud),
        SessionNotLive.
        """
        if command in ("message", "answer") and not (text or "").strip():
            raise InvalidArgument(f"{command} needs `text`.", next_call="the same call with text")
        agent = self._life.live.get(agent_id)
        if agent is None:
            record = await self.record(agent_id)
            if command == "resume" and record.state == "interrupted":
                return await self._go_on(record)
            raise refusals.over(record)
        if agent.ending is not None:
            raise refusals.over(agent.snapshot())
        if agent.is_hosted:
            raise refusals.hosted(agent.snapshot())
        return await self._steer(agent, command, text or "")

    async def _steer(self, agent: Agent, command: Command, text: str) -> Steered:
        accepted = True
        match command:
            case "pause" if agent.is_driven_by_caller:
                raise refusals.driven_by_caller(agent.record)
            case "pause":
                accepted, agent.is_held_up = not agent.is_held_up, True
                # Between its steps it is paused now, and not only when the model has answered.
                if not agent.is_acting and agent.record.state == "running":
                    await agent.note("paused", state="paused")
            case "resume":
                accepted, agent.is_held_up = agent.is_held_up, False
                if agent.record.state == "paused":
                    await agent.note("resumed", state="running", reason="")
            case "message":
                await agent.note("message", text)
                agent.tell(TOLD["message"] + text)
            case "answer":
                if agent.record.state != "needs_input":
                    raise refusals.nothing_asked(agent.record)
                agent.tell(TOLD["answer"] + text)
                await agent.note("answer", text, state="running", question=None)
        agent.beat()
        # An action that is under way ends first, whoever does it.
        return Steered(agent.snapshot(), accepted, agent.step_count + agent.in_flight)

    async def leave_paused(self, agent_id: str, why: str) -> None:
        """The person for whom it was paused has gone without a word: it waits for whoever lets it go on, and says so.

        Raises: StoreUnusable.
        """
        agent = self._life.live.get(agent_id)
        if agent is not None and agent.ending is None and agent.record.state == "paused":
            await agent.note("paused", why, reason=PERSON_LEFT)

    async def _go_on(self, record: AgentRecord) -> Steered:
        """Drive an interrupted agent again, with its history, in its restored session."""
        model = self._ready(record.spec)
        try:
            with self._place():
                agent, past = await self._beginning.again(record)
                self._life.begin(agent)
        except SessionNotLive:
            # One that the cloud ran on may have ended there before its session did.
            if (finish := await self._driving.ended_there(record)) is None:
                raise
            over = await self._put_end(record, finish) or await self.record(record.id)
            return Steered(over, accepted=False, at_step=over.step_count)
        # The session of a further attempt was opened for the agent; whose the first one was is not on record.
        owns = record.attempt > 1
        if agent.is_hosted:
            attempts, _ = self._driving.by_cloud(agent, owns_session=owns, after=past.own)
            work = attempts.run(resumed=True)
        elif model is not None:
            attempts = self._driving.by_model(agent, model, owns_session=owns)
            work = attempts.run(past.lines, resumed=past.has_begun)
        else:
            work = by_caller(agent)
        self._life.drive(agent, work)
        return Steered(agent.snapshot(), accepted=True, at_step=agent.step_count)

    # --- ends ---------------------------------------------------------------------

    async def stop(self, agent_id: str, *, mode: Literal["graceful", "now"] = "graceful") -> AgentRecord:
        """End it within 4 s; its session stays. Idempotent. One in the cloud is `stopping` until the cloud says that it
        has stopped. Raises: UnknownAgent."""
        agent = self._life.live.get(agent_id)
        if agent is None:
            return await self._stop_record(await self.record(agent_id), mode)
        agent.end(Finish("stopped", "user", "Stopped by its user."))
        if mode == "now":
            agent.running.cancel()
        with anyio.move_on_after(GRACE_S + CUT_S):
            await agent.ended.wait()
        return agent.snapshot()

    async def _stop_record(self, record: AgentRecord, mode: Literal["graceful", "now"]) -> AgentRecord:
        """One that nobody drives here: an interrupted one is not to go on any more."""
        if record.is_live:
            raise refusals.elsewhere(record)
        if record.state == "interrupted":
            said = await self._driving.stop_there(record)
            over = await self._put_end(record, Finish("stopped", "user"), said)
            if over is None:  # somebody has just resumed it
                return await (
                    self.stop(record.id, mode=mode) if record.id in self._life.live else self.record(record.id)
                )
            return over
        return record

    async def _put_end(self, record: AgentRecord, finish: Finish, said: str = "") -> AgentRecord | None:
        """The end of an interrupted one on disk; None where somebody was sooner."""
        now = self._clock.unix()
        past = await past_of(record, self._store)
        record = record.but(
            state=finish.state, reason=finish.reason, success=finish.success, answer=finish.answer or None,
            result=finish.result, ended_at=now, updated_at=now, step_count=past.step_count,
        )  # fmt: skip
        if not await self._store.take_agent(record):
            return None
        why = f" ({finish.reason})" if finish.reason else ""
        line = AgentEvent(record.id, past.sequence + 1, record.step_count, now, "ended", f"{finish.state}{why}{said}")
        await self._store.put_event(replace(line, session_id=record.session_id))
        return record

    async def close(self, *, deadline_s: float) -> None:
        """The server ends: every live agent becomes `interrupted`. Idempotent."""
        self._closing = True
        live = list(self._life.live.values())
        with anyio.CancelScope(shield=True), anyio.move_on_after(deadline_s):
            for agent in live:
                agent.end(LEFT)
            for agent in live:
                await agent.ended.wait()
