"""Six flows of the corpus, once: recorded, written down, run again as they are; one of them on a page that has changed.

`make corpus` does all of them, three times each.
"""

import os
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest

from notte_mcp.app import App, open_app
from notte_mcp.settings import Settings
from tests.corpus.grounds import Grounds
from tests.corpus.judging import judge
from tests.corpus.mutating import mutate
from tests.corpus.recording import FILES, LANGUAGES, Recorded, record
from tests.corpus.rerunning import rerun
from tests.corpus.table import BREADTH, BY_NAME, CHANGED

pytestmark = pytest.mark.anyio
LIMIT_S = 120


@pytest.fixture
def grounds() -> Iterator[Grounds]:
    with Grounds() as served:
        yield served


@asynccontextmanager
async def recording(name: str, grounds: Grounds, folder: Path, browser: Path) -> AsyncGenerator[tuple[App, Recorded]]:
    """A flow, recorded; the server stays open."""
    files = folder / "files"
    files.mkdir()
    for file, content in FILES.items():
        (files / file).write_text(content, encoding="utf-8")
    state, root = folder / "state", os.geteuid() == 0
    settings = Settings(state_dir=state, browser=browser, no_sandbox=root, upload_dirs=(files,))
    with anyio.fail_after(LIMIT_S):
        async with open_app(settings) as app:
            yield app, await record(app, BY_NAME[name], grounds, files)


@pytest.mark.parametrize("name", BREADTH)
async def test_both_scripts_of_a_flow_leave_behind_what_the_flow_did(
    name: str, grounds: Grounds, tmp_path: Path, chromium: Path
) -> None:
    """Ours: exit codes alone prove nothing; what the servers received does."""
    async with recording(name, grounds, tmp_path, chromium) as (_, recorded):
        pass
    faults = {language: (await judge(recorded, language, grounds, chromium)).fault for language in LANGUAGES}
    assert faults == {"playwright": "", "pytest": ""}


async def test_a_workflow_runs_on_where_ids_boxes_and_order_are_others(
    grounds: Grounds, tmp_path: Path, chromium: Path
) -> None:
    """Ours: what people read stayed, so what was recorded of it still leads to each element."""
    async with recording(CHANGED, grounds, tmp_path, chromium) as (app, recorded):
        same = await rerun(app, recorded, grounds)
        changed = await rerun(app, recorded, grounds, mutate)
    assert (same.outcome, same.fault) == ("passed", "")
    assert changed.fault == ""
