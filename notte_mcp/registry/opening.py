"""How a session comes to be: new, or again after an interruption.

The slot is taken first, so that limits hold while browsers start; the lock is
held until the first page is there. What goes wrong before the session is on
disk leaves nothing behind.

Below: life, live, slot, saving. Above: registry.
"""

import shutil
from collections.abc import AsyncGenerator, Generator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, Final, cast
from urllib.parse import urlsplit, urlunsplit

import anyio
import anyio.to_thread

from notte_mcp.actions import Goto
from notte_mcp.engines.base import Engine, OpenRequest
from notte_mcp.errors import BrowserLaunchFailed, InvalidArgument, NeedsCloud, SessionNotLive, StateFolderUnusable
from notte_mcp.records import SessionRecord, SessionSpec, StepRecord
from notte_mcp.registry.batch import Batch
from notte_mcp.registry.files import FOLDER
from notte_mcp.registry.life import Life
from notte_mcp.registry.live import LiveSession
from notte_mcp.registry.redaction import is_redacted
from notte_mcp.registry.saving import State, read_state
from notte_mcp.registry.slot import Slot
from notte_mcp.store.base import Store

OPEN_S: Final = 30.0
"""How long a browser may take to start."""

LOAD_S: Final = 35.0
"""Within this time the first page's loading has to begin (it has a timeout of its own)."""

_PAGE_OF_STEPS: Final = 1_000


def engine_of(engines: Mapping[str, Engine], spec: SessionSpec) -> Engine:
    """The engine that a session asks for.

    Raises:
        NeedsCloud: the Notte cloud, which this server does not reach.
        InvalidArgument: there is none of this name.
    """
    if (engine := engines.get(spec.engine)) is not None:
        return engine
    if spec.engine == "notte":
        raise NeedsCloud(
            "This server does not reach the Notte cloud; its browsers run on this machine.",
            next_call='notte_start(session={"engine": "local"})',
        )
    raise InvalidArgument(
        f"There is no engine {spec.engine!r}; known: {', '.join(sorted(engines))}.",
        next_call="the same call without `engine`",
    )


async def open_new(slot: Slot, engine: Engine, life: Life, store: Store, *, url: str | None) -> Batch | None:
    """Open a fresh session (see `Registry.open`)."""
    async with slot.lock:
        async with _or_nothing(slot, life, fresh=True):
            await _make_folder(slot.folder)
            await _start(slot, engine, await life.hold_profile(slot))
            if url is not None:
                # A URL that no page can have is the caller's slip, not a session with a failed step.
                await slot.browser.check([Goto(url=url)])
            await _recorded(slot, store)
        with _first_page(slot, life):
            return await _load(slot, store, url) if url is not None else None


async def restore(slot: Slot, before: SessionRecord, engine: Engine, life: Life, store: Store) -> float | None:
    """Open a session again (see `Registry.restore`); gives when the state it got back was saved."""
    async with slot.lock:
        async with _or_nothing(slot, life, fresh=False):
            await _claim(slot, store)
            try:
                await _make_folder(slot.folder)
                kept = await life.hold_profile(slot)
                saved = await anyio.to_thread.run_sync(read_state, slot.folder)
                slot.redactor.typed |= await _typed_a_secret(store, slot.id)
                await _start(slot, engine, saved or kept)
                await _recorded(slot, store)
            except BaseException:
                with anyio.CancelScope(shield=True):
                    await store.put_session(before)
                raise
        with _first_page(slot, life):
            if not before.remote_id and (url := loadable(before.url)) is not None:
                await _load(slot, store, url)
    return before.storage_saved_at if saved is not None else None


@contextmanager
def _first_page(slot: Slot, life: Life) -> Generator[None]:
    """The session has its browser; who waits for it waits for its first page too."""
    life.begun(slot)
    try:
        yield
    finally:
        slot.is_open = True
        slot.beat()


async def _claim(slot: Slot, store: Store) -> None:
    """Make the record ours, so that of two servers one restores it."""
    with anyio.CancelScope(shield=True):
        if not await store.take(slot.record):
            raise SessionNotLive(
                f"Session {slot.id} has just been restored by another server, and only that one can use it.",
                next_call="notte_start() for a session of this server",
            )


@asynccontextmanager
async def _or_nothing(slot: Slot, life: Life, *, fresh: bool) -> AsyncGenerator[None]:
    """What did not come to be is cleared away: browser, profile, slot, and a new session's folder."""
    try:
        yield
    except BaseException:
        with anyio.CancelScope(shield=True):
            if (browser := slot.last_browser) is not None:
                # What was there before us is let go of.
                was_there = not fresh or "session_id" in slot.record.spec.cloud
                await browser.close(deadline_s=2, keep=was_there)
            if slot.ending is None:
                await life.give_up(slot)
            if fresh:
                await anyio.to_thread.run_sync(lambda: shutil.rmtree(slot.folder, ignore_errors=True))
        raise


async def _start(slot: Slot, engine: Engine, login: State | None) -> None:
    """Give the slot its browser; a stop can end this too."""
    record = slot.record
    request = OpenRequest(slot.id, record.spec, slot.folder, login, dict(record.id_counters), record.remote_id)
    slot.login = login
    with slot.working("start") as work:
        with work.cuttable(OPEN_S):
            slot.browser = await engine.open(request)
        if slot.ending is not None:
            raise slot.unusable()
        if not slot.has_browser:
            raise BrowserLaunchFailed(
                f"The browser did not start within {OPEN_S:.0f} s.", next_call="notte_start again"
            )


async def _recorded(slot: Slot, store: Store) -> None:
    """On disk as `ready`. The url stays the old one until a page is there."""
    with anyio.CancelScope(shield=True):
        url, title = slot.record.url, slot.record.title
        await store.put_session(slot.update(state="ready", url=url, title=title))
    slot.recorded = True


async def _load(slot: Slot, store: Store, url: str) -> Batch:
    return await LiveSession(slot, store).execute([Goto(url=url)], on_error="stop", deadline_s=LOAD_S)


async def _make_folder(folder: Path) -> None:
    def make() -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        (folder / FOLDER).mkdir(mode=0o700, exist_ok=True)

    try:
        await anyio.to_thread.run_sync(make)
    except OSError as error:
        raise StateFolderUnusable(
            f"The session's folder {folder} cannot be made ({error.strerror}).",
            next_call="make room, or set NOTTE_MCP_STATE_DIR to a folder of your own and start the server again",
        ) from error


async def _typed_a_secret(store: Store, session_id: str) -> bool:
    after = 0
    while steps := await store.steps(session_id, after=after, limit=_PAGE_OF_STEPS):
        if any(_holds_a_secret(step) for step in steps):
            return True
        after = steps[-1].number
    return False


def _holds_a_secret(step: StepRecord) -> bool:
    values: list[Any] = [step.action.get("value"), step.action.get("key")]
    if isinstance(values[0], dict):
        values += cast(dict[str, Any], values[0]).values()
    return any(isinstance(value, dict) and "secret" in value for value in values)


def loadable(url: str) -> str | None:
    """The part of a recorded url that can be opened again: without what was taken out of it."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https"):
        return None
    if is_redacted(url):
        url = urlunsplit((parts.scheme, parts.netloc, parts.path, "", ""))
    return None if is_redacted(url) else url
