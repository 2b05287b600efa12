"""What docs/notte.md shows of Notte's SDKs: each example with what it is about, and what its agents answer.

In the code `SHOP` stands for the shop's address. Above: notte_tried.
"""

from dataclasses import dataclass
from typing import Any, Final, Literal


def does(*actions: dict[str, Any], thought: str = "Go on.") -> dict[str, Any]:
    """An answer of the scripted model: these actions."""
    return {"thought": thought, "actions": list(actions)}


def ends(answer: str, *, success: bool = True) -> dict[str, Any]:
    """An answer of the scripted model: the end."""
    return does({"type": "completion", "success": success, "answer": answer})


SEARCH: Final = does({"type": "fill", "id": "{{searchbox 'Search products'}}", "value": "kettle", "press_enter": True})
OPEN: Final = does({"type": "click", "id": "{{link 'Copper kettle'}}"})
PAUSE: Final = does({"type": "wait", "time_ms": 300}, thought="Wait for it.")


@dataclass(frozen=True, slots=True)
class Example:
    """A script. `answers` are its agents', each from the first on; `repeats` gives the last one for ever."""

    title: str
    why: str
    code: str
    answers: tuple[dict[str, Any], ...] = ()
    delay_s: float = 0.2
    repeats: bool = False
    sdk: Literal["1.9", "1.10"] = "1.9"


