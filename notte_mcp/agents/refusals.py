"""What agents say when they cannot do what was asked: texts only.

Below: errors, agent_records. Above: supervisor.
"""

from collections.abc import Sequence
from typing import Final

from notte_mcp.agent_records import AgentRecord
from notte_mcp.errors import AgentEnded, InvalidArgument, LimitReached, NeedsCloud, UnknownAgent

_NAMED: Final = 20


def unknown(agent_id: str) -> UnknownAgent:
    """No agent has this id."""
    return UnknownAgent(f"There is no agent {agent_id!r}.", next_call="notte_status() lists the agents there are")


def over(record: AgentRecord) -> AgentEnded:
    """It has ended, is ending, or has nobody who drives it."""
    if record.state == "interrupted":
        return AgentEnded(
            f"Agent {record.id} is interrupted ({record.reason}) after {record.step_count} steps.",
            kept="Its steps and its log are kept.",
            next_call=f'notte_start(session_id="{record.session_id}") to restore its session, then '
            f'notte_steer(agent_id="{record.id}", command="resume")',
        )
    if record.is_live and record.state != "stopping":
        return elsewhere(record)
    why = f" ({record.reason})" if record.reason else ""
    return AgentEnded(
        f"Agent {record.id} is {record.state}{why}; it cannot be steered any more.",
        kept="Its steps and its answer are kept.",
        next_call=f'notte_status(id="{record.id}"), or notte_start(task=...) for a new one',
    )


def elsewhere(record: AgentRecord) -> AgentEnded:
    """Another server process drives it."""
    return AgentEnded(
        f"Agent {record.id} is driven by another server process, and only that one can steer or stop it.",
        next_call=f'notte_status(id="{record.id}") to read how it stands',
    )


def taken(record: AgentRecord) -> AgentEnded:
    """Two servers were asked to go on with it."""
    return AgentEnded(
        f"Agent {record.id} has just been resumed by another server.", next_call=f'notte_status(id="{record.id}")'
    )


def full(limit: int, live: Sequence[AgentRecord], *, others: int = 0) -> LimitReached:
    """All places are taken, so many by `others`, who are not named; those being started are not `live` yet."""
    listed = "; ".join(f"{one.id} ({one.state}, {one.step_count} steps)" for one in live[:_NAMED])
    listed += f"; and {len(live) - _NAMED} more" if len(live) > _NAMED else ""
    if others:
        listed = f"{others} of other users, " + (f"and yours: {listed}" if live else "none of yours")
    if others and not live:
        next_call = "the same call in some minutes, or drive a session by hand with notte_execute"
    else:
        first = f'id="{live[0].id}", wait_seconds=30, until="done"' if live else ""
        next_call = f"notte_status({first}), or notte_stop one"
    return LimitReached(
        f"This server runs at most {limit} agents at once; live now: {listed or 'none yet, but as many are starting'}.",
        next_call=next_call,
    )


def driven_by_caller(record: AgentRecord) -> InvalidArgument:
    """There is nothing to pause in an agent that acts only when it is told to."""
    return InvalidArgument(
        f"Agent {record.id} is driven by you: it does nothing between your calls, so there is nothing to pause.",
        next_call="notte_execute to go on, or notte_stop to end it",
    )


def hosted(record: AgentRecord) -> InvalidArgument:
    """The cloud's agents hear nothing between their steps."""
    return InvalidArgument(
        f"Agent {record.id} runs in the Notte cloud, which takes no word in between: it can be watched and stopped.",
        next_call=f'notte_status(id="{record.id}", wait_seconds=30), or notte_stop(id="{record.id}") and '
        'notte_start(task=..., driver="assistant") in its session to go on yourself',
    )


def not_in_the_cloud() -> NeedsCloud:
    """The cloud's agents act in the cloud's sessions only."""
    return NeedsCloud(
        "driver notte runs an agent in a session of the Notte cloud, and this session is none.",
        next_call='the same call with session={"engine": "notte"}, or with driver="model" or "assistant"',
    )


def beyond_the_cloud(what: str, why: str) -> InvalidArgument:
    """An option that the cloud's agents do not have."""
    return InvalidArgument(
        f"{what}: {why} of an agent in the Notte cloud.",
        next_call='the same call without, or with driver="model"',
    )


def nothing_asked(record: AgentRecord) -> InvalidArgument:
    """An answer without a question."""
    return InvalidArgument(
        f"Agent {record.id} is {record.state} and has asked nothing.",
        next_call=f'notte_steer(agent_id="{record.id}", command="message", text=...) to tell it something',
    )
