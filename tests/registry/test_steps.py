"""What is written, and when: before the browser is touched, and before the caller hears."""

from collections.abc import Sequence

import anyio
import pytest

from notte_mcp import actions as a
from notte_mcp.errors import StoreUnusable, UnknownElement
from notte_mcp.records import SessionRecord, StepRecord
from notte_mcp.store.sql import SqlStore
from tests.registry.conftest import FORM, LIST, RESULT, House, Street, hanging, ids, run, states, until, until_state

pytestmark = pytest.mark.anyio


async def test_all_intents_are_on_disk_while_the_first_action_runs(house: House) -> None:
    """P1: one commit for all intents of a batch before the browser is touched."""
    async with hanging(house, a.Goto(url=LIST)) as (session_id, outcome):
        assert (await states(house, session_id))[1:] == [(2, "click", "intended"), (3, "goto", "intended")]
        assert (await house.registry.record(session_id)).step_count == 1
        house.gate.set()
        await until(lambda: bool(outcome))
    assert (await states(house, session_id))[1:] == [(2, "click", "done"), (3, "goto", "done")]


async def test_a_step_holds_the_action_its_receipt_and_where_it_ended(house: House) -> None:
    """The step log and the scripts stand on these fields."""
    session_id = await house.open(FORM)
    shown = await house.look(session_id)
    batch = await run(house, session_id, a.Fill(id=shown["Applicant"], value="Ada"), a.Click(id=shown["Send request"]))
    assert (batch.steps, batch.total, batch.stopped) == ((2, 3), 2, "")
    goto, fill, click = await house.registry.steps(session_id)
    assert (goto.number, goto.actor, goto.action) == (1, "assistant", {"type": "goto", "url": FORM})
    assert (fill.action, fill.url) == ({"type": "fill", "id": shown["Applicant"], "value": "Ada"}, FORM)
    assert (click.state, click.url, click.receipt) == ("done", RESULT, batch.receipts[1])
    record = await house.store.session(session_id)
    assert record is not None
    assert (record.url, record.title, record.step_count, record.state) == (RESULT, "Request received", 3, "ready")
    assert record.id_counters == house.browser(session_id).id_counters


async def test_nothing_is_done_and_nothing_written_when_one_id_is_unknown(house: House) -> None:
    """Design, section 3: every id must resolve before the first action."""
    session_id = await house.open(FORM)
    shown = await house.look(session_id)
    with pytest.raises(UnknownElement):
        await run(house, session_id, a.Fill(id=shown["Applicant"], value="Ada"), a.Click(id="B99"))
    assert await states(house, session_id) == [(1, "goto", "done")]
    assert [action.type for action in house.browser(session_id).performed] == ["goto"]


async def test_a_failure_stops_the_batch_and_its_rest_is_taken_back(house: House) -> None:
    """The numbers of what was not run are free again."""
    session_id = await house.open(FORM)
    shown = await house.look(session_id)
    wrong = a.SelectDropdownOption(id=shown["District"], value="Nowhere")
    name = a.Fill(id=shown["Applicant"], value="Ada")
    batch = await run(house, session_id, wrong, name)
    assert ([r.success for r in batch.receipts], batch.total) == ([False], 2)
    assert batch.stopped == "action 1 failed"
    assert await states(house, session_id) == [(1, "goto", "done"), (2, "select_dropdown_option", "failed")]
    assert (await run(house, session_id, name)).steps == (3,)


async def test_on_error_continue_goes_on_after_a_failure(house: House) -> None:
    """The caller said so."""
    session_id = await house.open(FORM)
    shown = await house.look(session_id)
    wrong = a.SelectDropdownOption(id=shown["District"], value="Nowhere")
    batch = await run(house, session_id, wrong, a.Fill(id=shown["Applicant"], value="Ada"), on_error="continue")
    assert ([r.success for r in batch.receipts], batch.stopped) == ([False, True], "")


async def test_a_batch_stops_where_the_page_is_left_and_a_later_action_names_an_id_of_it(house: House) -> None:
    """Design, section 3: the navigation was unexpected then."""
    session_id = await house.open(FORM)
    shown = await house.look(session_id)
    send, name = a.Click(id=shown["Send request"]), a.Fill(id=shown["Applicant"], value="Ada")
    batch = await run(house, session_id, send, name, on_error="continue")
    assert len(batch.receipts) == 1
    assert "left the page" in batch.stopped
    assert len(await states(house, session_id)) == 2


async def test_a_navigation_is_expected_when_no_later_action_names_an_id(house: House) -> None:
    """So a form with its submit and what waits for the answer are one batch."""
    session_id = await house.open(FORM)
    shown = await house.look(session_id)
    batch = await run(house, session_id, a.Click(id=shown["Send request"]), a.WaitFor(value="4711"), a.Goto(url=LIST))
    assert ([r.success for r in batch.receipts], batch.stopped) == ([True, True, True], "")


async def test_no_action_starts_after_the_deadline(house: House) -> None:
    """Measured from the call, on the registry's clock."""
    session_id = await house.open(FORM)
    batch = await run(house, session_id, a.Goto(url=LIST), deadline_s=0)
    assert (batch.receipts, batch.steps, batch.total) == ((), (), 1)
    assert "time" in batch.stopped
    assert await states(house, session_id) == [(1, "goto", "done")]


