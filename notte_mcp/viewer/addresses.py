"""What a person writes into the address bar, as the URLs that it may mean.

Below: nothing. Above: hands, account.
"""

import re
from ipaddress import ip_address
from typing import Final

_HOST: Final = re.compile(r"(?:\[([0-9a-fA-F:.]+)\]|([^\s/?#:@\[\]]+))(?::\d*)?(?=[/?#]|$)")
_NEAR: Final = (".localhost", ".local", ".lan", ".internal", ".home.arpa")


def meant(text: str) -> tuple[str, ...]:
    """URLs to try, one after the other: as it stands where it has a scheme; without one `http://` for what is on this
    machine or in its network, where hardly anything speaks TLS, and else `https://`, then `http://`."""
    text = text.strip()
    if "://" in text or text.startswith("about:"):
        return (text,)
    return (f"http://{text}",) if is_near(text) else (f"https://{text}", f"http://{text}")


def is_near(text: str) -> bool:
    """Whether a bare address is of this machine or of the network that it is in."""
    found = _HOST.match(text)
    if found is None:
        return False
    host = (found[1] or found[2]).lower().rstrip(".")
    try:
        address = ip_address(host)
    except ValueError:
        return "." not in host or host.endswith(_NEAR) or bool(re.fullmatch(r"127(\.\d{1,3}){1,3}", host))
    return address.is_private or address.is_loopback or address.is_link_local or address.is_unspecified


def shown(url: str) -> str:
    """A page's address as a person may know it: none where the browser shows why it has no page."""
    return "" if url.startswith("chrome-error:") else url
