"""Agents that the cloud runs: what is on record of them here, who may act meanwhile, how they end, and go on.

The cloud is the real API on scripted pages, with a proxy between; the sessions here are scripted, too, and stand for what
the engine shows of those there.
"""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio
import pytest

from notte_mcp import actions as a
from notte_mcp.agent_records import AgentRecord, AgentSpec
from notte_mcp.agents.supervisor import Supervisor
from notte_mcp.cloud_errors import CloudUnavailable, CloudUnknown
from notte_mcp.engines.base import OpenRequest
from notte_mcp.engines.notte.client import NotteClient
from notte_mcp.engines.notte.cloud import CloudSession
from notte_mcp.engines.notte.following import Pace
from notte_mcp.engines.scripted import ScriptedEngine, ScriptedSession
from notte_mcp.errors import InvalidArgument, NotteMCPError, SessionBusy
from notte_mcp.models.scripted import ScriptedModel
from notte_mcp.receipts import Locators, Receipt, Target
from notte_mcp.records import SessionSpec
from notte_mcp.registry import Limits, Registry
from notte_mcp.registry.noting import Deed
from notte_mcp.store.sql import SqlStore
from notte_mcp.workflows import generalise
from tests import office
from tests.agents.conftest import Models
from tests.api.desk import BASE, DONE, FILL, FORM, PLAN, SEND, Desk, desk
from tests.notte.pace import client_of
from tests.notte.proxy import Lose, Proxy, Refuse, Reply, Reset, Swap, proxy
from tests.registry.conftest import TurnedClock

pytestmark = pytest.mark.anyio

SPEC = SessionSpec(engine="notte")
FOREVER = 600
GAVE_UP = {"actions": [{"type": "completion", "success": False, "answer": "There is no such form."}]}
FAIL = {"actions": [{"type": "click", "selector": "#nowhere"}]}
SCHEMA = {"type": "object", "properties": {"number": {"type": "integer"}}, "required": ["number"]}


class Beside(ScriptedSession):
    """A scripted session with one of the API beside it, which ends with it unless it is to be kept."""

    client: NotteClient

    async def close(self, *, deadline_s: float, keep: bool = False) -> None:
        await super().close(deadline_s=deadline_s, keep=keep)
        if not keep:
            await self.client.delete("sessions", self.remote_id, "stop")


@dataclass(slots=True)
class CloudEngine(ScriptedEngine):
    """Scripted sessions, whose agents run in the one of the API that is beside each."""

    client: NotteClient | None = None
    pace: Pace = field(default_factory=lambda: Pace(first_s=0.05, most_s=0.1, silence_s=0.5, patience_s=0.5))

    async def open(self, request: OpenRequest) -> ScriptedSession:
        assert self.client is not None
        session = self.sessions[request.session_id] = Beside(self.pages, request)
        session.client = self.client
        attached = request.remote_id or str(request.spec.cloud.get("session_id") or "")
        session.remote_id = attached or str((await self.client.post("sessions", "start"))["session_id"])
        return session

    async def remote(self, remote_id: str) -> CloudSession:  # pyright: ignore[reportIncompatibleMethodOverride]
        assert self.client is not None
        return CloudSession(self.client, remote_id, pace=self.pace)


