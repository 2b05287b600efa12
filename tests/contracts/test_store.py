"""The store's contract, held by every store. Another one is one more line in `STORES`."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import anyio
import pytest

from notte_mcp.errors import StoreUnusable
from notte_mcp.receipts import DialogEvent, Download, Locators, Receipt, Target
from notte_mcp.records import LIVE_STATES, SessionRecord, SessionSpec, StepRecord
from notte_mcp.store.base import Claim, Store
from notte_mcp.store.sql import SqlStore

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
)
STEP = StepRecord(
    session_id=SESSION.id,
    number=1,
    actor="assistant",
    state="intended",
    action={"type": "fill", "id": "I1", "value": {"secret": "PASSWORD"}},
    started_at=1_001.0,
    url="http://127.0.0.1/form",
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
    data={"rows": [1, None, "é"]},
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
