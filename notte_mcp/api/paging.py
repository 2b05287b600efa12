"""Pages of a list, as the contract cuts them.

Below: calls. Above: every module that lists.
"""

from collections.abc import Sequence
from typing import Any, Final, TypeVar

from notte_mcp.api.calls import ApiCall

T = TypeVar("T")

PAGE_SIZE: Final = 10
MAX_PAGE_SIZE: Final = 100


def page_of(call: ApiCall, items: Sequence[T]) -> tuple[Sequence[T], dict[str, Any]]:
    """(the items of the page that is asked for, what the answer says of it besides). Raises: ApiFault (422)."""
    page = call.number("page", 1, least=1)
    size = call.number("page_size", PAGE_SIZE, least=1, most=MAX_PAGE_SIZE)
    begin = (page - 1) * size
    more = begin + size < len(items)
    return items[begin : begin + size], {
        "page": page, "page_size": size, "has_next": more, "has_previous": page > 1,
    }  # fmt: skip
