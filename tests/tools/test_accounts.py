"""What is told of steps while some of them are still under way."""

import pytest

from notte_mcp.agent_records import AgentRecord, AgentSpec, AgentState, Usage
from notte_mcp.receipts import Receipt
from notte_mcp.records import SessionRecord, SessionSpec, StepRecord, StepState
from notte_mcp.resources.address import Place
from notte_mcp.resources.log import Line
from notte_mcp.resources.log_json import agent_line
from notte_mcp.tools.accounts import account, agent_account, agent_next

SESSION = SessionRecord("ses_1", "me", "busy", SessionSpec(), 1.0, 1.0, step_count=4)
AGENT = AgentRecord(
    "agt_1", "me", "running", AgentSpec("task", "model", SessionSpec()), "ses_1", 1.0, 1.0, step_count=3
)


def steps(*states: StepState) -> list[StepRecord]:
    """Steps 2, 3, ... of the session, which are 1, 2, ... of the agent."""
    return [
        StepRecord(
            "ses_1",
            number,
            "model",
            state,
            {"type": "wait"},
            1.0,
            receipt=Receipt("wait", success=True) if state == "done" else None,
            agent_id="agt_1",
            agent_step=number - 1,
        )
        for number, state in enumerate(states, start=2)
    ]


def test_a_step_in_flight_is_shown_and_asked_for_again() -> None:
    """Its outcome is still to come: `last_step` (the next `after_step`) stays before it."""
    told = agent_account(AGENT, SESSION, steps("done", "intended"), after=0)

    assert [(step["number"], "success" in step) for step in told["steps"]] == [(1, True), (2, False)]
    assert told["last_step"] == 1
    assert "after_step=1" in told["next"]


def test_what_a_batch_has_still_to_begin_is_not_told() -> None:
    """A batch of twenty would be told twenty times over to who follows it step by step."""
    told = account(SESSION, steps("done", "done", "intended", "intended", "intended"), after=1)

    assert [step["number"] for step in told["steps"]] == [2, 3, 4]
    assert told["last_step"] == 3


def test_an_unknown_outcome_is_one() -> None:
    """Nothing more will be known of it, so a reader goes on behind it."""
    told = agent_account(AGENT, SESSION, steps("outcome_unknown", "done"), after=0)

    assert [step["number"] for step in told["steps"]] == [1, 2]
    assert told["last_step"] == 2


def test_without_a_step_the_cursor_stays_where_it_was() -> None:
    assert agent_account(AGENT, SESSION, [], after=3)["last_step"] == 3
    assert account(SESSION, steps("intended"), after=1)["last_step"] == 1


def test_nobody_says_that_an_unknown_outcome_was_a_failure() -> None:
    """Status leaves `success` out, the log has null."""
    (step,) = steps("outcome_unknown")

    assert "success" not in agent_account(AGENT, SESSION, [step], after=0)["steps"][0]
    assert agent_line(Line(Place(1), step), filmed=False)["success"] is None


@pytest.mark.parametrize(
    ("state", "reason", "goes_on"),
    [
        ("stopped", "max_steps", True),
        ("stopped", "timeout", True),
        ("failed", "model_error", True),
        ("stopped", "user", False),
        ("completed", "", False),
    ],
)
def test_an_agent_that_stopped_short_says_how_to_go_on_from_there(
    state: AgentState, reason: str, *, goes_on: bool
) -> None:
    """Its script alone would be half of one."""
    ended = AGENT.but(state=state, reason=reason)

    assert ('notte_observe(session_id="ses_1")' in agent_next(ended, last_step=3)) is goes_on
    assert "notte_workflow_code" in agent_next(ended, last_step=3)
    assert "notte_observe" not in agent_next(ended, last_step=3, is_open=False)


def test_a_price_of_nothing_stays_a_price() -> None:
    """US dollars are a float, whatever they add up to."""
    free = Usage(model_calls=1, usd=0.0)

    assert str(free.plus(free).usd) == "0.0"
    assert free.plus(Usage(model_calls=1)).usd is None
