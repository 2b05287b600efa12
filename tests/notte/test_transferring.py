"""What comes down from a session in the cloud: under which name, how much of it, and what is said where it does not."""

from pathlib import Path

import anyio
import pytest

from notte_mcp import actions as a
from notte_mcp.engines.file_bounds import Bounds
from tests.notte.proxy import Reply
from tests.notte.rote import DONE, told_by_rote

pytestmark = pytest.mark.anyio


async def _full() -> str:
    return "the disk is full"


async def test_a_download_that_cannot_be_found_says_that_the_click_was_made(tmp_path: Path) -> None:
    """Whoever reads it must not click again unawares."""
    async with told_by_rote(tmp_path, DONE) as (session, between):
        between.on("GET", "*/files", Reply(body={"files": []}))
        between.on("GET", "*/files", Reply(500), times=None)
        receipt = await session.perform(a.DownloadFile(selector="#get"), timeout_ms=5_000)
        assert not receipt.success
        assert receipt.message.startswith("The click was made")
        assert "Nothing was done" not in receipt.message


async def test_a_file_comes_under_a_name_that_stays_in_its_folder(tmp_path: Path) -> None:
    """A page chose it, and any bytes of it, and how long it is."""
    async with told_by_rote(tmp_path, DONE) as (session, between):
        between.on("GET", "*/files", Reply(body={"files": []}))
        files = [{"id": "f1", "filename": "../../.profile"}, {"id": "f2", "filename": "é" * 300 + ".pdf"}]
        between.on("GET", "*/files", Reply(body={"files": files}), times=None)
        between.on("GET", "*/files/f?", Reply(body=b"x"), times=None)
        receipt = await session.perform(a.DownloadFile(selector="#get"), timeout_ms=5_000)
        kept = [path.name for path in (tmp_path / "files").iterdir()]
        assert sorted(kept) == sorted(one.name for one in receipt.downloads)
        assert len(kept) == 2
        assert not any(name.startswith(".") or len(name.encode()) > 150 for name in kept)


@pytest.mark.parametrize(
    ("bounds", "why"),
    [
        (Bounds(in_flight_bytes=9_000_000), "larger than 9000000 bytes (max_download_bytes); it stays in the cloud"),
        (Bounds(session_bytes=9_000_000), "(max_session_bytes)"),
        (Bounds(session_files=0), "may have 0 (max_session_files)"),
        (Bounds(shortage=_full), "the disk is full; it stays"),
    ],
)
async def test_a_file_that_is_too_much_stays_in_the_cloud_and_leaves_nothing_here(
    tmp_path: Path, bounds: Bounds, why: str
) -> None:
    """As a local session's downloads do, whatever the cloud says of its size."""
    async with told_by_rote(tmp_path, DONE, bounds) as (session, between):
        between.on("GET", "*/files", Reply(body={"files": []}))
        between.on("GET", "*/files", Reply(body={"files": [{"id": "f1", "filename": "a.bin"}]}), times=None)
        between.on("GET", "*/files/f1", Reply(body=bytes(10_000_000)), times=None)
        receipt = await session.perform(a.DownloadFile(selector="#get"), timeout_ms=5_000)
        assert why in (receipt.downloads[0].failure or "")
        assert not [path async for path in anyio.Path(tmp_path).rglob("*") if await path.is_file()]
