"""Runs: a workflow done again without a model, for its own sake (run) or to see whether it holds (verify)."""

from notte_mcp.runs.beginning import RunRequest
from notte_mcp.runs.runs import Runs
from notte_mcp.runs.scripts import Place, Script

__all__ = ["Place", "RunRequest", "Runs", "Script"]
