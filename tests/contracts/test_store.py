"""The store's contract, held by every store. Another one is one more line in `STORES`."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import anyio
import pytest

from notte_mcp.agent_records import LIVE_AGENT_STATES, AgentEvent, AgentRecord, AgentSpec, Usage
from notte_mcp.errors import StoreUnusable
from notte_mcp.receipts import DialogEvent, Download, Locators, Receipt, Target
from notte_mcp.records import LIVE_STATES, SessionRecord, SessionSpec, StepRecord
from notte_mcp.store.base import Claim, Store
from notte_mcp.store.sql import SqlStore
from notte_mcp.workflow_records import RunRecord, RunStep, ScriptRun, WorkflowRecord

pytestmark = pytest.mark.anyio

STORES: dict[str, Callable[[Path], Awaitable[Store]]] = {
    "sql": SqlStore.open,
}

SESSION = SessionRecord(
    id="ses_" + "a" * 26,
    owner="own_1",
    state="ready",
    spec=SessionSpec(engine="local", headless=False, proxy="http://127.0.0.1:3128", idle_timeout_minutes=1.5),
    created_at=1_000.25,
    updated_at=1_001.5,
    reason="",
    url="http://127.0.0.1/form",
    title="Permit request",
    step_count=2,
    view=7,
    id_counters={"B": 4, "I": 2},
    storage_saved_at=1_001.0,
    seen=("Permit request", "Saved 👩‍🚀"),
)
STEP = StepRecord(
    session_id=SESSION.id,
    number=1,
    actor="assistant",
    state="intended",
    action={"type": "fill", "id": "I1", "value": {"secret": "PASSWORD"}},
    started_at=1_001.0,
    url="http://127.0.0.1/form",
    saw=("Permits",),
)
RECEIPT = Receipt(
    type="click",
    success=True,
    message='clicked B4 button "Send request"',
    target=Target(
        "B4",
        "button",
        "Send request",
        Locators(role=("button", "Send request"), css="form > button", frame=("iframe#a", "iframe"), shadow=True),
    ),
    healed=True,
    url_before="http://127.0.0.1/form",
    url_after="http://127.0.0.1/done",
    navigated=True,
    status=200,
    new_tab=0,
    dialogs=(DialogEvent("confirm", "Sure?", "accepted"),),
    downloads=(Download("a.pdf", 12), Download("b.pdf", 0, "cancelled")),
    failed_requests=("GET http://127.0.0.1/x 404",),
    sent=("POST http://127.0.0.1/done",),
    data={"rows": [1, None, "é"]},
)
AGENT = AgentRecord(
    id="agt_" + "a" * 26,
    owner="own_1",
    state="running",
    spec=AgentSpec(
        task="Order two lamps, and tell the number 👩‍🚀",
        driver="model",
        session=SESSION.spec,
        url="http://127.0.0.1/form",
        model="scripted",
        max_steps=7,
        timeout_seconds=90.5,
        retries=2,
        response_schema={"type": "object", "properties": {"number": {"type": ["string", "null"]}}},
        use_vision=True,
        max_tokens_spent=9_000,
        max_usd=0.25,
        guidance="Step 3 failed: nothing has the id B4.",
        is_fallback=True,
    ),
    session_id=SESSION.id,
    created_at=1_000.25,
    updated_at=1_001.5,
    ended_at=1_009.0,
    reason="budget",
    attempt=2,
    step_count=4,
    success=False,
    answer="No lamps are left.",
    result={"number": None, "left": [0, False]},
    question="Which colour?",
    usage=Usage(model_calls=5, input_tokens=8_000, cached_tokens=7_000, output_tokens=300, usd=0.0125, seconds=12.5),
)
EVENT = AgentEvent(AGENT.id, sequence=1, after_step=0, at=1_000.5, event="started", text="Order two lamps")
WORKFLOW = WorkflowRecord(
    name="order a lamp",
    version=1,
    content={"steps": [{"type": "click"}], "parameters": {"name": "Zoë 👩‍🚀"}},
    source=SESSION.id,
    created_at=1_000.25,
)
RUN = RunRecord(
    id="run_" + "a" * 26,
    owner="own_1",
    kind="verify",
    state="running",
    source=AGENT.id,
    created_at=1_000.25,
    updated_at=1_001.5,
    reason="asked",
    workflow=WORKFLOW.name,
    version=3,
    content=WORKFLOW.content,
    target="pytest",
    mode="safe",
    parameters={"name": "Zoë"},
    session_id=SESSION.id,
    agent_id=AGENT.id,
    steps=(
        RunStep(1, 'click button "Send"', "healed", "found elsewhere", 'role=button[name="Send"]'),
        RunStep(2, "goto /done", "not_run"),
    ),
    step_count=2,
    verified=False,
    difference="step 2 was not run",
    script=ScriptRun(False, "it stopped", exit_code=1, seconds=2.5, output="out", errors="half \ud800 a pair"),
    result={"rows": [1, None, False]},
    proposal={"steps": []},
)


@pytest.fixture(params=STORES)
def opener(request: pytest.FixtureRequest) -> Callable[[Path], Awaitable[Store]]:
    """Opens a store of one kind at a path."""
    return STORES[request.param]


@pytest.fixture
async def store(opener: Callable[[Path], Awaitable[Store]], tmp_path: Path) -> AsyncGenerator[Store]:
    """An empty store."""
    opened = await opener(tmp_path / "store")
    with anyio.fail_after(30):
        yield opened
    await opened.close()


def named(letter: str, **fields: Any) -> SessionRecord:
    """A session like SESSION, with an id of its own."""
    return replace(SESSION, id="ses_" + letter * 26, **fields)


def step(number: int, session: SessionRecord = SESSION, **fields: Any) -> StepRecord:
    """A step like STEP, with a number of its own."""
    return replace(STEP, session_id=session.id, number=number, **fields)


def agent(letter: str, **fields: Any) -> AgentRecord:
    """An agent like AGENT, with an id of its own."""
    return replace(AGENT, id="agt_" + letter * 26, **fields)


def agent_step(number: int, of_agent: int | None, session: SessionRecord = SESSION, **fields: Any) -> StepRecord:
    """A step of AGENT: `number` is the session's, `of_agent` the agent's own."""
    return step(number, session, **{"agent_id": AGENT.id, "agent_step": of_agent, **fields})


def workflow(name: str, **fields: Any) -> WorkflowRecord:
    """A workflow like WORKFLOW, with a name of its own."""
    return replace(WORKFLOW, name=name, **fields)


def run(letter: str, **fields: Any) -> RunRecord:
    """A run like RUN, with an id of its own."""
    return replace(RUN, id="run_" + letter * 26, **fields)


def line(sequence: int, **fields: Any) -> AgentEvent:
    """A line of AGENT's log."""
    return replace(EVENT, sequence=sequence, **fields)


