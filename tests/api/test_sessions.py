"""Sessions of the local API from their start to their end, in both contracts; on the scripted engine."""

import json
import shutil
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest

from notte_mcp.api.calls import Contract
from notte_mcp.engines.scripted import ScriptedEngine
from tests import office
from tests.api.served import NO_CERTIFICATES, Api, served_api

pytestmark = pytest.mark.anyio

BASE = "http://office.test"
SECRET = "pr0xy-passw0rd"

GOTO = {"type": "goto", "url": f"{BASE}/form"}


@pytest.fixture
def engine() -> ScriptedEngine:
    return ScriptedEngine(office.scripted_pages(BASE))


@pytest.fixture
async def api(tmp_path: Path, engine: ScriptedEngine) -> AsyncGenerator[Api]:
    async with served_api(tmp_path / "state", chromium=None, engines={"local": engine}) as one:
        yield one


@asynccontextmanager
async def of_contract(state: Path, contract: Contract, **settings: Any) -> AsyncGenerator[Api]:
    engines = {"local": ScriptedEngine(office.scripted_pages(BASE))}
    async with served_api(state, chromium=None, engines=engines, contract=contract, **settings) as one:
        yield one


# --- start ------------------------------------------------------------------------


async def test_a_start_honours_what_it_can_and_names_what_it_cannot(api: Api, engine: ScriptedEngine) -> None:
    """Contract 4.1; a password of a proxy goes to the browser and nowhere else."""
    proxy = {"type": "external", "server": "http://proxy.test:3128", "username": "me", "password": SECRET}
    given = {
        "viewport_width": 900,
        "viewport_height": 700,
        "user_agent": "Mine/1.0",
        "proxies": [proxy],
        "profile": {"id": "bank", "persist": True},
        "idle_timeout_minutes": 5,
        "max_duration_minutes": 7,
        "solve_captchas": True,
        "advanced_stealth": True,
        "auth_ids": ["auth_1"],
    }
    answered = await api.client.post("/sessions/start/", json=given)
    said = answered.json()
    spec = engine.requests[0].spec
    assert (spec.viewport_width, spec.viewport_height, spec.user_agent) == (900, 700, "Mine/1.0")
    assert (spec.proxy, spec.profile, spec.save_profile) == (f"http://me:{SECRET}@proxy.test:3128", "bank", True)
    assert (spec.record, spec.scripts_after_secrets) == (True, True)
    assert (said["status"], said["proxies"], said["auth_ids"], said["solve_captchas"]) == (
        "active",
        True,
        ["auth_1"],
        True,
    )
    assert (said["idle_timeout_minutes"], said["timeout_minutes"], said["max_duration_minutes"]) == (5, 5, 7)
    assert said["cdp_url"] is None
    assert answered.headers["x-notte-mcp-ignored"] == "advanced_stealth, auth_ids"
    record = await api.app.registry.record(said["session_id"])
    assert SECRET not in json.dumps(record.spec.cloud)
    assert SECRET not in answered.text


async def test_an_empty_start_lives_as_long_as_the_contract_says(api: Api, engine: ScriptedEngine) -> None:
    """3 minutes idle, 15 in all; SDK 1.10 sends nothing that its caller did not set."""
    answered = await api.client.post("/sessions/start", content=b"")
    spec = engine.requests[0].spec
    assert (spec.idle_timeout_minutes, spec.max_duration_minutes, spec.cloud) == (3, 15, {})
    assert "x-notte-mcp-ignored" not in answered.headers


