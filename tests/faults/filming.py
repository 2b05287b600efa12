"""What happens while a session is filmed: the disk fills, the server or the browser is killed, a page never stops painting.

The session and its steps go on as if there was no film, and the film is there up to the moment, picture by picture.
Below: disk, talk, ward, fault, notte_mcp.replay. Above: table.
"""

import statistics
from pathlib import Path
from typing import Any, Final

import anyio

from notte_mcp.replay import film, marks
from notte_mcp.replay.film import Shot
from tests.faults.disk import fill, small_disk
from tests.faults.fault import Counts, Fault, Tally
from tests.faults.grounds import Grounds
from tests.faults.talk import NoAnswer, Talk
from tests.faults.ward import ward

FILMED: Final = {"NOTTE_MCP_RECORD": "1", "NOTTE_MCP_MIN_FREE_BYTES": "20000000"}
"""The servers of these faults film, and keep 20 MB free."""

CAP: Final = 60_000_000
"""Bytes of a film, as the settings have it."""

_LEFT: Final = 6_000_000
_SOON_S: Final = 25.0
_PAINT_S: Final = 12.0
_MIB: Final = 1_000_000

_PAINTING: Final = """
const c = document.createElement('canvas'); c.width = 1000; c.height = 500; document.body.prepend(c);
const g = c.getContext('2d'); let n = 0;
const paint = () => { for (let i = 0; i < 60; i++) { g.fillStyle = `hsl(${(n * 7 + i * 6) % 360} 80% 50%)`;
  g.fillRect((i % 10) * 100, Math.floor(i / 10) * 84, 100, 84); g.fillStyle = '#000';
  g.fillText(String(n + i), (i % 10) * 100 + 20, Math.floor(i / 10) * 84 + 40); } n++; requestAnimationFrame(paint); };
paint();
"""


async def disk_full(grounds: Grounds, times: int, tally: Tally) -> None:
    """The disk has less left than is to stay free, then nothing, then room again."""
    with small_disk(grounds) as disk:
        if disk is None:
            return tally.note("not tried (no mount)")
        for _ in range(times):
            with grounds.server(**FILMED) as wire:
                talk = Talk(wire)
                session, folder = await _begin(talk, grounds)
                filler = fill(disk)
                with filler.open("r+b") as file:
                    file.truncate(filler.stat().st_size - _LEFT)
                told = await _told(talk, session)
                tally.expect(told == 1, f"the end of the film was told {told} times")
                there = film.shots(folder)
                tally.expect(await _step(talk, session), "a step was not done when the film had stopped")
                tally.expect(film.shots(folder) == there, "the film grew without room")
                tally.expect("Nothing was recorded from" in marks.ended(folder), f"ended: {marks.ended(folder)!r}")
                filler.unlink()
                went_on = await _until_more(talk, session, folder, than=len(there))
                tally.expect(went_on, "the film did not go on once there was room")
                _readable(folder, tally, "after a full disk")
                tally.expect(film.shots(folder)[: len(there)] == there, "frames from before were lost")
                await talk.call("notte_stop", id=session)
    return None


async def killed(grounds: Grounds, times: int, tally: Tally) -> None:
    """SIGKILL the server while it films; the session is restored by the next one and goes on in its film."""
    session, before = "", list[Shot]()
    for number in range(times + 1):
        with grounds.server(**FILMED) as wire:
            talk = Talk(wire)
            if session:
                folder = grounds.state / "sessions" / session
                before = _readable(folder, tally, f"kill {number}")
                await talk.call("notte_start", session_id=session)
                more = await _until_more(talk, session, folder, than=len(before))
                tally.expect(more, f"kill {number}: the restored session did not go on in its film")
                tally.expect(film.shots(folder)[: len(before)] == before, f"kill {number}: frames were lost")
            else:
                session, folder = await _begin(talk, grounds)
            if number == times:
                await talk.call("notte_stop", id=session)
                tally.note("frames", len(_readable(folder, tally, "at the end")))
                return
            async with anyio.create_task_group() as group:
                group.start_soon(_steps_until_the_end, talk, session)
                await anyio.sleep(0.3 + 0.17 * number)  # into the middle of it: no event tells of that
                wire.process.kill()


async def browser_killed(grounds: Grounds, times: int, tally: Tally) -> None:
    """SIGKILL the browser while it is filmed; what there is plays, and goes on once the session is restored."""
    async with ward(grounds, tally, **FILMED) as here:
        for number in range(times):
            session = await here.admit("/form.html", own_browser=True)
            folder = grounds.state / "sessions" / session
            tally.expect(await _until_more(here.talk, session, folder, than=1), f"{number}: nothing was filmed")
            assert here.browser is not None
            here.browser.kill()
            await here.told(session)
            before = _readable(folder, tally, f"browser {number}")
            await here.must("notte_start", session_id=session)
            more = await _until_more(here.talk, session, folder, than=len(before))
            tally.expect(more, f"{number}: the restored session did not go on in its film")
            await here.stopped()


