"""What happens to a session in the cloud: its API is killed in the midst of acts and started again, its connection breaks.

A client of a server with the cloud engine sends a form again and again, each time with a token of its own, to a `notte-mcp
api` with a browser; the site counts what comes. After each fault what was answered, what is on record and what the
site has seen are compared, and the same is asked for again by its `request_id`.

Below: fault, grounds, kills, talk, tests.api.process, tests.notte.proxy. Above: table.
"""

import random
from collections.abc import AsyncGenerator
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import anyio
import anyio.to_thread

from scripts.find_chromium import find
from tests.api.process import Served, api_process
from tests.e2e.whole import below, gone
from tests.faults.fault import Counts, Fault, Tally
from tests.faults.grounds import Grounds
from tests.faults.kills import CLICK, SEED, batch
from tests.faults.talk import Said, Talk
from tests.notte.proxy import Half, Lose, Proxy, Reset, proxy

BREAKS: Final = (Lose(), Reset(), Half())
REQUESTS: Final = 8
"""How many requests a form takes at least: one of them is the broken one."""

ENDED: Final = ("failed", "stopped", "interrupted")


class Apis:
    """One API after the other, on one port and one state folder."""

    def __init__(self, grounds: Grounds, stack: ExitStack) -> None:
        self._folder = grounds.folder / "api"
        self._folder.mkdir()
        self._stack = stack.enter_context(ExitStack())
        self.served = self._begin()

    def _begin(self, *flags: str) -> Served:
        return self._stack.enter_context(api_process(self._folder, *flags, chromium=Path(find() or "")))

    async def kill(self, tally: Tally) -> None:
        """With nothing that it could do; what it had started is gone with it."""
        tree = below(self.served.process.pid)
        self.served.process.kill()
        try:
            await gone(tree, within_s=5)
        except TimeoutError:
            tally.lost.append("a killed API has left a browser")
        await anyio.to_thread.run_sync(self._stack.close)

    async def again(self) -> None:
        """Where it was."""
        port = str(urlsplit(self.served.url).port)
        self.served = await anyio.to_thread.run_sync(self._begin, "--port", port)


class Client:
    """Who sends the forms, in one session in the cloud after the other."""

    def __init__(self, grounds: Grounds, tally: Tally, talk: Talk) -> None:
        self._site = grounds.site
        self._tally = tally
        self.talk = talk
        self.session = ""
        self._told = 0

    async def begin(self) -> None:
        """A new session in the cloud."""
        begun = await self.talk.call("notte_start", session={"engine": "notte"})
        self.session, self._told = begun.facts["session_id"], 0

    async def send(self, token: str) -> Said:
        """One form. Raises: NoAnswer; TimeoutError."""
        call = {"session_id": self.session, "actions": batch(self._site.here, token), "observe": "none"}
        return await self.talk.call("notte_execute", **call, request_id=f"request-{token}")

    async def compare(self, token: str, said: Said) -> None:
        """What was answered, what is on record, what came, and that the same once more changes nothing."""
        tally = self._tally
        wanted = [action["type"] for action in batch("", "")]
        steps = await self.talk.steps(self.session, after=self._told)
        numbers = [step["number"] for step in steps]
        whole = list(range(self._told + 1, self._told + len(steps) + 1))
        tally.expect(numbers == whole, f"{token}: numbered {numbers}, not {whole}")
        self._told += len(steps)
        kinds = [step["action"]["type"] for step in steps]
        tally.expect(kinds == wanted[: len(kinds)], f"{token}: other steps: {kinds}")
        outcomes = [step["success"] for step in steps]
        done = outcomes.count(True)
        tally.expect(True not in outcomes[done:] and len(outcomes) <= done + 1, f"{token}: outcomes {outcomes}")
        self._judge(token, said, outcomes)
        arrived = self.arrived(token)
        again = await self.send(token)
        tally.expect(again.text == said.text, f"{token}: asked again: {again.text[:500]} instead of {said.text[:500]}")
        tally.expect(self.arrived(token) == arrived, f"{token}: it was sent again")

    def _judge(self, token: str, said: Said, outcomes: list[bool | None]) -> None:
        tally, arrived = self._tally, self.arrived(token)
        click = outcomes[CLICK] if len(outcomes) > CLICK else "absent"
        allowed = {"absent": (0,), None: (0, 1), False: (0,), True: (1,)}[click]
        tally.expect(arrived in allowed, f"{token}: the click is {click}, and the form came {arrived} times")
        is_whole = outcomes == [True] * len(batch("", ""))
        told = said.is_error or said.text.startswith("failed") or "unknown" in said.text
        tally.expect(is_whole != told, f"{token}: {outcomes}, and was told: {said.text[:300]}")
        tally.note("acknowledged", outcomes.count(True))
        tally.note("unknown", outcomes.count(None))
        tally.note("failed", outcomes.count(False))
        if click is None:
            tally.note("unknown that had sent" if arrived else "unknown that had not sent")

    def arrived(self, token: str) -> int:
        """How often a token's form came."""
        return sum(one.value("applicant") == token for one in list(self._site.submissions))


