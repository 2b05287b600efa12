"""A page as markdown, or data taken out of it by the configured model (DataSpace).

    {"markdown": ..., "structured": null | {"success", "error", "data"}}

The markdown is there whatever becomes of the data; where no model is configured, `structured` says so.

Below: calls, faults, starting; agents.extracting; registry (by the App). Above: pages.
"""

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import anyio
from pydantic import BaseModel
from starlette.responses import Response

from notte_mcp.actions import Scrape
from notte_mcp.agents.answers import require_schema
from notte_mcp.agents.extracting import extract
from notte_mcp.api import faults
from notte_mcp.api.calls import ApiCall, answer
from notte_mcp.api.faults import EXECUTION, ApiFault
from notte_mcp.api.starting import IGNORED, StartBody, StartBody19, ignored, reached, spec_of
from notte_mcp.errors import InvalidArgument, NotteMCPError
from notte_mcp.receipts import unloaded
from notte_mcp.registry.live import LiveSession

if TYPE_CHECKING:
    from notte_mcp.app import App

MODEL_S: Final = 50.0
"""What a model gets for the data of a page: an SDK gives up after a minute."""

NO_MODEL: Final = "No model is configured to take data out of the page (NOTTE_MCP_MODEL); its markdown is here."

_NO_EFFECT: Final = ("ignored_tags", "use_link_placeholders", "model")


class ScrapeFields(BaseModel):
    """What a scrape may ask for. Of what has no effect here, the answer's header `x-notte-mcp-ignored` tells."""

    selector: str | None = None
    scrape_links: bool = True
    scrape_images: bool = False
    ignored_tags: list[str] | None = None
    only_main_content: bool = False
    response_format: dict[str, Any] | None = None
    instructions: str | None = None
    model: str | None = None
    use_link_placeholders: bool = False
    only_images: bool = False


class GlobalScrapeBody(StartBody, ScrapeFields):
    """`POST /scrape`: a session's fields, a scrape's, and where."""

    url: str


class GlobalScrapeBody19(StartBody19, ScrapeFields):
    """The same as SDKs up to 1.9 know it."""

    url: str


@dataclass(frozen=True, slots=True)
class Wish:
    """What is wanted of a page besides its markdown, if anything."""

    selector: str | None
    links: bool
    images: bool
    only_main_content: bool
    instructions: str | None
    schema: dict[str, Any] | None

    @property
    def is_for_data(self) -> bool:
        """Whether data are wanted."""
        return bool(self.instructions) or self.schema is not None


def wish_of(call: ApiCall, fields: ScrapeFields) -> Wish:
    """What a body asks for. Raises: ApiFault (422)."""
    for name in ("scrape_images", "only_images"):
        if call.contract == "1.10" and getattr(fields, name):
            raise faults.wrong("body", name, "value_error", "Image scraping was removed", given=True)
    instructions = (fields.instructions or "").strip() or None
    return wished(
        fields.selector, instructions, fields.response_format, links=fields.scrape_links,
        images=fields.scrape_images or fields.only_images, only_main_content=fields.only_main_content,
    )  # fmt: skip


def wished(
    selector: str | None,
    instructions: str | None,
    schema: dict[str, Any] | None,
    *,
    links: bool,
    images: bool,
    only_main_content: bool,
) -> Wish:
    """A wish whose schema is one. Raises: ApiFault (422)."""
    try:
        require_schema(schema)
    except InvalidArgument as error:
        raise faults.wrong("body", "response_format", "value_error", error.what) from error
    return Wish(selector, links, images, only_main_content, instructions, schema)


async def markdown_of(live: LiveSession, wish: Wish, *, noted: bool = True) -> str:
    """The page that a held session is on; on record as a step where it is to be `noted`.

    Raises: SelectorNotFound, SelectorAmbiguous, and as looks do.
    """
    found = await live.scrape(
        selector=wish.selector, only_main_content=wish.only_main_content, links=wish.links, images=wish.images
    )
    if noted:
        step = Scrape(
            selector=wish.selector, only_main_content=wish.only_main_content, instructions=wish.instructions,
            response_schema=wish.schema,
        )  # fmt: skip
        await live.note_scrape(step, found)
    return found.markdown


async def data_space(app: "App", markdown: str, wish: Wish) -> dict[str, Any]:
    """The same as a DataSpace, with the data that are wanted. Not while the session is held: nobody is to wait for a
    model."""
    return {"markdown": markdown, "structured": await _data(app, markdown, wish) if wish.is_for_data else None}


async def _data(app: "App", markdown: str, wish: Wish) -> dict[str, Any]:
    name = app.models.default
    if name is None:
        return _none(NO_MODEL)
    try:
        model = app.models.named(name)
    except NotteMCPError as error:
        return _none(error.what)
    data = await extract(model, markdown, instructions=wish.instructions, schema=wish.schema, seconds=MODEL_S)
    if not data.text:
        return _none(f"{name} gave no data: {data.problem}")
    return {"success": True, "error": None, "data": json.loads(data.text)}


def _none(why: str) -> dict[str, Any]:
    return {"success": False, "error": why, "data": None}


def _ignored(fields: ScrapeFields) -> list[str]:
    return [name for name in _NO_EFFECT if getattr(fields, name)]


async def scrape(call: ApiCall) -> Response:
    """`POST /sessions/{session_id}/page/scrape`."""
    given = await call.body(ScrapeFields)
    wish = wish_of(call, given)
    async with call.app.registry.use(call.path("session_id")) as live:
        markdown = await markdown_of(live, wish)
    named = _ignored(given)
    headers = {IGNORED: ", ".join(named)} if named else None
    return answer(await data_space(call.app, markdown, wish), headers=headers)


async def scrape_url(call: ApiCall) -> Response:
    """`POST /scrape`: in a session of its own, which ends with it whatever happens."""
    given = await call.body(GlobalScrapeBody if call.contract == "1.10" else GlobalScrapeBody19)
    wish, registry = wish_of(call, given), call.app.registry
    spec = spec_of(given, call.defaults)
    with reached(spec):
        record, batch = await registry.open(spec, url=given.url, aside=True)
    try:
        if batch is not None and not batch.receipts[0].success:
            why = batch.receipts[0].message.partition(". ")[0].rstrip(".")  # the rest tells of a session that goes on
            raise ApiFault(500, f"{unloaded(given.url, why)}.", error="PageLoadingError", headers=EXECUTION)
        async with registry.use(record.id) as live:
            markdown = await markdown_of(live, wish, noted=False)
    finally:
        # Shielded: a scrape that is given up must leave no session behind either.
        with anyio.CancelScope(shield=True):
            await registry.stop(record.id, mode="now", reason="scraped")
    return answer(await data_space(call.app, markdown, wish), headers=ignored(given, *_ignored(given)))
