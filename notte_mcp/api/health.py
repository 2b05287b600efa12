"""Whether the API is there, what it serves, and what it counts.

Below: calls. Above: routes.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from notte_mcp import __version__
from notte_mcp.api.calls import ApiCall, ApiRoute, Contract, answer

_SAYS: Final = (
    "notte-mcp on this machine, in the contract of Notte {contract}; what is not served says so with 501 and why."
)


async def _health(_request: Request, contract: Contract) -> Response:
    said = _SAYS.format(contract=contract)
    return answer({"status": "healthy", "version": __version__, "contract": contract, "description": said})


async def _ready(_request: Request, _contract: Contract) -> Response:
    return answer({"status": "ready"})


async def _asked(call: ApiCall) -> Response:
    """Behind the key, which these do not need."""
    return await ROUTES_OPEN[call.request.url.path](call.request, call.contract)


ROUTES_OPEN: Final[Mapping[str, Callable[[Request, Contract], Awaitable[Response]]]] = {
    "/health": _health,
    "/ready": _ready,
}
"""For anybody, and without an App: who asks may be a watchdog."""

ROUTES: Final = (ApiRoute("GET", "/health", _asked), ApiRoute("GET", "/ready", _asked))
