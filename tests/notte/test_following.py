"""An agent is followed by its log and by its status: each step once, in order, whatever either of them does."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import anyio
import pytest
from anyio.lowlevel import checkpoint

from notte_mcp.cloud_errors import CloudUnavailable, CloudUnknown
from notte_mcp.engines.notte.following import Following, Item, Pace
from notte_mcp.engines.notte.heard import frame_of
from notte_mcp.engines.notte.streaming import Heard, Log
from notte_mcp.engines.remote import HostedRemark, HostedStatus, HostedStep

pytestmark = pytest.mark.anyio

STEPS = 5


def elements(number: int) -> list[dict[str, Any]]:
    """One step of the current shape, as the API tells it."""
    times = {"started_at": f"2026-11-23T02:00:0{number}Z", "ended_at": f"2026-11-23T02:00:0{number}.5Z"}
    action = {"type": "goto", "url": f"http://shop.test/{number}"}
    return [
        {"type": "agent_step_start", "value": {"step_number": number, "agent_id": "a1"}},
        {"type": "agent_completion", "value": {"state": {"next_goal": "On."}, "action": action, **times}},
        {"type": "execution_result", "value": {"action": action, "success": True, "message": "Gone", **times}},
        {"type": "agent_step_stop", "value": {"step_number": number, "agent_id": "a1"}},
    ]


ALL = [element for number in range(STEPS) for element in elements(number)]


@dataclass
class Cloud:
    """An agent that has done one element more each time that anybody asks or hears of it. `log` is what its log says
    next to each element's coming; None of it is told twice."""

    log: Sequence[Heard] | None = ()
    done: int = 0
    asked: int = 0
    failing: int = 0
    waited: list[float] = field(default_factory=list[float])
    forgets: bool = False

    async def status(self) -> dict[str, Any]:
        self.asked += 1
        if self.failing:
            self.failing -= 1
            raise CloudUnavailable("It is down.", status=500)
        if self.forgets and self.done >= len(ALL):
            raise CloudUnknown("There is no such agent.", status=404)
        over = self.done >= len(ALL)
        shown = ALL[: self.done]
        self.done += 0 if self.log else 1
        return {"agent_id": "a1", "status": "closed" if over else "active", "steps": shown, "task": "t"} | (
            {"success": True, "answer": "42"} if over else {"success": None, "answer": None}
        )

    async def listen(self) -> Log | None:
        return None if self.log is None else Told(self, list(self.log))

    async def follow(self, *, after: int = 0) -> list[Item]:
        following = Following(self.status, self.listen, dict, after=after, pace=Pace(sleep=self._sleep))
        with anyio.fail_after(5):
            return [item async for item in following.items()]

    async def _sleep(self, seconds: float) -> None:
        self.waited.append(seconds)
        await checkpoint()


@dataclass
class Told:
    """A log that says what is written down for it, then that it is closed."""

    cloud: Cloud
    frames: list[Heard]
    is_closed: bool = False

    async def next(self, within_s: float) -> Heard:
        assert within_s == Pace().silence_s
        assert not self.is_closed
        if not self.frames:
            return "closed"
        heard = self.frames.pop(0)
        if isinstance(heard, str) or hasattr(heard, "value"):
            self.cloud.done = min(len(ALL), self.cloud.done + (heard != "junk"))
        return heard

    async def close(self) -> None:
        self.is_closed, self.cloud.log = True, ()


def frame(value: Any) -> Heard:
    """A frame as the log brings it."""
    return frame_of(json.dumps(value)) or "junk"


FRAMES: list[Heard] = [frame(element) for element in ALL]
END: Heard = frame(
    {"status": "agent_stop", "agent": {"agent_id": "a1", "status": "closed", "success": True, "answer": "42"}}
)


def whole(items: Sequence[Item], *, after: int = 0) -> None:
    """Each step is there once and in order, and the end is the last."""
    steps = [item for item in items if isinstance(item, HostedStep)]
    assert [(step.index, step.url) for step in steps] == [(n, f"http://shop.test/{n}") for n in range(after, STEPS)]
    last = items[-1]
    assert isinstance(last, HostedStatus)
    assert (last.is_live, last.success, last.answer, len(last.steps)) == (False, True, "42", STEPS)


