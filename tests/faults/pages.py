"""Pages that hang, ask without end, open tabs and states without end, or never come.

What they hold in memory and on disk is in `bombs`. Below: ward. Above: table.
"""

from collections.abc import Awaitable, Callable
from typing import Final

import anyio

from tests.faults.fault import Counts, Fault, Tally
from tests.faults.grounds import Grounds
from tests.faults.ward import Answer, Ward, ward

Trial = Callable[[Ward, int], Awaitable[None]]
"""What is done in the sick session the n-th time."""

LOOK_S: Final = 9.0
"""How long a look at a page that does not answer takes at most."""

MORE_S: Final = 4.0
"""What an action's answer may take beyond the action's own time: it settles, and the machine is busy."""


def on(path: str, trial: Trial, *, apart: bool = False, **env: str) -> Callable[[Grounds, int, Tally], Awaitable[None]]:
    """A fault's `run`: each time a fresh session on a page of the site, the trial beside the well session, a goto to a
    good page, a stop. The well session stands in a browser of its own where it is `apart`."""

    async def run(grounds: Grounds, times: int, tally: Tally) -> None:
        async with ward(grounds, tally, **env) as here:
            await here.keep(apart=apart)
            for number in range(times):
                await here.admit(path)
                async with here.beside():
                    await trial(here, number)
                    await here.usable(12)
                    await here.stopped()

    return run


def _ends(here: Ward, answer: Answer, within_s: float, *words: str) -> None:
    """An action that failed at its deadline and said so in one of these words."""
    here.tally.most("ended after s at most", round(answer.seconds, 1))
    told = answer.failed and any(word in answer.text for word in words)
    here.tally.expect(told and answer.seconds <= within_s, f"{answer.seconds:.1f} s: {answer.text[:300]}")


async def _hung(here: Ward, number: int) -> None:
    """After load, in a click, in a frame."""
    match number % 3:
        case 0:
            ended = await here.click("Hang for ever", timeout_ms=1_000, observe="none")
            _ends(here, ended, 1 + MORE_S, "did not finish", "not respond")
        case 1:
            await here.goto("/hang-load.html", timeout_ms=3_000)
            wait = {"type": "wait_for", "value": "never there", "timeout_ms": 1_000}
            _ends(here, await here.act(wait, observe="none"), 1 + MORE_S, "Within 1000 ms", "not finish", "not respond")
            seen = await here.observe()
            here.tally.expect(seen.is_error and "goto" in seen.text, f"a look at a hung page: {seen.text[:200]}")
        case _:
            await here.goto("/hang-frame.html")
            pressed = await here.click("Press", timeout_ms=5_000)
            here.tally.expect(not pressed.failed, f"beside a hung frame: {pressed.text[:300]}")


DIALOGS: Final = (
    ("Alerts for ever", ("more dialogs",)),
    ("Prompt", ("prompt",)),
    ("Thirty alerts", ("and 25 more dialogs", "storm over")),
    ("Two in a row", ("First?", "Second?")),
    ("Print", ()),
    ("Two hundred alerts", ("and 195 more dialogs",)),
    ("Touch", ()),
)
"""Buttons, and the words of which one is told. The last one makes its page ask before it is left."""


async def _dialogs(here: Ward, number: int) -> None:
    name, words = DIALOGS[number % len(DIALOGS)]
    if name == "Two hundred alerts":
        await here.goto("/wild.html")
    if name == "Touch":
        await here.goto("/beforeunload.html")
    asked = await here.click(name, timeout_ms=4_000, observe="none")
    here.tally.most("dialogs told of after s at most", round(asked.seconds, 1))
    if words:
        here.tally.expect(any(w in asked.text for w in words), f"{name}: dialogs are not told: {asked.text[:300]}")
    here.tally.expect(asked.seconds < 4 + MORE_S, f"{name}: {asked.seconds:.1f} s")


async def _popups(here: Ward, _number: int) -> None:
    opened = await here.click("Popups", timeout_ms=10_000)
    here.tally.most("popups took s at most", round(opened.seconds, 1))
    here.tally.expect("299 windows" in opened.text, f"what was not opened is not told: {opened.text[:300]}")
    most = 0
    with anyio.move_on_after(1):
        while True:
            seen = await here.observe()
            most = max(most, seen.text.count("/done?id=popup-"))
            await anyio.sleep(0.2)
    here.tally.most("tabs at most", most + 1)
    here.tally.expect(most == 1, f"{most} popups are open")


async def _states(here: Ward, number: int) -> None:
    done = await here.click("Hashes" if number % 2 else "States", timeout_ms=5_000)
    here.tally.expect(not done.failed, f"history flood: {done.text[:300]}")
    seen = await here.observe()
    here.tally.most("looked s at most", round(seen.seconds, 1))
    here.tally.expect(not seen.is_error and "Popups" in seen.text, f"a look in a history flood: {seen.text[:300]}")


SLOW: Final = (
    ("/drip?ms=300&parts=100", "was reached", "not loaded fully"),
    ("/hang", "did not answer", "did not answer"),
    ("/hang-body", "was reached", "not loaded fully"),
    ("/loop", "redirects without end", "redirects without end"),
    ("/big-headers", "did not load", "accept"),
)
"""Addresses of what never comes, and words of which one is told."""


async def _slow(here: Ward, number: int) -> None:
    path, *words = SLOW[number % len(SLOW)]
    went = await here.goto(path, timeout_ms=1_500)
    _ends(here, went, 1.5 + MORE_S + LOOK_S, *words)
    if path.startswith("/drip"):
        here.tally.expect("Part 1" in (await here.observe()).text, "what had come by then is not shown")


FAULTS: Final = (
    Fault(
        name="hung-script",
        promises=("P4", "P6"),
        does="while (true) in a click, after the load, in a frame",
        run=on("/hang-click.html", _hung),
        counts=Counts(gate=0, short=3, full=30),
        seconds=120,
    ),
    Fault(
        name="endless-dialogs",
        promises=("P4", "P6"),
        does="alerts for ever, 200 alerts, prompts, confirms, print, beforeunload",
        run=on("/dialogs.html", _dialogs),
        counts=Counts(gate=0, short=len(DIALOGS), full=10 * len(DIALOGS)),
        seconds=180,
    ),
    Fault(
        name="popups",
        promises=("P4", "P6", "P10"),
        does="one click asks for 300 tabs",
        run=on("/wild.html", _popups),
        counts=Counts(gate=1, short=2, full=20),
        seconds=120,
        shares=True,
    ),
    Fault(
        name="pushstate-flood",
        promises=("P4", "P6"),
        does="5,000 history.pushState, and a hash that changes for ever",
        run=on("/wild.html", _states),
        counts=Counts(gate=0, short=2, full=20),
    ),
    Fault(
        name="dripping-page",
        promises=("P4", "P6"),
        does="a page that drips, one that never answers, half a page, endless redirects, 10 MB of headers",
        run=on("/form.html", _slow),
        counts=Counts(gate=0, short=len(SLOW), full=10 * len(SLOW)),
        seconds=120,
    ),
)
"""Faults of pages."""
