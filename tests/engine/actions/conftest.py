"""One engine for all tests of actions, and one session for those that leave it as it was."""

import itertools
import os
from collections.abc import AsyncGenerator, Callable
from pathlib import Path
from typing import Any

import pytest

from notte_mcp.engines.local.engine import LocalEngine
from notte_mcp.engines.local.stage import SessionOptions
from notte_mcp.settings import Settings
from tests.browsers import Browsers
from tests.engine.actions.driver import Driver, Kept, opened
from tests.site import Site

MakeEngine = Callable[..., LocalEngine]


@pytest.fixture(scope="session")
def make_engine(chromium: Path, tmp_path_factory: pytest.TempPathFactory) -> MakeEngine:
    """Makes an engine with a browser of its own, for what ends one or watches it."""
    folder = tmp_path_factory.mktemp("e")
    numbers = itertools.count()

    def tmp_for(name: str) -> Path:
        path = folder / f"{name}{next(numbers)}"
        path.mkdir()
        return path

    def make(**options: Any) -> LocalEngine:
        as_root = hasattr(os, "geteuid") and os.geteuid() == 0
        return LocalEngine(
            executable=chromium,
            no_sandbox=as_root,
            tmp_for=tmp_for,
            note_process=lambda _pid: None,
            options=SessionOptions(**options),
        )

    return make


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that uploads are allowed from."""
    return tmp_path_factory.mktemp("shared")


@pytest.fixture(scope="session")
async def engine(browsers: Browsers, shared_folder: Path) -> AsyncGenerator[LocalEngine]:
    """In the Chromium of all tests."""
    settings = Settings(max_tabs=6, max_download_bytes=1_000_000, upload_dirs=(shared_folder,))
    engine = browsers.engine(settings)
    yield engine
    await engine.close(deadline_s=3)


@pytest.fixture
async def driver(engine: LocalEngine, site: Site, tmp_path: Path) -> AsyncGenerator[Driver]:
    async with opened(engine, tmp_path) as session:
        yield Driver(session, site, tmp_path / "files")


@pytest.fixture(scope="session")
async def _kept(engine: LocalEngine, tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Kept]:
    async with Kept(engine, tmp_path_factory.mktemp("kept"), leaves=False).open() as kept:
        yield kept


@pytest.fixture(scope="module")
async def _left(_kept: Kept) -> AsyncGenerator[None]:  # pyright: ignore[reportUnusedFunction]
    """No page of one file of tests is at work while others run."""
    yield
    await _kept.left()


@pytest.fixture
async def kept(_kept: Kept, _left: None, site: Site) -> AsyncGenerator[Driver]:
    """A session that tests share which are about its pages: with one tab, on whatever page the test before left."""
    yield await _kept.driver(site)
    await _kept.cleared()