@asynccontextmanager
async def _cloud(grounds: Grounds, tally: Tally) -> AsyncGenerator[tuple[Apis, Proxy, Client]]:
    """An API, what stands before it, and a client of a server that has it as its cloud; with a session."""
    with ExitStack() as stack:
        apis = Apis(grounds, stack)
        async with proxy(apis.served.url) as between:
            with grounds.server(NOTTE_API_URL=between.url, NOTTE_API_KEY=apis.served.key) as wire:
                client = Client(grounds, tally, Talk(wire))
                await client.begin()
                yield apis, between, client


async def api_killed(grounds: Grounds, times: int, tally: Tally) -> None:
    """SIGKILL to the API at any moment of a form; then it is there again, and its session has ended as it says. Before
    that, the answer to a form's first action is lost."""
    moments = random.Random(SEED)  # noqa: S311 - moments, not secrets
    async with _cloud(grounds, tally) as (apis, between, client):
        _break(between, 0, moments)
        await client.compare("lost", await client.send("lost"))
        between.heal()
        begun = anyio.current_time()
        await client.compare("whole", await client.send("whole"))
        lasts = anyio.current_time() - begun
        for number in range(times):
            said: list[Said] = []

            async def send(token: str, said: list[Said] = said) -> None:
                said.append(await client.send(token))

            async with anyio.create_task_group() as group:
                group.start_soon(send, f"cut-{number}")
                await anyio.sleep(moments.uniform(0, lasts))
                await apis.kill(tally)
            await apis.again()
            await client.compare(f"cut-{number}", said[0])
            await _ended(client, tally)
            await client.begin()  # and the next one is as if nothing had been
        tally.note("seed", SEED)


async def _ended(client: Client, tally: Tally) -> None:
    """The cloud's session is over, is told so, and no other is given in its place."""
    seen = await client.talk.call("notte_observe", session_id=client.session)
    told: dict[str, Any] = (await client.talk.call("notte_status", id=client.session)).facts
    tally.expect(seen.is_error and told["state"] in ENDED, f"a lost session is {told['state']}: {seen.text[:300]}")
    tally.note(f"told as {told['state']} ({told.get('reason')})")


async def resets(grounds: Grounds, times: int, tally: Tally) -> None:
    """The connection breaks at one request of each form: before it, after it, within its answer. The session goes on."""
    moments = random.Random(SEED)  # noqa: S311 - moments, not secrets
    async with _cloud(grounds, tally) as (_, between, client):
        for number in range(times):
            _break(between, number, moments)
            await client.compare(f"broken-{number}", await client.send(f"broken-{number}"))
            between.heal()
        mended = await client.send("mended")
        tally.expect(not mended.is_error, f"it does not go on: {mended.text[:300]}")
        await client.compare("mended", mended)
        await client.talk.call("notte_stop", id=client.session)
        told = (await client.talk.call("notte_status", id=client.session, wait_seconds=20, until="done")).facts
        tally.expect(told["state"] == "stopped", f"the session is {told['state']} after its stop")
    tally.note("seed", SEED)


def _break(between: Proxy, number: int, moments: random.Random) -> None:
    """The first action of a form, and then any of its requests: every other time one that acts, since most only look."""
    fault = BREAKS[number % len(BREAKS)]
    if number == 0:
        return between.on("POST", "*/page/execute", fault, has=b'"goto"')
    method, path = [("POST", "*/page/execute"), ("*", "*")][number % 2]
    return between.on(method, path, fault, skip=moments.randrange(REQUESTS))


FAULTS: Final = (
    Fault(
        "api-killed",
        ("P1", "P2"),
        "SIGKILL to the API of a session in the cloud, at a random moment of a form; it is started again. Before it, a lost "
        "answer",
        api_killed,
        Counts(1, 10, 200),
        seconds=240,
    ),
    Fault(
        "cloud-resets",
        ("P1", "P2"),
        "the connection to the cloud breaks at a random request: before it, after it, within its answer",
        resets,
        Counts(0, 30, 600),
        seconds=240,
    ),
)
"""Faults of the cloud."""
