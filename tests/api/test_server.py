"""Who is let in to the local API, what it says to the rest, and how what it refuses is spelled."""

import json
import os
import re
import signal
import stat
import subprocess
import sys
from collections.abc import AsyncGenerator, Callable, Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from notte_mcp.api import routes
from notte_mcp.api.calls import answer
from notte_mcp.api.contract import CONTRACT
from notte_mcp.api.faults import ApiFault, fault_of
from notte_mcp.api.keys import OWNER, ApiKeys
from notte_mcp.api.routes import ROUTES
from notte_mcp.api.streams import SessionLog
from notte_mcp.engines.scripted import ScriptedEngine
from notte_mcp.errors import BrowserLaunchFailed, SessionNotLive
from notte_mcp.http import connections, socket_connections
from tests import office
from tests.api.served import KEY, NO_CERTIFICATES, Api, served_api
from tests.forks import PIPE, Forked

pytestmark = pytest.mark.anyio

BASE = "http://office.test"
PATHS = (Path(__file__).parent / "contract_paths.txt").read_text("utf-8").split("\n")[:-1]


@pytest.fixture
async def api(tmp_path: Path) -> AsyncGenerator[Api]:
    engines = {"local": ScriptedEngine(office.scripted_pages(BASE))}
    async with served_api(tmp_path / "state", chromium=None, engines=engines, max_upload_bytes=100_000) as one:
        yield one


def filled(path: str) -> str:
    return re.sub(r"\{\w+\}", "x", path)


# --- the key ----------------------------------------------------------------------


async def test_health_needs_no_key_and_everything_else_does(api: Api) -> None:
    """Contract: /health is called without a key."""
    async with httpx.AsyncClient(base_url=api.url, trust_env=False, verify=NO_CERTIFICATES) as stranger:
        health = await stranger.get("/health/")
        assert (health.status_code, health.json()["status"]) == (200, "healthy")
        for headers in ({}, {"authorization": "Bearer another-key-of-somebody"}, {"authorization": KEY}):
            refused = await stranger.get("/sessions", headers=headers)
            assert (refused.status_code, refused.json()["status"]) == (401, 401)
            assert "show-key" in refused.json()["detail"]
            assert "bearer" in refused.headers["www-authenticate"].lower()


async def test_the_key_does_not_stand_in_an_address(api: Api) -> None:
    """An address is logged and sent around; there a token of one session may stand, and for its video alone."""
    session_id = await api.started()
    token = api.routes.keys.viewer_token(session_id)
    async with httpx.AsyncClient(base_url=api.url, trust_env=False, verify=NO_CERTIFICATES) as stranger:
        assert (await stranger.get("/sessions", params={"token": KEY})).status_code == 401
        assert (await stranger.get(f"/sessions/{session_id}", params={"token": token})).status_code == 401
        as_header = {"authorization": f"Bearer {token}"}
        assert (await stranger.get(f"/sessions/{session_id}", headers=as_header)).status_code == 403
        of_video = f"/sessions/{session_id}/replay/video.mp4"
        assert (await stranger.get(of_video, params={"token": token})).status_code == 404  # it is still active
        other = await api.started()
        of_other = f"/sessions/{other}/replay/video.mp4"
        assert (await stranger.get(of_other, params={"token": token})).status_code == 403


def test_a_viewer_token_is_for_its_session_and_its_time() -> None:
    """And for this key."""
    keys = ApiKeys(KEY)

    def whose(token: str, of: ApiKeys = keys) -> Any:
        return of.whose("/sessions/x/debug/logs", [f"Bearer {token}".encode()])

    token = keys.viewer_token("ses_a")
    assert (whose(token), whose(KEY)) == ("ses_a", OWNER)
    assert KEY not in token
    forged = [token.replace("ses_a", "ses_b"), token[:-1], f"9{token}", keys.viewer_token("ses_a", hold_s=-1), "..", ""]
    assert all(getattr(whose(one), "status", None) == 401 for one in forged)
    assert whose(token, ApiKeys(f"{KEY}-2")).status == 401


