"""The App: state folder, store, engines, registry, models, agents and runs, opened in this order and closed in reverse.

The one place that names implementations, and the last one that knows settings:
below here values go. Opening is quick: what takes time (SQLAlchemy, the sweep of
what dead servers left, Playwright) is begun or left for its first use, and only
who needs it waits for it.

Below: runs, agents, models, registry, engines, store, state_folder, settings. Above: tools, resources, cli.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from typing import Any, Final, Protocol

import anyio
import anyio.to_thread

from notte_mcp.agents.supervisor import Supervisor
from notte_mcp.caller import environment
from notte_mcp.engines.base import Engine
from notte_mcp.engines.file_bounds import Bounds
from notte_mcp.engines.notte.access import CloudAccess
from notte_mcp.engines.pending import PendingEngine
from notte_mcp.errors import NotteMCPError
from notte_mcp.ids import is_agent_id
from notte_mcp.logs import Log
from notte_mcp.models.access import Access
from notte_mcp.models.shelf import Shelf, Shelves
from notte_mcp.registry import Limits, Places, Registry
from notte_mcp.registry.afterwards import Afterwards
from notte_mcp.registry.sweeping import Keep, Sweep
from notte_mcp.replay.recorder import Recording
from notte_mcp.replay.replays import Replays
from notte_mcp.room import Room
from notte_mcp.runs import Place, Runs
from notte_mcp.settings import Settings
from notte_mcp.state_folder import StateFolder
from notte_mcp.store.base import Store
from notte_mcp.store.pending import PendingStore

SESSIONS_CLOSE_S: Final = 0.7
"""How long the sessions may take to end with the server; all of closing has to be done in 1.3 s."""

RUNS_CLOSE_S: Final = 0.2
"""How long runs may take to be put on record as interrupted, and their scripts to be ended."""

AGENTS_CLOSE_S: Final = 0.2
"""How long agents may take to be put on record as interrupted: what they were about is cut at once."""

ENGINES_CLOSE_S: Final = 0.4

SWEEP_S: Final = 86_400
"""How often what is too old is looked for, besides at the beginning."""

_COMPANIONS: Final = ("-journal", "-wal", "-shm")

WhoseCloud = Callable[[], CloudAccess]
"""Tells on whose account the cloud is used."""

log = Log("app")


class View(Protocol):
    """The live view of this process, as whoever bound its socket gives it: what `notte-mcp viewer` finds it by."""

    @property
    def port(self) -> int: ...

    @property
    def secret(self) -> bytes:
        """What its keys and its code are derived from."""
        ...

    def url(self, session_id: str) -> str:
        """The address that shows this session, and no more than shows it."""
        ...


@dataclass(frozen=True, slots=True)
class App:
    """What the surface works with. `owner` is this server's name in the records; `notes` are what was found wrong with
    these when the database was opened, after what the opener had to say."""

    owner: str
    store: Store
    registry: Registry
    agents: Supervisor
    runs: Runs
    models: Shelf | Shelves
    replays: Replays
    notes: Sequence[str] = ()
    view: View | None = None

    def view_url(self, session_id: str) -> str | None:
        """Where a person may watch a session that is live here; None where there is no live view."""
        return self.view.url(session_id) if self.view is not None and self.registry.is_live(session_id) else None

    async def session_of(self, id: str | None) -> str | None:  # noqa: A002 - the contract's name
        """The session meant by an id: an agent's id means its session. Raises: UnknownAgent."""
        return (await self.agents.record(id)).session_id if id is not None and is_agent_id(id) else id


