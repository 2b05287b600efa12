"""Which URLs a session in the cloud is sent to: http and https, and nothing that only this machine has.

Below: errors. Above: session.
"""

import re
from typing import Final
from urllib.parse import urlsplit

from notte_mcp.errors import UnsupportedUrl
from notte_mcp.observations import clean_line

_SCHEME: Final = re.compile(r"^([a-zA-Z][a-zA-Z0-9+.-]*):(?!\d)")


def normal_url(text: str) -> str:
    """A URL that may be opened; a bare host gets https.

    Raises:
        UnsupportedUrl: another scheme, or no URL.
    """
    url = text.strip()
    if url == "about:blank":
        return url
    found = _SCHEME.match(url)
    if found is None:
        url = f"https://{url}"
    elif found[1].lower() not in ("http", "https"):
        raise UnsupportedUrl(
            f"{found[1].lower()}: URLs are not opened, only http and https.", next_call="goto an http(s) URL"
        )
    try:
        host = urlsplit(url).hostname
    except ValueError:
        host = None
    if not host or re.search(r"[\s\x00-\x1f]", url):
        raise UnsupportedUrl(
            f"{clean_line(text, 100)!r} is no URL.", next_call="goto a full URL such as https://example.org/"
        )
    return url
