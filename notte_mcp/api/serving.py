"""`notte-mcp api`: the Notte-compatible API over the local engine, until it is told to end.

It has an App of its own on the state folder: its sessions are on record with everybody else's, and it alone acts in them.

Below: routes, told; http, lifetime, app, state_folder, settings. Above: commands.
"""

import socket
import sys
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final

import anyio
import anyio.to_thread

from notte_mcp import logs
from notte_mcp.api import told
from notte_mcp.http import beginning, token_file
from notte_mcp.http.address import bind, is_loopback
from notte_mcp.settings import Settings
from notte_mcp.state_folder import StateFolder
from notte_mcp.viewer.viewer import Viewer

if TYPE_CHECKING:
    from notte_mcp.app import App

KEY_FILE: Final = "api-key"
"""In the state folder: the key that the API made."""

GRACE_S: Final = 0.4
"""How long what is being answered at the end is waited for."""

NEEDED: Final = ("websockets", "python_multipart")
"""What the extra `api` brings."""

_ASKED: Final = "key has to come from you: set NOTTE_MCP_API_KEY."

OpenApp = Callable[[Settings], "AbstractAsyncContextManager[App]"]

log = logs.Log("api")


def run(settings: Settings, open_app: OpenApp | None = None) -> int:
    """Serve; gives the exit code where that cannot begin (once it serves, the process is left by lifetime).
    `open_app` is for tests: it opens the App."""
    logs.configure(settings.log_level)
    if any(find_spec(name) is None for name in NEEDED):
        return beginning.failed(
            'The API needs the extra `api`: pip install "PATH[api]", PATH being this notte-mcp\'s folder (PyPI has another '
            "project of that name)."
        )
    try:
        StateFolder.open(settings.state_dir).close()
        beginning.require_names(
            settings.api_host, asked="" if settings.api_key else _ASKED, hosts=settings.api_allowed_hosts
        )
        key = _key(settings)
        address = bind(settings.api_host, settings.api_port)
    except beginning.REFUSALS as error:
        return beginning.failed(error)
    viewer = Viewer.bind(settings.viewer_port) if settings.viewer and is_loopback(settings.api_host) else None
    ports = [int(address.getsockname()[1]), *([viewer.port] if viewer is not None else [])]
    anyio.run(_serve, settings, key, address, open_app or _opening(viewer, ports), viewer)
    return 1  # not reached


def show_key(settings: Settings) -> int:
    """Say the key that this API made, or makes now, on stdout; gives the exit code."""
    if settings.api_key is not None:
        return beginning.failed("The key is that of your settings; none was made.")
    return beginning.show(settings.state_dir, lambda: _key(settings))


def _key(settings: Settings) -> str:
    if settings.api_key is not None:
        return settings.api_key.get_secret_value()
    return token_file.token_in(settings.state_dir, KEY_FILE)


def _opening(viewer: Viewer | None, own_ports: list[int]) -> OpenApp:
    """Opens the App, from no page of which what this process listens on can be reached."""

    def opened(settings: Settings) -> "AbstractAsyncContextManager[App]":
        from notte_mcp.app import open_app

        return open_app(settings, view=viewer, own_ports=own_ports)

    return opened


async def _serve(
    settings: Settings, key: str, address: socket.socket, open_app: OpenApp, viewer: Viewer | None
) -> None:
    from notte_mcp.lifetime import OnDemand, serve_until_left

    for late in ("notte_mcp.api.routes", "notte_mcp.http.listener"):
        await anyio.to_thread.run_sync(import_module, late)
    from notte_mcp.api.calls import Defaults
    from notte_mcp.api.routes import Api
    from notte_mcp.http.listener import Listener

    app = OnDemand(lambda: open_app(settings))
    defaults = Defaults(
        settings.headless,
        settings.viewport_width,
        settings.viewport_height,
        settings.max_upload_bytes,
        settings.max_session_bytes,
        settings.max_session_files,
    )
    api = Api(app.get, contract=settings.api_contract, key=key, defaults=defaults)
    port = int(address.getsockname()[1])
    listener = Listener(api.guard(port, hosts=settings.api_allowed_hosts), address, sockets=True)

    async def serve() -> None:
        async with app.running():
            await listener.open()
            _tell(settings, port)
            await app.get()
            await anyio.sleep_forever()

    async def end() -> None:
        await listener.close(grace_s=GRACE_S)
        await app.close()
        if viewer is not None:
            await viewer.close()

    served = serve if viewer is None else partial(viewer.beside, serve, lambda: app.opened)
    await serve_until_left(served, end, parent=None)


def _tell(settings: Settings, port: int) -> None:
    made = None if settings.api_key is not None else settings.state_dir / KEY_FILE
    beyond = not is_loopback(settings.api_host)
    url = beginning.origin(settings.api_host, port)
    said = told.beginning(url, settings.api_contract, made, beyond=beyond)
    sys.stderr.write(f"{said}\n")
    sys.stderr.flush()
    log.info("api.started", port=port, contract=settings.api_contract)
