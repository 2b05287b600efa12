"""A cloud that answers by rote."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from notte_mcp.engines.base import OpenRequest
from notte_mcp.engines.file_bounds import Bounds
from notte_mcp.engines.notte.access import CloudAccess
from notte_mcp.engines.notte.engine import NotteEngine
from notte_mcp.engines.notte.session import NotteSession
from notte_mcp.records import SessionSpec
from tests.notte.proxy import Proxy, Reply, proxy


@asynccontextmanager
async def told_by_rote(
    tmp_path: Path, executed: Any, bounds: Bounds | None = None
) -> AsyncGenerator[tuple[NotteSession, Proxy]]:
    """A session of a cloud that answers every execute with this, and has one tab."""
    tab = {"metadata": {"tab_id": 0, "url": "https://shop.test/", "title": "Shop"}}
    async with proxy() as between:
        between.on("POST", "/sessions/start", Reply(body={"session_id": "s1", "status": "active"}))
        between.on("POST", "*/page/execute", Reply(body=executed), times=None)
        between.on("GET", "*/debug", Reply(body={"tabs": [tab]}), times=None)
        between.on("*", "/sessions/s1", Reply(body={"session_id": "s1", "status": "active"}), times=None)
        engine = NotteEngine(lambda: CloudAccess("a-key", between.url), bounds=bounds)
        try:
            session = await engine.open(OpenRequest("ses_1", SessionSpec(engine="notte"), tmp_path))
            yield session, between
            await session.close(deadline_s=1)
        finally:
            await engine.close(deadline_s=1)


DONE = {"success": True, "message": "Done"}
