"""The cloud's agents, over the real client and the real API with a proxy between: each step once, whatever breaks."""

import sys
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
import pytest

from notte_mcp.api.calls import Contract
from notte_mcp.cloud_errors import CloudRefused, CloudUnavailable, CloudUnknown
from notte_mcp.engines.notte.answers import NOTHING
from notte_mcp.engines.notte.client import NotteClient
from notte_mcp.engines.notte.following import Item, Pace
from notte_mcp.engines.notte.hosted import HostedAgents
from notte_mcp.engines.remote import HostedRemark, HostedStatus, HostedStep, HostedTask
from tests.api.desk import DONE, FORM, PLAN, Desk, desk
from tests.notte.pace import client_of
from tests.notte.proxy import HTML, Close, Cut, Fault, Junk, Lose, Proxy, Refuse, Reply, Reset, Silence, Swap, proxy

pytestmark = pytest.mark.anyio

TYPES = ["goto", "fill", "click", "completion"]
FRAMES = 4 * len(TYPES) + 1
"""Frames of the log of `PLAN`: four elements a step, and the end."""

TASK = HostedTask("Send the form.", url=FORM, max_steps=10)
QUICK = Pace(first_s=0.05, most_s=0.1, silence_s=0.1)


@dataclass
class Cloud:
    """The API as a cloud, and what is between. Its agents take `DELAY_S` for each of their turns."""

    desk: Desk
    between: Proxy
    client: NotteClient

    async def session(self) -> HostedAgents:
        """The agents of a new session."""
        return HostedAgents(self.client, await self.desk.session(), pace=QUICK)

    async def started(self, task: HostedTask = TASK) -> tuple[HostedAgents, str]:
        agents = await self.session()
        return agents, await agents.start_agent(task)


@asynccontextmanager
async def cloud(served: Desk) -> AsyncGenerator[Cloud]:
    """With a proxy of its own, and nothing left of it afterwards but its record."""
    served.plan(*PLAN, delay_s=0.02)
    async with proxy(served.api.url) as between:
        client = client_of(between.url, key=served.api.key)
        yield Cloud(served, between, client)
        await client.close()
    for session in await served.app.registry.sessions(limit=64):
        await served.app.registry.stop(session.id)


@pytest.fixture(scope="module")
async def served(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Desk]:
    async with desk(tmp_path_factory.mktemp("hosted"), settings={"max_sessions": 64}) as opened:
        yield opened


@pytest.fixture
async def here(served: Desk) -> AsyncGenerator[Cloud]:
    async with cloud(served) as opened:
        yield opened


async def followed(agents: HostedAgents, agent_id: str, *, after: int = 0) -> list[Item]:
    with anyio.fail_after(20):
        return [item async for item in agents.follow(agent_id, after=after)]


def whole(items: Sequence[Item], *, after: int = 0) -> None:
    """Each step is there once and in order, and the end is the last."""
    steps = [item for item in items if isinstance(item, HostedStep)]
    assert [(step.index, step.action["type"], step.success) for step in steps] == [
        (index, kind, True) for index, kind in enumerate(TYPES)
    ][after:]
    last = items[-1]
    assert isinstance(last, HostedStatus)
    assert (last.is_live, last.success, last.answer, len(last.steps)) == (False, True, "Number 4711.", len(TYPES))


# --- beginnings -------------------------------------------------------------------


async def test_a_start_sends_what_was_asked_for_and_nothing_else(here: Cloud) -> None:
    """What the caller left open is the server's to choose."""
    schema = {"type": "object"}
    agents, agent_id = await here.started()
    await here.desk.ended(agent_id)
    await agents.start_agent(HostedTask("Look.", model="gemini/gemini-3.5-flash", response_schema=schema, steps_from=1))
    first, second = [one.json for one in here.between.seen if one.path == "/agents/start"]
    assert first.pop("session_id") == second.pop("session_id")
    assert first == {"task": "Send the form.", "url": FORM, "max_steps": 10, "use_vision": False}
    assert second == {
        "task": "Look.", "max_steps": 20, "use_vision": False, "reasoning_model": "gemini/gemini-3.5-flash",
        "response_format": schema, "session_offset": 1,
    }  # fmt: skip


