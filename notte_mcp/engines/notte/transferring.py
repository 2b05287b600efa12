"""Files to and from a session in the cloud: what a page is to be given goes up first, what it sends comes down after.

Below: stage, reaching, saying. Above: performing, session.
"""

import os
import time
from pathlib import Path
from typing import Any, Final

import anyio
import anyio.to_thread

from notte_mcp import actions as a
from notte_mcp.cloud_errors import CloudError
from notte_mcp.engines.file_names import safe_name
from notte_mcp.engines.notte import saying, wire
from notte_mcp.engines.notte.reaching import reach
from notte_mcp.engines.notte.spelling import action_to_wire
from notte_mcp.engines.notte.stage import Stage
from notte_mcp.errors import UploadRefused
from notte_mcp.observations import clean_line
from notte_mcp.receipts import Download, Receipt

MAX_UPLOAD_BYTES: Final = 100 * 1024**2
"""What the cloud takes of one file."""

MAX_DOWNLOAD_BYTES: Final = 200_000_000
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
    name, size = safe_name(wire.text(file, "filename")), file.get("size")
    if isinstance(size, int) and size > MAX_DOWNLOAD_BYTES:
        return Download(name, size, failure=f"larger than {MAX_DOWNLOAD_BYTES} bytes; it stays in the cloud")
    async with stage.asking() as client:
        content = await client.bytes(
            "sessions", stage.remote_id, "files", wire.text(file, "id"), limit=MAX_DOWNLOAD_BYTES, within_s=_FILES_S
        )
    kept = await anyio.to_thread.run_sync(_keep, stage.files, name, content)
    return Download(kept, len(content))


def _keep(folder: Path, name: str, content: bytes) -> str:
    """Write it under a name that is free; gives that."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    stem, suffix = Path(name).stem, Path(name).suffix
    for number in range(1, 1_000):
        free = name if number == 1 else f"{stem} ({number}){suffix}"
        try:
            fd = os.open(folder / free, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            continue
        with os.fdopen(fd, "wb") as out:
            out.write(content)
        return free
    raise FileExistsError(name)
