"""What was filmed of a session or an agent: a picture of each step, the video, and the player with its log.

A video or a player lies in a file beside its film, and is given as that; longer ones than an answer carries in parts,
which are the file when they are put together. An agent has its share of its sessions' films.

Below: registry, agents, replay.replays, elsewhere, log, content. Above: sessions, agents, and the CLI.
"""

from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import anyio
import anyio.to_thread

from notte_mcp.agent_records import AgentRecord
from notte_mcp.errors import InvalidArgument, NothingRecorded, StillMaking, UnknownResource
from notte_mcp.records import LIVE_STATES, SessionRecord, StepRecord
from notte_mcp.resources import elsewhere
from notte_mcp.resources.address import Place, part_of, step_number
from notte_mcp.resources.content import HTML, JPEG, MAX_BYTES, MP4, Content, Piece, unknown
from notte_mcp.resources.log import agent_log, session_log
from notte_mcp.resources.log_json import agent_line, session_line
from notte_mcp.resources.records_json import agent_json, session_json

if TYPE_CHECKING:
    from notte_mcp.app import App
    from notte_mcp.replay.replays import Part

QUERY: Final = ("part",)

MAKING_S: Final = 38.0
"""How long a video may be waited for: hosts cut a call at 60 s, and ours end at 44."""

MAX_STEPS: Final = 10_000
"""Steps that a replay has; a session that lives for hours stays below."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What a replay is of: its id, each session's share, and what stands above and beside the film."""

    name: str
    parts: "Sequence[Part]"
    live: bool
    heading: Mapping[str, Any]
    lines: Sequence[Mapping[str, Any]]


async def of_session(
    app: "App", uri: str, record: SessionRecord, path: Sequence[str], query: Mapping[str, str]
) -> Content:
    """What stands at `notte://sessions/{id}/...` of it.

    Raises: UnknownResource: there is nothing, or no such step; InvalidArgument; NothingRecorded, ExtraMissing.
    """
    match path:
        case ["steps", n, "screenshot"]:
            number = step_number(uri, n)
            steps = await app.registry.steps(record.id, after=number - 1, limit=1)
            return await _picture(app, uri, number, steps[0] if steps and steps[0].number == number else None)
        case ["replay" | "replay.html" as form]:
            part = part_of(uri, query)
            if form == "replay" and (theirs := await elsewhere.replay(app, uri, record)) is not None:
                return _part(theirs, part)
            return await _film(app, uri, form, await session_subject(app, record), part)
        case _:
            raise unknown(uri)


async def of_agent(app: "App", uri: str, record: AgentRecord, path: Sequence[str], query: Mapping[str, str]) -> Content:
    """What stands at `notte://agents/{id}/...` of it, by the agent's own numbers. Raises: as `of_session`."""
    match path:
        case ["steps", n, "screenshot"]:
            number = step_number(uri, n)
            steps = await app.agents.steps(record.id, after=number - 1, limit=1)
            return await _picture(app, uri, number, steps[0] if steps and steps[0].agent_step == number else None)
        case ["replay" | "replay.html" as form]:
            part = part_of(uri, query)
            return await _film(app, uri, form, await agent_subject(app, record), part)
        case _:
            raise unknown(uri)


# --- what a replay is of ----------------------------------------------------------


async def session_subject(app: "App", record: SessionRecord) -> Subject:
    """A session, whole. Raises: NothingRecorded: it was not to be filmed."""
    from notte_mcp.replay.replays import Part  # late: no other reading needs it

    _require_film(record.id, "sessions", filmed=record.spec.record)
    log = await session_log(app, record, Place(), limit=MAX_STEPS)
    steps = [line.what for line in log.lines if isinstance(line.what, StepRecord)]
    lines = [session_line(line, filmed=True) for line in log.lines]
    parts = [Part(app.registry.folder(record.id), steps)]
    return Subject(record.id, parts, record.state in LIVE_STATES, session_json(record), lines)


