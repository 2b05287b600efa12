"""JSON as it is sent. Texts of pages may hold half a character, which UTF-8 has not and JSON can escape.

Below: nothing. Above: faults, calls.
"""

import json
from typing import Any

from starlette.responses import JSONResponse


class JsonAnswer(JSONResponse):
    """A response of JSON, whatever its texts hold."""

    def render(self, content: Any) -> bytes:
        try:
            return super().render(content)
        except UnicodeEncodeError:
            return json.dumps(content, allow_nan=False, separators=(",", ":")).encode()
