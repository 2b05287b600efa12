"""The process that holds the browsers, killed at any moment, over and over on one state folder and one session.

A client sends a form again and again, each time with a token of its own, and the site counts what comes. After a kill
the client says what it knows, the record says what it holds, and the two are compared. It goes on with the call that was under way, by
the same `request_id`.

Below: fault, grounds, talk, tests.keeper.kept. Above: durable.
"""

import os
import random
import signal
import time
from collections.abc import AsyncGenerator
from contextlib import AbstractContextManager, ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final, Protocol

import anyio
import anyio.to_thread

from tests.faults.fault import Tally
from tests.faults.grounds import Grounds
from tests.faults.talk import NoAnswer, Said, Talk
from tests.keeper.kept import kill as kill_keeper
from tests.stdio.wire import Wire

SEED: Final = 2_026
"""Of the moments; the same seed is the same run, as far as a machine has such."""

CLICK: Final = 4
"""The place of the click that sends the form, in a batch."""


def batch(origin: str, token: str) -> list[dict[str, Any]]:
    """Fill the form with a token and send it; then look elsewhere."""
    return [
        {"type": "goto", "url": f"{origin}/form.html"},
        {"type": "fill", "selector": "#applicant", "value": token},
        {"type": "fill", "selector": "#email", "value": f"{token}@example.org"},
        {"type": "check", "selector": "[name=terms]"},
        {"type": "click", "selector": "form button:not([disabled])"},
        {"type": "goto", "url": f"{origin}/product/1"},
    ]


class Holder(Protocol):
    """The process that holds the browsers, and a way to talk to it."""

    async def talk(self) -> Talk:
        """To the one that lives, or to the next one."""
        ...

    async def kill(self) -> None: ...


class Servers:
    """One server after the other."""

    def __init__(self, grounds: Grounds, stack: ExitStack) -> None:
        self._grounds = grounds
        self._stack = stack.enter_context(ExitStack())
        self._wire: Wire | None = None

    async def talk(self) -> Talk:
        server: AbstractContextManager[Wire] = self._grounds.server()
        self._wire = self._stack.enter_context(server)
        return Talk(self._wire)

    async def kill(self) -> None:
        assert self._wire is not None
        os.kill(self._wire.process.pid, signal.SIGKILL)
        await anyio.to_thread.run_sync(self._stack.close)


class Keepers:
    """One host that stays, and the keepers that its relay finds or starts."""

    def __init__(self, grounds: Grounds, stack: ExitStack) -> None:
        self._grounds = grounds
        self._talk = Talk(stack.enter_context(grounds.host(NOTTE_MCP_KEEPER_IDLE_MINUTES="0.02")))

    async def talk(self) -> Talk:
        return self._talk

    async def kill(self) -> None:
        await anyio.to_thread.run_sync(kill_keeper, self._grounds.state)


@dataclass(slots=True)
class Story:
    """What the client knows: its session, the last number that it has looked at or had acknowledged, its tokens."""

    session: str = ""
    acknowledged: int = 0
    looked_at: int = 0
    sent: list[str] = field(default_factory=list[str])
    pending: str = ""
    url: str = ""


