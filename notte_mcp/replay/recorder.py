"""A session's recorder: which of the painted frames are kept, and when there are enough.

Near a step many are kept, long after one few; the state that a step left is kept whatever the pace. An allowance that
grows with time bounds the bytes of a page that never stops repainting, so that an hour of it fits into the film. Where
the film, its time or the disk is full, recording stops, says so once, and goes on where that can be.

Below: reel, marks, frames. Above: registry.camera (which is what gives it frames).
"""

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import anyio

from notte_mcp.frames import Frame
from notte_mcp.logs import Log
from notte_mcp.replay.marks import Pause
from notte_mcp.replay.reel import Reel

NEAR_S: Final = 3.0
"""How long before and after them a step's begin and end is near."""

PAINTED_S: Final = 0.06
"""How long after its end what a step did has been painted; the next step may begin before."""

OWED_S: Final = 0.5
"""So long after a step's end what it left is wanted at the latest, however fast others follow."""

CALM_S: Final = 60.0
"""After so long without a step little is expected to happen."""

EVERY_S: Final = (0.2, 1.0, 5.0)
"""How often a frame is kept at most: near a step, later, and when it has long been calm."""

LAST_FRAMES: Final = 0.8
"""From this part of the film's bytes on, one frame a step is kept and no other."""

AT_ONCE: Final = 0.1
"""This part of the film's bytes may be used at any pace; the rest is meant for an hour."""

LOOK_S: Final = (10.0, 5.0)
"""How often room on the disk is looked for: while there is some, and while there is none."""

_HOUR_S: Final = 3_600
_MOMENT_S: Final = 1.0

log = Log("replay")


@dataclass(frozen=True, slots=True)
class Recording:
    """How sessions are filmed: bytes of a film, seconds of a session's life that are.

    `shortage` says why nothing more may be kept on the disk ("": it may). `over` is told the id of each session with
    a film, once it has ended.
    """

    max_bytes: int = 60_000_000
    max_s: float = 7_200
    shortage: Callable[[], Awaitable[str]] | None = None
    over: Callable[[str], None] | None = None


