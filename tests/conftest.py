"""What every test may ask for, and what every test is kept from.

No test reads the settings of the person who runs it, or writes where their state
is: both are taken away here, before the first test.
"""

import os
import shutil
from collections.abc import AsyncGenerator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sniffio import current_async_library_cvar

from scripts.find_chromium import find
from tests.site import Site

if TYPE_CHECKING:
    from tests.browsers import Browsers

_KEPT = frozenset({"NOTTE_MCP_BROWSER", "NOTTE_MCP_NO_SANDBOX"})
_TAKEN = ("NOTTE_", "ANTHROPIC_", "OPENAI_", "GOOGLE_", "GEMINI_", "OLLAMA_")

_IN_MEMORY = Path("/dev/shm")  # noqa: S108 - pytest makes a folder of its own in it
_ROOM_BYTES = 4_000_000_000


def pytest_configure() -> None:
    """Temporary folders lie in memory where there is room: each step is synced to the disk, and the tests take turns
    waiting for it. What survives a killed process survives it there as well."""
    if _IN_MEMORY.is_dir() and os.access(_IN_MEMORY, os.W_OK) and shutil.disk_usage(_IN_MEMORY).free > _ROOM_BYTES:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(_IN_MEMORY))


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """The one event loop of this project: Playwright runs on asyncio only."""
    return "asyncio"


@pytest.fixture(scope="session", autouse=True)
def _nobodys_settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:  # pyright: ignore[reportUnusedFunction]
    """State in a folder of this run, no configuration file, no model's key, no `NOTTE_*` but which browser and whether
    sandboxed."""
    root = tmp_path_factory.mktemp("person")
    with pytest.MonkeyPatch.context() as patch:
        for name in [n for n in os.environ if n.startswith(_TAKEN) and n not in _KEPT]:
            patch.delenv(name)
        patch.setenv("NOTTE_MCP_STATE_DIR", str(root / "state"))
        patch.setenv("XDG_CONFIG_HOME", str(root / "config"))
        # Filming costs every session a little, and is asked for by the tests that are about it.
        patch.setenv("NOTTE_MCP_RECORD", "0")
        patch.setenv("NOTTE_MCP_VIEWER", "0")
        # A state folder of its own is all that a test needs: Playwright's driver is compiled once for all of them.
        patch.setenv("NODE_COMPILE_CACHE", str(tmp_path_factory.getbasetemp().parent / "compiled"))
        yield


@pytest.fixture(autouse=True)
def _a_loop_of_its_own(request: pytest.FixtureRequest) -> Iterator[None]:  # pyright: ignore[reportUnusedFunction]
    """A test that is not async may run a loop: anyio says that one runs for as long as a fixture of the session lives."""
    if request.node.get_closest_marker("anyio") is not None:
        yield
        return
    token = current_async_library_cvar.set(None)
    yield
    current_async_library_cvar.reset(token)


@pytest.fixture(scope="session")
def chromium() -> Path:
    """A Chromium that starts. None is a failure and no skip: a green run has driven a real browser."""
    if (path := find()) is None:
        pytest.fail("no Chromium was found: `make test` finds or installs one")
    return Path(path)


@pytest.fixture(scope="session")
async def browsers(chromium: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator["Browsers"]:
    """One Chromium for all Apps that are not about a browser's life."""
    from tests.browsers import shared  # it imports Playwright

    # The path of a socket of Chromium's in it may have 107 bytes.
    async with shared(chromium, tmp_path_factory.mktemp("b")) as browsers:
        yield browsers


@pytest.fixture(scope="session")
def site_server() -> Iterator[Site]:
    """The pages that tests drive a browser on, served for the whole run."""
    with Site() as served:
        yield served


@pytest.fixture
def site(site_server: Site) -> Site:
    """The site, with nothing recorded yet and its pages as they are written."""
    site_server.reset()
    site_server.rewrite = None
    return site_server
