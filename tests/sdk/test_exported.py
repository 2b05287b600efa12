"""Scripts both ways: what was recorded here runs with Notte's SDKs against the API, and what was done through the API is
a script that runs again."""

from pathlib import Path
from typing import Final

import anyio
import pytest

from notte_mcp.app import App
from notte_mcp.records import SessionSpec
from notte_mcp.resources.script import code_of, made_of
from tests.api.served import Api, served_api
from tests.browsers import Browsers
from tests.judges import Sdk, run_script_beside
from tests.workflows.applying import CODE, act, apply
from tests.workflows.desk import Desk

pytestmark = pytest.mark.anyio

FORMS: Final[tuple[tuple[Sdk, str], ...]] = (("1.9", "sync"), ("1.10", "async"))


async def recorded(app: App, desk: Desk) -> str:
    """A session in which a form was sent, a frame and a shadow root were acted in, and a tab was opened; its id."""
    session = (await app.registry.open(SessionSpec(record=False), url=desk.url("/form")))[0].id
    await apply(app, session, city="Oslo West")
    await act(app, session, {"type": "wait_for", "value": "Order number"}, {"type": "click", "id": "@button Press me"})
    await act(app, session, {"type": "click", "id": "@button Open"}, {"type": "click", "id": "@link Details"})
    await act(app, session, {"type": "wait_for", "value": "Close this"})
    return session


async def ran(api: Api, sdk: Sdk, code: str, folder: Path) -> None:
    """The script, as the file that its owner keeps."""
    file = folder / "recorded.py"
    await anyio.to_thread.run_sync(file.write_text, code)
    secret = {"SECRET_ACCESS_CODE": CODE}
    await run_script_beside(sdk, file, url=api.url, key=api.key, environment=secret, timeout_s=60)


async def test_an_exported_script_leaves_behind_what_the_session_did(tmp_path: Path, browsers: Browsers) -> None:
    """Notte: the script of either SDK, sync and async; the newer one's in sync form is the code that the API gives of what
    such a script did."""
    with Desk() as desk, anyio.fail_after(110):
        engines = {"local": browsers.engine()}
        async with served_api(tmp_path / "state", chromium=None, engines=engines) as api:
            session = await recorded(api.app, desk)
            left = (desk.arrived[:], desk.hits[:])
            made = await made_of(api.app, session)
            for sdk, style in FORMS:
                await ran(api, sdk, code_of(made, "notte", style=style, sdk=sdk).code, tmp_path)
            newest = max(await api.app.registry.sessions(limit=9), key=lambda record: record.created_at)
            answered = await api.client.get(f"/sessions/{newest.id}/workflow/code", params={"as_workflow": "True"})
            await ran(api, "1.10", answered.json()["python_script"], tmp_path)

    assert newest.id != session
    assert left[0][0]["city"] == "Oslo West"
    assert (desk.arrived, desk.hits) == (left[0] * 4, left[1] * 4)
