"""What is done for a person who may act: the agent is steered, the session taken over, given back or ended, the page used.

Below: deeds, hands, people, app. Above: routes.
"""

from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from notte_mcp.agent_records import AgentRecord
from notte_mcp.errors import AgentEnded, NotteMCPError
from notte_mcp.http.refusals import Refusal
from notte_mcp.logs import Log
from notte_mcp.viewer import deeds as d
from notte_mcp.viewer import refusals
from notte_mcp.viewer.hands import handle
from notte_mcp.viewer.people import People

if TYPE_CHECKING:
    from notte_mcp.app import App

log = Log("viewer")


async def act(app: "App", people: People, session_id: str, view: str, body: bytes) -> dict[str, Any] | Refusal:
    """Do what the body asks for: `{"ok": ..., "message": ...}`, in words for the person."""
    try:
        deed = d.DEED.validate_json(body)
    except ValidationError as error:
        places = ", ".join(sorted({".".join(map(str, one["loc"])) or one["type"] for one in error.errors()}))
        return refusals.wrong(f"That is none of the things that can be done here ({places}).", "Reload the page.")
    people.touch(session_id, view)
    try:
        done = await _do(app, people, session_id, view, deed)
    except NotteMCPError as error:
        log.info("viewer.not_done", session=session_id, do=deed.do, code=error.code)
        return {"ok": False, "code": error.code, "message": error.what}
    log.info("viewer.done", session=session_id, do=deed.do)
    return done


async def _do(app: "App", people: People, session_id: str, view: str, deed: d.Steering | d.Handling) -> dict[str, Any]:
    match deed:
        case d.TakeOver():
            await people.take_over(app, session_id, view)
            return _done("You have taken over: mouse and keyboard go to the page.")
        case d.GiveBack():
            await people.give_back(app, session_id)
            return _done("Given back.")
        case d.Pause() | d.Resume() | d.Say():
            return await _steer(app, people, session_id, deed)
        case d.Stop():
            return await _stop(app, people, session_id, deed)
        case _:
            return await handle(app, session_id, deed)


async def _steer(app: "App", people: People, session_id: str, deed: d.Pause | d.Resume | d.Say) -> dict[str, Any]:
    agent = await _agent(app, session_id)
    if deed.do in ("resume", "answer"):
        # It is to go on, so the page is its again.
        await people.give_back(app, session_id, resume=False)
    steered = await app.agents.steer(agent.id, deed.do, deed.text if isinstance(deed, d.Say) else None)
    said = {"pause": "The agent pauses.", "resume": "The agent goes on.", "answer": "Answered."}
    return _done(said.get(deed.do, "The agent is told at its next turn.") if steered.accepted else "It was so already.")


async def _stop(app: "App", people: People, session_id: str, deed: d.Stop) -> dict[str, Any]:
    if deed.what == "agent":
        await app.agents.stop((await _agent(app, session_id)).id)
        await people.give_back(app, session_id, resume=False)
        return _done("The agent is stopped; its browser stays open.")
    await app.registry.stop(session_id)
    return _done("The session is ended.")


async def _agent(app: "App", session_id: str) -> AgentRecord:
    if (agent := await app.agents.agent_on(session_id)) is None:
        raise AgentEnded("No agent is at work in this session.")
    return agent


def _done(message: str) -> dict[str, Any]:
    return {"ok": True, "message": message}
