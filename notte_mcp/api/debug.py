"""Not here yet."""

from typing import Final

from notte_mcp.api.calls import ApiRoute

ROUTES: Final[tuple[ApiRoute, ...]] = ()
