"""The real SDK 1.9.7, the last one with agents, against `notte-mcp api` as a process."""

from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from notte_mcp.demo.shop import Shop
from tests.api.process import Served, api_process
from tests.sdk.judge import judge

DONE, FAILED = [True, "Done.", "closed"], [False, "No such thing is sold here.", "closed"]
ONE_OF_THREE = [True, "Found one of the three.", "closed"]

LIFECYCLE: dict[str, Any] = {
    "run_blocks_until_the_end": {
        "found": [True, "Two kettles.", "closed"], "same": [True, True], "steps": ["goto", "fill", "completion"],
    },
    "start_returns_at_once_and_wait_waits": {
        "begun": "active", "running": ["active", None], "found": [True, "There.", "closed"],
    },
    "async_watching_gives_the_end": [True, "Watched.", "closed"],
    "agents_run_side_by_side_in_sessions_of_their_own": {"found": [ONE_OF_THREE] * 3, "sessions": 3},
    "agents_follow_each_other_on_one_session": {
        "answers": ["First.", "Second.", "Third."], "where": "product/copper-kettle",
    },
    "completed_and_failed_differ_by_success": {"completed": DONE, "failed": FAILED},
    "its_steps_are_bounded": {"success": False, "told": True, "steps": 4},
    "its_status_can_be_asked_at_any_time": {
        "id": True, "states": [["active", None, None]], "grew": True, "found": [True, "Asked.", "closed"],
    },
    "its_log_streams_until_the_end": {"streamed": True, "found": [True, "Streamed.", "closed"]},
    "it_can_be_stopped": {"found": ["closed", False], "session": "active"},
    "a_time_limit_around_the_wait_stops_it": ["timed out", "closed", False],
}  # fmt: skip
"""What each check of judged/lifecycle.py tells."""

OUTCOMES: dict[str, Any] = {
    "the_answer_has_the_structure_of_the_page": {
        "success": "bool", "answer": "str", "steps": "list", "agent_id": "str", "session_id": "str", "task": "str",
        "url": "str", "created_at": "datetime", "closed_at": "datetime",
    },
    "each_step_tells_action_success_and_message": [
        ["goto", True, True], ["fill", True, True], ["switch_tab", False, True], ["completion", True, True],
    ],
    "an_answer_of_a_given_form_is_json_of_it": {"name": "Copper kettle", "price": 89.0},
    "a_failure_is_an_answer_and_no_exception": [False, "The door is shut.", "by hand"],
    "a_failed_try_is_repeated_in_a_new_session": {"tries": [False, True], "sessions": 2},
    "an_agent_takes_over_where_an_action_fails": {
        "invoked": True, "success": True, "answer": "The form is open.", "steps": [True, False],
        "skipped": [True, True], "where": "order?product=copper-kettle&quantity=1",
    },
    "no_agent_comes_where_every_action_succeeds": [False, True, 2],
    "a_session_is_closed_at_the_end_of_its_block": ["active", "closed", "manual"],
    "an_exception_in_the_block_closes_it_too": ["closed", "error"],
    "agents_are_listed_and_found_by_their_id": {
        "newest": True, "active": 0, "by_id": [True, "Listed.", "closed"], "actions": ["goto", "fill"],
    },
    "the_code_of_an_agent_runs_again": {"falls back": True, "agents": 0},
}  # fmt: skip
"""What each check of judged/outcomes.py tells."""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, chromium: Path) -> Generator[Served]:
    """One API for both scripts."""
    with api_process(tmp_path_factory.mktemp("agents"), chromium=chromium) as running:
        yield running


@pytest.mark.parametrize(("script", "expected"), [("lifecycle.py", LIFECYCLE), ("outcomes.py", OUTCOMES)])
def test_every_example_of_the_agents_page_runs_with_the_sdk_that_has_agents(
    tmp_path: Path, served: Served, script: str, expected: dict[str, Any]
) -> None:
    """Notte's documentation of an agent's life, feature by feature, and AgentFallback; each script on one Chromium."""
    with Shop() as shop:
        told = judge(served, "1.9", script, tmp_path, shop=shop)

    assert told == expected
