"""The first part of docs/agents.md: starting, waiting, states, watching, several at once, stopping. See `agents_tried`."""

import json
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

import anyio

if TYPE_CHECKING:
    from scripts.agents_tried import Desk

PRICE_TASK: Final = "What does the copper kettle cost?"
VISIT_TASK: Final = "Look at every kettle, and say which is the cheapest."


def search(words: str) -> dict[str, Any]:
    """An answer of the model: search the shop."""
    fill = {"type": "fill", "id": "{{searchbox 'Search products'}}", "value": words, "press_enter": True}
    return {"thought": f"Search for {words}.", "actions": [fill]}


def click(role: str, name: str, thought: str = "") -> dict[str, Any]:
    """An answer of the model: click on something."""
    actions = [{"type": "click", "id": f"{{{{{role} '{name}'}}}}"}]
    return {"thought": thought, "actions": actions} if thought else {"actions": actions}


def done(answer: str, *, success: bool = True) -> dict[str, Any]:
    """An answer of the model: complete."""
    return {"actions": [{"type": "completion", "success": success, "answer": answer}]}


PRICE: Final = (search("copper kettle"), done("{{word '89.'}} €"))
VISIT: Final = (
    search("kettle"),
    click("link", "Copper kettle", "The first one."),
    {"actions": [{"type": "go_back"}]},
    click("link", "Enamel kettle", "The second one."),
    {"actions": [{"type": "go_back"}]},
    click("link", "Gooseneck kettle", "The last one."),
    done("The enamel kettle, for 46.00 €."),
)


async def drivers(desk: "Desk") -> None:
    """Who decides the steps."""
    desk.section(
        "Who drives",
        'Somebody has to decide each step: the agent\'s `driver`. With `driver="assistant"` that is whoever called, step by',
        "step, with `notte_observe` and `notte_execute`; no key is needed, and the server still counts, limits, logs and ends",
        'the run. With `driver="model"` the server asks a model by itself. `auto`, the default, takes the model that is',
        "configured, and the assistant where there is none. (`notte`, an agent of the Notte cloud, is not reached by this",
        "version.) Record, log, limits and script are the same for all.",
    )
    desk.say(
        "**The assistant drives.** This server has no model. The start opens the page and says what to do next.", ""
    )
    async with desk.server("bare", NOTTE_MCP_MODEL=""):
        await desk.start(task=PRICE_TASK, url=desk.shop.url)
        box = desk.id("Search products") if '"Search products"' in desk.last else "I1"
        fill = {"type": "fill", "id": box, "value": "copper kettle", "press_enter": True}
        await desk.act("What is done in its session are its steps.", fill)
        await desk.call("notte_observe", "The price is text, so the page is read as such.", mode="page")
        completion = {"type": "completion", "success": True, "answer": "89.00 €"}
        await desk.act("A completion ends it.", completion, observe="none")
        await desk.call("notte_status", "And this is what is kept.", id=desk.agent)
    desk.say("**A model drives.** All that follows is done by a server with a model.")


async def run_and_wait(desk: "Desk") -> None:
    """One call from the task to the answer."""
    desk.section(
        "Run and wait",
        "For a task of a few steps: `wait_seconds` (45 at most, since hosts give a call up at 60) makes the start come back",
        "with the end. Look at `success` before `answer`. What takes longer is not lost: the answer then says `running`, and",
        "which call to make next.",
        "",
    )
    desk.plan(*PRICE)
    await desk.start(task=PRICE_TASK, url=desk.shop.url, wait_seconds=45)


async def start_then_wait(desk: "Desk") -> None:
    """Two calls, with time in between."""
    desk.section(
        "Start, then wait",
        "Without `wait_seconds` the start returns while the agent works, and the caller has its hands free. `notte_status`",
        'with `wait_seconds` and `until="done"` waits for the end; asked again, it waits again.',
        "",
    )
    desk.plan(*PRICE, delay_s=1)
    await desk.start(task=PRICE_TASK, url=desk.shop.url)
    await desk.call("notte_status", "Other work goes here; then:", id=desk.agent, wait_seconds=45, until="done")


