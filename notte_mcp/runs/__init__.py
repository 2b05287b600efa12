"""Runs: a workflow done again without a model, for its own sake (run) or to see whether it holds (verify)."""

from notte_mcp.runs.runs import RunRequest, Runs, Script

__all__ = ["RunRequest", "Runs", "Script"]
