"""The scripted model: answers from a plan or a function, with no provider behind it.

For tests, for the demo, and for anybody who wants an agent that always does the
same (`scripted:/path/to/plan.json`; the form is told in `plans`). It keeps what it
was asked, can raise the errors that a provider's model raises, and can be held at a
gate, so that a test decides when an answer comes.

Below: base, plans, observations (tokens). Above: named, agents' tests, demo.
"""

import inspect
import json
from collections.abc import Awaitable, Callable, Sequence

import anyio

from notte_mcp.agent_records import Usage
from notte_mcp.errors import ModelRefused, ModelUnavailable
from notte_mcp.models.base import ChatReply, ChatRequest
from notte_mcp.models.plans import Plan, filled
from notte_mcp.models.tokens import tokens_of
from notte_mcp.observations import estimate_tokens

Answer = Callable[[ChatRequest], object | Awaitable[object]]
"""Gives an answer in any form that a plan may hold."""


class ScriptedModel:
    """Answers in order, or by a function.

    An answer is text (given as it is), a `ChatReply` (the same), an exception (raised), or any JSON value (given as
    JSON); all but a `ChatReply` may name elements as `plans` tells. While `gate` is given and not set, every answer
    waits; a wait longer than the asker's patience is `ModelUnavailable`, as with a provider. `usd` is what each
    answer costs (None: not known).
    """

    def __init__(
        self,
        answers: Plan | Sequence[object] | Answer,
        *,
        name: str = "scripted",
        gate: anyio.Event | None = None,
        usd: float | None = 0.0,
    ) -> None:
        self._answer = answers if callable(answers) else None
        self._plan = Plan(()) if callable(answers) else answers if isinstance(answers, Plan) else Plan(tuple(answers))
        self._name = name
        self._usd = usd
        self._came = anyio.Event()
        self.gate = gate
        self.requests: list[ChatRequest] = []
        """Everything it was asked, in order, answered or not."""
        self.closed = False

    @property
    def name(self) -> str:
        return self._name

    async def ask(self, request: ChatRequest, *, timeout_s: float) -> ChatReply:
        turn = len(self.requests)
        self.requests.append(request)
        came, self._came = self._came, anyio.Event()
        came.set()
        try:
            with anyio.fail_after(timeout_s):
                if self.gate is not None:
                    await self.gate.wait()
                await anyio.sleep(self._plan.delay_s)
                answer = await self._next(turn, request)
        except TimeoutError:
            raise ModelUnavailable(f"{self._name} gave no answer within {timeout_s:g} s.") from None
        return self._reply(answer, request)

    async def asked(self, count: int = 1) -> None:
        """Come back when it was asked `count` times in all."""
        while len(self.requests) < count:
            await self._came.wait()

    async def close(self) -> None:
        self.closed = True

    async def _next(self, turn: int, request: ChatRequest) -> object:
        if self._answer is not None:
            answer = self._answer(request)
            return await answer if inspect.isawaitable(answer) else answer
        answers = self._plan.answers
        if turn < len(answers):
            return answers[turn]
        if answers and self._plan.repeat_last:
            return answers[-1]
        raise ModelRefused(
            f"The plan of {self._name} has {len(answers)} answers, and was asked for number {turn + 1}.",
            next_call="end the plan with a completion",
        )

    def _reply(self, answer: object, request: ChatRequest) -> ChatReply:
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, ChatReply):
            return answer
        found = filled(answer, request)
        text = found if isinstance(found, str) else json.dumps(found, ensure_ascii=False)
        usage = Usage(
            model_calls=1, input_tokens=tokens_of(request), output_tokens=estimate_tokens(text), usd=self._usd
        )
        return ChatReply(text, usage)
