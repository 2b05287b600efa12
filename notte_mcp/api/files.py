"""A session's files: what was uploaded for it and what it downloaded, by ids; and the older paths of the same.

They stay with the session until its record is swept. A body goes to the disk as it comes.

Below: calls; registry.files. Above: routes.
"""

import hashlib
import mimetypes
from collections.abc import AsyncGenerator
from pathlib import Path, PureWindowsPath
from typing import Any, BinaryIO, Final

import anyio
import anyio.to_thread
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException
from starlette.responses import Response, StreamingResponse

from notte_mcp.api import faults
from notte_mcp.api.calls import ApiCall, ApiRoute, answer
from notte_mcp.api.faults import ApiFault
from notte_mcp.api.moments import moment
from notte_mcp.registry import files
from notte_mcp.registry.files import Kept

MAX_NAME: Final = 200
"""Bytes of a file's name."""

MAX_LISTED: Final = 1_000
LISTED: Final = 100
KEPT_S: Final = 30 * 86_400
"""What `expires_at` says: how long an ended session is kept where the settings say nothing else."""

_CHUNK: Final = 256 * 1024
_SOURCES: Final = ("user_upload", "session_download")


async def _list(call: ApiCall) -> Response:
    session_id, kept = await _kept(call)
    source = call.text("source")
    if source is not None and source not in _SOURCES:
        raise faults.wrong("query", "source", "enum", f"Input should be one of {', '.join(_SOURCES)}", source)
    limit = call.number("limit", LISTED, least=1, most=MAX_LISTED)
    offset = call.number("offset", 0, least=0)
    told = [await _told(call, session_id, one) for one in kept if source in (None, _source(one))]
    return answer({"files": told[offset : offset + limit], "total": len(told), "limit": limit, "offset": offset})


async def _upload(call: ApiCall) -> Response:
    return answer(await _taken(call))


async def _download(call: ApiCall) -> Response:
    session_id, one = await _meant(call)
    return await _sent(call, session_id, one)


async def _delete(call: ApiCall) -> Response:
    session_id, one = await _meant(call)
    await anyio.to_thread.run_sync(files.drop_file, call.app.registry.folder(session_id), one.name)
    return Response(status_code=204)


# --- the older paths --------------------------------------------------------------


async def _old_list(call: ApiCall) -> Response:
    _, kept = await _kept(call)
    told = [
        {"name": one.name, "size": one.size, "file_ext": PureWindowsPath(one.name).suffix, "updated_at": moment(one.at)}
        for one in kept
        if not one.was_put
    ]
    return answer({"files": told})


async def _old_upload(call: ApiCall) -> Response:
    await _taken(call, name=call.path("filename"))
    return answer({"success": True})


async def _old_download(call: ApiCall) -> Response:
    session_id, kept = await _kept(call)
    name = call.path("filename")
    found = next((one for one in kept if one.name == name), None)
    if found is None:
        raise faults.unknown("file", name)
    return await _sent(call, session_id, found)


# --- what they share --------------------------------------------------------------


async def _kept(call: ApiCall) -> tuple[str, list[Kept]]:
    """(the session's id, its files). Raises: UnknownSession."""
    record = await call.app.registry.record(call.path("session_id"))
    return record.id, await anyio.to_thread.run_sync(files.told_files, call.app.registry.folder(record.id))


async def _meant(call: ApiCall) -> tuple[str, Kept]:
    session_id, kept = await _kept(call)
    file_id = call.path("file_id")
    found = next((one for one in kept if _id(one.name) == file_id), None)
    if found is None:
        raise faults.unknown("file", file_id)
    return session_id, found


def _id(name: str) -> str:
    """A file's id. It goes with its name, of which a session has one file."""
    return f"file_{hashlib.sha256(name.encode('utf-8', 'surrogatepass')).hexdigest()[:24]}"


def _source(one: Kept) -> str:
    return _SOURCES[0] if one.was_put else _SOURCES[1]


