"""What `pages/names.html` says of itself is true: two judges that are not ours agree with its table."""

from collections.abc import AsyncIterator
from typing import Any, cast

import pytest
from playwright.async_api import Page

from tests.browsers import Browsers
from tests.site import Site

pytestmark = pytest.mark.anyio

_TABLE = """nodes => nodes.map(n => [n.dataset.role, n.dataset.name, n.dataset.chromium ?? n.dataset.name])"""
_AMONG = "(found, index) => found.includes(document.querySelectorAll('[data-name]')[index])"
_ROLES = {"image": "img"}
"""Chromium's word for a role, and ARIA's."""


@pytest.fixture(name="names")
async def _names(site: Site, browsers: Browsers) -> AsyncIterator[Page]:
    page = await (await browsers.home()).browser.new_page()
    await page.goto(site.url("/names.html"))
    yield page
    await page.close()


async def test_the_names_table_is_what_chromiums_tree_says(names: Page) -> None:
    """Source: Chromium's accessibility tree, read over CDP; its departures stand in data-chromium."""
    table: list[list[str]] = await names.eval_on_selector_all("[data-name]", _TABLE)
    cdp = await names.context.new_cdp_session(names)

    async def send(method: str, **params: Any) -> dict[str, Any]:
        return cast(dict[str, Any], await cdp.send(method, params))  # pyright: ignore[reportUnknownMemberType]

    root = (await send("DOM.getDocument", depth=0))["root"]["nodeId"]
    said: list[tuple[str, str]] = []
    for node in (await send("DOM.querySelectorAll", nodeId=root, selector="[data-name]"))["nodeIds"]:
        (tree,) = (await send("Accessibility.getPartialAXTree", nodeId=node, fetchRelatives=False))["nodes"]
        said.append((tree["role"]["value"], tree["name"]["value"]))

    expected = [(role or said[n][0], name) for n, (role, _, name) in enumerate(table)]
    assert len(table) > 60
    assert said == expected


async def test_the_names_table_is_what_playwright_finds_by(names: Page) -> None:
    """Source: Playwright's own rules, which the exported scripts' `get_by_role` goes by."""
    table: list[list[str]] = await names.eval_on_selector_all("[data-name]", _TABLE)
    missed: list[tuple[str, str]] = []
    for index, (role, name, _) in enumerate(table):
        if not role or not name:
            continue
        same = names.get_by_role(_ROLES.get(role, role), name=name, exact=True)  # pyright: ignore[reportArgumentType]
        if not await same.evaluate_all(_AMONG, index):
            missed.append((role, name))

    assert missed == []