@dataclass
class House:
    """A server whose sessions are the cloud's."""

    agents: Supervisor
    registry: Registry
    store: SqlStore
    models: Models
    clock: TurnedClock
    cloud: Desk
    between: Proxy

    async def start(self, *plan: object, delay_s: float = 0, session_id: str | None = None, **spec: Any) -> AgentRecord:
        """An agent of the cloud at /form, whose model there has this plan."""
        self.cloud.plan(*(plan or PLAN), delay_s=delay_s)
        values: dict[str, Any] = {"driver": "notte", "session": SPEC, "url": FORM} | spec
        with anyio.fail_after(20):
            return await self.agents.start(AgentSpec("Send the form.", **values), session_id=session_id)

    async def whole(self, *plan: object, **spec: Any) -> AgentRecord:
        return await self.ended(await self.start(*plan, **spec))

    async def ended(self, agent: AgentRecord) -> AgentRecord:
        return await self.until(agent, lambda record: not record.is_live)

    async def until(self, agent: AgentRecord, condition: Callable[[AgentRecord], bool]) -> AgentRecord:
        with anyio.fail_after(20):
            while True:
                pulse = self.agents.pulse(agent.id)
                if condition(record := await self.agents.record(agent.id)):
                    return record
                assert pulse is not None, record
                await pulse.wait()

    async def steps(self, agent: AgentRecord) -> list[tuple[int, int, str, str, str]]:
        """(agent's number, session's number, actor, type, state) of its steps on disk."""
        steps = await self.store.agent_steps(agent.id)
        return [(s.agent_step or 0, s.number, s.actor, s.action["type"], s.state) for s in steps]

    async def texts(self, agent: AgentRecord, event: str) -> list[str]:
        return [line.text for line in await self.agents.events(agent.id) if line.event == event]

    async def there(self, agent: AgentRecord) -> dict[str, Any]:
        """How the agent stands in the cloud."""
        record = await self.agents.record(agent.id)
        return await self.cloud.ask("GET", f"/agents/{record.remote_id}")


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


@dataclass
class Street:
    """Opens houses one after the other over one state folder and one cloud."""

    root: Path
    cloud: Desk
    between: Proxy
    clock: TurnedClock = field(default_factory=TurnedClock)

    @asynccontextmanager
    async def house(self, owner: str = "own_1") -> AsyncGenerator[House]:
        client = client_of(self.between.url, key=self.cloud.api.key)
        engine = CloudEngine(office.scripted_pages(BASE), name="notte", client=client)
        store = await SqlStore.open(self.root / "state.sqlite")
        registry = Registry(
            engines={"notte": engine}, store=store, sessions_dir=self.root / "sessions",
            profiles_dir=self.root / "profiles", owner=owner, limits=Limits(lock_wait_s=5), clock=self.clock,
        )  # fmt: skip
        models = Models(ScriptedModel([]), default=None)
        try:
            async with (
                registry,
                Supervisor(registry=registry, store=store, models=models, owner=owner, clock=self.clock) as agents,
            ):
                yield House(agents, registry, store, models, self.clock, self.cloud, self.between)
        finally:
            await store.close()
            await client.close()


@pytest.fixture
async def street(tmp_path: Path) -> AsyncGenerator[Street]:
    async with desk(_made(tmp_path / "cloud")) as cloud, proxy(cloud.api.url) as between:
        yield Street(tmp_path, cloud, between)


@pytest.fixture
async def house(street: Street) -> AsyncGenerator[House]:
    async with street.house() as house:
        yield house


# --- on record --------------------------------------------------------------------


async def test_what_it_does_there_is_on_record_here(house: House) -> None:
    """As steps of its session and of its own, with thoughts, times and elements; its answer is its own."""
    record = await house.whole()
    assert (record.state, record.success, record.answer) == ("completed", True, "Number 4711.")
    assert record.remote_id == (await house.there(record))["agent_id"] != record.id
    assert await house.steps(record) == [
        (1, 1, "model", "goto", "done"), (2, 2, "model", "fill", "done"), (3, 3, "model", "click", "done"),
        (4, 4, "model", "completion", "done"),
    ]  # fmt: skip
    assert await house.texts(record, "thought") == ["First the name.", "I send it.", "It is sent."]
    goto, fill, click, _ = await house.agents.steps(record.id)
    assert goto.url == FORM
    assert goto.receipt is not None
    assert goto.receipt.url_after == FORM
    assert fill.action["value"] == "Ada"
    assert click.ended_at is not None
    assert click.ended_at >= click.started_at > 1_700_000_000
    session = await house.registry.record(record.session_id)
    assert (session.state, session.step_count) == ("ready", 4)


