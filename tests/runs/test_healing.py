"""A step that an agent mends: what it is told, what becomes of its fix, and when there is none."""

from dataclasses import replace

import pytest

from notte_mcp import actions as a
from notte_mcp.errors import ModelMissing
from notte_mcp.receipts import Locators
from notte_mcp.runs import Script, steps
from notte_mcp.workflows import load
from tests.agents.conftest import DONE, GAVE_UP, shown
from tests.registry.conftest import until
from tests.runs.conftest import APPLICANT, CODE, FILL, GO, RESULT, SEND, TYPE_CODE, House

pytestmark = pytest.mark.anyio

GONE = Locators(test_id="gone")
LOST = replace(FILL, action=a.Fill(selector="#gone", value="", timeout_ms=200), locators=GONE)
LOST_SEND = replace(SEND, action=a.Click(selector="#gone", timeout_ms=200), locators=GONE)
TYPES = {"actions": [{"type": "fill", "id": "{{textbox 'Applicant'}}", "value": "Grace"}]}
SENDS = {"actions": [{"type": "click", "id": "{{button 'Send request'}}"}]}


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:  # pyright: ignore[reportUnusedFunction]
    monkeypatch.setattr(steps, "FIRST_WAY_S", 0.05)


async def test_what_an_agent_did_in_a_steps_place_is_a_proposal_and_the_run_goes_on(house: House) -> None:
    """The text that it typed is the parameter that was given; nothing takes the workflow's place by itself."""
    model = house.inner.plan(TYPES, DONE)
    run = await house.done(GO, LOST, SEND, heal=True, parameters={"applicant": "Grace"})

    assert (run.state, run.agent_id is not None) == ("completed", True)
    assert [step.state for step in run.steps] == ["passed", "healed", "passed"]
    assert run.steps[1].healed_by == f"agent {run.agent_id}"
    asked = shown(model.requests[0])
    assert 'fill textbox "Applicant"; with "Grace"' in asked
    assert 'click button "Send request"' in asked
    assert run.proposal is not None
    mended = load(run.proposal)
    assert [step.number for step in mended.steps] == [1, 2, 4]
    assert mended.parameters == (APPLICANT,)
    assert (mended.steps[1].value, mended.steps[1].name) == (APPLICANT, "Applicant")
    again = await house.done(workflow=mended)
    assert [step.state for step in again.steps] == ["passed"] * 3
    assert (await house.runs.workflows()) == []


async def test_a_fix_has_to_lead_where_the_step_led(house: House) -> None:
    """And a verification that needed one does not hold as it was."""
    house.inner.plan(DONE)
    astray = await house.done(GO, LOST_SEND, heal=True)
    assert (astray.state, astray.proposal) == ("failed", None)
    assert f"in the recording to {RESULT}" in astray.why

    house.inner.plan(SENDS, DONE)
    run = await house.done(GO, LOST_SEND, heal=True, kind="verify", script=Script("playwright", ""))
    assert (run.verified, run.proposal is not None) == (False, True)
    assert run.script is not None
    assert run.script.passed is None
    assert run.proposal is not None
    assert load(run.proposal).steps[-1].leads_to == RESULT


async def test_a_step_that_no_agent_mends_fails(house: House) -> None:
    """One that gives up, one that asks (nobody is there), and one that would need a secret, which none is given."""
    house.inner.plan(GAVE_UP)
    assert "There is no such form" in (await house.done(GO, LOST, heal=True)).why
    house.inner.plan({"actions": [{"type": "help", "value": "Which name?"}]})
    asked = await house.done(GO, LOST, heal=True)
    assert "Which name?" in asked.why
    assert asked.agent_id is not None
    assert (await house.inner.agents.record(asked.agent_id)).state == "stopped"
    secret = replace(TYPE_CODE, action=a.Fill(selector="#gone", value="", timeout_ms=200), locators=GONE)
    model = house.inner.plan(DONE)
    run = await house.done(GO, secret, heal=True, parameters={CODE.name: "correct horse"})
    assert "given to no agent" in run.why
    assert model.requests == []


async def test_healing_needs_a_model_and_says_so_before_it_starts(house: House) -> None:
    """Nothing is opened."""
    house.inner.models.default = None
    with pytest.raises(ModelMissing):
        await house.start(GO, heal=True)
    assert house.browsers == {}


async def test_a_run_that_is_stopped_while_an_agent_mends_it_stops_the_agent(house: House) -> None:
    """Within the time that a stop has."""
    model = house.inner.plan(DONE)
    model.gate = house.inner.gate
    run = await house.start(GO, LOST, heal=True)
    await until(lambda: bool(model.requests))
    ended = await house.runs.stop(run.id, mode="now")
    assert (ended.state, ended.agent_id is not None) == ("stopped", True)
    assert ended.agent_id is not None
    assert (await house.inner.agents.record(ended.agent_id)).has_ended