# --- sessions -----------------------------------------------------------------------


async def test_a_session_comes_back_as_it_was_put(store: Store) -> None:
    """Every field, those that are unset too."""
    bare = SessionRecord(
        id="ses_" + "b" * 26, owner="own_1", state="starting", spec=SessionSpec(), created_at=1.0, updated_at=1.0
    )
    await store.put_session(SESSION)
    await store.put_session(bare)

    assert await store.session(SESSION.id) == SESSION
    assert await store.session(bare.id) == bare


async def test_a_session_put_again_is_replaced(store: Store) -> None:
    """One row per session: the last word counts."""
    later = replace(SESSION, state="stopped", reason="user", title="Done", view=9, updated_at=2_000.0, owner="own_2")
    await store.put_session(SESSION)
    await store.put_session(later)

    assert await store.sessions() == [later]


async def test_an_absent_session_is_none(store: Store) -> None:
    """An id that was never handed out is no error of the store's."""
    assert await store.session("ses_" + "z" * 26) is None


async def test_sessions_come_newest_first_and_no_more_than_asked_for(store: Store) -> None:
    """By creation; of two made at one instant the later written is the newer."""
    old, new, newest = named("c", created_at=1.0), named("d", created_at=3.0), named("b", created_at=3.0)
    for record in (new, old, newest):
        await store.put_session(record)
    await store.put_session(replace(old, title="touched", updated_at=9_999.0))

    assert [r.id for r in await store.sessions()] == [newest.id, new.id, old.id]
    assert await store.sessions(limit=2) == [newest, new]


async def test_text_that_is_no_unicode_is_stored_readably(store: Store) -> None:
    """Half a surrogate pair, NUL and emoji from a page never stop the record of what was done."""
    odd = replace(SESSION, title="half \ud83d pair \x00 nul 👩‍🚀", url="http://127.0.0.1/\udfff", reason="\udc00")
    await store.put_session(odd)
    await store.intend([step(1, url="http://\ud800/", action={"type": "fill", "value": "\ud800"})])

    kept = await store.session(SESSION.id)
    assert kept is not None
    assert kept.title == "half ? pair \x00 nul 👩‍🚀"
    assert (await store.steps(SESSION.id))[0].action["value"] == "\ud800"


# --- steps --------------------------------------------------------------------------


async def test_steps_come_back_as_they_were_intended_and_settled(store: Store) -> None:
    """The receipt whole: tuples are tuples, and every nested value is there."""
    done = replace(STEP, state="done", started_at=1_001.5, ended_at=1_002.0, receipt=RECEIPT, url="http://127.0.0.1/d")
    moved = replace(SESSION, step_count=1, url="http://127.0.0.1/done", title="Done", id_counters={"B": 9})
    await store.put_session(SESSION)
    await store.intend([STEP, step(2)])
    await store.settle(done, moved)

    assert await store.steps(SESSION.id) == [done, step(2)]
    assert await store.session(SESSION.id) == moved