@pytest.mark.parametrize("cut", range(len(FRAMES) + 1))
@pytest.mark.parametrize("how", ["closed", "silence"])
async def test_a_log_that_breaks_off_anywhere_loses_and_doubles_nothing(cut: int, how: str) -> None:
    """After any frame it is closed, or says no more; the status tells the rest."""
    tail: list[Heard] = ["silence"] * len(FRAMES) if how == "silence" else []
    whole(await Cloud(log=[*FRAMES[:cut], *tail]).follow())


async def test_a_log_that_tells_all_spares_asking() -> None:
    """The status is asked for at the beginning, once to see that the log leaves nothing out, and at the end."""
    cloud = Cloud(log=[*FRAMES, END])
    whole(await cloud.follow())
    assert cloud.asked == 3
    assert cloud.waited == []


@pytest.mark.parametrize(
    ("after", "done"), [(0, done) for done in range(0, 20, 3)] + [(2, done) for done in range(8, 20)]
)
async def test_a_log_that_begins_anew_tells_nothing_twice(done: int, after: int) -> None:
    """Whatever had been done before, and was told in an earlier following."""
    whole(await Cloud(log=[*FRAMES, END], done=done).follow(after=after), after=after)


@pytest.mark.parametrize("gap", range(len(FRAMES)))
async def test_a_log_that_leaves_something_out_loses_no_step(gap: int) -> None:
    """One frame never comes; each step comes once all the same, if later."""
    cloud = Cloud(log=[*FRAMES[:gap], "junk", *FRAMES[gap + 1 :], END])
    items = await cloud.follow()
    urls = [item.url for item in items if isinstance(item, HostedStep)]
    assert sorted(urls) == [f"http://shop.test/{n}" for n in range(STEPS)]


async def test_without_a_log_the_status_is_asked_for_more_and_more_seldom() -> None:
    """From one second on, two at most; anew where something came."""
    cloud = Cloud(log=None)
    whole(await cloud.follow())
    assert cloud.waited[0] == 1.0
    assert max(cloud.waited) <= 2.0
    assert any(later > sooner for sooner, later in zip(cloud.waited, cloud.waited[1:], strict=False))


async def test_remarks_come_between_the_steps() -> None:
    """As the log tells them; those of an earlier following are not told again."""
    remark = frame({"validation": "Not yet."})
    log: list[Heard] = [*FRAMES[:8], remark, *FRAMES[8:], END]
    items = await Cloud(log=log).follow()
    assert [type(item) for item in items].index(HostedRemark) == 2
    assert not any(isinstance(item, HostedRemark) for item in await Cloud(log=log, done=16).follow(after=4))


async def test_an_api_that_is_down_for_a_while_is_waited_for() -> None:
    """Up to the patience; nothing is lost by it."""
    whole(await Cloud(log=None, failing=4).follow())


async def test_an_api_that_stays_down_is_given_up() -> None:
    """With its own error."""
    cloud, now = Cloud(log=None, failing=1_000), iter(range(0, 10_000, 10))
    following = Following(cloud.status, cloud.listen, dict, pace=Pace(sleep=cloud._sleep, clock=lambda: next(now)))
    with pytest.raises(CloudUnavailable), anyio.fail_after(5):
        _ = [item async for item in following.items()]
    assert 10 <= cloud.asked <= 14


async def test_an_agent_that_is_forgotten_once_it_is_over_has_ended_as_the_log_said() -> None:
    """Only the log's last word is left then."""
    items = await Cloud(log=[*FRAMES, END], forgets=True).follow()
    last = items[-1]
    assert isinstance(last, HostedStatus)
    assert (last.success, last.answer) == (True, "42")
    assert [item.index for item in items if isinstance(item, HostedStep)] == list(range(STEPS))


async def test_an_agent_that_nobody_knows_is_an_error() -> None:
    """Without a word of the log on how it ended."""
    with pytest.raises(CloudUnknown):
        await Cloud(log=None, done=len(ALL), forgets=True).follow()
