import signal
from collections.abc import Generator
from pathlib import Path

import psutil
import pytest

from tests.keeper.kept import KEY, keepers, kill, relay


@pytest.fixture
def state(tmp_path: Path) -> Generator[Path]:
    """A state folder, whose path is longer than a socket's may be; its keeper is ended with all that it started."""
    yield (folder := tmp_path / ("a-state-folder-" + "x" * 100))
    _end(folder)


@pytest.fixture(scope="module")
def anyones(tmp_path_factory: pytest.TempPathFactory) -> Generator[Path]:
    """The same for many tests, any of which may end its keeper; nothing is live in the one that they find there."""
    yield (folder := tmp_path_factory.mktemp("anyones") / ("a-state-folder-" + "x" * 100))
    _end(folder)


def _end(state: Path) -> None:
    for keeper in keepers(state):
        tree = [keeper, *keeper.children(recursive=True)]
        keeper.send_signal(signal.SIGTERM)
        _, alive = psutil.wait_procs(tree, timeout=4)
        for process in alive:
            process.kill()
        assert alive == []


@pytest.fixture(scope="session")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Generator[Path]:
    """A state folder with a keeper, for what must not harm it. Whoever started it had a model's key."""
    state = tmp_path_factory.mktemp("kept") / "state"
    with relay(state, env={"OPENAI_API_KEY": KEY}) as wire:
        wire.open_app()
        (keeper,) = keepers(state)
        yield state
        assert "result" in wire.modern("tools/list")
    assert keepers(state) == [keeper]
    kill(state)
    assert keepers(state) == []
