"""The second half of docs/workflows.md: a page that changed, editing, the notte target, what is kept, limits."""

import difflib
import json
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from notte_mcp.demo import pages
from notte_mcp.demo.stock import Product

if TYPE_CHECKING:
    from scripts.workflows_tried import Workshop

_BUTTON: Final = "<button>Order now</button>"
_LINK: Final = '<a href="/order?product={slug}&quantity=1">Go to the order form</a>'


def write_plan(path: Path) -> None:
    """What the scripted model answers when it is asked to mend the step."""
    click = {"type": "click", "id": "{{link 'Go to the order form'}}"}
    answers = [
        {"thought": "The order form is behind a link now.", "actions": [click]},
        {"actions": [{"type": "completion", "success": True, "answer": "The order form is open."}]},
    ]
    path.write_text(json.dumps({"answers": answers}), encoding="utf-8")


@contextmanager
def _changed(page: str, old: str, new: str) -> Generator[None]:
    """One of the shop's pages with other markup, as a site has it after a release."""
    before = getattr(pages, page)

    def after(item: Product, *rest: object) -> str:
        text = str(before(item, *rest))
        if old not in text:
            raise RuntimeError(f"the page has no {old}")
        return text.replace(old, new.format(slug=item.slug))

    setattr(pages, page, after)
    try:
        yield
    finally:
        setattr(pages, page, before)


async def page_changes(paper: "Workshop") -> None:
    """Healed, failed, mended by an agent."""
    paper.section(
        "When the page has changed",
        "Each element is kept with every locator that was unique when it was recorded. The shop calls its postal code “ZIP”:",
        "by role and name there is nothing any more, the next locator (the field's own id) finds it, and the step says so.",
    )
    with _changed("form", ">Postal code<", ">ZIP<"):
        await paper.call("notte_run_workflow", "", name="order")
    with _changed("one", _BUTTON, _LINK):
        paper.say(
            "Nothing is guessed. Then the button “Order now” gives way to a link with other words: no locator holds, the run",
            "stops there, and its session stays open at that page.",
        )
        await paper.call("notte_run_workflow", "", name="order")
        await paper.call(
            "notte_run_workflow",
            "`heal=true` gives the failed step, and no more, to an agent (here the scripted model). The run goes on behind"
            " it, and what the agent did is offered as a new version.",
            name="order",
            heal=True,
        )
        run = paper.facts.get("run_id", "")
        await paper.call(
            "notte_workflow_code",
            "It takes the place of nothing until it is saved.",
            id=run,
            target="playwright",
            save_as="order",
        )
        await paper.call("notte_run_workflow", "From now on it runs without an agent.", name="order")
    paper.say("`order@1` is still there for the old page.")


async def edit(paper: "Workshop") -> None:
    """A file of one's own."""
    paper.section(
        "Edit it",
        "The script is the end of the matter: a file that needs Playwright and nothing of this server. Here it is made to",
        "order as many as one wants, and to print the order's number.",
    )
    await paper.ask("notte_workflow_code", id="order@1", target="playwright")
    paper.code, paper.parameters = str(paper.facts["code"]), paper.facts["parameters"]
    edited = _edited(paper.code)
    (paper.folder / "order.py").write_text(edited, encoding="utf-8")
    lines = difflib.unified_diff(paper.code.splitlines(), edited.splitlines(), "recorded", "order.py", lineterm="", n=1)
    paper.lines += ["", "```diff", *lines, "```"]
    paper.run("", "order.py", "--name", "Grace Tea", "--quantity", "3")
    paper.say(f"The shop has it: {paper.ordered()}.")


def _edited(code: str) -> str:
    """The script with a quantity, and with the order's number printed."""
    order = '    page.get_by_role("button", name="Order now", exact=True).click()\n'
    quantity = '    page.get_by_role("spinbutton", name="Quantity", exact=True).fill(quantity)\n'
    number = '    print(page.get_by_role("status").inner_text())\n    return page\n'
    option = '    parser.add_argument("--name", '
    for old, new in (
        (order, quantity + order),
        ("    name: str,\n", "    quantity: str,\n    name: str,\n"),
        ("    return page\n", number),
        (option, f'    parser.add_argument("--quantity", default="1")\n{option}'),
        ("name=options.name,", "quantity=options.quantity,\n                name=options.name,"),
    ):
        if old not in code:
            raise SystemExit(f"the script has no {old!r} to edit")
        code = code.replace(old, new, 1)
    return code


async def notte(paper: "Workshop") -> None:
    """The Notte SDK."""
    paper.section(
        "The notte target",
        'The same steps for Notte\'s SDK (`options={"sdk": "1.9"}` for the older form), and as Notte\'s own JSON. It runs in',
        "Notte's cloud, or against `notte-mcp api` on this machine (see [Notte on both sides](notte.md)).",
    )
    await paper.ask("notte_workflow_code", id="order@1", target="notte")
    paper.code = str(paper.facts["code"])
    paper.excerpt("", "def run", "LOOKING")
    await paper.ask("notte_workflow_code", id="order@1", target="json")
    lines = str(paper.facts["code"]).splitlines()
    paper.lines += ["", '`target="json"` begins:', "", "```json", *lines[:24], "```"]


async def kept(paper: "Workshop") -> None:
    """What is recorded of an element."""
    paper.section(
        "What a workflow keeps",
        "Per step: the action, what was lifted out of it, where it led, what it sent, and every locator that was unique when",
        "it was recorded. Writers take the one that says most (test id, role and name, label, placeholder, text, CSS,",
        "XPath); a run tries the others, and believes those that say where an element stands only if role and name are the",
        "recorded ones. The step log has them all:",
    )
    await paper.ask("notte_read", uri=f"notte://sessions/{paper.recorded}/steps", max_tokens=20_000)
    found = [_target(line) for line in paper.last.splitlines() if line.startswith("{")]
    shown = {name: target for target in found for name in _SHOWN if target.get("name") == name}
    paper.lines += ["", "```json", *(json.dumps(shown[name], ensure_ascii=False) for name in _SHOWN), "```"]


_SHOWN: Final = ("Order now", "Postal code")


def _target(line: str) -> dict[str, Any]:
    """What a step of the log was aimed at, without its id of that day."""
    target: dict[str, Any] = json.loads(line).get("receipt", {}).get("target") or {}
    return {name: value for name, value in target.items() if name != "id"}


async def limits(paper: "Workshop") -> None:
    """What it does not do."""
    paper.section(
        "Limits",
        "- A workflow repeats what was done. It makes no decisions: a page that asks something new stops it.",
        "- An outcome that is not known (`outcome_unknown`), a captcha, or what only the Notte cloud can do is a comment or a",
        "  loud failure in the script, never left out in silence.",
        "- Effects are told by what the page sent while the step ran, and where nothing was seen to be sent, by what a button",
        '  is called. Something sent much later is not seen: look at the report of `verify="safe"` before `verify="run"`.',
        "- Waits come from what was seen (an address, a text, an element), never from a sleep; a recorded `wait` becomes a",
        "  comment.",
        "- A script's secrets have no default. Without them in the environment it ends before it has opened anything.",
        "- Sites that this project did not write are driven by `make foreign`: the exported scripts of Django's admin, a",
        "  Sphinx manual and a Swagger UI run there as files, and have to bring about what the recording did.",
    )
    await paper.call("notte_stop", "At the end:", all=True)


PARTS: Final = (page_changes, edit, notte, kept, limits)
