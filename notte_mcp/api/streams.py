"""What is sent over a WebSocket as it happens: an agent's log, and a session's.

Nothing is queued for a reader: each has only its place in the record, from the first step on, and the next frame is made
when the one before is on its way. So one who reads slowly costs no memory and misses nothing. Nobody asks again and
again either: who waits is woken by the agent's or the session's own beats; only of what another process drives it is
looked at, `ELSEWHERE_S` apart.

    a step             an element after the other (1.10), or an AgentCompletion (1.9)
    {"validation": …}  what was said to an answer that was not accepted
    {"status": "agent_stop", "agent": …}  the end, and the last one

Below: trajectory, standing; app. Above: sockets.
"""

import json
from collections import deque
from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING, Any, Final

import anyio

from notte_mcp.agent_records import AgentEvent
from notte_mcp.api.standing import told
from notte_mcp.api.trajectory import Telling, events_of, is_refused, known
from notte_mcp.records import LIVE_STATES, StepRecord

if TYPE_CHECKING:
    from notte_mcp.api.calls import Contract
    from notte_mcp.app import App

PAGE: Final = 100
"""Steps that are read at once."""

ELSEWHERE_S: Final = 0.1
"""How often it is looked for steps that another process does."""

QUIET_S: Final = 30.0
"""How long a session's beat is waited for before its record is read again."""

MAX_END_CHARS: Final = 4_000_000
"""An end that is longer is sent without its steps, which were sent before: readers take frames of 5 MiB at most."""

_REMARKS: Final = frozenset({"refused", "repaired"})


class AgentLog:
    """An agent's log for one reader."""

    def __init__(self, app: "App", agent_id: str, contract: "Contract") -> None:
        self._app = app
        self._id = agent_id
        self._contract: Contract = contract
        self._telling = Telling()
        self._after = 0
        self._heard = 0
        self._remarks: deque[AgentEvent] = deque()

    async def frames(self) -> AsyncGenerator[str]:
        """Its frames in order, each once; ends after the agent's end was told. Raises: UnknownAgent."""
        while True:
            # Taken first: whatever happens while it is read wakes who waits afterwards.
            pulse = self._app.agents.pulse(self._id)
            record = await self._app.agents.record(self._id)
            found = await self._news()
            for frame in found:
                yield _text(frame)
            if found:
                continue
            if not record.is_live:
                yield await self._end()
                return
            if pulse is not None:
                await pulse.wait()
            else:
                await anyio.sleep(ELSEWHERE_S)

    async def _news(self) -> list[dict[str, Any]]:
        """What was not told yet, a page of it at most."""
        steps = known(await self._app.agents.steps(self._id, after=self._after, limit=PAGE))
        await self._hear()
        frames: list[dict[str, Any]] = []
        for step in steps:
            number = self._after = step.agent_step or 0
            frames += [*self._remarks_before(number), *self._step(step)]
        if len(steps) < PAGE:
            frames += self._remarks_before(self._after + 1)
        return frames

    async def _hear(self) -> None:
        """Read what is new in its log; asked for after the steps, it holds all that stands before them."""
        if not _has_news(self._app, self._id, self._heard):
            return
        for event in await events_of(self._app, self._id, after=self._heard):
            self._heard = event.sequence
            self._telling.hear(event)
            if event.event in _REMARKS:
                self._remarks.append(event)

    def _remarks_before(self, number: int) -> list[dict[str, Any]]:
        """The remarks that stand before the agent's step of this number."""
        frames: list[dict[str, Any]] = []
        while self._remarks and self._remarks[0].after_step < number:
            frames.append({"validation": self._remarks.popleft().text})
        return frames

    def _step(self, step: StepRecord) -> list[dict[str, Any]]:
        refused = [{"validation": step.message}] if is_refused(step) else []
        if self._contract == "1.10":
            return [*self._telling.typed(step), *refused]
        return refused or [self._telling.legacy(step)]

    async def _end(self) -> str:
        status = await told(self._app, self._id, self._contract)
        text = _text({"status": "agent_stop", "agent": status})
        if len(text) <= MAX_END_CHARS:
            return text
        return _text({"status": "agent_stop", "agent": {**status, "steps": []}})


class SessionLog:
    """A session's trajectory for one reader, as it grows: typed elements in both contracts."""

    def __init__(self, app: "App", session_id: str) -> None:
        self._app = app
        self._id = session_id
        self._telling = Telling()
        self._heard: dict[str, int] = {}
        self._after = 0

    async def frames(self) -> AsyncGenerator[str]:
        """Its frames in order, each once; ends with the session. Raises: UnknownSession."""
        while True:
            record = await self._app.registry.record(self._id)
            steps = known(await self._app.registry.steps(self._id, after=self._after, limit=PAGE))
            await self._hear(steps)
            for step in steps:
                self._after = step.number
                for element in self._telling.typed(step):
                    yield _text(element)
            if steps:
                continue
            if record.state not in LIVE_STATES:
                return
            if self._app.registry.is_live(self._id):
                await self._app.registry.wait(self._id, seconds=QUIET_S, after_step=self._after, until="step")
            else:
                await anyio.sleep(ELSEWHERE_S)

    async def _hear(self, steps: list[StepRecord]) -> None:
        for agent_id in dict.fromkeys(step.agent_id for step in steps if step.agent_id is not None):
            heard = self._heard.get(agent_id, 0)
            if not _has_news(self._app, agent_id, heard):
                continue
            for event in await events_of(self._app, agent_id, after=heard):
                self._heard[agent_id] = event.sequence
                self._telling.hear(event)


def _has_news(app: "App", agent_id: str, heard: int) -> bool:
    """Whether an agent's log may hold lines above this one: of a live one that is known without the disk."""
    lines = app.agents.lines(agent_id)
    return lines is None or lines > heard


def _text(frame: dict[str, Any]) -> str:
    # Escaped, since texts of pages may hold half a character, which UTF-8 has not.
    return json.dumps(frame, separators=(",", ":"))