async def test_the_script_of_it_is_made_as_of_any_other(house: House) -> None:
    """From its record; what it did to elements is found again by the ways that the cloud told."""
    record = await house.whole()
    made = generalise(await house.agents.steps(record.id), SPEC)
    assert [step.action.type for step in made.steps if step.action is not None] == ["goto", "fill", "click"]


async def test_an_action_that_we_do_not_have_is_written_as_it_came(house: House) -> None:
    """And breaks nothing that reads records; what goes into a field for secrets is one."""
    session_id = (await house.registry.open(SPEC))[0].id
    target = Target(None, "password", "Access code", Locators(css="#code"))
    deeds = [
        Deed({"type": "captcha_dance", "beat": 3}, Receipt("captcha_dance", success=True), True, 1.0, 2.0),
        Deed(
            {"type": "fill", "selector": "#code", "value": "open sesame"},
            Receipt("fill", success=True, message="Filled with open sesame", target=target), True, 2.0, 3.0,
        ),
        Deed({"type": "click", "selector": "#send"}, Receipt("click", success=False), None, 3.0, 3.0, FORM),
    ]  # fmt: skip
    async with house.registry.use(session_id) as live:
        for deed in deeds:
            await live.note_done(deed, actor="model")
    steps = await house.registry.steps(session_id)
    assert [(step.number, step.state) for step in steps] == [(1, "done"), (2, "done"), (3, "outcome_unknown")]
    assert steps[0].action == {"type": "captcha_dance", "beat": 3}
    assert steps[1].action["value"] == {"secret": "PASSWORD"}
    assert "sesame" not in str(await house.store.steps(session_id))
    assert (await house.registry.record(session_id)).url == FORM
    goto = await house.whole(DONE, session_id=session_id)
    made = generalise(await house.registry.steps(session_id), SPEC, keep_failed=True)
    assert [step.action.type for step in made.steps if step.action is not None][-1] == "goto"
    assert goto.step_count == 2


@pytest.mark.parametrize("contract", ["1.9"])
async def test_an_older_contract_tells_the_same(tmp_path: Path, contract: Any) -> None:
    """Its steps are of another shape."""
    async with (
        desk(_made(tmp_path / "cloud"), contract=contract) as cloud,
        proxy(cloud.api.url) as between,
        Street(tmp_path, cloud, between).house() as house,
    ):
        record = await house.whole()
        assert [kind for *_, kind, _ in await house.steps(record)] == ["goto", "fill", "click", "completion"]
        assert await house.texts(record, "thought") == ["First the name.", "I send it.", "It is sent."]


# --- meanwhile --------------------------------------------------------------------


async def test_while_it_runs_others_may_look_and_not_act(house: House) -> None:
    """The refusals say what can be done instead; nothing can be said to it in between."""
    agent = await house.start(delay_s=FOREVER)
    async with house.registry.use(agent.session_id) as live:
        with pytest.raises(SessionBusy, match="at work") as busy:
            await live.execute([a.Reload()], deadline_s=5)
        await live.observe()
    assert "pause" not in busy.value.next_call
    assert f'notte_stop(id="{agent.id}")' in busy.value.next_call
    for command, text in (("pause", None), ("message", "Hurry."), ("resume", None), ("answer", "Yes.")):
        with pytest.raises(InvalidArgument, match="Notte cloud") as refused:
            await house.agents.steer(agent.id, command, text)  # pyright: ignore[reportArgumentType]
        assert f'notte_stop(id="{agent.id}")' in refused.value.next_call
    await house.agents.stop(agent.id)


@pytest.mark.parametrize(
    "asked",
    [{"max_steps": 151}, {"max_usd": 1.0}, {"max_tokens_spent": 100}, {"response_schema": {"type": 7}}],
    ids=str,
)
async def test_what_the_cloud_does_not_have_is_refused_before_anything_is_begun(
    house: House, asked: dict[str, Any]
) -> None:
    """No session is opened for it."""
    with pytest.raises(InvalidArgument):
        await house.start(**asked)
    assert house.registry.live() == []


