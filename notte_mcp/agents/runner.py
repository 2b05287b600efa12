"""A model drives an agent: the loop decides, this does, until there is an end.

Everything that takes time is here: the model's call, the actions, the look at the page,
and the waits at the boundaries between them (paused, waiting for an answer, told to end).
It runs in the App's task group. A model's answer that was under way when the agent was
told to end is dropped; an action that was under way is finished first.

Below: loop, agent, models, registry. Above: supervisor.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import anyio

from notte_mcp import page_text
from notte_mcp.actions import Action, Goto
from notte_mcp.agents.agent import Agent
from notte_mcp.agents.loop import Loop, Task
from notte_mcp.agents.moves import Act, AskModel, Finish, Move, NeedInput, Outcome, Page, Remark
from notte_mcp.errors import NotteMCPError, SessionLost, SessionNotLive, UnknownSession
from notte_mcp.models.base import ChatModel
from notte_mcp.models.patience import ask_patiently
from notte_mcp.observations import Observation
from notte_mcp.registry import Batch, Registry

PAGE_TOKENS: Final = 2_000
"""What the page gets of each question to the model."""

MODEL_S: Final = 120.0
"""How long one answer of the model may take."""

ACT_S: Final = 120.0
"""No action of a turn is begun later than this after the first one."""

Past = Sequence[Outcome | Remark]


class Runner:
    """One attempt of an agent, in one session."""

    def __init__(self, agent: Agent, registry: Registry, model: ChatModel, *, past: Past = ()) -> None:
        self._agent = agent
        self._registry = registry
        self._model = model
        spec = agent.record.spec
        task = Task(
            text=spec.task,
            max_steps=spec.max_steps,
            url=spec.url,
            response_schema=spec.response_schema,
            guidance=spec.guidance,
        )
        self._resumed = bool(past)
        self._loop = Loop(task, past=past, interrupted=self._resumed)

    async def run(self) -> Finish:
        """Until the attempt is over.

        Raises:
            SessionLost, SessionNotLive: the session is gone. ModelRefused, ModelUnavailable, StoreUnusable.
        """
        url = self._agent.record.spec.url
        if url is not None and not self._resumed:
            outcomes, _, refused = await self._execute([Goto(url=url)])
            for line in outcomes or [Remark(f"{url} was not opened: {refused}")]:
                self._loop.note(line)
        move: Move = self._loop.begin(await self._look())
        while not isinstance(move, Finish):
            if (fresh := await self._boundary()) is not None:
                move = fresh
            elif isinstance(move, AskModel):
                move = await self._ask(move)
            elif isinstance(move, Act):
                move = await self._act(move)
            else:
                move = await self._need(move)
        return move

    # --- between the steps ----------------------------------------------------------

    async def _boundary(self) -> Move | None:
        """Wait while it is paused. What to do instead of the move at hand: end, or ask anew since something was told."""
        agent = self._agent
        while agent.ending is None and agent.is_held_up:
            if agent.record.state != "paused":
                await agent.note("paused", state="paused")
                continue
            await agent.next_beat()
        if agent.ending is not None:
            return agent.ending
        return await self._anew() if agent.told else self._over_budget()

    async def _anew(self) -> Move:
        """Ask the model again, with what it was told meanwhile and the page as it is now."""
        for text in self._agent.take_told():
            self._loop.note(Remark(text))
        return self._loop.again(await self._look())

    def _over_budget(self) -> Finish | None:
        spec, used = self._agent.record.spec, self._agent.record.usage
        if spec.max_tokens_spent is not None and used.tokens >= spec.max_tokens_spent:
            return Finish("stopped", "budget", f"Stopped: {used.tokens} tokens used of {spec.max_tokens_spent}.")
        if spec.max_usd is not None and (used.usd or 0) >= spec.max_usd:
            return Finish("stopped", "budget", f"Stopped: {used.usd:.4f} USD used of {spec.max_usd}.")
        return None

    async def _need(self, move: NeedInput) -> Move:
        """Ask the person, and wait for the answer (or an end)."""
        agent = self._agent
        question = agent.redact(move.question)
        await agent.note("needs_input", question, state="needs_input", question=question)
        while agent.ending is None and agent.record.state == "needs_input":
            await agent.next_beat()
        return agent.ending or await self._anew()

    # --- the model ------------------------------------------------------------------

    async def _ask(self, move: AskModel) -> Move:
        agent = self._agent
        if move.repairs:
            await agent.note("repaired", move.complaint[:300])
        agent.asking = anyio.CancelScope()
        with agent.asking:
            reply = await ask_patiently(
                self._model, move.request, timeout_s=MODEL_S, on_retry=lambda text: agent.note("model_retry", text)
            )
            agent.record = agent.record.but(usage=agent.record.usage.plus(reply.usage))
            return self._loop.replied(reply.text)
        return move  # told to end meanwhile: the boundary sees to it

    # --- the page -------------------------------------------------------------------

    async def _act(self, move: Act) -> Move:
        await self._agent.note("thought", self._agent.redact(move.thought)[:1_000])
        outcomes, not_run, stopped = await self._execute(move.actions)
        return self._loop.acted(outcomes, await self._look(), not_run=not_run, stopped=stopped)

    async def _execute(self, actions: Sequence[Action]) -> tuple[list[Outcome], int, str]:
        """What was done, how many actions were not, and why."""
        agent = self._agent
        before = agent.step_count
        agent.is_acting = True
        try:
            async with self._registry.use(agent.record.session_id) as live:
                batch = await live.execute(actions, deadline_s=ACT_S, actor=agent.actor, by=agent.id)
        except (SessionLost, SessionNotLive, UnknownSession):
            raise
        except NotteMCPError as error:  # nothing was done: an id of another page, a page that hangs
            return [], len(actions), str(error)
        finally:
            agent.is_acting = False
        return self._outcomes(actions, batch, before), batch.total - len(batch.receipts), batch.stopped

    def _outcomes(self, actions: Sequence[Action], batch: Batch, before: int) -> list[Outcome]:
        done = zip(actions, batch.receipts, strict=False)
        return [
            Outcome(before + index, action, self._written(action), receipt)
            for index, (action, receipt) in enumerate(done, start=1)
        ]

    def _written(self, action: Action) -> dict[str, object]:
        """The action as the model may read it again: secrets taken out."""
        values: dict[str, object] = action.model_dump(mode="json", exclude_defaults=True)
        return {"type": action.type} | {
            name: self._agent.redact(value) if isinstance(value, str) else value for name, value in values.items()
        }

    async def _look(self) -> Page:
        """The page as it is now. A page that cannot be seen is told as such: the model may leave it."""
        agent = self._agent
        image: bytes | None = None
        try:
            async with self._registry.use(agent.record.session_id) as live:
                seen = await live.observe(mode="page", max_tokens=PAGE_TOKENS, own=True)
                seen = replace(seen, events=(*live.events, *seen.events))
                if agent.record.spec.use_vision:
                    image = await live.screenshot(marks=True)
        except (SessionLost, SessionNotLive, UnknownSession):
            raise
        except NotteMCPError as error:
            return Page("", f"The page could not be seen: {error}", f"unseen after {agent.step_count}")
        return Page(seen.url, page_text.page(seen), _signature(seen), image)


def _signature(seen: Observation) -> str:
    """Equal for two looks at an unchanged page: what differs from look to look is left out."""
    steady = replace(seen, view=0, cursor=None, events=(), note="")
    return hashlib.sha256(page_text.page(steady).encode(errors="replace")).hexdigest()
