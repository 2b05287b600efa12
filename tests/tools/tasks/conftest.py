"""A host whose client knows tasks and shows forms."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from tests.tools.conftest import Host
from tests.tools.polling import Knows, no_person


@pytest.fixture
def mode() -> str:
    """The revision that has the extension."""
    return "auto"


@pytest.fixture
async def host(tmp_path: Path, mode: str) -> AsyncGenerator[Host]:
    """See the module; connected."""
    host = Host(tmp_path, mode)
    async with host.connected(extensions=[Knows()], elicitation_callback=no_person):
        yield host