async def test_what_is_left_of_the_deadline_caps_an_action(house: House) -> None:
    """Design, section 3: each action's timeout is at most what is left."""
    session_id = await house.open(FORM)
    batch = await run(house, session_id, a.WaitFor(value="never there"), deadline_s=0.1)
    assert (batch.receipts[0].success, batch.receipts[0].code) == (False, "action_timeout")


async def test_a_caller_who_gives_up_leaves_an_unknown_outcome_and_a_ready_session(house: House) -> None:
    """P2: what was cut in the middle is neither done nor failed; the rest was never begun."""
    async with hanging(house, a.Goto(url=LIST)) as (session_id, _):
        pass
    assert await states(house, session_id) == [(1, "goto", "done"), (2, "click", "outcome_unknown")]
    assert (await house.registry.record(session_id)).state == "ready"
    assert (await run(house, session_id, a.Goto(url=LIST))).steps == (3,)


async def test_a_wait_that_is_cut_short_is_cancelled_since_it_changed_nothing(house: House) -> None:
    """Nobody has to look whether a wait happened."""
    session_id = await house.open(FORM)
    async with anyio.create_task_group() as group:
        group.start_soon(run, house, session_id, a.WaitFor(value="never there", timeout_ms=60_000))
        await until_state(house, session_id, "busy")
        await until(lambda: house.browser(session_id).acting)
        group.cancel_scope.cancel()
    assert (await states(house, session_id))[1] == (2, "wait_for", "cancelled")


async def test_views_are_numbered_through_and_changes_are_since_the_last_one(house: House) -> None:
    """Design, section 2."""
    session_id = await house.open(FORM)
    async with house.registry.use(session_id) as live:
        first = await live.observe()
        await live.execute([a.Fill(id=ids(first)["Applicant"], value="Ada")], on_error="stop", deadline_s=5)
        second = await live.observe(mode="changes")
        third = await live.observe(mode="changes", since=first.view)
    assert [view.view for view in (first, second, third)] == [1, 2, 3]
    assert second.changes is not None
    assert third.changes is not None
    assert (second.changes.since, third.changes.since) == (1, 1)
    assert (await house.registry.record(session_id)).view == 3


async def test_ids_that_were_shown_are_on_disk_before_anyone_uses_them(house: House) -> None:
    """After a crash an id must not be given to another element."""
    session_id = await house.open(FORM)
    await house.look(session_id)
    record = await house.store.session(session_id)
    assert record is not None
    assert record.id_counters == house.browser(session_id).id_counters != {}


async def test_a_wait_that_is_longer_than_what_is_left_of_the_call_is_not_begun(house: House) -> None:
    """Cut short it would not be what was asked for; the rest of the batch is sent again."""
    session_id = await house.open(FORM)
    batch = await run(house, session_id, a.Wait(time_ms=0), a.Wait(time_ms=30_000), a.Reload(), deadline_s=5)
    assert [receipt.success for receipt in batch.receipts] == [True]
    assert batch.stopped.startswith("wait 30000 is longer than the 5 s left for this call; send the rest")
    assert [kind for _, kind, _ in await states(house, session_id)] == ["goto", "wait"]


async def test_events_outside_of_actions_are_told_once(house: House) -> None:
    """To the holder who comes first, as often as that one asks."""
    session_id = await house.open(FORM)
    house.browser(session_id).happened.append("a tab was closed by its page")
    async with house.registry.use(session_id) as live:
        assert live.events == live.events == ("a tab was closed by its page",)
    async with house.registry.use(session_id) as live:
        assert live.events == ()


class FullDisk(SqlStore):
    """A store that takes no outcome, and takes no intent back, while the disk is `full`."""

    full = False

    @classmethod
    def over(cls, store: SqlStore) -> "FullDisk":
        return cls(store._database)

    async def settle(self, step: StepRecord, session: SessionRecord) -> None:
        if self.full:
            raise StoreUnusable("The disk is full.")
        await super().settle(step, session)

    async def withdraw(self, session_id: str, numbers: Sequence[int]) -> None:
        if self.full:
            raise StoreUnusable("The disk is full.")
        await super().withdraw(session_id, numbers)


async def test_an_outcome_that_the_disk_refuses_is_told_and_written_with_the_next_step(street: Street) -> None:
    """The action was done all the same: the error says so, and the log is whole once there is room."""
    async with street.house(store=FullDisk.over) as house:
        assert isinstance(house.store, FullDisk)
        session_id = await house.open(FORM)
        shown = await house.look(session_id)
        name = a.Fill(id=shown["Applicant"], value="Ada")
        house.store.full = True
        with pytest.raises(StoreUnusable, match="performed"):
            await run(house, session_id, name, a.Goto(url=LIST))
        # The second one was never begun, and only the disk does not know.
        assert (await states(house, session_id))[:2] == [(1, "goto", "done"), (2, "fill", "intended")]
        house.store.full = False
        assert (await run(house, session_id, a.Goto(url=LIST))).steps == (3,)
        assert [state for _, _, state in await states(house, session_id)] == ["done", "done", "done"]
