"""A few of each fault, in every test run."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from tests.faults.fault import Fault
from tests.faults.grounds import Grounds
from tests.faults.table import FAULTS
from tests.faults.talk import Talk
from tests.faults.trying import Tried, attempt
from tests.site import Site

pytestmark = pytest.mark.anyio

GATE = [fault for fault in FAULTS if fault.counts.gate]


@pytest.fixture(scope="module")
async def lasting(tmp_path_factory: pytest.TempPathFactory, site_server: Site) -> AsyncGenerator[Talk]:
    """A server that outlives the faults that are tried in it."""
    grounds = Grounds(tmp_path_factory.mktemp("lasting") / "grounds", site_server)
    with grounds.talk() as talk:
        yield talk
    assert await grounds.left() == []


@pytest.mark.parametrize("fault", [one for one in GATE if not one.shares], ids=lambda fault: fault.name)
async def test_nothing_is_lost(fault: Fault, tmp_path: Path, site: Site) -> None:
    """What the fault does, done a few times: every expectation holds, and no process, socket or folder is left."""
    _nothing_lost(await attempt(fault, "gate", tmp_path / fault.name, site))


@pytest.mark.parametrize("fault", [one for one in GATE if one.shares], ids=lambda fault: fault.name)
async def test_nothing_is_lost_in_a_server_that_goes_on(
    fault: Fault, tmp_path: Path, site: Site, lasting: Talk
) -> None:
    """The same, each in what the one before has left of the server, which is nothing."""
    _nothing_lost(await attempt(fault, "gate", tmp_path / fault.name, site, lasting))


def _nothing_lost(tried: Tried) -> None:
    assert tried.tally.tried
    assert tried.tally.lost == []
