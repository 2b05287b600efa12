"""Asking again: how often a model that cannot answer now is asked, and after how long.

The vendors' clients retry nothing (`providers` turns that off), so every retry is
one of these: counted, bounded and told.

Below: base, errors, stamina. Above: agents.
"""

import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import cache
from typing import Final

from notte_mcp.errors import ModelUnavailable
from notte_mcp.models.base import ChatModel, ChatReply, ChatRequest

MAX_ASKS: Final = 4
"""How often one request is sent at most."""


@dataclass(frozen=True, slots=True)
class Waits:
    """Seconds before asking again: `steps` in order, or what the provider said, which is cut to `longest`."""

    steps: tuple[float, ...] = (1, 2, 4)
    longest: float = 30

    def after(self, ask: int, error: ModelUnavailable) -> float:
        """The wait after the `ask`-th time (from 1)."""
        if error.retry_after_s is not None:
            return min(max(error.retry_after_s, 0), self.longest)
        return self.steps[min(ask, len(self.steps)) - 1]


AT_ONCE: Final = Waits(steps=(0,), longest=0)
"""For tests: nothing is waited for."""


async def ask_patiently(
    model: ChatModel,
    request: ChatRequest,
    *,
    timeout_s: float,
    on_retry: Callable[[str], Awaitable[None] | None],
    waits: Waits = Waits(),
) -> ChatReply:
    """The model's answer, asked for up to `MAX_ASKS` times; `timeout_s` is for each of them.

    `on_retry` is told, before each wait, what happened and when it is asked again.

    Raises:
        ModelUnavailable: the last of them. ModelRefused: at once.
    """
    from stamina import retry_context

    _silence()
    asks = 0

    def pause(error: Exception) -> float | bool:
        return waits.after(asks, error) if isinstance(error, ModelUnavailable) else False

    async for attempt in retry_context(on=pause, attempts=MAX_ASKS, timeout=None):
        with attempt:
            asks = attempt.num
            try:
                return await model.ask(request, timeout_s=timeout_s)
            except ModelUnavailable as error:
                if asks < MAX_ASKS:
                    told = on_retry(
                        f"{error.what} Asked again in {waits.after(asks, error):g} s ({asks + 1} of {MAX_ASKS})."
                    )
                    if inspect.isawaitable(told):
                        await told
                raise
    raise AssertionError("the last attempt either answers or raises")  # pragma: no cover


@cache
def _silence() -> None:
    """Its own log lines would say once more what `on_retry` is told, on a stream that is not ours to choose."""
    from stamina.instrumentation import set_on_retry_hooks

    set_on_retry_hooks(())
