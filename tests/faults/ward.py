"""A server with a sick session and a well one: while the sick one suffers, status answers and the well one is driven.

What P4 and P6 say is expected here for every fault: `beside` while it goes on, `stopped` at its end.
Below: talk, fault, grounds. Above: the files of faults of browsers and pages.
"""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final, cast

import anyio
import psutil

from tests.e2e.whole import alive, browsers_below
from tests.faults.fault import Tally
from tests.faults.grounds import Grounds
from tests.faults.talk import Talk

STATUS_MS: Final = 2_000
"""What `notte_status` may take while a page computes in a hundred threads; 200 are aimed at, and what it took is noted."""

STOP_S: Final = 5.0
"""4 s are promised; the rest is a busy machine's."""

WELL_S: Final = 15.0
"""What one click in the well session may take beside a browser that eats a core."""

_EVERY_S: Final = 0.1


@dataclass(frozen=True, slots=True)
class Answer:
    """What a tool gave: its text, what is structured in it, and how many seconds that took."""

    text: str
    facts: dict[str, Any]
    is_error: bool
    seconds: float

    @property
    def failed(self) -> bool:
        """Whether what was asked for was not done."""
        return self.is_error or self.text.startswith("failed")


class Ward:
    """See the module. Made by `ward`; `sick` is the sick session's id, `well` the other's."""

    def __init__(self, grounds: Grounds, talk: Talk, tally: Tally) -> None:
        self.grounds = grounds
        self.talk = talk
        self.tally = tally
        self.sick = self.well = ""
        self.browser: psutil.Process | None = None

    @property
    def pid(self) -> int:
        """The server's process."""
        return self.talk.wire.process.pid

    async def call(self, tool: str, /, **arguments: Any) -> Answer:
        """A tool's answer, an error's too. Raises: NoAnswer, TimeoutError."""
        begun = anyio.current_time()
        said = await self.talk.call(tool, **arguments)
        facts: dict[str, Any] = said.result.get("structuredContent") or {}
        return Answer(said.text, facts, said.is_error, anyio.current_time() - begun)

    async def must(self, tool: str, /, **arguments: Any) -> Answer:
        """A tool's answer that is no error."""
        answer = await self.call(tool, **arguments)
        assert not answer.is_error, f"{tool}: {answer.text}"
        return answer

    async def start(self, path: str | None = None, **session: Any) -> Answer:
        """A new session on a page of the site."""
        arguments = {"url": self.grounds.site.url(path)} if path else {}
        return await self.must("notte_start", **arguments, **({"session": session} if session else {}))

    async def admit(self, path: str | None = None, **session: Any) -> str:
        """A sick session in the place of the last one; gives its id. `browser` is its browser's main process."""
        before = {one.pid for one in browsers_below(self.pid)}
        self.sick = str((await self.start(path, **session)).facts["session_id"])
        self.browser = next((p for p in browsers_below(self.pid) if p.pid not in before), self.browser)
        return self.sick

    async def keep(self, *, apart: bool = False) -> str:
        """The well session, in a browser of its own where it is to stand `apart`; gives its id."""
        answer = await self.start("/products/1", own_browser=apart)
        self.well = str(answer.facts["session_id"])
        return self.well

    async def act(self, *actions: dict[str, Any], **more: Any) -> Answer:
        """Actions in the sick session."""
        return await self.call("notte_execute", session_id=self.sick, actions=list(actions), **more)

    async def observe(self, **more: Any) -> Answer:
        """A look at the sick session."""
        return await self.call("notte_observe", session_id=self.sick, **more)

    async def goto(self, path: str, **more: Any) -> Answer:
        """Lead the sick session to a page of the site."""
        return await self.act({"type": "goto", "url": self.grounds.site.url(path), **more})

    async def click(self, name: str, *, observe: str = "changes", **more: Any) -> Answer:
        """Click a button of the sick session by its name."""
        return await self.act({"type": "click", "selector": f'role=button[name="{name}"]', **more}, observe=observe)

    @asynccontextmanager
    async def beside(self) -> AsyncGenerator[None]:
        """While the block runs, status is asked for and the well session is clicked in, over and over."""
        async with anyio.create_task_group() as going_on:
            asked, clicked = anyio.Event(), anyio.Event()
            going_on.start_soon(self._ask, asked)
            if self.well:
                going_on.start_soon(self._drive, clicked)
            yield
            with anyio.move_on_after(WELL_S):
                await asked.wait()
                if self.well:
                    await clicked.wait()
            self.tally.expect(asked.is_set(), "status gave no answer beside the fault")
            self.tally.expect(clicked.is_set() or not self.well, "the well session was not driven beside the fault")
            going_on.cancel_scope.cancel()

    async def _ask(self, done: anyio.Event) -> None:
        while True:
            answer = await self.call("notte_status")
            took = answer.seconds * 1000
            self.tally.most("status ms at most", round(took))
            self.tally.expect(
                not answer.is_error and took < STATUS_MS, f"status took {took:.0f} ms: {answer.text[:80]}"
            )
            done.set()
            await anyio.sleep(_EVERY_S)

    async def _drive(self, done: anyio.Event) -> None:
        while True:
            action = {"type": "click", "selector": "button"}
            answer = await self.call("notte_execute", session_id=self.well, actions=[action])
            self.tally.most("click beside ms at most", round(answer.seconds * 1000))
            held = not answer.failed and answer.seconds < WELL_S
            self.tally.expect(held, f"the well session: {answer.seconds:.1f} s, {answer.text[:200]}")
            done.set()
            await anyio.sleep(_EVERY_S)

    async def told(self, session_id: str) -> Answer:
        """How a session ended, once it has."""
        return await self.must("notte_status", id=session_id, wait_seconds=20, until="done")

    async def usable(self, within_s: float, path: str = "/form.html") -> Answer:
        """Lead the sick session to a good page and look at it: both have to work."""
        went = await self.goto(path)
        seen = await self.observe()
        took = went.seconds + seen.seconds
        self.tally.most("usable again s at most", round(took, 1))
        held = not went.failed and "Send request" in seen.text
        self.tally.expect(held, f"not usable again: {went.text[:300]} / {seen.text[:200]}")
        self.tally.expect(took <= within_s, f"usable again only after {took:.1f} s")
        return seen

    async def stopped(self, session_id: str | None = None, *, leaving: Sequence[psutil.Process] = ()) -> None:
        """Stop a session (the sick one) in time; the processes `leaving` are to be gone with it."""
        answer = await self.call("notte_stop", id=session_id or self.sick)
        self.tally.most("stop s at most", round(answer.seconds, 1))
        self.tally.expect(
            not answer.is_error and answer.seconds <= STOP_S, f"stop: {answer.seconds:.1f} s, {answer.text}"
        )
        await self.gone(leaving, within_s=1)

    async def gone(self, processes: Sequence[psutil.Process], *, within_s: float) -> float:
        """Wait until none of them lives; gives the seconds that took."""
        begun = anyio.current_time()
        with anyio.move_on_after(within_s):
            while any(alive(one) for one in processes):  # noqa: ASYNC110 - the end of another's child is no event of ours
                await anyio.sleep(0.02)
        left = [str(one) for one in processes if alive(one)]
        self.tally.expect(not left, f"alive after {within_s:.0f} s: {left}")
        return anyio.current_time() - begun


@asynccontextmanager
async def ward(grounds: Grounds, tally: Tally, *flags: str, **env: str) -> AsyncGenerator[Ward]:
    """A server and those who speak to it; no session yet."""
    try:
        with grounds.talk(*flags, **env) as talk:
            yield Ward(grounds, talk, tally)
            await talk.call("notte_stop", all=True)
    except Exception as raised:  # noqa: BLE001 - it goes on as what it is
        # Of several who spoke, what the first met is what went wrong.
        error: BaseException = raised
        while isinstance(error, BaseExceptionGroup):
            error = cast("BaseExceptionGroup[BaseException]", error).exceptions[0]
        raise error from None
