"""The timeline: which shot is shown for how long, so that each step is seen and nobody waits for nothing to happen.

A step is shown as the page was before it, with its element and the pointer, and then with what came of it. In between
the frames go at their own pace; a stretch in which only time passes is cut short, and says how long it was. Sessions
follow one another as parts do. What would be longer than `MAX_MS` is played faster.

Pure: values in, values out, the same each time. Below: pictures, film, records. Above: storyboard, replays.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from notte_mcp.records import StepRecord
from notte_mcp.replay import pictures
from notte_mcp.replay.film import Shot
from notte_mcp.replay.parts import Mark
from notte_mcp.replay.pictures import Pointed

MAX_MS: Final = 600_000
"""Milliseconds that a whole replay takes at most (with a few more where there are very many steps)."""

BEFORE_MS: Final = 400
AFTER_MS: Final = 450
"""How long a step's two pictures are shown."""

LAST_MS: Final = 900
"""How long the last picture stays."""

LONG_MS: Final = 1_000
SHORT_MS: Final = 600
"""A stretch without a step that is longer than the one is shown as long as the other."""

SHORT_FRAMES: Final = 2
"""Pictures of a stretch that was cut short."""

LEAST_MS: Final = 120
"""How long a picture is shown at least, where it is not a step's own."""

LATER_S: Final = 2.0
"""From how many seconds on a cut says so."""


@dataclass(frozen=True, slots=True)
class Reel:
    """A part as the timeline takes it: its shots in order, its steps in order, and what is shown of them (Unix s)."""

    shots: Sequence[Shot]
    steps: Sequence[StepRecord]
    since: float | None = None
    until: float | None = None


@dataclass(frozen=True, slots=True)
class Scene:
    """One picture: which shot of which part, for how many milliseconds, and the moment it stands for (Unix seconds).

    `step` is the index of the part's last step that had begun; `begins` where it begins here, `pointed` what is marked.
    `note` tells of time that was left out.
    """

    part: int
    shot: int
    ms: int
    clock: float
    step: int | None = None
    begins: bool = False
    shows: bool = False
    """Whether this is the picture that the step is known by."""
    pointed: Pointed | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Timeline:
    """The scenes in order, when each step is seen in them, and how many milliseconds they take together."""

    scenes: Sequence[Scene]
    marks: Sequence[Mark]
    ms: int


def lay_out(reels: Sequence[Reel]) -> Timeline:
    """The timeline of parts one after the other; one without a film is passed over, and its steps have no mark."""
    scenes: list[Scene] = []
    for number, reel in enumerate(reels):
        if not reel.shots:
            continue
        own = list(_Cutting(number, reel).scenes())
        if scenes and (gap := later(own[0].clock - scenes[-1].clock)):
            own[0] = replace(own[0], note=own[0].note or gap)
        scenes += own
    scenes = list(_joined(_bounded(scenes)))
    return Timeline(scenes, list(_marks(scenes, reels)), sum(scene.ms for scene in scenes))


def later(seconds: float) -> str:
    """`12 s later`; "" where it is hardly worth a word."""
    if seconds < LATER_S:
        return ""
    for unit, name in ((86_400, "days"), (3_600, "h"), (60, "min")):
        if seconds >= 2 * unit:
            return f"{seconds / unit:.0f} {name} later"
    return f"{seconds:.0f} s later"


