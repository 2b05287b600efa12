"""The page of a session: observe, execute, scrape, screenshot.

An action that fails is an answer with `success: false`; a session that cannot be used, or one that was never looked at
when an id is used, is an error.

Below: observing, picking, acting, results, scraping; registry (by the App). Above: routes.
"""

import time
from dataclasses import replace
from typing import Any, Final, Literal

from pydantic import BaseModel, Field
from starlette.responses import Response

from notte_mcp import errors
from notte_mcp.api import asked as w
from notte_mcp.api import results
from notte_mcp.api.acting import PLACES, Unactable, actions_of
from notte_mcp.api.calls import ApiCall, ApiRoute, answer
from notte_mcp.api.faults import ApiFault
from notte_mcp.api.kept import KeptSession
from notte_mcp.api.observing import observation
from notte_mcp.api.picking import picked, picker
from notte_mcp.api.results import Outcome, failed, kind_of, outcome_of
from notte_mcp.api.scraping import Wish, data_space, markdown_of, scrape, scrape_url, wished
from notte_mcp.registry.live import LiveSession

DEADLINE_S: Final = 58.0
"""How long an action may take altogether: an SDK gives up after a minute."""

NOT_DEEP: Final = (
    "`perception_type: deep` is not served: a model writes it, and it leaves the contract on 2026-12-01. Observe without it, "
    "and read `space.description`."
)

# What an action fails of before it is done, or as a look; the rest is the session's or ours.
_OF_ACTION: Final = (
    errors.StaleElement, errors.UnknownElement, errors.UnsupportedUrl, errors.UploadRefused, errors.InvalidAction,
    errors.SelectorNotFound, errors.SelectorAmbiguous, errors.PageNotResponding, errors.LimitReached,
)  # fmt: skip


class ObserveBody(BaseModel):
    """`page/observe`. How many actions to list matters to `deep` alone."""

    min_nb_actions: int | None = None
    max_nb_actions: int = 100
    instructions: str | None = None
    perception_type: Literal["fast", "deep"] | None = None


class FileBody(BaseModel):
    """`page/execute/file`. `target_id` names a page of the cloud's; here it is the current one."""

    action: dict[str, Any]
    target_id: str = Field(min_length=1, max_length=256)
    record: bool = True


async def _observe(call: ApiCall) -> Response:
    given = await call.body(ObserveBody)
    if given.perception_type == "deep":
        raise ApiFault(422, NOT_DEEP)
    model = picker(call.app) if given.instructions else None
    session_id, began = call.path("session_id"), time.time()
    async with call.app.registry.use(session_id) as live:
        portrait = await live.portray()
        spec = live.record.spec
        size = (spec.viewport_width, spec.viewport_height)
        told, page = observation(portrait, call.contract, size=size, began=began, ended=time.time())
        kept = call.kept.of(session_id)
        kept.ids = page.ids
        kept.facts[PLACES] = {
            one["id"]: one["selector"]["notte_selector"] for one in told["space"]["interaction_actions"]
        }
    # Not while the session is held: nobody is to wait for a model.
    return answer(await picked(model, told, given.instructions) if model and given.instructions else told)


async def _execute(call: ApiCall) -> Response:
    return answer(await _executed(call, w.asked_of(await call.json(), call.contract)))


async def _execute_file(call: ApiCall) -> Response:
    given = await call.body(FileBody)
    action = w.asked_of(given.action, call.contract, "action")
    if not isinstance(action, w.Upload | w.Click) or action.type == "click":
        raise ApiFault(422, "`action` is an upload_file or a download_file here.")
    return answer(await _executed(call, action))


async def _executed(call: ApiCall, asked: w.AnyAsked) -> dict[str, Any]:
    """Do what is asked; its answer has no secret in it."""
    session_id, began, wish = call.path("session_id"), time.time(), None
    async with call.app.registry.use(session_id) as live:
        try:
            if isinstance(asked, w.Scrape):
                wish = _wish(call, asked)
                outcome = _scraped(await markdown_of(live, wish))
            else:
                outcome = await _done(live, asked, call.kept.of(session_id))
        except Unactable as refusal:
            outcome = failed(refusal.kind, str(refusal))
        except _OF_ACTION as error:
            outcome = failed(kind_of(error.code, asked.type), error.what)
    if wish is not None and outcome.data is not None:
        outcome = replace(outcome, data=await data_space(call.app, outcome.data["markdown"], wish))
    return live.redacted(results.told(asked, outcome, began=began, ended=time.time()))


async def _done(live: LiveSession, asked: w.AnyAsked, kept: KeptSession) -> Outcome:
    batch = await live.execute(actions_of(asked, kept), on_error="stop", deadline_s=DEADLINE_S)
    return outcome_of(asked, batch.receipts, batch.stopped)


def _scraped(markdown: str) -> Outcome:
    said = f"Scraped {len(markdown)} characters of the current page"
    return Outcome(said, data={"markdown": markdown, "structured": None})


def _wish(call: ApiCall, asked: w.Scrape) -> Wish:
    images = asked.scrape_images and call.contract == "1.9"
    return wished(
        asked.selector, asked.instructions, asked.response_format, links=asked.scrape_links, images=images,
        only_main_content=asked.only_main_content,
    )  # fmt: skip


async def _screenshot(call: ApiCall) -> Response:
    async with call.app.registry.use(call.path("session_id")) as live:
        return Response(await live.screenshot(marks=False), media_type="image/jpeg")


ROUTES: Final[tuple[ApiRoute, ...]] = (
    ApiRoute("POST", "/sessions/{session_id}/page/observe", _observe),
    ApiRoute("POST", "/sessions/{session_id}/page/execute", _execute),
    ApiRoute("POST", "/sessions/{session_id}/page/execute/file", _execute_file),
    ApiRoute("POST", "/sessions/{session_id}/page/scrape", scrape),
    ApiRoute("POST", "/sessions/{session_id}/page/screenshot", _screenshot),
    ApiRoute("POST", "/scrape", scrape_url),
)
