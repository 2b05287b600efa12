"""The contract's spelling: what we send is what the SDKs' own models take, and what comes is read whatever is missing."""

from typing import Any

import pytest

from notte_mcp import actions
from notte_mcp.engines.notte.cookies import cookie_from_wire, cookie_to_wire, cookies_from_wire
from notte_mcp.engines.notte.spelling import action_from_wire, action_to_wire, one_selector
from notte_mcp.engines.notte.wire import executed, public_url, session_of, start_body
from notte_mcp.errors import InvalidArgument
from notte_mcp.records import SessionSpec
from tests.judges import Sdk
from tests.notte.judging import faults_of
from tests.notte.sent import ACTIONS, COOKIES, EXTERNAL, NODES, OURS_ALONE, PROFILE, WHERE, bodies, read

WRONG: list[tuple[str, dict[str, Any]]] = [
    ("start", {"use_file_storage": True}),
    ("execute", {"type": "goto", "url": "x", "timeout": 3}),
    ("execute", {"type": "press_key", "key": "Enter", "id": "B1"}),
    ("execute", {"type": "hover", "id": "B1"}),
    # Of these 1.9 is no judge.
    ("start", {"viewport_width": 100, "viewport_height": 100}),
    ("execute", {"type": "scroll_down", "selector": NODES}),
]


@pytest.mark.parametrize("version", ["1.9", "1.10"])
def test_the_sdks_own_models_take_every_body_that_we_send(version: Sdk) -> None:
    """The judge is notte-sdk itself: its models refuse a field that a server would refuse, as they do what is wrong."""
    wrong = WRONG if version == "1.10" else WRONG[:-2]
    assert [body for body, _ in faults_of(version, [*bodies(), *wrong])] == [body for _, body in wrong]


def test_every_action_has_a_spelling_or_is_known_to_have_none() -> None:
    """A new action fails here until somebody decides."""
    assert {one["type"] for one in ACTIONS} | {one["type"] for one in OURS_ALONE} == set(actions.ACTION_TYPES)
    assert [action_to_wire(read(one), WHERE) for one in OURS_ALONE] == [None] * len(OURS_ALONE)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ({"type": "click", "id": "B1"}, {"type": "click", "id": "B7"}),
        ({"type": "click", "id": "B3", "timeout_ms": 900}, {"type": "click", "selector": NODES, "timeout": 900}),
        ({"type": "fill", "id": "B2", "value": "v"}, {"type": "fill", "selector": "#send", "value": "v"}),
        ({"type": "check", "selector": "#c"}, {"type": "check", "selector": "#c", "value": True}),
        ({"type": "upload_file", "id": "B1", "path": "a"}, {"type": "upload_file", "id": "B7", "file_path": "a"}),
        ({"type": "goto", "url": "https://a.example", "timeout_ms": 9}, {"type": "goto", "url": "https://a.example"}),
        ({"type": "help", "value": "why"}, {"type": "help", "reason": "why"}),
        ({"type": "scrape", "response_schema": {"a": None}}, {"type": "scrape", "response_format": {"a": None}}),
        ({"type": "scroll_down", "id": "B1"}, {"type": "scroll_down"}),
    ],
)
def test_only_what_was_asked_for_is_spelled(ours: dict[str, Any], theirs: dict[str, Any]) -> None:
    """Defaults are the server's; a scroll's container has a selector there, and no id."""
    assert action_to_wire(read(ours), WHERE) == theirs


def test_an_element_in_a_frame_is_one_string_through_its_frames() -> None:
    """Where the contract takes no more than a string; Playwright's own way into a frame."""
    scroll = action_to_wire(read({"type": "scroll_down", "id": "B3"}), WHERE)
    assert scroll == {
        "type": "scroll_down",
        "selector": 'iframe#a >> internal:control=enter-frame >> role=button[name="Send"]',
    }
    assert one_selector({"xpath_selector": "html/body"}) == "xpath=html/body"


def test_an_action_comes_back_by_our_names() -> None:
    """What their SDK sends for show is left out, and their id too: it is of another numbering than ours."""
    told = {
        "type": "click", "category": "Interaction action", "description": "Clicks", "id": "B7", "selector": NODES,
        "press_enter": None, "text_label": "Send", "accessible_name": None, "timeout": 15_000,
    }  # fmt: skip
    assert action_from_wire(told) == {
        "type": "click",
        "selector": 'iframe#a >> internal:control=enter-frame >> role=button[name="Send"]',
        "timeout_ms": 15_000,
    }
    assert action_from_wire({"type": "email_verification_read", "mailbox_id": "m", "description": "x"}) == {
        "type": "email_verification_read",
        "mailbox_id": "m",
    }
    assert action_from_wire({}) == {"type": "unknown"}
    for ours in ACTIONS:
        if "id" not in ours and not ours["type"].startswith("goto"):
            sent = action_to_wire(read(ours), WHERE)
            assert sent is not None
            back = action_from_wire(sent | {"category": "Special Browser Actions", "description": "…"})
            kept = {name: value for name, value in ours.items() if value not in ("", False) or name == "value"}
            assert {**kept, **back} == {**back, **kept}