@pytest.mark.parametrize("value", [False, 0, "", [], {}, 0.5, "text", [[]], {"a": None}])
async def test_what_a_script_gave_back_is_kept_to_the_letter(store: Store, value: Any) -> None:
    """`evaluate_js` that gave `false` or an empty list gave something."""
    done = step(1, state="done", receipt=Receipt(type="evaluate_js", success=True, data=value, value=""))
    await store.intend([STEP])
    await store.settle(done, SESSION)

    (kept,) = await store.steps(SESSION.id)
    assert kept == done
    assert kept.receipt is not None
    assert type(kept.receipt.data) is type(value)


async def test_a_batch_is_intended_whole_or_not_at_all(store: Store) -> None:
    """P1: one commit for all intents of a batch; a number that is taken undoes it."""
    await store.intend([step(3)])

    with pytest.raises(StoreUnusable):
        await store.intend([step(2), step(3)])
    assert await store.steps(SESSION.id) == [step(3)]


async def test_an_empty_batch_is_no_error(store: Store) -> None:
    """Nothing asked, nothing written."""
    await store.intend([])

    assert await store.steps(SESSION.id) == []


async def test_intents_that_were_never_begun_can_be_withdrawn_but_outcomes_cannot(store: Store) -> None:
    """A batch that stopped early leaves no trace of what it did not start."""
    done = step(1, state="done", ended_at=1_002.0, receipt=RECEIPT)
    await store.intend([step(n) for n in (1, 2, 3, 4)])
    await store.settle(done, SESSION)
    await store.withdraw(SESSION.id, [1, 3, 4])

    assert await store.steps(SESSION.id) == [done, step(2)]


async def test_steps_are_read_in_order_after_a_number_and_up_to_a_limit(store: Store) -> None:
    """Numbers count, not the order of writing; other sessions' steps stay out."""
    other = named("b")
    await store.intend([step(n) for n in (10, 2, 9, 1)])
    await store.intend([step(3, other)])

    assert [s.number for s in await store.steps(SESSION.id)] == [1, 2, 9, 10]
    assert [s.number for s in await store.steps(SESSION.id, after=1, limit=2)] == [2, 9]
    assert await store.steps(SESSION.id, after=10) == []


# --- owners ---------------------------------------------------------------------------


async def test_owners_are_those_with_a_session_in_a_live_state(store: Store) -> None:
    """Whoever holds only ended sessions is nobody to look after."""
    for number, state in enumerate(sorted(LIVE_STATES)):
        await store.put_session(named("abcd"[number], state=state, owner=f"own_{state}"))
    await store.put_session(named("e", state="ready", owner="own_ready"))
    await store.put_session(named("f", state="stopped", owner="own_ended"))
    await store.put_session(named("g", state="interrupted", owner="own_cut"))

    assert await store.owners() == [f"own_{state}" for state in sorted(LIVE_STATES)]


async def test_a_dead_owners_live_sessions_are_interrupted_and_their_intents_of_unknown_outcome(store: Store) -> None:
    """P2, P3: nothing is lost silently, nothing is claimed that is not known, nobody else is touched."""
    ended, foreign = named("b", state="stopped", reason="user"), named("c", owner="own_2")
    done = step(1, state="done", ended_at=1_002.0, receipt=RECEIPT)
    for record in (replace(SESSION, step_count=1), ended, foreign):
        await store.put_session(record)
    await store.intend([step(1), step(2), step(3)])
    await store.settle(done, replace(SESSION, step_count=1))
    await store.intend([step(1, foreign)])

    marked = await store.interrupt(dead_owners=["own_1", "own_0"], reason="restart")

    (cut,) = marked
    assert cut == replace(SESSION, state="interrupted", reason="restart", step_count=3, updated_at=cut.updated_at)
    assert cut.updated_at > SESSION.updated_at
    assert await store.session(SESSION.id) == cut
    assert await store.steps(SESSION.id) == [
        done,
        step(2, state="outcome_unknown"),
        step(3, state="outcome_unknown"),
    ]
    assert await store.session(ended.id) == ended
    assert await store.session(foreign.id) == foreign
    assert await store.steps(foreign.id) == [step(1, foreign)]


async def test_interrupting_twice_or_for_nobody_marks_nothing(store: Store) -> None:
    """Two servers may find the same dead one."""
    await store.put_session(SESSION)

    assert await store.interrupt(dead_owners=[], reason="restart") == []
    assert len(await store.interrupt(dead_owners=["own_1"], reason="restart")) == 1
    assert await store.interrupt(dead_owners=["own_1"], reason="restart") == []


