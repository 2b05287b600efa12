"""The Notte cloud and the local API: whether there is a key, who answers at its address, and what their extras bring.

The key is neither shown nor sent: `/health` wants none. Without a key nothing is asked at all.

Below: finding, settings. Above: examining.
"""

from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any, Final, cast
from urllib.parse import urlsplit

from notte_mcp.doctor.finding import Finding, failure, ok, warning
from notte_mcp.settings import Settings

ANSWER_S: Final = 2.0

_OF_API: Final = ("starlette", "uvicorn", "websockets", "python_multipart")


def check(settings: Settings, *, fix: bool) -> Iterator[Finding]:
    """Findings of the cloud and of the local API; nothing is changed or paid for."""
    del fix
    key = settings.notte_api_key
    if key is None or not key.get_secret_value().strip():
        yield ok("cloud", "No NOTTE_API_KEY, and none is needed: browsers run on this machine.")
    else:
        yield _answering(settings.notte_api_url)
        if find_spec("websockets") is None:
            yield warning(
                "cloud", "Logs of cloud agents are asked for again and again, not listened to.", _extra("cloud")
            )
    if any(find_spec(name) is None for name in _OF_API):
        yield ok("api", f"`notte-mcp api` needs an extra ({_extra('api')}).")
    else:
        yield ok("api", "`notte-mcp api` has what it needs.")


def _answering(url: str) -> Finding:
    import httpx

    place = urlsplit(url).netloc.rpartition("@")[2] or url
    try:
        answer = httpx.get(f"{url.rstrip('/')}/health", timeout=ANSWER_S)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        why = f"A key is set, and the Notte API does not answer at {place} within {ANSWER_S:.0f} s"
        return warning("cloud", f"{why} ({type(error).__name__}).", "look at the network, or at NOTTE_API_URL")
    told = _told(answer)
    if answer.is_success and (version := told.get("version")):
        return ok("cloud", f"A key is set, and the Notte API answers at {place} (version {str(version)[:40]}).")
    if answer.is_server_error:
        return warning(
            "cloud", f"A key is set, and {place} is not well (HTTP {answer.status_code}).", "try again later"
        )
    return failure("cloud", f"What answers at {place} is not the Notte API.", "correct NOTTE_API_URL, or leave it out")


def _told(answer: Any) -> dict[str, Any]:
    try:
        found: Any = answer.json()
    except ValueError:
        return {}
    return cast(dict[str, Any], found) if isinstance(found, dict) else {}


def _extra(name: str) -> str:
    return f'pip install "PATH[{name}]", PATH being this notte-mcp\'s folder (PyPI has another project of that name)'