async def test_other_names_and_other_origins_are_refused_whatever_their_key(api: Api) -> None:
    """DNS rebinding, and pages that the person's own browser shows."""
    named = await api.client.get("/sessions", headers={"host": "evil.example"})
    assert (named.status_code, named.json()["error"]) == (421, "wrong_host")
    page = await api.client.get("/sessions", headers={"origin": "https://evil.example"})
    assert (page.status_code, page.json()["error"]) == (403, "wrong_origin")
    assert "--allowed-origin" not in page.text


# --- bodies -----------------------------------------------------------------------


async def test_bodies_have_a_size_and_a_file_has_another(api: Api) -> None:
    """A file streams to the disk, and is cut where it is too long."""
    session_id = await api.started()
    long = await api.client.post("/sessions/start", content=b" " * 5_000_000)
    assert (long.status_code, long.json()["status"]) == (413, 413)
    fits = await api.client.post(f"/sessions/{session_id}/files", files={"file": ("a.bin", b"x" * 99_000)})
    assert (fits.status_code, fits.json()["size"]) == (200, 99_000)
    for size in (120_000, 3_000_000):
        too_long = await api.client.post(f"/sessions/{session_id}/files", files={"file": ("b.bin", b"x" * size)})
        assert too_long.status_code == 413, too_long.text
    listed = (await api.client.get(f"/sessions/{session_id}/files")).json()
    assert [one["filename"] for one in listed["files"]] == ["a.bin"]


