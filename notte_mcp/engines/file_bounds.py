"""What the files of a session may come to, whichever engine brings them: how large one, how much and how many in all.

Below: nothing of ours. Above: the engines, app.
"""

import os
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import anyio.to_thread


@dataclass(frozen=True, slots=True)
class Bounds:
    """Bytes that arrive at once, bytes and number of all. `shortage` tells why nothing more is to be kept on the disk
    ("" where there is room)."""

    in_flight_bytes: int = 200_000_000
    session_bytes: int = 1_000_000_000
    session_files: int = 1_000
    shortage: Callable[[], Awaitable[str]] | None = None

    async def excess(self, folder: Path, *, coming: int, arriving: bool = False) -> str:
        """Which limit so many bytes more in a session's folder would pass, or "". `arriving`: they are of one that is
        on its way, which has to be small enough by itself."""
        if arriving and coming > self.in_flight_bytes:
            return f"larger than {self.in_flight_bytes} bytes (max_download_bytes)"
        files, size = await anyio.to_thread.run_sync(partial(_files_in, folder))
        if files >= self.session_files:
            return f"the session has {files} files, and may have {self.session_files} (max_session_files)"
        if size + coming > self.session_bytes:
            return (
                f"the session's files have {size} bytes, and with it they would have more than "
                f"{self.session_bytes} (max_session_bytes)"
            )
        return await self.shortage() if self.shortage is not None else ""


def _files_in(folder: Path) -> tuple[int, int]:
    """(how many, bytes of all) of the files in a session's folder."""
    sizes: list[int] = []
    with suppress(FileNotFoundError):
        for entry in os.scandir(folder):
            with suppress(OSError):
                sizes.append(entry.stat(follow_symlinks=False).st_size)
    return len(sizes), sum(sizes)
