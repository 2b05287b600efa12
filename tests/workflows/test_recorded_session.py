"""A session on the real engine, and its script: both leave the same behind."""

from pathlib import Path

import anyio
import pytest

from notte_mcp.app import open_app
from notte_mcp.records import SessionSpec
from notte_mcp.settings import Settings
from notte_mcp.workflows import write_code
from tests.browsers import Browsers
from tests.workflows.applying import CODE, act, apply
from tests.workflows.desk import Desk
from tests.workflows.playing import play

pytestmark = pytest.mark.anyio


async def test_the_script_of_a_session_leaves_behind_what_the_session_did(tmp_path: Path, browsers: Browsers) -> None:
    """Ours: from what the engine records to what the server sees, with nothing written by hand."""
    (tmp_path / "cv.pdf").write_text("I can do it")
    settings = Settings(state_dir=tmp_path / "state", upload_dirs=(tmp_path,))
    with Desk() as desk, anyio.fail_after(100):
        async with open_app(settings, engines={"local": browsers.engine(settings)}) as app:
            session = (await app.registry.open(SessionSpec(record=False), url=desk.url("/form")))[0].id
            cv = {"type": "upload_file", "id": "@file Your CV", "path": str(tmp_path / "cv.pdf")}
            await apply(app, session, cv, city="oslo w")
            await act(
                app, session, {"type": "click", "id": "@button Press me"}, {"type": "click", "id": "@link Details"}
            )
            await act(
                app, session, {"type": "wait_for", "value": "Close this"}, {"type": "click", "id": "@button Close this"}
            )
            steps = await app.registry.steps(session)
        recorded = (desk.arrived[:], desk.hits[:])
        written = write_code(steps, SessionSpec(), target="playwright", style="async")
        browser = (await browsers.home()).browser
        done = await play(written.code, tmp_path, browser, secrets={"SECRET_ACCESS_CODE": CODE})

    assert (done.returncode, done.stderr) == (0, "")
    assert CODE not in written.code
    assert (desk.arrived, desk.hits) == (recorded[0] * 2, recorded[1] * 2)
    assert recorded[0][0]["city"] == "Oslo West"