async def without_blocking(desk: "Desk") -> None:
    """Several calls in flight on one connection."""
    desk.section(
        "Asynchronously",
        "Calls do not queue behind each other: a host (or a program that uses an MCP client) may have a wait in flight and go",
        "on. Waiting tells progress about once a second, so that the host sees that something is alive. Giving a wait up ends",
        "the wait and nothing else.",
        "",
    )
    desk.plan(*PRICE, delay_s=1.2)
    await desk.start_quietly(task=PRICE_TASK, url=desk.shop.url)
    told: list[str] = []

    async def tell(progress: float, total: float | None, message: str | None) -> None:
        told.append(f"progress {progress:.0f} of {total:.0f}: {message}")

    async def wait() -> None:
        wanted = {"id": desk.agent, "wait_seconds": 45, "until": "done"}
        result = await desk.client.call_tool("notte_status", wanted, progress_callback=tell)
        told.append(result.structured_content["answer"] if result.structured_content else "")

    async with anyio.create_task_group() as calls:
        calls.start_soon(wait)
        await anyio.sleep(0.2)
        await desk.call("notte_status", "Asked while the wait below is in flight:")
    call = f'notte_status {{"id": "{desk.agent}", "wait_seconds": 45, "until": "done"}}'
    desk.write("And the wait: its progress, and the `answer` it came back with.", call, "", *told)


async def states(desk: "Desk") -> None:
    """Where an agent can be."""
    desk.section(
        "States",
        "| state | meaning | what goes on from there |",
        "|---|---|---|",
        "| `running` | it works, or its caller does | `notte_status`, `notte_steer` |",
        "| `paused` | it stands still because it was told to | `resume`; act in its session meanwhile |",
        "| `needs_input` | it has a question | `answer` |",
        "| `stopping` | it finishes the action in flight | `notte_status` |",
        "| `completed` | it says that the task is done | read `answer` |",
        "| `failed` | `gave_up`, `loop`, `three_failures`, `malformed_answer`, `model_refused`, `model_error`, ... | read `answer` |",
        "| `stopped` | `max_steps`, `timeout`, `budget`, `user`, `session_stopped` | read `answer` |",
        "| `interrupted` | its server or its browser ended | restore the session, `resume` |",
        "",
        "Where the second column lists words, they are the `reason`. `success` is true for `completed` alone, and absent as",
        "long as there is no end.",
    )
    desk.part("Running", "The start of a longer task comes back like this.", "")
    desk.plan(*VISIT, delay_s=0.4)
    await desk.start(task=VISIT_TASK, url=desk.shop.url)
    desk.part("Completed", "The same agent, waited for. `after_step` leaves out the steps that are known already.", "")
    await desk.call("notte_status", id=desk.agent, wait_seconds=45, until="done", after_step=7)
    desk.part(
        "Failed",
        "An agent that cannot do its task says so with a completion of its own; `answer` is the reason. Ends that the rules",
        "bring (three failed actions in a row, the same action over and over on a page that does not change) say what was",
        "reached.",
        "",
    )
    desk.plan(search("samovar"), done("The shop sells no samovar.", success=False))
    await desk.start(task="Order a samovar.", url=desk.shop.url, wait_seconds=45)
    desk.plan({"actions": [{"type": "press_key", "key": "End"}]}, repeat_last=True)
    await desk.start("A model that goes in circles:", task="Order a samovar.", url=desk.shop.url, wait_seconds=45)
    desk.part(
        "Stopped: max_steps",
        "A step is one action (the first `goto` too; `completion` and `help` are free). The step that would exceed",
        "`max_steps` is not taken.",
        "",
    )
    desk.plan(*VISIT)
    await desk.start(task=VISIT_TASK, url=desk.shop.url, max_steps=4, wait_seconds=45)


async def status(desk: "Desk") -> None:
    """A look at any time."""
    desk.section(
        "Status",
        "A look costs nothing and never waits behind the agent's work: state, where it is, what it did, what it used. A step",
        "that is in flight has no `success` yet. Without an id, everything that the server has is listed.",
        "",
    )
    desk.plan(*VISIT, delay_s=1)
    await desk.start_quietly(task=VISIT_TASK, url=desk.shop.url)
    await desk.after(2)
    await desk.call("notte_status", id=desk.agent)
    await desk.call("notte_status", "All of them, the live ones first:")