@pytest.mark.parametrize("state", ["interrupted", "failed"])
async def test_a_session_to_restore_is_taken_over_once(store: Store, state: Any) -> None:
    """P7: two servers that restore one session do not both get it."""
    await store.put_session(replace(SESSION, state=state))
    taken: dict[str, bool] = {}

    async def take(owner: str) -> None:
        taken[owner] = await store.take(replace(SESSION, state="starting", owner=owner))

    async with anyio.create_task_group() as group:
        for owner in ("own_2", "own_3", "own_4"):
            group.start_soon(take, owner)

    (winner,) = [owner for owner, won in taken.items() if won]
    assert await store.session(SESSION.id) == replace(SESSION, state="starting", owner=winner)


@pytest.mark.parametrize("state", ["ready", "busy", "stopped"])
async def test_a_session_that_cannot_be_restored_is_not_taken(store: Store, state: Any) -> None:
    """Live ones are their owner's, ended ones nobody's."""
    record = replace(SESSION, state=state)
    await store.put_session(record)

    assert await store.take(replace(SESSION, owner="own_2")) is False
    assert await store.take(named("q")) is False
    assert await store.sessions() == [record]


# --- agents ---------------------------------------------------------------------------


async def test_an_agent_comes_back_as_it_was_put(store: Store) -> None:
    """Every field, the specifications and what it used too; and those that are unset."""
    bare = AgentRecord(
        id="agt_" + "b" * 26,
        owner="own_1",
        state="running",
        spec=AgentSpec(task="Look", driver="assistant", session=SessionSpec()),
        session_id=SESSION.id,
        created_at=1.0,
        updated_at=1.0,
    )
    await store.put_agent(AGENT)
    await store.put_agent(bare)

    assert await store.agent(AGENT.id) == AGENT
    assert await store.agent(bare.id) == bare
    assert await store.agent("agt_" + "z" * 26) is None


@pytest.mark.parametrize("success", [True, False, None])
@pytest.mark.parametrize("result", [None, False, 0, "", [], {}, [None], "text"])
async def test_what_an_agent_came_to_is_kept_to_the_letter(store: Store, result: Any, success: Any) -> None:
    """A parsed answer may be `false` or empty."""
    await store.put_agent(replace(AGENT, result=result, success=success, answer=""))

    kept = await store.agent(AGENT.id)
    assert kept is not None
    assert kept == replace(AGENT, result=result, success=success, answer="")
    assert type(kept.result) is type(result)
    assert kept.success is success


async def test_an_agent_put_again_is_replaced(store: Store) -> None:
    """One row per agent: the last word counts, another session (of a next attempt) too."""
    later = replace(AGENT, state="failed", session_id="ses_" + "b" * 26, attempt=3, updated_at=2_000.0, question=None)
    await store.put_agent(AGENT)
    await store.put_agent(later)

    assert await store.agents() == [later]


async def test_agents_come_newest_first_and_no_more_than_asked_for(store: Store) -> None:
    """By creation, as sessions do."""
    old, new, newest = agent("c", created_at=1.0), agent("d", created_at=3.0), agent("b", created_at=3.0)
    for record in (new, old, newest):
        await store.put_agent(record)
    await store.put_agent(replace(old, answer="touched", updated_at=9_999.0))

    assert [r.id for r in await store.agents()] == [newest.id, new.id, old.id]
    assert await store.agents(limit=2) == [newest, new]


async def test_an_agents_text_that_is_no_unicode_is_stored_readably(store: Store) -> None:
    """A model's words and a page's never stop the record."""
    odd = replace(AGENT, reason="\udc00", answer="half \ud83d", question="\ud800?", result={"a": "\ud800"})
    await store.put_agent(odd, line(1, text="thought \udfff"))

    kept = await store.agent(AGENT.id)
    assert kept == replace(odd, reason="?", answer="half ?", question="??")
    assert [e.text for e in await store.events(AGENT.id)] == ["thought ?"]


async def test_an_agents_steps_come_by_its_own_numbers_from_all_its_sessions(store: Store) -> None:
    """A next attempt has a fresh session; what others did on them, or what is not counted, stays out."""
    second = named("b")
    first = [agent_step(2, 1), agent_step(3, 2)]
    rest = [agent_step(1, 3, second), agent_step(2, 4, second)]
    await store.intend([step(1), *first, agent_step(4, None), step(5, agent_id="agt_" + "b" * 26, agent_step=1)])
    await store.intend([rest[1], rest[0]])

    assert await store.agent_steps(AGENT.id) == [*first, *rest]
    assert await store.agent_steps(AGENT.id, after=1, limit=2) == [first[1], rest[0]]
    assert await store.agent_steps(AGENT.id, after=4) == []
    assert await store.agent_steps("agt_" + "z" * 26) == []