@pytest.mark.parametrize(
    ("fields", "status", "of"),
    [
        ({"headless": True}, 422, "headless"),
        ({"use_file_storage": True}, 422, "use_file_storage"),
        ({"no_such_field": 1}, 422, "no_such_field"),
        ({"timeout_minutes": 1}, 422, "timeout_minutes"),
        ({"proxies": [{"type": "external", "server": "a:1", "colour": 1}]}, 422, "colour"),
        ({"browser_type": "firefox"}, 422, "browser_type"),
        ({"idle_timeout_minutes": 31}, 422, "idle_timeout_minutes"),
        ({"idle_timeout_minutes": 9, "max_duration_minutes": 8}, 422, "max_duration_minutes"),
        ({"viewport_width": 800}, 422, "viewport_height"),
        ({"viewport_width": 400, "viewport_height": 400}, 422, "viewport_width"),
        ({"aspect_ratio": "16:9", "viewport_width": 800, "viewport_height": 800}, 422, "aspect_ratio"),
        ({"proxies": [{"type": "notte", "country": "de"}]}, 501, "external"),
        ({"proxies": [{"type": "external", "server": "a:1"}] * 2}, 422, "proxy"),
        ({"profile": {"id": "../bank"}}, 422, "profile"),
        ({"profile": {"id": "notte-profile-0123456789abcdef"}}, 404, "profile"),
        ({"vault_id": "v"}, 501, "Vault"),
    ],
)
async def test_a_start_that_does_not_fit_starts_nothing(
    api: Api, engine: ScriptedEngine, fields: dict[str, Any], status: int, of: str
) -> None:
    """Contract 2.1: 422 as FastAPI says it; what only the cloud has is 501."""
    refused = await api.client.post("/sessions/start", json=fields)
    assert (refused.status_code, of in refused.text) == (status, True), refused.text
    assert engine.requests == []


async def test_the_older_contract_takes_what_older_sdks_send(tmp_path: Path) -> None:
    """1.9 knows headless, use_file_storage and timeout_minutes, and passes over what it does not know."""
    async with of_contract(tmp_path / "state", "1.9") as api:
        given = {"headless": False, "use_file_storage": True, "timeout_minutes": 4, "whatever": [1]}
        answered = await api.client.post("/sessions/start", json=given)
        said = answered.json()
        assert (answered.status_code, said["headless"], said["idle_timeout_minutes"]) == (200, False, 4)


async def test_too_many_sessions_are_429_with_a_time(tmp_path: Path) -> None:
    """An SDK that is told 529 sleeps for half a minute; nothing here would be better then."""
    async with of_contract(tmp_path / "state", "1.10", max_sessions=1) as api:
        await api.started()
        refused = await api.client.post("/sessions/start", json={})
        assert (refused.status_code, refused.json()["error"]) == (429, "LimitReached")
        assert int(refused.headers["retry-after"]) > 0


# --- list, get, stop --------------------------------------------------------------


async def test_sessions_are_listed_by_pages_and_the_active_ones_alone_unless_asked(api: Api) -> None:
    """Contract 2.3: booleans come as Python writes them."""
    ids = [await api.started() for _ in range(3)]
    await api.client.delete(f"/sessions/{ids[0]}/stop")
    listed = (await api.client.get("/sessions/?page=1&page_size=1&only_active=True")).json()
    assert [one["session_id"] for one in listed["items"]] == [ids[2]]
    assert (listed["has_next"], listed["has_previous"], listed["page"], listed["page_size"]) == (True, False, 1, 1)
    rest = (await api.client.get("/sessions?page=2&page_size=2&only_active=False")).json()
    assert [one["session_id"] for one in rest["items"]] == [ids[0]]
    assert (rest["has_next"], rest["has_previous"]) == (False, True)
    for query in ("page=0", "page_size=101", "only_active=maybe", "page=x"):
        assert (await api.client.get(f"/sessions?{query}")).status_code == 422


@pytest.mark.parametrize(("asked", "told"), [("", "manual"), ("?close_reason=error", "error")])
async def test_a_stop_closes_for_the_reason_that_it_gives(api: Api, asked: str, told: str) -> None:
    """And again without harm."""
    session_id = await api.started()
    for _ in range(2):
        said = (await api.client.delete(f"/sessions/{session_id}/stop{asked}")).json()
        assert (said["status"], said["close_reason"]) == ("closed", told)
        assert said["closed_at"] is not None
    assert (await api.client.get(f"/sessions/{session_id}")).json()["close_reason"] == told
    assert (await api.client.get(f"/sessions/{session_id}/auth")).json()["status"] == "closed"


