"""Identifiers: what they look like, how they are made, what they may be mistaken for.

Session and agent ids are opaque handles with 128 random bits (SEP-2567 asks for that
much), so that knowing one proves it was handed out. Element ids are short on
purpose, since a model repeats them in every action: a letter by role after
Notte's scheme (B button-like, L link, I input, F figure, O option, M other)
and a number that never returns within a session.

Below: nothing. Above: everything.
"""

import re
import secrets
from typing import Final

SESSION_PREFIX: Final = "ses_"
AGENT_PREFIX: Final = "agt_"
RUN_PREFIX: Final = "run_"

_ELEMENT_ID: Final = re.compile(r"^@?([IBLMFO][1-9]\d{0,8})$")
_SESSION_ID: Final = re.compile(r"^ses_[0-9a-z]{26}$")
_AGENT_ID: Final = re.compile(r"^agt_[0-9a-z]{26}$")
_RUN_ID: Final = re.compile(r"^run_[0-9a-z]{26}$")
_ALPHABET: Final = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32: no i, l, o, u

LETTERS: Final = "BLIFOM"
"""All element id letters."""

_LETTER_BY_ROLE: Final = {
    "link": "L",
    "button": "B",
    "tab": "B",
    "menuitem": "B",
    "menuitemcheckbox": "B",
    "menuitemradio": "B",
    "radio": "B",
    "checkbox": "B",
    "switch": "B",
    "combobox": "I",
    "textbox": "I",
    "searchbox": "I",
    "listbox": "I",
    "slider": "I",
    "spinbutton": "I",
    "password": "I",
    "file": "I",
    "date": "I",
    "time": "I",
    "color": "I",
    "img": "F",
    "figure": "F",
    "option": "O",
}


def new_session_id() -> str:
    """A fresh session id: `ses_` and 26 characters of base 32 (130 random bits)."""
    return SESSION_PREFIX + _random()


def new_agent_id() -> str:
    """A fresh agent id: `agt_` and 26 characters of base 32 (a task handle's id too, so it must not be guessable)."""
    return AGENT_PREFIX + _random()


def new_run_id() -> str:
    """A fresh id of a workflow's run: `run_` and 26 characters of base 32."""
    return RUN_PREFIX + _random()


def _random() -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(26))


def is_session_id(text: str) -> bool:
    """Whether `text` has the form of a session id (not whether it exists)."""
    return _SESSION_ID.match(text) is not None


def is_agent_id(text: str) -> bool:
    """Whether `text` has the form of an agent id (not whether it exists)."""
    return _AGENT_ID.match(text) is not None


def is_run_id(text: str) -> bool:
    """Whether `text` has the form of a run's id (not whether it exists)."""
    return _RUN_ID.match(text) is not None


def element_id(text: str) -> str | None:
    """The element id that `text` spells (`B3`, or `@B3` as Notte's CLI writes it), else None."""
    found = _ELEMENT_ID.match(text)
    return found.group(1) if found else None


def letter_for(role: str) -> str:
    """The id letter of an element with this role."""
    return _LETTER_BY_ROLE.get(role, "M")


def secret_name(label: str) -> str:
    """The NAME that a secret value goes by in records and scripts, from what its field is called.

    `Access code` gives `SECRET_ACCESS_CODE`. The prefix is ours because the label is the
    page's: without it, a page could name a variable of whoever runs the script.
    """
    words = re.sub(r"[^A-Za-z0-9]+", "_", label).strip("_").upper()[:40].rstrip("_")
    return f"SECRET_{words}" if words else "SECRET"