LIFECYCLE: Final = (
    Example(
        "Run",
        "Start, and block until it has ended. A failure is an answer as well, never an exception.",
        """\
with client.Session() as session:
    agent = client.Agent(session=session, max_steps=10)
    result = agent.run(task="Which copper kettle is there, and at what price?", url="SHOP")
    print("success" if result.success else "failure", "-", result.answer)
""",
        (SEARCH, OPEN, ends("The copper kettle costs 89.00 €.")),
    ),
    Example(
        "Start and wait",
        "`start` returns at once; what it is doing meanwhile is nobody's concern. `wait` of this SDK asks every ten seconds.",
        """\
with client.Session() as session:
    agent = client.Agent(session=session)
    begun = agent.start(task="Open the shop", url="SHOP")
    print(begun.status)
    print(sum(range(1_000)), "computed meanwhile")
    print(agent.wait().answer)
""",
        (ends("It is open."),),
    ),
    Example(
        "Async",
        "The log is a WebSocket, which the API serves: the end is known when it comes.",
        """\
async def look():
    with client.Session() as session:
        agent = client.Agent(session=session)
        agent.start(task="Look for kettles", url="SHOP")
        return await agent.async_watch_logs_and_wait(log=False)


print(asyncio.run(look()).answer)
""",
        (SEARCH, ends("Three kettles.")),
    ),
    Example(
        "States",
        "The contract knows `active` and `closed`; with `success`, `answer` and the number of steps these are running,"
        " completed, failed, and stopped at its bound.",
        """\
with client.Session() as session:
    agent = client.Agent(session=session, max_steps=2)
    agent.start(task="Look at every kettle", url="SHOP")
    now = agent.status()
    print("running:", now.status, now.success)
    result = agent.watch_logs_and_wait(log=False)
    print("stopped:", result.status, result.success, len(result.steps), "steps")
    print(result.answer.partition(". ")[0])
""",
        (SEARCH, OPEN, OPEN),
    ),
    Example(
        "Status",
        "At any time, by anybody who has the key.",
        """\
with client.Session() as session:
    agent = client.Agent(session=session)
    agent.start(task="Look for kettles", url="SHOP")
    time.sleep(1.5)
    status = agent.status()
    print(status.agent_id, status.status, len(status.steps), "steps", status.success)
    agent.stop()
""",
        (SEARCH, PAUSE),
        0.3,
        repeats=True,
    ),
    Example(
        "Live log",
        "Step by step as they come. Where the log ends without a result, `status` tells it.",
        """\
with client.Session() as session:
    agent = client.Agent(session=session)
    agent.start(task="Look for kettles", url="SHOP")
    result = agent.watch_logs(log=True) or agent.status()
    print(result.status, result.answer)
""",
        (SEARCH, ends("Seen.")),
    ),
    Example(
        "Polling",
        "Without a WebSocket.",
        """\
with client.Session() as session:
    agent = client.Agent(session=session)
    agent.start(task="Open the copper kettle", url="SHOP")
    told = 0
    while (status := agent.status()).status != "closed":
        if len(status.steps) > told:
            told = len(status.steps)
            print(told, "steps so far")
        time.sleep(0.05)
    print(status.answer)
""",
        (SEARCH, OPEN, ends("It is open.")),
        0.6,
    ),
    Example(
        "Side by side",
        "Each in a session of its own.",
        """\
async def one(name):
    with client.Session() as session:
        agent = client.Agent(session=session)
        agent.start(task=f"Is there a {name}?", url="SHOP")
        return await agent.async_watch_logs_and_wait(log=False)


async def main():
    return await asyncio.gather(*(one(name) for name in ("kettle", "teapot", "cup")))


results = asyncio.run(main())
print([result.answer for result in results], len({result.session_id for result in results}), "sessions")
""",
        (SEARCH, ends("Yes.")),
    ),
    Example(
        "Stop",
        "An action that has begun is finished first. The session stays.",
        """\
with client.Session() as session:
    agent = client.Agent(session=session)
    agent.start(task="Wait for a miracle", url="SHOP")
    agent.stop()
    after = agent.status()
    print(after.status, after.success, "-", session.status().status)
""",
        (PAUSE,),
        0.1,
        repeats=True,
    ),
    Example(
        "A time limit",
        "Giving up the wait stops the agent: the SDK does that.",
        """\
async def limited(agent, seconds):
    async with asyncio.timeout(seconds):
        agent.start(task="Wait for a miracle", url="SHOP")
        return await agent.async_watch_logs_and_wait(log=False)


with client.Session() as session:
    agent = client.Agent(session=session)
    try:
        asyncio.run(limited(agent, 2))
    except TimeoutError:
        print("too late;", agent.status().status)
""",
        (PAUSE,),
        0.1,
        repeats=True,
    ),
    Example(
        "What comes back",
        "The answer's fields, and each step as `action`, `success` and `message`.",
        """\
with client.Session() as session:
    result = client.Agent(session=session).run(task="Open the copper kettle", url="SHOP")
    print(result.success, result.answer, len(result.steps), result.agent_id, result.session_id)
    for number, step in enumerate(result.steps, 1):
        print(number, step["action"]["type"], step["success"], "-", step["message"])
""",
        (SEARCH, OPEN, ends("It is open.")),
    ),
    Example(
        "An answer of a given form",
        "A pydantic model; the answer is JSON of it.",
        """\
class Kettle(BaseModel):
    name: str
    price: float


with client.Session() as session:
    agent = client.Agent(session=session)
    result = agent.run(task="Which kettle is there?", url="SHOP", response_format=Kettle)
    print(Kettle.model_validate_json(result.answer))
""",
        (SEARCH, ends('{"name": "Copper kettle", "price": 89.0}')),
    ),
    Example(
        "Failure, and another try",
        "The next try has a fresh session.",
        """\
for attempt in range(3):
    with client.Session() as session:
        result = client.Agent(session=session).run(task="Buy a boat", url="SHOP")
    print("attempt", attempt + 1, result.success, "-", result.answer)
    if result.success:
        break
    time.sleep(0.1 * 2**attempt)
else:
    print("Given up; somebody should look at it.")
""",
        (ends("No boats are sold here.", success=False),),
    ),
    Example(
        "Agent fallback",
        "Actions first; an agent only where one fails. What was to follow in the block is left to it.",
        """\
with client.Session() as session:
    session.execute(type="goto", url="SHOPproduct/copper-kettle")
    with client.AgentFallback(session, task="Open the order form") as block:
        session.execute(type="fill", selector="#quantity", value="2")
        session.execute(type="click", selector="#add-to-cart", timeout=500)
        session.execute(type="click", selector="#checkout")
    print(block.success, [step.success for step in block.steps], block.agent_response.answer)
    print(session.observe().metadata.url)
""",
        (does({"type": "click", "id": "{{button 'Order now'}}"}), ends("The form is open.")),
    ),
    Example(
        "One after the other",
        "Agents on one session go on where the last one ended; the block's end closes the session.",
        """\
with client.Session() as session:
    agent = client.Agent(session=session)
    print(agent.run(task="Look for kettles", url="SHOP").answer)
    print(agent.run(task="And again").answer)
    during = session.status().status
print(during, "->", client.sessions.status(session.session_id).status)
""",
        (SEARCH, ends("Looked.")),
    ),
)
"""An agent's life, in the order of Notte's page about it."""

