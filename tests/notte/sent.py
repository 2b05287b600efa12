"""Every kind of request body that our engine sends, for the SDKs' own models to look at."""

from collections.abc import Iterator
from typing import Any

from notte_mcp import actions
from notte_mcp.engines.notte.cookies import cookie_to_wire
from notte_mcp.engines.notte.spelling import action_to_wire
from notte_mcp.engines.notte.wire import start_body
from notte_mcp.records import SessionSpec

NODES = {
    "css_selector": "html > body > button",
    "xpath_selector": "html/body/button",
    "in_iframe": True,
    "in_shadow_root": False,
    "iframe_parent_css_selectors": ["iframe#a"],
    "playwright_selector": 'role=button[name="Send"]',
}
WHERE = {"B1": {"id": "B7"}, "B2": {"selector": "#send"}, "B3": {"selector": NODES}}

PROFILE = "notte-profile-0123456789abcdef"
EXTERNAL = {"type": "external", "server": "http://p:1"}
CLOUD: dict[str, Any] = {
    "solve_captchas": True, "max_duration_minutes": 20, "idle_timeout_minutes": 5, "browser_type": "chrome",
    "chrome_args": ["--mute-audio"], "viewport_width": 1280, "viewport_height": 800, "web_bot_auth": False,
    "extra_http_headers": {"x-a": "b"}, "vault_id": "v1", "block_ads": False, "advanced_stealth": True,
    "screenshot_type": "raw",
}  # fmt: skip

SPECS = [
    SessionSpec(engine="notte"),
    SessionSpec(engine="notte", idle_timeout_minutes=3, viewport_width=900),
    SessionSpec(engine="notte", user_agent="ours/1", proxy="http://u%20s:p%40ss@proxy.example:8080"),
    SessionSpec(engine="notte", cdp_url="wss://elsewhere.example/devtools"),
    SessionSpec(engine="notte", profile=PROFILE, save_profile=True),
    SessionSpec(engine="notte", profile="mine", cloud=CLOUD),
    SessionSpec(engine="notte", cloud={"proxies": [{"type": "notte", "country": "us"}], "aspect_ratio": "16:9"}),
    SessionSpec(engine="notte", cloud={"auth_ids": ["a1"], "wait_for_authentication": True, "auth_retry": 1}),
]

# One of each type at least, with all its fields and with none but those that it needs.
ACTIONS: list[dict[str, Any]] = [
    {"type": "goto", "url": "https://a.example"},
    {"type": "goto", "url": "https://a.example", "wait_until": "commit", "timeout_ms": 5_000},
    {"type": "goto_new_tab", "url": "https://a.example", "timeout_ms": 5_000},
    {"type": "close_tab"}, {"type": "switch_tab", "tab_index": -1}, {"type": "go_back"}, {"type": "go_forward"},
    {"type": "reload"}, {"type": "wait", "time_ms": 500}, {"type": "press_key", "key": "Control+A"},
    {"type": "scroll_up"}, {"type": "scroll_down", "amount": 300}, {"type": "scroll_down", "id": "B2"},
    {"type": "scroll_down", "id": "B3", "amount": 3}, {"type": "scroll_up", "selector": "main"},
    {"type": "scroll_up", "id": "B1"},
    {"type": "evaluate_js", "code": "document.title"}, {"type": "form_fill", "value": {"email": "a@b.c", "totp": "1"}},
    {"type": "click", "id": "B1"}, {"type": "click", "id": "B2"},
    {"type": "click", "id": "B3", "press_enter": True, "timeout_ms": 1_500}, {"type": "click", "selector": "#x"},
    {"type": "download_file", "id": "B1"},
    {"type": "fill", "id": "B1", "value": "v"},
    {"type": "fill", "selector": "#q", "value": "", "clear_before_fill": False, "press_enter": False},
    {"type": "multi_factor_fill", "id": "B3", "value": "123456"}, {"type": "fallback_fill", "id": "B1", "value": "v"},
    {"type": "check", "id": "B1"}, {"type": "check", "id": "B1", "value": False},
    {"type": "select_dropdown_option", "id": "B2", "value": "Red"},
    {"type": "upload_file", "id": "B1", "path": "a.txt"},
    {"type": "scrape"},
    {"type": "scrape", "selector": "main", "only_main_content": False, "instructions": "prices",
     "response_schema": {"type": "object", "properties": {"a": {"type": ["string", "null"], "default": None}}}},
    {"type": "captcha_solve"}, {"type": "captcha_solve", "captcha_type": "recaptcha"},
    {"type": "email_read"}, {"type": "sms_read", "limit": 3, "timedelta": "PT1M", "only_unread": False},
    {"type": "help", "value": "a person is needed"}, {"type": "completion", "success": True, "answer": "42"},
]  # fmt: skip

OURS_ALONE: list[dict[str, Any]] = [
    {"type": "wait_for", "value": "Done"}, {"type": "hover", "id": "B1"}, {"type": "double_click", "id": "B1"},
    {"type": "drag", "id": "B1", "to_id": "B2"}, {"type": "handle_dialog", "value": "accept"},
    {"type": "press_key", "key": "Enter", "id": "B1"},
]  # fmt: skip

COOKIES: list[dict[str, Any]] = [
    {"name": "a", "value": "1", "url": "https://shop.example/x"},
    {"name": "b", "value": "2", "domain": ".shop.example", "path": "/p", "expires": -1, "httpOnly": True},
    {"name": "c", "value": "", "domain": "shop.example", "path": "/", "expires": 1_900_000_000.5, "httpOnly": False,
     "secure": False, "sameSite": "Strict", "partitionKey": "https://top.example"},
]  # fmt: skip


def read(action: dict[str, Any]) -> actions.Action:
    """An action of ours from its fields."""
    kind = actions.ACTION_CLASSES[actions.ACTION_TYPES.index(action["type"])]
    return kind.model_validate(action)  # pyright: ignore[reportReturnType] - the union's own classes


def bodies() -> Iterator[tuple[str, dict[str, Any]]]:
    """(what it is, the body) of all of them."""
    for spec in SPECS:
        yield "start", start_body(spec)
    for action in ACTIONS:
        for timeout_ms in (None, 2_000):
            body = action_to_wire(read(action), WHERE, timeout_ms=timeout_ms)
            assert body is not None
            yield "execute", body
    yield "cookies", {"cookies": [cookie_to_wire(cookie) for cookie in COOKIES]}