async def agent_subject(app: "App", record: AgentRecord) -> Subject:
    """An agent: of each session of its attempts the time that it had it. Raises: NothingRecorded."""
    from notte_mcp.replay.replays import Part

    _require_film(record.id, "agents", filmed=record.spec.session.record)
    log = await agent_log(app, record, Place(), limit=MAX_STEPS)
    steps = [line.what for line in log.lines if isinstance(line.what, StepRecord)]
    lines = [agent_line(line, filmed=True) for line in log.lines]
    sessions = list(dict.fromkeys([*(step.session_id for step in steps), record.session_id]))
    shares = [[step for step in steps if step.session_id == one] for one in sessions]
    # An attempt goes on until the next one begins; what came before an agent, or after it, is not its work.
    begins = [share[0].started_at if share else record.updated_at for share in shares]
    bounds = [record.created_at, *begins[1:], None if record.is_live else record.ended_at or record.updated_at]
    parts = [
        Part(app.registry.folder(one), share, since=since, until=until, by_agent=True)
        for one, share, (since, until) in zip(sessions, shares, pairwise(bounds), strict=True)
    ]
    return Subject(record.id, parts, record.is_live, agent_json(record), lines)


def _require_film(name: str, kind: str, *, filmed: bool) -> None:
    if not filmed:
        raise NothingRecorded(
            f'Nothing was filmed of {name}: it was started without recording (notte_start(session={{"record": true}}), or '
            "NOTTE_MCP_RECORD=1, films).",
            done="",
            next_call=f'notte_read(uri="notte://{kind}/{name}/steps?format=text") tells what was done',
        )


# --- what is given ----------------------------------------------------------------


async def _picture(app: "App", uri: str, number: int, step: StepRecord | None) -> Content:
    """A step's picture; `number` is what it was asked by."""
    from notte_mcp.replay.replays import Part

    whose = uri.split("/steps/", 1)[0]
    if step is None:
        raise UnknownResource(
            f"There is no step {number} at {whose}.", done="", next_call=f'notte_read(uri="{whose}/steps?format=text")'
        )
    if step.state == "intended":
        raise NothingRecorded(
            f"Step {number} is in flight, and has its picture with its outcome.",
            done="",
            next_call=f'notte_status(id="{step.session_id}", wait_seconds=10)',
        )
    # The steps before and after it bound the time that its picture is of.
    around = await app.registry.steps(step.session_id, after=max(0, step.number - 2), limit=3)
    part = Part(app.registry.folder(step.session_id), around)
    with _naming_log(whose):
        body = await app.replays.picture(part, step)
    return Content(uri, f"step {number}", JPEG, body)


async def _film(app: "App", uri: str, form: str, subject: Subject, part: int | None) -> Content:
    """The video, or the player; of what is live, what there is so far."""
    with _naming_log(uri.split("/replay", 1)[0]), anyio.move_on_after(MAKING_S):
        return _part(await (_video if form == "replay" else _player)(app, uri, subject), part)
    raise StillMaking(
        f"The {form} of {subject.name} is still being made.", done="", next_call=f'notte_read(uri="{uri}") in a minute'
    )


@contextmanager
def _naming_log(whose: str) -> Generator[None]:
    """Whose film is not there has a log still, which is the next thing to read."""
    try:
        yield
    except NothingRecorded as error:
        again = f'notte_read(uri="{whose}/steps?format=text") tells what was done'
        raise NothingRecorded(error.what, done="", kept=error.kept, next_call=error.next_call or again) from error


async def _video(app: "App", uri: str, of: Subject) -> Content:
    video = await app.replays.video(of.name, of.parts, live=of.live)
    about = {"seconds": round(video.seconds, 1), **({"live": True} if of.live else {})}
    return Content(uri, "replay", MP4, Piece(video.path, 0, video.size), about)


async def _player(app: "App", uri: str, of: Subject) -> Content:
    path = await app.replays.player(
        of.name, of.parts, lines=of.lines, heading=of.heading, live=of.live, max_bytes=MAX_BYTES
    )
    size = (await anyio.to_thread.run_sync(path.stat)).st_size
    return Content(uri, "replay.html", HTML, Piece(path, 0, size), {"live": True} if of.live else {})


def _part(content: Content, part: int | None) -> Content:
    """A file, told in how many parts it comes, or the part that is asked for. Raises: InvalidArgument: it has no such."""
    path, size = (content.body.path, content.size) if isinstance(content.body, Piece) else (Path(), 0)
    parts = max(1, -(-size // MAX_BYTES))
    told = {**content.about, "parts": parts}
    if part is None:
        return replace(content, about=told)
    if part > parts:
        raise InvalidArgument(
            f"{content.name} has {parts} part{'s' if parts > 1 else ''}, and none is number {part}.",
            next_call=f"{content.uri.split('?', 1)[0]}?part={parts}",
        )
    begin = (part - 1) * MAX_BYTES
    body = Piece(path, begin, min(MAX_BYTES, size - begin))
    told |= {"part": part, "whole_size": size}
    return replace(content, name=f"{content.name}, part {part} of {parts}", body=body, about=told)
