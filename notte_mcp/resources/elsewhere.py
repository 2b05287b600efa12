"""What the machine tells of a session that lives there: its files, its cookies' names, its network log, its
replay, its own script.

Of a session of this machine there are the cookies alone, as they were saved last; for the rest the refusal says what
there is instead. No value of a cookie is told, and no script that was ours and not the caller's.

Below: registry, engines.remote, content. Above: sessions, agents, recorded.
"""

import ast
import json
import secrets
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import anyio
import anyio.to_thread

from notte_mcp.agent_records import AgentRecord
from notte_mcp.cloud_errors import CloudError, CloudUnknown
from notte_mcp.errors import LimitReached, NothingRecorded, UnknownResource
from notte_mcp.observations import clean_line
from notte_mcp.records import LIVE_STATES, SessionRecord
from notte_mcp.resources.content import MAX_BYTES, MP4, Content, Piece, as_json, file_uri
from notte_mcp.resources.records_json import time_text

if TYPE_CHECKING:
    from notte_mcp.app import App
    from notte_mcp.engines.remote import Remote, RemoteCode

THEIRS: Final = "notte.cloud"
"""The script that the cloud made by itself, among the targets of an address."""

OURS: Final = "/* notte-mcp */"
"""How a script begins by which a page is asked on our own account."""

REPLAY: Final = "replay.cloud.mp4"
"""Where a replay that the cloud made is kept, in the session's folder."""

REPLAY_S: Final = 35.0
"""How long it is waited for until it is made there."""

_COOKIE: Final = ("name", "domain", "path", "expires", "httpOnly", "secure", "sameSite")


def code_uri(record: SessionRecord | AgentRecord) -> str:
    """The address of the cloud's own script."""
    kind = "agents" if isinstance(record, AgentRecord) else "sessions"
    return f"notte://{kind}/{record.id}/workflow/{THEIRS}"


async def of_session(app: "App", uri: str, record: SessionRecord, path: Sequence[str]) -> Content | None:
    """What of this stands at `notte://sessions/{id}/...`; None where it is none of this.

    Raises: UnknownResource: it is of cloud sessions alone. CloudError.
    """
    match path:
        case ["cookies"]:
            return await _cookies(app, uri, record)
        case ["network"]:
            return await _network(app, uri, record)
        case ["workflow", target] if target == THEIRS:
            instead = f'notte_workflow_code(id="{record.id}") writes its script'
            return _code(uri, await (await _remote(app, uri, record, instead)).code())
        case _:
            return None


async def _cookies(app: "App", uri: str, record: SessionRecord) -> Content:
    """Names, domains and ends of a session's cookies, and never what they hold."""
    if record.remote_id and record.state in LIVE_STATES:
        found = await (await _remote(app, uri, record, "")).cookies()
        return as_json(uri, "cookies", {"cookies": [_cookie(one) for one in found]})
    saved: dict[str, Any] = await app.registry.saved(record.id) or {}
    kept = [_cookie(one) for one in saved.get("cookies", [])]
    return as_json(uri, "cookies", {"cookies": kept, "saved_at": time_text(record.storage_saved_at)})


async def _network(app: "App", uri: str, record: SessionRecord) -> Content:
    """The network log of a cloud session, as the cloud gives it."""
    instead = (
        "The network log is the cloud's; of a session of this machine each step tells the requests that failed: "
        f'notte_read(uri="notte://sessions/{record.id}/steps")'
    )
    return as_json(uri, "network", await (await _remote(app, uri, record, instead)).network())


async def files(app: "App", record: SessionRecord, known: Collection[str]) -> list[dict[str, Any]]:
    """The files that a cloud session has there, besides those that are `known` here; none of one of this machine."""
    try:
        found = await _files(app, record)
    except CloudError as error:
        return [{"left_out": "the files that the cloud has", "because": error.what}]
    named = {name: one for one in found if (name := _filename(one)) and name not in known}
    return [
        {"name": name, "size": one.get("size"), "uri": file_uri(record.id, name), "source": one.get("source")}
        for name, one in named.items()
    ]


async def file(app: "App", record: SessionRecord, name: str) -> bytes | None:
    """What is in a file that only the cloud has; None where there is none. Raises: CloudError, LimitReached."""
    for one in await _files(app, record):
        if _filename(one) != name:
            continue
        size, remote = one.get("size"), await app.registry.remote(record.id)
        if remote is None or (isinstance(size, int) and size > MAX_BYTES):
            raise _not_carried(name, f"it has {size:,} bytes, and one answer carries at most {MAX_BYTES:,}")
        # Whatever the cloud says that it has: no more of it comes down than one answer carries.
        part = _part(app.registry.folder(record.id))
        try:
            if why := await remote.file(str(one.get("id", "")), part, limit=MAX_BYTES):
                raise _not_carried(name, why)
            return await anyio.to_thread.run_sync(part.read_bytes)
        finally:
            with anyio.CancelScope(shield=True):
                await anyio.to_thread.run_sync(partial(part.unlink, missing_ok=True))
    return None


def _not_carried(name: str, why: str) -> LimitReached:
    return LimitReached(
        f"{name} cannot be read from here: {why}.",
        kept="It is in the cloud.",
        next_call="Notte's own client, or its console",
    )


