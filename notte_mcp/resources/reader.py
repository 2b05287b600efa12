"""One reader for every `notte://` address, used by resources and by their twin, notte_read.

Reading changes nothing and waits for nobody who holds a session.

Below: sessions, agents, kept, address, content. Above: resources.listing, tools.reading.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from notte_mcp.resources import logs, recorded
from notte_mcp.resources.address import query_of
from notte_mcp.resources.agents import of_agents
from notte_mcp.resources.content import Content, unknown
from notte_mcp.resources.guide import GUIDE
from notte_mcp.resources.kept import of_runs, of_workflows
from notte_mcp.resources.sessions import of_sessions

if TYPE_CHECKING:
    from notte_mcp.app import App

OpenApp = Callable[[], Awaitable["App"]]


async def read(app: OpenApp, uri: str) -> Content:
    """What stands at `uri`. The App is opened unless the guide is asked for.

    Raises:
        UnknownResource: no such address or file.
        UnknownSession, UnknownAgent, UnknownRun, UnknownWorkflow: nothing has this id or name.
        InvalidArgument: something behind the `?` or a number is wrong, or no step is worth a script.
        LimitReached: it is too long for one answer. NothingRecorded, ExtraMissing: there is no replay of it.
        CloudError: the cloud does not give what only it has.
    """
    try:
        parts = urlsplit(uri)
    except ValueError:
        raise unknown(uri) from None
    path = [unquote(part) for part in parts.path.split("/")[1:]]
    query = query_of(uri, parts.query, _parameters(path))
    match parts.scheme, parts.netloc:
        case "notte", "guide" if not path:
            return Content(uri, "guide", "text/markdown", GUIDE)
        case "notte", "sessions":
            return await of_sessions(await app(), uri, path, query)
        case "notte", "agents":
            return await of_agents(await app(), uri, path, query)
        case "notte", "workflows":
            return await of_workflows(await app(), uri, path)
        case "notte", "runs":
            return await of_runs(await app(), uri, path)
        case _:
            raise unknown(uri)


def _parameters(path: Sequence[str]) -> Sequence[str]:
    """What may stand behind the `?` of an address."""
    match path:
        case [_, "steps"]:
            return logs.QUERY
        case [_, "replay" | "replay.html"]:
            return recorded.QUERY
        case _:
            return ()