async def live_log(desk: "Desk") -> None:
    """The log as a resource."""
    desk.section(
        "Live log",
        "`notte://agents/{id}/steps` is the log: a JSON object a line, a step once it has its outcome, and between the steps",
        "what else happened (started, thoughts, pauses, messages, the model's retries, the end). A line never changes, so that",
        "`?after=n` goes on where a reader stopped. `notte_read` gives the same to hosts that read no resources.",
        "",
    )
    desk.plan(*VISIT, delay_s=0.6)
    await desk.start_quietly(task=VISIT_TASK, url=desk.shop.url)
    await desk.after(3)
    await desk.resource("While it runs, from its third step on:", f"notte://agents/{desk.agent}/steps?after=2")
    await desk.until("completed")
    await desk.call(
        "notte_read", "At its end, by the tool:", uri=f"notte://agents/{desk.agent}/steps?after=8", max_tokens=600
    )


async def polling(desk: "Desk") -> None:
    """A loop of waits."""
    desk.section(
        "Polling",
        "A loop around one call, without a sleep: with `wait_seconds` the call itself waits for the next step, and",
        "`after_step` (each answer's `last_step`) makes it tell only what is new. `next` has the call ready.",
        "",
    )
    desk.plan(*PRICE, delay_s=0.8)
    await desk.start_quietly(task=PRICE_TASK, url=desk.shop.url)
    last, state = 0, "running"
    while state == "running":
        await desk.call("notte_status", "", id=desk.agent, wait_seconds=30, after_step=last)
        last, state = desk.facts["last_step"], desk.facts["state"]


async def parallel(desk: "Desk") -> None:
    """Three at once."""
    desk.section(
        "Several at once",
        "Each agent has a session of its own unless one is named, so that starting three is three calls. They may have",
        "different models (`model`). A session takes one agent at a time; a second one is refused and told who has it.",
        "",
    )
    found, calls = list[str](), list[str]()
    for kettle, price in (("copper", "89."), ("enamel", "46."), ("gooseneck", "72.")):
        model = desk.plan(search(f"{kettle} kettle"), done(f"{{{{word '{price}'}}}} €"), delay_s=1, name=kettle)
        wanted = {"task": f"What does the {kettle} kettle cost?", "url": desk.shop.url, "model": model}
        await desk.start_quietly(**wanted)
        found.append(desk.agent)
        calls.append(f"notte_start {json.dumps(wanted)}")
    desk.write("", *calls)
    await desk.call("notte_status", "All three at work, each in its session:")
    for agent in found:
        await desk.ask("notte_status", id=agent, wait_seconds=20, until="done")
        told = json.dumps({key: desk.facts[key] for key in ("state", "success", "answer")}, ensure_ascii=False)
        call = f'notte_status {{"id": "{agent}", "wait_seconds": 20, "until": "done"}}'
        desk.write("", call, "", told.replace("}", ", ...}"))


async def stopping(desk: "Desk") -> None:
    """The two ways to end one."""
    desk.section(
        "Stopping",
        "`notte_stop` with the agent's id lets the action in flight finish (for 2.5 s at most; its outcome is then unknown)",
        'and ends the agent; `mode="now"` does not wait. Either way the call is back within 4 s, and the session stays open,',
        "where the agent left it. Stopping the session ends its agent too. Stopping what has ended changes nothing.",
        "",
    )
    desk.plan(*VISIT, delay_s=1)
    await desk.start_quietly(task=VISIT_TASK, url=desk.shop.url)
    await desk.after(3)
    await desk.call("notte_stop", id=desk.agent)
    await desk.call("notte_observe", "Its session is open:", session_id=desk.session, max_tokens=300)


async def timeout(desk: "Desk") -> None:
    """A limit in seconds."""
    desk.section(
        "Timeout",
        "`timeout_seconds` (1800 unless told) holds for the whole agent, its retries included, and needs nobody who watches.",
        "",
    )
    desk.plan(*VISIT, delay_s=1)
    await desk.start(task=VISIT_TASK, url=desk.shop.url, timeout_seconds=3, wait_seconds=45)


PARTS: Final[Sequence[Callable[["Desk"], Awaitable[None]]]] = (
    drivers,
    run_and_wait,
    start_then_wait,
    without_blocking,
    states,
    status,
    live_log,
    polling,
    parallel,
    stopping,
    timeout,
)
