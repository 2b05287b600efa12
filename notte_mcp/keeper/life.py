"""How long a keeper lives, and what lives in it.

It ends by itself when nothing was live and nobody connected for a while. A session that nobody is
connected to any more who used it, and that no agent or run has, is stopped after the same while.

Below: log_file, tools.surface, app (at run time through what opens it). Above: connection, serve.
"""

import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, cast

import anyio
from mcp.types import JSONRPCMessage, JSONRPCRequest

from notte_mcp.errors import NotteMCPError
from notte_mcp.keeper import log_file
from notte_mcp.lifetime import OnDemand
from notte_mcp.logs import Log
from notte_mcp.records import SessionSpec
from notte_mcp.tools.surface import Surface

if TYPE_CHECKING:
    from notte_mcp.app import App

LOOK_S: Final = 15.0
"""How often it is looked whether anything is over, at most."""

log = Log("keeper")


@dataclass(frozen=True, slots=True)
class Live:
    """The ids of what is live in this keeper; `idle` are the sessions in which nothing is being done, for anybody."""

    sessions: Sequence[str] = ()
    agents: Sequence[str] = ()
    runs: Sequence[str] = ()
    idle: Sequence[str] = ()

    def __bool__(self) -> bool:
        return bool(self.sessions or self.agents or self.runs)

    def __str__(self) -> str:
        kinds = (("session", self.sessions), ("agent", self.agents), ("run", self.runs))
        return ", ".join(f"{len(ids)} {kind}{'s' * (len(ids) > 1)}" for kind, ids in kinds if ids) or "nothing"


class Guest(Surface):
    """The surface as one connection has it: its own defaults; cursors, repeats and news are everybody's.

    `used` holds the sessions that it did something with, and "" once it meant the only live one by naming none.
    """

    def __init__(self, whole: Surface, app: "OnDemand[App]", spec: SessionSpec) -> None:
        super().__init__(app, spec, shows_paths=whole.shows_paths)
        self._whole = whole
        self.pages, self.repeats, self.bus = whole.pages, whole.repeats, whole.bus
        self.used: set[str] = set()

    async def app(self) -> "App":
        return await self._whole.app()

    def note(self, message: JSONRPCMessage) -> None:
        """Which session a call is about, as far as its arguments tell. (What it began or changed, `changed` tells.)"""
        if not isinstance(message, JSONRPCRequest) or message.method != "tools/call":
            return
        arguments: object = (message.params or {}).get("arguments")
        given = cast(dict[str, object], arguments) if isinstance(arguments, dict) else {}
        named = [value for name in ("session_id", "id") if isinstance(value := given.get(name), str)]
        self.used.update(named or [""])

    async def changed(
        self,
        *session_ids: str,
        agents: Sequence[str] = (),
        runs: Sequence[str] = (),
        workflows: Sequence[str] = (),
    ) -> None:
        self.used.update(session_ids)
        await super().changed(*session_ids, agents=agents, runs=runs, workflows=workflows)


class Life:
    """See the module. `idle_s` is the while (seconds)."""

    def __init__(self, app: "OnDemand[App]", idle_s: float) -> None:
        self._app = app
        self._idle_s = idle_s
        self._free_since = time.monotonic()
        self._left_since: dict[str, float] = {}
        self.guests: set[Guest] = set()
        self.over = anyio.Event()

    @contextmanager
    def staying(self, guest: Guest) -> Generator[None]:
        """While a connection is there."""
        self.guests.add(guest)
        try:
            yield
        finally:
            self.guests.discard(guest)
            self._free_since = time.monotonic()

    def live(self) -> Live:
        """What is live in here now."""
        if (app := self._app.opened) is None:
            return Live()
        sessions, agents, runs = app.registry.live(), app.agents.live(), app.runs.live()
        held = {one.session_id for one in (*agents, *runs)}
        held |= {one.id for one in sessions if app.registry.is_taken(one.id)}
        return Live(
            sessions=[one.id for one in sessions],
            agents=[one.id for one in agents],
            runs=[one.id for one in runs],
            # One that is being opened is nobody's yet, and one that is busy is somebody's.
            idle=[
                one.id
                for one in sessions
                if one.state == "ready" and one.id not in held and not app.registry.is_taken(one.id)
            ],
        )

    def is_free(self) -> bool:
        """Whether nobody would lose anything if the keeper ended now."""
        return not self.guests and not self.live()

    async def watch(self) -> None:
        """Come back when its time is over."""
        while not self.over.is_set():
            with anyio.move_on_after(min(LOOK_S, self._idle_s / 5)):
                await self.over.wait()
                return
            try:
                await self._look()
            except (NotteMCPError, OSError) as error:
                # What could not be stopped now is tried at the next look.
                log.warning("keeper.not_looked", reason=type(error).__name__)

    async def _look(self) -> None:
        log_file.bound()
        live = self.live()
        await self._close_left(live)
        now = time.monotonic()
        if live or self.guests:
            self._free_since = now
        elif now - self._free_since >= self._idle_s:
            log.info("keeper.idle", minutes=round(self._idle_s / 60, 2))
            self.over.set()

    async def _close_left(self, live: Live) -> None:
        """Stop the sessions that were left long ago."""
        if (app := self._app.opened) is None:
            return
        now = time.monotonic()
        used = {one for guest in self.guests for one in guest.used}
        if "" in used and len(live.sessions) == 1:
            used.update(live.sessions)
        left = [one for one in live.idle if one not in used]
        self._left_since = {one: self._left_since.get(one, now) for one in left}
        for one, since in self._left_since.items():
            if now - since >= self._idle_s:
                log.info("session.left", session=one)
                await app.registry.stop(one, reason="idle_timeout")
