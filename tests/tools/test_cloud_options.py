"""`session.cloud`: what goes to the cloud is what was set, and what it would refuse is refused here."""

from typing import Any

import pytest
from pydantic import ValidationError

from notte_mcp.errors import InvalidArgument
from notte_mcp.records import SessionSpec
from notte_mcp.tools.cloud_options import CloudStart
from notte_mcp.tools.options import SessionOptions

CONTRACT = {
    "solve_captchas", "max_duration_minutes", "idle_timeout_minutes", "proxies", "browser_type", "user_agent",
    "chrome_args", "viewport_width", "viewport_height", "aspect_ratio", "cdp_url", "profile", "web_bot_auth",
    "extra_http_headers", "vault_id", "auth_ids", "wait_for_authentication", "auth_retry", "block_ads",
    "advanced_stealth", "screenshot_type", "demonstrate",
}  # fmt: skip
"""The start fields of SDK 1.10."""

WRONG: list[tuple[dict[str, Any], str]] = [
    ({"proxy": True}, "no field `proxy`; it takes: session_id, solve_captchas"),
    ({"headless": True}, "`headless` is none of its fields any more"),
    ({"profile": {"id": "notte-profile-0123456789abcdef", "keep": True}}, "`profile.keep` is none of its fields"),
    ({"viewport_width": 800}, "go together"),
    ({"viewport_width": 800, "viewport_height": 400}, "`viewport_height`: Input should be greater than"),
    ({"viewport_width": 800, "viewport_height": 600, "aspect_ratio": "5:4"}, "`aspect_ratio` is for a session without"),
    ({"idle_timeout_minutes": 31}, "`idle_timeout_minutes`: Input should be less than"),
    ({"idle_timeout_minutes": 20}, "longer than `max_duration_minutes` (15, 15 unless set)"),
    ({"max_duration_minutes": 2}, "`idle_timeout_minutes` (3) is longer"),
    ({"cdp_url": "wss://browser.test"}, "`proxies` must be false"),
    ({"cdp_url": "wss://browser.test", "proxies": False, "advanced_stealth": True}, "`advanced_stealth` cannot"),
    ({"auth_ids": ["one", "one"]}, "holds one twice"),
    ({"proxies": [{"type": "notte"}, {"type": "notte"}]}, "at most 1"),
    ({"browser_type": "firefox"}, "`browser_type`"),
    ({"session_id": "s1", "solve_captchas": True}, "`session_id` attaches to a session that is open already"),
    ({"session_id": "../agents"}, "`session_id`"),
]


def spec(defaults: SessionSpec | None = None, **options: Any) -> SessionSpec:
    return SessionOptions(**options).spec(defaults or SessionSpec())


def test_every_field_of_the_contract_is_taken_and_no_other() -> None:
    """The contract's start fields, and the id of a session to attach to."""
    assert set(CloudStart.model_fields) == CONTRACT | {"session_id"}


@pytest.mark.parametrize(("given", "words"), WRONG)
def test_what_the_cloud_would_refuse_is_refused_by_name(given: dict[str, Any], words: str) -> None:
    """Unknown keys, bounds and combinations: before anything is sent."""
    with pytest.raises(ValidationError) as refused:
        SessionOptions(engine="notte", cloud=given)

    assert words in str(refused.value)


def test_only_what_was_set_is_sent() -> None:
    """The cloud's own defaults hold for the rest; ours say when the registry lets it go, which is no later."""
    bare = spec(engine="notte")
    some = spec(engine="notte", cloud={"solve_captchas": False, "proxies": [{"type": "notte", "country": "fr"}]})

    assert (bare.cloud, bare.idle_timeout_minutes, bare.max_duration_minutes) == ({}, 3, 15)
    assert some.cloud == {"solve_captchas": False, "proxies": [{"type": "notte", "country": "fr"}]}


def test_our_own_options_are_the_clouds_too() -> None:
    """What both have is given in either place, and limits are whole minutes there."""
    asked = spec(
        engine="notte", idle_timeout_minutes=4.5, max_duration_minutes=30, proxy="http://ada:s%40fe@proxy.test:8080",
        viewport_width=1000, viewport_height=700,
    )  # fmt: skip
    external = {"type": "external", "server": "http://proxy.test:8080", "username": "ada", "password": "s@fe"}

    assert asked.cloud == {
        "viewport_width": 1000, "viewport_height": 700, "idle_timeout_minutes": 5, "max_duration_minutes": 30,
        "proxies": [external],
    }  # fmt: skip
    assert (asked.idle_timeout_minutes, asked.max_duration_minutes, asked.viewport_width) == (4.5, 30, 1000)
    theirs = spec(engine="notte", cloud={"idle_timeout_minutes": 10})
    assert (theirs.idle_timeout_minutes, theirs.max_duration_minutes) == (10, 15)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"cloud": {}}, 'session.engine="notte"'),
        ({"engine": "local", "cloud": {"block_ads": True}}, 'session.engine="notte"'),
        ({"engine": "notte", "profile": "work"}, "`profile` is for browsers of this machine"),
        ({"engine": "notte", "headless": False}, "no window"),
        ({"engine": "notte", "max_duration_minutes": 2_000}, "at most 1440"),
        ({"engine": "notte", "user_agent": "a", "cloud": {"user_agent": "b"}}, "given twice"),
        ({"engine": "notte", "viewport_width": 900, "cloud": {"session_id": "s1"}}, "would change nothing there"),
        ({"engine": "notte", "cdp_url": "ws://127.0.0.1:1"}, "`proxies` must be false"),
    ],
)
def test_options_of_the_other_engine_are_refused(options: dict[str, Any], words: str) -> None:
    """Nothing that was asked for is passed over in silence."""
    with pytest.raises(InvalidArgument) as refused:
        spec(**options)

    assert words in str(refused.value)
    assert "Nothing was started or sent." in str(refused.value)


def test_attaching_leaves_the_limits_to_the_session_that_is_there() -> None:
    """What the cloud ends it by was said when it was started; ours are the server's."""
    attached = spec(engine="notte", cloud={"session_id": "s1"}, idle_timeout_minutes=7)

    assert (attached.cloud, attached.idle_timeout_minutes) == ({"session_id": "s1"}, 7)


def test_a_server_whose_engine_is_the_cloud_has_its_limits_without_a_word() -> None:
    """NOTTE_MCP_ENGINE=notte, and nothing asked."""
    plain = spec(SessionSpec(engine="notte", headless=False, idle_timeout_minutes=1))

    assert (plain.engine, plain.cloud, plain.headless) == ("notte", {}, True)
    assert (plain.idle_timeout_minutes, plain.max_duration_minutes) == (1, 15)