async def test_a_settled_step_is_still_its_agents(store: Store) -> None:
    """The numbering is the intent's; the outcome is the step's."""
    done = agent_step(1, 1, state="done", ended_at=1_002.0, receipt=RECEIPT)
    await store.intend([agent_step(1, 1), agent_step(2, 2)])
    await store.settle(done, SESSION)
    await store.withdraw(SESSION.id, [2])

    assert await store.agent_steps(AGENT.id) == [done]
    assert await store.steps(SESSION.id) == [done]


async def test_an_agents_log_is_read_in_order_after_a_line_and_up_to_a_limit(store: Store) -> None:
    """By sequence, not by writing; a line written again is replaced; others' lines stay out."""
    lines = [line(1), line(2, event="thought", after_step=1, text="é"), line(10, event="ended", after_step=9, text="")]
    for event in (lines[2], line(1, text="at first"), lines[1], lines[0], replace(EVENT, agent_id="agt_" + "b" * 26)):
        await store.put_event(event)

    assert await store.events(AGENT.id) == lines
    assert await store.events(AGENT.id, after=1, limit=1) == [lines[1]]
    assert await store.events(AGENT.id, after=10) == []


async def test_a_sessions_lines_stand_after_the_last_step_that_had_its_outcome(store: Store) -> None:
    """Of all its agents, in the order in which they were written: a log of them grows at its end only."""
    here = {"session_id": SESSION.id}
    other = "agt_" + "b" * 26
    await store.put_session(SESSION)
    await store.put_event(line(1, **here))
    await store.intend([agent_step(1, 1), agent_step(2, 2)])
    await store.put_event(line(2, at=1.0, event="thought", **here))
    await store.settle(replace(agent_step(1, 1), state="done", ended_at=2.0), SESSION)
    await store.put_event(replace(EVENT, agent_id=other, at=0.5, **here))
    await store.put_event(line(3, at=0.1, event="message", **here))
    await store.put_event(line(2, event="thought", text="said again", **here))
    await store.put_event(replace(EVENT, agent_id="agt_" + "c" * 26, session_id="ses_" + "z" * 26))

    found = await store.session_events(SESSION.id)

    assert [(one.agent_id, one.sequence, one.session_step) for one in found] == [
        (AGENT.id, 1, 0), (AGENT.id, 2, 0), (other, 1, 1), (AGENT.id, 3, 1),
    ]  # fmt: skip
    assert found[1].text == "said again"
    assert await store.session_events(SESSION.id, after=1) == found[2:]
    assert await store.session_events(SESSION.id, limit=1) == found[:1]
    assert await store.session_events("ses_" + "q" * 26) == []


async def test_what_led_to_a_step_is_kept_with_it(store: Store) -> None:
    """And stays when it has its outcome, which says nothing of it."""
    used = Usage(model_calls=2, input_tokens=900, cached_tokens=100, output_tokens=40, usd=0.01)
    await store.put_session(SESSION)
    await store.intend([replace(STEP, usage=used)])
    await store.settle(replace(STEP, state="done", ended_at=2.0), SESSION)

    (kept,) = await store.steps(SESSION.id)

    assert (kept.usage, kept.state) == (used, "done")


async def test_an_agent_and_a_line_of_its_log_are_put_together(store: Store) -> None:
    """A reader never finds the state without the line that tells of it."""
    await store.put_agent(AGENT, EVENT)

    assert await store.agent(AGENT.id) == AGENT
    assert await store.events(AGENT.id) == [EVENT]


async def test_an_interrupted_agent_is_taken_over_once(store: Store) -> None:
    """Two servers that resume one agent do not both get it."""
    await store.put_agent(replace(AGENT, state="interrupted"))
    taken: dict[str, bool] = {}

    async def take(owner: str) -> None:
        taken[owner] = await store.take_agent(replace(AGENT, state="running", owner=owner))

    async with anyio.create_task_group() as group:
        for owner in ("own_2", "own_3", "own_4"):
            group.start_soon(take, owner)

    (winner,) = [owner for owner, won in taken.items() if won]
    assert await store.agent(AGENT.id) == replace(AGENT, owner=winner)


@pytest.mark.parametrize("state", ["running", "needs_input", "stopped", "failed", "completed"])
async def test_an_agent_that_cannot_be_resumed_is_not_taken(store: Store, state: Any) -> None:
    """Live ones are their owner's; unlike a session, a failed one has ended."""
    record = replace(AGENT, state=state)
    await store.put_agent(record)

    assert await store.take_agent(replace(AGENT, owner="own_2")) is False
    assert await store.take_agent(agent("q")) is False
    assert await store.agents() == [record]


