"""What happens to browsers: killed, stopped, their renderers and their driver killed.

The sick session shares its browser with a mate, which is lost with it and told so; the well one has its own.
Below: ward. Above: table.
"""

import signal
from typing import Final

import anyio
import anyio.lowlevel
import psutil

from tests.e2e.whole import alive, below, browsers_below
from tests.faults.fault import Counts, Fault, Tally
from tests.faults.grounds import Grounds
from tests.faults.ward import Answer, Ward, ward

TOLD_S: Final = 2.0
"""Within 1 s it is told that a browser is gone; on a busy machine a little later."""

MOMENTS: Final = ("click", "idle", "goto", "observe", "launch")


async def chromium_killed(grounds: Grounds, times: int, tally: Tally) -> None:
    """SIGKILL the browser's main process at each moment in turn."""
    async with ward(grounds, tally) as here:
        await here.keep(apart=True)
        for number in range(times):
            moment = MOMENTS[number % len(MOMENTS)]
            async with here.beside():
                await (_killed_at_launch(here) if moment == "launch" else _killed(here, moment))


async def _killed(here: Ward, moment: str) -> None:
    tally, url = here.tally, here.grounds.site.url("/hang-click.html")
    await here.admit("/hang-click.html")
    mate = str((await here.start("/form.html")).facts["session_id"])
    browser = here.browser
    assert browser is not None
    tree = [browser, *browser.children(recursive=True)]
    answers: list[Answer] = []
    ends: dict[str, float] = {}
    killed_at = 0.0

    async def until_told(session_id: str) -> None:
        ended = await here.told(session_id)
        ends[session_id] = anyio.current_time()
        held = ended.facts.get("state") == "failed" and ended.facts.get("reason") == "crash"
        tally.expect(held, f"{moment}: a lost session is {ended.facts.get('state')} ({ended.facts.get('reason')})")

    async def act() -> None:
        answers.append(await _doing(here, moment))

    async with anyio.create_task_group() as going_on:
        for one in (here.sick, mate):
            going_on.start_soon(until_told, one)
        if moment != "idle":
            going_on.start_soon(act)
        await anyio.sleep(0.4)  # into the middle of what is done: no event tells of it
        browser.kill()
        killed_at = anyio.current_time()
    for at in ends.values():
        tally.most("told ms at most", round((at - killed_at) * 1000))
        tally.expect(at - killed_at <= TOLD_S, f"{moment}: told only after {at - killed_at:.1f} s")
    for answer in answers:
        held = answer.is_error and here.sick in answer.text and "restores it" in answer.text
        tally.expect(held, f"{moment}: no typed error: {answer.text[:300]}")
        if moment in ("click", "goto"):
            tally.expect("outcome of action 1 is unknown" in answer.text, f"{moment}: {answer.text[:300]}")
    await here.gone(tree, within_s=2)
    again = await here.call("notte_start", session_id=here.sick)
    tally.most("restored s at most", round(again.seconds, 1))
    tally.expect(not again.is_error and again.facts["url"] == url, f"{moment}: not restored: {again.text[:300]}")
    here.browser = next(p for p in browsers_below(here.pid) if p.pid not in {one.pid for one in tree})
    await here.stopped(mate)
    await here.usable(10)
    await here.stopped()


async def _doing(here: Ward, moment: str) -> Answer:
    match moment:
        case "click":
            return await here.click("Hang for ever")
        case "goto":
            return await here.goto("/hang")
        case _:
            await here.act({"type": "evaluate_js", "code": "setTimeout(() => { for (;;); }, 1)"})
            return await here.observe()


async def _killed_at_launch(here: Ward) -> None:
    """The browser dies as soon as it is there; the next start is as if nothing had been."""
    before = {one.pid for one in browsers_below(here.pid)}
    answers: list[Answer] = []

    async def begin() -> None:
        answers.append(await here.call("notte_start", url=here.grounds.site.url("/form.html")))

    async with anyio.create_task_group() as going_on:
        going_on.start_soon(begin)
        while not (new := [p for p in browsers_below(here.pid) if p.pid not in before]) and not answers:
            await anyio.lowlevel.checkpoint()
        for one in new:
            one.kill()
    typed = "did not start" in answers[0].text or "restores it" in answers[0].text or "gave no page" in answers[0].text
    here.tally.expect(answers[0].is_error and typed, f"launch: no typed error: {answers[0].text[:300]}")
    await here.admit("/form.html")
    await here.stopped()


async def chromium_stopped(grounds: Grounds, times: int, tally: Tally) -> None:
    """SIGSTOP the browser's main process: calls are answered, stop ends it; and a kill -9 of the server does."""
    for _ in range(times):
        async with ward(grounds, tally) as here:
            await here.keep(apart=True)
            await here.admit("/form.html")
            browser = here.browser
            assert browser is not None
            tree = [browser, *browser.children(recursive=True)]
            browser.send_signal(signal.SIGSTOP)
            async with here.beside():
                for answer in (
                    await here.act({"type": "click", "selector": "button", "timeout_ms": 1500}),
                    await here.observe(),
                ):
                    tally.most("answered after s at most", round(answer.seconds, 1))
                    tally.expect(
                        answer.failed and answer.seconds < 15, f"stopped: {answer.seconds:.1f} s {answer.text[:200]}"
                    )
                await here.stopped(leaving=tree)
            await here.admit("/form.html")
            left = below(here.pid)
            for one in browsers_below(here.pid):
                one.send_signal(signal.SIGSTOP)
            here.talk.wire.process.kill()
            took = await here.gone(left, within_s=3)
            tally.most("gone after the server s at most", round(took, 1))


