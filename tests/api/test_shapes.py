"""Steps in the contract's shapes: whatever was done, a reader of either version can parse it."""

from typing import Any

import pytest

from notte_mcp.actions import ACTION_CLASSES
from notte_mcp.api import shapes
from notte_mcp.api.trajectory import Telling
from notte_mcp.batches import parse_action
from notte_mcp.receipts import Locators, Receipt, Target
from notte_mcp.records import StepRecord
from notte_mcp.registry.redaction import Redactor
from notte_mcp.registry.written import write_down

VALUES: dict[str, Any] = {
    "url": "https://permits.test/form", "tab_index": 1, "time_ms": 5, "key": "Enter", "id": "B3", "to_id": "B4",
    "code": "1 + 1", "path": "plan.pdf", "success": True, "answer": "ok", "value": "Ada", "timeout_ms": 500,
}  # fmt: skip
OWN: dict[str, dict[str, Any]] = {
    "check": {"value": True}, "form_fill": {"value": {"email": "ada@permits.test", "password": "pw"}},
    "handle_dialog": {"value": "accept", "answer": None}, "wait_for": {"id": None, "url": None},
}  # fmt: skip
KNOWN = {
    "form_fill", "goto", "goto_new_tab", "close_tab", "switch_tab", "go_back", "go_forward", "reload", "wait",
    "press_key", "scroll_up", "scroll_down", "captcha_solve", "help", "completion", "scrape", "email_read", "sms_read",
    "evaluate_js", "click", "fill", "multi_factor_fill", "fallback_fill", "check", "select_dropdown_option",
    "upload_file", "download_file",
}  # fmt: skip
"""The types that SDK 1.9.7 parses, of those that we have."""

NEEDED = {
    "goto": {"url"}, "goto_new_tab": {"url"}, "switch_tab": {"tab_index"}, "wait": {"time_ms"}, "press_key": {"key"},
    "help": {"reason"}, "completion": {"success", "answer"}, "evaluate_js": {"code"}, "fill": {"value"},
    "check": {"value"}, "select_dropdown_option": {"value"}, "upload_file": {"file_path"}, "form_fill": {"value"},
}  # fmt: skip
ALL = [str(kind.model_fields["type"].default) for kind in ACTION_CLASSES]


def step(kind: str, *, secret: str | None = None, receipt: Receipt | None = None, number: int = 1) -> StepRecord:
    """A step of an agent as it would be on record; without a receipt its outcome is unknown."""
    fields = next(one for one in ACTION_CLASSES if one.model_fields["type"].default == kind).model_fields
    given = {
        name: value for name, value in (VALUES | OWN.get(kind, {})).items() if name in fields and value is not None
    }
    action = write_down(parse_action({"type": kind, **given}), Redactor(), name=secret, known=True)
    state = "done" if receipt is not None else "outcome_unknown"
    ended = 1_001.5 if receipt is not None else None
    return StepRecord(
        "ses_1", number, "model", state, action, 1_001.0, ended, receipt, agent_id="agt_1", agent_step=number
    )


def done(kind: str, data: Any = None) -> Receipt:
    target = Target("B3", "button", "Send", Locators(role=("button", "Send"), css="#send"))
    return Receipt(kind, success=True, target=target, data=data)


@pytest.mark.parametrize("kind", ALL)
def test_every_action_of_ours_is_a_type_that_the_older_sdk_parses(kind: str) -> None:
    """Contract, 3.4: one type that it does not know, and it gives up the whole list."""
    for secret, receipt in ((None, done(kind)), ("CODE", done(kind)), (None, None)):
        told = Telling().legacy(step(kind, secret=secret, receipt=receipt))
        action = told["action"]
        assert action["type"] in KNOWN
        assert NEEDED.get(action["type"], set()) <= action.keys()
        assert all(isinstance(action.get(name, ""), str) for name in ("selector", "key", "file_path", "reason"))
        assert told["ended_at"] >= told["started_at"]
        assert (told.get("own", action)["type"], told["success"]) == (kind, receipt is not None and kind != "help")


@pytest.mark.parametrize("kind", ALL)
def test_every_step_has_words_and_a_failed_one_the_contracts_class(kind: str) -> None:
    """Contract, 6.3: `exception_detail.error_type` is what the SDK raises."""
    for receipt in (done(kind), Receipt(kind, success=False, code="action_timeout", message="It took too long."), None):
        result = Telling().typed(step(kind, receipt=receipt))[2]["value"]
        assert result["message"]
        assert (result["exception"] is None) is (result["exception_detail"] is None) is result["success"]
        if receipt is not None and not receipt.success:
            assert result["exception_detail"]["error_type"] in ("NotteTimeoutError", "FailedToDownloadFileError")


def test_what_a_script_gave_back_is_text() -> None:
    """Contract, 6.4: in `data.markdown`, `null` too; so is what a scrape read."""
    for found, text in (({"a": 1}, '{\n  "a": 1\n}'), (None, "null"), ("Ada", "Ada")):
        result = Telling().typed(step("evaluate_js", receipt=done("evaluate_js", data=found)))[2]["value"]
        assert result["data"] == {"markdown": text, "structured": None}
    scraped = Telling().typed(step("scrape", receipt=done("scrape", data="# Permits")))[2]["value"]
    assert scraped["data"]["markdown"] == "# Permits"


def test_a_step_of_nobodys_agent_is_its_result_alone() -> None:
    """Contract, 3.4: so that a session's offset counts what was executed."""
    one = step("goto", receipt=done("goto"))
    alone = StepRecord("ses_1", 1, "assistant", "done", one.action, 1_000, 1_001, one.receipt)
    assert [element["type"] for element in Telling().typed(alone)] == ["execution_result"]


def test_a_time_is_utc() -> None:
    """Contract, 17."""
    assert shapes.moment(0.5) == "1970-01-01T00:00:00.500000Z"
    assert shapes.moment(None) is None
