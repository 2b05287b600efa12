"""`notte-mcp serve`: MCP over Streamable HTTP, for one principal or several, until it is told to end.

Below: principals, told; http, lifetime, state_folder, store, settings. Above: commands.
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

from notte_mcp import logs
from notte_mcp.errors import NotteMCPError
from notte_mcp.http import beginning, token_file
from notte_mcp.http.address import bind, is_loopback
from notte_mcp.http.guard import Guard, Names, Route
from notte_mcp.http.listener import Listener
from notte_mcp.http.tokens import Tokens
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

TOKEN_FILE: Final = "http-token"  # noqa: S105 - its name
"""In the state folder: the token that the server made."""

_ASKED: Final = (
    "token has to come from you: set NOTTE_MCP_HTTP_TOKEN (one) or NOTTE_MCP_HTTP_TOKENS (names and tokens, as JSON)."
)

_DAY_S: Final = 86_400

GRACE_S: Final = 0.4
"""How long what is being answered at the end is waited for, before what it works with is closed. That
takes its time too, and all of it has 1.3 s."""

log = logs.Log("serve")


def run(settings: Settings, open_app: OpenApp | None = None) -> int:
    """Serve; gives the exit code where that cannot begin (once it serves, the process is left by lifetime).
    `open_app` is for tests: it opens the App of a principal."""
    logs.configure(settings.log_level)
    try:
        StateFolder.open(settings.state_dir).close()
        tokens = _tokens(settings)
        given = settings.http_token is not None or settings.http_tokens
        beginning.require_names(settings.http_host, asked="" if given else _ASKED, hosts=settings.http_allowed_hosts)
        address = bind(settings.http_host, settings.http_port)
        viewer = _viewer(settings, tokens)
    except beginning.REFUSALS as error:
        return beginning.failed(error)
    ports = [int(address.getsockname()[1]), *([viewer.port] if viewer is not None else [])]
    anyio.run(_serve, settings, tokens, address, open_app or _opening(settings, viewer, ports), viewer)
    return 1  # not reached


def show_token(settings: Settings) -> int:
    """Say the token that this server made, or makes now, on stdout; gives the exit code."""
    if settings.http_token is not None or settings.http_tokens:
        return beginning.failed("The tokens are those of your settings; none was made.")
    return beginning.show(settings.state_dir, lambda: token_file.token_in(settings.state_dir, TOKEN_FILE))


# --- before it begins -------------------------------------------------------------


def _tokens(settings: Settings) -> dict[str, str]:
    """The token of each principal."""
    given = {name: secret.get_secret_value() for name, secret in settings.http_tokens.items()}
    if settings.http_token is not None:
        given[OWNER] = settings.http_token.get_secret_value()
    return given or {OWNER: token_file.token_in(settings.state_dir, TOKEN_FILE)}


def _viewer(settings: Settings, tokens: Mapping[str, str]) -> Viewer | None:
    """The live view, for the owner alone: an address of loopback is nothing to who is elsewhere."""
    if OWNER not in tokens or settings.for_others or not settings.viewer:
        return None
    return Viewer.bind(settings.viewer_port)


def _opening(settings: Settings, viewer: Viewer | None, own_ports: Sequence[int]) -> OpenApp:
    """Opens Apps that share this machine's places; no page of theirs may reach what this server listens on."""
    places = Places.of(sessions=settings.http_max_sessions, agents=settings.http_max_agents)

    def opened(theirs: Settings) -> "AbstractAsyncContextManager[App]":
        from notte_mcp.app import open_app

        view = None if theirs.for_others else viewer
        return open_app(theirs, places=places, view=view, own_ports=own_ports)

    return opened


# --- while it serves --------------------------------------------------------------


async def _serve(
    settings: Settings, tokens: Mapping[str, str], address: socket.socket, open_app: OpenApp, viewer: Viewer | None
) -> None:
    from notte_mcp.lifetime import serve_until_left

    # An App says itself what is wrong with its folder; here it is only seen to that others cannot look into it.
    (settings.state_dir / PRINCIPALS).mkdir(mode=0o700, exist_ok=True)
    theirs = {name: one for name, one in settings_of(settings).items() if name in tokens}
    principals = Principals(theirs, open_app, idle_s=settings.keeper_idle_minutes * 60)
    port = int(address.getsockname()[1])
    names = Names.of(port, hosts=settings.http_allowed_hosts, origins=settings.http_allowed_origins)
    guard = Guard({PATH: Route(PATH, METHODS, principals.answer)}, names, Tokens(tokens))
    listener = Listener(guard, address)

    async def serve() -> None:
        async with principals.living():
            await listener.open()
            _tell(settings, port, list(tokens))
            await anyio.to_thread.run_sync(_sweep, settings.state_dir)
            await sweep_old(settings)
            await anyio.sleep_forever()

    async def end() -> None:
        await listener.close(grace_s=GRACE_S)
        await principals.close()
        if viewer is not None:
            await viewer.close()

    served = serve if viewer is None else partial(viewer.beside, serve, lambda: principals.opened(OWNER))
    await serve_until_left(served, end, parent=None)


def _tell(settings: Settings, port: int, names: list[str]) -> None:
    made = None if settings.http_token is not None or settings.http_tokens else settings.state_dir / TOKEN_FILE
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
