"""What is asked for again: a session that was interrupted, and calls with the `request_id` that they had before.

Below: fault, grounds, talk, kills, tests.keeper.kept. Above: durable.
"""

import os
import random
import re
import signal
import time
from contextlib import ExitStack
from typing import Any, Final

import anyio

from tests.faults.fault import Tally
from tests.faults.grounds import Grounds
from tests.faults.kills import Servers, batch
from tests.faults.talk import Said, Talk
from tests.keeper.kept import command

RESTORE_S: Final = 10.0
"""What restoring may take on a busy machine; the benchmark row `restore` holds it to 2 s on a quiet one."""

SAVED_S: Final = 20.0
AT_ONCE: Final = 8
SEED: Final = 33


# --- sessions -----------------------------------------------------------------------


async def restore(grounds: Grounds, times: int, tally: Tally) -> None:
    """Sign in, lose the server, restore: the same page, signed in still, and nothing sent again."""
    site = grounds.site
    with ExitStack() as stack:
        servers = Servers(grounds, stack)
        talk = await servers.talk()
        session = (await talk.call("notte_start", url=site.url("/login.html"))).facts["session_id"]
        signed_in = await talk.call("notte_execute", session_id=session, actions=_SIGN_IN)
        tally.expect("Signed in as ada" in signed_in.text, signed_in.text)
        await _saved(grounds, session)
        for number in range(times):
            await servers.kill()
            talk = await servers.talk()
            before = (await talk.call("notte_status", id=session)).facts
            begun = time.monotonic()
            again = (await talk.call("notte_start", session_id=session)).facts
            took = time.monotonic() - begun
            tally.most("slowest, ms", round(took * 1_000))
            tally.expect(took < RESTORE_S, f"{number}: restored after {took:.1f} s")
            tally.expect(again["url"] == before["url"] == site.url("/account"), f"{number}: at {again['url']}")
            tally.expect(re.search(r"saved \d+ s ago", again["note"]), f"{number}: of what age: {again['note']}")
            seen = await talk.call("notte_observe", session_id=session, mode="page")
            tally.expect("Signed in as ada" in seen.text, f"{number}: {seen.text[:300]}")
        posted = [target for method, target, _ in site.requests if method == "POST"]
        tally.expect(posted == ["/login"], f"what was sent: {posted}")
        kinds = [step["action"]["type"] for step in await talk.steps(session)]
        tally.expect(kinds == ["goto", "fill", "fill", "click", *["goto"] * times], f"the steps are {kinds}")


_SIGN_IN: Final = [
    {"type": "fill", "selector": "[name=username]", "value": "ada"},
    {"type": "fill", "selector": "[name=password]", "value": "sesame"},
    {"type": "click", "selector": "form button"},
]


async def _saved(grounds: Grounds, session: str) -> None:
    """Until the login is in the session's folder, which is a moment after the page has come."""
    file = anyio.Path(grounds.state / "sessions" / session / "state.json")
    with anyio.fail_after(SAVED_S):
        while not (await file.exists() and '"user"' in await file.read_text("utf-8")):  # noqa: ASYNC110 - another's file
            await anyio.sleep(0.05)


# --- calls --------------------------------------------------------------------------


class Repeating:
    """Calls that come more than once, with one effect."""

    def __init__(self, grounds: Grounds, tally: Tally) -> None:
        self._grounds = grounds
        self._tally = tally
        self._moments = random.Random(SEED)  # noqa: S311 - moments, not secrets

    def _form(self, session: str, token: str) -> dict[str, Any]:
        actions = batch(self._grounds.site.here, token)
        return {"session_id": session, "actions": actions, "request_id": f"request-{token}", "observe": "none"}

    def _arrived(self, token: str) -> int:
        return sum(one.value("applicant") == token for one in list(self._grounds.site.submissions))

    def _once(self, token: str, answers: list[Said]) -> None:
        texts = {one.text for one in answers}
        self._tally.expect(len(texts) == 1 and not answers[0].is_error, f"{token}: {len(texts)} answers: {texts}")
        self._tally.expect(self._arrived(token) == 1, f"{token}: the form came {self._arrived(token)} times")

    async def in_one_server(self, number: int) -> None:
        """The same again, eight at once, with other arguments, and after a crash."""
        with ExitStack() as stack:
            servers = Servers(self._grounds, stack)
            talk = await servers.talk()
            start = {"url": self._grounds.site.url("/form.html"), "request_id": f"start-{number}"}
            calls = [talk.begin("notte_start", **start) for _ in range(2)]
            sessions = {(await talk.answer(call)).facts["session_id"] for call in calls}
            self._tally.expect(len(sessions) == 1, f"one start gave {sessions}")
            session = sessions.pop()
            same = self._form(session, f"same-{number}")
            self._once(f"same-{number}", [await talk.call("notte_execute", **same) for _ in range(2)])
            crowd = self._form(session, f"crowd-{number}")
            waiting = [talk.begin("notte_execute", **crowd) for _ in range(AT_ONCE)]
            self._once(f"crowd-{number}", [await talk.answer(one) for one in waiting])
            await self._refused(talk, same, session, number)
            await servers.kill()
            talk = await servers.talk()
            again = [await talk.call("notte_execute", **one) for one in (same, same)]
            self._once(f"same-{number}", again)
            await self._refused(talk, same, session, number)

    async def _refused(self, talk: Talk, same: dict[str, Any], session: str, number: int) -> None:
        token = f"other-{number}"
        other = {**self._form(session, token), "request_id": same["request_id"]}
        said = await talk.call("notte_execute", **other)
        refused = said.is_error and "was used for a call with other arguments" in said.text
        self._tally.expect(refused and not self._arrived(token), f"with other arguments: {said.text}")

    async def over_hosts(self, number: int) -> None:
        """Asked by a host that is killed in between, and again by the next one: the keeper has gone on with it."""
        token = f"host-{number}"
        with self._grounds.host() as first:
            talk = Talk(first)
            session = (await talk.call("notte_start", url=self._grounds.site.url("/form.html"))).facts["session_id"]
            talk.begin("notte_execute", **self._form(session, token))
            await anyio.sleep(self._moments.uniform(0.05, 0.6))
            os.kill(first.process.pid, signal.SIGKILL)
        with self._grounds.host() as second:
            talk = Talk(second)
            self._once(token, [await talk.call("notte_execute", **self._form(session, token)) for _ in range(2)])
            await talk.call("notte_stop", id=session)


async def repeat(grounds: Grounds, times: int, tally: Tally) -> None:
    """Each way of asking again, that often."""
    repeating = Repeating(grounds, tally)
    for number in range(times):
        await repeating.in_one_server(number)
    with ExitStack() as stack:
        stack.callback(command, grounds.state, "stop")
        for number in range(times):
            await repeating.over_hosts(number)
