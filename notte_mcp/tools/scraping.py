"""What a scrape gives: a page's markdown, or the data that a model takes out of it.

The markdown is never lost: where there is no model, or it gives no data, the answer says
why and has the page's text.

Below: agents.extracting, surface, paging, page_text. Above: pages.
"""

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import anyio
from mcp.types import CallToolResult

from notte_mcp import page_text
from notte_mcp.actions import Scrape
from notte_mcp.agents.answers import check, require_schema
from notte_mcp.agents.extracting import Extracted, extract
from notte_mcp.engines.base import Scraped
from notte_mcp.errors import InvalidArgument, NotteMCPError, PageLoadFailed
from notte_mcp.receipts import unloaded
from notte_mcp.tools.boundary import blocks, sentence
from notte_mcp.tools.paging import Page
from notte_mcp.tools.surface import Surface

if TYPE_CHECKING:
    from notte_mcp.app import App

MAX_WISH_CHARS: Final = 10_000

LEAST_S: Final = 3.0
"""What a model gets of the call's time, however long the page took."""

NO_MODEL: Final = "instructions and response_schema need a model, and none is configured"
CLOUD: Final = "the cloud's model"
READ_IT: Final = "The page's text follows, to be read by you."
TOO_LARGE: Final = "(The page was larger than is read; its end is missing.)"


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be taken out of a page."""

    instructions: str | None
    schema: dict[str, Any] | None


def wish_of(instructions: str | None, schema: dict[str, Any] | None) -> Wish | None:
    """What is wanted besides the markdown, if anything. Raises: InvalidArgument."""
    instructions = (instructions or "").strip() or None
    if instructions is not None and len(instructions) > MAX_WISH_CHARS:
        raise InvalidArgument(
            f"instructions has {len(instructions)} characters, and may have {MAX_WISH_CHARS}.",
            next_call="the same call with less",
        )
    require_schema(schema)
    return None if instructions is None and schema is None else Wish(instructions, schema)


def as_step(selector: str | None, wish: Wish | None, *, only_main_content: bool) -> Scrape:
    """The call as an action, to be put on record. (`links` and `images` change the text alone.)"""
    instructions, schema = (wish.instructions, wish.schema) if wish is not None else (None, None)
    return Scrape(
        selector=selector, only_main_content=only_main_content, instructions=instructions, response_schema=schema
    )


async def scrape_url(here: Surface, app: "App", url: str, options: dict[str, Any]) -> Scraped:
    """In a session of its own, which ends with it whatever happens."""
    record, batch = await app.registry.open(here.spec, url=url)
    try:
        if batch is not None and not batch.receipts[0].success:
            why = unloaded(
                url, batch.receipts[0].message.partition(". ")[0]
            )  # the rest tells of a session that goes on
            raise PageLoadFailed(
                sentence(why), kept="No session was left open.", next_call="notte_scrape with another url"
            )
        async with app.registry.use(record.id) as live:
            return await live.scrape(**options)
    finally:
        # Shielded: a scrape that is given up must leave no session behind either.
        with anyio.CancelScope(shield=True):
            await app.registry.stop(record.id, mode="now", reason="scraped")


# --- the answers ------------------------------------------------------------------


def markdown_of(here: Surface, found: Scraped, *, max_tokens: int, note: str = "") -> CallToolResult:
    """The page's text, under its title and address."""
    cut = f"\n\n{TOO_LARGE}" if found.omitted else ""
    return page_of(here.pages.first(found.markdown + cut, max_tokens, head=_head(found)), note)


def page_of(page: Page, note: str = "") -> CallToolResult:
    """A piece of a scrape's text, with `note` before it."""
    head = f"{page.about['head']}\n{note}\n"
    return blocks(head + page.text.rstrip("\n") + (f"\n{page.footer}" if page.footer else ""))


async def data_of(
    here: Surface,
    app: "App",
    found: Scraped,
    wish: Wish,
    *,
    of: str | None,
    selector: str | None,
    max_tokens: int,
    ends_at: float,
) -> CallToolResult:
    """The data as JSON text; else why there is none, and the markdown. By the configured model; without one, of a cloud
    session (`of`) by the cloud's. (`ends_at`: monotonic.)"""
    seconds = max(LEAST_S, ends_at - time.monotonic())
    name, data = app.models.default, None
    if name is not None:
        data = await _by_model(app, name, found, wish, seconds)
    elif of is not None:
        name, data = CLOUD, await _by_cloud(app, of, selector, wish, seconds)
    if name is None or data is None:
        return markdown_of(here, found, max_tokens=max_tokens, note=f"note: {NO_MODEL}. {READ_IT}\n")
    if not data.text:
        note = f"note: {sentence(f'{name} gave no data: {data.problem}')} {READ_IT}\n"
        return markdown_of(here, found, max_tokens=max_tokens, note=note)
    page = here.pages.first(data.text, max_tokens, head=_head(found))
    return page_of(page, _whence(name, data, found))


async def _by_model(app: "App", name: str, found: Scraped, wish: Wish, seconds: float) -> Extracted:
    try:
        model = app.models.named(name)
    except NotteMCPError as error:
        return Extracted("", f"{error.what} ({error.next_call})", 0)
    return await extract(model, found.markdown, instructions=wish.instructions, schema=wish.schema, seconds=seconds)


async def _by_cloud(app: "App", of: str, selector: str | None, wish: Wish, seconds: float) -> Extracted | None:
    """By the model of the machine that the session lives on; None where that is this one."""
    try:
        if (remote := await app.registry.remote(of)) is None:
            return None
        told = await remote.extract(
            instructions=wish.instructions, schema=wish.schema, selector=selector, within_s=seconds
        )
        async with app.registry.use(of) as live:
            shown = page_text.json_text(live.redacted(told.data))
    except NotteMCPError as error:
        return Extracted("", error.what.rstrip("."), 0)
    if told.problem:
        return Extracted("", told.problem, 0)
    wrong = check(shown, wish.schema) if wish.schema is not None else ""
    return Extracted("", wrong, 0) if wrong else Extracted(shown, "", 0)


def _whence(name: str, data: Extracted, found: Scraped) -> str:
    """By whom the data were taken out, at what cost, and of how much of the page."""
    if name == CLOUD:
        return f"data, by {name}:"
    calls = data.usage.model_calls
    cost = f"{data.usage.tokens} tokens{f' in {calls} calls' if calls > 1 else ''}"
    part = f"; of the page's first {data.read} characters" if data.read < len(found.markdown) or found.omitted else ""
    return f"data, by {name} ({cost}{part}):"


def _head(found: Scraped) -> str:
    title = f"{found.title}  " if found.title else ""
    return f"{title}{page_text.url_text(found.url)}"