async def test_a_closed_session_says_so_and_can_still_be_read(api: Api) -> None:
    """Nothing is started in its place."""
    session_id = await api.started()
    await api.client.post(f"/sessions/{session_id}/page/execute", json=GOTO)
    await api.client.delete(f"/sessions/{session_id}/stop")
    refused = await api.client.get(f"/sessions/{session_id}/cookies")
    assert (refused.status_code, refused.json()["error"]) == (400, "SessionNotLive")
    offset = (await api.client.get(f"/sessions/{session_id}/offset?update_metadata=True")).json()["offset"]
    assert offset > 0
    assert len((await api.client.get(f"/sessions/{session_id}")).json()["steps"]) == offset


async def test_a_browser_that_went_away_is_an_error_of_the_session(api: Api, engine: ScriptedEngine) -> None:
    """Contract 4.2: close_reason error, and what happened."""
    session_id = await api.started()
    engine.lose(session_id)
    with anyio.fail_after(10):
        while (said := (await api.client.get(f"/sessions/{session_id}")).json())["status"] == "active":
            await anyio.lowlevel.checkpoint()
    assert (said["close_reason"], said["error"]) == ("error", "The browser went away.")


async def test_a_session_outlives_its_process_on_record(tmp_path: Path) -> None:
    """Its browser does not, and it says which."""
    async with of_contract(tmp_path / "state", "1.10") as api:
        session_id = await api.started()
    async with of_contract(tmp_path / "state", "1.10") as api:
        said = (await api.client.get(f"/sessions/{session_id}")).json()
        assert (said["status"], said["close_reason"]) == ("closed", "error")
        assert "process" in said["error"]


# --- steps ------------------------------------------------------------------------


async def test_steps_come_in_pages_that_go_on_where_the_last_one_ended(api: Api) -> None:
    """A bad cursor is 400."""
    session_id = await api.started()
    for _ in range(3):
        await api.client.post(f"/sessions/{session_id}/page/execute", json=GOTO)
    whole = (await api.client.get(f"/sessions/{session_id}")).json()["steps"]
    got: list[Any] = []
    cursor: str | None = ""
    while cursor is not None:
        said = (await api.client.get(f"/sessions/{session_id}/steps?limit=2&cursor={cursor}")).json()
        got, cursor = [*got, *said["steps"]], said["next_cursor"]
    assert got == whole
    assert len(whole) >= 3
    for wrong in ("x", "-1", "9999", "1e3"):
        assert (await api.client.get(f"/sessions/{session_id}/steps?cursor={wrong}")).status_code == 400


# --- cookies, profiles, files -----------------------------------------------------


async def test_cookies_are_set_and_told_in_the_contracts_form(api: Api) -> None:
    """Names are camelCase there."""
    session_id = await api.started()
    cookie = {"name": "sid", "value": "v", "domain": "office.test", "path": "/", "httpOnly": True, "sameSite": "Lax"}
    said = await api.client.post(f"/sessions/{session_id}/cookies", json={"cookies": [cookie]})
    assert said.json() == {"success": True, "message": "Set 1 cookies"}
    told = (await api.client.get(f"/sessions/{session_id}/cookies")).json()["cookies"]
    assert [{name: one[name] for name in cookie} for one in told] == [cookie]
    refused = await api.client.post(f"/sessions/{session_id}/cookies", json={"cookies": [{"name": "x"}]})
    assert refused.status_code == 422


