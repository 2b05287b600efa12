"""The registry: every live session by id, and the one place where acts are recorded."""

from notte_mcp.registry.batch import Batch
from notte_mcp.registry.clock import Clock, SystemClock
from notte_mcp.registry.hold import Hold
from notte_mcp.registry.live import LiveSession
from notte_mcp.registry.places import Count, Limits, Places
from notte_mcp.registry.redaction import Redactor
from notte_mcp.registry.registry import Registry

__all__ = [
    "Batch", "Clock", "Count", "Hold", "Limits", "LiveSession", "Places", "Redactor", "Registry", "SystemClock",
]  # fmt: skip
