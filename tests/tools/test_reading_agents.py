"""Agents through resources and their twin: list, record, log, script."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import MCPError
from mcp.types import ResourceTemplateReference, TextResourceContents

from notte_mcp.agent_records import AgentEvent, AgentRecord, AgentSpec, Usage
from notte_mcp.app import App
from notte_mcp.receipts import Receipt
from notte_mcp.records import SessionRecord, SessionSpec, StepRecord
from notte_mcp.resources.content import MAX_BYTES
from notte_mcp.resources.records_json import LISTED_CHARS
from notte_mcp.resources.script import TARGETS
from tests.tools.conftest import DONE, ERAS, FILL_AND_SEND, FORM, Host, text_of
from tests.tools.driven import ANSWER, TASK, drives

pytestmark = pytest.mark.anyio

SPEC = AgentSpec(task="Ask for a permit", driver="model", session=SessionSpec(proxy="http://ada:geheim@proxy.test/"))
AGENT = AgentRecord(
    id="agt_" + "a" * 26,
    owner="own_gone",
    state="interrupted",
    spec=SPEC,
    session_id="ses_" + "b" * 26,
    created_at=1_000.0,
    updated_at=1_009.0,
    reason="restart",
    attempt=2,
    step_count=3,
    usage=Usage(model_calls=3, input_tokens=900, output_tokens=100, usd=0.01, seconds=4.5),
)
FIRST, SECOND = "ses_" + "a" * 26, AGENT.session_id


async def app_of(host: Host) -> App:
    """The host's App, opened by a read."""
    await host.text("notte_read", uri="notte://agents")
    assert host.app is not None
    return host.app


async def resource(host: Host, uri: str) -> TextResourceContents:
    """What stands at an address that holds text, and that the tool reads the same."""
    assert host.client is not None
    (content,) = (await host.client.read_resource(uri)).contents
    assert isinstance(content, TextResourceContents)
    return content


async def lines(host: Host, uri: str) -> list[dict[str, Any]]:
    """A log's lines, read as a resource."""
    content = await resource(host, uri)
    assert content.mime_type == "application/x-ndjson"
    return [json.loads(line) for line in content.text.splitlines()]


def brief(line: dict[str, Any]) -> object:
    """A line by what places it: a step's number, or an event's name."""
    return line.get("number") or line["event"]


def step(of_agent: int, session: str, number: int, **fields: Any) -> StepRecord:
    """A step of AGENT that was done."""
    done = StepRecord(
        session_id=session,
        number=number,
        actor="model",
        state="done",
        action={"type": "goto", "url": FORM},
        started_at=1_001.0,
        ended_at=1_002.0,
        receipt=Receipt(type="goto", success=True, message=f"opened {of_agent}", url_after=FORM),
        url=FORM,
        agent_id=AGENT.id,
        agent_step=of_agent,
    )
    return replace(done, **fields)


async def stored(host: Host) -> App:
    """An agent of a dead server, as it left it: two attempts, a step in flight, and what happened in between."""
    app = await app_of(host)
    for session in (FIRST, SECOND):
        await app.store.put_session(
            SessionRecord(session, "own_gone", "interrupted", SessionSpec(), created_at=1.0, updated_at=1.0)
        )
    await app.store.intend(
        [
            step(1, FIRST, 1),
            step(2, SECOND, 4, actor="human"),
            step(3, SECOND, 5, state="outcome_unknown", receipt=None, ended_at=None),
        ]
    )
    told = [(0, "started", "Ask"), (1, "attempt", "2"), (2, "paused", ""), (2, "resumed", ""), (3, "interrupted", "")]
    for sequence, (after, event, text) in enumerate(told, start=1):
        await app.store.put_event(AgentEvent(AGENT.id, sequence, after, 1_003.0, event, text))  # pyright: ignore[reportArgumentType]
    await app.store.put_agent(AGENT)
    return app


async def driven(host: Host, **spec: Any) -> AgentRecord:
    """A live agent that the caller drives, on the form."""
    app = await app_of(host)
    asked = AgentSpec(task="Ask for a permit", driver="assistant", session=SessionSpec(), url=FORM)
    return await app.agents.start(replace(asked, **spec))


# --- the list and the record ------------------------------------------------------------


