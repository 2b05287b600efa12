"""Profiles: the login states of the state folder, by the contract's ids.

One that is made here gets an id in the contract's form, which is its name in the folder; one that was made otherwise is
found by its name. Saved are a session's cookies and local storage, whole.

Below: cookies, paging, calls; profiles (by the registry). Above: routes.
"""

import re
import secrets
from typing import Any, Final, Literal

import anyio.to_thread
from pydantic import BaseModel, Field
from starlette.responses import Response

from notte_mcp.api import faults
from notte_mcp.api.calls import ApiCall, ApiRoute, answer
from notte_mcp.api.cookies import MAX_COOKIES, Cookie
from notte_mcp.api.cookies import told as cookie_told
from notte_mcp.api.faults import ApiFault
from notte_mcp.api.moments import moment
from notte_mcp.api.paging import page_of
from notte_mcp.engines.notte.cookies import cookies_from_wire
from notte_mcp.profiles import ProfileStore, ProfileTold

_EMPTY: Final[dict[str, Any]] = {"cookies": [], "origins": []}
_HOLDER: Final = "the API"


class CreateBody(BaseModel):
    """`POST /profiles/create`."""

    name: str | None = Field(default=None, max_length=200)


class ImportBody(BaseModel):
    """`POST /profiles/{profile_id}/cookies`."""

    cookies: list[Cookie] = Field(min_length=1, max_length=MAX_COOKIES)
    source_format: Literal["playwright", "chrome"] = "playwright"
    mode: Literal["replace", "append"] = "replace"


class SaveBody(BaseModel):
    """`POST /sessions/{session_id}/profile/save`: into this one, or into a new one of this name."""

    profile_id: str | None = Field(default=None, min_length=1)
    name: str | None = Field(default=None, min_length=1, max_length=200)


async def _list(call: ApiCall) -> Response:
    found = await anyio.to_thread.run_sync(call.app.registry.profiles.names)
    if (name := call.text("name")) is not None:
        found = [one for one in found if name in (one.label, one.name)]
    shown, page = page_of(call, found)
    return answer({"items": [await _told(call, one) for one in shown], **page})


async def _create(call: ApiCall) -> Response:
    given = await call.body(CreateBody)
    return answer(await _told(call, await _made(call, given.name)))


async def _get(call: ApiCall) -> Response:
    return answer(await _told(call, await _meant(call)))


async def _delete(call: ApiCall) -> Response:
    one = await _meant(call)
    await anyio.to_thread.run_sync(call.app.registry.profiles.drop, one.name, _HOLDER)
    return answer({"success": True, "message": "Profile deleted successfully"})


async def _cookies(call: ApiCall) -> Response:
    one = await _meant(call)
    state = await call.app.registry.login(one.name) or _EMPTY
    return answer({"cookies": [cookie_told(cookie) for cookie in state["cookies"]]})


async def _import(call: ApiCall) -> Response:
    """Put cookies into a profile that no session holds."""
    given, one = await call.body(ImportBody), await _meant(call)
    cookies = cookies_from_wire(cookie.model_dump(exclude_none=True) for cookie in given.cookies)
    count = await anyio.to_thread.run_sync(_imported, call.app.registry.profiles, one.name, cookies, given.mode)
    said = f"{len(cookies)} cookies were put into the profile"
    return answer({"success": True, "message": said, "cookies_count": count, "mode": given.mode})


def _imported(store: ProfileStore, name: str, cookies: list[dict[str, Any]], mode: str) -> int:
    held = store.lock(name, _HOLDER)
    try:
        state = store.load(name) or _EMPTY
        new = {_place(cookie) for cookie in cookies}
        before: list[dict[str, Any]] = state["cookies"] if mode == "append" else []
        kept = [cookie for cookie in before if _place(cookie) not in new]
        store.save(name, {**state, "cookies": [*kept, *cookies]})
        return len(kept) + len(cookies)
    finally:
        held.release()


