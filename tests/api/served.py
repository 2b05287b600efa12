"""The local API in this process, on loopback with the real listener; and ways to ask it."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from ssl import PROTOCOL_TLS_CLIENT, SSLContext
from typing import Any, Final

import httpx

from notte_mcp.api.calls import Contract, Defaults
from notte_mcp.api.routes import Api as Routes
from notte_mcp.app import App, open_app
from notte_mcp.engines.base import Engine
from notte_mcp.http.address import bind
from notte_mcp.http.listener import Listener
from notte_mcp.settings import Settings

KEY = "a-key-of-the-tests-0123456789"

NO_CERTIFICATES: Final = SSLContext(PROTOCOL_TLS_CLIENT)
"""For clients on loopback: none are asked for, and to read all that the machine trusts costs more than a request."""


@dataclass(frozen=True, slots=True)
class Api:
    """A running API. `client` sends its key."""

    url: str
    key: str
    app: App
    client: httpx.AsyncClient
    routes: Routes

    async def started(self, **fields: Any) -> str:
        """The id of a new session."""
        answered = await self.client.post("/sessions/start", json=fields)
        assert answered.status_code == 200, answered.text
        return str(answered.json()["session_id"])


@asynccontextmanager
async def served_api(
    state: Path,
    *,
    chromium: Path | None,
    engines: Mapping[str, Engine] | None = None,
    model: str | None = None,
    contract: Contract | None = "1.10",
    **settings: Any,
) -> AsyncGenerator[Api]:
    """The API with an App of its own on this state folder; `engines` replace the real ones, and need no Chromium."""
    address = bind("127.0.0.1", 0)
    port = int(address.getsockname()[1])
    given = Settings(state_dir=state, browser=chromium, no_sandbox=True, model=model, **settings)
    async with open_app(given, engines=engines, own_ports=[port]) as app:

        async def opened() -> App:
            return app

        defaults = Defaults(
            given.headless, given.viewport_width, given.viewport_height, max_upload_bytes=given.max_upload_bytes
        )
        routes = Routes(opened, contract=contract, key=KEY, defaults=defaults)
        listener = Listener(routes.guard(port), address, sockets=True)
        await listener.open()
        url = f"http://127.0.0.1:{port}"
        headers = {"authorization": f"Bearer {KEY}"}
        try:
            async with httpx.AsyncClient(
                base_url=url, headers=headers, timeout=60, trust_env=False, verify=NO_CERTIFICATES
            ) as client:
                yield Api(url, KEY, app, client, routes)
        finally:
            await listener.close(grace_s=1)