async def test_agents_are_listed_newest_first_and_read_as_json(host: Host) -> None:
    """Contract."""
    await stored(host)
    live = await driven(host)

    many = await resource(host, "notte://agents")
    one = await resource(host, f"notte://agents/{AGENT.id}")

    assert many.mime_type == one.mime_type == "application/json"
    assert [(each["id"], each["state"]) for each in json.loads(many.text)] == [
        (live.id, "running"), (AGENT.id, "interrupted"),
    ]  # fmt: skip
    told = json.loads(one.text)
    assert (told["task"], told["driver"], told["attempt"], told["reason"]) == (SPEC.task, "model", 2, "restart")
    assert told["usage"]["tokens"] == 1_000
    assert told["created_at"] == "1970-01-01T00:16:40.000+00:00"
    assert told["steps_uri"] == f"notte://agents/{AGENT.id}/steps"


async def test_what_an_agents_sessions_are_like_is_not_told(host: Host) -> None:
    """P9: a proxy's address may carry a password."""
    await stored(host)

    assert "geheim" not in (await resource(host, f"notte://agents/{AGENT.id}")).text
    assert "geheim" not in (await resource(host, "notte://agents")).text


async def test_an_answer_is_whole_where_one_agent_is_read_and_cut_where_many_are(host: Host) -> None:
    """Ours: a list of long answers would be no list."""
    app = await stored(host)
    answer = "The number is 4711. " * 100
    await app.store.put_agent(AGENT.but(state="completed", answer=answer, result={"number": 4711}, success=True))

    (listed,) = json.loads((await resource(host, "notte://agents")).text)
    told = json.loads((await resource(host, f"notte://agents/{AGENT.id}")).text)

    assert (told["answer"], told["result"], told["success"]) == (answer, {"number": 4711}, True)
    assert len(listed["answer"]) == LISTED_CHARS
    assert answer.startswith(listed["answer"][:-1])


