"""The last part of docs/agents.md: models, limits, errors, good practice. See `agents_tried`."""

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Final

from scripts.agents_parts import PRICE, PRICE_TASK, VISIT, VISIT_TASK
from tests.models.server import ModelServer

if TYPE_CHECKING:
    from scripts.agents_tried import Desk


async def models(desk: "Desk") -> None:
    """Names, keys, addresses, retries."""
    desk.section(
        "Models",
        "The providers are an extra of this package, `notte-mcp[agents]`: from a checkout, `pip install '.[agents]'`. Then",
        "`NOTTE_MCP_MODEL` (or `model` in the configuration file) names the model that drives agents; `model` of `notte_start`",
        "names another one for one agent.",
        "",
        "| name | API | key and address |",
        "|---|---|---|",
        "| `anthropic:claude-sonnet-4-5` | Anthropic's Messages | `ANTHROPIC_API_KEY`, `ANTHROPIC_BASE_URL` |",
        "| `openai:gpt-5` | OpenAI's Responses; with a base URL, Chat Completions | `OPENAI_API_KEY`, `OPENAI_BASE_URL` |",
        "| `openai-chat:...`, `openai-responses:...` | that one, whatever the address | the same |",
        "| `google:gemini-2.5-flash` | Gemini | `GOOGLE_API_KEY` or `GEMINI_API_KEY` |",
        "| `ollama:qwen3` | Chat Completions of a local Ollama | `OLLAMA_BASE_URL` |",
        "| `scripted:/path/to/plan.json` | none: it answers from a file | none |",
        "",
        "The keys keep their vendors' own names; the same behind `NOTTE_MCP_` goes first. A server at `OPENAI_BASE_URL` needs a",
        "key only if it asks for one. A key is in no answer, log or error.",
        "",
        "Each turn is one request: the task, the steps so far in short, and the page as it is now (2,000 tokens at most); old",
        "pages are not kept. `use_vision=true` adds a picture. What is stable stands first, so that a provider's cache",
        "hits. The clients' own retries are off. Ours: a rate limit, an error of the server, a broken answer or no answer",
        "within 120 s is followed by up to three more requests, after what `Retry-After` says (30 s at most), else 1, 2, 4 s,",
        "each of them a line of the log. A refused key or request is the end at once. An answer that is no turn is sent back",
        "with what was wrong, twice at most.",
    )
    answer = {"actions": [{"type": "completion", "success": True, "answer": "A shop for tea things."}]}
    with ModelServer([answer]) as provider:
        provider.then("503")
        settings = {"OPENAI_API_KEY": "sk-not-a-real-key", "OPENAI_BASE_URL": provider.openai_url}
        async with desk.server("provider", NOTTE_MCP_MODEL="openai:gpt-5", **settings):
            desk.say("A provider (of the tests, on loopback) that is down once:", "")
            await desk.start(task="What is sold here?", url=desk.shop.url, wait_seconds=45)
            await desk.resource("", f"notte://agents/{desk.agent}/steps?after=1")
            provider.then("401")
            await desk.start(
                "And one that refuses the key:", task="What is sold here?", url=desk.shop.url, wait_seconds=45
            )
    desk.plan(*PRICE)
    desk.say(
        "**The scripted model** is for trying things out, tests and demonstrations. Its file holds the answers in order; as",
        "ids are not known beforehand, elements are named by role and name, and words of the page by how they begin:",
        "",
    )
    desk.write("", (desk.folder / "plan.json").read_text(encoding="utf-8"))


