"""The docstring at the top of a written script: what it is, what made it, when it was last seen to work.

Below: workflow, source. Above: the script writers.
"""

import textwrap
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from notte_mcp import __version__
from notte_mcp.actions import EvaluateJs, Goto, GotoNewTab, Scrape, ScrollDown, ScrollUp, WaitFor
from notte_mcp.workflows.source import WIDTH
from notte_mcp.workflows.workflow import Workflow

_LONGEST_SOURCE: Final = 100
_LOOKS: Final = (EvaluateJs, Goto, GotoNewTab, Scrape, ScrollDown, ScrollUp, WaitFor)
_READS: Final = (EvaluateJs, Scrape)


@dataclass(frozen=True, slots=True)
class Provenance:
    """What a script's header says of it: what it was made from, and when it was last seen to work (Unix seconds)."""

    source: str = ""
    verified_at: float | None = None


def heading(title: str, workflow: Workflow, provenance: Provenance, needs: Sequence[str]) -> str:
    """The docstring. `needs` are lines that say what the script wants to be run."""
    lines = [f'"""{title}', "", *_wrapped(_made(provenance)), _verified(provenance)]
    actions = [step.action for step in workflow.steps if step.action is not None]
    if actions and all(isinstance(action, _LOOKS) for action in actions):
        lines.append("It only reads." if any(isinstance(a, _READS) for a in actions) else "It only opens pages.")
    return "\n".join([*lines, "", *needs, '"""'])


def _made(provenance: Provenance) -> str:
    source = f" from {_plain(provenance.source)}" if provenance.source else ""
    return f"Written by notte-mcp {__version__}{source}."


def _verified(provenance: Provenance) -> str:
    when = provenance.verified_at
    return (
        "Never verified." if when is None else f"Last verified {datetime.fromtimestamp(when, UTC):%Y-%m-%d %H:%M} UTC."
    )


def _plain(text: str) -> str:
    """A text that can end no docstring and hides nothing."""
    kept = "".join(
        c for c in text if c.isprintable() and c not in '"\\' and not unicodedata.category(c).startswith("C")
    )
    return " ".join(kept.split())[:_LONGEST_SOURCE]


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, WIDTH - 2, break_long_words=False, break_on_hyphens=False)
