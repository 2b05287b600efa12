"""An action over a network that spoils its answer: done once at most, and told as it is, whatever comes back."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from notte_mcp import actions as a
from notte_mcp.engines.base import ObserveRequest, OpenRequest
from notte_mcp.engines.notte.access import CloudAccess
from notte_mcp.engines.notte.client import NotteClient
from notte_mcp.engines.notte.engine import NotteEngine
from notte_mcp.records import SessionSpec
from tests.api.desk import FORM, desk
from tests.notte.pace import Naps
from tests.notte.proxy import HTML, MALFORMED, Fault, Half, Lose, Reply, Reset, Swap, proxy

pytestmark = pytest.mark.anyio

UNKNOWN = "outcome_unknown"


@dataclass(frozen=True)
class Case:
    """What befalls one action: the receipt's code ("": success), how often it is sent, how often done over there."""

    fault: Fault
    code: str
    sent: int
    done: int


CASES = [
    Case(Reply(500, {"detail": "boom"}), UNKNOWN, 1, 0),
    Case(Reply(502, "<html>"), UNKNOWN, 1, 0),
    Case(Reply(503, {"detail": "busy"}), "", 2, 1),
    Case(Swap(Reply(504, "<html>")), UNKNOWN, 1, 1),
    Case(Reply(529, {"detail": "busy"}), "", 2, 1),
    Case(Reply(429, {"detail": "slow down"}, {"retry-after": "3"}), "cloud_unavailable", 1, 0),
    Case(Reply(402, {"detail": "no credit"}), "cloud_no_credit", 1, 0),
    Case(Reset(), UNKNOWN, 1, 0),
    Case(Lose(), UNKNOWN, 1, 1),
    Case(Half(), UNKNOWN, 1, 1),
    Case(Swap(MALFORMED), UNKNOWN, 1, 1),
    Case(Swap(HTML), UNKNOWN, 1, 1),
]


async def test_an_action_is_done_once_whatever_becomes_of_its_answer(tmp_path: Path) -> None:
    """The session goes on after each, and its next look tells what is there."""
    (tmp_path / "own").mkdir()
    async with desk(tmp_path) as office, proxy(office.api.url) as between:
        engine = NotteEngine(
            lambda: CloudAccess(office.api.key, between.url),
            client=lambda access: NotteClient(access, patience=Naps().patience()),
        )
        session = await engine.open(OpenRequest("ses_x", SessionSpec(engine="notte"), tmp_path / "own"))
        await session.perform(a.Goto(url=FORM), timeout_ms=5_000)
        remote = await engine.remote(session.remote_id)
        told: list[Case] = []
        for number, case in enumerate(CASES):
            fill = a.Fill(selector="#applicant", value=f"value {number}")
            body = f'"value":"value {number}"'.encode()
            between.on("POST", "*/page/execute", case.fault, has=body)
            receipt = await session.perform(fill, timeout_ms=5_000)
            sent = sum(body in one.body for one in between.seen)
            done = sum(f"value {number}" in str(one.get("value")) for one in await remote.steps() if _is_result(one))
            told.append(Case(case.fault, "" if receipt.success else receipt.code, sent, done))
        assert told == CASES
        seen = await session.observe(ObserveRequest(1))
        assert session.alive
        assert next(node.value for node in seen.nodes if node.name == "Applicant") == "value 11"
        await engine.close(deadline_s=2)


def _is_result(element: dict[str, object]) -> bool:
    return element.get("type") == "execution_result"
