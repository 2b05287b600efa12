"""Files to and from a session in the cloud: what a page is to be given goes up first, what it sends comes down after.

Below: stage, reaching, saying. Above: performing, session.
"""

import time
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, Final

import anyio
import anyio.to_thread

from notte_mcp import actions as a
from notte_mcp.cloud_errors import CloudError
from notte_mcp.engines.base import COMING
from notte_mcp.engines.file_names import free_path, safe_name
from notte_mcp.engines.notte import saying, wire
from notte_mcp.engines.notte.reaching import reach
from notte_mcp.engines.notte.saving import Sink
from notte_mcp.engines.notte.spelling import action_to_wire
from notte_mcp.engines.notte.stage import Stage
from notte_mcp.errors import UploadRefused
from notte_mcp.observations import clean_line
from notte_mcp.receipts import Download, Receipt

MAX_UPLOAD_BYTES: Final = 100 * 1024**2
"""What the cloud takes of one file."""

_FILES_S: Final = 120.0
_LATE_S: Final = 3.0
_COMES_S: Final = 5.0
_PAUSE_S: Final = 0.5


def allowed_file(asked: str, stage: Stage) -> Path:
    """The file meant by `asked`: a name under the session's files, or a path in an allowed folder.

    Raises:
        UploadRefused: outside, absent, no regular file, or too large.
    """
    try:
        path = (Path(asked) if Path(asked).is_absolute() else stage.files / asked).resolve(strict=True)
    except (OSError, ValueError):
        raise UploadRefused(
            f"There is no file {clean_line(asked, 150)}.",
            next_call="notte_read on the session's files lists what there is",
        ) from None
    roots = [folder.resolve() for folder in (stage.files, *stage.upload_dirs)]
    if not any(path.is_relative_to(root) for root in roots) or not path.is_file():
        raise UploadRefused(
            f"{clean_line(asked, 150)} is not in a folder that a page may be given files from "
            f"({', '.join(map(str, roots))}).",
            next_call="put the file there, or add its folder to NOTTE_MCP_UPLOAD_DIRS and restart the server",
        )
    if (size := path.stat().st_size) > MAX_UPLOAD_BYTES:
        raise UploadRefused(
            f"{path.name} has {size} bytes, and the cloud takes files of at most {MAX_UPLOAD_BYTES}.",
            next_call="the same with a smaller file",
        )
    return path


async def upload(stage: Stage, action: a.UploadFile, allowed_ms: int) -> Receipt:
    """Put the file into the cloud session, then give it to the page.

    Raises:
        UploadRefused, UnknownElement, StaleElement, CloudError, SessionLost.
    """
    path = await anyio.to_thread.run_sync(allowed_file, action.path, stage)
    content = await anyio.to_thread.run_sync(path.read_bytes)
    reached = await reach(stage, action.id, action.selector)
    async with stage.asking() as client:
        kept = await client.upload(
            "sessions", stage.remote_id, "files", name=path.name, content=content, within_s=_FILES_S
        )
    name = wire.text(kept, "filename") or path.name
    touched = time.time()
    sent = action_to_wire(
        action.model_copy(update={"path": name}),
        {action.id: reached.called} if action.id else {},
        timeout_ms=allowed_ms,
    )
    done = await stage.execute(sent or {}, within_s=allowed_ms / 1000 + _LATE_S)
    receipt = saying.receipt(action, done, reached).but(target=reached.target, healed=reached.healed, acted_at=touched)
    return receipt.but(value=name) if done.success else receipt


async def download(stage: Stage, action: a.DownloadFile, allowed_ms: int) -> Receipt:
    """Click, and bring down what the click made the page send.

    Raises:
        UnknownElement, StaleElement, CloudError, SessionLost.
    """
    before = {wire.text(file, "id") for file in await _listed(stage)}
    reached = await reach(stage, action.id, action.selector)
    touched = time.time()
    sent = action_to_wire(action, {action.id: reached.called} if action.id else {}, timeout_ms=allowed_ms)
    done = await stage.execute(sent or {}, within_s=allowed_ms / 1000 + _LATE_S)
    receipt = saying.receipt(action, done, reached).but(target=reached.target, healed=reached.healed, acted_at=touched)
    if not done.success:
        return receipt
    try:
        fresh = await _fresh(stage, before)
        downloads = tuple([await _brought(stage, file) for file in fresh])
    except CloudError as error:
        said = f"The click was made; which file came of it could not be found out: {error.what}"
        return receipt.but(success=False, code=error.code, message=said)
    if not fresh:
        return receipt.but(success=False, code="action_failed", message="The click was made, and no file came of it.")
    return receipt.but(downloads=downloads)


async def _fresh(stage: Stage, before: set[str]) -> list[dict[str, Any]]:
    """The files that have come since; none where none comes in time."""
    fresh: list[dict[str, Any]] = []
    with anyio.move_on_after(_COMES_S):
        # It comes on another machine, which tells nobody.
        while not (fresh := [file for file in await _listed(stage) if wire.text(file, "id") not in before]):  # noqa: ASYNC110
            await anyio.sleep(_PAUSE_S)
    return fresh


async def _listed(stage: Stage) -> list[dict[str, Any]]:
    async with stage.asking() as client:
        body = await client.get(
            "sessions", stage.remote_id, "files", query={"source": "session_download", "limit": 1000}
        )
    return wire.objects(body.get("files"))


async def _brought(stage: Stage, file: dict[str, Any]) -> Download:
    """One file, kept here where that may be; where not, it stays in the cloud, and why is said."""
    name, told = safe_name(wire.text(file, "filename")), file.get("size")
    size = told if isinstance(told, int) else 0
    if why := await stage.bounds.excess(stage.files, coming=size, arriving=True):
        return _left_there(name, size, why)
    try:
        # A server that dies leaves it here, where the next one reads that it was on its way.
        path = await anyio.to_thread.run_sync(_taken, stage.files.parent / COMING, name)
    except OSError as error:
        return _left_there(name, size, _unkept(error))
    sink = Sink(path, lambda size: stage.bounds.excess(stage.files, coming=size, arriving=True))
    try:
        async with stage.asking() as client:
            whole = await client.save(
                "sessions", stage.remote_id, "files", wire.text(file, "id"), into=sink, within_s=_FILES_S
            )
        if not whole:
            return _left_there(name, size, sink.why)
        return Download(await anyio.to_thread.run_sync(_keep, path, stage.files, name), sink.size)
    except OSError as error:
        return _left_there(name, size, _unkept(error))
    finally:
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(partial(path.unlink, missing_ok=True))


def _left_there(name: str, size: int, why: str) -> Download:
    return Download(name, size, failure=clean_line(f"{why}; it stays in the cloud", 400))


def _unkept(error: OSError) -> str:
    return f"it could not be written: {error.strerror or 'the disk did not take it'}"


def _keep(path: Path, folder: Path, name: str) -> str:
    """Move what has come to a name that is free in the folder; gives that."""
    free = _taken(folder, name)
    path.replace(free)
    return free.name


def _taken(folder: Path, name: str) -> Path:
    """An empty file under a name that was free, which is nobody else's from then on."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    while True:
        free = free_path(folder, name)
        with suppress(FileExistsError):
            free.touch(mode=0o600, exist_ok=False)
            return free
