"""The Notte cloud as an engine: sessions are started there, or attached to, and driven by the contract.

A session is never replaced: one that has ended is told as that. One whose start was not answered may live on unknown
to us until its idle limit, which is said, and not guessed at. Nothing is sent before the first session is asked for.

Below: session, stage, client, cloud, wire, access. Above: pending, app.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final, cast

import anyio

from notte_mcp.cloud_errors import CloudError, CloudUnavailable
from notte_mcp.engines.base import LostListener, OpenRequest
from notte_mcp.engines.file_bounds import Bounds
from notte_mcp.engines.notte import wire
from notte_mcp.engines.notte.access import CloudAccess, current
from notte_mcp.engines.notte.answers import NOBODY_KNOWS
from notte_mcp.engines.notte.client import NotteClient
from notte_mcp.engines.notte.cloud import CloudSession
from notte_mcp.engines.notte.ending import why_ended
from notte_mcp.engines.notte.naming import Book
from notte_mcp.engines.notte.session import NotteSession
from notte_mcp.engines.notte.stage import Stage
from notte_mcp.engines.remote import RemoteSession
from notte_mcp.errors import SessionNotLive

_READY_S: Final = 120.0
_ASK_AGAIN_S: Final = 1.0
_STOP_S: Final = 5.0
_ANEW: Final = 'notte_start(session={"engine": "notte"}) for a new one'


class NotteEngine:
    """See the module. `access` gives the account of the call that is under way; files that a page may be given stand in
    a session's own folder and in `upload_dirs`; `bounds` are of what it brings there."""

    name = "notte"

    def __init__(
        self, access: Callable[[], CloudAccess] = current, *, upload_dirs: Sequence[Path] = (),
        bounds: Bounds | None = None, client: Callable[[CloudAccess], NotteClient] = NotteClient,
    ) -> None:  # fmt: skip
        self._access = access
        self._make = client
        self._upload_dirs = tuple(upload_dirs)
        self._bounds = bounds or Bounds()
        self._clients: dict[CloudAccess, NotteClient] = {}
        self._open: dict[str, NotteSession] = {}
        self._listener: LostListener = lambda _session_id, _why: None

    def on_lost(self, listener: LostListener) -> None:
        """See `Engine.on_lost`."""
        self._listener = listener

    async def remote(self, remote_id: str) -> CloudSession:
        """See `Engine.remote`: asked with the caller's own access."""
        return CloudSession(self._client(), remote_id)

    def _client(self) -> NotteClient:
        access = self._access()
        if access not in self._clients:
            self._clients[access] = self._make(access)
        return self._clients[access]

    async def open(self, request: OpenRequest) -> NotteSession:
        """A new cloud session, or the one that the request names (see `Engine.open`).

        Raises:
            SessionNotLive: the one that is named has ended. CloudError.
        """
        client = self._client()
        named = request.remote_id or str(request.spec.cloud.get(wire.ATTACH) or "")
        found = await (_attached(client, named) if named else _started(client, request))
        stage = Stage(
            client, found.remote_id, request.folder / "files", Book(dict(request.id_counters)),
            lambda why: self._lost(request.session_id, why), self._upload_dirs, self._bounds,
            viewport=_viewport(found),
        )  # fmt: skip
        session = NotteSession(stage, left=lambda: self._left(request.session_id))
        self._open[request.session_id] = session
        try:
            await (_resumed(stage) if named else _filled(session, stage, request))
        except BaseException:
            await session.close(deadline_s=_STOP_S, keep=bool(named))
            raise
        return session

    def _lost(self, session_id: str, why: str) -> None:
        self._left(session_id)
        self._listener(session_id, why)

    def _left(self, session_id: str) -> None:
        self._open.pop(session_id, None)

    async def close(self, *, deadline_s: float) -> None:
        """Let go of every session, which live on there, and of every connection (see `Engine.close`)."""
        with anyio.CancelScope(shield=True):
            for session in list(self._open.values()):
                await session.close(deadline_s=deadline_s, keep=True)
            clients = list(self._clients.values())
            self._clients.clear()
            async with anyio.create_task_group() as closing:
                for client in clients:
                    closing.start_soon(client.close)


