"""The second part of docs/agents.md: answers, failures, steering, restart. See `agents_tried`."""

import json
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

from scripts.agents_parts import PRICE, PRICE_TASK, VISIT, VISIT_TASK, click, done, search
from scripts.agents_tasks import tasks
from scripts.paper import spread

if TYPE_CHECKING:
    from scripts.agents_tried import Desk

SCHEMA: Final = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "euros": {"type": "number"}},
    "required": ["name", "euros"],
}
ORDER_TASK: Final = "Order the copper kettle for Ada Brew."
FORM: Final = (
    search("copper kettle"),
    click("link", "Copper kettle"),
    click("button", "Order now"),
)


def fill(name: str, value: str) -> dict[str, Any]:
    """An action of the model's answer."""
    return {"type": "fill", "id": f"{{{{textbox '{name}'}}}}", "value": value}


async def answers(desk: "Desk") -> None:
    """What an answer holds."""
    desk.section(
        "What an answer holds",
        "`notte_start` (once waited for), `notte_status` and `notte_stop` tell an agent alike:",
        "",
        "| field | meaning |",
        "|---|---|",
        "| `success` | whether the task was done; absent before the end |",
        "| `answer` | the answer as text, or why there is none |",
        "| `result` | the answer as a value, where a `response_schema` was given |",
        "| `steps`, `last_step`, `step_count` | steps of this answer, the last one told, and how many there are |",
        "| `agent_id`, `session_id` | what to ask for later, and where it worked |",
        "| `state`, `reason`, `question` | see [States](#states) |",
        "| `attempt` | which one, once there were [retries](#retries) |",
        "| `usage` | model calls, tokens in (of them cached) and out, US dollars where prices are known, seconds |",
        "| `next` | the call that is most likely wanted now |",
        "",
        "With `response_schema` (a JSON Schema) an answer that does not fit is refused, with the reason, and the agent may",
        "mend it. Here the model's first answer has the price as text:",
        "",
    )
    bad, good = '{"name": "Copper kettle", "euros": "89.00"}', '{"name": "Copper kettle", "euros": 89.0}'
    desk.plan(search("copper kettle"), done(bad), done(good))
    await desk.start(task=PRICE_TASK, url=desk.shop.url, response_schema=SCHEMA, wait_seconds=45)


async def steps(desk: "Desk") -> None:
    """A step in full."""
    desk.section(
        "Steps in detail",
        "In an answer a step is its number, who did it, the action in one line, and whether it worked (with the message where",
        "it did not). The log has all of it: the action's fields, and the receipt of what it really did.",
        "",
    )
    desk.plan(*PRICE)
    await desk.start_quietly(task=PRICE_TASK, url=desk.shop.url, wait_seconds=45)
    uri = f"notte://agents/{desk.agent}/steps?after=1"
    text = await desk.resource("Of its log from the second step on, the lines that are events:", uri, only='"event"')
    step = next(json.loads(line) for line in text.splitlines() if '"number":2,' in line.replace(" ", ""))
    desk.write("Between them stands the second step, here one key a line:", *spread(step))
    await desk.call(
        "notte_workflow_code",
        "What an agent did can be had as a script, like the steps of a session. It needs no model:",
        id=desk.agent,
        target="notte",
    )


async def degradation(desk: "Desk") -> None:
    """A failure is a place to go on from."""
    desk.section(
        "When it does not work",
        "A failed agent is an answer, not an error of the call: `success` is false, `answer` says what was reached, and the",
        "session is open where it stopped. So whoever called may go on by hand from there, start another agent with a",
        "narrower task in the same session, or leave it.",
        "",
    )
    desk.plan(search("copper kettle"), done("There is no button to order with.", success=False))
    await desk.start(task=ORDER_TASK, url=desk.shop.url, wait_seconds=45)
    await desk.call("notte_observe", "It looked at the wrong page. By hand, in its session:", session_id=desk.session)
    link = desk.id("Copper kettle")
    await desk.act("", {"type": "click", "id": link}, session_id=desk.session)
    desk.plan(click("button", "Order now"), done("The form is open."))
    await desk.start(
        "And on with another agent:", task="Open the order form.", session_id=desk.session, wait_seconds=45
    )


async def retries(desk: "Desk") -> None:
    """Again, in a fresh session."""
    desk.section(
        "Retries",
        "`retries` lets a failed agent begin anew, each time in a fresh session, after 1, 2, 4 ... seconds. It keeps its id; its",
        "log goes through all attempts, and so do `timeout_seconds` and the budgets. What would end the same is not tried again:",
        "a refused key, a spent budget, an end that was asked for.",
        "",
    )
    desk.plan(search("coper kettle"), done("Nothing was found.", success=False), *PRICE)
    await desk.start(task=PRICE_TASK, url=desk.shop.url, retries=2, wait_seconds=45)


