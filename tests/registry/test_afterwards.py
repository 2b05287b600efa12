"""What is begun for a session that was filmed, and what is not begun any more."""

from collections.abc import Sequence
from functools import partial

import anyio
import pytest

from notte_mcp.registry.afterwards import Afterwards
from notte_mcp.registry.sweeping import Keep, Sweep
from notte_mcp.replay.parts import Part
from notte_mcp.replay.replays import Replays
from tests.registry.conftest import FORM, House, until

pytestmark = pytest.mark.anyio


class Told(Replays):
    """It only notes what it is to begin."""

    def __init__(self) -> None:
        super().__init__()
        self.begun: list[str] = []

    def begin(self, name: str, parts: Sequence[Part]) -> None:
        del parts
        self.begun.append(name)


async def test_nothing_more_is_begun_once_the_server_ends(house: House) -> None:
    """Not for the sessions that end with it: the store that would be read is about to be closed."""
    session_id, sessions, told, afterwards = await house.open(FORM), house.root / "sessions", Told(), Afterwards()
    await house.registry.stop(session_id)
    sweep = Sweep(sessions, Keep(1, 1, 1_000_000))
    async with anyio.create_task_group() as group:
        group.start_soon(partial(afterwards.run, house.registry, told, sweep, house.store, sessions))
        afterwards.over(session_id)
        await until(lambda: told.begun == [session_id])
        afterwards.over(session_id)
        afterwards.close()
        afterwards.over(session_id)
    assert told.begun == [session_id]