async def test_owners_of_live_agents_are_owners_too(store: Store) -> None:
    """Each named once, whatever it holds; an agent that waits for an answer is live."""
    for number, state in enumerate(sorted(LIVE_AGENT_STATES)):
        await store.put_agent(agent("abcd"[number], state=state, owner=f"own_{state}"))
    await store.put_agent(agent("e", state="completed", owner="own_ended"))
    await store.put_agent(agent("f", state="interrupted", owner="own_cut"))
    await store.put_session(named("a", owner="own_running"))
    await store.put_session(named("b", owner="own_a"))

    assert await store.owners() == ["own_a", *(f"own_{state}" for state in sorted(LIVE_AGENT_STATES))]


@pytest.mark.parametrize("state", sorted(LIVE_AGENT_STATES))
async def test_a_dead_owners_live_agents_are_interrupted_with_a_line_that_says_so(store: Store, state: Any) -> None:
    """P3: with its last step, which may be an intent it was not told of, and after what its log held."""
    await store.put_session(SESSION)
    await store.put_agent(replace(AGENT, state=state, step_count=1, ended_at=None), EVENT)
    await store.put_event(line(2, event="thought", after_step=1))
    await store.intend([agent_step(1, 1), agent_step(2, 2), agent_step(3, None)])

    await store.interrupt(dead_owners=["own_1"], reason="restart")

    cut = await store.agent(AGENT.id)
    assert cut is not None
    assert cut.updated_at > AGENT.updated_at
    assert cut == replace(
        AGENT, state="interrupted", reason="restart", step_count=2, ended_at=None, updated_at=cut.updated_at
    )
    assert (await store.events(AGENT.id))[2:] == [
        AgentEvent(
            AGENT.id, 3, 2, cut.updated_at, "interrupted", "restart", session_id=AGENT.session_id, session_step=3
        )
    ]
    assert [s.state for s in await store.agent_steps(AGENT.id)] == ["outcome_unknown"] * 2


async def test_interrupting_leaves_other_agents_alone_and_tells_once(store: Store) -> None:
    """What has ended, what is somebody else's, and what is interrupted already."""
    ended = agent("b", state="completed")
    foreign = agent("c", owner="own_2", session_id=named("c").id)
    await store.put_agent(AGENT)
    for record in (ended, foreign):
        await store.put_agent(record)
    await store.put_session(named("c", owner="own_2"))

    for _ in range(2):
        await store.interrupt(dead_owners=["own_1"], reason="restart")

    assert await store.agent(ended.id) == ended
    assert await store.agent(foreign.id) == foreign
    assert await store.events(ended.id) == await store.events(foreign.id) == []
    (told,) = await store.events(AGENT.id)
    # No step of its own is stored: the number it knew stays.
    assert (told.sequence, told.after_step) == (1, AGENT.step_count)


async def test_an_agent_whose_session_is_interrupted_is_interrupted_with_it(store: Store) -> None:
    """Whoever drives it has no browser any more."""
    await store.put_session(SESSION)
    await store.put_agent(replace(AGENT, owner="own_2"))

    await store.interrupt(dead_owners=["own_1"], reason="restart")

    cut = await store.agent(AGENT.id)
    assert cut is not None
    assert (cut.state, cut.owner) == ("interrupted", "own_2")


# --- workflows and their runs ----------------------------------------------------------


async def test_versions_of_a_workflow_count_from_one_and_the_highest_is_the_one_that_runs(store: Store) -> None:
    """What is kept is never replaced; the number that the caller thought of is of no account."""
    other: dict[str, Any] = {"steps": []}
    assert await store.workflow(WORKFLOW.name) is None
    first = await store.add_workflow(replace(WORKFLOW, version=9))
    second = await store.add_workflow(replace(WORKFLOW, content=other, source=RUN.id))
    elsewhere = await store.add_workflow(workflow("another", created_at=1_500.0))

    assert first == WORKFLOW
    assert second == replace(WORKFLOW, content=other, source=RUN.id, version=2)
    assert await store.workflow(WORKFLOW.name) == second
    assert await store.workflow(WORKFLOW.name, 1) == first
    assert await store.workflow(WORKFLOW.name, 3) is None
    assert await store.workflows() == [elsewhere, second]
    assert await store.workflows(limit=1) == [elsewhere]


async def test_of_many_workflows_kept_at_once_each_gets_a_version_of_its_own(store: Store) -> None:
    """None of them is lost."""
    kept: list[WorkflowRecord] = []

    async def keep(number: int) -> None:
        kept.append(await store.add_workflow(replace(WORKFLOW, source=f"{number}")))

    async with anyio.create_task_group() as group:
        for number in range(8):
            group.start_soon(keep, number)

    assert sorted(record.version for record in kept) == list(range(1, 9))
    assert [await store.workflow(WORKFLOW.name, record.version) for record in kept] == kept


