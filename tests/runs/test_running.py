"""A workflow done again: its steps, its values, what heals and what does not, where it ends."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import anyio
import pytest

from notte_mcp import actions as a
from notte_mcp.errors import InvalidArgument, LimitReached, SessionChoice, UnknownRun
from notte_mcp.ids import new_run_id
from notte_mcp.receipts import Locators, Receipt
from notte_mcp.records import SessionSpec, StepRecord
from notte_mcp.runs import Script, compare, steps
from notte_mcp.runs.cut import UNKNOWN, by_the_log
from notte_mcp.tools import waiting
from notte_mcp.tools.run_accounts import run_next
from notte_mcp.workflows import Parameter, WorkflowStep, load
from notte_mcp.workflows.shapes import shape_of
from tests.agents.conftest import Street
from tests.registry.conftest import run as act
from tests.registry.conftest import until
from tests.runs.conftest import (
    APPLICANT,
    CODE,
    FILL,
    FORM,
    GO,
    GO_SLOW,
    RESULT,
    SECRET,
    SEND,
    SLOWLY,
    TYPE_CODE,
    House,
    opened,
    workflow,
)

pytestmark = pytest.mark.anyio
GONE = Locators(test_id="gone")


async def test_a_run_does_the_steps_and_ends_where_the_recording_did(house: House) -> None:
    """And nothing of it is left but its record."""
    made = workflow(GO, FILL, SEND, final_url=RESULT, expects=("Your request has the number 4711.",))
    run = await house.done(workflow=made, parameters={"applicant": "Grace"})

    assert (run.state, run.reason, run.difference, run.verified) == ("completed", "", "", None)
    assert [(step.number, step.what, step.state) for step in run.steps] == [
        (1, f"open {FORM}", "passed"),
        (2, 'fill textbox "Applicant"', "passed"),
        (4, 'click button "Send request"', "passed"),
    ]
    assert run.parameters == {"applicant": "Grace"}
    fill = next(action for action in next(iter(house.browsers.values())).performed if isinstance(action, a.Fill))
    assert fill.value == "Grace"
    assert all(browser.closed for browser in house.browsers.values())
    assert await house.inner.store.run(run.id) == run
    assert [told.step_count for told in house.told if told.state == "running"][:3] == [1, 2, 3]


async def test_a_value_that_does_not_fit_is_refused_before_anything_starts(house: House) -> None:
    """With the names there are, or the variable to set."""
    for given, said in (
        ({"aplicant": "Grace"}, "applicant, secret_access_code"),
        ({"applicant": ["Grace"]}, "a text, and not a list"),
        ({}, "SECRET_ACCESS_CODE is not set"),
    ):
        with pytest.raises(InvalidArgument, match=said):
            await house.start(GO, FILL, TYPE_CODE, parameters=given)
    path = Parameter("cv", type="path", default="/nowhere/cv.pdf")
    with pytest.raises(InvalidArgument, match="there is none at"):
        await house.start(workflow=replace(workflow(GO), parameters=(path,)))
    assert house.browsers == {}
    assert await house.runs.runs() == []


async def test_a_verification_takes_no_parameters_and_says_what_to_do_instead(house: House) -> None:
    """The session has ended: the variable, a live session, or a run with parameters."""
    with pytest.raises(InvalidArgument) as refused:
        await house.start(GO, TYPE_CODE, kind="verify", source="ses_" + "0" * 26)
    said = str(refused.value)
    assert "set SECRET_ACCESS_CODE in the environment" in said
    assert "verify while its session is live" in said
    assert f'notte_run_workflow(id="ses_{"0" * 26}", parameters={{"secret_access_code": ...}})' in said
    assert "the same call with" not in said


async def test_a_file_of_the_recorded_session_is_given_to_the_runs_own(house: House) -> None:
    """By its name there, also once that session has ended; one that is nowhere is refused."""
    registry = house.inner.office.registry
    source = await house.inner.office.open(FORM)
    await registry.put_file(source, "cv.pdf", b"%PDF-1")
    await registry.stop(source)
    cv = Parameter("cv", type="path", default="cv.pdf")
    upload = WorkflowStep(2, a.UploadFile(selector="#applicant", path="cv.pdf"), value=cv, locators=FILL.locators)
    run = await house.done(GO, replace(upload, leads_to="http://nowhere.test/"), source=source)
    assert run.session_id is not None
    assert await registry.read_file(run.session_id, "cv.pdf") == b"%PDF-1"
    uploaded = [one.path for one in list(house.browsers.values())[-1].performed if isinstance(one, a.UploadFile)]
    assert uploaded == ["cv.pdf"]
    with pytest.raises(InvalidArgument, match="nor among the files"):
        await house.start(GO, upload, source=source, parameters={"cv": "letter.pdf"})


async def test_a_number_is_typed_as_text(house: House) -> None:
    """What a model writes as JSON."""
    run = await house.done(GO, FILL, parameters={"applicant": 17})
    assert (run.state, run.parameters) == ("completed", {"applicant": "17"})


async def test_a_secret_comes_from_the_session_that_it_was_typed_in_and_is_written_nowhere(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else from its variable, else from the caller; the record holds its name alone."""
    office = house.inner.office
    source = await office.open(FORM)
    await act(office, source, a.Fill(selector="#code", value=SECRET))
    assert office.registry.secrets(source) == {CODE.env: SECRET}
    first = await house.done(GO, TYPE_CODE, source=source)
    await office.registry.stop(source)
    assert office.registry.secrets(source) == {}
    monkeypatch.setenv(CODE.env or "", SECRET)
    second = await house.done(GO, TYPE_CODE, source=source)
    monkeypatch.delenv(CODE.env or "")
    third = await house.done(GO, TYPE_CODE, source=source, parameters={"secret_access_code": SECRET})
    for run in (first, second, third):
        assert (run.state, run.parameters) == ("completed", {})
    typed = [one.value for browser in house.browsers.values() for one in browser.performed if isinstance(one, a.Fill)]
    assert typed == [SECRET] * 4
    assert SECRET.encode() not in office.database()