async def test_a_profile_is_made_filled_and_given_to_the_next_session(api: Api, engine: ScriptedEngine) -> None:
    """By the id that the contract gives it."""
    made = (await api.client.post("/profiles/create", json={"name": "Bank"})).json()
    profile_id = made["profile_id"]
    session_id = await api.started()
    cookie = {"name": "sid", "value": "v", "domain": "office.test", "path": "/", "httpOnly": False}
    await api.client.post(f"/sessions/{session_id}/cookies", json={"cookies": [cookie]})
    saved = await api.client.post(f"/sessions/{session_id}/profile/save", json={"profile_id": profile_id})
    assert (saved.status_code, saved.json()["name"]) == (200, "Bank")
    assert saved.json()["persisted_domains"] == ["office.test"]
    preview = (await api.client.get(f"/sessions/{session_id}/profile-preview?include_cookies=True")).json()
    assert preview == {"profile": None, "cookie_domains": ["office.test"]}
    listed = (await api.client.get("/profiles?name=Bank")).json()["items"]
    assert [one["profile_id"] for one in listed] == [profile_id]
    assert len((await api.client.get(f"/profiles/{profile_id}/cookies")).json()["cookies"]) == 1
    other = await api.started(profile={"id": profile_id})
    assert (engine.requests[-1].storage_state or {})["cookies"][0]["name"] == "sid"
    held = await api.client.delete(f"/profiles/{profile_id}")
    assert (held.status_code, held.json()["error"]) == (409, "ProfileLocked")
    await api.client.delete(f"/sessions/{other}/stop")
    assert (await api.client.delete(f"/profiles/{profile_id}")).json()["success"] is True
    assert (await api.client.get(f"/profiles/{profile_id}")).status_code == 404


async def test_cookies_go_into_a_profile_and_into_its_duplicate(api: Api) -> None:
    """One of the same name, domain and path is replaced; the rest stays where it is to be appended."""
    first = (await api.client.post("/profiles/create", json={"name": "One"})).json()["profile_id"]
    cookies = [{"name": name, "value": "1", "domain": "office.test", "path": "/", "httpOnly": False} for name in "ab"]
    put = (await api.client.post(f"/profiles/{first}/cookies", json={"cookies": cookies})).json()
    assert (put["success"], put["cookies_count"], put["mode"]) == (True, 2, "replace")
    newer = [{**cookies[1], "value": "2"}, {**cookies[1], "name": "c"}]
    body = {"cookies": newer, "mode": "append", "source_format": "chrome"}
    assert (await api.client.post(f"/profiles/{first}/cookies", json=body)).json()["cookies_count"] == 3
    second = (await api.client.post(f"/profiles/{first}/duplicate", json={})).json()
    assert (second["name"], second["persisted_domains"]) == ("One", ["office.test"])
    assert second["profile_id"] != first
    told = (await api.client.get(f"/profiles/{second['profile_id']}/cookies")).json()["cookies"]
    assert [(one["name"], one["value"]) for one in told] == [("a", "1"), ("b", "2"), ("c", "1")]
    assert (await api.client.post(f"/profiles/{first}/cookies", json={"cookies": []})).status_code == 422


async def test_files_are_kept_by_ids_and_by_the_older_paths(api: Api) -> None:
    """A name from a page or a form never leaves the session's folder."""
    session_id = await api.started()
    at = f"/sessions/{session_id}/files"
    put = (await api.client.post(at, files={"file": ("../../a b.txt", b"hello", "text/plain")})).json()
    assert (put["filename"], put["size"], put["source"], put["mime_type"]) == (
        "a b.txt",
        5,
        "user_upload",
        "text/plain",
    )
    (api.app.registry.folder(session_id) / "files" / "got.csv").write_bytes(b"1,2")
    page = (await api.client.get(f"{at}?source=session_download")).json()
    assert [(one["filename"], one["source"]) for one in page["files"]] == [("got.csv", "session_download")]
    assert (await api.client.get(f"{at}?limit=1&offset=1")).json()["total"] == 2
    got = await api.client.get(f"{at}/{put['id']}/")
    assert (got.content, got.headers["content-disposition"]) == (b"hello", "attachment")
    old = (await api.client.get(f"/storage/{session_id}/downloads")).json()["files"]
    assert [(one["name"], one["size"], one["file_ext"]) for one in old] == [("got.csv", 3, ".csv")]
    assert (await api.client.get(f"/storage/{session_id}/downloads/got.csv")).content == b"1,2"
    assert (await api.client.delete(f"{at}/{put['id']}")).status_code == 204
    assert (await api.client.get(f"{at}/{put['id']}")).status_code == 404
    for name in ("..", "x" * 201, "é" * 150):
        assert (await api.client.post(at, files={"file": (name, b"x")})).status_code == 422
    assert (await api.client.post(at, data={"file": "no file"})).status_code == 422
    assert (await api.client.post(at, content=b"x")).status_code in (400, 422)