async def test_a_start_whose_answer_is_lost_is_found_again_and_not_repeated(here: Cloud) -> None:
    """By its session and its task, among the live ones."""
    await here.started()
    here.between.on("POST", "/agents/start", Lose())
    agents, agent_id = await here.started()
    assert (await agents.agent(agent_id)).agent_id == agent_id
    assert here.between.count("POST", "/agents/start") == 2
    whole(await followed(agents, agent_id))


@pytest.mark.parametrize(
    "fault", [Reset(), Reply(504, {"detail": "Gateway Timeout"}), HTML], ids=lambda one: type(one).__name__
)
async def test_a_start_that_may_have_been_is_said_to_be_one(here: Cloud, fault: Fault) -> None:
    """Nothing with its task is listed; it is not started twice."""
    here.between.on("POST", "/agents/start", fault)
    with pytest.raises(CloudUnavailable) as lost:
        await here.started()
    assert "may be running in cloud session ses_" in lost.value.done
    assert here.between.count("POST", "/agents/start") == 1
    assert here.between.count("GET", "/agents") == 3


async def test_a_start_that_was_certainly_none_is_only_that(here: Cloud) -> None:
    """Overload is told after its repeats, and nothing is looked for."""
    here.between.on("POST", "/agents/start", Reply(529, {"detail": "full"}), times=None)
    with pytest.raises(CloudUnavailable) as refused:
        await here.started()
    assert refused.value.done == NOTHING
    assert here.between.count("GET", "/agents") == 0


@pytest.mark.parametrize("status", [404, 410])
async def test_an_api_without_agents_is_told_as_that(here: Cloud, status: int) -> None:
    """The engine does not decide what is done instead."""
    here.between.on("POST", "/agents/*", Reply(status, {"detail": "Not Found"}), times=None)
    with pytest.raises(CloudUnknown) as gone:
        await here.started()
    assert gone.value.status == status


# --- following --------------------------------------------------------------------


EVERY = range(FRAMES + 1)
BREAKS: dict[str, tuple[Callable[[int], Fault], Iterable[int]]] = {
    "closed well": (lambda after: Close(1000, after), (0, 2, FRAMES)),
    "restarted": (lambda after: Close(1012, after), (0, 6, FRAMES)),
    "cut": (Cut, EVERY),
    "silent": (Silence, EVERY),
}


@pytest.mark.parametrize("how", BREAKS)
async def test_a_log_that_breaks_off_after_any_frame_loses_and_doubles_nothing(here: Cloud, how: str) -> None:
    """From none to all of them; the status tells the rest. Whoever closes it well is followed as who cuts it."""
    fault, frames = BREAKS[how]
    done: list[int] = []

    async def one(after: int) -> None:
        agents = await here.session()
        agent_id = await agents.start_agent(TASK)
        here.between.on("WS", f"/agents/{agent_id}/debug/logs", fault(after))
        whole(await followed(agents, agent_id))
        assert here.between.count("WS", f"/agents/{agent_id}/debug/logs") == 1
        done.append(after)

    for first in range(0, FRAMES + 1, 6):
        async with anyio.create_task_group() as group:
            for after in frames:
                if first <= after < first + 6:
                    group.start_soon(one, after)
    assert sorted(done) == list(frames)


async def test_a_log_that_holds_is_followed_with_few_questions(here: Cloud) -> None:
    """The status is asked for at the beginning, to see that the log leaves nothing out, and at the end."""
    agents, agent_id = await here.started()
    here.between.on("WS", "/agents/*", Junk(("[1]", "not json", "{}")))
    whole(await followed(agents, agent_id))
    assert here.between.count("GET", f"/agents/{agent_id}") <= 4


async def test_a_log_that_is_refused_is_done_without(here: Cloud) -> None:
    """Whoever refuses it: the server, or we where there is no token, or the token would be the key."""
    bare: dict[str, Any] = {"debug_url": "", "ws": {"logs": "wss://cloud.test/sessions/s/debug/logs"}, "tabs": []}
    keyed: dict[str, Any] = {
        "debug_url": "",
        "ws": {"logs": f"wss://cloud.test/logs?token={here.desk.api.key}"},
        "tabs": [],
    }
    for method, path, fault, tried in (
        ("WS", "/agents/*", Refuse(), 1),
        ("GET", "*/debug", Swap(Reply(200, bare)), 0),
        ("GET", "*/debug", Swap(Reply(200, keyed)), 0),
        ("GET", "*/debug", Reply(404, {"detail": "Not Found"}), 0),
    ):
        agents, agent_id = await here.started()
        here.between.on(method, path, fault)
        whole(await followed(agents, agent_id))
        assert here.between.count("WS", f"/agents/{agent_id}/debug/logs") == tried