NEWER: Final = (
    Example(
        "A session",
        "Observe, act by the ids that were observed, read. The ids are Notte's: counted anew by every look.",
        """\
with client.Session(viewport_width=1280, viewport_height=800) as session:
    session.execute(type="goto", url="SHOP")
    seen = session.observe()
    print("\\n".join(seen.space.description.splitlines()[:7]))
    session.execute(type="fill", id="I1", value="kettle", press_enter=True)
    session.execute(type="click", selector='role=link[name="Copper kettle"]')
    print(session.observe().metadata.title)
    print(session.scrape(only_main_content=True).splitlines()[0])
""",
        sdk="1.10",
    ),
    Example(
        "Several at once",
        "`AsyncNotteClient`.",
        """\
async def title(client, name):
    async with client.Session() as session:
        await session.execute(type="goto", url=f"SHOPproduct/{name}")
        return (await session.observe()).metadata.title


async def main():
    async with AsyncNotteClient() as client:
        return await asyncio.gather(*(title(client, name) for name in ("mint-tea", "glass-teapot")))


print(asyncio.run(main()))
""",
        sdk="1.10",
    ),
    Example(
        "Errors",
        "A failed action raises what it was; a body with a field that is not of the contract is refused.",
        """\
with client.Session() as session:
    session.execute(type="goto", url="SHOP")
    session.observe()
    for wrong in ({"type": "click", "id": "B99"}, {"type": "switch_tab", "tab_index": 9}):
        try:
            session.execute(**wrong)
        except Exception as error:
            print(type(error).__name__, "-", str(error).splitlines()[0][:90])
try:
    client.Session(shape="round").start()
except Exception as error:
    print(str(error)[:110])
""",
        sdk="1.10",
    ),
    Example(
        "Cookies, scripts, requests of the page",
        "",
        """\
with client.Session() as session:
    session.execute(type="goto", url="SHOP")
    session.set_cookies(
        cookies=[{"name": "tea", "value": "green", "domain": "127.0.0.1", "path": "/", "httpOnly": False}]
    )
    print(session.evaluate_js("document.cookie"), [one["name"] for one in session.get_cookies()])
    print(session.fetch("SHOPproduct/mint-tea").status_code)
""",
        sdk="1.10",
    ),
    Example(
        "Replay and code",
        "After the end: the film as an MP4, and the session as a script.",
        """\
with client.Session() as session:
    session.execute(type="goto", url="SHOP")
    session.execute(type="click", selector='role=link[name="Copper kettle"]')
replay = session.replay(poll_interval=1)
replay.download("replay.mp4")
print(Path("replay.mp4").read_bytes()[4:8])
code = client.sessions.get_session_script(session.session_id, as_workflow=False)
print(code.python_script)
""",
        sdk="1.10",
    ),
)
"""What SDK 1.10 has, which has no agents."""
