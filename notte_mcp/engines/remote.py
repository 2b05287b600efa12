"""What a session can tell and do that lives on another machine: its state there, its replay, its script, its agents.

The part of the engine contract that only engines of other machines have (`Engine.remote`). All arguments and results
are plain values in our own spelling; what a vendor calls things ends in that vendor's engine.

Below: the nouns. Above: base, registry, agents, resources.
"""

from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Protocol

from notte_mcp.receipts import Target

ENDED_THERE: Final = "the cloud ended it"
"""How what an engine tells of a lost session begins, where it knows that the session has ended over there."""


@dataclass(frozen=True, slots=True)
class RemoteSession:
    """How a session stands on the machine that it lives on. `close_reason` is the engine's own word; `viewer_url`
    holds no token, or is None."""

    remote_id: str
    is_live: bool
    state: str
    close_reason: str = ""
    viewer_url: str | None = None
    facts: dict[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True)
class RemoteCode:
    """A script that the engine made of a session or an agent by itself, and the same as plain actions."""

    python: str
    actions: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class RemoteFindings:
    """What the engine's own model took out of a page: `data` as JSON values, or the `problem` that there is none."""

    data: Any
    problem: str = ""


@dataclass(frozen=True, slots=True)
class HostedTask:
    """An agent to be run by the engine. `steps_from` is the trajectory index from which earlier steps of the session
    are told to it (None: none)."""

    task: str
    url: str | None = None
    max_steps: int = 20
    use_vision: bool = False
    model: str | None = None
    response_schema: dict[str, Any] | None = None
    steps_from: int | None = None


@dataclass(frozen=True, slots=True)
class HostedStep:
    """A step of an agent that the engine runs, in one form whatever the engine sends: `action` by our names where it
    is one of ours, else as it came with `type`. `index` counts the agent's steps from 0; `url` is the page that it was
    done on (of a `goto`: that it led to), `target` the element that it names, as far as the engine tells."""

    index: int
    action: dict[str, Any]
    success: bool | None
    message: str
    url: str = ""
    started_at: float | None = None
    ended_at: float | None = None
    thought: str = ""
    target: Target | None = None


@dataclass(frozen=True, slots=True)
class HostedRemark:
    """What a judge said of an answer that it refused."""

    text: str


@dataclass(frozen=True, slots=True)
class HostedStatus:
    """How such an agent stands. `success` and `answer` are None while it runs; `answer` is always a string then."""

    agent_id: str
    is_live: bool
    success: bool | None = None
    answer: str | None = None
    steps: tuple[HostedStep, ...] = ()


class Remote(Protocol):
    """What a session that lives on another machine can tell and do besides, also once it has ended there.

    Raises (every method): the errors of the cloud (`cloud_errors.CloudError` and those below it).
    """

    async def session(self) -> RemoteSession:
        """How it stands."""
        ...

    async def cookies(self) -> list[dict[str, Any]]:
        """Its cookies, in Playwright's form."""
        ...

    async def network(self, *, limit: int = 100) -> dict[str, Any]:
        """Its network log, as the engine gives it, with no address that holds a token."""
        ...

    async def replay(self, into: Path, *, wait_s: float) -> int:
        """Its replay (MP4), waited for until it is made and written into a file while it comes; gives its size in bytes.

        Raises:
            NothingRecorded: there is none and will be none. StillMaking: it is not ready after `wait_s`.
            LimitReached: it is too large, or the disk does not take it. What is in the file then is not whole.
        """
        ...

    async def code(self) -> RemoteCode:
        """The script that the engine made of it."""
        ...

    async def files(self) -> list[dict[str, Any]]:
        """Its files there: `id`, `filename` and, where they are told, `size` (bytes) and `source`."""
        ...

    async def file(self, file_id: str, into: Path, *, limit: int) -> str:
        """Write one of them into a file while it comes, at most `limit` bytes; gives why it is not whole, or ""."""
        ...

    async def extract(
        self, *, instructions: str | None, schema: dict[str, Any] | None, selector: str | None, within_s: float
    ) -> RemoteFindings:
        """Data out of its current page, taken by the engine's own model."""
        ...

    async def offset(self) -> int:
        """How long its trajectory is."""
        ...

    async def start_agent(self, task: HostedTask) -> str:
        """Start an agent in it; gives the engine's id.

        Raises:
            CloudUnknown: the engine has no agents (any more). CloudUnavailable: also where the answer was lost, and
            an agent may have been started (its `done` says so).
        """
        ...

    async def agent(self, agent_id: str) -> HostedStatus:
        """How an agent stands, with all its steps."""
        ...

    def follow(self, agent_id: str, *, after: int = 0) -> AsyncGenerator["HostedStep | HostedRemark | HostedStatus"]:
        """An agent's steps from number `after` on (of those that it has had), each once and in order, as they come;
        the last is its status once it has ended. Whatever the wire does, none is lost and none comes twice."""
        ...

    async def find_agent(self, task: str) -> str | None:
        """The id of an agent that runs in it with this task: one whose start was not answered, or not put down."""
        ...

    async def stop_agent(self, agent_id: str) -> HostedStatus:
        """Stop an agent; its action in flight is finished first."""
        ...

    async def agent_code(self, agent_id: str) -> RemoteCode:
        """The script that the engine made of an agent."""
        ...