async def test_without_websockets_the_status_is_asked_for(here: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are an extra."""
    agents, agent_id = await here.started()
    monkeypatch.setitem(sys.modules, "websockets.asyncio.client", None)
    whole(await followed(agents, agent_id))
    assert here.between.count("WS", "*") == 0


async def test_the_key_is_in_no_address(here: Cloud) -> None:
    """The log is opened with the session's token, and names the session."""
    agents, agent_id = await here.started()
    await followed(agents, agent_id)
    (socket,) = [one for one in here.between.seen if one.method == "WS"]
    assert "session_id=ses_" in socket.query
    assert not any(here.desk.api.key in one.query + one.path for one in here.between.seen)
    assert here.desk.api.key not in str(socket.headers)


@pytest.mark.parametrize("contract", ["1.9", "1.10"])
async def test_an_outage_while_it_is_followed_is_waited_out(tmp_path: Path, contract: Contract) -> None:
    """In either contract; the log is gone, and the status fails again and again."""
    async with desk(tmp_path, contract=contract) as served, cloud(served) as here:
        agents, agent_id = await here.started()
        here.between.on("WS", "/agents/*", Cut(after=2))
        here.between.on("GET", f"/agents/{agent_id}", Reply(500, {"detail": "down"}), times=12, skip=1)
        whole(await followed(agents, agent_id))


async def test_following_goes_on_after_the_last_step_that_is_known(here: Cloud) -> None:
    """Whichever that is; also of an agent that has ended meanwhile."""
    agents, agent_id = await here.started()
    await here.desk.ended(agent_id)
    for after in range(len(TYPES) + 1):
        whole(await followed(agents, agent_id, after=after), after=after)


async def test_an_answer_that_was_refused_is_a_remark(here: Cloud) -> None:
    """It comes where the log has it; what is a step of it besides is one."""
    bad = {"actions": [{"type": "completion", "success": True, "answer": "no JSON"}]}
    good = {"actions": [{"type": "completion", "success": True, "answer": '{"number": 1}'}]}
    here.desk.plan(bad, good, delay_s=0.05)
    schema = {"type": "object", "required": ["number"]}
    agents, agent_id = await here.started(HostedTask("Number?", url=FORM, response_schema=schema))
    items = await followed(agents, agent_id)
    assert sum(isinstance(item, HostedRemark) for item in items) <= 1
    assert [item.success for item in items if isinstance(item, HostedStep)] == [True, False, True]


# --- ends -------------------------------------------------------------------------


async def test_a_stop_names_the_session_and_may_be_said_again(here: Cloud) -> None:
    """What is over is as it is."""
    here.desk.plan(*PLAN, delay_s=30)
    agents, agent_id = await here.started()
    stopped = await agents.stop_agent(agent_id)
    assert (stopped.is_live, stopped.success) == (False, False)
    assert not (await agents.stop_agent(agent_id)).is_live
    asked = [one.query for one in here.between.seen if one.method == "DELETE"]
    assert all("session_id=ses_" in query for query in asked)
    here.between.on("DELETE", "*/stop", Reply(400, {"detail": "already closed"}))
    assert not (await agents.stop_agent(agent_id)).is_live


async def test_a_stop_that_is_refused_of_a_live_one_is_an_error(here: Cloud) -> None:
    """It goes on, and that must not be told otherwise."""
    here.desk.plan(*PLAN, delay_s=30)
    agents, agent_id = await here.started()
    here.between.on("DELETE", "*/stop", Reply(409, {"detail": "busy"}))
    with pytest.raises(CloudRefused):
        await agents.stop_agent(agent_id)


async def test_the_script_of_an_agent_is_read(here: Cloud) -> None:
    """As the engine made it."""
    here.desk.plan(DONE)
    agents, agent_id = await here.started()
    await followed(agents, agent_id)
    code = {"python_script": "print(1)", "json_actions": [{"type": "goto", "url": FORM}]}
    here.between.on("GET", "*/workflow/code", Reply(200, code))
    found = await agents.agent_code(agent_id)
    assert (found.python, found.actions) == ("print(1)", [{"type": "goto", "url": FORM}])
    assert here.between.seen[-1].query == "as_workflow=True"
