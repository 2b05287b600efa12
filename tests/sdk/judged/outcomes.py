"""What an agent gives, what comes of its failure, and what is left, with SDK 1.9.7; the rest of what Notte's page shows."""

import json
import time

from notte_sdk import NotteClient
from pydantic import BaseModel
from telling import SEARCH, SHOP, check, does, ends, plan, tell_all

client = NotteClient()
shared = client.Session()
"""Agents follow each other on it, wherever a session of their own is not what a check is about."""


def found(result) -> list:
    return [result.success, result.answer, result.status]


# --- what it gives ------------------------------------------------------------------


@check
def the_answer_has_the_structure_of_the_page():
    plan(SEARCH, ends("Structured."))
    result = client.Agent(session=shared).run(task="Look for kettles", url=SHOP)
    names = ("success", "answer", "steps", "agent_id", "session_id", "task", "url", "created_at", "closed_at")
    return {name: type(getattr(result, name)).__name__ for name in names}


@check
def each_step_tells_action_success_and_message():
    plan(SEARCH, does({"type": "switch_tab", "tab_index": 9}), ends("Told."))
    result = client.Agent(session=shared).run(task="Look for kettles", url=SHOP)
    told = [[step["action"]["type"], step["success"], step["message"]] for step in result.steps]
    return [[kind, success, bool(message)] for kind, success, message in told]


@check
def an_answer_of_a_given_form_is_json_of_it():
    class Kettle(BaseModel):
        name: str
        price: float

    plan(SEARCH, ends(json.dumps({"name": "Copper kettle", "price": 89.0})))
    result = client.Agent(session=shared).run(task="Which kettle?", url=SHOP, response_format=Kettle)
    return Kettle.model_validate_json(result.answer).model_dump()


# --- when it fails ------------------------------------------------------------------


@check
def a_failure_is_an_answer_and_no_exception():
    plan(ends("The door is shut.", success=False))
    result = client.Agent(session=shared).run(task="Go in")
    fallback = "by hand" if not result.success else "no need"
    return [result.success, result.answer, fallback]


@check
def a_failed_try_is_repeated_in_a_new_session():
    tried = []
    for attempt in range(3):
        plan(ends(f"Try {attempt}.", success=attempt == 1))
        with client.Session() as session:
            session.execute(type="goto", url=SHOP)
            result = client.Agent(session=session).run(task="Try it")
            tried.append([session.session_id, result.success])
        if result.success:
            break
        time.sleep(0.01 * 2**attempt)
    return {"tries": [success for _, success in tried], "sessions": len({name for name, _ in tried})}


@check
def an_agent_takes_over_where_an_action_fails():
    plan(does({"type": "click", "id": "{{button 'Order now'}}"}), ends("The form is open."))
    with client.AgentFallback(shared, task="Open the order form of the copper kettle") as kept:
        shared.execute(type="goto", url=f"{SHOP}product/copper-kettle")
        shared.execute(type="click", selector="#add-to-cart", timeout=500)
        skipped = shared.execute(type="click", selector="#checkout")
    return {
        "invoked": kept.agent_invoked,
        "success": kept.success,
        "answer": kept.agent_response.answer,
        "steps": [step.success for step in kept.steps],
        "skipped": [skipped.success, "skipped" in skipped.message],
        "where": shared.observe().metadata.url.removeprefix(SHOP),
    }


@check
def no_agent_comes_where_every_action_succeeds():
    with client.AgentFallback(shared, task="Look at a kettle") as kept:
        shared.execute(type="goto", url=SHOP)
        shared.execute(type="fill", selector='role=searchbox[name="Search products"]', value="kettle", press_enter=True)
    return [kept.agent_invoked, kept.success, len(kept.steps)]


# --- cleaning up --------------------------------------------------------------------


@check
def a_session_is_closed_at_the_end_of_its_block():
    plan(ends("Closed."))
    with client.Session() as session:
        session.execute(type="goto", url=SHOP)
        client.Agent(session=session, max_steps=4).run(task="Nothing")
        during = session.status().status
    after = client.sessions.status(session.session_id)
    return [during, after.status, after.close_reason]


@check
def an_exception_in_the_block_closes_it_too():
    try:
        with client.Session() as session:
            raise KeyError("out")  # noqa: TRY301  (where it is raised is what this is about)
    except KeyError:
        after = client.sessions.status(session.session_id)
    return [after.status, after.close_reason]


@check
def agents_are_listed_and_found_by_their_id():
    plan(SEARCH, ends("Listed."))
    agent = client.Agent(session=shared)
    agent.run(task="Look for kettles", url=SHOP)
    listed = client.agents.list(only_active=False, page_size=5)
    by_id = client.Agent(agent_id=agent.agent_id)
    code = by_id.workflow.code(as_workflow=True)
    return {
        "newest": listed[0].agent_id == agent.agent_id,
        "active": len(client.agents.list()),
        "by_id": found(by_id.status()),
        "actions": [action["type"] for action in code.json_actions],
    }


@check
def the_code_of_an_agent_runs_again():
    plan(SEARCH, does({"type": "click", "id": "{{link 'Copper kettle'}}"}), ends("Open."))
    agent = client.Agent(session=shared)
    agent.run(task="Open the copper kettle", url=SHOP)
    code = agent.workflow.code(as_workflow=True).python_script
    scope = {"__name__": "recorded"}
    exec(compile(code, "recorded.py", "exec"), scope)  # noqa: S102  (it is the code that is judged)
    before = len(client.agents.list(only_active=False, page_size=100))
    scope["run"]()
    agents = len(client.agents.list(only_active=False, page_size=100)) - before
    return {"falls back": "client.AgentFallback(session" in code, "agents": agents}


with shared:
    tell_all()
