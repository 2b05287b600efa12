"""Start fields that only a real browser shows the effect of: headers, and a browser of the caller's own."""

import json
import os
import re
import subprocess
from collections.abc import AsyncGenerator, Generator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.api.served import Api, served_api
from tests.site import Site

if TYPE_CHECKING:
    from tests.browsers import Browsers

pytestmark = pytest.mark.anyio

TOKEN = "t0ken-of-a-header"
HEADERS = {"authorization": f"Bearer {TOKEN}", "x-tenant": "acme"}


@pytest.fixture(scope="module")
async def api(browsers: "Browsers", tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Api]:
    state = tmp_path_factory.mktemp("starting") / "state"
    async with served_api(state, chromium=None, engines={"local": browsers.engine()}) as one:
        yield one


@pytest.fixture
def foreign(chromium: Path, tmp_path: Path) -> Generator[str]:
    """The CDP URL of a Chromium that somebody else runs."""
    flags = ["--headless", "--remote-debugging-port=0", f"--user-data-dir={tmp_path / 'theirs'}"]
    flags += ["--no-sandbox"] if os.geteuid() == 0 else []
    with subprocess.Popen([str(chromium), *flags, "about:blank"], stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        try:
            yield next(found.group() for line in process.stderr if (found := re.search(r"ws://\S+", line)))
            assert process.poll() is None
        finally:
            process.kill()


async def sent_by(api: Api, session_id: str, site: Site) -> dict[str, str]:
    """The headers with which the session asks for a page."""
    asked = {"type": "goto", "url": site.url("/headers")}
    done = (await api.client.post(f"/sessions/{session_id}/page/execute", json=asked)).json()
    assert done["success"], done
    return next(headers for _, path, headers in reversed(site.requests) if path == "/headers")


async def test_headers_go_with_each_request_and_chrome_args_with_none(api: Api, site: Site) -> None:
    """Contract 4.1; a browser that is shared has been started already. Their values are told nowhere."""
    given = {"extra_http_headers": HEADERS, "chrome_args": ["--mute-audio"]}
    answered = await api.client.post("/sessions/start", json=given)
    session_id = answered.json()["session_id"]
    sent = await sent_by(api, session_id, site)
    told = await api.client.get(f"/sessions/{session_id}")
    bare = await sent_by(api, await api.started(), site)
    code = (await api.client.get(f"/sessions/{session_id}/workflow/code", params={"as_workflow": True})).text
    record = await api.app.registry.record(session_id)

    assert {name: sent.get(name) for name in HEADERS} == HEADERS
    assert not HEADERS.keys() & bare.keys()
    assert answered.headers["x-notte-mcp-ignored"] == "chrome_args"
    assert TOKEN not in answered.text + told.text + code + json.dumps(record.spec.cloud)
    wrong = await api.client.post("/sessions/start", json={"extra_http_headers": {"x y": "1", "z": "a\r\nb"}})
    assert (wrong.status_code, len(wrong.json()["detail"])) == (422, 2)


async def test_a_browser_of_the_callers_own_is_driven_and_left_running(api: Api, site: Site, foreign: str) -> None:
    """`cdp_url`; what it has already is not changed, which the answer's header says."""
    answered = await api.client.post("/sessions/start", json={"cdp_url": foreign, "user_agent": "Mine/1.0"})
    session_id = answered.json()["session_id"]
    sent = await sent_by(api, session_id, site)
    scraped = await api.client.post(f"/sessions/{session_id}/page/scrape", json={})
    stopped = await api.client.delete(f"/sessions/{session_id}/stop")
    record = await api.app.registry.record(session_id)

    assert (answered.status_code, answered.headers["x-notte-mcp-ignored"]) == (200, "user_agent")
    assert "Mine" not in sent["user-agent"]
    assert "user-agent" in scraped.json()["markdown"]
    assert stopped.json()["status"] == "closed"
    assert (answered.json()["cdp_url"], record.spec.cloud["cdp_url"]) == (None, True)


@pytest.mark.parametrize(
    "fields",
    [{"cdp_url": "ws://127.0.0.1:1/"}, {"cdp_url": "me"}, {"cdp_url": "ws://x", "proxies": [{"type": "notte"}]}],
)
async def test_a_browser_that_is_not_there_is_the_callers_error(api: Api, fields: dict[str, object]) -> None:
    """A plain 422: after a fault of the server's an SDK would start twice more."""
    answered = await api.client.post("/sessions/start", json=fields)
    assert (answered.status_code, "cdp_url" in answered.text) == (422, True), answered.text
    assert [one.state for one in await api.app.registry.sessions() if one.spec.cdp_url == fields["cdp_url"]] == []
