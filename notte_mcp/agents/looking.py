"""How an agent looks at its page: as text within a budget, and told apart from other pages.

Its looks are no views of the callers': what changed for them is counted from before.

Below: agent, registry, page_text. Above: runner.
"""

import hashlib
from dataclasses import replace
from typing import Final

from notte_mcp import page_text
from notte_mcp.agents.agent import Agent
from notte_mcp.agents.moves import Page
from notte_mcp.errors import NotteMCPError, SessionBusy, SessionLost, SessionNotLive, StoreUnusable, UnknownSession
from notte_mcp.observations import Observation
from notte_mcp.registry import Registry

PAGE_TOKENS: Final = 2_000
"""What the page gets of each question to the model."""

GONE: Final = (SessionLost, SessionNotLive, UnknownSession, StoreUnusable)
"""After these there is nothing more to do in the session."""


async def look(agent: Agent, registry: Registry) -> Page:
    """The page as it is now. A page that cannot be seen is told as such: the model may leave it.

    Raises: what is in `GONE`.
    """
    while True:
        try:
            return await _seen(agent, registry)
        except GONE:
            raise
        except NotteMCPError as error:
            # Somebody else has the session just now; whoever that is lets go.
            if not isinstance(error, SessionBusy) or agent.ending is not None:
                return Page("", f"The page could not be seen: {error}", f"unseen after {agent.step_count}")


async def _seen(agent: Agent, registry: Registry) -> Page:
    async with registry.use(agent.record.session_id) as live:
        seen = await live.observe(mode="page", max_tokens=PAGE_TOKENS, own=True)
        seen = replace(seen, events=(*live.events, *seen.events))
        image = await live.screenshot(marks=True) if agent.record.spec.use_vision else None
    return Page(seen.url, page_text.page(seen), _signature(seen), image)


def _signature(seen: Observation) -> str:
    """Equal for two looks at an unchanged page: what differs from look to look is left out."""
    steady = replace(seen, view=0, cursor=None, events=(), note="")
    return hashlib.sha256(page_text.page(steady).encode(errors="replace")).hexdigest()
