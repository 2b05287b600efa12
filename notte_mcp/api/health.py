"""Whether the API is there, what it serves, and what it counts.

Below: contract, calls. Above: routes.
"""

from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from notte_mcp import __version__
from notte_mcp.api.calls import ApiCall, ApiRoute, Contract, answer
from notte_mcp.api.contract import CONTRACT

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


async def _usage(call: ApiCall) -> Response:
    """What an account would have been billed for: nothing."""
    records = await call.app.registry.sessions(limit=MAX_COUNTED)
    period = call.text("period") or datetime.now(UTC).strftime("%Y-%m")
    nothing = dict.fromkeys(_COSTS, 0.0)
    counts = {"session_count": len(records), "function_count": 0, "is_usage_limit_exceeded": False}
    return answer({"plan_type": "local", "period": period, **counts, **nothing})


async def _openapi(call: ApiCall) -> Response:
    """Which endpoints there are, and what becomes of each; the schemas are the contract's and are not told again."""
    paths: dict[str, dict[str, Any]] = {}
    for one in CONTRACT:
        code = "501" if one.how == "absent" else "200"
        told = {"summary": one.note, "responses": {code: {"description": one.how}}}
        paths.setdefault(one.path, {})[one.method.lower()] = told
    about = {"title": "notte-mcp api", "version": __version__, "description": _SAYS.format(contract=call.contract)}
    return answer({"openapi": "3.1.0", "info": about, "paths": paths})


_COSTS: Final = (
    "browser_usage_cost", "proxy_usage_cost", "llm_usage_cost", "function_usage_cost", "total_cost",
    "subscription_limit_amount", "topup_limit_amount", "subscription_balance_amount", "topup_balance_amount",
    "balance_amount",
)  # fmt: skip

MAX_COUNTED: Final = 10_000


ROUTES: Final = (
    ApiRoute("GET", "/health", _asked),
    ApiRoute("GET", "/ready", _asked),
    ApiRoute("GET", "/usage", _usage),
    ApiRoute("GET", "/openapi.json", _openapi),
)
