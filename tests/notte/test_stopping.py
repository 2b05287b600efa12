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

    async def another(self) -> str:
        """One more session."""
        record, _ = await self.app.registry.open(SessionSpec(engine="notte", record=False))
        return record.id

    async def spoil(self, session: str, fault: Fault) -> None:
        """From now on, all that is asked of it."""
        remote = (await self.app.registry.record(session)).remote_id
        self.proxy.on("*", f"/sessions/{remote}*", fault, times=None)

    async def stopped_in_time(self, session: str) -> None:
        """It is said to be stopping, and is not over there."""
        begun = time.monotonic()
        stopping = await self.app.registry.stop(session)
        took = time.monotonic() - begun
        assert (stopping.state, stopping.reason, took < STOP_S + 0.5) == ("stopping", "user", True), took
        assert await self.there(stopping.remote_id) == "ready"

    async def there(self, remote: str) -> str:
        return (await self.cloud.app.registry.record(remote)).state


@asynccontextmanager
async def between(folder: Path) -> AsyncGenerator[Between]:
    engines = {"local": ScriptedEngine(office.scripted_pages("http://office.test"))}
    async with served_api(folder / "cloud", chromium=None, engines=engines) as cloud, proxy(cloud.url) as line:
        key = SecretStr(cloud.key)
        settings = Settings(state_dir=folder / "state", notte_api_key=key, notte_api_url=line.url, viewer=False)
        async with open_app(settings) as app:
            record, _ = await app.registry.open(SessionSpec(engine="notte", record=False))
            yield Between(app, line, cloud, record.id)


async def test_until_the_cloud_acknowledges_it_a_session_is_stopping(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the cloud is asked again, until it has ended there too. A server that ends meanwhile does not wait for it: the next
    one finds a session that can be gone on with, or ended."""
    monkeypatch.setattr(elsewhere, "AGAIN_S", 0.05)
    async with between(tmp_path) as at:
        faults: dict[str, Fault] = {at.session: Stall(), await at.another(): Reset(), await at.another(): Stall()}
        *asked_again, left = faults
        for session, fault in faults.items():
            await at.spoil(session, fault)
        async with anyio.create_task_group() as group:
            for session in faults:
                group.start_soon(at.stopped_in_time, session)
        at.proxy.heal()
        await at.spoil(left, Stall())
        with anyio.fail_after(15):
            ended = [await at.app.registry.until_ended(session) for session in asked_again]
        assert [(one.state, one.reason) for one in ended] == [("stopped", "user")] * 2
        assert [await at.there(one.remote_id) for one in ended] == ["stopped"] * 2
        begun = time.monotonic()
        await at.app.registry.close(deadline_s=0.5)
        assert time.monotonic() - begun < 1
    async with open_app(Settings(state_dir=tmp_path / "state", viewer=False)) as app:
        assert (await app.registry.record(left)).state == "interrupted"


async def test_an_end_whose_answer_was_lost_is_found_out(tmp_path: Path) -> None:
    """What was done is not asked for twice."""
    async with between(tmp_path) as at:
        at.proxy.on("DELETE", "*/stop", Lose())
        ended = await at.app.registry.stop(at.session)

        assert (ended.state, await at.there(ended.remote_id)) == ("stopped", "stopped")
