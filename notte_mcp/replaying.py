"""`notte-mcp replay`: the player and the video of a session or an agent, as files for a person.

Records and films are readable by all, so it needs no word with the server that has the session live, and takes nothing
from it. Paths go to stdout, one a line; whatever else is to be said, to stderr.

Exit codes: 0 done, 1 there is no such replay, or it cannot be written where it was asked for. Below: resources, app.
Above: commands.
"""

import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

import anyio

from notte_mcp import logs
from notte_mcp.errors import ExtraMissing, NotteMCPError, UnknownAgent, UnknownSession, VideoFailed
from notte_mcp.ids import is_agent_id, is_session_id

if TYPE_CHECKING:
    from notte_mcp.app import App
    from notte_mcp.resources.recorded import Subject

DONE: Final = 0
FAILED: Final = 1


Opener = Callable[[], "AbstractAsyncContextManager[App]"]


def run(openers: Sequence[Opener], of: str, *, out: Path | None, show: bool) -> int:
    """Make the replay of what has the id `of`, looked for in one state folder after the other; gives the exit code.

    `out` is a file that it is written to, and its suffix says what; `show` opens the player in the person's browser.
    """
    logs.configure("error")  # what a person is to hear of it is said in sentences
    try:
        return anyio.run(_run, openers, of, out, show)
    except NotteMCPError as error:
        _say(error.what)
    except OSError as error:
        _say(f"{error.filename or out or 'The replay'} cannot be written: {error.strerror or error}.")
    return FAILED


async def _run(openers: Sequence[Opener], of: str, out: Path | None, show: bool) -> int:  # noqa: FBT001 - from anyio.run
    for opener in openers if is_session_id(of) or is_agent_id(of) else ():
        async with opener() as app:
            try:
                subject = await _subject(app, of)
            except (UnknownSession, UnknownAgent):
                continue
            paths = await (_written(app, subject, out) if out is not None else _made(app, subject))
        if subject.live:
            _say(f"{of} still goes on; this is what there is of it so far.")
        print("\n".join(map(str, paths)), flush=True)
        return _show(paths[0]) if show else DONE
    _say(f"No session or agent has the id {of!r}; `notte-mcp sessions` lists the sessions that are kept.")
    return FAILED


async def _subject(app: "App", of: str) -> "Subject":
    from notte_mcp.resources import recorded

    if is_agent_id(of):
        return await recorded.agent_subject(app, await app.agents.record(of))
    return await recorded.session_subject(app, await app.registry.record(of))


async def _made(app: "App", subject: "Subject") -> list[Path]:
    """The player, and the video where one can be made."""
    video: list[Path] = []
    try:
        video = [await _video(app, subject)]
    except (ExtraMissing, VideoFailed) as error:
        _say(error.what)
    return [await _player(app, subject), *video]


async def _written(app: "App", subject: "Subject", out: Path) -> list[Path]:
    make = _video if out.suffix.lower() == ".mp4" else _player
    if not await anyio.to_thread.run_sync(out.parent.is_dir):
        raise NotADirectoryError(0, "there is no such folder", str(out.parent))
    made = await make(app, subject)
    await anyio.to_thread.run_sync(_copy, made, out)
    return [out]


async def _player(app: "App", subject: "Subject") -> Path:
    lines, heading = subject.lines, subject.heading
    return await app.replays.player(subject.name, subject.parts, lines=lines, heading=heading, live=subject.live)


async def _video(app: "App", subject: "Subject") -> Path:
    return (await app.replays.video(subject.name, subject.parts, live=subject.live)).path


def _copy(made: Path, out: Path) -> None:
    """Whole, or not at all. Raises: OSError, with the name that was asked for."""
    name = ""
    try:
        descriptor, name = tempfile.mkstemp(dir=out.parent, prefix=f".{out.name}-")
        with os.fdopen(descriptor, "wb") as copy, made.open("rb") as source:
            shutil.copyfileobj(source, copy)
        Path(name).replace(out)
    except OSError as error:
        with suppress(OSError):
            Path(name).unlink(missing_ok=True)
        raise OSError(error.errno, error.strerror, str(out)) from error


def _show(path: Path) -> int:
    import webbrowser

    if webbrowser.open(path.absolute().as_uri()):
        return DONE
    _say(f"No browser could be opened; the player is the file {path}.")
    return FAILED


def _say(text: str) -> None:
    print(f"notte-mcp: {text}", file=sys.stderr)
