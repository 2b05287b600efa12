"""notte_observe and notte_scrape: what a page shows, for acting and for reading.

Below: surface, page_text, paging. Above: listing. (`paging` is about long answers, this about web pages.)
"""

import base64
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any, Final

import anyio
from mcp.types import CallToolResult, ImageContent
from pydantic import Field

from notte_mcp import page_text
from notte_mcp.engines.base import Scraped
from notte_mcp.errors import InvalidArgument, PageLoadFailed
from notte_mcp.observations import HARD_MAX_TOKENS, Mode
from notte_mcp.tools.boundary import blocks, declare, hints, sentence
from notte_mcp.tools.paging import Page
from notte_mcp.tools.surface import Call, Surface, surface

if TYPE_CHECKING:
    from notte_mcp.app import App

SessionId = Annotated[str | None, Field(description="may be absent while one session is live")]
Cursor = str | None
RequestId = Annotated[str | None, Field(description="makes a retry safe: same id, same answer")]
MaxTokens = Annotated[int, Field(ge=100, le=HARD_MAX_TOKENS)]

NO_MODEL: Final = (
    "note: instructions and response_schema need a model, and none is configured; "
    "the page's text follows, to be read by you."
)


async def notte_observe(
    ctx: Call,
    *,
    session_id: SessionId = None,
    mode: Annotated[Mode, Field(description="page: with its text")] = "actions",
    since: Annotated[int | None, Field(ge=1, description="a view: its changes")] = None,
    find: Annotated[str | None, Field(description="only what matches, anywhere on the page")] = None,
    screenshot: Annotated[bool, Field(description="with the ids on it")] = False,
    max_tokens: MaxTokens = 2_000,
    cursor: Cursor = None,
) -> CallToolResult:
    """See the current page: elements with the ids that notte_execute takes, in reading order, with values and
    states; the whole page, not only its visible part. An id stays as long as its element lives. notte_execute
    already tells what changed, so observe only when you need more."""
    app = await surface(ctx).app()
    mode = "changes" if since is not None else mode
    async with app.registry.use(await app.session_of(session_id)) as live:
        seen = await live.observe(mode=mode, since=since, find=find, cursor=cursor, max_tokens=max_tokens)
        seen = replace(seen, events=(*live.events, *seen.events))
        pictures = [_picture(await live.screenshot(marks=True))] if screenshot else []
    return blocks(page_text.view(seen, all_options=find is not None), *pictures)


async def notte_scrape(
    ctx: Call,
    *,
    session_id: str | None = None,
    url: Annotated[str | None, Field(description="instead of a session")] = None,
    instructions: str | None = None,
    response_schema: dict[str, Any] | None = None,
    selector: str | None = None,
    only_main_content: bool = True,
    links: bool = False,
    images: bool = False,
    max_tokens: MaxTokens = 4_000,
    cursor: Cursor = None,
) -> CallToolResult:
    """Read a page as markdown: the current page of a session, or a url."""
    here = surface(ctx)
    if cursor is not None:
        return _scraped(here.pages.at(cursor, max_tokens, again="notte_scrape without a cursor"), "")
    app = await here.app()
    options: dict[str, Any] = {
        "selector": selector, "only_main_content": only_main_content, "links": links, "images": images,
    }  # fmt: skip
    if url is None:
        async with app.registry.use(await app.session_of(session_id)) as live:
            found = await live.scrape(**options)
    elif session_id is None:
        found = await _scrape_url(here, app, url, options)
    else:
        raise InvalidArgument(
            "notte_scrape takes a session_id or a url, not both.",
            next_call="notte_execute with a goto, then notte_scrape(session_id=...)",
        )
    note = f"{NO_MODEL}\n" if instructions or response_schema else ""
    cut = "\n\n(The page was larger than is read; its end is missing.)" if found.omitted else ""
    title = f"{found.title}  " if found.title else ""
    page = here.pages.first(found.markdown + cut, max_tokens, head=f"{title}{page_text.url_text(found.url)}")
    return _scraped(page, note)


TOOLS: Final = (
    declare(notte_observe, title="See the page", hints=hints(reads=True), core=True),
    declare(
        notte_scrape,
        title="Read a page as markdown",
        hints=hints(reads=True),
        parameters={"response_schema": {"type": "object"}},
    ),
)


def _picture(jpeg: bytes) -> ImageContent:
    return ImageContent(type="image", data=base64.b64encode(jpeg).decode(), mime_type="image/jpeg")


def _scraped(page: Page, note: str) -> CallToolResult:
    head = f"{page.about['head']}\n{note}\n"
    return blocks(head + page.text.rstrip("\n") + (f"\n{page.footer}" if page.footer else ""))


async def _scrape_url(here: Surface, app: "App", url: str, options: dict[str, Any]) -> Scraped:
    """In a session of its own, which ends with it whatever happens."""
    record, batch = await app.registry.open(here.spec, url=url)
    try:
        if batch is not None and not batch.receipts[0].success:
            why = sentence(f"{url} did not load: {batch.receipts[0].message}")
            raise PageLoadFailed(why, kept="No session was left open.", next_call="notte_scrape with another url")
        async with app.registry.use(record.id) as live:
            return await live.scrape(**options)
    finally:
        # Shielded: a scrape that is given up must leave no session behind either.
        with anyio.CancelScope(shield=True):
            await app.registry.stop(record.id, mode="now", reason="scraped")