def test_a_start_says_what_was_set_and_nothing_else() -> None:
    """Sizes and limits of this machine's sessions are none of the cloud's; its own fields go as they are."""
    plain = SessionSpec(engine="notte", viewport_width=900, idle_timeout_minutes=3, headless=False)
    assert start_body(plain) == {}
    proxied = start_body(SessionSpec(proxy="http://u%20s:p%40ss@proxy.example:8080"))
    named = {"server": "http://proxy.example:8080", "username": "u s", "password": "p@ss"}
    assert proxied == {"proxies": [EXTERNAL | named]}
    assert start_body(SessionSpec(cdp_url="wss://x")) == {"cdp_url": "wss://x", "proxies": False}
    assert start_body(SessionSpec(profile=PROFILE, save_profile=True)) == {"profile": {"id": PROFILE, "persist": True}}
    given = {"session_id": "s1", "user_agent": "theirs", "block_ads": False}
    assert start_body(SessionSpec(user_agent="ours", profile="mine", cloud=given)) == {
        "user_agent": "theirs",
        "block_ads": False,
    }


def test_cookies_are_the_same_after_a_journey() -> None:
    """Through their form and back: name, value, where, how long, how safe."""
    back = cookies_from_wire([cookie_to_wire(cookie) for cookie in COOKIES])
    assert [(one["name"], one["domain"], one["path"], one["expires"], one["sameSite"]) for one in back] == [
        ("a", "shop.example", "/", -1, "Lax"),
        ("b", ".shop.example", "/p", -1, "Lax"),
        ("c", "shop.example", "/", 1_900_000_000.5, "Strict"),
    ]
    assert [(one["httpOnly"], one["secure"]) for one in back] == [(False, True), (True, False), (False, False)]
    assert back[2]["partitionKey"] == "https://top.example"
    for nothing in ({"value": "1"}, {"name": "a"}, {"name": "a", "domain": ""}):
        assert cookie_from_wire(nothing) is None
        with pytest.raises(InvalidArgument):
            cookie_to_wire(nothing)


def test_a_browser_s_own_spelling_of_a_cookie_is_read() -> None:
    """As extensions export them, and as their older servers give them."""
    told = {"name": "a", "value": None, "domain": "x.example", "expirationDate": 9.5, "sameSite": "no_restriction"}
    assert cookie_from_wire(told) == {
        "name": "a", "value": "", "domain": "x.example", "path": "/", "expires": 9.5, "httpOnly": False,
        "secure": False, "sameSite": "None",
    }  # fmt: skip
    assert (cookie_from_wire(told | {"session": True}) or {})["expires"] == -1


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://console.notte.cc/sessions/s1", True),
        ("https://console.notte.cc/static/viewer?ws=wss://api.notte.cc/sessions/s1/debug/recording?token=t", False),
        ("https://console.notte.cc/v#token", False),
        ("https://user@console.notte.cc/v", False),
        ("https://console.notte.cc/viewer/token/abc", False),
        ("javascript:alert(1)", False),
        ("https://[", False),
        ("", False),
    ],
)
def test_an_address_is_shown_where_no_token_can_stand_in_it(url: str, shown: bool) -> None:
    """A viewer's link is a key to the browser; without one it is a link."""
    assert public_url(url) == (url if shown else None)


def test_a_session_is_read_whatever_is_missing_or_new() -> None:
    """The least and the most that a server may say; never where the browser itself can be had."""
    told = session_of(
        {
            "session_id": "s1", "status": "closed", "close_reason": "idle_timeout", "cdp_url": "wss://cdp?token=t",
            "viewer_url": "https://v?token=t", "duration": "PT9S", "brand_new": {"a": 1}, "steps": [{}],
            "error": "lost wss://x/logs?token=tok-1&a=b",
        }
    )  # fmt: skip
    assert (told.remote_id, told.is_live, told.state, told.close_reason) == ("s1", False, "closed", "idle_timeout")
    assert (told.viewer_url, told.facts) == (
        None,
        {"duration": "PT9S", "error": "lost wss://x/logs?token=[hidden]&a=b"},
    )
    least = session_of({"status": None, "viewer_url": 3}, "s2")
    assert (least.remote_id, least.is_live, least.state, least.close_reason) == ("s2", False, "unknown", "")
    assert [session_of({"status": state}).is_live for state in ("active", "authenticating", "timed_out", "error")] == [
        True, True, False, False,
    ]  # fmt: skip


def test_a_result_is_read_whatever_is_missing_or_new() -> None:
    """Who does not say that it succeeded did not; the reason is the first that there is."""
    failed = executed(
        {
            "success": False, "message": "", "exception": "Boom", "action": {"type": "click"}, "action_executed": False,
            "exception_detail": {"error_type": "InvalidActionError", "agent_message": "No such id"},
            "captcha": {"captcha_id": "c", "state": "solving"}, "data": None,
        }
    )  # fmt: skip
    assert (failed.success, failed.message, failed.error_type) == (False, "No such id", "InvalidActionError")
    assert (failed.executed, failed.captcha) == (False, {"captcha_id": "c", "state": "solving"})
    scraped = executed({"success": True, "data": {"markdown": "# A", "structured": {"data": {"a": 1}}}, "new": 1})
    assert (scraped.markdown, scraped.structured, scraped.executed) == ("# A", {"data": {"a": 1}}, None)
    strange: list[dict[str, Any]] = [{}, {"success": "true", "data": "none", "exception_detail": "x"}]
    for odd in strange:
        assert (executed(odd).success, executed(odd).message != "") == (False, True)
