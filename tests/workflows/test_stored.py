"""A workflow as it is kept: out to JSON and back."""

import json
import re
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from notte_mcp.actions import ACTION_TYPES
from notte_mcp.errors import InvalidArgument
from notte_mcp.workflows import dump, generalise, load
from tests.workflows.recording import SPEC, Recording
from tests.workflows.test_forms import SPEC as FULL_SPEC
from tests.workflows.test_forms import everything
from tests.workflows.test_hostile_text import TEXTS, hostile

NEVER_STEPS = {"wait", "help", "completion"}


def test_every_action_comes_back_as_it_was() -> None:
    """Ours: exactly, through JSON text, with each type that a workflow may hold."""
    workflow = generalise(everything().steps, FULL_SPEC, keep_failed=True, seen=["Sent"], tasks={"agt_1": "Send it"})
    again = load(json.loads(json.dumps(dump(workflow))))

    assert again == workflow
    assert {step.action.type for step in again.steps if step.action} == set(ACTION_TYPES) - NEVER_STEPS


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(TEXTS)
def test_every_text_comes_back_as_it_was(text: str) -> None:
    """Ours: whatever a page or a person wrote; half a character is gone before, or nothing could keep it."""
    workflow = generalise(hostile(text).steps, SPEC, keep_failed=True, seen=[text], tasks={"agt_1": text})

    assert load(json.loads(json.dumps(dump(workflow)).encode().decode())) == workflow


def test_nothing_of_one_session_alone_is_kept() -> None:
    """Ours: no element id, no password, no address of somebody's own browser."""
    workflow = generalise(everything().steps, FULL_SPEC, keep_failed=True)
    text = json.dumps(dump(workflow))

    assert "hunter2" not in text
    assert not re.search(r'"(id|to_id)":', text)
    assert not any(f'"{key}"' in text for key in ("I1", "B2", "L1", "M1"))


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"format": 1},
        {"format": "1", "steps": [], "parameters": [], "spec": {}},
        {"format": 1, "steps": [{"number": "x"}], "parameters": [], "spec": {}},
        {"format": 1, "steps": [{"number": 1, "action": {"type": "teleport"}}], "parameters": [], "spec": {}},
        {"format": 1, "steps": [{"number": 1, "action": "click"}], "parameters": [], "spec": {}},
        {"format": 1, "steps": [{"number": 1, "action": {"type": "goto"}}], "parameters": [], "spec": {}},
        {"format": 1, "steps": 7, "parameters": [], "spec": {}},
        {"format": 1, "steps": [None], "parameters": [], "spec": {}},
    ],
)
def test_what_is_no_workflow_is_refused(content: dict[str, Any]) -> None:
    """Ours: in words, whatever it is."""
    with pytest.raises(InvalidArgument, match="no workflow that notte-mcp kept"):
        load(content)


def test_a_workflow_of_a_newer_version_is_refused_as_one() -> None:
    """Ours: half of it would be another workflow."""
    content = dump(generalise(Recording().goto("http://h.test/").steps, SPEC))

    with pytest.raises(InvalidArgument, match="newer version of notte-mcp"):
        load(content | {"format": 2})
