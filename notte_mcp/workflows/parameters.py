"""What a script is given from outside: named parameters for typed texts, paths and secrets.

A name comes from the field that the text was typed into. A secret is known by the
name of an environment variable alone; its value is never here.

Below: nothing. Above: workflow, the script writers.
"""

import builtins
import keyword
import re
import unicodedata
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Final, Literal

ParameterType = Literal["str", "path"]

_LONGEST_NAME: Final = 40
_LONGEST_ENV: Final = 60

# Names that a written script uses itself, or that stand for one of its options.
_SCRIPT: Final = frozenset(
    {
        "answers", "argparse", "arguments", "asyncio", "browser", "choose", "chooser_of", "client", "close_tab",
        "context", "contextlib", "dialog", "download_of", "downloads", "expect", "fill_form_field", "frame", "headed",
        "json", "launch", "main", "options", "os", "page", "playwright", "popup_of", "pytest", "re", "read", "redacted", "run",
        "save", "session", "shown", "shutil", "storage_state", "sys", "response",
    }
)  # fmt: skip

# Fixtures of pytest and pytest-playwright: a parameter of a test with such a name would be that.
_FIXTURES: Final = frozenset(
    {
        "base_url", "browser_channel", "browser_context_args", "browser_name", "browser_type", "browser_type_launch_args",
        "cache", "capfd", "capsys", "caplog", "connect_options", "delete_output_dir", "device", "doctest_namespace",
        "is_chromium", "is_firefox", "is_webkit", "launch_browser", "monkeypatch", "new_context", "output_path",
        "pytestconfig", "record_property", "recwarn", "request", "slowmo", "subtests", "tmp_path", "tmp_path_factory",
        "tmpdir", "verify_base_url",
    }
)  # fmt: skip
_TAKEN: Final = _SCRIPT.union(_FIXTURES, dir(builtins), keyword.kwlist, keyword.softkwlist)


@dataclass(frozen=True, slots=True)
class Parameter:
    """One input of a script. `default` is what was recorded; a secret has none, but the `env` it is read from."""

    name: str
    type: ParameterType = "str"
    default: str | None = None
    secret: bool = False
    env: str | None = None


@dataclass(slots=True)
class ParameterList:
    """The parameters of one script while it is made: each name is given once."""

    by_name: dict[str, Parameter] = field(default_factory=dict[str, Parameter])

    def text(self, wish: str, default: str, kind: ParameterType = "str") -> Parameter:
        """A parameter named like `wish`; the same one again for the same wish and default."""
        return self._add(Parameter(identifier(wish), type=kind, default=default))

    def secret(self, name: str) -> Parameter:
        """The parameter of the secret with this NAME, always the same one."""
        env = env_name(name)
        return self._add(Parameter(identifier(env), secret=True, env=env))

    def _add(self, wished: Parameter) -> Parameter:
        number = 1
        while True:
            name = wished.name if number == 1 else f"{wished.name}_{number}"
            parameter = replace(wished, name=name)
            if self.by_name.setdefault(name, parameter) == parameter:
                return parameter
            number += 1


def identifier(wish: str) -> str:
    """A snake_case name that is free of meaning in Python and in the scripts."""
    name = _ascii_words(wish).lower()[:_LONGEST_NAME].strip("_")
    if not name or not name[0].isalpha():
        name = f"value_{name}".rstrip("_")
    return f"{name}_value" if name in _TAKEN else name


def first_name(wishes: Iterable[str | None]) -> str:
    """The first of these that has letters to make a name of; `value` where none has."""
    return next((wish for wish in wishes if wish and re.search("[A-Za-z]", _ascii_words(wish))), "value")


def env_name(name: str) -> str:
    """`name` as the name of an environment variable."""
    words = _ascii_words(name).upper()
    if not words:
        return "SECRET"
    if len(words) > _LONGEST_ENV:
        # Told apart from others that begin alike.
        words = f"{words[:_LONGEST_NAME]}_{zlib.crc32(words.encode()):08X}"
    return words if words[0].isalpha() else f"SECRET_{words}"


def _ascii_words(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    # `firstName` is two words, as `order-form` is.
    split = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", plain)
    return re.sub(r"[^A-Za-z0-9]+", "_", split).strip("_")