@asynccontextmanager
async def open_app(
    settings: Settings,
    *,
    engines: Mapping[str, Engine] | None = None,
    models: Shelf | Shelves | None = None,
    places: Places | None = None,
    notes: Sequence[str] = (),
    view: View | None = None,
    own_ports: Collection[int] = (),
    cloud: WhoseCloud | None = None,
) -> AsyncGenerator[App]:
    """The App, within `async with`; entered and left in one task. `engines` replaces the real ones in tests, and `models`
    those of the settings, for tests and for a server whose connections bring their own. `places` bounds what is live in
    several Apps of one process together; the settings' own limits hold for this one besides. `notes` are among the App's.
    `view` is the live view of its sessions; `own_ports`, with the view's, are those that this process listens on, which no
    page may reach. `cloud` tells on whose account a call uses the Notte cloud: the settings' own, unless connections bring theirs.

    Raises:
        StateFolderUnusable: at once. What opening the database raises (StoreTooNew, StoreUnusable) is raised
            by the first call that needs it.
    """
    folder = await anyio.to_thread.run_sync(StateFolder.open, settings.state_dir)
    try:
        if view is not None:
            folder.note_view(view.port, view.secret)
        ports = frozenset(own_ports) | ({view.port} if view is not None else set[int]())
        said = list(notes)
        store = PendingStore(partial(_open_store, folder, settings, said), partial(_dead, folder))
        sweep = Sweep(folder.sessions_dir, _keep(settings))
        room = Room(folder.path, max_bytes=settings.max_state_bytes, min_free=settings.min_free_bytes)
        afterwards = Afterwards()
        engines = engines if engines is not None else _engines(folder, settings, room, ports, cloud)
        registry = _registry(
            folder, settings, engines=engines, store=store, places=places, room=room, afterwards=afterwards
        )
        models = models or Shelf(Access.of(settings.endpoints), settings.model, plans=not settings.for_others)
        agents = Supervisor(
            registry=registry,
            store=store,
            models=models,
            owner=folder.owner,
            limit=settings.max_agents,
            places=places.agents if places else None,
        )
        runs = Runs(registry=registry, agents=agents, store=store, owner=folder.owner, place=_place(folder, settings))
        replays = Replays()
        after = partial(afterwards.run, registry, replays, sweep, store, folder.sessions_dir)
        async with replays, _beside(partial(_look_after, store, sweep)), _beside(after), registry, agents, runs:
            try:
                yield App(folder.owner, store, registry, agents, runs, models, replays, said, view)
            finally:
                afterwards.close()  # before the store that it reads
                await _close(runs, agents, registry, engines, store)
                await models.close()
    finally:
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(folder.close)
    log.info("app.closed")


def _registry(
    folder: StateFolder,
    settings: Settings,
    *,
    engines: Mapping[str, Engine],
    store: Store,
    places: Places | None,
    room: Room,
    afterwards: Afterwards,
) -> Registry:
    return Registry(
        engines=engines,
        store=store,
        sessions_dir=folder.sessions_dir,
        profiles_dir=folder.profiles_dir,
        owner=folder.owner,
        limits=Limits(max_sessions=settings.max_sessions, max_steps=settings.max_steps_per_session),
        places=places.sessions if places else None,
        room=room.require,
        recording=Recording(
            settings.max_replay_bytes, settings.max_replay_minutes * 60, room.shortage, afterwards.over
        ),
    )


async def _warm(store: PendingStore) -> None:
    """Open the database beside the first call; its imports come after the engine's, which everything else waits for."""
    with suppress(ImportError):
        await anyio.to_thread.run_sync(import_module, "notte_mcp.engines.local.engine")
    await store.warm()


async def _look_after(store: PendingStore, sweep: Sweep) -> None:
    """What is done beside all calls: the database is opened, and what is too old is removed, once a day from then on."""
    await _warm(store)
    while True:
        await _swept(partial(sweep.films, store))
        await anyio.sleep(SWEEP_S)
        await _swept(partial(sweep.records, store))


async def _swept(work: Callable[[], Awaitable[object]]) -> None:
    try:
        await work()
    except (NotteMCPError, OSError) as error:
        log.warning("sessions.not_swept", reason=type(error).__name__)


@asynccontextmanager
async def _beside(work: Callable[[], Coroutine[Any, Any, None]]) -> AsyncGenerator[None]:
    """`work` runs while the block does, and no longer. (A task group that the block stands in would wrap its exceptions.)"""
    group = await anyio.create_task_group().__aenter__()
    group.start_soon(work)
    try:
        yield
    finally:
        group.cancel_scope.cancel()
        await group.__aexit__(None, None, None)


async def _close(
    runs: Runs, agents: Supervisor, registry: Registry, engines: Mapping[str, Engine], store: Store
) -> None:
    """Runs, then agents, then sessions, then engines, then the store, whoever cancels whom."""
    with anyio.CancelScope(shield=True):
        await runs.close(deadline_s=RUNS_CLOSE_S)
        await agents.close(deadline_s=AGENTS_CLOSE_S)
        await registry.close(deadline_s=SESSIONS_CLOSE_S)
        async with anyio.create_task_group() as ending:
            for engine in engines.values():
                ending.start_soon(partial(engine.close, deadline_s=ENGINES_CLOSE_S))
        await store.close()


