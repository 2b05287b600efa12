"""What is wrong with a setting, in words for who set it: which one, why, and what one looks like that fits.

Below: nothing. Above: settings.
"""

import re
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Final

from pydantic import ValidationError

PREFIX: Final = "NOTTE_MCP_"
"""Of every variable that is a setting."""

_EXAMPLES: Final = {
    "upload_dirs": '["/home/me/letters"]',
    "http_tokens": '{"alice": "a-token-of-sixteen-or-more"}',
    "http_allowed_hosts": '["mcp.example.com"]',
    "http_allowed_origins": '["https://app.example.com"]',
}
"""Of the variables that are JSON."""


def does_not_fit(error: ValidationError, config: Path, known: Collection[str]) -> str:
    """What is wrong with the first value that does not fit. `known` are the names of all settings."""
    wrong = error.errors(include_url=False, include_input=False)[0]
    first, name = str(wrong["loc"][0]), ".".join(map(str, wrong["loc"]))
    if wrong["type"] == "extra_forbidden":
        near = nearest(first.lower(), known)
        return f"{config} sets {name}, and there is no such setting." + (f" Is {near} meant?" if near else "")
    example = f", such as {PREFIX}{first.upper()}='{_EXAMPLES[first]}'" if first in _EXAMPLES else ""
    why = wrong["msg"].removeprefix("Value error, ")
    return f"the setting {name} (flag, {PREFIX}{first.upper()} or {config}) is wrong: {why}{example}."


def no_json(text: str) -> str:
    """What is wrong with a variable that is no JSON."""
    # The value is not repeated: it may be a token.
    found = re.search(r'field "(\w+)"', text)
    if found is None or (name := found[1]) not in _EXAMPLES:
        return f"the settings cannot be read: {text}."
    return f"{PREFIX}{name.upper()} (the setting {name}) is no JSON; it is wanted like '{_EXAMPLES[name]}'."


def nearest(name: str, known: Iterable[str]) -> str:
    """The name that may be meant; "" where none is near."""
    from difflib import get_close_matches

    return next(iter(get_close_matches(name, known, n=1)), "")
