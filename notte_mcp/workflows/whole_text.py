"""Text without half characters: what no file, no database and no other program could hold.

A page's script can make strings that are no Unicode (one half of a surrogate pair). What
an action holds is checked when it is parsed; names, addresses and messages come as they are.

Below: nothing. Above: targets, landmark_texts, generalising.
"""

from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar, cast

_T = TypeVar("_T")


def is_whole(text: str) -> bool:
    """Whether the text has a UTF-8 form."""
    return whole(text) == text


def whole(value: _T) -> _T:
    """The value (texts, tuples and dataclasses of them) with a `?` in place of each half character."""
    return cast(_T, _whole(value))


def _whole(value: Any) -> Any:
    if isinstance(value, str):
        return value if value.isascii() else value.encode("utf-8", "replace").decode()
    if isinstance(value, tuple):
        return tuple(map(_whole, cast(tuple[Any, ...], value)))
    if not is_dataclass(value) or isinstance(value, type):
        return value
    olds = {field.name: getattr(value, field.name) for field in fields(value)}
    news = {name: _whole(old) for name, old in olds.items()}
    return value if news == olds else replace(value, **news)
