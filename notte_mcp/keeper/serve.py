"""The keeper's process: one App behind a door, for as long as there is something to keep.

It holds the lock of its folder from before it listens until it is gone, so that there is one.

Below: connection, door, life, log_file, locks, places; server, viewer, lifetime. Above: keeper.__main__.
"""

import gc
import os
import sys
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager, suppress
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Final

import anyio
import anyio.to_thread

from notte_mcp import __version__, logs
from notte_mcp.keeper import given, locks, log_file, places
from notte_mcp.keeper.door import Door
from notte_mcp.keeper.wanted import server_flags
from notte_mcp.settings import Settings, SettingsWrong

if TYPE_CHECKING:
    from notte_mcp.app import App
    from notte_mcp.keeper.life import Life
    from notte_mcp.models.shelf import Shelves
    from notte_mcp.viewer.viewer import Viewer

DISPLACED_S: Final = 2.0
"""How often it is looked whether the folder is still there."""

HANDOVER_S: Final = 10.0
"""How long the keeper before this one may take to end."""

log = logs.Log("keeper")


def main(arguments: Sequence[str]) -> int:
    """Be the keeper of the state folder that the arguments name; gives the exit code (once it serves, the process is
    left by lifetime). What keeps it from serving is said on stdout, in a line."""
    try:
        settings = Settings.read(given.as_settings(server_flags(list(arguments)) or {}))
        places.enter(str(settings.state_dir))
    except SettingsWrong as error:
        return _told(f"wrong {error}", 2)
    except places.FolderUnusable as error:
        return _told(f"The state folder cannot be used: {error}.", 1)
    if (lock := locks.take(places.LIFE, wait_s=HANDOVER_S)) is None:
        return _told("Another keeper of this folder is still ending; `notte-mcp keeper stop` ends it.", 1)
    try:
        os.truncate(lock, 0)
        os.write(lock, b"%d\n" % os.getpid())
        log_file.bound()
    except OSError as error:
        return _told(f"The state folder cannot be written ({error.strerror}).", 1)
    # Nobody looks on, so what happens is written down unless somebody asked for less (or more).
    logs.configure(settings.log_level if "log_level" in settings.model_fields_set else "info")
    anyio.run(_serve, settings, lock)
    return 1  # not reached


def _told(line: str, code: int) -> int:
    with suppress(OSError):  # who started it may be gone already
        os.write(1, line.replace("\n", " ").encode() + b"\n")
    return code


async def _serve(settings: Settings, lock: int) -> None:
    # All of it is imported before the door opens: who is let in is served at once. It stays: there is no garbage in it.
    gc.disable()
    from notte_mcp.keeper.connection import Reception
    from notte_mcp.keeper.life import Life
    from notte_mcp.lifetime import OnDemand, serve_until_left
    from notte_mcp.models.shelf import Shelves
    from notte_mcp.server import create_server
    from notte_mcp.viewer.viewer import Viewer

    gc.enable()
    shelves = Shelves()
    viewer = Viewer.bind(settings.viewer_port) if settings.viewer else None
    app = OnDemand(lambda: _open_app(settings, shelves, viewer))
    server = create_server(app, settings)
    life = Life(app, settings.keeper_idle_minutes * 60)
    entrance = await Door.open()
    reception = Reception(door=entrance, life=life, app=app, server=server, settings=settings, shelves=shelves)

    async def serve() -> None:
        async with server.surface.running(), anyio.create_task_group() as group:
            group.start_soon(reception.open, group)
            group.start_soon(_until_displaced, lock, life)
            if viewer is not None:
                group.start_soon(viewer.run, lambda: app.opened)
            _ready()
            await life.watch()
            await entrance.close()
            group.cancel_scope.cancel()

    async def close() -> None:
        await entrance.close()
        if viewer is not None:
            await viewer.close()
        await app.close()

    log.info("keeper.started", version=__version__, pid=os.getpid())
    await serve_until_left(serve, close, parent=None)


async def _until_displaced(lock: int, life: "Life") -> None:
    """End when the folder that this keeper is found by was removed: what it does is on no record any more."""
    mine = os.fstat(lock).st_ino
    found: int | None = mine
    while found == mine:
        await anyio.sleep(DISPLACED_S)
        try:
            found = Path(places.LIFE).stat().st_ino  # noqa: ASYNC240 - one look at what is in memory
        except OSError:
            found = None
    log.warning("keeper.displaced")
    life.over.set()


def _ready() -> None:
    """Tell who started it, and have nothing to do with its pipes any more."""
    _told("ready", 0)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1):
        os.dup2(nowhere, number)
    os.close(nowhere)
    sys.stdout.flush()


@asynccontextmanager
async def _open_app(settings: Settings, shelves: "Shelves", viewer: "Viewer | None") -> "AsyncGenerator[App]":
    # In a thread: it brings the database along, and whoever calls meanwhile is to be answered.
    app = await anyio.to_thread.run_sync(import_module, "notte_mcp.app")
    from notte_mcp.engines.notte import access

    async with app.open_app(settings, models=shelves, view=viewer, cloud=access.current) as opened:
        yield opened
