"""What stands below `notte://agents`: the list, an agent, its log, what was recorded of its work, its script.

An agent's steps go by its own numbers, across all its attempts.

Below: agents, logs, recorded, elsewhere, content, records_json, script. Above: reader.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from notte_mcp.resources import elsewhere, logs, recorded
from notte_mcp.resources.content import Content, as_json, as_list, unknown
from notte_mcp.resources.records_json import agent_json, listed_agent_json
from notte_mcp.resources.script import TARGETS, code_content

if TYPE_CHECKING:
    from notte_mcp.app import App

MAX_LISTED: Final = 1_000
"""Agents in the list; older ones are read by their ids."""


async def of_agents(app: "App", uri: str, path: Sequence[str], query: Mapping[str, str]) -> Content:
    """What stands at `notte://agents/...`: every agent that is kept, newest first, or what is below one of them.

    Raises:
        UnknownAgent, UnknownResource; InvalidArgument: a number, a format or a script that is none;
        NothingRecorded, ExtraMissing.
    """
    match path:
        case []:
            listed = [listed_agent_json(record) for record in await app.agents.agents(limit=MAX_LISTED)]
            return as_list(uri, "agents", listed)
        case [agent_id, *rest] if agent_id:
            return await _of_agent(app, uri, agent_id, rest, query)
        case _:
            raise unknown(uri)


async def _of_agent(app: "App", uri: str, agent_id: str, rest: Sequence[str], query: Mapping[str, str]) -> Content:
    record = await app.agents.record(agent_id)
    match rest:
        case []:
            return as_json(uri, record.id, agent_json(record))
        case ["steps"]:
            return await logs.of_agent(app, uri, record, query)
        case ["workflow", elsewhere.THEIRS]:
            return await elsewhere.agent_code(app, uri, record)
        case ["workflow", target] if target in TARGETS:
            return await code_content(app, uri, record.id, target)
        case _:
            return await recorded.of_agent(app, uri, record, rest, query)
