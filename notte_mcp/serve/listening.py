"""What `notte-mcp serve` is while it serves: the guard on its address, the principals behind it, and their end.

Apart from serving, which refuses what cannot begin before any of this is imported.

Below: principals, told; http, lifetime, state_folder, store, settings. Above: serving.
"""

import shutil
import socket
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager, ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

import anyio
import anyio.to_thread

from notte_mcp.errors import NotteMCPError
from notte_mcp.http import beginning
from notte_mcp.http.address import is_loopback
from notte_mcp.http.guard import Guard, Names, Route
from notte_mcp.http.listener import Listener
from notte_mcp.http.tokens import Tokens
from notte_mcp.lifetime import serve_until_left
from notte_mcp.logs import Log
from notte_mcp.registry.places import Places
from notte_mcp.serve import told
from notte_mcp.serve.principals import OpenApp, Principals, settings_of
from notte_mcp.settings import OWNER, Settings
from notte_mcp.state_folder import PRINCIPALS, StateFolder
from notte_mcp.viewer.viewer import Viewer

if TYPE_CHECKING:
    from notte_mcp.app import App

PATH: Final = "/mcp"
METHODS: Final = ("POST", "GET", "DELETE")

_DAY_S: Final = 86_400

GRACE_S: Final = 0.4
"""How long what is being answered at the end is waited for, before what it works with is closed. That
takes its time too, and all of it has 1.3 s."""

log = Log("serve")


async def serve(
    settings: Settings,
    tokens: Mapping[str, str],
    address: socket.socket,
    viewer: Viewer | None,
    *,
    made: Path | None,
    open_app: OpenApp | None,
) -> None:
    """Serve on this address until the process is told to end. `made`: the file of the token that the server made;
    `open_app` opens the App of a principal, where a test has one of its own."""
    # An App says itself what is wrong with its folder; here it is only seen to that others cannot look into it.
    (settings.state_dir / PRINCIPALS).mkdir(mode=0o700, exist_ok=True)
    theirs = {name: one for name, one in settings_of(settings).items() if name in tokens}
    port = int(address.getsockname()[1])
    ports = [port, *([viewer.port] if viewer is not None else [])]
    opener = open_app or _opening(settings, viewer, ports)
    principals = Principals(theirs, opener, idle_s=settings.keeper_idle_minutes * 60)
    names = Names.of(port, hosts=settings.http_allowed_hosts, origins=settings.http_allowed_origins)
    guard = Guard({PATH: Route(PATH, METHODS, principals.answer)}, names, Tokens(tokens))
    listener = Listener(guard, address)

    async def answer() -> None:
        async with principals.living():
            await listener.open()
            _tell(settings, port, list(tokens), made)
            await anyio.to_thread.run_sync(_sweep, settings.state_dir)
            await sweep_old(settings)
            await anyio.sleep_forever()

    async def end() -> None:
        await listener.close(grace_s=GRACE_S)
        await principals.close()
        if viewer is not None:
            await viewer.close()

    served = answer if viewer is None else partial(viewer.beside, answer, lambda: principals.opened(OWNER))
    await serve_until_left(served, end, parent=None)


def _opening(settings: Settings, viewer: Viewer | None, own_ports: Sequence[int]) -> OpenApp:
    """Opens Apps that share this machine's places; no page of theirs may reach what this server listens on."""
    places = Places.of(sessions=settings.http_max_sessions, agents=settings.http_max_agents)

    def opened(theirs: Settings) -> "AbstractAsyncContextManager[App]":
        from notte_mcp.app import open_app

        view = None if theirs.for_others else viewer
        return open_app(theirs, places=places, view=view, own_ports=own_ports)

    return opened


def _tell(settings: Settings, port: int, names: list[str], made: Path | None) -> None:
    beyond = not is_loopback(settings.http_host)
    url = beginning.origin(settings.http_host, port)
    sys.stderr.write(told.beginning(f"{url}{PATH}", names, made, beyond=beyond) + "\n")
    sys.stderr.flush()
    log.info("serve.started", port=port, principals=len(names))


def _sweep(state_dir: Path) -> None:
    """End and remove what dead servers left in every principal's folder, asked for or not: browsers cost memory now.
    (An App that opens puts what they did on record.)"""
    for folder in (state_dir, *(one for one in (state_dir / PRINCIPALS).iterdir() if one.is_dir())):
        try:
            with ExitStack() as stack:
                mine = StateFolder.open(folder)
                stack.callback(mine.close)
                for owner in mine.sweep():
                    log.info("owner.swept", owner=owner)
        except (NotteMCPError, OSError) as error:
            # What a dead server left costs room; it is no reason not to serve.
            log.warning("owner.not_swept", reason=type(error).__name__)


async def sweep_old(settings: Settings) -> None:
    """Remove what is older than keep_days of every named principal, whose App may not be opened for long."""
    older_than = time.time() - settings.keep_days * _DAY_S
    for folder in (settings.state_dir / PRINCIPALS).iterdir():
        if (database := folder / settings.database.name).is_file():
            try:
                gone = await _swept(database, older_than)
            except (NotteMCPError, OSError) as error:
                log.warning("sessions.not_swept", reason=type(error).__name__)
                continue
            for session_id in gone:
                await anyio.to_thread.run_sync(
                    partial(shutil.rmtree, ignore_errors=True), folder / "sessions" / session_id
                )


async def _swept(database: Path, older_than: float) -> list[str]:
    from notte_mcp.store.sql import SqlStore

    store = await SqlStore.open(database)
    for note in store.notes:
        log.warning("store.noted", note=note)
    try:
        return await store.sweep(older_than=older_than)
    finally:
        await store.close()