# --- ends -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("plan", "spec", "end"),
    [
        ((GAVE_UP,), {}, ("failed", "gave_up", "There is no such form.")),
        (({"actions": [{"type": "help", "value": "Which?"}]},), {}, ("failed", "needs_help", "Which?")),
        ((FAIL, FAIL, FAIL), {}, ("failed", "three_failures", "3 actions in a row failed")),
        ((FILL, SEND, DONE), {"max_steps": 2}, ("stopped", "max_steps", "The limit of 2 steps")),
    ],
    ids=lambda one: str(one)[:30],
)
async def test_it_ends_as_it_ended_there(
    house: House, plan: tuple[object, ...], spec: dict[str, Any], end: tuple[str, str, str]
) -> None:
    """Yes and no are told there; why is read from its last steps."""
    record = await house.whole(*plan, **spec)
    assert (record.state, record.reason, record.success) == (*end[:2], False)
    assert end[2] in (record.answer or "")
    assert (await house.registry.record(record.session_id)).state == "ready"


async def test_an_answer_is_parsed_and_held_to_its_schema(house: House) -> None:
    """The schema goes along; an answer that does not fit is no success, whatever the cloud says."""
    seven = {"actions": [{"type": "completion", "success": True, "answer": '{"number": 7}'}]}
    good = await house.whole(seven, response_schema=SCHEMA)
    assert (good.state, good.result) == ("completed", {"number": 7})
    assert next(one.json for one in house.between.seen if one.path == "/agents/start")["response_format"] == SCHEMA
    claimed: dict[str, Any] = {"agent_id": "a1", "status": "closed", "success": True, "answer": "seven", "steps": []}
    house.between.on("GET", "/agents/*", Swap(Reply(200, claimed)), times=None)
    bad = await house.whole(seven, response_schema=SCHEMA, session_id=good.session_id)
    assert (bad.state, bad.reason, bad.success) == ("failed", "answer_refused", False)
    assert "seven" in (bad.answer or "")


async def test_a_stop_is_told_there_and_acknowledged(house: House) -> None:
    """It is `stopping` until the cloud has said so; then it has stopped in both places, and the session stays."""
    agent = await house.start(delay_s=FOREVER)
    record = await house.agents.stop(agent.id)
    record = await house.ended(record)
    assert (record.state, record.reason, record.success) == ("stopped", "user", False)
    assert (await house.there(agent))["status"] == "closed"
    assert (await house.registry.record(agent.session_id)).state == "ready"


async def test_a_stop_that_the_cloud_does_not_take_goes_on_being_tried(house: House) -> None:
    """The caller hears `stopping` in time."""
    agent = await house.start(delay_s=FOREVER)
    house.between.on("DELETE", "*/stop", Reply(503, {"detail": "later"}), times=None)
    with anyio.fail_after(8):
        stopping = await house.agents.stop(agent.id)
    assert stopping.state == "stopping"
    house.between.heal()
    record = await house.ended(agent)
    assert (record.state, record.reason) == ("stopped", "user")
    assert (await house.there(agent))["status"] == "closed"


async def test_a_stop_at_once_ends_it_here_and_is_seen_to_there(house: House) -> None:
    """In the background, since nobody waits for it."""
    agent = await house.start(delay_s=FOREVER)
    record = await house.agents.stop(agent.id, mode="now")
    assert (record.state, record.reason) == ("stopped", "user")
    await house.between.arrived("DELETE", "/agents/*/stop")
    with anyio.fail_after(10):
        await house.cloud.app.agents.wait(record.remote_id, seconds=10)
    assert (await house.there(agent))["status"] == "closed"


async def test_its_time_holds_there_too(house: House) -> None:
    """`timeout_seconds` is ours: the cloud is told to stop it."""
    agent = await house.start(delay_s=FOREVER, timeout_seconds=100)
    house.clock.turn(100)
    record = await house.ended(agent)
    assert (record.state, record.reason) == ("stopped", "timeout")
    assert (await house.there(agent))["status"] == "closed"