class Recorder:
    """See the module. A frame listener that never waits. `stirred` is called when it wants frames sooner than it said,
    or no more; `tell` is told, once, why it stops.
    """

    def __init__(
        self,
        folder: Path,
        how: Recording,
        *,
        stirred: Callable[[], object],
        tell: Callable[[str], None],
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._folder = folder
        self._now = now
        self._how = how
        self._stirred = stirred
        self._tell = tell
        self._reel: Reel | None = None
        self._begun = self._near = self._earned_at = now()
        self._allowance = how.max_bytes * AT_ONCE
        self._due = 0.0
        self._held: Frame | None = None
        self._kept: bytes = b""
        self._owed = self._acting = False
        self._owed_at = self._ended = 0.0
        self._kept_at = float("-inf")
        self._paid = anyio.Event()
        self._pause: Pause | None = None
        self._is_over = False
        self._woken = anyio.Event()

    # --- what it wants --------------------------------------------------------------

    @property
    def wants(self) -> bool:
        """Whether it keeps any frame at present."""
        return self._pause is None and not self._is_over

    @property
    def frames(self) -> int:
        """The frames of the film so far."""
        return 0 if self._reel is None else self._reel.count

    @property
    def dropped(self) -> int:
        """Frames that the disk was too slow for."""
        return 0 if self._reel is None else self._reel.dropped

    def __call__(self, frame: Frame) -> float:
        """Keep it, hold it, or let it go; gives for how many seconds it wants no other."""
        now = self._now()
        if not self._may_go_on(now):
            return EVERY_S[-1]
        self._held = frame
        if frame.asked or now >= self._due or (self._owed and self._shows(now)):
            self._keep(now)
        else:
            self._woken.set()  # to be kept later, if no other comes first
        return max(self._due - self._now(), 0)

    def begun(self) -> None:
        """A step begins. What was held is what there was before it."""
        self._acting = True
        if self._held is not None:
            self._keep(self._now())
        self._quicken()

    def settled(self) -> None:
        """A step is over: what it left is to be seen."""
        self._acting = False
        self._ended = self._now()
        if not self._owed:
            self._owed, self._owed_at = True, self._ended
            self._paid = anyio.Event()
        self._quicken()

    def _shows(self, now: float) -> bool:
        """Whether a frame of now shows what the last step left, or as much as there will be of it."""
        return self._acting or now >= self._ended + PAINTED_S

    @property
    def left(self) -> float:
        """Seconds until a frame is wanted; steps that follow one another fast have one together."""
        now = self._now()
        if not self._owed:
            return self._due - now
        wanted = min(self._ended + PAINTED_S, self._owed_at + OWED_S)
        return max(wanted, self._kept_at + EVERY_S[0]) - now

    async def painted(self) -> None:
        """Come back when the last step's outcome is on the screen."""
        await anyio.sleep(max(self._ended + PAINTED_S - self._now(), 0))

    @property
    def owes(self) -> bool:
        """Whether what a step left a moment ago is yet to be kept."""
        return self._owed and self.wants and self._now() - self._near < _MOMENT_S

    async def outcome(self) -> None:
        """Come back when it is."""
        await self._paid.wait()

    def _quicken(self) -> None:
        self._near = now = self._now()
        if not self.wants:
            return
        due = min(self._due, now + self._pace(now))
        if self._owed or due < self._due:
            self._due = due
            self._stirred()

    def _pace(self, now: float) -> float:
        """Seconds from one frame that is kept to the next."""
        near, calm, still = EVERY_S
        largest, earned_a_s = self._how.max_bytes * AT_ONCE, self._how.max_bytes * (LAST_FRAMES - AT_ONCE) / _HOUR_S
        self._allowance = min(self._allowance + (now - self._earned_at) * earned_a_s, largest)
        self._earned_at = now
        since = now - self._near
        if self._reel is not None and self._reel.size > self._how.max_bytes * LAST_FRAMES:
            return _HOUR_S
        if self._allowance <= 0 or since > CALM_S:
            return max(still, -self._allowance / earned_a_s)
        return near if since <= NEAR_S else calm

    # --- keeping --------------------------------------------------------------------

    def _keep(self, now: float) -> None:
        frame, self._held = self._held, None
        if frame is None:
            return
        self._due = now + self._pace(now)
        self._kept_at = now
        if self._owed and self._shows(now):
            self._owed = False
            self._paid.set()
        if frame.jpeg == self._kept:
            return
        if self._reel is None:
            self._reel = Reel(self._folder, max_bytes=self._how.max_bytes, paused=self._full)
        if self._reel.put(frame):
            self._kept = frame.jpeg
            self._allowance -= len(frame.jpeg)

    def _may_go_on(self, now: float) -> bool:
        if not self.wants:
            return False
        why = ""
        if self._reel is not None and self._reel.is_full:
            why = f"the film holds {self._how.max_bytes:,} bytes (max_replay_bytes)."
        elif now - self._begun > self._how.max_s:
            why = f"{self._how.max_s / 60:g} minutes were filmed (max_replay_minutes)."
        if why:
            self._is_over = True
            self._stop(why)
        return not why

    def _full(self, why: str) -> None:
        """The disk did not take a frame."""
        self._stop(f"the disk does not take it ({why}).")

    def _stop(self, why: str) -> None:
        if self._pause is not None:
            return
        self._held = None
        self._pause = Pause(time.time(), why)
        log.warning("recording.stopped", folder=self._folder.name, why=why)
        if self._reel is not None:
            self._reel.pause(self._pause)
        self._paid.set()
        self._tell(f"recording stopped, the session goes on: {why}")
        self._woken.set()
        self._stirred()

    # --- beside the session -----------------------------------------------------------

    async def watch_room(self) -> None:
        """Keep what is held once its time has come, and look for room on the disk, as long as the session lives."""
        look_at = self._now() + LOOK_S[0]
        while True:
            self._woken = anyio.Event()
            until = look_at if self._held is None else min(look_at, self._due)
            with anyio.move_on_after(max(until - self._now(), 0)):
                await self._woken.wait()
            now = self._now()
            if self._held is not None and now >= self._due and self._may_go_on(now):
                self._keep(now)
            if now >= look_at or (self._pause is not None and look_at > now + LOOK_S[1]):
                if now >= look_at:
                    await self._look()
                look_at = self._now() + LOOK_S[self._pause is not None]

    async def _look(self) -> None:
        if self._is_over:
            return
        short = await self._how.shortage() if self._how.shortage is not None else ""
        if short:
            self._stop(short)
        elif self._pause is not None:
            self._go_on(self._pause)

    def _go_on(self, pause: Pause) -> None:
        """There is room again, as it seems."""
        self._pause = None
        if self._reel is not None:
            self._reel.wind_on()
            self._reel.pause(Pause(pause.since, pause.why, time.time()))
        self._stirred()

    async def close(self, *, within_s: float) -> None:
        """The film is written and closed, in `within_s` at most; nothing more is kept."""
        self._is_over = True
        self._held = None
        self._paid.set()
        if self._reel is not None:
            await self._reel.close(within_s=within_s)
            if self._reel.dropped:
                log.warning("frames.dropped", folder=self._folder.name, count=self._reel.dropped)
