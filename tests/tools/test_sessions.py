from pathlib import Path
from typing import Any

import pytest
from mcp.types import CallToolResult

from notte_mcp.engines.base import COMING
from tests.tools.conftest import DONE, ERAS, FILL_AND_SEND, FORM, NOWHERE, Host, text_of

pytestmark = pytest.mark.anyio


@ERAS
async def test_a_start_with_a_url_gives_the_page_and_its_ids(host: Host) -> None:
    """Contract: a session, with its first observation when url is given."""
    facts = await host.facts("notte_start", url=FORM)

    assert facts["session_id"].startswith("ses_")
    assert (facts["state"], facts["url"], facts["title"]) == ("ready", FORM, "Permit request")
    assert facts["observation"].splitlines() == [
        'I1 textbox "Applicant"',
        'I2 password "Access code"',
        'I3 combobox "District" (North | South)',
        'B1 button "Send request"',
        'B2 button "More"',
        'button "Save draft" disabled',
        "view 1",
    ]


@ERAS
async def test_text_and_structured_content_tell_the_same(host: Host) -> None:
    """Measured on hosts: some hosts show the model only one of them."""
    result = await host.call("notte_start", url=FORM)

    facts: dict[str, Any] = result.structured_content or {}
    text = text_of(result)
    assert all(str(facts[key]) in text for key in ("session_id", "state", "observation", "next"))


async def test_a_start_without_a_url_says_to_go_somewhere(host: Host) -> None:
    """Ours: the next call is named."""
    facts = await host.facts("notte_start")

    assert (facts["url"], facts["title"]) == ("", "")
    assert "observation" not in facts
    assert "goto" in facts["next"]


async def test_a_url_that_fails_to_load_keeps_the_session_and_names_it(host: Host) -> None:
    """Contract."""
    facts = await host.facts("notte_start", url=NOWHERE)

    assert facts["state"] == "ready"
    assert facts["note"] == f"{NOWHERE} did not load: {NOWHERE} does not answer."
    assert (await host.facts("notte_status"))["sessions"][0]["session_id"] == facts["session_id"]


async def test_a_url_of_another_scheme_starts_nothing(host: Host) -> None:
    """Ours: refused before a browser is opened for it."""
    said = await host.refusal("notte_start", url="file:///etc/passwd")

    assert "Nothing was done" in said
    assert (await host.facts("notte_status"))["sessions"] == []


async def test_options_reach_the_browser_and_the_rest_is_the_servers_default(host: Host) -> None:
    """Contract: `session` describes the new session."""
    await host.start()
    await host.facts("notte_start", session={"viewport_width": 400, "headless": "false", "user_agent": "tests"})

    first, second = (request.spec for request in host.engine.requests)
    assert (first.viewport_width, first.headless, first.user_agent) == (1280, True, None)
    assert (second.viewport_width, second.headless, second.user_agent) == (400, False, "tests")


async def test_a_wrong_option_starts_nothing_and_is_named(host: Host) -> None:
    """Contract: unknown keys are refused inside `session` too."""
    for options, named in (
        ({"headles": True}, "headles"),
        ({"viewport_width": 5}, "session.viewport_width"),
        ({"proxy": "nonsense"}, "session.proxy"),
        ({"engine": "firefox"}, "session.engine"),
    ):
        said = await host.refusal("notte_start", session=options)

        assert f"`{named}`" in said
        assert "errors.pydantic.dev" not in said
        assert host.engine.requests == []


async def test_options_cannot_change_a_session_that_is_there(host: Host) -> None:
    """Ours: silently ignoring them would mislead."""
    session_id = await host.start()

    assert "cannot change" in await host.refusal("notte_start", session_id=session_id, session={"headless": True})


async def test_a_live_session_that_is_taken_up_is_to_be_looked_at_first(host: Host) -> None:
    """What is filled in there would be lost by going elsewhere."""
    session_id = await host.start(FORM)

    facts = await host.facts("notte_start", session_id=session_id)

    assert (facts["url"], facts["next"]) == (FORM, f'notte_observe(session_id="{session_id}")')


async def test_a_session_is_reused_for_another_page(host: Host) -> None:
    """Contract: session_id reuses it."""
    session_id = await host.start()

    facts = await host.facts("notte_start", session_id=session_id, url=DONE)

    assert (facts["session_id"], facts["url"]) == (session_id, DONE)
    assert len(host.engine.sessions) == 1


