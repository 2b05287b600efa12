"""A small disk of one's own to fill and to lock, and files and folders that nobody may write.

Linux, as root: elsewhere `small_disk` gives None, and what would be tried on it is noted as not tried.
Below: fault, grounds. Above: storage.
"""

import errno
import os
import subprocess
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from tests.faults.grounds import Grounds

SIZE: Final = "96m"
"""Enough for a browser's temporary folder."""

_CHUNK: Final = bytes(64 * 1024)


@contextmanager
def small_disk(grounds: Grounds) -> Generator[Path | None]:
    """The grounds' state folder is on a small disk of its own meanwhile; gives where that is, or None without one."""
    disk, before = grounds.folder / "disk", grounds.state
    disk.mkdir()
    if not _run("mount", "-t", "tmpfs", "-o", f"size={SIZE},mode=0700", "tmpfs", str(disk)):
        yield None
        return
    grounds.state = disk / "state"
    try:
        yield disk
    finally:
        grounds.state = before
        _run("umount", "-l", str(disk))


def read_only(disk: Path, *, on: bool) -> bool:
    """Take the right to write from everybody, or give it back; False where that cannot be done."""
    return _run("mount", "-o", f"remount,{'ro' if on else 'rw'},size={SIZE}", str(disk))


@contextmanager
def unwritable(path: Path) -> Generator[bool]:
    """A file that nobody may write, not even root; gives whether that could be done."""
    done = _run("chattr", "+i", str(path))
    try:
        yield done
    finally:
        if done:
            _run("chattr", "-i", str(path))


def fill(disk: Path) -> Path:
    """Write until nothing more fits; gives the file to be removed."""
    filler = disk / "filler"
    file = os.open(filler, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        for size in (len(_CHUNK), 4096, 1):
            with suppress(OSError):
                while True:
                    os.write(file, _CHUNK[:size])
    finally:
        os.close(file)
    return filler


def is_full(disk: Path) -> bool:
    """Whether a page more does not fit."""
    probe = disk / "probe"
    try:
        probe.write_bytes(_CHUNK[:4096])
    except OSError as error:
        return error.errno == errno.ENOSPC
    finally:
        probe.unlink(missing_ok=True)
    return False


def _run(*command: str) -> bool:
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        return False
