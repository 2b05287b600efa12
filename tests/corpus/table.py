"""All flows of the corpus, and the few that stand for its breadth.

Below: forms, places, widgets. Above: `__main__`, the test.
"""

from typing import Final

from tests.corpus.flows import Flow
from tests.corpus.forms import FORMS
from tests.corpus.places import PLACES
from tests.corpus.widgets import WIDGETS

FLOWS: Final[tuple[Flow, ...]] = (*FORMS, *PLACES, *WIDGETS)

BY_NAME: Final = {flow.name: flow for flow in FLOWS}

BREADTH: Final = ("order", "frame-other-origin", "rebuilt-list", "shadow-roots", "new-tab", "uploads")
"""A whole order with a secret, a frame of another process, nodes that are built anew; shadow roots, tabs, files."""

CHANGED: Final = "every-control"
"""Run on a changed page, too: a dozen controls in another order."""
