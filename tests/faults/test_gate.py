"""A few of each fault, in every test run."""

from pathlib import Path

import pytest

from tests.faults.fault import Fault
from tests.faults.table import FAULTS
from tests.faults.trying import attempt
from tests.site import Site

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("fault", [f for f in FAULTS if f.counts.gate], ids=lambda fault: fault.name)
async def test_nothing_is_lost(fault: Fault, tmp_path: Path, site: Site) -> None:
    """What the fault does, done a few times: every expectation holds, and no process, socket or folder is left."""
    tried = await attempt(fault, "gate", tmp_path / fault.name, site)
    assert tried.tally.tried
    assert tried.tally.lost == []