async def _told(call: ApiCall, session_id: str, one: Kept) -> dict[str, Any]:
    """A file as the contract tells it. Its checksum is read off the disk once."""
    known = call.kept.of(session_id).facts.setdefault("checksums", {})
    key = (one.name, one.size, one.at)
    if key not in known:
        known[key] = await anyio.to_thread.run_sync(_checksum, call.app.registry.folder(session_id), one.name)
    return {
        "id": _id(one.name),
        "session_id": session_id,
        "filename": one.name,
        "mime_type": _mime(one),
        "size": one.size,
        "checksum": known[key],
        "created_at": moment(one.at),
        "expires_at": moment(one.at + KEPT_S),
        "source": _source(one),
    }


def _mime(one: Kept) -> str:
    return mimetypes.guess_type(one.name)[0] or "application/octet-stream"


def _checksum(folder: Path, name: str) -> str:
    with files.open_file(folder, name) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


async def _taken(call: ApiCall, *, name: str | None = None) -> dict[str, Any]:
    """Take the file of a form. Raises: ApiFault (400, 413, 422), UnknownSession, LimitReached."""
    session_id, _ = await _kept(call)
    try:
        async with call.request.form(max_files=1, max_fields=8) as form:
            given = form.get("file")
            if not isinstance(given, UploadFile):
                raise faults.missing("body", "file")
            name = _safe(name or given.filename or "")
            # One at a time, or two would take the same room, or mix under one name.
            async with call.kept.of(session_id).uploading:
                _, kept = await _kept(call)
                _has_place(call, kept, name, given.size or 0)
                await call.app.registry.put_file(session_id, name, given.file)
    except (MultiPartException, HTTPException) as error:
        said = error.message if isinstance(error, MultiPartException) else error.detail
        raise ApiFault(400, f"The form cannot be read: {said}") from error
    _, kept = await _kept(call)
    if (one := next((one for one in kept if one.name == name), None)) is None:
        raise faults.unknown("file", name)  # somebody has removed it already
    return await _told(call, session_id, one)


def _has_place(call: ApiCall, kept: list[Kept], name: str, size: int) -> None:
    if size > call.defaults.max_upload_bytes:
        raise ApiFault(413, f"The file is longer than {call.defaults.max_upload_bytes:,} bytes.")
    others = [one for one in kept if one.name != name]
    if len(others) >= call.defaults.max_session_files:
        raise ApiFault(413, f"The session has {len(others)} files, and no more may be added.")
    if sum(one.size for one in others) + size > call.defaults.max_session_bytes:
        raise ApiFault(413, f"The session's files may have {call.defaults.max_session_bytes:,} bytes together.")


def _safe(given: str) -> str:
    """A name without folders. Raises: ApiFault (422)."""
    name = PureWindowsPath(given).name
    if name in {"", ".", ".."} or not name.isprintable() or len(name.encode()) > MAX_NAME:
        said = f"The file needs a plain name of at most {MAX_NAME} bytes."
        raise faults.wrong("body", "file", "value_error", said)
    return name


async def _sent(call: ApiCall, session_id: str, one: Kept) -> Response:
    folder = call.app.registry.folder(session_id)
    file = await anyio.to_thread.run_sync(files.open_file, folder, one.name)
    # Never shown by a browser in this API's name: a page chose what is in it.
    headers = {"content-disposition": "attachment", "content-length": str(one.size)}
    return StreamingResponse(_parts(file, one.size), media_type=_mime(one), headers=headers)


async def _parts(file: BinaryIO, size: int) -> AsyncGenerator[bytes]:
    """As much of it as was said, whatever is written to it meanwhile."""
    with file:
        while size > 0 and (part := await anyio.to_thread.run_sync(file.read, min(_CHUNK, size))):
            size -= len(part)
            yield part


ROUTES: Final = (
    ApiRoute("GET", "/sessions/{session_id}/files", _list),
    ApiRoute("POST", "/sessions/{session_id}/files", _upload),
    ApiRoute("GET", "/sessions/{session_id}/files/{file_id}", _download),
    ApiRoute("DELETE", "/sessions/{session_id}/files/{file_id}", _delete),
    ApiRoute("GET", "/storage/{session_id}/downloads", _old_list),
    ApiRoute("POST", "/storage/{session_id}/downloads/{filename}", _old_upload),
    ApiRoute("GET", "/storage/{session_id}/downloads/{filename}", _old_download),
)
