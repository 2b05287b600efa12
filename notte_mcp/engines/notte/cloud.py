"""What the Notte cloud tells and does of one of its sessions besides: how it stands, its cookies, network, replay, code,
files, and the agents that it runs there.

Also of a session that has ended. Nothing that comes from here holds a token but the cookies, which are for browsers.

Below: client, wire, hosted, footage, traffic, clearing. Above: engine.
"""

from pathlib import Path
from typing import Any, Final

from notte_mcp.cloud_errors import CloudNotNotte, CloudUnknown
from notte_mcp.engines.notte.clearing import is_probe, without_probes
from notte_mcp.engines.notte.cookies import cookies_from_wire
from notte_mcp.engines.notte.footage import replay
from notte_mcp.engines.notte.hosted import HostedAgents
from notte_mcp.engines.notte.saving import Sink, at_most
from notte_mcp.engines.notte.traffic import network
from notte_mcp.engines.notte.wire import object_of, objects, session_of, text
from notte_mcp.engines.remote import RemoteCode, RemoteFindings, RemoteSession
from notte_mcp.observations import clean_line

MAX_STEPS: Final = 10_000
"""Elements of a trajectory that are read at most."""

MAX_WHY_CHARS: Final = 400
"""Of the cloud's reason that there are no data."""

FILE_S: Final = 40.0
"""How long a file may take to come down: its caller waits for it."""

_PAGE: Final = 100
_NO_ROUTE: Final = frozenset({404, 405, 501})


class CloudSession(HostedAgents):
    """See the module, and `Remote` for what each method gives and raises. `client` is the one of who asks."""

    async def session(self) -> RemoteSession:
        """See `Remote`."""
        return session_of(await self._told(), self._remote_id)

    async def cookies(self) -> list[dict[str, Any]]:
        """See `Remote`."""
        body = await self._client.get("sessions", self._remote_id, "cookies")
        return cookies_from_wire(objects(body.get("cookies")))

    async def network(self, *, limit: int = 100) -> dict[str, Any]:
        """See `Remote`."""
        return await network(self._client, self._remote_id, limit=limit)

    async def replay(self, into: Path, *, wait_s: float) -> int:
        """See `Remote`."""
        return await replay(self._client, self._remote_id, into, wait_s=wait_s)

    async def code(self) -> RemoteCode:
        """See `Remote`; without what this engine itself asked the page. Scrapes that were told what to look for get a
        form, as their own command line asks for."""
        query = {"as_workflow": True, "infer_response_format": True}
        body = await self._client.get("sessions", self._remote_id, "workflow", "code", query=query)
        actions = [action for action in objects(body.get("json_actions")) if not is_probe(action)]
        return RemoteCode(without_probes(text(body, "python_script")), actions)

    async def extract(
        self, *, instructions: str | None, schema: dict[str, Any] | None, selector: str | None, within_s: float
    ) -> RemoteFindings:
        """See `Remote`. Of the contract's DataSpace this is `structured`."""
        asked = {"instructions": instructions, "response_format": schema, "selector": selector}
        body = await self._client.post("sessions", self._remote_id, "page", "scrape", body=asked, within_s=within_s)
        found = object_of(body.get("structured"))
        if found.get("success", True) and found.get("data") is not None:
            return RemoteFindings(found["data"])
        return RemoteFindings(None, clean_line(text(found, "error"), MAX_WHY_CHARS) or "it gave none, and no reason")

    async def offset(self) -> int:
        """See `Remote`."""
        found = (await self._client.get("sessions", self._remote_id, "offset")).get("offset")
        if not isinstance(found, int):
            raise CloudNotNotte("The Notte API's answer has no offset.")
        return found

    async def steps(self) -> list[dict[str, Any]]:
        """Its trajectory: the elements as they came, oldest first."""
        try:
            return await self._paged_steps()
        except CloudUnknown as error:
            # Only the newest servers have the route; where the session is the unknown one, this says so again.
            if error.status not in _NO_ROUTE:
                raise
        return objects((await self._told()).get("steps"))

    async def _paged_steps(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        cursor: str | None = None
        while len(found) < MAX_STEPS:
            query = {"limit": _PAGE, "cursor": cursor}
            body = await self._client.get("sessions", self._remote_id, "steps", query=query)
            page, after = objects(body.get("steps")), text(body, "next_cursor")
            found += page
            if not page or not after or after == cursor:
                break
            cursor = after
        return found

    async def files(self) -> list[dict[str, Any]]:
        """Its files, as the contract tells them (`id`, `filename`, `mime_type`, `size`, `source`)."""
        body = await self._client.get("sessions", self._remote_id, "files", query={"limit": 1_000})
        return objects(body.get("files"))

    async def file(self, file_id: str, into: Path, *, limit: int) -> str:
        """See `Remote`."""
        sink = Sink(into, at_most(limit))
        whole = await self._client.save("sessions", self._remote_id, "files", file_id, into=sink, within_s=FILE_S)
        return "" if whole else sink.why

    async def _told(self) -> dict[str, Any]:
        body = object_of(await self._client.get("sessions", self._remote_id))
        if not text(body, "status"):
            raise CloudNotNotte(f"What answers at {self._client.access.place} tells no session as the Notte API does.")
        return body
