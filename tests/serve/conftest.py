"""One server for many tests: it has two principals, and nothing that one test does may matter to another."""

from collections.abc import Iterator

import pytest

from tests.serve.served import BOTH, Served, served


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """See the module."""
    with served(
        tmp_path_factory.mktemp("serve") / "state", "--allowed-origin", "https://app.example.com", env=BOTH
    ) as one:
        yield one