class _Cutting:
    """The scenes of one part."""

    def __init__(self, part: int, reel: Reel) -> None:
        self._part = part
        self._reel = reel
        self._times = pictures.times(reel.shots)
        self._seen = 0

    def scenes(self) -> Iterator[Scene]:
        spans = self._spans()
        first, last = self._edges(spans)
        at, current = first, None
        for index, (begin, end) in enumerate(spans):
            yield from self._passing(at, begin, current, opening=index == 0)
            yield from self._step(index, begin, end)
            at, current = end, index
        yield from self._passing(at, max(last, at), current, opening=not spans)
        yield self._scene(max(last, at), LAST_MS, current)

    def _spans(self) -> list[tuple[float, float]]:
        """From when to when each step is (Unix seconds), none before the one in front of it is over."""
        spans: list[tuple[float, float]] = []
        least = float("-inf")
        for index, step in enumerate(self._reel.steps):
            begin = max(pictures.begun(step), least)
            end = self._times[-1] if step.ended_at is None else step.ended_at + pictures.SETTLES_S
            if (following := self._following(index)) is not None:
                end = min(end, pictures.begun(following))
            least = max(begin, end)
            spans.append((begin, least))
        return spans

    def _following(self, index: int) -> StepRecord | None:
        return self._reel.steps[index + 1] if index + 1 < len(self._reel.steps) else None

    def _edges(self, spans: Sequence[tuple[float, float]]) -> tuple[float, float]:
        """From when to when the film is shown: what is asked for, and the steps whatever is."""
        since = self._times[0] if self._reel.since is None else self._reel.since
        until = self._times[-1] if self._reel.until is None else min(self._reel.until, self._times[-1])
        if spans:
            since, until = min(since, spans[0][0]), max(until, spans[-1][1])
        return since, max(since, until)

    def _step(self, index: int, begin: float, end: float) -> Iterator[Scene]:
        """Before, in between at its pace, and after."""
        step = self._reel.steps[index]
        gone = pictures.shows_before(step)
        known = pictures.shot_of(self._times, self._reel.steps, index)
        before = self._scene(begin, BEFORE_MS, index)
        if gone:
            before = replace(before, shot=known)
        yield replace(before, begins=True, shows=gone, pointed=self._pointed(step, before.shot))
        for scene in self._passing(begin, end, index):
            # What stood where the page was is not to be marked on the next one.
            yield scene if pictures.led_away(step) else replace(scene, pointed=self._pointed(step, scene.shot))
        if gone:
            yield self._scene(end, AFTER_MS, index)
        else:
            after = replace(self._scene(end, AFTER_MS, index), shot=known, shows=True)
            yield replace(after, pointed=self._pointed(step, known))
        # A film does not go back, though this step's picture may have been made after the next one had begun.
        self._seen = max(self._seen, known)

    def _pointed(self, step: StepRecord, shot: int) -> Pointed | None:
        return pictures.pointed(step, self._reel.shots[shot].viewport)

    def _passing(self, start: float, end: float, step: int | None, *, opening: bool = False) -> Iterator[Scene]:
        """What is painted between two moments: at its own pace, or cut short where it takes long."""
        stretch = round((end - start) * 1_000)
        if stretch <= 0:
            return
        ahead = self._shot_at(start)
        shots = [ahead, *range(ahead + 1, self._shot_at(end) + 1)]
        if stretch <= LONG_MS:
            yield from self._paced(shots, start, end, step)
            return
        # The last ones tell what it came to.
        chosen = shots[-1:] if len(shots) == 1 else _spread(shots[1:], SHORT_FRAMES)
        note = "" if opening and step is None else later(end - start)
        for number, shot in enumerate(chosen):
            clock = end if number == len(chosen) - 1 else min(max(self._times[shot], start), end)
            yield Scene(self._part, shot, SHORT_MS // len(chosen), clock, step, note=note)

    def _paced(self, shots: Sequence[int], start: float, end: float, step: int | None) -> Iterator[Scene]:
        """Each shot until the next one; of those that follow too closely the last."""
        edges = [start, *(min(max(self._times[shot], start), end) for shot in shots[1:]), end]
        kept = 0
        for number, shot in enumerate(shots):
            until = round((edges[number + 1] - start) * 1_000)
            if until - kept >= LEAST_MS:
                yield Scene(self._part, shot, until - kept, edges[number], step)
                kept = until

    def _scene(self, at: float, ms: int, step: int | None) -> Scene:
        return Scene(self._part, self._shot_at(at), ms, at, step)

    def _shot_at(self, at: float) -> int:
        return max(pictures.shot_at(self._times, at), self._seen)


def _spread(shots: Sequence[int], count: int) -> list[int]:
    """At most `count` of them, evenly, the last one among them."""
    if len(shots) <= count:
        return list(shots)
    return [shots[(number + 1) * len(shots) // count - 1] for number in range(count)]


def _bounded(scenes: Sequence[Scene]) -> Iterator[Scene]:
    """All scenes as long as they are, or so much faster that they fit; what is too short to be seen then is left out."""
    whole = sum(scene.ms for scene in scenes)
    if whole <= MAX_MS:
        yield from scenes
        return
    passed = spent = 0
    for scene in scenes:
        passed += scene.ms
        due = passed * MAX_MS // whole - spent
        needed = scene.begins or scene.shows
        if due >= LEAST_MS or needed:
            yield replace(scene, ms=max(due, 1))
            spent += max(due, 1)


def _joined(scenes: Iterator[Scene]) -> Iterator[Scene]:
    """Neighbours that look alike as one."""
    last: Scene | None = None
    for scene in scenes:
        if last is not None and not scene.begins and not scene.shows and _looks(scene) == _looks(last):
            last = replace(last, ms=last.ms + scene.ms)
            continue
        if last is not None:
            yield last
        last = scene
    if last is not None:
        yield last


def _looks(scene: Scene) -> tuple[object, ...]:
    return scene.part, scene.shot, scene.step, scene.pointed, scene.note


def _marks(scenes: Sequence[Scene], reels: Sequence[Reel]) -> Iterator[Mark]:
    at = 0
    begun: tuple[Scene, int] | None = None
    shown = 0
    for scene in scenes:
        if scene.begins:
            if begun is not None:
                yield _mark(*begun, shown, at, reels)
            begun, shown = (scene, at), at
        if scene.shows:
            shown = at
            if begun is not None:
                begun = (replace(begun[0], pointed=scene.pointed), begun[1])
        at += scene.ms
    if begun is not None:
        yield _mark(*begun, shown, at, reels)


def _mark(scene: Scene, at: int, shown: int, ends: int, reels: Sequence[Reel]) -> Mark:
    step = reels[scene.part].steps[scene.step or 0]
    box = None if scene.pointed is None else pictures.visible(scene.pointed.box)
    return Mark(scene.part, step.session_id, step.number, at / 1_000, shown / 1_000, ends / 1_000, box)
