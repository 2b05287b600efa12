"""Six flows of the corpus, once: recorded, written down, run again as they are; one more on a page that has changed.

`make corpus` does all of them, three times each.
"""

import os
from collections.abc import AsyncGenerator
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path

import anyio
import pytest

from notte_mcp.app import App, open_app
from notte_mcp.settings import Settings
from tests.corpus.grounds import Grounds
from tests.corpus.judging import judge, judge_tests
from tests.corpus.mutating import mutate
from tests.corpus.recording import FILES, record
from tests.corpus.rerunning import rerun
from tests.corpus.table import BREADTH, BY_NAME, CHANGED

pytestmark = pytest.mark.anyio
LIMIT_S = 240
"""For a machine that is busy with other tests."""


@asynccontextmanager
async def recorder(folder: Path, browser: Path) -> AsyncGenerator[tuple[App, Path]]:
    """A server, and the folder of files that its sessions may upload."""
    files = folder / "files"
    files.mkdir()
    for file, content in FILES.items():
        (files / file).write_text(content, encoding="utf-8")
    state, root = folder / "state", hasattr(os, "geteuid") and os.geteuid() == 0
    settings = Settings(state_dir=state, browser=browser, no_sandbox=root, upload_dirs=(files,))
    with anyio.fail_after(LIMIT_S):
        async with open_app(settings) as app:
            yield app, files


@pytest.mark.parametrize("names", BREADTH, ids=" ".join)
async def test_both_scripts_of_a_flow_leave_behind_what_the_flow_did(
    names: tuple[str, ...], tmp_path: Path, chromium: Path
) -> None:
    """Ours: exit codes alone prove nothing; what the servers received does."""
    with ExitStack() as served:
        async with recorder(tmp_path, chromium) as (app, files):
            places = [served.enter_context(Grounds()) for _ in names]
            flows = [
                (await record(app, BY_NAME[name], grounds, files), grounds)
                for name, grounds in zip(names, places, strict=True)
            ]
        verdicts = {one.flow.name: await judge(one, "playwright", grounds, chromium) for one, grounds in flows}
        assert {name: verdict.fault for name, verdict in verdicts.items()} == dict.fromkeys(names, "")
        assert await judge_tests(flows, chromium) == []


async def test_a_workflow_runs_on_where_ids_boxes_and_order_are_others(tmp_path: Path, chromium: Path) -> None:
    """Ours: what people read stayed, so what was recorded of it still leads to each element."""
    with Grounds() as grounds:
        async with recorder(tmp_path, chromium) as (app, files):
            recorded = await record(app, BY_NAME[CHANGED], grounds, files)
            same = await rerun(app, recorded, grounds)
            changed = await rerun(app, recorded, grounds, mutate)
    assert (same.outcome, same.fault) == ("passed", "")
    assert changed.fault == ""