def _engines(
    folder: StateFolder, settings: Settings, room: Room, own_ports: Collection[int], cloud: WhoseCloud | None
) -> dict[str, Engine]:
    """The engines of this version. That there is one of the cloud sends nothing there: a session has to ask for it."""

    def local() -> Engine:
        from notte_mcp.engines.local.engine import LocalEngine
        from notte_mcp.engines.local.stage import SessionOptions

        return LocalEngine(
            executable=settings.browser,
            no_sandbox=settings.no_sandbox,
            tmp_for=folder.browser_tmp,
            drop_tmp=folder.discard,
            note_process=folder.note_process,
            options=SessionOptions(
                max_tabs=settings.max_tabs, max_download_bytes=settings.max_download_bytes,
                max_session_bytes=settings.max_session_bytes, max_session_files=settings.max_session_files,
                max_upload_bytes=settings.max_upload_bytes, max_page_mb=settings.max_page_mb, own_ports=tuple(own_ports),
                max_browser_mb=settings.max_browser_mb, upload_dirs=settings.upload_dirs, shortage=room.shortage,
            ),
            cache=settings.state_dir / "cache",
        )  # fmt: skip

    def notte() -> Engine:
        from notte_mcp.engines.notte.engine import NotteEngine

        # Who is not this machine's user has no key of its environment.
        key = None if settings.for_others else settings.notte_api_key
        own = CloudAccess(key.get_secret_value() if key is not None else None, settings.notte_api_url)
        cap = Bounds(settings.max_download_bytes, settings.max_session_bytes, settings.max_session_files, room.shortage)
        return NotteEngine(cloud or (lambda: own), upload_dirs=settings.upload_dirs, bounds=cap)

    return {"local": PendingEngine("local", local), "notte": PendingEngine("notte", notte)}


def _keep(settings: Settings) -> Keep:
    return Keep(settings.keep_days, settings.keep_replays_days, settings.max_replays_bytes)


def _place(folder: StateFolder, settings: Settings) -> Place:
    """Where scripts are run: what they leave goes with this server's run folder."""
    return Place(
        settings.browser,
        no_sandbox=settings.no_sandbox,
        tmp_for=folder.browser_tmp,
        drop_tmp=folder.discard,
        note_process=folder.note_process,
        secrets=dict if settings.for_others else environment,
    )


async def _open_store(folder: StateFolder, settings: Settings, notes: list[str]) -> Store:
    """The database; in it, what dead servers left live is `interrupted`, and what is too old is gone."""
    async with anyio.create_task_group() as sweeping:
        sweeping.start_soon(_sweep_processes, folder)
        await anyio.to_thread.run_sync(import_module, "notte_mcp.store.sql")
    from notte_mcp.store.sql import SqlStore

    store = await SqlStore.open(settings.database)
    try:
        found = store.notes or await _lost(folder, settings, store)
        for note in found:
            log.warning("store.noted", note=note)
        notes += [note for note in found if note not in notes]
        dead = await _dead(folder, await store.owners())
        for record in await store.interrupt(dead_owners=dead, reason="restart"):
            log.info("session.interrupted", session=record.id, owner=record.owner)
        await Sweep(folder.sessions_dir, _keep(settings)).records(store)
    except BaseException:
        await store.close()
        raise
    return store


async def _lost(folder: StateFolder, settings: Settings, store: Store) -> list[str]:
    """What is to be said where sessions were kept and the database knows of none: it was removed, or emptied."""
    if await store.sessions(limit=1) or not any(folder.sessions_dir.glob("*/state.json")):
        return []
    name = settings.database.name
    aside = sorted(one for one in settings.state_dir.glob(f"{name}.corrupt-*") if not one.name.endswith(_COMPANIONS))
    if aside:
        moved = (
            f"The database {settings.database} is new: a damaged one lies beside it, {aside[-1]}. Earlier sessions are not "
            f"listed, and their files are kept; `sqlite3 {aside[-1]} .recover` may save what it held."
        )
        return [moved]
    lost = (
        f"The database {settings.database} is empty, though {folder.sessions_dir} holds files of earlier sessions: it was "
        "lost or replaced. Those sessions are not listed; their files are kept."
    )
    return [lost]


async def _dead(folder: StateFolder, owners: Collection[str]) -> list[str]:
    """Those of these servers that live no more; what they left is ended and removed."""
    others = [owner for owner in owners if owner != folder.owner]
    dead = [owner for owner in others if not await anyio.to_thread.run_sync(folder.owner_alive, owner)]
    if dead:
        await _sweep_processes(folder)
    return dead


async def _sweep_processes(folder: StateFolder) -> None:
    try:
        for owner in await anyio.to_thread.run_sync(folder.sweep):
            log.info("owner.swept", owner=owner)
    except (NotteMCPError, OSError) as error:
        # What a dead server left costs room; it is no reason not to work.
        log.warning("owner.not_swept", reason=type(error).__name__)
