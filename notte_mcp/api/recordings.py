"""Not here yet."""

from typing import Final

from notte_mcp.api.calls import ApiRoute

ROUTES: Final[tuple[ApiRoute, ...]] = ()


def is_video(path: str) -> bool:
    """Whether this path is a recording's, whose token may stand in its address."""
    return path.endswith("/replay/video.mp4")
