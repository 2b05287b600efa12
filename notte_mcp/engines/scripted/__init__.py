"""The shipped double: an engine without a browser, over pages written down in Python.

For tests and examples that need a session but no Chromium. It holds to the same
contract as the real one (stable ids, views, receipts, lost browsers). Where a
test wants something to take time, an element or a page has a `gate` that the
test opens.
"""

from notte_mcp.engines.scripted.engine import ScriptedEngine
from notte_mcp.engines.scripted.pages import ScriptedElement, ScriptedPage
from notte_mcp.engines.scripted.session import ScriptedSession

__all__ = ["ScriptedElement", "ScriptedEngine", "ScriptedPage", "ScriptedSession"]
