"""What docs/notte.md says around its examples: the two sides, the tools on the cloud engine, code both ways, what is
different, and every endpoint. See `notte_tried`."""

from typing import TYPE_CHECKING, Final

from notte_mcp.api.contract import CONTRACT
from scripts.notte_examples import LIFECYCLE, NEWER, OPEN, ends

if TYPE_CHECKING:
    from scripts.notte_tried import Counter

HEAD: Final = """\
# Notte on both sides

Two things, which have the contract of Notte's HTTP and WebSocket API in common:

- **The cloud engine.** With `NOTTE_API_KEY` in the environment of the MCP server, `session={"engine": "notte"}` gives a
  session whose browser is in Notte's cloud. The same tools drive it; what was a local session's is a cloud session's.
- **The local API.** `notte-mcp api` serves that contract in front of the browsers of this machine, so that scripts
  written for Notte's SDK run here, with no account and no cloud.

Each judges the other: below, Notte's own SDKs (1.9.7, the last one with agents, and 1.10.0) run against the local API,
and then the MCP tools run on the cloud engine, whose cloud is that API. Nothing below was made against the real cloud.

## Set-up

For the local API (from a checkout; the extras are what it serves with, and what its agents' model needs):

```sh
pip install '.[api,agents,video]'
notte-mcp api                                 # serves, and says where; it makes a key, and --show-key prints it
export NOTTE_API_URL=http://127.0.0.1:8788    # in the script's shell: what the SDK asks for
export NOTTE_API_KEY=$(notte-mcp api --show-key)
python your_script.py
```

Its agents need a model: `NOTTE_MCP_MODEL` and the vendor's key, as for the agents of the MCP server.

For the cloud engine, in the environment of the MCP server (the `env` of your host's configuration):

```sh
NOTTE_API_KEY=...                             # from Notte's console; or the local API's key
NOTTE_API_URL=http://127.0.0.1:8788           # only if the cloud is another than Notte's
```

Every block below was printed by what it shows. `python -m scripts.notte_tried` runs it all on a real Chromium and the shop
of the demo; the agents' model is the scripted one, so that the page can be made again without a key. Ids, ports and times
are shortened."""

_DIFFERENT: Final = """\
- All elements of a page have ids, not only those in the viewport. A script that scrolls first finds the same.
- `session.page` and whatever else needs `cdp_url` is not served: browsers are driven through a pipe, which no other
  process can reach. `cdp_url` is null, and `ws.cdp` closes with the reason.
- `reasoning_model` is recorded, and the model that `notte-mcp` was configured with runs; without one an agent's start is
  a 422 that says so. A scripted model was configured for this page.
- Captcha solving, stealth, ad blocking and Notte's own proxies are not there. A start that asks for them begins all the
  same; the answer's header `x-notte-mcp-ignored` names what had no effect. What would make another thing of the session
  (a proxy in some country, a vault) is refused.
- `extra_http_headers` go with each request of the session's pages. `chrome_args` are among what has no effect: sessions
  share one browser, which has been started with its own arguments.
- `cdp_url` drives a browser of your own, which is left running; its user agent and window stay as they are, and where
  none answers the start is a 422.
- Sessions, their steps, files, films and agents are kept in the state folder of this machine, with those of the MCP
  server; `notte-mcp sessions` lists them, `notte-mcp replay` plays them.
- `debug_url` and `viewer_url` are the live view of this machine, where that is on.
- An SDK is answered in its own contract, by the version that it says with each request: one of 1.9 may send what older
  SDKs send, and is given agents' steps as it reads them; one of 1.10, and whoever says no version, is refused fields that
  are not of the contract, as by the cloud. `--contract 1.9` or `--contract 1.10` sets one for all.
- The file of a session is found by its name on upload; a replay is an MP4 where the extra `video` is installed."""

USED: Final = {
    "GET /agents": "a start whose answer was lost is looked for",
    "POST /agents/start": "driver `notte`",
    "GET /agents/{agent_id}": "status, and what the log did not tell",
    "DELETE /agents/{agent_id}/stop": "notte_stop",
    "GET /agents/{agent_id}/workflow/code": "the cloud's own script of it",
    "POST /sessions/start": "notte_start",
    "GET /sessions/{session_id}": "whether it lives, and why it ended",
    "DELETE /sessions/{session_id}/stop": "notte_stop",
    "GET /sessions/{session_id}/cookies": "names only, as a resource; a saved login whole",
    "POST /sessions/{session_id}/cookies": "a saved login",
    "GET /sessions/{session_id}/debug": "tabs, and the addresses of log and film",
    "GET /sessions/{session_id}/offset": "where an agent begins",
    "GET /sessions/{session_id}/steps": "what was done by others",
    "GET /sessions/{session_id}/replay": "notte_read, once it has ended",
    "GET /sessions/{session_id}/network/logs": "as a resource",
    "GET /sessions/{session_id}/workflow/code": "the cloud's own script, beside ours",
    "POST /sessions/{session_id}/page/observe": "notte_observe",
    "POST /sessions/{session_id}/page/execute": "notte_execute",
    "POST /sessions/{session_id}/page/scrape": "notte_scrape",
    "POST /sessions/{session_id}/page/screenshot": "pictures",
    "GET /sessions/{session_id}/files": "downloads",
    "POST /sessions/{session_id}/files": "uploads",
    "GET /sessions/{session_id}/files/{file_id}": "downloads",
    "GET /health": "`notte-mcp doctor`",
}
"""The endpoints that the cloud engine asks, and for what."""

_HOW: Final = {"served": "served", "mapped": "mapped", "absent": "no"}