@ERAS
async def test_after_a_restart_a_session_goes_on_where_it_stood(tmp_path: Path, mode: str) -> None:
    """P3: new browser, last url, same numbering; no action is done again."""
    host = Host(tmp_path, mode)
    async with host.connected():
        session_id = await host.start()
        await host.call("notte_execute", actions=FILL_AND_SEND)
    async with host.connected():
        listed = (await host.facts("notte_status"))["sessions"]
        refused = await host.refusal("notte_observe", session_id=session_id)
        restored = await host.facts("notte_start", session_id=session_id)
        performed = [action.type for action in host.engine.sessions[session_id].performed]

    assert [(one["session_id"], one["state"]) for one in listed] == [(session_id, "interrupted")]
    assert f'notte_start(session_id="{session_id}")' in refused
    assert (restored["state"], restored["url"]) == ("ready", DONE)
    assert "restored in a new browser" in restored["note"]
    assert performed == ["goto"]


async def test_a_download_that_was_under_way_is_told_at_a_restore_and_at_a_stop(tmp_path: Path, mode: str) -> None:
    """Nothing is lost silently: its step said that it goes on."""
    host = Host(tmp_path, mode)
    async with host.connected():
        session_id = await host.start()
        (coming := host.engine.requests[0].folder / COMING).mkdir()
        (coming / "big.zip").touch()
    async with host.connected():
        restored = await host.facts("notte_start", session_id=session_id)
        assert list(coming.iterdir()) == []
        (coming / "late.zip").touch()
        stopped = await host.facts("notte_stop", id=session_id)
        later = await host.facts("notte_status", id=session_id)

    assert "did not arrive: big.zip;" in restored["note"]
    assert "did not arrive: late.zip;" in stopped["note"]
    assert later["note"] == stopped["note"]


async def test_a_stop_tells_how_the_session_ended_and_what_it_leaves(host: Host) -> None:
    """Contract: the final record."""
    session_id = await host.start()
    await host.call("notte_execute", actions=FILL_AND_SEND)

    facts = await host.facts("notte_stop", id=session_id)

    assert (facts["state"], facts["reason"], facts["step_count"]) == ("stopped", "user", 5)
    assert facts["steps"][-1] == {
        "number": 5,
        "actor": "assistant",
        "action": f'click B1 "Send request" -> {DONE} (200)',
        "success": True,
    }
    assert "notte_workflow_code" in facts["next"]
    assert host.engine.sessions[session_id].closed


async def test_stopping_twice_is_no_error(host: Host) -> None:
    """The annotation says idempotent."""
    session_id = await host.start()

    first = await host.facts("notte_stop", id=session_id)
    second = await host.facts("notte_stop", id=session_id)

    assert first == second


async def test_a_stop_without_an_id_lists_what_is_live(host: Host) -> None:
    """Contract: neither id nor all is an error."""
    nothing = await host.refusal("notte_stop")
    session_id = await host.start()
    one = await host.refusal("notte_stop")

    assert "No session is live" in nothing
    assert session_id in one


async def test_all_sessions_are_stopped_in_one_call(host: Host) -> None:
    """Contract: all=true."""
    ids = {await host.start(), await host.start()}

    facts = await host.facts("notte_stop", all=True)

    assert {one["session_id"] for one in facts["sessions"]} == ids
    assert all(session.closed for session in host.engine.sessions.values())


@ERAS
async def test_an_unknown_session_is_refused_with_the_call_that_lists_them(host: Host) -> None:
    """Ours: every error names the next call."""
    for tool in ("notte_observe", "notte_execute", "notte_scrape", "notte_start"):
        more = {"actions": [{"type": "reload"}]} if tool == "notte_execute" else {}
        assert "notte_status()" in await host.refusal(tool, session_id="ses_nope", **more)


async def test_without_an_id_the_only_live_session_is_meant(host: Host) -> None:
    """Contract; with two the error lists them."""
    first = await host.start()
    alone: CallToolResult = await host.call("notte_observe")
    second = await host.start()
    said = await host.refusal("notte_observe")

    assert not alone.is_error
    assert first in said
    assert second in said
