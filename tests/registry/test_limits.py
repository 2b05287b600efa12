"""Limits of the registry: places that several share, steps of a session, room on the disk."""

import os
from contextlib import AsyncExitStack
from pathlib import Path

import anyio
import pytest

from notte_mcp import actions as a
from notte_mcp.app import open_app
from notte_mcp.engines.scripted import ScriptedEngine
from notte_mcp.errors import LimitReached
from notte_mcp.records import SessionSpec
from notte_mcp.registry import Limits, Places
from notte_mcp.room import SHORT_S, Room
from notte_mcp.settings import Settings
from tests import office
from tests.registry.conftest import BASE, FORM, Street

pytestmark = pytest.mark.anyio


async def test_places_are_shared_by_all_and_nobody_is_named_to_another(tmp_path: Path) -> None:
    """P10: the sum over the users of one process is bounded, and each user's own."""
    places = Places.of(sessions=3, agents=1)
    async with AsyncExitStack() as stack:

        async def user(name: str):  # noqa: ANN202 - an App
            settings = Settings(state_dir=tmp_path / name, max_sessions=2)
            engine = ScriptedEngine(office.scripted_pages(BASE))
            return await stack.enter_async_context(open_app(settings, engines={"local": engine}, places=places))

        ada, bob = await user("ada"), await user("bob")
        first, second = [(await ada.registry.open(SessionSpec()))[0].id for _ in range(2)]
        with pytest.raises(LimitReached, match="at most 2 sessions at once; live now: ses_"):
            await ada.registry.open(SessionSpec())
        own, _ = await bob.registry.open(SessionSpec())
        with pytest.raises(LimitReached) as refused:
            await bob.registry.open(SessionSpec())
        assert f"at most 3 sessions at once; live now: 2 of other users, and yours: {own.id}" in str(refused.value)
        assert not {first, second} & set(str(refused.value).split())
        await bob.registry.stop(own.id)
        await ada.registry.stop(first)
        await bob.registry.open(SessionSpec())
        await bob.registry.open(SessionSpec())
        await ada.registry.stop(second)
        await ada.registry.open(SessionSpec())
        with pytest.raises(LimitReached, match="2 of other users"):
            await ada.registry.open(SessionSpec())
    assert places.sessions.live == 0


async def test_a_session_out_of_steps_does_nothing_more_and_can_be_read(street: Street) -> None:
    """P10: a batch that would pass the limit is refused whole."""
    async with street.house(limits=Limits(max_steps=4)) as house:
        session_id = await house.open(FORM)
        async with house.registry.use(session_id) as live:
            await live.execute([a.Wait(time_ms=0)] * 2, deadline_s=5)
            with pytest.raises(LimitReached) as refused:
                await live.execute([a.Wait(time_ms=0)] * 2, deadline_s=5)
            assert "has 3 steps, and a session has at most 4 (max_steps_per_session); 2 more" in str(refused.value)
            assert refused.value.next_call.startswith(f'notte_start(url="{FORM}")')
            assert (await live.execute([a.Wait(time_ms=0)], deadline_s=5)).receipts[0].success
            assert (await live.observe()).url == FORM
        assert [step.number for step in await house.registry.steps(session_id)] == [1, 2, 3, 4]
    async with street.house("own_2", limits=Limits(max_steps=4)) as house:
        await house.registry.restore(session_id)
        assert (await house.registry.record(session_id)).url == FORM


async def test_without_room_nothing_new_begins_what_is_live_goes_on_and_room_is_noticed(tmp_path: Path) -> None:
    """P10: the error names who uses the room; nobody has to restart anything."""
    settings = Settings(state_dir=tmp_path / "state", max_state_bytes=1_000_000)
    engine = ScriptedEngine(office.scripted_pages(BASE))
    async with open_app(settings, engines={"local": engine}) as app:
        live, _ = await app.registry.open(SessionSpec(), url=FORM)
        # A named principal's folder has a limit of its own.
        (others := settings.state_dir / "principals" / "alice").mkdir(parents=True, mode=0o700)
        (others / "large").write_bytes(os.urandom(1_500_000))
        large = settings.state_dir / "sessions" / live.id / "files" / "large"
        large.write_bytes(os.urandom(1_500_000))
        room = Room(settings.state_dir, max_bytes=1_000_000, min_free=0)
        app.registry._room = room.require
        with pytest.raises(LimitReached) as refused:
            await app.registry.open(SessionSpec())
        assert f"may hold 1.0 MB (max_state_bytes); the largest in it: sessions/{live.id} (1.5 MB)" in str(
            refused.value
        )
        assert "notte-mcp doctor --fix" in refused.value.next_call
        async with app.registry.use(live.id) as held:
            await held.execute([a.Wait(time_ms=0)], deadline_s=5)
        large.unlink()
        with anyio.fail_after(SHORT_S + 5):
            while await room.shortage():  # noqa: ASYNC110 - room on a disk is no event
                await anyio.sleep(0.05)
        await app.registry.open(SessionSpec())
    full = Room(settings.state_dir, max_bytes=10**15, min_free=10**15)
    assert "are to stay free (min_free_bytes)" in await full.shortage()
