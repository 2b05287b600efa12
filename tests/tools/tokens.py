"""How many tokens a text costs, exactly: o200k_base is the yardstick of all this project's numbers."""

import warnings
from functools import cache
from typing import Any


@cache
def _encoding() -> Any:
    with warnings.catch_warnings():
        # It reads its tables in a way that Python is about to drop.
        warnings.simplefilter("ignore", DeprecationWarning)
        from bpe_openai import get_encoding  # pyright: ignore[reportMissingTypeStubs]

        return get_encoding("o200k_base")


def tokens(text: str) -> int:
    """The exact number."""
    return len(_encoding().encode(text))
