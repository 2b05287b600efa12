"""A log as it is read at its address: JSON lines, or with `?format=text` lines for people; both go on at `?after=`.

Below: log, log_json, log_text, content. Above: reader, agents.
"""

import json
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from pydantic_core import to_json

from notte_mcp.agent_records import AgentRecord
from notte_mcp.records import SessionRecord
from notte_mcp.resources.address import format_of, place_of
from notte_mcp.resources.content import NDJSON, TEXT, Content, as_log
from notte_mcp.resources.log import Line, agent_log, session_log
from notte_mcp.resources.log_json import agent_line, session_line
from notte_mcp.resources.log_text import text_line

if TYPE_CHECKING:
    from notte_mcp.app import App

QUERY: Final = ("after", "format")

Write = Callable[[Line], str]


async def of_session(app: "App", uri: str, record: SessionRecord, query: Mapping[str, str]) -> Content:
    """A session's log. Raises: UnknownSession; InvalidArgument: `after` or `format` is none."""
    after, as_text = place_of(uri, query), format_of(uri, query) == "text"
    log = await session_log(app, record, after)
    write = partial(text_line, by_agent=False) if as_text else _json(partial(session_line, filmed=record.spec.record))
    lines = ((line.place, write(line)) for line in log.lines)
    return as_log(uri, lines, TEXT if as_text else NDJSON, after=after, is_cut=log.is_cut)


async def of_agent(app: "App", uri: str, record: AgentRecord, query: Mapping[str, str]) -> Content:
    """An agent's log. Raises: UnknownAgent; InvalidArgument: `after` or `format` is none."""
    after, as_text = place_of(uri, query), format_of(uri, query) == "text"
    log = await agent_log(app, record, after)
    filmed = record.spec.session.record
    write = partial(text_line, by_agent=True) if as_text else _json(partial(agent_line, filmed=filmed))
    lines = ((line.place, write(line)) for line in log.lines)
    return as_log(uri, lines, TEXT if as_text else NDJSON, after=after, is_cut=log.is_cut)


def _json(told: Callable[[Line], Mapping[str, Any]]) -> Write:
    return lambda line: _written(told(line))


def _written(value: Mapping[str, Any]) -> str:
    try:
        return to_json(value, inf_nan_mode="constants").decode()  # in a third of the time
    except ValueError:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)  # what no UTF-8 can hold too
