"""A session on the test site, seen through: what the tests of observation share."""

from typing import Any

import anyio

from notte_mcp import actions as a
from notte_mcp import page_text
from notte_mcp.engines.base import BrowserSession, ObserveRequest
from notte_mcp.observations import Changes, Mode, Node, Observation
from notte_mcp.receipts import Receipt
from tests.site import Site


class Eye:
    """A session that looks, numbering its views, and does what a test needs done."""

    def __init__(self, session: BrowserSession, site: Site) -> None:
        self.session = session
        self.site = site
        self.view = 0

    async def go(self, path: str) -> Receipt:
        """Open a page of the site."""
        url = path if path.startswith("http") else self.site.url(path)
        return await self.do(a.Goto(url=url), timeout_ms=18_000)

    async def do(self, action: a.Action, *, timeout_ms: int = 8_000) -> Receipt:
        """An action that must succeed."""
        with anyio.fail_after(20):
            receipt = await self.session.perform(action, timeout_ms=timeout_ms)
        assert receipt.success, receipt.message
        return receipt

    async def run(self, code: str) -> Any:
        """Run a script in the page."""
        return (await self.do(a.EvaluateJs(code=code))).data

    async def look(self, mode: Mode = "actions", **asked: Any) -> Observation:
        """A view of the page."""
        self.view += 1
        asked = {"max_tokens": 4_000} | asked
        with anyio.fail_after(20):
            return await self.session.observe(ObserveRequest(self.view, mode, **asked))

    async def changes(self, since: int) -> Changes:
        """What changed since a view of the same document."""
        seen = await self.look("changes", since=since)
        assert seen.changes is not None, seen.note
        return seen.changes

    async def click(self, seen: Observation, name: str) -> Receipt:
        """Click the one element of this name."""
        return await self.do(a.Click(id=id_of(seen, name)))

    async def out(self) -> str:
        """What the page says of itself in `#out`."""
        return await self.run("document.getElementById('out').textContent")

    async def pages(self, first: Observation, **asked: Any) -> list[Observation]:
        """A view and all that its cursors lead to."""
        found = [first]
        while (cursor := found[-1].cursor) is not None:
            found.append(await self.look(cursor=cursor, **asked))
        return found


def elements(*seen: Observation) -> list[Node]:
    """The elements of views, in order."""
    return [node for view in seen for node in view.nodes if node.kind == "element"]


def names(*seen: Observation) -> list[str]:
    """Their names."""
    return [node.name for node in elements(*seen)]


def named(seen: Observation, name: str) -> Node:
    """The one element of this name."""
    found = [node for node in elements(seen) if node.name == name]
    assert len(found) == 1, (name, names(seen))
    return found[0]


def id_of(seen: Observation, name: str) -> str:
    """Its id."""
    found = named(seen, name).id
    assert found is not None
    return found


def body(seen: Observation) -> str:
    """A view as it is given out, without its header and footer."""
    return "\n".join(page_text.view(seen).split("\n")[1:-2])


def told(nodes: tuple[Node, ...]) -> list[str]:
    """Elements and texts as `role name`, groups left out."""
    return [f"{node.role} {node.name}" for node in nodes if node.kind != "group"]
