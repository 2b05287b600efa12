"""The real SDK 1.10.0 against `notte-mcp api` as a process: sessions, pages, files, and what is there afterwards."""

from pathlib import Path

from notte_mcp.demo.shop import Shop
from tests.api.process import api_process
from tests.sdk.judge import judge
from tests.site import Site

ERROR = "NotteAPIError"

TOLD = {
    "the_server_is_healthy": None,
    "a_session_has_what_was_asked_for": {
        "facts": ["active", 5, 2, 900], "sizes": [900, 700], "listed": True, "after": ["closed", "manual"],
    },
    "another_client_goes_on_with_a_session_by_its_id": {
        "where": "product/copper-kettle", "started_again": "ValueError", "open": "active",
    },
    "a_page_is_observed_and_acted_on_by_its_ids": {
        "ids": ["I", "L"], "described": True, "clicked": True, "title": "Copper kettle · Kiln & Kettle",
        "picture": True, "states": True, "changed": True, "tabs": 1,
    },
    "a_page_is_acted_on_by_selectors": ["Ada Brew", "Bern", "Kettle Lane 4", "Switzerland", True],
    "a_script_of_the_page_gives_its_value": ["2", "as it is", {"links": 13, "none": None}],
    "a_failed_action_raises_its_own_kind_of_error": {
        "kept": [False, True, True],
        "unknown id": ["InvalidActionError", None],
        # Its class is of the part of Notte that drives browsers, which the SDK does not bring.
        "no element": ["NotteBaseError", None],
        "no such tab": ["ActionExecutionError", None],
        "no server": ["NotteBaseError", None],
        "a script's error": ["ActionExecutionError", None],
        "open still": "active",
    },
    "a_request_that_is_wrong_is_told_so": {
        "key": [ERROR, 401], "session": [ERROR, 404], "field": [ERROR, 422], "personas": [ERROR, 501],
        "vaults": [ERROR, 501],
    },
    "tabs_come_and_go": {"tabs": [2, 2, 1], "paths": ["product/copper-kettle", "", "product/copper-kettle"]},
    "a_page_is_scraped": {"heading": True, "price": True, "links": True, "no links": True},
    "a_page_is_scraped_in_one_call": True,
    "what_a_page_says_is_read_into_a_given_form": ["Kettle", 89.0, {"name": "Copper kettle", "colour": "copper"}],
    "the_page_s_own_requests_are_made": [200, True],
    "cookies_are_set_and_read": {"kept": [["tea", "green"]], "seen": "tea=green"},
    "a_profile_is_kept_and_used_again": {"seen": True, "names": ["mine"], "left": 0},
    "files_go_in_and_come_out": {
        "said": "letter.txt (9 bytes)", "names": {"user_upload": "letter.txt", "session_download": "report.csv"},
        "report": "report.csv", "bytes": True, "left": ["report.csv"],
    },
    "what_was_done_is_counted_and_shown": {"grows": True, "tabs": True, "sockets": ["ws", "ws"], "steps": True},
    "a_replay_comes_after_the_end": {"open": ERROR, "mp4": "ftyp", "length": True},
    "the_code_of_a_session_is_a_script": {"whole": True, "bare": False, "actions": ["goto", "fill"]},
}  # fmt: skip
"""What each check of judged/browsing.py tells."""

AT_ONCE = {
    "sessions_go_on_side_by_side": [
        ["product/copper-kettle", True], ["product/glass-teapot", True], ["product/mint-tea", True],
    ],
    "one_session_answers_its_calls_in_turn": ["0", "2", "4", "6", "8"],
}  # fmt: skip
"""What each check of judged/at_once.py tells."""


def test_the_newest_sdk_finds_all_that_a_session_is_to_have(tmp_path: Path, chromium: Path, site: Site) -> None:
    """Notte 1.10: bodies are strict, actions are typed, errors come back as what they were; several sessions go on at
    once for the async client."""
    with Shop() as shop, api_process(tmp_path, chromium=chromium) as served:
        told = judge(served, "1.10", "browsing.py", tmp_path, shop=shop, site=site)
        at_once = judge(served, "1.10", "at_once.py", tmp_path, shop=shop)

    assert told == TOLD
    assert at_once == AT_ONCE
