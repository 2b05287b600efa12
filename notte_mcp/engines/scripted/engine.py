"""The scripted engine: opens sessions, and loses their browsers where a test wants that.

Below: session, engines.base. Above: tests, app (where asked for).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import anyio

from notte_mcp.engines.base import LostListener, OpenRequest
from notte_mcp.engines.scripted.pages import ScriptedPage
from notte_mcp.engines.scripted.session import ScriptedSession


@dataclass(slots=True)
class ScriptedEngine:
    """See `Engine`. `sessions` holds every session it opened, by id; `requests` what they were opened with.
    Opening waits for `gate`."""

    pages: Mapping[str, ScriptedPage]
    name: str = "local"
    sessions: dict[str, ScriptedSession] = field(default_factory=dict[str, ScriptedSession])
    requests: list[OpenRequest] = field(default_factory=list[OpenRequest])
    gate: anyio.Event | None = None
    _listener: LostListener | None = None

    async def open(self, request: OpenRequest) -> ScriptedSession:
        self.requests.append(request)
        if self.gate is not None:
            await self.gate.wait()
        session = self.sessions[request.session_id] = ScriptedSession(self.pages, request)
        return session

    def on_lost(self, listener: LostListener) -> None:
        self._listener = listener

    def lose(self, session_id: str, why: str = "it was killed") -> None:
        """The browser of a session goes away by itself."""
        self.sessions[session_id].lose()
        if self._listener is not None:
            self._listener(session_id, why)

    async def remote(self, remote_id: str) -> None:
        del remote_id

    async def close(self, *, deadline_s: float) -> None:
        for session in self.sessions.values():
            await session.close(deadline_s=deadline_s)
