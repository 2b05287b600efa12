"""What a replay is made of, and what is known of it: values.

Below: records. Above: timeline, replays.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from notte_mcp.records import StepRecord


@dataclass(frozen=True, slots=True)
class Part:
    """One session's share in a replay: its folder, where the film is, and its steps in their order.

    What is shown of the film lies between `since` and `until` (Unix seconds; None: from its beginning, to its end). With
    `by_agent` the steps go by the agent's own numbers (`StepRecord.agent_step`).
    """

    folder: Path
    steps: Sequence[StepRecord]
    since: float | None = None
    until: float | None = None
    by_agent: bool = False

    def number(self, step: StepRecord) -> int:
        """The number that a step is called by here."""
        return step.agent_step or step.number if self.by_agent else step.number


@dataclass(frozen=True, slots=True)
class Mark:
    """When a step is seen in a replay (seconds of it).

    `at` is when it begins: the page before it, with its element and the pointer. At `shown` the replay shows the very
    picture that the step has (`pictures`), and goes on to the next one at `ends`. `box` is where its element stands in
    that picture: left, top, width and height as parts of it (0 to 1), None where it has none or it is out of sight.
    """

    part: int
    session_id: str
    number: int
    at: float
    shown: float
    ends: float
    box: tuple[float, float, float, float] | None = None


@dataclass(frozen=True, slots=True)
class Video:
    """An MP4: where it is, its size in bytes, how long it plays (seconds), and when each step is seen in it.

    The path stays while the film does; a video of a live session is replaced by a longer one when it is asked for again.
    """

    path: Path
    size: int
    seconds: float
    marks: Sequence[Mark] = ()


@dataclass(frozen=True, slots=True)
class About:
    """What was filmed of a session: frames, bytes, seconds from the first to the last of them.

    `ended` says why recording stopped before the session did; "" where it did not.
    """

    frames: int
    size: int
    seconds: float
    ended: str = ""