def _place(cookie: dict[str, Any]) -> tuple[Any, ...]:
    """What one cookie takes another one's place by."""
    return cookie["name"], cookie["domain"], cookie["path"]


async def _duplicate(call: ApiCall) -> Response:
    given, one = await call.body(CreateBody), await _meant(call)
    state = await call.app.registry.login(one.name) or _EMPTY
    return answer(await _told(call, await _made(call, given.name or one.label or None, state)))


async def _preview(call: ApiCall) -> Response:
    """What a save of the session would keep."""
    record = await call.app.registry.record(call.path("session_id"))
    domains = None
    if call.flag("include_cookies", default=False):
        async with call.app.registry.use(record.id) as session:
            domains = _domains(await session.cookies())
    spec = record.spec
    profile = None if spec.profile is None else {"id": spec.profile, "persist": spec.save_profile}
    return answer({"profile": profile, "cookie_domains": domains})


async def _save(call: ApiCall) -> Response:
    given = await call.body(SaveBody)
    if given.profile_id is not None and given.name is not None:
        raise ApiFault(422, "profile_id and name are given one at a time.")
    record = await call.app.registry.record(call.path("session_id"))
    profile = given.profile_id or (None if given.name else record.spec.profile)
    if profile is None:
        profile = (await _made(call, given.name)).name
    await call.app.registry.keep_login(record.id, profile)
    return answer(await _told(call, await _named(call, profile)))


async def _made(call: ApiCall, label: str | None, state: dict[str, Any] = _EMPTY) -> ProfileTold:
    store, name = call.app.registry.profiles, f"notte-profile-{secrets.token_hex(8)}"
    await anyio.to_thread.run_sync(store.save, name, state)
    if label is not None:
        await anyio.to_thread.run_sync(store.call, name, label)
    return await _named(call, name)


async def _meant(call: ApiCall) -> ProfileTold:
    return await _named(call, call.path("profile_id"))


async def require(call: ApiCall, name: str) -> None:
    """Raises: ApiFault (404): this id is one that the contract gives, and no profile has it. (A name of one's own begins
    a profile.)"""
    if _MADE.fullmatch(name):
        await _named(call, name)


async def _named(call: ApiCall, name: str) -> ProfileTold:
    """Raises: ApiFault (404)."""
    found = await anyio.to_thread.run_sync(call.app.registry.profiles.names)
    if (one := next((one for one in found if one.name == name), None)) is None:
        raise faults.unknown("profile", name)
    return one


async def _told(call: ApiCall, one: ProfileTold) -> dict[str, Any]:
    # A state file is replaced at each save, so that when the first one was written is not known.
    at = moment(one.at)
    label = one.label or (None if _MADE.fullmatch(one.name) else one.name)
    state = await call.app.registry.login(one.name) or _EMPTY
    domains = _domains(state["cookies"])
    return {"profile_id": one.name, "name": label, "created_at": at, "updated_at": at, "persisted_domains": domains}


def _domains(cookies: list[dict[str, Any]]) -> list[str]:
    return sorted({str(cookie["domain"]).lstrip(".") for cookie in cookies})


_MADE: Final = re.compile(r"notte-profile-[0-9a-f]{16}")

ROUTES: Final = (
    ApiRoute("GET", "/profiles", _list),
    ApiRoute("POST", "/profiles/create", _create),
    ApiRoute("GET", "/profiles/{profile_id}", _get),
    ApiRoute("DELETE", "/profiles/{profile_id}", _delete),
    ApiRoute("GET", "/profiles/{profile_id}/cookies", _cookies),
    ApiRoute("POST", "/profiles/{profile_id}/cookies", _import),
    ApiRoute("POST", "/profiles/{profile_id}/duplicate", _duplicate),
    ApiRoute("GET", "/sessions/{session_id}/profile-preview", _preview),
    ApiRoute("POST", "/sessions/{session_id}/profile/save", _save),
)
