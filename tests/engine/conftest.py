"""One engine for all tests of observation, in the Chromium of all tests, and one session for those that are about a page
and nothing else."""

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import NamedTuple

import anyio
import pytest

from notte_mcp.engines.base import BrowserSession, OpenRequest
from notte_mcp.engines.local.engine import LocalEngine
from notte_mcp.ids import new_session_id
from notte_mcp.records import SessionSpec
from tests.browsers import Browsers
from tests.engine.actions.driver import Kept
from tests.engine.eyes import Eye
from tests.site import Site


class Lookout(NamedTuple):
    """An engine and where its sessions keep their files."""

    engine: LocalEngine
    folder: Path

    async def open(self, spec: SessionSpec | None = None) -> BrowserSession:
        session_id = new_session_id()
        (self.folder / session_id / "files").mkdir(parents=True)
        with anyio.fail_after(30):
            return await self.engine.open(OpenRequest(session_id, spec or SessionSpec(), self.folder / session_id))


@pytest.fixture(scope="session")
async def lookout(browsers: Browsers, tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Lookout]:
    engine = browsers.engine()
    yield Lookout(engine, tmp_path_factory.mktemp("engine"))
    await engine.close(deadline_s=3)


@pytest.fixture(scope="session")
async def _kept_eye(lookout: Lookout) -> AsyncGenerator[Kept]:
    async with Kept(lookout.engine, lookout.folder / "kept", leaves=False).open() as kept:
        yield kept


@pytest.fixture
async def eye(_kept_eye: Kept, site: Site) -> AsyncGenerator[Eye]:
    """A session that tests share which are about a page and nothing else: each opens one first."""
    yield Eye((await _kept_eye.driver(site)).session, site)
    await _kept_eye.cleared()


@pytest.fixture(scope="session")
async def framed(lookout: Lookout, site_server: Site) -> AsyncGenerator[Eye]:
    """The page of all frames, opened once: it takes a process for each origin. It may be scrolled and its fields filled;
    nothing else of it changes but what the one test of that tells."""
    session = await lookout.open()
    eye = Eye(session, site_server)
    await eye.go("/frames.html")
    yield eye
    await session.close(deadline_s=2)


@pytest.fixture
async def fresh(lookout: Lookout, site: Site) -> AsyncGenerator[Eye]:
    """A session of its own: for what names ids, or leaves a session that nobody can use."""
    session = await lookout.open()
    yield Eye(session, site)
    await session.close(deadline_s=2)