async def test_another_recorded_way_heals_a_step_only_if_it_can_be_believed(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Same role by a steady way; by where it stands only with the same name, too."""
    monkeypatch.setattr(steps, "FIRST_WAY_S", 0.05)
    gone = Locators(test_id="gone", css="#applicant")
    run = await house.done(GO, replace(FILL, locators=gone), SEND)
    assert [step.state for step in run.steps] == ["passed", "healed", "passed"]
    assert run.healed[0].healed_by == "#applicant"
    assert run.proposal is not None
    proposed = load(run.proposal)
    assert [step.locators for step in proposed.steps] == [None, Locators(css="#applicant"), SEND.locators]
    again = await house.done(workflow=proposed)
    assert ([step.state for step in again.steps], again.proposal) == (["passed"] * 3, None)

    quick = a.Fill(selector="#applicant", value="", timeout_ms=300)
    other = replace(FILL, action=quick, locators=Locators(test_id="gone", css="#send"))
    run = await house.done(GO, other, SEND)
    assert [step.state for step in run.steps] == ["passed", "failed", "not_run"]
    assert run.difference == 'step 2, fill textbox "Applicant", failed'
    assert "none of 2 recorded ways" in run.steps[1].message
    assert run.why == f"{run.difference}: {run.steps[1].message}"
    assert (run.state, house.performed().count("click")) == ("failed", 0)


async def test_fields_in_a_row_are_one_batch_and_each_has_an_outcome_of_its_own(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Written down in one go, told one by one; the one that fails or heals is that one, and what follows goes on or not."""
    monkeypatch.setattr(steps, "FIRST_WAY_S", 0.05)
    batches, intend = list[int](), house.inner.store.intend

    async def counted(intents: Sequence[StepRecord]) -> None:
        batches.append(len(intents))
        await intend(intents)

    monkeypatch.setattr(house.inner.store, "intend", counted)
    district = WorkflowStep(
        5, a.SelectDropdownOption(selector="#d", value="East"), locators=Locators(role=("combobox", "District"))
    )
    secret = {"parameters": {"secret_access_code": SECRET}}

    run = await house.done(GO, FILL, TYPE_CODE, district, SEND, **secret)
    assert [step.state for step in run.steps] == ["passed"] * 5
    assert [told.step_count for told in house.told if told.state == "running"][:5] == [1, 2, 3, 4, 5]
    assert batches == [1, 3, 1]

    gone = replace(TYPE_CODE, locators=Locators(test_id="gone", css="#code"))
    run = await house.done(GO, FILL, gone, district, SEND, **secret)
    assert [step.state for step in run.steps] == ["passed", "passed", "healed", "passed", "passed"]

    nowhere = replace(district, action=a.SelectDropdownOption(selector="#d", value="Nowhere"))
    run = await house.done(GO, FILL, nowhere, TYPE_CODE, SEND, **secret)
    assert [step.state for step in run.steps] == ["passed", "passed", "failed", "not_run", "not_run"]
    assert run.difference.startswith("step 5, choose in")


async def test_a_run_that_fails_leaves_its_page_open_to_be_looked_at_and_a_verification_does_not(house: House) -> None:
    """The record names the session, and no id that is left out means it; why it failed is said by the step alone."""
    astray = replace(SEND, leads_to=FORM + "/thanks")
    run = await house.done(GO, astray)
    assert (run.state, run.session_id is not None) == ("failed", True)
    assert f"it led to {RESULT}" in run.steps[1].message
    assert (run.reason, run.difference) == ("", 'step 4, click button "Send request", failed')
    assert run.session_id is not None
    registry = house.inner.office.registry
    assert (await registry.record(run.session_id)).state == "ready"
    with pytest.raises(SessionChoice, match="No session is live"):
        await registry.resolve(None)
    own, _ = await registry.open(SessionSpec())
    assert await registry.resolve(None) == own.id

    run = await house.done(GO, astray, kind="verify")
    assert (run.state, run.verified, run.session_id) == ("failed", False, None)


async def test_an_end_that_differs_is_told(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """The address first, then what was to be seen."""
    monkeypatch.setattr(compare, "END_MS", 100)
    elsewhere = await house.done(workflow=workflow(GO, final_url=RESULT))
    unseen = await house.done(workflow=workflow(GO, final_url=FORM, expects=("Welcome back",)))
    assert (elsewhere.state, elsewhere.difference) == ("failed", f"it ended at {FORM}, and the recording at {RESULT}")
    assert unseen.difference == '"Welcome back" was to be seen at the end, and is not'


async def test_a_script_that_fails_after_the_steps_effects_may_fail_by_them(house: House) -> None:
    """What the steps deleted is not there for the script; it is said, and the verification holds no less."""
    script = Script("playwright", "raise SystemExit(1)")
    run = await house.done(GO, FILL, SEND, kind="verify", script=script)
    assert (run.state, run.verified, run.failed_step) == ("failed", False, None)
    assert "had done their effects before the script ran (step 4 sends POST http://office.test/send)" in run.difference
    told = run_next(run, is_open=False)
    assert "another way" not in told
    assert "used up" in told

    looks = await house.done(GO, FILL, kind="verify", script=script)
    assert (looks.verified, "effects" in looks.difference) == (False, False)


async def test_a_safe_verification_stops_before_the_first_effect(house: House) -> None:
    """It says what would be done again; without any effect it goes to the end."""
    script = Script("playwright", "raise SystemExit")
    run = await house.done(GO, FILL, SEND, kind="verify", mode="safe", script=script)
    assert (run.state, run.verified) == ("completed", None)
    assert "sends POST http://office.test/send" in run.reason
    assert [step.state for step in run.steps] == ["passed", "passed", "not_run"]
    assert "click" not in house.performed()
    assert run.script is not None
    assert run.script.passed is None

    run = await house.done(GO, FILL, kind="verify", mode="safe", script=Script("json", "[]"))
    assert (run.state, run.verified) == ("completed", True)


async def test_a_stopped_run_ends_in_the_middle_of_a_step_with_its_session(house: House) -> None:
    """P4; who waits for a step, or for the end, comes back."""
    run = await house.start(GO_SLOW, SLOWLY)
    await until(lambda: house.inner.gate.statistics().tasks_waiting > 0)
    newer = run.but(id=new_run_id(), state="completed", created_at=run.created_at + 1)
    await house.inner.store.put_run(newer)
    assert [one.id for one in await house.runs.runs(limit=1)] == [run.id]  # though one is newer
    assert (await house.runs.wait(run.id, seconds=5, after_step=0, until="step")).step_count == 1
    assert (await house.runs.wait(run.id, seconds=0)).state == "running"
    with anyio.fail_after(4):
        ended = await house.runs.stop(run.id)
    assert (ended.state, ended.reason, ended.session_id) == ("stopped", "user", None)
    assert [(step.number, step.state) for step in ended.steps] == [(1, "passed"), (2, "failed")]
    assert "whether it was done is not known" in ended.steps[1].message
    assert ended.step_count == 1
    assert all(browser.closed for browser in house.browsers.values())
    assert await house.runs.stop(run.id) == ended
    with pytest.raises(UnknownRun):
        await house.runs.stop("run_" + "0" * 26)


async def test_runs_that_are_live_when_the_server_ends_are_interrupted(street: Street, tmp_path: object) -> None:
    """And say so to the next one; a limit holds meanwhile, and names who has the places."""
    async with opened(street, tmp_path, limit=1) as house:  # type: ignore[arg-type]
        run = await house.start(GO_SLOW, SLOWLY)
        await until(lambda: house.inner.gate.statistics().tasks_waiting > 0)
        with pytest.raises(LimitReached, match=run.id):
            await house.start(GO)
    async with street.house("own_2") as after:
        kept = await after.store.run(run.id)
    assert kept is not None
    assert (kept.state, kept.reason) == ("interrupted", "restart")


async def test_after_a_crash_a_run_knows_what_its_session_knows(house: House) -> None:
    """The run was last written at its start; what was done since, and what was under way, stands in the session."""
    run = await house.start(GO_SLOW, SLOWLY, SEND)
    written = await house.inner.store.run(run.id)
    assert written is not None
    await until(lambda: house.inner.gate.statistics().tasks_waiting > 0)
    log = await house.inner.office.registry.steps(run.session_id or "")
    crashed = [replace(step, state="outcome_unknown") if step.state == "intended" else step for step in log]
    told = by_the_log(written.but(state="interrupted"), crashed)
    assert [(step.number, step.state) for step in told.steps] == [(1, "passed"), (2, "failed")]
    assert (told.step_count, told.steps[1].message) == (1, UNKNOWN)
    assert by_the_log(told, crashed) == told
    await house.runs.stop(run.id, mode="now")
    await house.inner.store.put_run(written.but(state="interrupted"))
    read = await house.runs.record(run.id)
    assert (read.step_count, read.steps[0].state) == (1, "passed")


async def test_progress_names_the_step_that_a_run_stopped_at(house: House) -> None:
    """And counts none of those behind it."""
    run = await house.done(
        GO, replace(FILL, action=a.Fill(selector="#x", value="", timeout_ms=200), locators=GONE), SEND
    )
    assert [step.state for step in run.steps] == ["passed", "failed", "not_run"]
    assert waiting.said(run) == 'failed, 2 steps, fill textbox "Applicant"'


async def test_what_a_page_gave_is_the_result_and_has_the_recorded_form(house: House) -> None:
    """A form that differs is a difference."""
    read = replace(GO, number=2, action=a.EvaluateJs(code="document.title"), answers=True, shape={"type": "string"})
    run = await house.done(GO, read)
    assert (run.state, run.result) == ("completed", "Permit request")
    for shape in (shape_of({"a": 1}), shape_of(["a"]), {"type": "string", "minLength": 99}):
        run = await house.done(GO, replace(read, shape=shape))
        assert "not of the recorded form" in run.why


@pytest.mark.parametrize(
    ("recorded", "data", "fails", "told"),
    [
        ([{"a": 1, "b": "x"}], [{"a": 2}], False, "'b' is a required property"),
        ({"price": 9.5}, {"price": "9.50 EUR"}, False, "not of type 'number'"),
        (7, "seven", False, "not of type"),
        ("x", 7, False, "not of type 'string'"),
        (True, None, True, "None is not of type"),
        ([1], [], True, "should be non-empty"),
        ({"a": 1}, {}, True, "should be non-empty"),
        ([1], {"0": 1}, True, "not of type 'array'"),
        ([], [{"b": 1}], False, ""),
        (None, {"b": 1}, False, ""),
    ],
)
def test_only_another_kind_of_data_or_none_is_a_difference(recorded: Any, data: Any, fails: bool, told: str) -> None:
    """Other data have other keys: that is told, and no reason to fail."""
    read = replace(GO, action=a.EvaluateJs(code="x"), shape=shape_of(recorded))
    receipt = Receipt("evaluate_js", success=True, data=data)
    assert (bool(compare.misfit(read, receipt)), bool(compare.oddity(read, receipt))) == (fails, bool(told))
    assert told in (compare.misfit(read, receipt) or compare.oddity(read, receipt))


async def test_what_is_otherwise_in_the_data_is_told_of_a_step_that_passed(house: House) -> None:
    """In the run's record, with the step."""
    read = replace(GO, number=2, action=a.EvaluateJs(code="document.title"), answers=True, shape=shape_of(7))
    run = await house.done(GO, read)
    assert (run.state, run.difference, run.steps[1].state) == ("completed", "", "passed")
    assert "not quite of the recorded form" in run.steps[1].message


async def test_workflows_are_kept_by_name_and_version(house: House) -> None:
    """The highest runs; a verification is noted on the version it was of."""
    for name in ("", "a b", "../x", "x" * 65, "a@2"):
        with pytest.raises(InvalidArgument, match="no name"):
            await house.runs.save(name, workflow(GO), source="ses_0")
    await house.runs.save("orders", workflow(GO), source="ses_0")
    second = await house.runs.save("orders", workflow(GO, FILL), source="ses_0")
    assert ((await house.runs.workflow("orders")).version, (await house.runs.workflow("orders@1")).version) == (2, 1)
    with pytest.raises(Exception, match="orders@2"):
        await house.runs.workflow("orders@3")
    run = await house.done(GO, FILL, kind="verify", saved=second)
    assert (run.workflow, run.version, run.verified) == ("orders", 2, True)
    assert [(one.version, one.verified) for one in await house.runs.workflows()] == [(2, True)]
    assert (await house.runs.workflow("orders@1")).verified is None
    assert APPLICANT.name in str(second.content)