async def test_the_end_of_its_session_there_is_its_own(house: House) -> None:
    """With the reason that the cloud gives."""
    agent = await house.start(delay_s=FOREVER)
    remote = await house.registry.remote(agent.session_id)
    assert remote is not None
    await house.cloud.ask("DELETE", f"/sessions/{(await remote.session()).remote_id}/stop")
    record = await house.ended(agent)
    assert (record.state, record.reason) == ("stopped", "session_stopped")
    assert "manual" in (record.answer or "")


async def test_a_failed_attempt_is_followed_by_one_in_a_new_session_there(house: House) -> None:
    """As of a model: each has its own agent in the cloud."""
    agent = await house.start(GAVE_UP, retries=1)
    failed = await house.until(agent, lambda record: record.attempt == 2)
    house.cloud.plan(*PLAN)
    await anyio.wait_all_tasks_blocked()
    house.clock.turn(1)
    record = await house.ended(agent)
    assert (record.state, record.attempt, record.step_count) == ("completed", 2, 6)
    assert record.remote_id != failed.remote_id
    assert record.session_id != agent.session_id
    assert [number for number, *_ in await house.steps(record)] == [1, 2, 3, 4, 5, 6]


# --- a start that does not work -----------------------------------------------------


async def test_where_the_cloud_has_no_agents_the_configured_model_drives_it(house: House) -> None:
    """In the cloud session, from here; the log says so."""
    house.between.on("POST", "/agents/start", Reply(410, {"detail": "Not Found"}), times=None)
    house.models.model, house.models.default = ScriptedModel([SEND, DONE]), "scripted"
    record = await house.whole()
    assert (record.state, record.spec.driver, record.spec.model, record.remote_id) == (
        "completed",
        "model",
        "scripted",
        "",
    )
    assert [kind for *_, kind, _ in await house.steps(record)] == ["goto", "click", "completion"]
    assert "no agents (any more; HTTP 410)" in (await house.texts(record, "started"))[-1]
    assert (await house.agents.record(record.id)).spec.driver == "model"


async def test_without_agents_there_and_without_a_model_it_is_said_who_can(house: House) -> None:
    """A session that was there is kept for that; one that was opened for it is not."""
    house.between.on("POST", "/agents/start", Reply(404, {"detail": "Not Found"}), times=None)
    session_id = (await house.registry.open(SPEC))[0].id
    with pytest.raises(CloudUnknown, match="no agents") as gone:
        await house.start(session_id=session_id)
    assert 'driver="assistant"' in gone.value.next_call
    assert house.registry.is_live(session_id)
    assert house.registry.holder(session_id) is None
    with pytest.raises(CloudUnknown):
        await house.start(retries=2)
    assert [record.id for record in house.registry.live()] == [session_id]
    assert {(one.state, one.reason) for one in await house.agents.agents()} == {("failed", "cloud_unknown")}


async def test_an_unknown_session_is_not_taken_for_an_api_without_agents(house: House) -> None:
    """The model is not asked to do in a session that is gone."""
    session_id = (await house.registry.open(SPEC))[0].id
    house.models.model, house.models.default = ScriptedModel([DONE]), "scripted"
    for path in ("/agents/start", "/sessions/*"):
        house.between.on("*", path, Reply(404, {"detail": "Not Found"}), times=None)
    with pytest.raises(NotteMCPError):
        await house.start(session_id=session_id)
    assert house.models.model.requests == []


async def test_a_start_whose_answer_is_lost_is_followed_all_the_same(house: House) -> None:
    """It is found by its task; there is one of it."""
    house.between.on("POST", "/agents/start", Lose())
    record = await house.whole(delay_s=0.3)
    assert (record.state, len(await house.steps(record))) == ("completed", 4)
    assert house.between.count("POST", "/agents/start") == 1


