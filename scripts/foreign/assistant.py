"""An assistant's side: calls the server, finds elements in its answers by role and name, keeps the script.

It knows of a page only what the server's text says of it, as a model would. Each
flow takes a session from its first call to `script`.

Below: reading, the SDK's client. Above: the flows, __main__.
"""

import re
from dataclasses import dataclass, field
from typing import Any, Final

from mcp.client import Client
from mcp.types import TextContent

from scripts.foreign.reading import elements

CALL_S: Final = 60.0
"""How long a call may take: hosts give up after about a minute."""


class FlowFailed(Exception):
    """A flow did not go as it should; the text is the reason."""


@dataclass(slots=True)
class Assistant:
    """Whoever drives one session. `seen` is what the server showed last; `trouble` collects what was odd."""

    client: Client
    show: bool = False
    session: str = ""
    seen: str = ""
    calls: int = 0
    facts: dict[str, Any] = field(default_factory=dict[str, Any])

    async def call(self, tool: str, /, **arguments: Any) -> str:
        """Call a tool; its text.

        Raises:
            FlowFailed: it answered with an error.
        """
        result = await self.client.call_tool(tool, arguments, read_timeout_seconds=CALL_S)
        text = "\n".join(block.text for block in result.content if isinstance(block, TextContent))
        self.calls += 1
        self.facts = result.structured_content or {}
        if self.show:
            print(f"\n> {tool} {arguments}\n{text}")
        if result.is_error:
            raise FlowFailed(f"{tool} answered: {text}")
        return text

    async def open(self, url: str) -> None:
        """A session of its own, at this address."""
        self.seen = await self.call("notte_start", url=url)
        self.session = self.facts["session_id"]

    async def look(self, **how: Any) -> str:
        """Observe the page anew."""
        self.seen = await self.call("notte_observe", session_id=self.session, **how)
        return self.seen

    async def do(self, *actions: dict[str, Any], expect: str = "") -> str:
        """Do actions, and read what they changed.

        Raises:
            FlowFailed: one of them failed, or `expect` is not in what the server then says of the page.
        """
        self.seen = await self.call("notte_execute", session_id=self.session, actions=list(actions))
        if re.search(r"^failed at|^\d+ failed:", self.seen, re.MULTILINE):
            raise FlowFailed(self.seen)
        if expect and expect not in self.seen and expect not in await self.look(mode="page"):
            raise FlowFailed(f"nothing says {expect!r}:\n{self.seen}")
        return self.seen

    async def id(self, role: str, name: str, *, near: str = "", place: int = 0) -> str:
        """The id of the element of this role and name: as last shown, else on the page observed anew.

        `near` is a text of its line, `place` counts from 0 those that fit.
        """
        shown: list[str] = []
        for _ in range(2):
            shown.append(self.seen)
            fitting = [
                one.id for one in elements(self.seen) if (one.role, one.name) == (role, name) and near in one.line
            ]
            if fitting[place:]:
                return fitting[place]
            await self.look()
        raise FlowFailed("\n---\n".join([f"no {role} {name!r} in what the server showed:", *shown]))

    async def click(self, role: str, name: str, *, expect: str = "", **where: Any) -> str:
        """Click it; `where` is as for `id`."""
        return await self.do({"type": "click", "id": await self.id(role, name, **where)}, expect=expect)

    async def script(self, target: str) -> tuple[str, list[dict[str, Any]]]:
        """The session as a script, and its parameters."""
        await self.call("notte_workflow_code", id=self.session, target=target)
        code, parameters = str(self.facts["code"]), self.facts["parameters"]
        while cursor := self.facts.get("cursor"):
            await self.call("notte_workflow_code", cursor=cursor)
            code += self.facts["code"]
        return code, parameters

    async def stop(self) -> None:
        """End the session."""
        await self.call("notte_stop", id=self.session)
