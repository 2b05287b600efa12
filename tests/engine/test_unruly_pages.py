"""Pages that resist being read: a hostile world, mutations without end, navigations, a script that hangs."""

import time

import anyio
import pytest

from notte_mcp import actions as a
from notte_mcp.errors import PageNotResponding
from tests.engine.eyes import Eye, id_of, named, names

pytestmark = pytest.mark.anyio


async def test_a_page_that_breaks_its_own_world_is_read_and_driven_all_the_same(eye: Eye) -> None:
    """Our world is another one."""
    await eye.go("/hostile.html")
    seen = await eye.look()
    assert names(seen) == ["Name", "Kind", "Send", "Press"]
    await eye.do(a.Fill(id=id_of(seen, "Name"), value="Ada"))
    await eye.do(a.SelectDropdownOption(id=id_of(seen, "Kind"), value="Two"))
    await eye.click(seen, "Press")
    after = await eye.look("page")
    assert (named(after, "Name").value, named(after, "Kind").value) == ("Ada", "Two")
    assert "pressed" in [node.name for node in after.nodes]


async def test_a_page_that_never_rests_is_read(eye: Eye) -> None:
    """Each look is one moment of it."""
    await eye.go("/forever.html")
    seen = await eye.look("page")
    assert named(seen, "Count").id
    await eye.click(seen, "Count")
    changes = await eye.changes(seen.view)
    assert len(changes.appeared) + len(changes.changed) + len(changes.gone) < 6
    assert id_of(await eye.look(), "Count") == id_of(seen, "Count")
    await eye.do(a.Goto(url="about:blank"))


async def test_a_page_that_goes_on_by_itself_is_read_where_it_is(eye: Eye) -> None:
    """Before or after, never an error."""
    await eye.go("/jump.html")
    for _ in range(12):
        seen = await eye.look("page")
        assert seen.title in ("Moving on", "Request received")
    with anyio.fail_after(5):
        await eye.do(a.WaitFor(value="Your number is jumped."))
    assert (await eye.look()).title == "Request received"


async def hung(eye: Eye, asked: int) -> None:
    """Wait until the script has begun to hang: it waits for what is asked for then, and never answered."""
    assert await anyio.to_thread.run_sync(lambda: eye.site.wait_for("/hang", count=asked, timeout_s=20))


async def test_a_page_whose_script_hangs_is_told_within_ten_seconds(fresh: Eye) -> None:
    """The position is known all the while."""
    await fresh.go("/hang-load.html?idle")
    await hung(fresh, 1)
    began = time.monotonic()
    with anyio.fail_after(12), pytest.raises(PageNotResponding, match="goto"):
        await fresh.look()
    assert time.monotonic() - began < 11
    before = time.monotonic()
    assert fresh.session.position.url == fresh.site.url("/hang-load.html?idle")
    assert time.monotonic() - before < 0.1


async def test_a_frame_that_hangs_does_not_keep_its_page_from_being_read(fresh: Eye) -> None:
    """What the page itself holds is shown, clicked and scraped; only the first look waits for the frame."""
    await fresh.go("/hang-frame.html")
    await hung(fresh, 2)
    seen = await fresh.look()
    assert names(seen) == ["Press"]
    began = time.monotonic()
    assert names(await fresh.look()) == ["Press"]
    assert time.monotonic() - began < 4
    await fresh.click(seen, "Press")
    assert await fresh.out() == "pressed"
    with anyio.fail_after(20):
        scraped = await fresh.session.scrape(selector=None, only_main_content=False, links=False, images=False)
        picture = await fresh.session.screenshot(marks=True)
    assert "Still here" in scraped.markdown
    assert picture
