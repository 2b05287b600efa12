"""The registry: every live session by id, and the one place where acts are recorded.

INTERFACE SKETCH (bodies to be written). Whoever wants a browser comes through here: `open`, `use`, `stop`. The registry
holds the lock and the limits, writes each step's intent before the browser is
touched and its outcome before the caller hears of it, and says of every session
that ended how and why. It knows no MCP and no vendor.

Below: engines.base, store.base, records. Above: tools, resources, app.
"""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from notte_mcp.actions import Action
from notte_mcp.engines.base import Engine, Scraped
from notte_mcp.observations import Mode, Observation
from notte_mcp.receipts import Receipt
from notte_mcp.records import SessionRecord, SessionSpec, StepRecord
from notte_mcp.store.base import Store


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of one server."""

    max_sessions: int = 16
    lock_wait_s: float = 10.0


@dataclass(frozen=True, slots=True)
class Batch:
    """What a batch of actions came to.

    `receipts[i]` belongs to action i; `steps[i]` is its step number. Actions
    from `len(receipts)` on were not run; `stopped` says why ("" where all ran).
    """

    receipts: tuple[Receipt, ...]
    steps: tuple[int, ...]
    total: int
    stopped: str = ""


class LiveSession:
    """A session while a caller holds it (between entering and leaving `Registry.use`)."""

    record: SessionRecord
    events: tuple[str, ...]  # what happened outside of any action since the last answer (dialogs, crash, closed tabs)

    async def observe(
        self, *, mode: Mode, since: int | None = None, find: str | None = None, cursor: str | None = None,
        max_tokens: int = 2_000,
    ) -> Observation:
        """A view, numbered; `changes` are since the session's last view unless `since` says otherwise."""
        raise NotImplementedError

    async def execute(self, actions: Sequence[Action], *, on_error: Literal["stop", "continue"], deadline_s: float) -> Batch:
        """Validate all ids, write all intents in one commit, act, write each outcome. Starts no action after
        `deadline_s`; stops at the first failure (or not), and at a navigation when a later action names an id of
        the page that was left."""
        raise NotImplementedError

    async def scrape(self, *, selector: str | None, only_main_content: bool, links: bool, images: bool) -> Scraped:
        raise NotImplementedError

    async def screenshot(self, *, marks: bool) -> bytes:
        raise NotImplementedError


class Registry:
    """See the module."""

    def __init__(self, *, engines: Mapping[str, Engine], store: Store, sessions_dir: Path, profiles_dir: Path,
                 owner: str, limits: Limits) -> None: ...

    async def open(self, spec: SessionSpec, *, url: str | None = None) -> tuple[SessionRecord, Batch | None]:
        """A new session, with `url` loaded as its first step when given (a failed load keeps the session)."""
        raise NotImplementedError

    async def restore(self, session_id: str) -> SessionRecord:
        """A new browser for an interrupted session: saved storage state, last url, same numbering; no action replayed."""
        raise NotImplementedError

    async def resolve(self, session_id: str | None) -> str:
        """The id meant by `session_id`: itself, or the only live one. Raises: UnknownSession, SessionChoice."""
        raise NotImplementedError

    @asynccontextmanager
    async def use(self, session_id: str | None) -> AsyncGenerator[LiveSession]:
        """Hold a live session. Raises: UnknownSession, SessionChoice, SessionNotLive, SessionBusy, SessionLost."""
        raise NotImplementedError
        yield

    async def record(self, session_id: str) -> SessionRecord:
        """The record of a session, live or not (never waits for a caller). Raises: UnknownSession."""
        raise NotImplementedError

    async def sessions(self, *, limit: int = 100) -> list[SessionRecord]:
        raise NotImplementedError

    async def steps(self, session_id: str, *, after: int = 0, limit: int = 1_000) -> list[StepRecord]:
        raise NotImplementedError

    async def wait(self, session_id: str, *, seconds: float, after_step: int | None, until: Literal["step", "input", "done"]) -> SessionRecord:
        """Come back when a step above `after_step` has its outcome, or the session ended, or time is over."""
        raise NotImplementedError

    async def stop(self, session_id: str, *, mode: Literal["graceful", "now"], reason: str = "user") -> SessionRecord:
        """End a session within 4 s, whoever holds it. Idempotent."""
        raise NotImplementedError

    async def files(self, session_id: str) -> list[tuple[str, int]]:
        """(name, bytes) of the session's files."""
        raise NotImplementedError

    async def read_file(self, session_id: str, name: str) -> bytes:
        raise NotImplementedError

    async def close(self, *, deadline_s: float) -> None:
        """The server ends: every live session is saved and becomes `interrupted`."""
        raise NotImplementedError
