"""Cookies between the Notte contract's form and Playwright's, which is ours.

Values are secrets: what passes through here is for browsers and their stored state, never for a text.

Below: errors. Above: session, cloud, api (which takes and gives the contract's form).
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from notte_mcp.errors import InvalidArgument

_SAME_SITE: Final = {"lax": "Lax", "none": "None", "strict": "Strict", "no_restriction": "None"}


def _same_site(cookie: Mapping[str, Any]) -> str | None:
    value = cookie.get("sameSite")
    return _SAME_SITE.get(value.lower()) if isinstance(value, str) else None


def cookie_from_wire(cookie: Mapping[str, Any]) -> dict[str, Any] | None:
    """Their cookie in Playwright's form (`expires` -1: until the browser ends); None where it is none."""
    name, domain = cookie.get("name"), cookie.get("domain")
    if not isinstance(name, str) or not isinstance(domain, str) or not domain:
        return None
    ends = next((at for key in ("expires", "expirationDate") if isinstance(at := cookie.get(key), int | float)), -1)
    found: dict[str, Any] = {
        "name": name,
        "value": str(cookie.get("value") or ""),
        "domain": domain,
        "path": str(cookie.get("path") or "/"),
        "expires": -1 if cookie.get("session") is True or ends <= 0 else ends,
        "httpOnly": cookie.get("httpOnly") is True,
        "secure": cookie.get("secure") is True,
        "sameSite": _same_site(cookie) or "Lax",
    }
    if isinstance(key := cookie.get("partitionKey"), str) and key:
        found["partitionKey"] = key
    return found


def cookies_from_wire(cookies: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """All of them that are cookies."""
    return [found for one in cookies if (found := cookie_from_wire(one)) is not None]


def cookie_to_wire(cookie: Mapping[str, Any]) -> dict[str, Any]:
    """A cookie in Playwright's form as theirs, with the fields that they need and those that were given.

    Raises:
        InvalidArgument: it has no name, or says neither a domain nor a URL.
    """
    parts = urlsplit(str(cookie.get("url") or ""))
    name, domain = cookie.get("name"), cookie.get("domain") or parts.hostname
    if not isinstance(name, str) or not isinstance(domain, str) or not domain:
        raise InvalidArgument("A cookie needs a name, a value and a domain (or a url).", next_call="the call with them")
    found: dict[str, Any] = {
        "name": name,
        "value": str(cookie.get("value", "")),
        "domain": domain,
        "path": cookie.get("path") or "/",
        "httpOnly": cookie.get("httpOnly") is True,
    }
    if isinstance(ends := cookie.get("expires"), int | float):
        # Their clients fill either of the two from the other.
        found |= {"expires": ends, "expirationDate": ends} if ends > 0 else {"session": True}
    if isinstance(secure := cookie.get("secure"), bool) or parts.scheme == "https":
        found["secure"] = secure if isinstance(secure, bool) else True
    if (same_site := _same_site(cookie)) is not None:
        found["sameSite"] = same_site
    if isinstance(key := cookie.get("partitionKey"), str) and key:
        found["partitionKey"] = key
    return found
