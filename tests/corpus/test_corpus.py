"""Six flows of the corpus, once: recorded, written down, run again as they are; one more on a page that has changed.

`make corpus` does all of them in every language, three times each. Here they are run in pytest's form: a script's steps
are the same lines, and what else it has is shown by tests/workflows.
"""

from collections.abc import AsyncGenerator
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import anyio
import pytest

from notte_mcp.app import App, open_app
from notte_mcp.settings import Settings
from tests.browsers import Browsers
from tests.corpus.grounds import Grounds
from tests.corpus.judging import judge_tests
from tests.corpus.mutating import mutate
from tests.corpus.recording import FILES, record
from tests.corpus.rerunning import rerun
from tests.corpus.table import BREADTH, BY_NAME, CHANGED

pytestmark = pytest.mark.anyio
LIMIT_S = 240
"""For a machine that is busy with other tests."""


class Recorder(NamedTuple):
    """A server, and the folder of files that its sessions may upload."""

    app: App
    files: Path


@pytest.fixture
async def recorder(tmp_path: Path, browsers: Browsers) -> AsyncGenerator[Recorder]:
    files = tmp_path / "files"
    files.mkdir()
    for file, content in FILES.items():
        (files / file).write_text(content, encoding="utf-8")
    settings = Settings(state_dir=tmp_path / "state", upload_dirs=(files,))
    async with open_app(settings, engines={"local": browsers.engine(settings)}) as app:
        yield Recorder(app, files)


async def test_the_script_of_a_flow_leaves_behind_what_the_flow_did(recorder: Recorder, chromium: Path) -> None:
    """Ours: exit codes alone prove nothing; what the servers received does."""
    with ExitStack() as served, anyio.fail_after(LIMIT_S):
        places = [(BY_NAME[name], served.enter_context(Grounds())) for name in BREADTH]
        flows = [(await record(recorder.app, flow, grounds, recorder.files), grounds) for flow, grounds in places]
        assert [(one.flow.name, one.unwritten) for one, _ in flows] == [(name, {}) for name in BREADTH]
        assert await judge_tests(flows, chromium) == []


async def test_a_workflow_runs_on_where_ids_boxes_and_order_are_others(recorder: Recorder) -> None:
    """Ours: what people read stayed, so what was recorded of it still leads to each element."""
    with Grounds() as grounds, anyio.fail_after(LIMIT_S):
        recorded = await record(recorder.app, BY_NAME[CHANGED], grounds, recorder.files)
        same = await rerun(recorder.app, recorded, grounds)
        changed = await rerun(recorder.app, recorded, grounds, mutate)
    assert (same.outcome, same.fault) == ("passed", "")
    assert changed.fault == ""