# --- the local API ------------------------------------------------------------------


async def lifecycle(paper: "Counter") -> None:
    """Every example of Notte's page about agents."""
    paper.section(
        "The SDK with agents, 1.9.7, on this machine",
        "What Notte's documentation tells of an agent's life, in scripts of our own. Each begins with",
        "`from notte_sdk import NotteClient` and `client = NotteClient()`, and has nothing in it that names this machine",
        "but the shop's address.",
    )
    for example in LIFECYCLE:
        print("  ", example.title, flush=True)
        await paper.example(example)


async def newer(paper: "Counter") -> None:
    """Sessions with 1.10."""
    paper.section(
        "SDK 1.10.0 on this machine",
        "It has no agents any more; sessions, pages and files are its matter, and an async client.",
    )
    for example in NEWER:
        print("  ", example.title, flush=True)
        await paper.example(example)


# --- the cloud engine ----------------------------------------------------------------


async def tools(paper: "Counter") -> None:
    """A session, by the tools."""
    paper.section(
        "The tools on the cloud engine",
        "The MCP server, spoken to over stdio, with the key and the address of the API above in its environment.",
    )
    await paper.call("notte_start", "A session there.", session={"engine": "notte"}, url=paper.shop.url)
    paper.session = paper.facts["session_id"]
    await paper.ask("notte_observe")
    search = {"type": "fill", "id": paper.id("Search products"), "value": "kettle", "press_enter": True}
    await paper.act(
        "Ids are ours, and stay with their element for as long as it is there; the cloud's are counted anew by every look.",
        search,
    )
    await paper.act("", {"type": "click", "id": paper.id("Copper kettle")})
    await paper.call("notte_scrape", "")


async def agents(paper: "Counter") -> None:
    """An agent in the cloud."""
    paper.section("An agent in the cloud", "`driver` says who decides: here the cloud's agent, in the session above.")
    paper.plan(OPEN, ends("The copper kettle costs 89.00 €."), sdk="1.10")
    await paper.act("", {"type": "goto", "url": paper.shop.url})
    await paper.call(
        "notte_start", "", task="What does the copper kettle cost?", driver="notte", session_id=paper.session
    )
    paper.agent = paper.facts["agent_id"]
    await paper.call(
        "notte_status",
        "Its steps come over its log as they are done, and where that breaks off by asking for them; none is lost or"
        " told twice.",
        id=paper.agent,
        wait_seconds=30,
        until="done",
    )


async def code(paper: "Counter") -> None:
    """Scripts both ways."""
    paper.section(
        "Code, both ways",
        "What was done in any session (a local one or a cloud one) leaves as a script for Notte's SDK, too. What it waits for,",
        "and the end that it checks, it looks at by scripts within the page, so that it runs on either side.",
    )
    await paper.ask("notte_start", url=paper.shop.url)
    session = paper.facts["session_id"]
    await paper.ask("notte_observe", session_id=session)
    search = {"type": "fill", "id": paper.id("Search products"), "value": "kettle", "press_enter": True}
    await paper.ask("notte_execute", session_id=session, actions=[search])
    await paper.ask("notte_execute", session_id=session, actions=[{"type": "click", "id": paper.id("Copper kettle")}])
    await paper.ask("notte_scrape", session_id=session)
    for sdk in ("1.9", "1.10"):
        await paper.ask("notte_workflow_code", id=session, target="notte", options={"sdk": sdk})
        text = str(paper.facts["code"])
        while cursor := paper.facts.get("cursor"):
            await paper.ask("notte_workflow_code", cursor=cursor)
            text += paper.facts["code"]
        said = await paper.run(text, sdk)
        if sdk == "1.9":
            run = text[text.index("def run(") : text.index("LOOKING")].rstrip()
            paper.say("A session on this machine, as a script for 1.9 (its waits, which stand below `run`, left out):")
            paper.lines += ["", "```python", *run.splitlines(), "```"]
        paper.write(f"Run with that SDK ({sdk}) against the local API, it prints what it read:", *said)


async def stop(paper: "Counter") -> None:
    """The end."""
    await paper.call("notte_stop", "At the end:", all=True)


async def without_a_key(paper: "Counter") -> None:
    """What is said where there is no key."""
    await paper.call("notte_start", "Without a key nothing is sent anywhere:", session={"engine": "notte"})


SCRIPTS: Final = (lifecycle, newer)
TOOLS: Final = (tools, agents, code, stop)


# --- the rest ------------------------------------------------------------------------


def end(paper: "Counter") -> None:
    """What is different here, and the table."""
    paper.section("What is different on this machine", _DIFFERENT)
    counts = {how: sum(one.how == how for one in CONTRACT) for how in _HOW}
    paper.section(
        "Every endpoint",
        f"All {len(CONTRACT)} of the contract. `notte-mcp api` serves {counts['served']} as they are and maps"
        f" {counts['mapped']} to something of this",
        f"machine; {counts['absent']} answer 501 with the reason, since what they are about is in the cloud. The last column"
        " says what our",
        f"own client asks the endpoint for ({len(USED)} of them).",
        "",
        "| endpoint | here | how, or why not | the cloud engine |",
        "|---|---|---|---|",
    )
    for one in CONTRACT:
        called = USED.get(f"{one.method} {one.path}", "")
        paper.lines.append(f"| `{one.method} {one.path}` | {_HOW[one.how]} | {one.note} | {called} |")
    paper.say(
        "WebSockets: an agent's log, a session's log and its film (`…/debug/logs`, `…/debug/recording`) are served and used;",
        "`ws.cdp` is not.",
    )
