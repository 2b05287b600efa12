"""Text of a page among text of ours: between marks that it cannot close.

Below: observations. Above: history, prompts.
"""

import re
from typing import Final

from notte_mcp.observations import clean

MARK: Final = "page"
"""What stands between `<page>` and `</page>` was written by a page."""

# Our own marks however spelled, and the control words with which chat templates end a message (`<|im_end|>`).
_OURS: Final = re.compile(rf"<(?=\s*/?\s*{MARK}\b|\s*\|)", re.IGNORECASE)


def harmless(text: str) -> str:
    """`text` of a page, without what could end the marks around it or the message it stands in."""
    return _OURS.sub("\u2039", clean(text))


def marked(text: str) -> str:
    """`text` of a page between the marks."""
    return f"<{MARK}>\n{harmless(text).strip()}\n</{MARK}>"