@pytest.mark.parametrize("verified", [True, False, None])
async def test_what_a_verification_showed_is_noted_on_its_version_alone(store: Store, verified: bool | None) -> None:
    """Another version is another script."""
    first, second = await store.add_workflow(WORKFLOW), await store.add_workflow(WORKFLOW)
    await store.note_verified(WORKFLOW.name, 1, verified=verified, at=2_000.5)
    await store.note_verified("nobody's", 1, verified=True, at=2_000.5)

    assert await store.workflow(WORKFLOW.name, 1) == replace(first, verified=verified, verified_at=2_000.5)
    assert await store.workflow(WORKFLOW.name, 2) == second


async def test_a_run_comes_back_as_it_was_put_and_put_again_is_replaced(store: Store) -> None:
    """Its steps and its script too, as what they are."""
    plain = RunRecord("run_" + "b" * 26, "own_1", "run", "running", SESSION.id, created_at=1.0, updated_at=1.0)
    ended = plain.but(state="completed", ended_at=3.0, updated_at=3.0, verified=True)
    for record in (RUN, plain, ended):
        await store.put_run(record)

    assert await store.run(RUN.id) == RUN
    assert await store.run(plain.id) == ended
    assert await store.run("run_" + "z" * 26) is None


async def test_runs_come_newest_first_and_no_more_than_asked_for(store: Store) -> None:
    """Of two made at one instant, the later put is the newer."""
    runs = [run("b", created_at=1.0), run("c", created_at=3.0), run("d", created_at=1.0)]
    for record in runs:
        await store.put_run(record)

    assert await store.runs() == [runs[1], runs[2], runs[0]]
    assert await store.runs(limit=1) == [runs[1]]


async def test_a_dead_owners_runs_are_interrupted_and_nobody_elses(store: Store) -> None:
    """A run is not resumed: it has ended, whatever it was doing."""
    ended, foreign = run("b", state="failed", ended_at=4.0), run("c", owner="own_2")
    for record in (RUN, ended, foreign):
        await store.put_run(record)
    assert await store.owners() == ["own_1", "own_2"]

    await store.interrupt(dead_owners=["own_1"], reason="restart")

    cut = await store.run(RUN.id)
    assert cut is not None
    assert cut.updated_at > RUN.updated_at
    at = cut.updated_at
    assert cut == RUN.but(state="interrupted", reason="restart", updated_at=at, ended_at=at)
    assert [await store.run(record.id) for record in (ended, foreign)] == [ended, foreign]
    assert await store.owners() == ["own_2"]


# --- requests -------------------------------------------------------------------------


async def test_a_request_is_claimed_once_and_its_answer_given_to_every_repeat(store: Store) -> None:
    """P2: a repeat with the same arguments gets the stored answer."""
    answer = {"text": "filled I1", "images": ["a"], "n": 3}
    assert await store.claim("r1", tool="execute", digest="d1", owner="own_1") == Claim(fresh=True, owner="own_1")
    assert await store.claim("r1", tool="execute", digest="d1", owner="own_2") == Claim(fresh=False, owner="own_1")
    await store.answer("r1", answer)

    assert await store.claim("r1", tool="execute", digest="d1", owner="own_2") == Claim(
        fresh=False, answer=answer, owner="own_1"
    )


@pytest.mark.parametrize(("tool", "digest"), [("execute", "d2"), ("start", "d1")])
async def test_a_request_id_with_other_arguments_is_told_apart(store: Store, tool: str, digest: str) -> None:
    """An id stands for one call; what the first one came to is still there."""
    await store.claim("r1", tool="execute", digest="d1", owner="own_1")

    claim = await store.claim("r1", tool=tool, digest=digest, owner="own_1")
    assert (claim.fresh, claim.same) == (False, False)
    assert (await store.claim("r1", tool="execute", digest="d1", owner="own_1")).same is True


async def test_a_claim_given_back_may_be_claimed_again_but_an_answer_stays(store: Store) -> None:
    """Nothing was done, so the repeat does it; what was answered was done."""
    await store.claim("r1", tool="execute", digest="d1", owner="own_1")
    await store.unclaim("r1")
    assert (await store.claim("r1", tool="execute", digest="d2", owner="own_2")).fresh is True

    await store.answer("r1", ["done"])
    await store.unclaim("r1")
    assert (await store.claim("r1", tool="execute", digest="d2", owner="own_2")).answer == ["done"]


async def test_of_many_claims_at_once_one_is_fresh(store: Store) -> None:
    """A host that repeats while the first call runs does not start a second one."""
    claims: list[Claim] = []

    async def claim() -> None:
        claims.append(await store.claim("r1", tool="execute", digest="d1", owner="own_1"))

    async with anyio.create_task_group() as group:
        for _ in range(8):
            group.start_soon(claim)

    assert sorted(claim.fresh for claim in claims) == [False] * 7 + [True]


# --- age --------------------------------------------------------------------------------


