"""A house with runs: a registry over the permit office, agents whose model a test writes, and scripts in a folder.

Workflows are written by hand here; what recordings become is tested elsewhere.
"""

import shutil
import tempfile
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio
import pytest

from notte_mcp import actions as a
from notte_mcp.engines.scripted import ScriptedSession
from notte_mcp.receipts import Locators
from notte_mcp.records import SessionSpec
from notte_mcp.runs import Place, RunRequest, Runs
from notte_mcp.workflow_records import RunRecord
from notte_mcp.workflows import Parameter, Workflow, WorkflowStep
from tests.agents import conftest as agents
from tests.agents.conftest import FORM, RESULT, SLOW

__all__ = ["FORM", "RESULT", "SLOW"]

APPLICANT = Parameter("applicant", default="Ada")
CODE = Parameter("secret_access_code", secret=True, env="SECRET_ACCESS_CODE")
SECRET = "correct horse"

GO = WorkflowStep(1, a.Goto(url=FORM))
FILL = WorkflowStep(
    2, a.Fill(selector="#applicant", value=""), value=APPLICANT, role="textbox", name="Applicant",
    locators=Locators(css="#applicant"),
)  # fmt: skip
TYPE_CODE = WorkflowStep(
    3, a.Fill(selector="#code", value=""), value=CODE, role="password", name="Access code",
    locators=Locators(css="#code"),
)  # fmt: skip
SEND = WorkflowStep(
    4, a.Click(selector="#send"), role="button", name="Send request", locators=Locators(css="#send"),
    leads_to=RESULT, effect="sends POST http://office.test/send",
)  # fmt: skip
GO_SLOW = WorkflowStep(1, a.Goto(url=SLOW))
SLOWLY = WorkflowStep(
    2, a.Click(selector="#slow"), role="button", name="Take your time",
    locators=Locators(role=("button", "Take your time")),
)  # fmt: skip


def workflow(*steps: WorkflowStep, **fields: Any) -> Workflow:
    """These steps as a workflow, with the parameters that they name."""
    named = [step.value for step in steps if isinstance(step.value, Parameter)]
    return Workflow(steps, tuple(dict.fromkeys(named)), SessionSpec(), **fields)


@dataclass
class House:
    """A server with runs."""

    inner: agents.House
    runs: Runs
    told: list[RunRecord] = field(default_factory=list[RunRecord])

    async def start(self, *steps: WorkflowStep, source: str = "ses_0", **request: Any) -> RunRecord:
        """A run of these steps."""
        made = request.pop("workflow", None) or workflow(*steps)
        with anyio.fail_after(5):
            return await self.runs.start(RunRequest(made, source, **request))

    async def done(self, *steps: WorkflowStep, **request: Any) -> RunRecord:
        """A run of these steps once it has ended."""
        return await self.ended((await self.start(*steps, **request)).id)

    async def ended(self, run_id: str) -> RunRecord:
        with anyio.fail_after(15):
            return await self.runs.wait(run_id, seconds=20)

    @property
    def browsers(self) -> dict[str, ScriptedSession]:
        return self.inner.office.engine.sessions

    def performed(self) -> list[str]:
        """What was done in the browser that was opened last."""
        return [action.type for action in list(self.browsers.values())[-1].performed]


def place(folder: Path) -> Place:
    """Scripts get fresh folders below this one."""

    def drop(tmp: Path) -> None:
        shutil.rmtree(tmp)

    return Place(
        None, no_sandbox=True, tmp_for=lambda name: Path(tempfile.mkdtemp(prefix=name, dir=folder)), drop_tmp=drop,
        note_process=lambda _pid: None,
    )  # fmt: skip


@asynccontextmanager
async def opened(street: agents.Street, folder: Path, **options: Any) -> AsyncGenerator[House]:
    """A house over a street's state folder."""
    async with (
        street.house() as inner,
        Runs(
            registry=inner.office.registry, agents=inner.agents, store=inner.store, owner="own_1", place=place(folder),
            clock=inner.clock, **options,
        ) as runs,
    ):  # fmt: skip
        house = House(inner, runs)
        runs.on_change(house.told.append)
        yield house


@pytest.fixture
def street(tmp_path: Path) -> agents.Street:
    return agents.Street(agents.office.Street(tmp_path))


@pytest.fixture
async def house(street: agents.Street, tmp_path: Path) -> AsyncGenerator[House]:
    async with opened(street, tmp_path) as house:
        yield house
