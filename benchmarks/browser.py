"""The browser of all measurements, and the engine without a server around it.

Below: the local engine, scripts. Above: looking, `__main__`.
"""

import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path

from benchmarks.wire import BenchmarkFailed
from notte_mcp.engines.base import Engine
from scripts.find_chromium import find


def set_browser() -> None:
    """Put the browser into the environment, which the server and the floors read; root has no sandbox.

    Raises:
        BenchmarkFailed: there is none.
    """
    if (found := find()) is None:
        raise BenchmarkFailed("no Chromium was found: `make bench` finds or installs one")
    os.environ["NOTTE_MCP_BROWSER"] = found
    if _is_root():
        os.environ["NOTTE_MCP_NO_SANDBOX"] = "1"


@asynccontextmanager
async def local_engine(folder: Path) -> AsyncGenerator[Engine]:
    """A local engine in this process."""
    from notte_mcp.engines.local.engine import LocalEngine

    numbers = count()

    def tmp_for(name: str) -> Path:
        path = folder / f"{name}{next(numbers)}"
        path.mkdir()
        return path

    def note_process(_pid: int) -> None:
        """Nothing to remember: the engine is closed below."""

    engine = LocalEngine(
        executable=Path(os.environ["NOTTE_MCP_BROWSER"]),
        no_sandbox=_is_root(),
        tmp_for=tmp_for,
        note_process=note_process,
    )
    (folder / "session" / "files").mkdir(parents=True)
    try:
        yield engine
    finally:
        await engine.close(deadline_s=3)


def _is_root() -> bool:
    return hasattr(os, "geteuid") and os.geteuid() == 0