async def fallback(desk: "Desk") -> None:
    """A batch that fails is handed to an agent."""
    desk.section(
        "Fallback",
        "`notte_execute` with `fallback_task` does its actions as ever. If one fails, an agent gets the task, in the same",
        "session, and is told what was done, what failed, and what was not begun. The answer says how it ended (or its id,",
        "where it is still at work). Where nothing fails, no model is asked.",
        "",
    )
    desk.plan(click("button", "Order now", "It is called otherwise here."), done("The order form is open."))
    batch: dict[str, Any] = {
        "actions": [
            {"type": "fill", "selector": "#quantity", "value": "2"},
            {"type": "click", "selector": "#add-to-cart", "timeout_ms": 500},
            {"type": "click", "selector": "#checkout"},
        ],
        "fallback_task": "Come to the order form for two copper kettles.",
    }
    page = desk.shop.url + "product/copper-kettle"
    await desk.ask("notte_start", url=page)
    await desk.call("notte_execute", **batch)
    desk.say("**Without a model** the caller is the fallback, and is shown the page:")
    async with desk.server("bare", NOTTE_MCP_MODEL=""):
        await desk.ask("notte_start", url=page)
        await desk.call("notte_execute", **batch)


async def steering(desk: "Desk") -> None:
    """Pause, message, answer, resume."""
    desk.section(
        "Steering",
        "`notte_steer` takes effect between steps: the action in flight is finished first. Each command is a line of the log.",
        "",
        "| command | what it does |",
        "|---|---|",
        "| `pause` | the agent stands still; its time limit does not |",
        "| `resume` | it goes on, from the page as it is then |",
        "| `message` | it reads `text` before its next step, paused or not |",
        "| `answer` | it goes on with `text` as the answer to its question |",
        "",
        "While it is paused, or waits for an answer, its session is the caller's: `notte_execute` works there, its steps are",
        "in the agent's log with `actor` `assistant`, and the agent is told of them. While it runs, a caller may look",
        "(`notte_observe`) and not act.",
    )
    desk.part("Pause, act, message, resume")
    rest = {"thought": "The name is there already.", "actions": [fill("City", "Bern")]}
    desk.plan(*FORM, rest, rest, done("The form has name and city."), delay_s=1)
    await desk.start_quietly(task="Fill in name and city of an order for the copper kettle.", url=desk.shop.url)
    await desk.after(4)
    await desk.act("While it runs, acting is refused:", {"type": "scroll_down"}, session_id=desk.session)
    await desk.call("notte_steer", "So it is paused.", agent_id=desk.agent, command="pause")
    await desk.until("paused")
    await desk.call("notte_observe", "Its page, meanwhile.", session_id=desk.session, find="Name")
    act = {"type": "fill", "id": desk.id("Name"), "value": "Ada Brew"}
    await desk.act("One step by hand.", act, session_id=desk.session)
    text = "The name is filled in; only the city is missing."
    await desk.call("notte_steer", "A word to it.", agent_id=desk.agent, command="message", text=text)
    await desk.call("notte_steer", "And on.", agent_id=desk.agent, command="resume")
    await desk.call(
        "notte_status", "Both have worked on it:", id=desk.agent, wait_seconds=30, until="done", after_step=4
    )
    await desk.resource("The log from the pause on:", f"notte://agents/{desk.agent}/steps?after=4")
    await _question(desk)


async def _question(desk: "Desk") -> None:
    desk.part(
        "Question and answer",
        "An agent that needs something only a person knows does `help`. It is then `needs_input`, every wait comes back at",
        "once, and `question` says what it wants.",
        "",
    )
    ask = {"actions": [{"type": "help", "value": "Which one: copper, enamel or gooseneck?"}]}
    desk.plan(search("kettle"), ask, search("copper kettle"), done("{{word '89.'}} €"))
    await desk.start(task="What does the kettle cost?", url=desk.shop.url, wait_seconds=45)
    await desk.call("notte_steer", "", agent_id=desk.agent, command="answer", text="The copper one.")
    await desk.call("notte_status", "", id=desk.agent, wait_seconds=30, until="done", after_step=3)


async def restart(desk: "Desk") -> None:
    """A server ends, another one goes on."""
    desk.section(
        "Restart and resume",
        "Every step is on disk before anyone is told of it. An agent whose server ended is `interrupted` for the next server",
        "with the same state folder, with its steps and its log. It goes on when it is told to, in two calls: restore its session",
        "(a new browser, the saved logins, the last address; no action is repeated), and resume it. It knows its history, is",
        "told that the browser is a new one, and looks before it acts. A step whose outcome nobody saw is `outcome_unknown`;",
        "it is never done again by itself.",
    )
    desk.plan(*VISIT, delay_s=1.5)
    async with desk.server("restart-state"):
        await desk.start_quietly(task=VISIT_TASK, url=desk.shop.url)
        await desk.after(3)
    desk.say("The server ended after the third step. Another one is asked:")
    async with desk.server("restart-state"):
        await desk.call("notte_status", id=desk.agent)
        await desk.call("notte_start", "Its session first.", session_id=desk.session)
        desk.plan(search("kettle"), *VISIT[3:])
        await desk.call("notte_steer", "Then the agent.", agent_id=desk.agent, command="resume")
        await desk.call(
            "notte_status", "It went on behind step 3.", id=desk.agent, wait_seconds=30, until="done", after_step=2
        )


PARTS: Final[Sequence[Callable[["Desk"], Awaitable[None]]]] = (
    answers,
    steps,
    degradation,
    retries,
    fallback,
    steering,
    tasks,
    restart,
)