def renderer_of(busy: psutil.Process, before: dict[int, float]) -> psutil.Process:
    """The renderer below `busy` that has worked most since its processor times were `before`."""
    return max(renderers(busy), key=lambda one: spent(one) - before.get(one.pid, 0))


def renderers(browser: psutil.Process) -> list[psutil.Process]:
    """The living renderers of a browser."""
    return [
        p for p in browser.children(recursive=True) if alive(p) and any("--type=renderer" in w for w in p.cmdline())
    ]


def spent(process: psutil.Process) -> float:
    """Seconds of processor time that a process has had."""
    times = process.cpu_times()
    return float(times.user + times.system)


async def renderer_crashed(grounds: Grounds, times: int, tally: Tally) -> None:
    """SIGKILL the renderer of one tab: the other tab stays, nothing empty is shown as the page, and it goes on."""
    async with ward(grounds, tally) as here:
        await here.keep()
        for number in range(times):
            await here.admit("/form.html")
            await here.act({"type": "goto_new_tab", "url": grounds.site.other("/products/1")})
            async with here.beside():
                await _crash(here, acting=number % 2 == 1)
            await here.usable(3 * 2)
            await here.stopped()


async def _crash(here: Ward, *, acting: bool) -> None:
    tally = here.tally
    browser = here.browser or browsers_below(here.pid)[0]
    before = {one.pid: spent(one) for one in renderers(browser)}
    work = "const end = Date.now() + 600; while (Date.now() < end);"
    await here.act({"type": "evaluate_js", "code": work})
    victim = renderer_of(browser, before)
    answers: list[Answer] = []

    async def wait() -> None:
        answers.append(await here.act({"type": "wait_for", "value": "never there", "timeout_ms": 8000}))

    async with anyio.create_task_group() as going_on:
        if acting:
            going_on.start_soon(wait)
            await anyio.sleep(0.4)
        victim.kill()
    for answer in answers:
        tally.expect("crashed" in answer.text and answer.seconds < 4, f"{answer.seconds:.1f} s: {answer.text[:300]}")
    first = await here.observe()
    said = "crashed" in first.text or any("crashed" in answer.text for answer in answers)
    tally.expect(said, f"an observation after a crash that says nothing of it: {first.text[:300]}")
    tally.expect("/form.html" in first.text or first.is_error, f"the other tab is not there: {first.text[:300]}")
    other = await here.act({"type": "switch_tab", "tab_index": 0})
    filled = await here.act({"type": "fill", "selector": "#applicant", "value": "Ada"})
    tally.expect(not other.is_error and not filled.failed, f"the other tab suffers: {filled.text[:200]}")


async def driver_killed(grounds: Grounds, times: int, tally: Tally) -> None:
    """SIGKILL Playwright's driver, which has every browser: all sessions are told as lost, and the next start works."""
    async with ward(grounds, tally) as here:
        for _ in range(times):
            await here.admit("/form.html")
            other = str((await here.start("/products/1", own_browser=True)).facts["session_id"])
            tree = below(here.pid)
            driver = next(p for p in psutil.Process(here.pid).children() if "node" in p.name())
            async with here.beside():
                driver.kill()
                killed_at = anyio.current_time()
                for one in (here.sick, other):
                    ended = await here.told(one)
                    took = anyio.current_time() - killed_at
                    tally.most("told ms at most", round(took * 1000))
                    held = ended.facts.get("state") == "failed" and took <= TOLD_S
                    tally.expect(held, f"after {took:.1f} s: {ended.text[:200]}")
                refused = await here.observe()
                tally.expect(
                    refused.is_error and "restores it" in refused.text, f"no typed error: {refused.text[:200]}"
                )
                await here.gone(tree, within_s=2)
                again = await here.call("notte_start", session_id=here.sick)
                held = not again.is_error and again.facts["url"] == grounds.site.url("/form.html")
                tally.expect(held, f"not restored: {again.text[:300]}")
            await here.usable(10)
            await here.stopped()
            await here.stopped(other)


FAULTS: Final = (
    Fault(
        name="chromium-killed",
        promises=("P3", "P6"),
        does="SIGKILL of the browser at idle, in a click, a goto, an observe and while it starts",
        run=chromium_killed,
        counts=Counts(gate=1, short=5, full=50),
        seconds=120,
        shares=True,
    ),
    Fault(
        name="chromium-stopped",
        promises=("P4", "P6"),
        does="SIGSTOP of the browser; calls, stop, then SIGKILL of the server",
        run=chromium_stopped,
        counts=Counts(gate=0, short=2, full=20),
        seconds=120,
    ),
    Fault(
        name="renderer-crashed",
        promises=("P6",),
        does="SIGKILL of the renderer of one of two tabs, at rest and while something waits in it",
        run=renderer_crashed,
        counts=Counts(gate=1, short=4, full=40),
        seconds=120,
        shares=True,
    ),
    Fault(
        name="driver-killed",
        promises=("P3", "P6"),
        does="SIGKILL of Playwright's driver with two browsers open",
        run=driver_killed,
        counts=Counts(gate=0, short=3, full=30),
        seconds=120,
    ),
)
"""Faults of browsers."""
