"""The end of a cloud session, where the network does what it likes: within 4 s it is told as it is known to be."""

import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import anyio
import pytest
from pydantic import SecretStr

from notte_mcp.app import App, open_app
from notte_mcp.engines.scripted import ScriptedEngine
from notte_mcp.records import SessionSpec
from notte_mcp.registry import elsewhere
from notte_mcp.settings import Settings
from tests import office
from tests.api.served import Api, served_api
from tests.notte.proxy import Fault, Lose, Proxy, Reset, Stall, proxy

pytestmark = pytest.mark.anyio

STOP_S = 4.0


@dataclass
class Between:
    """A server of ours with a session in a cloud, and what is between them."""

    app: App
    proxy: Proxy
    cloud: Api
    session: str
    remote: str

    async def there(self) -> str:
        return (await self.cloud.app.registry.record(self.remote)).state


@asynccontextmanager
async def between(folder: Path) -> AsyncGenerator[Between]:
    engines = {"local": ScriptedEngine(office.scripted_pages("http://office.test"))}
    async with served_api(folder / "cloud", chromium=None, engines=engines) as cloud, proxy(cloud.url) as line:
        key = SecretStr(cloud.key)
        settings = Settings(state_dir=folder / "state", notte_api_key=key, notte_api_url=line.url, viewer=False)
        async with open_app(settings) as app:
            record, _ = await app.registry.open(SessionSpec(engine="notte", record=False))
            yield Between(app, line, cloud, record.id, record.remote_id)


@pytest.mark.parametrize("fault", [Stall(), Reset()])
async def test_until_the_cloud_acknowledges_it_a_session_is_stopping(
    tmp_path: Path, fault: Fault, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the cloud is asked again, until it has ended there too."""
    monkeypatch.setattr(elsewhere, "AGAIN_S", 0.05)
    async with between(tmp_path) as at:
        at.proxy.on("*", "/sessions/*", fault, times=None)
        begun = time.monotonic()
        stopping = await at.app.registry.stop(at.session)
        took = time.monotonic() - begun

        assert (stopping.state, stopping.reason, took < STOP_S + 0.5) == ("stopping", "user", True), took
        assert await at.there() == "ready"
        at.proxy.heal()
        with anyio.fail_after(15):
            ended = await at.app.registry.until_ended(at.session)
        assert (ended.state, ended.reason, await at.there()) == ("stopped", "user", "stopped")


async def test_an_end_whose_answer_was_lost_is_found_out(tmp_path: Path) -> None:
    """What was done is not asked for twice."""
    async with between(tmp_path) as at:
        at.proxy.on("DELETE", "*/stop", Lose())
        ended = await at.app.registry.stop(at.session)

        assert (ended.state, await at.there()) == ("stopped", "stopped")


async def test_a_server_that_ends_meanwhile_does_not_wait_for_it(tmp_path: Path) -> None:
    """The next one finds a session that can be gone on with, or ended."""
    async with between(tmp_path) as at:
        at.proxy.on("*", "/sessions/*", Stall(), times=None)
        assert (await at.app.registry.stop(at.session)).state == "stopping"
        session = at.session
        begun = time.monotonic()
        await at.app.registry.close(deadline_s=0.5)
        assert time.monotonic() - begun < 1
    settings = Settings(state_dir=tmp_path / "state", viewer=False)
    async with open_app(settings) as app:
        assert (await app.registry.record(session)).state == "interrupted"