async def test_a_file_that_stops_coming_is_given_up(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its place is free again, and nothing of it is kept."""
    monkeypatch.setattr(routes, "STREAM_S", 0.2)
    session_id = await api.started()
    head = f"POST /sessions/{session_id}/files HTTP/1.1\r\nHost: {api.url.removeprefix('http://')}\r\n"
    head += f"Authorization: Bearer {KEY}\r\nContent-Length: 1000\r\nContent-Type: multipart/form-data; boundary=b\r\n"
    part = '--b\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\nhalf'
    async with await anyio.connect_tcp("127.0.0.1", int(api.url.rpartition(":")[2])) as wire:
        await wire.send(f"{head}\r\n{part}".encode())
        with anyio.fail_after(10):
            got = await wire.receive()
    assert got.startswith(b"HTTP/1.1 408 ")
    assert (await api.client.get(f"/sessions/{session_id}/files")).json()["total"] == 0


@pytest.mark.parametrize("body", [b"{", b"[1]", b'"x"', b"\xff", b"[" * 200_000, b'{"x": NaN}', b'{"x": 1e999}'])
async def test_what_is_no_json_object_is_refused_as_fastapi_does(api: Api, body: bytes) -> None:
    """Contract: 422 with a list."""
    refused = await api.client.post("/sessions/start", content=body)
    assert refused.status_code == 422
    assert {"type", "loc", "msg"} <= refused.json()["detail"][0].keys()


def test_half_a_character_of_a_page_is_sent_as_json_has_it() -> None:
    """Titles and texts are a page's own, and it may cut them where it likes."""
    sent = answer({"title": "é\ud800"})
    assert json.loads(bytes(sent.body)) == {"title": "é\ud800"}
    assert ApiFault(404, "\ud800").answer().status_code == 404


# --- paths ------------------------------------------------------------------------


async def test_unknown_paths_and_methods_are_said_as_the_contract_says_them(api: Api) -> None:
    """Contract: {"detail": "Not Found"}."""
    missing = await api.client.get("/no/such/thing")
    assert (missing.status_code, missing.json()["detail"]) == (404, "Not Found")
    wrong = await api.client.put("/sessions/start")
    assert (wrong.status_code, wrong.headers["allow"]) == (405, "GET, POST")
    unknown = await api.client.get("/sessions/ses_%2e%2e%20")
    assert (unknown.status_code, unknown.json()["error"]) == (404, "UnknownSession")


async def test_what_is_to_be_mended_on_the_machine_is_said_and_calls_of_tools_are_not(tmp_path: Path) -> None:
    """Ours: whoever starts the API for the first time may have no browser that it finds."""
    async with served_api(tmp_path / "state", chromium=tmp_path / "nowhere") as one:
        missing = (await one.client.post("/sessions/start", json={})).json()
    assert (missing["error"], missing["status"]) == ("BrowserMissing", 500)
    assert missing["message"].endswith("Next: correct or unset NOTTE_MCP_BROWSER and restart the server.")
    again = BrowserLaunchFailed("It ended.", next_call="notte_start again; if it repeats, `notte-mcp doctor`")
    assert str(fault_of(again)).endswith(" Next: the same call again; if it repeats, `notte-mcp doctor`.")
    assert str(fault_of(SessionNotLive("It is over.", next_call="notte_start()"))) == "It is over. Nothing was done."


def test_the_table_has_every_endpoint_of_the_contract_and_each_has_a_route() -> None:
    """docs/notte.md is printed of it."""
    assert [f"{one.method} {one.path}" for one in CONTRACT] == PATHS
    assert len(PATHS) == 96
    assert {(one.method, one.path) for one in CONTRACT} <= {(one.method, one.path) for one in ROUTES}
    assert all(one.note for one in CONTRACT if one.how != "served" and "/profiles/{profile_id}/cookies" not in one.path)


async def test_the_api_tells_its_endpoints_and_that_nothing_costs_anything(api: Api) -> None:
    """Contract 3.7, as far as it means anything here."""
    await api.started()
    told = (await api.client.get("/openapi.json")).json()["paths"]
    assert told["/sessions/{session_id}"]["get"]["responses"].keys() == {"200"}
    assert told["/vaults"]["get"]["responses"].keys() == {"501"}
    usage = (await api.client.get("/usage?period=2026-11")).json()
    assert (usage["session_count"], usage["total_cost"], usage["period"]) == (1, 0.0, "2026-11")


async def test_what_is_not_served_says_so_and_why(api: Api) -> None:
    """501, in the contract's form."""
    absent = [one for one in CONTRACT if one.how == "absent"]
    assert absent
    for one in absent:
        refused = await api.client.request(one.method, filled(one.path) + "/")
        body = refused.json()
        assert (refused.status_code, body["status"], body["error"]) == (501, 501, "NotImplemented"), one.path
        assert body["detail"] == body["message"]
        assert len(body["detail"]) > 30, one.path


# --- WebSockets -------------------------------------------------------------------


async def test_websockets_pass_the_same_rules(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    """The host, the origin, the token; and what is closed says why."""
    session_id = await api.started()
    at = f"{api.url.replace('http', 'ws', 1)}/sessions/{session_id}/debug/cdp"
    token = api.routes.keys.viewer_token(session_id)
    refused: list[tuple[str, dict[str, str], int]] = [
        (at, {}, 401),
        (f"{at}?token=nobody", {}, 401),
        (f"{at}?token={token}", {"origin": "https://evil.example"}, 403),
        (f"{at}/no/such?token={token}", {}, 404),
    ]
    for url, headers, status in refused:
        with pytest.raises(InvalidStatus) as told:
            async with connect(url, additional_headers=headers, proxy=None):
                pass
        assert told.value.response.status_code == status
        assert b'"detail"' in told.value.response.body
    for url, headers in (
        (f"{at}?token={token}", {}),
        (f"{at}?token={KEY}", {}),
        (at, {"authorization": f"Bearer {KEY}"}),
    ):
        async with connect(url, additional_headers=headers, proxy=None) as socket:
            with pytest.raises(ConnectionClosed) as closed:
                await socket.recv()
        assert closed.value.rcvd is not None
        assert "pipe" in closed.value.rcvd.reason
    assert not [line for line in caplog.messages if token in line or KEY in line or "ASGI" in line]


async def test_a_websocket_outlives_the_time_that_a_header_may_take(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """The connection is watched until its request is here, and has other deadlines from then on."""
    monkeypatch.setattr(connections, "HEAD_S", 0.1)
    session_id = await api.started()
    token = api.routes.keys.viewer_token(session_id)
    at = f"{api.url.replace('http', 'ws', 1)}/sessions/{session_id}/debug/logs?token={token}"
    async with connect(at, proxy=None) as socket:
        until = anyio.current_time() + 0.5
        with anyio.fail_after(10):
            while anyio.current_time() < until:
                await (await socket.ping())
        assert socket.close_code is None


async def test_a_websocket_whose_reader_stalls_is_cut_off(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ours: nobody holds a place, and what was sent, by not reading it."""
    over = anyio.Event()

    async def endless(_: SessionLog) -> AsyncGenerator[str]:
        try:
            while True:
                yield "x" * 100_000
        finally:
            over.set()

    monkeypatch.setattr(SessionLog, "frames", endless)
    monkeypatch.setattr(socket_connections, "STALL_S", 0.2)
    session_id, address = await api.started(), api.url.removeprefix("http://")
    asked = f"GET /sessions/{session_id}/debug/logs HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {KEY}\r\n"
    asked += "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    async with await anyio.connect_tcp("127.0.0.1", int(address.rpartition(":")[2])) as wire:
        await wire.send(f"{asked}Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n".encode())
        with anyio.fail_after(20):
            await over.wait()


# --- as a process -----------------------------------------------------------------


def started(words: list[str], *, env: Mapping[str, str], stdout: int, stderr: int) -> "subprocess.Popen[bytes]":
    """A process that no other one was before."""
    return subprocess.Popen([sys.executable, *words], env=env, stdout=stdout, stderr=stderr)


@contextmanager
def process(
    state: Path,
    *flags: str,
    env: Mapping[str, str] | None = None,
    begin: Callable[..., "Forked | subprocess.Popen[bytes]"] = Forked,
) -> Generator["Forked | subprocess.Popen[bytes]"]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("NOTTE_", "XDG_"))}
    given = {**clean, "NOTTE_MCP_STATE_DIR": str(state), "HOME": str(state.parent), **(env or {})}
    with begin(["-m", "notte_mcp", "api", "--port", "0", *flags], env=given, stdout=PIPE, stderr=PIPE) as one:
        try:
            yield one
        finally:
            one.kill()


def test_the_command_says_where_it_is_and_where_the_key_lies_but_not_the_key(tmp_path: Path) -> None:
    """Terminals are recorded; two lines to export are all that an SDK needs."""
    state = tmp_path / "state"
    with process(state, "--contract", "1.9", begin=started) as served:
        assert served.stderr is not None
        said = [served.stderr.readline().decode() for _ in range(4)]
        key = (state / "api-key").read_text("ascii").strip()
        assert stat.S_IMODE((state / "api-key").stat().st_mode) == 0o600
        url = said[2].split("=", 1)[1].strip()
        assert said[2].split("=")[0].strip() == "export NOTTE_API_URL"
        assert str(state / "api-key") in said[3]
        assert not [line for line in said if key in line]
        health = httpx.get(f"{url}/health", trust_env=False).json()
        assert health["contract"] == "1.9"
        headers = {"authorization": f"Bearer {key}"}
        assert httpx.get(f"{url}/sessions", headers=headers, trust_env=False).json()["items"] == []
        with process(state, "--show-key") as shown:
            assert shown.stdout is not None
            assert shown.stdout.read().decode().strip() == key
        served.send_signal(signal.SIGTERM)
        assert served.wait(timeout=20) == 0


@pytest.mark.parametrize(
    ("flags", "env", "missing"),
    [
        (("--host", "0.0.0.0"), {}, "NOTTE_MCP_API_KEY"),
        (("--host", "0.0.0.0"), {"NOTTE_MCP_API_KEY": KEY}, "--allowed-host"),
        (("--host", "nowhere"), {}, "no address"),
        (("--show-key",), {"NOTTE_MCP_API_KEY": KEY}, "settings"),
    ],
)
def test_what_others_could_reach_wants_a_key_and_names(
    tmp_path: Path, flags: tuple[str, ...], env: dict[str, str], missing: str
) -> None:
    """Loopback by default; beyond it nothing is guessed."""
    with process(tmp_path / "state", *flags, env=env) as refused:
        assert refused.stderr is not None
        said = refused.stderr.read().decode()
        assert refused.wait(timeout=30) == 1
    assert missing in said
    assert KEY not in said
