"""notte_observe and notte_scrape: what a page shows, for acting and for reading.

Below: scraping, surface, page_text. Above: listing. (`paging` is about long answers, this about web pages.)
"""

import base64
import time
from dataclasses import replace
from typing import Annotated, Any, Final

from mcp.types import CallToolResult, ImageContent
from pydantic import Field

from notte_mcp import page_text
from notte_mcp.errors import InvalidArgument
from notte_mcp.observations import HARD_MAX_TOKENS, Mode
from notte_mcp.tools.boundary import blocks, declare, hints
from notte_mcp.tools.scraping import as_step, data_of, markdown_of, page_of, scrape_url, wish_of
from notte_mcp.tools.surface import Call, surface

SessionId = Annotated[str | None, Field(description="optional while one session is live")]
Cursor = str | None
RequestId = Annotated[str | None, Field(description="a retry repeats nothing")]
MaxTokens = Annotated[int, Field(ge=100, le=HARD_MAX_TOKENS)]

SCRAPE_S: Final = 40.0
"""What a scrape may take in all, a model's part of it included."""


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
        if find is not None and not seen.nodes and seen.changes is None:
            unfound = f"nothing on the page matches {page_text.quoted(find[:60])}"
            seen = replace(seen, note="; ".join(filter(None, (unfound, seen.note))))
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
    """Read a page, a session's current one or a url, as markdown; with instructions or response_schema as JSON data."""
    here, ends_at = surface(ctx), time.monotonic() + SCRAPE_S
    if cursor is not None:
        return page_of(here.pages.at(cursor, max_tokens, again="notte_scrape without a cursor"))
    wish = wish_of(instructions, response_schema)
    app = await here.app()
    options: dict[str, Any] = {
        "selector": selector, "only_main_content": only_main_content, "links": links, "images": images,
    }  # fmt: skip
    of: str | None = None
    if url is None:
        async with app.registry.use(await app.session_of(session_id)) as live:
            of, found = live.record.id, await live.scrape(**options)
            await live.note_scrape(as_step(selector, wish, only_main_content=only_main_content), found)
    elif session_id is None:
        found = await scrape_url(here, app, url, options)
    else:
        raise InvalidArgument(
            "notte_scrape takes a session_id or a url, not both.",
            next_call="notte_execute with a goto, then notte_scrape(session_id=...)",
        )
    if wish is not None:
        return await data_of(here, app, found, wish, of=of, selector=selector, max_tokens=max_tokens, ends_at=ends_at)
    return markdown_of(here, found, max_tokens=max_tokens)


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
