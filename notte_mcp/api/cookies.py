"""A session's cookies: read with their values, and set.

Who has the key has the browser, so values are told; what was typed as a secret in the session is taken out of them.

Below: engines.notte.cookies (the contract's form), calls; registry. Above: routes.
"""

from typing import Any, Final, Literal

from pydantic import BaseModel, Field
from starlette.responses import Response

from notte_mcp.api.calls import ApiCall, ApiRoute, answer
from notte_mcp.engines.notte.cookies import cookie_to_wire, cookies_from_wire

MAX_COOKIES: Final = 5_000


class Cookie(BaseModel):
    """One cookie, as the contract spells it."""

    name: str
    value: str
    domain: str
    path: str = "/"
    httpOnly: bool = False  # noqa: N815 - the contract's name
    expirationDate: float | None = None  # noqa: N815 - the same
    hostOnly: bool | None = None  # noqa: N815 - the same
    sameSite: Literal["Lax", "None", "Strict"] | None = None  # noqa: N815 - the same
    secure: bool | None = None
    session: bool | None = None
    storeId: str | None = None  # noqa: N815 - the same
    expires: float | None = None
    partitionKey: str | None = None  # noqa: N815 - the same


class CookiesBody(BaseModel):
    """`POST /sessions/{session_id}/cookies`."""

    cookies: list[Cookie] = Field(max_length=MAX_COOKIES)


async def _get(call: ApiCall) -> Response:
    async with call.app.registry.use(call.path("session_id")) as session:
        found = await session.cookies()
    return answer({"cookies": [told(cookie) for cookie in found]})


async def _set(call: ApiCall) -> Response:
    given = await call.body(CookiesBody)
    cookies = cookies_from_wire(cookie.model_dump(exclude_none=True) for cookie in given.cookies)
    async with call.app.registry.use(call.path("session_id")) as session:
        await session.set_cookies(cookies)
    return answer({"success": True, "message": f"Set {len(cookies)} cookies"})


def told(cookie: dict[str, Any]) -> dict[str, Any]:
    """A cookie in Playwright's form as an answer tells it."""
    return {**cookie_to_wire(cookie), "hostOnly": not str(cookie["domain"]).startswith(".")}


ROUTES: Final = (
    ApiRoute("GET", "/sessions/{session_id}/cookies", _get),
    ApiRoute("POST", "/sessions/{session_id}/cookies", _set),
)
