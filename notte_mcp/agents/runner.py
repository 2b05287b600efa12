"""A model drives an agent: the loop decides, this does, until there is an end.

Everything that takes time is here: the model's call, the actions, the look at the page,
and the waits at the boundaries between them (paused, waiting for an answer, told to end).
It runs in the App's task group. A model's answer that was under way when the agent was
told to end, or was told something new, is dropped; an action that was under way is
finished first.

Below: loop, looking, agent, models, registry. Above: driving, hosting.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final, cast

import anyio

from notte_mcp.actions import Action, Goto
from notte_mcp.agents.agent import Agent
from notte_mcp.agents.looking import GONE, look
from notte_mcp.agents.loop import Loop, Task
from notte_mcp.agents.moves import Act, AskModel, Finish, Move, NeedInput, Outcome, Past, Remark
from notte_mcp.errors import NotteMCPError, SessionBusy, SessionLost
from notte_mcp.models.base import ChatModel, ChatRequest
from notte_mcp.models.patience import ask_patiently
from notte_mcp.registry import Registry
from notte_mcp.registry.redaction import MIN_CHARS

MODEL_S: Final = 120.0
"""How long one answer of the model may take."""

_TAKEN_S: Final = 0.5
"""How long an agent that a person keeps from acting waits for its session, before it looks whether it is to pause."""

ACT_S: Final = 120.0
"""No action of a turn is begun later than this after the first one."""


class Runner:
    """One attempt of an agent, in one session. `resumed`: it goes on with what `past` tells, in a new browser."""

    def __init__(
        self, agent: Agent, registry: Registry, model: ChatModel, *, past: Past = (), resumed: bool = False
    ) -> None:
        self._agent = agent
        self._registry = registry
        self._model = model
        self._resumed = resumed
        self._thought_of: Act | None = None
        spec = agent.record.spec
        task = Task(
            text=spec.task,
            max_steps=spec.max_steps,
            url=spec.url,
            response_schema=spec.response_schema,
            guidance=spec.guidance,
            unattended=spec.unattended,
        )
        self._loop = Loop(task, past=past, interrupted=resumed)

    async def run(self) -> Finish:
        """Until the attempt is over.

        Raises:
            SessionLost, SessionNotLive: the session is gone. ModelRefused, ModelUnavailable, StoreUnusable.
        """
        agent = self._agent
        if not self._resumed and agent.record.spec.url is not None:
            await self._first_page(agent.record.spec.url)
        if agent.ending is not None:
            return agent.ending
        move: Move = self._loop.begin(await look(agent, self._registry))
        while not isinstance(move, Finish):
            if (instead := await self._boundary(move)) is not None:
                move = instead
            elif isinstance(move, AskModel):
                move = await self._ask(move)
            elif isinstance(move, Act):
                move = await self._act(move)
            else:
                move = await self._need(move)
        return move

    async def _first_page(self, url: str) -> None:
        """The first step. One that was held back is not left out: it comes when the agent goes on."""
        agent = self._agent
        while agent.ending is None:
            await self._paused()
            self._hear()
            outcomes, _, refused = await self._execute([Goto(url=url)])
            if outcomes or not agent.was_held_back:
                for line in outcomes or [Remark(f"{url} was not opened: {refused}")]:
                    self._loop.note(line)
                return

    # --- between the steps ----------------------------------------------------------

    async def _boundary(self, move: Move) -> Move | None:
        """What to do instead of the move at hand: end, or ask the model (anew), since something was told."""
        agent = self._agent
        was_paused = await self._paused()
        if agent.ending is not None:
            return agent.ending
        if agent.told or (was_paused and isinstance(move, AskModel)):
            return await self._anew()
        return self._over_budget() if isinstance(move, AskModel) else None

    async def _paused(self) -> bool:
        """Wait while it is paused; gives whether it was."""
        agent = self._agent
        was_paused = False
        while agent.ending is None and agent.is_held_up:
            was_paused = True
            if agent.record.state == "paused":
                await agent.next_beat()
            else:
                await agent.note("paused", state="paused")
        return was_paused

    async def _anew(self) -> Move:
        """Ask the model again, with what it was told meanwhile and the page as it is now."""
        self._hear()
        return self._loop.again(await look(self._agent, self._registry))

    def _hear(self) -> None:
        for text in self._agent.take_told():
            self._loop.note(Remark(text))

    def _over_budget(self) -> Finish | None:
        spec, used = self._agent.record.spec, self._agent.record.usage
        if spec.max_tokens_spent is not None and used.tokens >= spec.max_tokens_spent:
            return Finish("stopped", "budget", f"Stopped: {used.tokens} tokens used of {spec.max_tokens_spent}.")
        if spec.max_usd is None or not used.model_calls:
            return None
        if used.usd is None:
            why = f"Stopped: nothing is known of what {self._model.name} costs, so that max_usd cannot be held to."
            return Finish("stopped", "budget", why)
        if used.usd >= spec.max_usd:
            return Finish("stopped", "budget", f"Stopped: {used.usd:.4f} USD used of {spec.max_usd}.")
        return None

    async def _need(self, move: NeedInput) -> Move:
        """Ask the person, and wait for the answer (or an end)."""
        agent = self._agent
        question = agent.redact.text(move.question)
        await agent.note("needs_input", question, state="needs_input", question=question)
        while agent.ending is None and agent.record.state == "needs_input":
            await agent.next_beat()
        return agent.ending or await self._anew()

    # --- the model ------------------------------------------------------------------

    async def _ask(self, move: AskModel) -> Move:
        agent = self._agent
        if move.repairs:
            await agent.note("repaired", agent.redact.text(move.complaint)[:300])
        with agent.asks():
            reply = await ask_patiently(
                self._model,
                self._shown(move.request),
                timeout_s=MODEL_S,
                on_retry=lambda text: agent.note("model_retry", text),
            )
            agent.record = agent.record.but(usage=agent.record.usage.plus(reply.usage))
            agent.asked = agent.asked.plus(reply.usage)
            await agent.save()
            return self._loop.replied(reply.text)
        return move  # told to end meanwhile: the boundary sees to it

    def _shown(self, request: ChatRequest) -> ChatRequest:
        """The question without what was typed into secret fields; the task stays as the person wrote it."""
        task, *rest = request.messages
        hide = self._agent.redact.text
        return replace(request, messages=(task, *(replace(message, text=hide(message.text)) for message in rest)))

    # --- the page -------------------------------------------------------------------

    async def _act(self, move: Act) -> Move:
        agent = self._agent
        # Told by the hold once the batch's secrets are known: a thought may say what is about to be typed.
        agent.thought, self._thought_of = "" if move is self._thought_of else move.thought, move
        outcomes, not_run, stopped = await self._execute(move.actions)
        if agent.thought:  # the turn was refused whole, and which of its values are secret was never looked at
            agent.thought = _without_values(agent.thought, move.actions)
            await agent.note_thought()
        if not outcomes and agent.was_held_back:
            return move  # nothing of it was begun; whether it still holds is seen at the boundary
        return self._loop.acted(outcomes, await look(agent, self._registry), not_run=not_run, stopped=stopped)

    async def _execute(self, actions: Sequence[Action]) -> tuple[list[Outcome], int, str]:
        """What was done, how many actions were not, and why."""
        agent = self._agent
        agent.take_steps()
        agent.was_held_back = False
        while True:
            try:
                async with self._registry.use(agent.record.session_id) as live:
                    if self._registry.holder(agent.record.session_id) != agent.id:
                        raise _another_browser(agent)
                    agent.is_acting = True
                    batch = await live.execute(actions, deadline_s=ACT_S, actor=agent.actor, by=agent.id)
                break
            except GONE:
                raise
            except NotteMCPError as error:
                # Nothing was done: an id of another page, a page that hangs. Who has the session just now lets go.
                agent.was_held_back = isinstance(error, SessionBusy) and agent.is_held_back
                if not isinstance(error, SessionBusy) or agent.is_held_back:
                    await agent.note("refused", error.what)
                    return [], len(actions), str(error)
                with anyio.move_on_after(_TAKEN_S):
                    await self._registry.until_given_back(agent.record.session_id)
            finally:
                agent.is_acting = agent.in_flight = False
                agent.current = None
        done = zip(actions, batch.receipts, agent.take_steps(), strict=False)
        outcomes = [Outcome(step.agent_step or 0, action, step.action, receipt) for action, receipt, step in done]
        return outcomes, batch.total - len(batch.receipts), batch.stopped


def _another_browser(agent: Agent) -> SessionLost:
    """Its session was lost and has been restored by somebody: nothing that it knows of the page is true there."""
    return SessionLost(f"The browser of session {agent.record.session_id} was lost, and another one is there now.")


def _without_values(thought: str, actions: Sequence[Action]) -> str:
    """`thought` without the texts that were to be typed."""
    for action in actions:
        given: object = getattr(action, "value", None)
        for value in cast(dict[str, str], given).values() if isinstance(given, dict) else (given,):
            if isinstance(value, str) and len(value) >= MIN_CHARS:
                thought = thought.replace(value, "...")
    return thought
