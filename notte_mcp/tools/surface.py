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
from notte_mcp.lifetime import OnDemand
from notte_mcp.records import SessionSpec
from notte_mcp.tools.boundary import outcome
from notte_mcp.tools.paging import Pages
from notte_mcp.tools.repeats import Repeats

if TYPE_CHECKING:
    from notte_mcp.app import App  # at run time only when it opens: it brings the database along

NEWS_S: Final = 0.25
"""How long changes of agents are gathered before whoever listens is told."""

OpenApp = Callable[[], AbstractAsyncContextManager["App"]]

Call = Context[Any, Any]
"""How a tool asks for its call's context."""


class Surface:
    """See the module. `spec` holds the defaults of new sessions."""

    def __init__(self, app: "OnDemand[App]", spec: SessionSpec) -> None:
        self._app = app
        self.spec = spec
        self.pages = Pages()
        self.repeats = Repeats()
        self.bus = InMemorySubscriptionBus()
        self._news: dict[str, str] = {}

    @asynccontextmanager
    async def running(self) -> AsyncGenerator["Surface"]:
        """The life of the server: the App may open in it and is closed at its end."""
        async with self._app.running() as group:
            self.repeats.group = group
            yield self

    async def app(self) -> "App":
        """The App, opened if this is the first call. Raises: what opening it raises."""
        app = await self._app.get()
        app.agents.on_change(self._agent_changed)
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

    def _agent_changed(self, agent: AgentRecord) -> None:
        """Announce what an agent does by itself; many changes in a short time are one piece of news."""
        if not self._news:
            self.repeats.group.start_soon(self._announce)
        self._news[agent.id] = agent.session_id

    async def _announce(self) -> None:
        await anyio.sleep(NEWS_S)
        news, self._news = self._news, {}
        await self.changed(*news.values(), agents=list(news))

    async def changed(self, *session_ids: str, agents: Sequence[str] = ()) -> None:
        """Tell whoever listens that the resources of these sessions and agents have changed."""
        for kind, ids in (("sessions", session_ids), ("agents", agents)):
            for uri in (f"notte://{kind}", *(f"notte://{kind}/{one}{end}" for one in ids for end in ("", "/steps"))):
                if ids:
                    await self.bus.publish(ResourceUpdated(uri=uri))


def surface(call: Call) -> Surface:
    """The surface that a call came in through."""
    found: Surface = call.request_context.lifespan_context
    return found