async def test_a_start_that_nobody_knows_of_says_that_one_may_run(house: House) -> None:
    """Nothing is started twice for it."""
    session_id = (await house.registry.open(SPEC))[0].id
    house.between.on("POST", "/agents/start", Reset())
    with pytest.raises(CloudUnavailable, match="may be running"):
        await house.start(session_id=session_id)
    assert house.between.count("POST", "/agents/start") == 1


# --- going on ---------------------------------------------------------------------


async def test_after_a_restart_it_is_followed_from_where_it_was(street: Street) -> None:
    """It has gone on without us: its steps are on record once, and its end is."""
    async with street.house("own_1") as first:
        agent = await first.start(FILL, SEND, DONE, delay_s=0.4)
        await first.until(agent, lambda record: record.step_count >= 2)
    async with street.house("own_2") as second:
        await second.store.interrupt(dead_owners=["own_1"], reason="restart")
        left = await second.agents.record(agent.id)
        assert (left.state, left.reason, bool(left.remote_id)) == ("interrupted", "restart", True)
        assert (await second.there(agent))["success"] is not False
        await second.registry.restore(agent.session_id)
        steered = await second.agents.steer(agent.id, "resume")
        assert steered.accepted
        record = await second.ended(agent)
        assert (record.state, record.answer, record.remote_id) == ("completed", "Number 4711.", left.remote_id)
        assert [(mine, kind) for mine, _, _, kind, _ in await second.steps(record)] == [
            (1, "goto"), (2, "fill"), (3, "click"), (4, "completion"),
        ]  # fmt: skip
        assert street.between.count("POST", "/agents/start") == 1


async def test_one_that_nothing_is_heard_of_can_be_gone_on_with(house: House) -> None:
    """It may well run on there, so that it has not failed."""
    house.between.on("WS", "/agents/*", Refuse(), times=None)
    house.between.on("GET", "/agents/*", Reply(500, {"detail": "down"}), times=None)
    agent = await house.start()
    left = await house.ended(agent)
    assert (left.state, left.reason) == ("interrupted", "unheard")
    house.between.heal()
    await house.agents.steer(agent.id, "resume")
    record = await house.ended(agent)
    assert (record.state, len(await house.steps(record))) == ("completed", 4)


async def test_one_that_ended_there_while_its_session_died_has_its_answer(street: Street) -> None:
    """There is nothing to go on with; what it came to is known there."""
    async with street.house("own_1") as first:
        agent = await first.start(FILL, SEND, DONE, delay_s=0.2)
        await first.until(agent, lambda record: record.step_count >= 1)
    async with street.house("own_2") as second:
        await second.store.interrupt(dead_owners=["own_1"], reason="restart")
        remote = await second.registry.remote(agent.session_id)
        assert remote is not None
        await second.cloud.ended((await second.agents.record(agent.id)).remote_id)
        await second.cloud.ask("DELETE", f"/sessions/{(await remote.session()).remote_id}/stop")
        steered = await second.agents.steer(agent.id, "resume")
        assert (steered.accepted, steered.record.state, steered.record.answer) == (False, "completed", "Number 4711.")
        assert (await second.texts(agent, "ended")) == ["completed"]


async def test_one_that_nobody_follows_is_stopped_there_too(street: Street) -> None:
    """It would go on and cost; where the cloud cannot be told, the log says so."""
    async with street.house("own_1") as first:
        agent = await first.start(delay_s=FOREVER)
        other = await first.start(delay_s=FOREVER)
    async with street.house("own_2") as second:
        await second.store.interrupt(dead_owners=["own_1"], reason="restart")
        assert (await second.agents.stop(agent.id)).state == "stopped"
        assert (await second.there(agent))["status"] == "closed"
        street.between.on("DELETE", "*", Reply(503, {"detail": "later"}), times=None)
        assert (await second.agents.stop(other.id)).state == "stopped"
        assert "may go on there" in (await second.texts(other, "ended"))[0]