async def _files(app: "App", record: SessionRecord) -> list[dict[str, Any]]:
    try:
        remote = await app.registry.remote(record.id)
        return [] if remote is None else await remote.files()
    except CloudUnknown:  # an API without files, or a session that it has forgotten
        return []


def _filename(file: Mapping[str, Any]) -> str:
    return clean_line(str(file.get("filename") or ""), 200)


async def agent_code(app: "App", uri: str, agent: AgentRecord) -> Content:
    """The script that the cloud made of an agent that it ran. Raises: UnknownResource, CloudError."""
    instead = f'notte_workflow_code(id="{agent.id}") writes its script'
    if not agent.remote_id:
        raise _not_there(uri, instead)
    remote = await _remote(app, uri, await app.registry.record(agent.session_id), instead)
    return _code(uri, await remote.agent_code(agent.remote_id))


async def replay(app: "App", uri: str, record: SessionRecord) -> Content | None:
    """The replay that the cloud made of a session which was not filmed here, kept once it was fetched; None where it is
    of this machine or was filmed here.

    Raises: NothingRecorded: there is none, or none yet; StillMaking; CloudError.
    """
    from notte_mcp.replay.kept import film_size  # late: no other reading needs it

    folder = app.registry.folder(record.id)
    if not record.remote_id or await anyio.to_thread.run_sync(film_size, folder):
        return None
    path = folder / REPLAY
    if (size := await anyio.to_thread.run_sync(_size, path)) == 0:
        if record.state in LIVE_STATES:
            raise NothingRecorded(
                f"The cloud makes the replay of {record.id} once it has stopped, and it was not filmed here.",
                done="",
                next_call=f'notte_stop(id="{record.id}"), then the same call',
            )
        size = await _fetched(await _remote(app, uri, record, ""), path)
    return Content(uri, "replay", MP4, Piece(path, 0, size), {"made_by": "the cloud"})


# --- forms ------------------------------------------------------------------------


async def _remote(app: "App", uri: str, record: SessionRecord, instead: str) -> "Remote":
    if (remote := await app.registry.remote(record.id)) is None:
        raise _not_there(uri, instead)
    return remote


def _not_there(uri: str, instead: str) -> UnknownResource:
    return UnknownResource(f"{uri} is of cloud sessions alone.", done="", next_call=instead)


def _cookie(cookie: Mapping[str, Any]) -> dict[str, Any]:
    return {name: cookie[name] for name in _COOKIE if cookie.get(name) is not None}


def _code(uri: str, code: "RemoteCode") -> Content:
    script = without_ours(code.python)
    actions = [one for one in code.actions if not str(one.get("code", "")).lstrip().startswith(OURS)]
    comments = "\n".join(f"# {line}" for line in json.dumps(actions, ensure_ascii=False, indent=1).splitlines())
    return Content(uri, f"workflow {THEIRS}", "text/x-python", script or comments)


def without_ours(script: str) -> str:
    """A script without the statements by which we asked the page, and those that only say what came of them. One that
    is no Python is given as it is."""
    try:
        tree = ast.parse(script)
    except (SyntaxError, ValueError, RecursionError):
        return script
    lines: list[str | None] = list(script.splitlines())
    for body in _bodies(tree):
        ours = [node for node in body if _is_ours(node)]
        lost = _names(ours, ast.Store) - _names([node for node in body if node not in ours], ast.Store)
        told = [node for node in body if isinstance(node, ast.Expr | ast.Return) and lost & _names([node], ast.Load)]
        ours = [node for node in body if node in ours or node in told]
        for node in ours:
            lines[node.lineno - 1 : node.end_lineno] = [None] * ((node.end_lineno or node.lineno) - node.lineno + 1)
        if ours and len(ours) == len(body):
            lines[ours[0].lineno - 1] = f"{' ' * ours[0].col_offset}pass"
    return "".join(f"{line}\n" for line in lines if line is not None)


def _bodies(tree: ast.AST) -> Iterator[Sequence[ast.stmt]]:
    for node in ast.walk(tree):
        for name in ("body", "orelse", "finalbody"):
            if isinstance(body := getattr(node, name, None), list):
                yield body


def _names(nodes: Sequence[ast.stmt], use: type[ast.expr_context]) -> set[str]:
    """The names that these set, or read."""
    found = (one for node in nodes for one in ast.walk(node))
    return {one.id for one in found if isinstance(one, ast.Name) and isinstance(one.ctx, use)}


def _is_ours(node: ast.stmt) -> bool:
    if not isinstance(node, ast.Expr | ast.Assign):
        return False
    texts = (one.value for one in ast.walk(node) if isinstance(one, ast.Constant) and isinstance(one.value, str))
    return any(text.lstrip().startswith(OURS) for text in texts)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _part(folder: Path) -> Path:
    """A name for what is coming, which is nobody else's."""
    return folder / f"{secrets.token_hex(8)}.part"


async def _fetched(remote: "Remote", path: Path) -> int:
    """The replay's size once it is in the file, which is there whole, or not at all."""
    part = _part(path.parent)
    try:
        size = await remote.replay(part, wait_s=REPLAY_S)
        await anyio.to_thread.run_sync(part.replace, path)
    finally:
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(partial(part.unlink, missing_ok=True))
    return size