async def limits(desk: "Desk") -> None:
    """What always holds."""
    desk.section(
        "Limits and budgets",
        "| limit | default | how it ends |",
        "|---|---|---|",
        "| `max_steps` | 20 (1,000 at most), for each attempt | `stopped`, `max_steps` |",
        "| `timeout_seconds` | 1,800 (a day at most), for all attempts | `stopped`, `timeout` |",
        "| `max_tokens_spent` | none; in and out, for all attempts | `stopped`, `budget` |",
        "| `max_usd` | none; holds where prices are known | `stopped`, `budget` |",
        "| `retries` | 0 (10 at most) | |",
        "| three failed actions in a row | | `failed`, `three_failures` |",
        "| the same action on an unchanged page | 3 times; waiting and scrolling 10 | `failed`, `loop` |",
        "| agents at once (`NOTTE_MCP_MAX_AGENTS`) | 16 | the start is refused |",
        "| `wait_seconds` | 0 (45 at most) | the call comes back, the agent goes on |",
        "",
        "A budget is looked at before each question to the model, so that the last answer may go beyond it.",
        "",
    )
    desk.plan(*VISIT)
    await desk.start(task=VISIT_TASK, url=desk.shop.url, max_tokens_spent=2_000, wait_seconds=45)


async def errors(desk: "Desk") -> None:
    """Each slip has its own sentence."""
    desk.section(
        "Errors",
        "An error says what was wrong, that nothing was done, and the call that mends it. (An agent that fails is none: see",
        "[When it does not work](#when-it-does-not-work).)",
    )
    async with desk.server("bare", NOTTE_MCP_MODEL="", OPENAI_API_KEY=""):
        await desk.call("notte_start", "No model, and one is asked for.", task=PRICE_TASK, driver="model")
        await desk.call("notte_start", "A model that no provider has.", task=PRICE_TASK, model="gpt5")
        await desk.call("notte_start", "No key.", task=PRICE_TASK, model="openai:gpt-5")
        await desk.call("notte_start", "The cloud's own agent.", task=PRICE_TASK, driver="notte")
    desk.plan(*VISIT, delay_s=1)
    odd = {"type": "objekt"}
    await desk.call("notte_start", "A schema that is none.", task=PRICE_TASK, response_schema=odd)
    await desk.call("notte_start", "An option of an agent, and no task.", url=desk.shop.url, max_steps=5)
    await desk.call("notte_start", "A wait that no host would sit through.", task=PRICE_TASK, wait_seconds=60)
    nobody = "agt_00000000000000000000000000"
    await desk.call("notte_status", "An agent that is not there.", id=nobody)
    await desk.start_quietly(task=VISIT_TASK, url=desk.shop.url)
    await desk.call("notte_start", "A second one in a session.", task=PRICE_TASK, session_id=desk.session)
    await desk.call(
        "notte_steer", "An answer, and no question.", agent_id=desk.agent, command="answer", text="Yes, please."
    )
    await desk.call("notte_steer", "A message without words.", agent_id=desk.agent, command="message")
    await desk.ask("notte_stop", id=desk.agent)
    await desk.call("notte_steer", "Steering what has ended.", agent_id=desk.agent, command="pause")


async def practice(desk: "Desk") -> None:
    """What has proved itself."""
    desk.section(
        "Good practice",
        "- **Choose how to wait by how long it takes.** A few steps: one start with `wait_seconds`. Many steps, or several",
        "  agents: start them all, then wait for each. Someone who watches: a loop with `after_step`. A page that needs",
        "  judgement at each step: drive it yourself.",
        "- **Look at `success` first.** `answer` is text in any case, and after a failure it is the reason.",
        "- **Ask for data by a schema**, and read `result`.",
        "- **Set `max_steps` to what the task needs**, and half as much again: a task of six steps gets ten. A budget beside it",
        "  costs nothing.",
        "- **Say in the task what is known**: address, names, values, where to stop. Secrets are better typed by a caller while",
        "  the agent is paused: no model sees them then.",
        "- **What works goes into a script** (`notte_workflow_code`), and needs no agent the next time.",
        "- **End what you began.** A session stays open after its agent for fifteen minutes; `notte_stop` with the session's id",
        "  closes it, and whatever agent has it:",
        "",
    )
    desk.plan(*PRICE)
    await desk.start_quietly(task=PRICE_TASK, url=desk.shop.url, max_steps=5, wait_seconds=45)
    await desk.call("notte_stop", id=desk.session)


PARTS: Final[Sequence[Callable[["Desk"], Awaitable[None]]]] = (
    models,
    limits,
    errors,
    practice,
)
