"""The people at the live view: who looks, who has taken a session over, and what becomes of it when they go away.

A session is taken over by one view (a page's own random name for itself). Once that is gone for a while the session is
given back, and the agent that was paused for it stays paused: whether the page is as it should be, nobody said.

Below: app (agents, registry). Above: acts, stream.
"""

import time
from collections import Counter
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import anyio

from notte_mcp.agent_records import PERSON_LEFT
from notte_mcp.errors import NotteMCPError, SessionBusy
from notte_mcp.logs import Log

if TYPE_CHECKING:
    from notte_mcp.agent_records import AgentRecord
    from notte_mcp.app import App

MAX_VIEWS: Final = 32
"""Views at the same time."""

MAX_VIEWS_EACH: Final = 8
"""Views of one session at the same time."""

GONE_S: Final = 60.0
"""How long a view that has taken over may be away."""

PAUSE_S: Final = 15.0
"""How long an agent's step in flight is waited for."""

WENT: Final = "The person who had taken over went away, so the session was given back."
IDLE: Final = "The person who had taken over did nothing for a while, so the session was given back."

log = Log("viewer")


@dataclass(slots=True)
class Taken:
    """`view` took it over; `agent_id` was paused for that (None: nobody had to be). `seen_at` is when it was last there."""

    view: str
    agent_id: str | None
    seen_at: float


class People:
    """See the module. `now` gives seconds that only grow."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._views: Counter[tuple[str, str]] = Counter()
        self._taken: dict[str, Taken] = {}
        self._notes: dict[str, str] = {}

    # --- who looks ----------------------------------------------------------------

    def is_full(self, session_id: str) -> bool:
        """Whether no more may look at this session."""
        each = sum(count for (one, _), count in self._views.items() if one == session_id)
        return each >= MAX_VIEWS_EACH or self._views.total() >= MAX_VIEWS

    @contextmanager
    def looking(self, session_id: str, view: str) -> Generator[None]:
        """While a view is there."""
        self._views[session_id, view] += 1
        try:
            yield
        finally:
            self._views[session_id, view] -= 1
            self._views += Counter()  # drops what is zero
            self._see(session_id, view)

    def note(self, session_id: str) -> str:
        """What whoever looks should know of how it was given back, or ""."""
        return self._notes.get(session_id, "")

    def has(self, session_id: str, view: str) -> bool:
        """Whether this view has taken the session over."""
        return session_id in self._taken and self._taken[session_id].view == view

    # --- who acts -----------------------------------------------------------------

    async def take_over(self, app: "App", session_id: str, view: str) -> None:
        """Pause the agent that works there, and give this view the session, whoever had it.

        Raises: SessionBusy: what is under way does not end. What `Registry.take_over` raises.
        """
        known = self._taken.get(session_id)
        agent = await app.agents.agent_on(session_id)
        paused = await self._paused(app, agent) if agent is not None else None
        await app.registry.take_over(session_id)
        self._notes.pop(session_id, None)
        mine = paused or (known.agent_id if known else None)
        if agent is not None and agent.state == "paused" and agent.reason == PERSON_LEFT:
            mine = agent.id  # a person went away from it; this one says when it goes on
        self._taken[session_id] = Taken(view, mine, self._now())
        log.info("viewer.taken_over", session=session_id)

    async def _paused(self, app: "App", agent: "AgentRecord") -> str | None:
        """The agent's id where it had to be paused now."""
        if agent.spec.driver == "assistant":
            return None
        accepted = agent.state == "running" and (await app.agents.steer(agent.id, "pause")).accepted
        stands = await app.agents.wait(agent.id, seconds=PAUSE_S, until="input")
        if stands.state in ("running", "stopping"):
            if accepted:
                await app.agents.steer(agent.id, "resume")
            raise SessionBusy(
                f"What the agent is doing did not end within {PAUSE_S:.0f} s.", next_call="try again in a moment"
            )
        return agent.id if accepted else None

    async def give_back(self, app: "App", session_id: str, *, resume: bool = True) -> None:
        """Let others act again; the agent that was paused for it goes on."""
        taken = self._taken.pop(session_id, None)
        await app.registry.give_back(session_id)
        if taken is None:
            return
        log.info("viewer.given_back", session=session_id)
        if resume and taken.agent_id is not None:
            with suppress(NotteMCPError):  # it has ended meanwhile
                await app.agents.steer(taken.agent_id, "resume")

    def touch(self, session_id: str, view: str) -> None:
        """This view acts there: from now on the session is its."""
        if (taken := self._taken.get(session_id)) is not None:
            taken.view, taken.seen_at = view, self._now()

    def _see(self, session_id: str, view: str) -> None:
        if self.has(session_id, view):
            self._taken[session_id].seen_at = self._now()

    # --- who went -----------------------------------------------------------------

    async def look(self, app: "App") -> None:
        """Give back what the people have left. Never raises."""
        for session_id, taken in list(self._taken.items()):
            if not app.registry.is_live(session_id):
                del self._taken[session_id]
                continue
            if self._views[session_id, taken.view]:
                taken.seen_at = self._now()
            gone = self._now() - taken.seen_at >= GONE_S
            if gone or not app.registry.is_taken(session_id):
                self._notes[session_id] = WENT if gone else IDLE
                with suppress(NotteMCPError), anyio.move_on_after(5):
                    await self.give_back(app, session_id, resume=False)
                    if taken.agent_id is not None:
                        await app.agents.leave_paused(taken.agent_id, self._notes[session_id])
        for session_id in [one for one in self._notes if not app.registry.is_live(one)]:
            del self._notes[session_id]