# --- what was filmed, and code ----------------------------------------------------


async def test_a_replay_is_not_there_before_the_end_and_says_so(api: Api) -> None:
    """SDKs tell a session that is still active by these words."""
    session_id = await api.started()
    waiting = await api.client.get(f"/sessions/{session_id}/replay")
    body = waiting.json()
    assert (waiting.status_code, body["replay_status"], body["retryable"]) == (404, "waiting_for_session", True)
    assert "still active" in body["message"]
    await api.client.delete(f"/sessions/{session_id}/stop")
    said = await replayed(api, session_id)
    assert api.key not in said["mp4_url"]
    async with httpx.AsyncClient(trust_env=False, verify=NO_CERTIFICATES) as stranger:
        video = await stranger.get(said["mp4_url"], headers={"range": "bytes=4-7"})
    assert (video.status_code, video.content, video.headers["content-type"]) == (206, b"ftyp", "video/mp4")
    assert said["video_duration_ms"] > 0
    shutil.rmtree(api.app.registry.folder(session_id))
    none = (await api.client.get(f"/sessions/{session_id}/replay")).json()
    assert (none["replay_status"], none["retryable"], none["session_id"]) == ("unavailable", False, session_id)


async def replayed(api: Api, session_id: str) -> dict[str, Any]:
    """The replay once it is made; before, it is `processing`."""
    with anyio.fail_after(30):
        while (got := await api.client.get(f"/sessions/{session_id}/replay")).status_code != 200:
            assert got.json()["replay_status"] == "processing"
    said: dict[str, Any] = got.json()
    return said


async def test_workflow_code_is_a_script_or_its_statements_and_the_actions(api: Api) -> None:
    """Contract 8.1: as_workflow has to be said."""
    session_id = await api.started()
    at = f"/sessions/{session_id}/workflow/code"
    assert (await api.client.get(f"{at}?as_workflow=True")).status_code == 422  # nothing was done yet
    await api.client.post(f"/sessions/{session_id}/page/execute", json=GOTO)
    assert (await api.client.get(at)).status_code == 422
    whole = (await api.client.get(f"{at}?as_workflow=True&infer_response_format=True")).json()
    part = (await api.client.get(f"{at}?as_workflow=False")).json()
    assert "client.Session(" in whole["python_script"]
    assert "client.Session(" not in part["python_script"]
    assert part["python_script"].lstrip().startswith(("session.", "_ =", "#"))
    for script in (whole["python_script"], part["python_script"]):
        compile(script, "script", "exec")
    assert part["json_actions"][0] == {"type": "goto", "url": GOTO["url"]}


async def test_debug_gives_addresses_that_show_the_session_without_the_key(api: Api) -> None:
    """And a tab by its index."""
    session_id = await api.started()
    said = (await api.client.get(f"/sessions/{session_id}/debug?update_metadata=True")).json()
    host = api.url.removeprefix("http://")
    assert set(said["ws"]) == {"cdp", "recording", "logs"}
    assert all(url.startswith(f"ws://{host}/sessions/{session_id}/debug/") for url in said["ws"].values())
    assert api.key not in json.dumps(said)
    tab = (await api.client.get(f"/sessions/{session_id}/debug/tab?tab_idx=0")).json()
    assert tab["metadata"] == said["tabs"][0]["metadata"]
    assert (await api.client.get(f"/sessions/{session_id}/debug/tab?tab_idx=7")).status_code == 404
