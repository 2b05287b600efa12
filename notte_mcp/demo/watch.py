"""The demo's second act: an agent places an order by itself, watched, paused, told something, and resumed.

Its model is the scripted one, which answers from `plan.json` instead of thinking; all
else is as with a provider's. The access code is not in its task: whoever watches types
it while the agent is paused, so that no model ever sees it.

Below: shop, talk. Above: drive.
"""

import json
from pathlib import Path
from typing import Any, Final

from notte_mcp.demo.shop import Shop
from notte_mcp.demo.talk import Answer, DemoFailed, Talk

PLAN: Final = Path(__file__).with_name("plan.json")
"""What the model answers, turn by turn; each answer takes it half a second."""

TASK: Final = "Order the red clay teapot for Ada Brew, ada@example.org, Kettle Lane 4, 3011 Bern, Switzerland; pick-up."
WISH: Final = "The access code is in its field. Please have it wrapped as a gift."

WAIT_S: Final = 30
"""Seconds that a wait for a step or for the end may take."""

ASKS: Final = 30
"""How often the agent is asked after, in each part of the act: it has some fifteen steps to take."""

LOG_TOKENS: Final = 900
"""What is read of the log: the pause, and what was done and said in it."""

FORM: Final = "Your order"
"""How the title of the page with the order's form begins."""


async def watch(talk: Talk, shop: Shop, access_code: str) -> str:
    """Let an agent order, and steer it on its way; gives its id. The server's model is that of `PLAN`.

    Raises:
        DemoFailed: it did not order what was asked for, or the access code stands where it must not.
    """
    print("\nSecond act: an agent places an order by itself. (Its model is a script: no key is needed.)")
    before = len(shop.orders)
    begun = await talk.call("give it the task", "notte_start", task=TASK, url=shop.url, wait_seconds=0)
    agent, session = begun.facts["agent_id"], begun.facts["session_id"]
    at_form = await _until_form(talk, agent)
    await talk.call("pause it there", "notte_steer", agent_id=agent, command="pause")
    paused = await _until_paused(talk, agent, at_form)
    await _act_meanwhile(talk, session, access_code)
    await talk.call("tell it so, and a wish", "notte_steer", agent_id=agent, command="message", text=WISH)
    await talk.call("let it go on", "notte_steer", agent_id=agent, command="resume")
    ended = await _until_ended(talk, agent, paused)
    log = f"notte://agents/{agent}/steps?after={paused}"
    pause = await talk.call("read of the pause in its log", "notte_read", uri=log, max_tokens=LOG_TOKENS)
    _read(pause, access_code)
    await talk.call("end the session", "notte_stop", id=session)
    _check(shop, before, ended)
    _sum_up(ended, talk)
    return str(agent)


# --- watching -----------------------------------------------------------------------


async def _until_form(talk: Talk, agent: str) -> int:
    """The number of the step that opened the order's form."""
    told = 0
    for _ in range(ASKS):
        seen = await talk.call("wait for its next step", "notte_status", id=agent, wait_seconds=WAIT_S, after_step=told)
        told = _steps(seen)
        if seen.facts["title"].startswith(FORM):
            return told
        if seen.facts["state"] != "running":
            raise DemoFailed(f"the agent is {seen.facts['state']} before its form: {seen.facts.get('answer')}")
    raise DemoFailed("the agent did not come to the order's form")


async def _until_paused(talk: Talk, agent: str, told: int) -> int:
    """The number of its last step, once it stands still: it finishes what it is at."""
    for _ in range(ASKS):
        seen = await talk.call("see that it stands still", "notte_status", id=agent, after_step=told)
        told = _steps(seen)
        if seen.facts["state"] == "paused":
            return told
    raise DemoFailed("the agent did not pause")


async def _act_meanwhile(talk: Talk, session: str, access_code: str) -> None:
    """What a person does who is needed in between."""
    form = await talk.call("look at its page meanwhile", "notte_observe", session_id=session)
    code = {"type": "fill", "id": form.id("Access code"), "value": access_code}
    await talk.call("type the access code for it", "notte_execute", session_id=session, actions=[code])


async def _until_ended(talk: Talk, agent: str, told: int) -> Answer:
    """How it stood at its end."""
    for _ in range(ASKS):
        purpose, wanted = "wait for its end", {"wait_seconds": WAIT_S, "until": "done", "after_step": told}
        seen = await talk.call(purpose, "notte_status", id=agent, **wanted)
        told = _steps(seen)
        if seen.facts["state"] != "running":
            return seen
    raise DemoFailed("the agent did not end")


def _steps(seen: Answer) -> int:
    """Print the steps that are new and done; the number of the last one."""
    for step in seen.facts["steps"]:
        if "success" in step:
            failed = "" if step["success"] else f" failed: {step.get('message', '')}"
            print(f"       {step['number']:>2} {step['actor']:<10}{step['action']}{failed}")
    last: int = seen.facts["last_step"]
    return last


# --- what came of it ------------------------------------------------------------------


def _read(log: Answer, access_code: str) -> None:
    """Print what was done and said in the pause, as the agent's log has it.

    Raises:
        DemoFailed: the caller's step is not told as such, or with the access code.
    """
    entries = [json.loads(line) for line in log.text.splitlines() if line.startswith("{") and line.endswith("}")]
    actors = [entry.get("actor") for entry in entries]
    if "assistant" not in actors:
        raise DemoFailed("the step that was done for the agent is not in its log")
    for entry in entries:
        if entry.get("event") in ("paused", "message", "resumed"):
            print(f"          {entry['event']} {entry['text']}".rstrip())
        elif entry.get("actor") == "assistant":
            print(f"       {entry['number']:>2} {entry['actor']:<10}{entry['receipt']['message']}")
    if access_code in log.text:
        raise DemoFailed("the access code stands in the agent's log")


def _check(shop: Shop, before: int, ended: Answer) -> None:
    """What the shop has on its books counts, not what the agent says of it."""
    facts = ended.facts
    if facts["state"] != "completed" or not facts["success"]:
        raise DemoFailed(f"the agent is {facts['state']} ({facts.get('reason')}): {facts.get('answer')}")
    if len(shop.orders) != before + 1:
        raise DemoFailed(f"the agent completed and the shop has {len(shop.orders) - before} new orders, not 1")
    order = shop.orders[-1]
    if order.number not in facts["answer"]:
        raise DemoFailed(f"the shop took order {order.number}, and the agent says: {facts['answer']}")
    if (order.product.slug, order.fields.get("name"), order.fields.get("gift")) != ("clay-teapot", "Ada Brew", "yes"):
        raise DemoFailed(f"the agent ordered something else: {order}")


def _sum_up(ended: Answer, talk: Talk) -> None:
    used: dict[str, Any] = ended.facts["usage"]
    tokens = f"{used['input_tokens']} tokens in, {used['output_tokens']} out"
    print(f"\nThe agent's answer: {ended.facts['answer']} (The shop has it on its books.)")
    print(f"It took {ended.facts['step_count']} steps, {used['model_calls']} questions to its model ({tokens}), and")
    print(f"{used['seconds']} s of work. Watching and steering it took {talk.calls} calls, {talk.tokens} tokens.")
