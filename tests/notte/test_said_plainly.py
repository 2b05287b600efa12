"""What the contract has no way for is said where the assistant reads it, with what to do instead."""

import json
from pathlib import Path

import pytest

from notte_mcp import actions as a
from notte_mcp.engines.base import OpenRequest
from notte_mcp.engines.notte.access import CloudAccess
from notte_mcp.engines.notte.engine import NotteEngine
from notte_mcp.records import SessionSpec
from tests.notte.proxy import Reply, proxy
from tests.notte.rote import DONE, told_by_rote

pytestmark = pytest.mark.anyio


async def test_a_dialog_cannot_be_answered_and_a_script_that_keeps_it_from_opening_is_named(tmp_path: Path) -> None:
    """Nothing is sent for it; the call that is named is one."""
    async with told_by_rote(tmp_path, DONE) as (session, between):
        receipt = await session.perform(a.HandleDialog(value="accept", answer='"Ada"'), timeout_ms=1_000)
        assert between.count("POST", "*/page/execute") == between.count("POST", "*/page/observe") == 0
    assert (receipt.success, receipt.code) == (False, "not_supported")
    named, _ = json.JSONDecoder().raw_decode(receipt.message.partition("Next: ")[2])
    assert 'prompt = () => "\\"Ada\\""' in a.EvaluateJs.model_validate(named).code


async def test_a_dialog_that_opened_is_on_the_receipt(tmp_path: Path) -> None:
    """Where the cloud's message tells of it, with what it was answered."""
    said = "Clicked; an alert dialog said 'It's done' and was dismissed; a confirm dialog said 'Sure?' and was accepted"
    async with told_by_rote(tmp_path, DONE | {"message": said}) as (session, _):
        receipt = await session.perform(a.Click(selector="#buy"), timeout_ms=1_000)
    assert [(one.kind, one.message, one.answer) for one in receipt.dialogs] == [
        ("alert", "It's done", "dismissed"), ("confirm", "Sure?", "accepted"),
    ]  # fmt: skip


async def test_local_storage_that_cannot_be_restored_is_an_event(tmp_path: Path) -> None:
    """Cookies go there; of the rest it is said that it does not, and why no script does it: no value of it is sent."""
    state = {
        "cookies": [],
        "origins": [{"origin": "https://shop.test", "localStorage": [{"name": "t", "value": "s3cret"}]}],
    }
    async with proxy() as between:
        between.on("POST", "/sessions/start", Reply(body={"session_id": "s1", "status": "active"}))
        engine = NotteEngine(lambda: CloudAccess("a-key", between.url))
        session = await engine.open(OpenRequest("ses_1", SessionSpec(engine="notte"), tmp_path, state))
        (event,) = session.take_events()
        await engine.close(deadline_s=1)
    assert "local storage of 1 site(s) was not restored" in event
    assert "sign in again" in event
    assert not any(b"s3cret" in one.body for one in between.seen)
