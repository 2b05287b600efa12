"""What this API does not serve: each endpoint of the contract that is nobody else's, with why.

Below: contract, calls, faults. Above: routes.
"""

from typing import Final

from starlette.responses import Response

from notte_mcp.api.calls import ApiCall, ApiRoute
from notte_mcp.api.contract import CONTRACT, Endpoint
from notte_mcp.api.faults import not_served


def _route(endpoint: Endpoint) -> ApiRoute:
    async def refuse(_call: ApiCall) -> Response:
        raise not_served(f"{endpoint.method} {endpoint.path} is not served by notte-mcp: {endpoint.note}.")

    return ApiRoute(endpoint.method, endpoint.path, refuse)


ROUTES: Final = tuple(_route(endpoint) for endpoint in CONTRACT if endpoint.how == "absent")