async def _attached(client: NotteClient, remote_id: str) -> RemoteSession:
    found = wire.session_of(await client.get("sessions", remote_id), remote_id)
    if not found.is_live:
        raise SessionNotLive(
            f"The cloud session {remote_id} has ended ({why_ended(found.state, found.close_reason)}).",
            kept="What was recorded of it here is kept, and what the cloud recorded of it is there.",
            next_call=_ANEW,
        )
    return found


async def _started(client: NotteClient, request: OpenRequest) -> RemoteSession:
    try:
        body = await client.post("sessions", "start", body=wire.start_body(request.spec))
    except CloudUnavailable as error:
        if error.done != NOBODY_KNOWS:
            raise
        raise CloudUnavailable(
            error.what, status=error.status, retry_after_s=error.retry_after_s,
            done="A session may have been started in the cloud: nobody uses it, and it ends by its idle limit.",
            next_call="the same call again, which starts another one",
        ) from error  # fmt: skip
    found = wire.session_of(body)
    if not found.remote_id:
        raise CloudError("The Notte API started a session and gave no id for it.", done="It ends by its idle limit.")
    if found.state == "authenticating":
        return await _ready(client, found.remote_id)
    return found


async def _ready(client: NotteClient, remote_id: str) -> RemoteSession:
    """Wait until the cloud has logged it in. Whatever is raised, it is stopped where it has not ended.

    Raises:
        SessionNotLive: the cloud has not. CloudError.
    """
    try:
        found = await _logged_in(client, remote_id)
    except BaseException:
        await _stop(client, remote_id)
        raise
    if found is not None and found.state == "active":
        return found
    if found is None:
        await _stop(client, remote_id)
    raise SessionNotLive(
        f"The cloud did not log the session in (it is {'authenticating' if found is None else found.state}).",
        done="It was stopped.",
        next_call="notte_start without auth_ids, or with other ones",
    )


async def _logged_in(client: NotteClient, remote_id: str) -> RemoteSession | None:
    """How it stands once it is logged in, or has ended; None where neither comes in time."""
    with anyio.move_on_after(_READY_S):
        while True:
            found = wire.session_of(await client.get("sessions", remote_id), remote_id)
            if found.state == "active" or not found.is_live:
                return found
            await anyio.sleep(_ASK_AGAIN_S)
    return None


async def _stop(client: NotteClient, remote_id: str) -> None:
    """End what nobody will use; where the cloud does not hear it, its idle limit does."""
    with anyio.move_on_after(_STOP_S, shield=True), suppress(CloudError):
        await client.delete("sessions", remote_id, "stop", query={"close_reason": "error"}, within_s=_STOP_S)


async def _resumed(stage: Stage) -> None:
    """Where a session that is open already stands."""
    await stage.learn_tabs()
    stage.url, stage.title = stage.tabs[stage.current]
    await stage.ask("place")
    stage.events.clear()


async def _filled(session: NotteSession, stage: Stage, request: OpenRequest) -> None:
    """Give a new session the login state that it starts from."""
    state = request.storage_state or {}
    if cookies := wire.objects(state.get("cookies")):
        await session.set_cookies(cookies)
    if origins := wire.objects(state.get("origins")):
        # A script could put it there, and would stand on the cloud's record with all that it puts.
        stage.events.append(
            f"local storage of {len(origins)} site(s) was not restored: the cloud's API takes cookies only. Where a site asks, "
            'sign in again; a profile of the cloud keeps it ("profile": {"id": "notte-profile-...", "persist": true})'
        )
    spec = request.spec
    for name, asked, most in (
        ("idle_timeout_minutes", spec.idle_timeout_minutes, wire.MAX_IDLE_MINUTES),
        ("max_duration_minutes", spec.max_duration_minutes, wire.MAX_MINUTES),
    ):
        if asked > most:
            stage.events.append(f"{name} is {most} in the cloud, which takes no more")


def _viewport(found: RemoteSession) -> tuple[int, int]:
    size = tuple(found.facts.get(name) for name in ("viewport_width", "viewport_height"))
    return cast("tuple[int, int]", size) if all(isinstance(side, int) for side in size) else (0, 0)
