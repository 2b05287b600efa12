"""Replays: whether there is a video of a session, where, and the video itself.

It is made once the session has ended, of the film that every session of the API has. Its address holds a token of that
session and works without the key, since SDKs fetch it as one that is signed.

Below: calls; app (replays), resources.recorded. Above: routes.
"""

import time
from typing import TYPE_CHECKING, Any, Final

import anyio
from starlette.responses import FileResponse, Response

from notte_mcp.api.calls import ApiCall, ApiRoute, answer
from notte_mcp.api.faults import ApiFault
from notte_mcp.api.moments import moment
from notte_mcp.errors import NothingRecorded, VideoFailed
from notte_mcp.records import LIVE_STATES, SessionRecord
from notte_mcp.resources.recorded import session_subject

if TYPE_CHECKING:
    from notte_mcp.replay.replays import Video

MAKING_S: Final = 8.0
"""How long one request waits for a video that is being made; after that it is `processing`."""

HOLD_S: Final = 3_600
"""How long the address of a video holds."""

_VIDEO: Final = "/replay/video.mp4"


def is_video(path: str) -> bool:
    """Whether this path is a recording's, whose token may stand in its address."""
    return path.endswith(_VIDEO)


async def _replay(call: ApiCall) -> Response:
    record = await call.app.registry.record(call.path("session_id"))
    video = await _video(call, record)
    token = call.keys.viewer_token(record.id, hold_s=HOLD_S)
    return answer(
        {
            "mp4_url": f"{call.base}/sessions/{record.id}{_VIDEO}?token={token}",
            "playlist_content": None,
            "expires_at": moment(time.time() + HOLD_S),
            "video_start_ms": 0,
            "video_duration_ms": round(video.seconds * 1_000),
        }
    )


async def _mp4(call: ApiCall) -> Response:
    record = await call.app.registry.record(call.path("session_id"))
    video = await _video(call, record)
    return FileResponse(video.path, media_type="video/mp4", filename=f"notte-replay-{record.id}.mp4")


async def _video(call: ApiCall, record: SessionRecord) -> "Video":
    """Raises: ApiFault (404): there is none, or none yet; ExtraMissing."""
    if record.state in LIVE_STATES:
        raise _missing(record, f"Session {record.id} is still active.", "waiting_for_session", again=True)
    try:
        subject = await session_subject(call.app, record)
        with anyio.move_on_after(MAKING_S):
            return await call.app.replays.video(subject.name, subject.parts, live=False)
    except NothingRecorded as error:
        raise _missing(record, f"Replay not found: {error.what}", "unavailable", again=False) from error
    except VideoFailed as error:
        raise _missing(record, f"Replay not found: {error.what}", "failed", again=False) from error
    raise _missing(record, "Replay not found: the video is being made.", "processing", again=True)


def _missing(record: SessionRecord, said: str, status: str, *, again: bool) -> ApiFault:
    more: dict[str, Any] = {"session_id": record.id, "replay_status": status, "retryable": again}
    return ApiFault(404, said, more=more)


ROUTES: Final = (
    ApiRoute("GET", "/sessions/{session_id}/replay", _replay),
    ApiRoute("GET", f"/sessions/{{session_id}}{_VIDEO}", _mp4, shown=True),
)
