"""A session's proxy, from a URL to what Playwright takes.

Below: errors. Above: `engine`.
"""

from collections.abc import Sequence
from urllib.parse import unquote, urlsplit

from playwright.async_api import ProxySettings

from notte_mcp.errors import InvalidArgument


def proxy_settings(proxy: str | None, *, never: Sequence[int] = ()) -> ProxySettings | None:
    """Playwright's form of `http://user:password@host:port` (also https and socks5), or None. What goes to a port of
    `never` is not given to the proxy, which might reach what the browser itself is kept from.

    Raises:
        InvalidArgument: not a proxy URL. Its text does not repeat the URL, which may hold a password.
    """
    if proxy is None:
        return None
    refusal = InvalidArgument("session.proxy is no proxy URL.", next_call="use http://user:password@host:port")
    try:
        parts = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
        host, port = parts.hostname, parts.port
    except ValueError:
        raise refusal from None
    if not host or not port or parts.scheme not in ("http", "https", "socks5"):
        raise refusal
    # Chromium leaves loopback out of a proxy unless told so; a session with a proxy uses it for everything.
    found = ProxySettings(
        server=f"{parts.scheme}://{host}:{port}", bypass=",".join(("<-loopback>", *(f"*:{port}" for port in never)))
    )
    if parts.username:
        found["username"] = unquote(parts.username)
        found["password"] = unquote(parts.password or "")
    return found