async def repainting(grounds: Grounds, times: int, tally: Tally) -> None:
    """A page that paints 60 times a second: beside clicks, then by itself; and the same clicks without a film."""
    async with ward(grounds, tally, **FILMED) as here:
        for _ in range(times):
            took: dict[bool, float] = {}
            for record in (True, False):
                session = await here.admit("/form.html", own_browser=True, record=record)
                await here.act({"type": "evaluate_js", "code": _PAINTING})
                took[record] = statistics.median([(await here.act(_HOVER, observe="none")).seconds for _ in range(10)])
                if record:
                    await _rate(grounds.state / "sessions" / session, tally)
                await here.stopped()
            tally.most("ms an action, filmed", round(took[True] * 1_000))
            tally.most("ms an action, not filmed", round(took[False] * 1_000))
            slower = took[True] / took[False]
            tally.expect(slower < 2, f"an action took {slower:.1f} times as long beside a film")


_HOVER: Final[dict[str, Any]] = {"type": "hover", "selector": "#applicant"}


async def _rate(folder: Path, tally: Tally) -> None:
    """How much a minute of it takes, and what an hour would, were all of it as near to a step as this."""
    size = _size(folder)
    await anyio.sleep(_PAINT_S)
    grown = _size(folder) - size
    tally.most("kB a minute at most", round(grown * 60 / _PAINT_S / 1_000))
    still = max((shot.size for shot in film.shots(folder)), default=0) * 3_600 / 5
    # A minute at one frame a second, then one in five seconds, and no more than the allowance of an hour.
    hour = size + 60 * grown / _PAINT_S + min(still, 0.7 * CAP)
    tally.most("MB an hour, extrapolated", round(hour / _MIB))
    tally.expect(hour <= CAP, f"an hour of it would be {hour / _MIB:.0f} MB")
    tally.expect(grown > 0, "it was not filmed")


async def _begin(talk: Talk, grounds: Grounds) -> tuple[str, Path]:
    """A filmed session on a form, and its folder, once there are frames."""
    session = str((await talk.call("notte_start", url=grounds.site.url("/form.html"))).facts["session_id"])
    folder = grounds.state / "sessions" / session
    assert await _until_more(talk, session, folder, than=1), "nothing was filmed"
    return session, folder


async def _step(talk: Talk, session: str, value: str = "Ada") -> bool:
    action = {"type": "fill", "selector": "#applicant", "value": value}
    return not (await talk.call("notte_execute", session_id=session, actions=[action], observe="none")).is_error


async def _steps_until_the_end(talk: Talk, session: str) -> None:
    for number in range(1_000):
        try:
            await _step(talk, session, f"Ada {number}")
        except NoAnswer:
            return


async def _until_more(talk: Talk, session: str, folder: Path, *, than: int) -> bool:
    """Whether the film has more frames soon, while steps are done."""
    with anyio.move_on_after(_SOON_S):
        number = 0
        while len(film.shots(folder)) <= than:
            number += 1
            await _step(talk, session, f"Brew {number}")
        return True
    return False


async def _told(talk: Talk, session: str) -> int:
    """How often it was told that recording stopped, until a moment after the first time."""
    told = 0
    with anyio.move_on_after(_SOON_S) as waiting:
        while True:
            action = {"type": "fill", "selector": "#applicant", "value": f"Ada {told}"}
            said = await talk.call("notte_execute", session_id=session, actions=[action])
            told += said.text.count("recording stopped")
            if told and waiting.deadline > anyio.current_time() + 7:
                waiting.deadline = anyio.current_time() + 7
    return told


def _readable(folder: Path, tally: Tally, where: str) -> list[Shot]:
    """The frames of a film; each has to be a whole picture."""
    shots = film.shots(folder)
    pictures = [film.jpeg(folder, shot) for shot in shots]
    broken = sum(not (one.startswith(b"\xff\xd8") and one.endswith(b"\xff\xd9")) for one in pictures)
    tally.expect(shots, f"{where}: there is no film")
    tally.expect(not broken, f"{where}: {broken} of {len(shots)} frames are no pictures")
    return shots


def _size(folder: Path) -> int:
    shots = film.shots(folder)
    return shots[-1].offset + shots[-1].size if shots else 0


FAULTS: Final = (
    Fault(
        "film-disk-full",
        ("P3", "P10"),
        "the disk fills while a session is filmed, and has room again: the session goes on, the film too",
        disk_full,
        Counts(0, 1, 20),
        seconds=120,
    ),
    Fault(
        "film-kills",
        ("P3",),
        "SIGKILL to a server that films, over and over: each film reads to its end, and the restored session goes on in it",
        killed,
        Counts(0, 3, 60),
        seconds=120,
    ),
    Fault(
        "film-browser-killed",
        ("P3", "P4"),
        "SIGKILL to a browser that is filmed",
        browser_killed,
        Counts(0, 2, 40),
        seconds=90,
    ),
    Fault(
        "film-repaint",
        ("P4", "P6", "P10"),
        "a page that paints 60 times a second, filmed: bytes an hour, and actions beside it",
        repainting,
        Counts(0, 1, 10),
        seconds=120,
    ),
)
