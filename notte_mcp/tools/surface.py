"""What every tool and resource stands on: the App (opened at the first call), defaults, pages, repeats.

One per server process, given to handlers as the SDK's lifespan value. Holds no
logic of its own. Below: app, lifetime, registry. Above: the tools and resources.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import anyio
from mcp.server.mcpserver import Context
from mcp.server.subscriptions import InMemorySubscriptionBus, ResourceUpdated
from mcp.types import CallToolResult

from notte_mcp.agent_records import AgentRecord
from notte_mcp.ids import AGENT_PREFIX, RUN_PREFIX
from notte_mcp.lifetime import OnDemand
from notte_mcp.records import SessionSpec
from notte_mcp.resources.script import TARGETS
from notte_mcp.tools.boundary import outcome
from notte_mcp.tools.paging import Pages
from notte_mcp.tools.repeats import Repeats
from notte_mcp.workflow_records import RunRecord

if TYPE_CHECKING:
    from notte_mcp.app import App  # at run time only when it opens: it brings the database along

NEWS_S: Final = 0.25
"""How long changes of sessions, agents and runs are gathered before whoever listens is told."""

OpenApp = Callable[[], AbstractAsyncContextManager["App"]]

Call = Context[Any, Any]
"""How a tool asks for its call's context."""


class Surface:
    """See the module. `spec` holds the defaults of new sessions; `shows_paths` says that who calls has the server's disk."""

    def __init__(self, app: "OnDemand[App]", spec: SessionSpec, *, shows_paths: bool = False) -> None:
        self._app = app
        self.spec = spec
        self.shows_paths = shows_paths
        self.pages = Pages()
        self.repeats = Repeats()
        self.bus = InMemorySubscriptionBus()
        self._news: dict[str, str | None] = {}
        self._proved: set[str] = set()

    @asynccontextmanager
    async def running(self) -> AsyncGenerator["Surface"]:
        """The life of the server: the App may open in it and is closed at its end."""
        async with self._app.running() as group:
            self.repeats.group = group
            yield self

    async def app(self) -> "App":
        """The App, opened if this is the first call. Raises: what opening it raises."""
        app = await self._app.get()
        app.registry.on_change(self._session_changed)
        app.agents.on_change(self._agent_changed)
        app.replays.on_ready(self._replay_ready)
        app.runs.on_change(self._run_changed)
        return app

    async def once(
        self, request_id: str, tool: str, arguments: Mapping[str, Any], body: Callable[[], Awaitable[CallToolResult]]
    ) -> CallToolResult:
        """Run `body` unless the call with this `request_id` was answered before; the answer of whichever ran.

        Raises: RequestIdConflict, StoreUnusable.
        """
        app = await self.app()
        answer = await self.repeats.once(
            request_id,
            store=app.store,
            owner=app.owner,
            tool=tool,
            arguments=arguments,
            run=partial(outcome, body, tool),
        )
        return CallToolResult.model_validate(answer)

    def _session_changed(self, session_id: str) -> None:
        self._note(session_id, session_id)

    def _replay_ready(self, name: str) -> None:
        self.repeats.group.start_soon(self._announce_replay, name)

    async def _announce_replay(self, name: str) -> None:
        kind = "agents" if name.startswith(AGENT_PREFIX) else "sessions"
        for form in ("replay", "replay.html"):
            await self.bus.publish(ResourceUpdated(uri=f"notte://{kind}/{name}/{form}"))

    def _agent_changed(self, agent: AgentRecord) -> None:
        self._note(agent.id, agent.session_id)

    def _run_changed(self, run: RunRecord) -> None:
        self._note(run.id, run.session_id)
        if run.kind == "verify" and run.has_ended and run.workflow is not None:
            self._proved |= {run.workflow, f"{run.workflow}@{run.version}"}

    def _note(self, worker: str, session_id: str | None) -> None:
        """Announce what a session comes to, an agent or a run does by itself; many changes in a short time are one piece
        of news."""
        if not self._news:
            self.repeats.group.start_soon(self._announce)
        self._news[worker] = session_id

    async def _announce(self) -> None:
        await anyio.sleep(NEWS_S)
        news, self._news = self._news, {}
        runs = [one for one in news if one.startswith(RUN_PREFIX)]
        agents = [one for one in news if one.startswith(AGENT_PREFIX)]
        workflows, self._proved = sorted(self._proved), set()
        await self.changed(*dict.fromkeys(filter(None, news.values())), agents=agents, runs=runs, workflows=workflows)

    async def changed(
        self,
        *session_ids: str,
        agents: Sequence[str] = (),
        runs: Sequence[str] = (),
        workflows: Sequence[str] = (),
    ) -> None:
        """Tell whoever listens that the resources of these sessions, agents, runs and saved workflows have changed."""
        steps = ("", "/steps")
        scripts = ("", *(f"/{target}" for target in TARGETS))
        kinds = (("sessions", session_ids, steps), ("agents", agents, steps), ("runs", runs, ("",)))
        for kind, ids, ends in (*kinds, ("workflows", workflows, scripts)):
            for uri in (f"notte://{kind}", *(f"notte://{kind}/{one}{end}" for one in ids for end in ends)):
                if ids:
                    await self.bus.publish(ResourceUpdated(uri=uri))


def surface(call: Call) -> Surface:
    """The surface that a call came in through."""
    found: Surface = call.request_context.lifespan_context
    return found
