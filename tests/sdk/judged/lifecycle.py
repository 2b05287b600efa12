"""An agent's life with SDK 1.9.7: each thing that Notte's page on it shows, in our own words."""

import asyncio
import time

from notte_sdk import NotteClient
from telling import SEARCH, SHOP, check, does, ends, plan, tell_all

client = NotteClient()
shared = client.Session()
"""Agents follow each other on it, wherever a session of their own is not what a check is about."""

SLOW = does({"type": "wait", "time_ms": 300}, thought="Wait for it.")


def found(result) -> list:
    return [result.success, result.answer, result.status]


def waited(agent):
    """The end of an agent. `wait` asks every ten seconds, so it is called when there is nothing left to wait for."""
    while agent.status().status != "closed":
        time.sleep(0.1)
    return agent.wait()


# --- ways to run it -----------------------------------------------------------------


@check
def run_blocks_until_the_end():
    plan(SEARCH, ends("Two kettles."))
    with client.Session() as session:
        agent = client.Agent(session=session, max_steps=10)
        result = agent.run(task="Look for kettles", url=SHOP)
        same = [result.agent_id == agent.agent_id, result.session_id == session.session_id]
        return {"found": found(result), "same": same, "steps": [step["action"]["type"] for step in result.steps]}


@check
def start_returns_at_once_and_wait_waits():
    plan(SEARCH, ends("There."), delay_s=0.3)
    agent = client.Agent(session=shared)
    begun = agent.start(task="Look for kettles", url=SHOP)
    running = agent.status()
    return {"begun": begun.status, "running": [running.status, running.success], "found": found(waited(agent))}


@check
def async_watching_gives_the_end():
    plan(SEARCH, ends("Watched."))

    async def watched():
        with client.Session() as session:
            agent = client.Agent(session=session)
            agent.start(task="Look for kettles", url=SHOP)
            return await agent.async_watch_logs_and_wait()

    return found(asyncio.run(watched()))


@check
def agents_run_side_by_side_in_sessions_of_their_own():
    plan(SEARCH, ends("Found one of the three."), delay_s=0.1)

    async def one(task):
        with client.Session() as session:
            agent = client.Agent(session=session)
            agent.start(task=task, url=SHOP)
            return await agent.async_watch_logs_and_wait()

    async def all_of_them():
        return await asyncio.gather(*(one(task) for task in ("First", "Second", "Third")))

    results = asyncio.run(all_of_them())
    return {"found": [found(r) for r in results], "sessions": len({r.session_id for r in results})}


@check
def agents_follow_each_other_on_one_session():
    plan(SEARCH, ends("First."))
    first = client.Agent(session=shared).run(task="Look for kettles", url=SHOP)
    plan(does({"type": "click", "id": "{{link 'Copper kettle'}}"}), ends("Second."))
    again = client.Agent(session=shared)
    second = again.run(task="Open the copper one")
    plan(ends("Third."))
    third = again.run(task="Nothing more")
    where = shared.observe().metadata.url
    return {"answers": [first.answer, second.answer, third.answer], "where": where.removeprefix(SHOP)}


# --- states -------------------------------------------------------------------------


@check
def completed_and_failed_differ_by_success():
    agent = client.Agent(session=shared)
    plan(ends("Done."))
    agent.start(task="Nothing")
    done = waited(agent)
    plan(ends("No such thing is sold here.", success=False))
    agent.start(task="Buy a boat")
    return {"completed": found(done), "failed": found(waited(agent))}


@check
def its_steps_are_bounded():
    plan(
        does({"type": "scroll_down", "amount": 100}), does({"type": "scroll_up", "amount": 100}), SEARCH, SEARCH, SEARCH
    )
    result = client.Agent(session=shared, max_steps=4).run(task="Something long", url=SHOP)
    return {"success": result.success, "told": "limit of 4 steps" in result.answer, "steps": len(result.steps)}


# --- watching it --------------------------------------------------------------------


@check
def its_status_can_be_asked_at_any_time():
    plan(SEARCH, SLOW, ends("Asked."), delay_s=0.2)
    agent = client.Agent(session=shared)
    agent.start(task="Take your time", url=SHOP)
    states, lengths = set(), []
    while (status := agent.status()).status != "closed":
        states.add((status.status.value, status.success, status.answer))
        lengths.append(len(status.steps))
        time.sleep(0.1)
    grew = lengths == sorted(lengths) and lengths[-1] > lengths[0]
    return {"id": status.agent_id == agent.agent_id, "states": sorted(states), "grew": grew, "found": found(status)}


@check
def its_log_streams_until_the_end():
    plan(SEARCH, ends("Streamed."), delay_s=0.2)
    agent = client.Agent(session=shared)
    agent.start(task="Look for kettles", url=SHOP)
    status = agent.watch_logs(log=True)
    return {"streamed": status is not None, "found": found(status or agent.status())}


# --- ending it ----------------------------------------------------------------------


@check
def it_can_be_stopped():
    plan(SLOW, delay_s=0.1, repeat_last=True)
    agent = client.Agent(session=shared)
    agent.start(task="For ever", url=SHOP)
    agent.stop()
    status = agent.status()
    return {"found": [status.status, status.success], "session": shared.status().status}


@check
def a_time_limit_around_the_wait_stops_it():
    plan(SLOW, delay_s=0.1, repeat_last=True)

    async def limited(agent):
        try:
            async with asyncio.timeout(1.5):
                agent.start(task="For ever", url=SHOP)
                return await agent.async_watch_logs_and_wait()
        except TimeoutError:
            return "timed out"

    agent = client.Agent(session=shared)
    ended = asyncio.run(limited(agent))
    status = agent.status()
    return [ended, status.status, status.success]


with shared:
    tell_all()