async def test_sweeping_deletes_what_ended_before_with_its_steps_and_nothing_else(store: Store) -> None:
    """Records are kept for their days; a live session is never swept, however old."""
    old = named("b", state="stopped", updated_at=10.0)
    young = named("c", state="failed", updated_at=30.0)
    live = named("d", state="ready", updated_at=10.0)
    for record in (old, young, live):
        await store.put_session(record)
        await store.intend([step(1, record)])
    await store.claim("r1", tool="execute", digest="d1", owner="own_1")

    assert await store.sweep(older_than=20.0) == [old.id]
    assert await store.session(old.id) is None
    assert await store.steps(old.id) == []
    assert {r.id for r in await store.sessions()} == {young.id, live.id}
    assert len(await store.steps(young.id)) == 1
    assert (await store.claim("r1", tool="execute", digest="d1", owner="own_1")).fresh is False


async def test_sweeping_deletes_old_agents_with_their_logs_and_never_live_ones(store: Store) -> None:
    """As with sessions; one that is only interrupted goes in its time too."""
    old = [agent("b", state="completed", updated_at=10.0), agent("c", state="interrupted", updated_at=10.0)]
    kept = [agent("d", state="failed", updated_at=30.0), agent("e", state="needs_input", updated_at=10.0)]
    for record in (*old, *kept):
        await store.put_agent(record, replace(EVENT, agent_id=record.id))

    assert await store.sweep(older_than=20.0) == []
    assert [await store.agent(record.id) for record in old] == [None, None]
    assert [await store.events(record.id) for record in old] == [[], []]
    assert {r.id for r in await store.agents()} == {record.id for record in kept}
    assert [len(await store.events(record.id)) for record in kept] == [1, 1]


async def test_the_session_that_a_kept_agent_stands_in_is_kept_with_it(store: Store) -> None:
    """An agent's steps are its session's; both go when the agent does."""
    await store.put_session(replace(SESSION, state="stopped", updated_at=10.0))
    await store.intend([agent_step(1, 1)])
    await store.put_agent(replace(AGENT, state="failed", updated_at=30.0))

    assert await store.sweep(older_than=20.0) == []
    assert len(await store.agent_steps(AGENT.id)) == 1
    assert await store.sweep(older_than=40.0) == [SESSION.id]
    assert await store.agent_steps(AGENT.id) == []


async def test_sweeping_deletes_old_runs_but_neither_live_ones_nor_any_workflow(store: Store) -> None:
    """What was saved by name is kept until somebody says otherwise."""
    old = run("b", state="completed", updated_at=10.0)
    kept = [run("c", state="failed", updated_at=30.0), run("d", updated_at=10.0)]
    for record in (old, *kept):
        await store.put_run(record)
    saved = await store.add_workflow(workflow("old", created_at=1.0))

    await store.sweep(older_than=20.0)

    assert await store.run(old.id) is None
    assert {r.id for r in await store.runs()} == {record.id for record in kept}
    assert await store.workflows() == [saved]


async def test_requests_older_than_the_sweep_are_forgotten(store: Store) -> None:
    """Their answers are kept as long as records are."""
    await store.claim("r1", tool="execute", digest="d1", owner="own_1")
    await store.sweep(older_than=float(2**40))

    assert (await store.claim("r1", tool="execute", digest="d1", owner="own_1")).fresh is True


# --- ends ---------------------------------------------------------------------------------


async def test_what_was_written_is_there_when_the_store_is_opened_again(
    opener: Callable[[Path], Awaitable[Store]], tmp_path: Path
) -> None:
    """P1, the gentle half; the hard one is in tests/store."""
    done = step(1, state="done", ended_at=1_002.0, receipt=RECEIPT)
    first = await opener(tmp_path / "store")
    await first.put_session(SESSION)
    await first.intend([STEP])
    await first.settle(done, SESSION)
    await first.close()
    second = await opener(tmp_path / "store")

    assert await second.sessions() == [SESSION]
    assert await second.steps(SESSION.id) == [done]
    await second.close()


async def test_a_write_whose_caller_is_cancelled_is_finished(store: Store) -> None:
    """A host that gives up a call leaves a whole step, not half of one."""
    done = step(1, state="done", ended_at=1_002.0, receipt=RECEIPT)
    moved = replace(SESSION, step_count=1, title="moved")
    await store.put_session(SESSION)
    await store.intend([STEP])

    with anyio.CancelScope() as scope:
        scope.cancel()
        await store.settle(done, moved)

    assert await store.steps(SESSION.id) == [done]
    assert await store.session(SESSION.id) == moved


async def test_a_closed_store_says_so_and_closing_twice_is_no_error(store: Store) -> None:
    """A late writer gets words, not a crash."""
    await store.close()
    await store.close()

    with pytest.raises(StoreUnusable, match="closed"):
        await store.put_session(SESSION)