async def test_an_agent_that_is_too_long_for_an_answer_is_told_so(host: Host) -> None:
    """Measured on hosts: a message of twice the limit closed the connection."""
    app = await stored(host)
    await app.store.put_agent(AGENT.but(state="completed", answer="é" * (MAX_BYTES // 2)))

    said = await host.refusal("notte_read", uri=f"notte://agents/{AGENT.id}")

    assert "one answer carries at most" in said
    assert "notte_status" in said


# --- the log ------------------------------------------------------------------------------


async def test_the_log_of_an_agent_has_its_steps_by_its_own_numbers_and_its_events_between(host: Host) -> None:
    """Contract: steps of all attempts; an event has no number and stands after its step."""
    await stored(host)

    log = await lines(host, f"notte://agents/{AGENT.id}/steps")

    assert [brief(line) for line in log] == [
        "started", 1, "attempt", 2, "paused", "resumed", 3, "interrupted",
    ]  # fmt: skip
    assert set(log[1]) == {
        "number", "session_id", "session_step", "actor", "action", "element", "receipt", "success", "message", "url",
        "url_before", "url_after", "started_at", "ended_at", "seconds", "screenshot",
    }  # fmt: skip
    assert [(each["session_id"], each["session_step"]) for each in log if "number" in each] == [
        (FIRST, 1), (SECOND, 4), (SECOND, 5),
    ]  # fmt: skip
    assert log[3]["actor"] == "human"
    assert "outcome" in log[6]["message"]
    at = "1970-01-01T00:16:43.000+00:00"
    assert log[2] == {"event": "attempt", "after_step": 1, "text": "2", "at": at, "cursor": "1.1"}


async def test_the_log_goes_on_after_a_step(host: Host) -> None:
    """Contract: what follows that step's line, so that nothing that came to it later is missed."""
    await stored(host)
    for after, expected in (
        (0, ["started", 1, "attempt", 2, "paused", "resumed", 3, "interrupted"]),
        (1, ["attempt", 2, "paused", "resumed", 3, "interrupted"]),
        (2, ["paused", "resumed", 3, "interrupted"]),
        (3, ["interrupted"]),
        (4, []),
    ):
        assert [brief(line) for line in await lines(host, f"notte://agents/{AGENT.id}/steps?after={after}")] == expected


async def test_the_log_of_a_live_agent_grows_at_its_end_only(host: Host) -> None:
    """Ours: read while it runs, after it ended, and by its number: the same lines."""
    agent = await driven(host)
    uri = f"notte://agents/{agent.id}/steps"
    begun = await lines(host, uri)
    await host.text("notte_observe", session_id=agent.session_id)
    await host.text("notte_execute", session_id=agent.session_id, actions=FILL_AND_SEND)
    working = await lines(host, uri)
    done = {"type": "completion", "success": True, "answer": "4711"}
    await host.call("notte_execute", session_id=agent.session_id, actions=[done])
    ended = await lines(host, uri)

    assert [brief(line) for line in begun] == ["started", 1]
    assert working[: len(begun)] == begun
    assert ended[: len(working)] == working
    assert [line["number"] for line in ended if "number" in line][:5] == [1, 2, 3, 4, 5]
    assert brief(ended[-1]) == "ended"
    assert working[3]["action"]["value"] == {"secret": "SECRET_ACCESS_CODE"}
    assert await lines(host, f"{uri}?after=5") == ended[[brief(line) for line in ended].index(5) + 1 :]


async def test_a_step_in_flight_and_what_belongs_after_it_are_told_when_it_has_its_outcome(host: Host) -> None:
    """Ours: a line never changes once it was read, and none comes before it later."""
    app = await stored(host)
    await app.store.put_agent(AGENT.but(state="running", owner=app.owner))
    await app.store.intend([step(4, SECOND, 6, state="intended", receipt=None, ended_at=None)])
    await app.store.put_event(AgentEvent(AGENT.id, 6, 4, 1_004.0, "message", "Take the blue one"))
    uri = f"notte://agents/{AGENT.id}/steps?after=3"

    before = await lines(host, uri)
    session = await app.registry.record(SECOND)
    await app.store.settle(step(4, SECOND, 6), session)
    afterwards = await lines(host, uri)

    assert [brief(line) for line in before] == ["interrupted"]
    assert [brief(line) for line in afterwards] == ["interrupted", 4, "message"]


async def test_a_log_of_many_bytes_is_cut_at_a_line_and_goes_on_after_it(host: Host) -> None:
    """Contract: an answer is below the limit, whatever its letters."""
    app = await stored(host)
    long = "é" * 200_000
    count = 30
    many = [step(n, SECOND, n + 10, receipt=Receipt("scrape", success=True, data=long)) for n in range(4, count + 1)]
    await app.store.intend(many)
    await app.store.put_agent(AGENT.but(step_count=count))
    uri = f"notte://agents/{AGENT.id}/steps"

    seen: list[int] = []
    while True:
        text = (await resource(host, f"{uri}?after={seen[-1] if seen else 0}")).text
        assert len(text.encode()) <= MAX_BYTES
        numbers = [line["number"] for line in map(json.loads, text.splitlines()) if "number" in line]
        if not numbers:
            break
        seen += numbers

    assert seen == list(range(1, count + 1))


async def test_a_session_tells_whose_steps_are_an_agents(host: Host) -> None:
    """Contract: with the agent's number; a step that is nobody's is told without."""
    session_id = await host.start()
    await app_of(host)
    assert host.app is not None
    spec = AgentSpec(task="Look", driver="assistant", session=SessionSpec())
    agent = await host.app.agents.start(spec, session_id=session_id)
    await host.call("notte_execute", session_id=session_id, actions=[{"type": "goto", "url": DONE}])

    first, begun, second = await lines(host, f"notte://sessions/{session_id}/steps")

    assert "agent_id" not in first
    assert (begun["event"], begun["agent_id"], begun["cursor"]) == ("started", agent.id, "1.1")
    assert (second["number"], second["agent_id"], second["agent_step"]) == (2, agent.id, 1)


# --- the script -----------------------------------------------------------------------------


async def test_an_agents_script_is_that_of_its_own_steps(host: Host) -> None:
    """Contract: notte_workflow_code takes an agent's id, and the resource gives the same."""
    session_id = await host.start()
    await host.call("notte_execute", actions=[{"type": "fill", "id": "I1", "value": "Not the agent"}])
    await app_of(host)
    assert host.app is not None
    spec = AgentSpec(task="Send it", driver="assistant", session=SessionSpec())
    agent = await host.app.agents.start(spec, session_id=session_id)
    await host.call("notte_execute", session_id=session_id, actions=FILL_AND_SEND)
    for target in TARGETS:
        facts = await host.facts("notte_workflow_code", id=agent.id, target=target)
        content = await resource(host, f"notte://agents/{agent.id}/workflow/{target}")

        assert facts["id"] == agent.id
        assert facts["code"].strip() == content.text.strip()
        assert "Not the agent" not in facts["code"]
        assert "Ada" in facts["code"]
        # It begins where the agent did, which was opened by others.
        assert FORM in facts["code"]


async def test_an_agents_script_is_that_of_its_last_attempt(host: Host) -> None:
    """Contract: a fresh session begins anew, so that its steps are a whole way."""
    app = await stored(host)
    elsewhere = {"type": "goto", "url": DONE}
    await app.store.intend(
        [step(4, SECOND, 6, action=elsewhere, receipt=Receipt("goto", success=True, url_after=DONE))]
    )
    await app.store.intend([step(5, FIRST, 9, action={"type": "goto", "url": "http://shop.test/first"})])

    code = await host.text("notte_workflow_code", id=AGENT.id, target="playwright")

    assert DONE in code
    assert "http://shop.test/first" not in code


async def test_an_agent_that_did_nothing_has_no_script(host: Host) -> None:
    """Ours: with the call that makes some."""
    agent = await driven(host, url=None)

    assert "notte_execute" in await host.refusal("notte_workflow_code", id=agent.id)
    assert "notte_execute" in await host.refusal("notte_read", uri=f"notte://agents/{agent.id}/workflow/notte")


# --- what is not there ------------------------------------------------------------------------


async def test_an_agents_address_that_leads_nowhere_is_told_so(host: Host) -> None:
    """SEP-2164: -32602 with the address; and as a tool, the next call."""
    await stored(host)
    for named in (
        "notte://agents/agt_nope",
        "notte://agents/agt_nope/steps",
        "notte://agents/agt_nope/workflow/notte",
        "notte://agents/",
        "notte://agents/{id}/nope",
        "notte://agents/{id}/workflow/cobol",
        "notte://agents/{id}/steps/1",
        "notte://sessions/{id}",
    ):
        uri = named.replace("{id}", AGENT.id)

        with pytest.raises(MCPError) as caught:
            await resource(host, uri)
        said = await host.refusal("notte_read", uri=uri)

        assert (caught.value.error.code, caught.value.error.data) == (-32602, {"uri": uri})
        assert "Next:" in said


async def test_a_number_that_is_none_is_told_so(host: Host) -> None:
    """Ours: not the same as an agent that is not there, nor as a failure of ours."""
    await stored(host)
    for after in ("zz", "-1", "²", "9" * 40):
        said = await host.refusal("notte_read", uri=f"notte://agents/{AGENT.id}/steps?after={after}")

        assert "`after` is a step's number" in said
        assert f"notte://agents/{AGENT.id}/steps?after=0" in said


async def test_a_script_of_an_agent_that_is_not_there_is_refused(host: Host) -> None:
    """Contract: an unknown agent is no unknown session."""
    await stored(host)

    assert "agt_nope" in await host.refusal("notte_workflow_code", id="agt_nope")


@ERAS
async def test_agents_ids_and_targets_are_completed(host: Host) -> None:
    """The templates' parameters: an agent's template takes agents, a session's sessions."""
    session_id = await host.start()
    await stored(host)

    async def completed(template: str, name: str, typed: str) -> list[str]:
        assert host.client is not None
        reference = ResourceTemplateReference(type="ref/resource", uri=template)
        return list((await host.client.complete(reference, {"name": name, "value": typed})).completion.values)

    assert await completed("notte://agents/{id}", "id", "") == [AGENT.id]
    assert await completed("notte://agents/{id}/steps{?after,format}", "id", "agt_b") == []
    assert await completed("notte://agents/{id}/workflow/{target}", "target", "j") == ["json"]
    assert session_id in await completed("notte://sessions/{id}", "id", "")
    assert AGENT.id not in await completed("notte://sessions/{id}", "id", "")


async def test_the_twin_reads_agents_the_same(host: Host) -> None:
    """Contract: notte_read is the twin of all."""
    await stored(host)

    for uri in ("notte://agents", f"notte://agents/{AGENT.id}", f"notte://agents/{AGENT.id}/steps"):
        twin = await host.call("notte_read", uri=uri, max_tokens=20_000)
        assert text_of(twin) == (await resource(host, uri)).text.rstrip("\n")


async def test_who_listens_is_told_what_an_agent_does_by_itself(tmp_path: Path) -> None:
    """`subscriptions/listen`: no call of the host's is behind these changes."""
    host, gate = Host(tmp_path, "auto"), anyio.Event()
    model = drives(host, ANSWER, gate=gate)
    async with host.connected() as client:
        begun = await host.facts("notte_start", task=TASK, url=FORM)
        with anyio.fail_after(30):
            await model.asked()
            uri = f"notte://agents/{begun['agent_id']}"
            async with client.listen(resource_subscriptions=[uri]) as events:
                gate.set()
                while (await host.facts("notte_status", id=begun["agent_id"]))["state"] != "completed":
                    pass
                event = await anext(aiter(events))

    assert getattr(event, "uri", None) == uri
