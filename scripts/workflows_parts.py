"""The first half of docs/workflows.md: doing it once, taking the script, proving it. See `workflows_tried`."""

from typing import TYPE_CHECKING, Final

from scripts.workflows_tried import ACCESS_CODE

if TYPE_CHECKING:
    from scripts.workflows_tried import Workshop

TEXTS: Final = {
    "Name": "Ada Brew",
    "E-mail": "ada@example.org",
    "Street and number": "Kettle Lane 4",
    "Postal code": "3011",
    "City": "Bern",
    "Access code": ACCESS_CODE,
}


async def author(paper: "Workshop") -> None:
    """Start, observe, execute: an order is placed."""
    paper.section(
        "Do it once",
        "The job is an order in a shop. It is done once, call by call; ids come from what the server showed, never from",
        "memory. The first call opens the page and shows it.",
    )
    await paper.call("notte_start", "", url=paper.shop.url)
    paper.session = paper.recorded = paper.facts["session_id"]
    search = {"type": "fill", "id": paper.id("Search products"), "value": "kettle", "press_enter": True}
    await paper.act("Search. The answer says what was done and what the page shows now.", search)
    await paper.act("Look into one: the wrong one, as it happens.", {"type": "click", "id": paper.id("Enamel kettle")})
    await paper.act("Back, and into the right one.", {"type": "go_back"})
    await paper.act("", {"type": "click", "id": paper.id("Copper kettle")})
    await paper.act("To the order form.", {"type": "click", "id": paper.id("Order now")})
    fills = [{"type": "fill", "id": paper.id(name), "value": text} for name, text in TEXTS.items()]
    await paper.act(
        "The whole form in one call, its last action the submit. The access code goes into a password field, so it is"
        " a secret from here on.",
        *fills,
        {"type": "select_dropdown_option", "id": paper.id("Country"), "value": "Switzerland"},
        {"type": "check", "id": paper.id("Express (11.90 €)")},
        {"type": "check", "id": paper.id("I accept the terms of sale")},
        {"type": "click", "id": paper.id("Place order")},
    )
    paper.say(f"The shop has it: {paper.ordered()}.")


async def take(paper: "Workshop") -> None:
    """Each target."""
    paper.section(
        "Take the script",
        "`target` says in whose language: `playwright` (a program), `pytest` (a test), `notte` (the Notte SDK) or `json`",
        "(Notte's actions). What was typed is a parameter with the recorded value as its default; the access code is",
        "read from the environment. The look into the wrong kettle and the way back are gone.",
    )
    await paper.script("", target="playwright")
    paper.excerpt("The steps, which are what one reads and edits:", "def run(", "def ")
    paper.excerpt("What it takes:", "def arguments(", "def ")
    await paper.script(
        "The same as a test for pytest-playwright; the recorded values are its first row.", target="pytest"
    )
    paper.excerpt("", "@pytest.mark.parametrize", "def shown")
    paper.say("For Notte's SDK see [below](#the-notte-target).")


async def verify(paper: "Workshop") -> None:
    """Safe, then run."""
    paper.section(
        "Prove it",
        "A script that was never run is a guess. `verify` does the steps again in a fresh browser session and compares the",
        'end. `verify="safe"` stops before the first step that may repeat an effect outside, and says so: `verified` stays',
        "null. It is careful: a button that is called like an order counts as one.",
    )
    before = len(paper.shop.orders)
    await paper.script("", target="playwright", verify="safe")
    paper.say(f"The shop has {len(paper.shop.orders) - before} new orders.")
    await paper.script(
        '`verify="run"` does it all: the steps in a session of their own, then the script itself, as a process with a'
        " deadline and no secrets but those that it names. The code that comes back says in its header when it was"
        " verified.",
        target="playwright",
        verify="run",
        save_as="order",
    )
    paper.excerpt("Its header:", '"""', "import")
    paper.say(
        f"The shop has {len(paper.shop.orders) - before} new orders: one by the steps, one by the script. `save_as` has",
        "kept the workflow by name, with what was found.",
    )


async def run_again(paper: "Workshop") -> None:
    """A saved workflow, other parameters."""
    paper.section(
        "Run it again",
        "A saved workflow runs by name with other parameters, in a fresh session and with no model. Secrets that were typed",
        "in a session are known while that is live; otherwise they come from the server's environment, by the name that the",
        "script says, or with the parameters.",
    )
    others = {"name": "Grace Tea", "street_and_number": "Leaf Road 9", "postal_code": "4051", "city": "Basel"}
    await paper.call("notte_run_workflow", "", name="order", parameters=others)
    paper.say(f"The shop has it: {paper.ordered()}.")
    await paper.call("notte_run_workflow", "A parameter that there is not.", name="order", parameters={"town": "Basel"})
    await paper.call("notte_run_workflow", "A name that there is not.", name="oder")
    await paper.call("notte_read", "What is kept:", uri="notte://workflows")
    paper.say(
        "`wait_seconds` (45 at most) bounds the wait, not the run: what takes longer answers with its `run_id`, and",
        "`notte_status(id=...)` waits on, `notte_stop(id=...)` ends it.",
    )


PARTS: Final = (author, take, verify, run_again)