class Trial:
    """See the module."""

    def __init__(self, grounds: Grounds, tally: Tally, holder: Holder) -> None:
        self._site = grounds.site
        self._tally = tally
        self._holder = holder
        self._story = Story()
        self._moments = random.Random(SEED)  # noqa: S311 - moments, not secrets

    async def run(self, times: int) -> None:
        talk, story = await self._holder.talk(), self._story
        story.session = (await talk.call("notte_start", url=self._site.url("/form.html"))).facts["session_id"]
        story.acknowledged = story.looked_at = 1
        begun = time.monotonic()
        await self._send(talk)
        lasts = time.monotonic() - begun
        for _ in range(times):
            async with self._killed(self._moments.uniform(0, 2 * lasts)):
                while not story.pending:
                    await self._send(talk)
            talk = await self._holder.talk()
            await self._compare(talk)
        await self._end(talk)
        self._tally.note("seed", SEED)

    @asynccontextmanager
    async def _killed(self, after_s: float) -> AsyncGenerator[None]:
        async def kill() -> None:
            await anyio.sleep(after_s)
            await self._holder.kill()

        async with anyio.create_task_group() as group:
            group.start_soon(kill)
            yield

    async def _send(self, talk: Talk) -> None:
        """One batch with a token of its own. Where no answer comes, it stays `pending`."""
        story = self._story
        token = f"t{len(story.sent)}"
        story.sent.append(token)
        try:
            said = await self._ask(talk, token)
        except NoAnswer:
            story.pending = token
            return
        expected = len(batch("", ""))
        if self._tally.expect(not said.is_error and said.text.count("\n") + 1 >= expected, f"{token}: {said.text}"):
            story.acknowledged += expected
        self._tally.note("acknowledged", expected)

    async def _ask(self, talk: Talk, token: str) -> Said:
        actions = batch(self._site.here, token)
        session, request = self._story.session, f"request-{token}"
        return await talk.call("notte_execute", session_id=session, actions=actions, observe="none", request_id=request)

    # --- after a kill ---------------------------------------------------------------

    async def _compare(self, talk: Talk) -> None:
        """What is on record, what the client knows, and what the site has seen."""
        tally, story, token = self._tally, self._story, self._story.pending
        seen = (await talk.call("notte_status", id=story.session)).facts
        tally.expect(seen["state"] == "interrupted", f"{token}: the session is {seen['state']}")
        steps = await talk.steps(story.session, after=story.looked_at)
        numbers = [step["number"] for step in steps]
        whole = list(range(story.looked_at + 1, seen["step_count"] + 1))
        tally.expect(numbers == whole, f"{token}: numbered {numbers}, not {whole}")
        known = [step for step in steps if step["number"] <= story.acknowledged]
        kept = len(known) == story.acknowledged - story.looked_at and all(step["success"] for step in known)
        tally.expect(kept, f"{token}: of {story.acknowledged - story.looked_at} acknowledged steps: {known}")
        self._in_flight(steps[len(known) :])
        story.looked_at = story.acknowledged = seen["step_count"]
        arrived = self._arrived(token)
        await self._restore(talk, seen["url"])
        tally.expect(self._arrived(token) == arrived, f"{token}: restoring sent it again")
        await self._ask_again(talk, arrived)
        story.pending = ""

    def _in_flight(self, steps: list[dict[str, Any]]) -> None:
        """The batch that nobody heard of: done as far as it says so, then unknown, and never the other way round."""
        tally, token = self._tally, self._story.pending
        wanted = [action["type"] for action in batch("", "")]
        tally.expect(
            [step["action"]["type"] for step in steps] == wanted[: len(steps)], f"{token}: other steps: {steps}"
        )
        outcomes = [step["success"] for step in steps]
        tally.expect(
            outcomes == sorted(outcomes, key=lambda one: one is None) and False not in outcomes,
            f"{token}: outcomes {outcomes}",
        )
        arrived = self._arrived(token)
        click = outcomes[CLICK] if len(outcomes) > CLICK else "absent"
        allowed = {"absent": (0,), None: (0, 1), True: (1,)}[click]
        tally.expect(arrived in allowed, f"{token}: the click is {click}, and the form came {arrived} times")
        tally.note("unheard but done", outcomes.count(True))
        tally.note("unknown", outcomes.count(None))
        if click is None:
            tally.note("unknown that had sent" if arrived else "unknown that had not sent")

    async def _restore(self, talk: Talk, url: str) -> None:
        story, tally = self._story, self._tally
        begun = time.monotonic()
        again = (await talk.call("notte_start", session_id=story.session)).facts
        tally.most("slowest restore, ms", round((time.monotonic() - begun) * 1_000))
        tally.expect(again["url"] == url, f"{story.pending}: restored at {again['url']} instead of {url}")
        await self._catch_up(talk)

    async def _ask_again(self, talk: Talk, arrived: int) -> None:
        """The same call with the same id: what it came to, or that nobody knows; and it is done where it never was."""
        tally, token = self._tally, self._story.pending
        said = await self._ask(talk, token)
        now = self._arrived(token)
        if said.is_error:
            tally.expect("was begun and its server ended" in said.text, f"{token}: {said.text}")
            tally.expect(now == arrived, f"{token}: it was sent again though its outcome was told to be unknown")
            tally.note("asked again: unknown")
        else:
            tally.expect(now == 1, f"{token}: answered as done, and the form came {now} times")
            tally.note("asked again: answered" if arrived else "asked again: begun first then")
        await self._catch_up(talk)

    async def _catch_up(self, talk: Talk) -> None:
        story = self._story
        story.acknowledged = (await talk.call("notte_status", id=story.session)).facts["step_count"]
        # A read that finds them is made at the next kill: `looked_at` stays where it is.

    def _arrived(self, token: str) -> int:
        return sum(one.value("applicant") == token for one in self._site.submissions)

    async def _end(self, talk: Talk) -> None:
        """All that was ever sent, and the whole log."""
        story, tally = self._story, self._tally
        doubled = [token for token in story.sent if self._arrived(token) > 1]
        tally.expect(not doubled, f"came more than once: {doubled}")
        numbers = [step["number"] for step in await talk.steps(story.session)]
        tally.expect(numbers == list(range(1, story.acknowledged + 1)), f"the whole log is numbered {numbers}")
        tally.note("steps", len(numbers))
        ended = (await talk.call("notte_stop", id=story.session)).facts
        tally.expect(ended["state"] == "stopped", f"the session is {ended['state']} after its stop")


async def killed(grounds: Grounds, times: int, tally: Tally, *, holder: Any) -> None:
    """Kill the holder of the browsers that often."""
    with ExitStack() as stack:
        await Trial(grounds, tally, holder(grounds, stack)).run(times)


kill_servers = partial(killed, holder=Servers)
kill_keepers = partial(killed, holder=Keepers)
