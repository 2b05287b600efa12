"""`notte-mcp serve`: MCP over Streamable HTTP, for one principal or several, until it is told to end.

What cannot begin is refused here, before what serves is imported. Below: listening; http, state_folder, settings.
Above: commands.
"""

import gc
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Final

import anyio

from notte_mcp import logs
from notte_mcp.http import beginning, token_file
from notte_mcp.http.address import bind
from notte_mcp.settings import OWNER, Settings
from notte_mcp.state_folder import StateFolder

if TYPE_CHECKING:
    from notte_mcp.serve.principals import OpenApp
    from notte_mcp.viewer.viewer import Viewer

TOKEN_FILE: Final = "http-token"  # noqa: S105 - its name
"""In the state folder: the token that the server made."""

_ASKED: Final = (
    "token has to come from you: set NOTTE_MCP_HTTP_TOKEN (one) or NOTTE_MCP_HTTP_TOKENS (names and tokens, as JSON)."
)


def run(settings: Settings, open_app: "OpenApp | None" = None) -> int:
    """Serve; gives the exit code where that cannot begin (once it serves, the process is left by lifetime).
    `open_app` is for tests: it opens the App of a principal."""
    logs.configure(settings.log_level)
    try:
        StateFolder.open(settings.state_dir).close()
        tokens = _tokens(settings)
        given = _are_given(settings)
        beginning.require_names(settings.http_host, asked="" if given else _ASKED, hosts=settings.http_allowed_hosts)
        address = bind(settings.http_host, settings.http_port)
        gc.disable()  # what is imported stays: collecting garbage meanwhile costs a tenth of the start and finds none
        from notte_mcp.serve import listening

        gc.enable()
        viewer = _viewer(settings, tokens)
    except beginning.REFUSALS as error:
        return beginning.failed(error)
    made = None if given else settings.state_dir / TOKEN_FILE
    anyio.run(partial(listening.serve, settings, tokens, address, viewer, made=made, open_app=open_app))
    return 1  # not reached


def show_token(settings: Settings) -> int:
    """Say the token that this server made, or makes now, on stdout; gives the exit code."""
    if _are_given(settings):
        return beginning.failed("The tokens are those of your settings; none was made.")
    return beginning.show(settings.state_dir, lambda: token_file.token_in(settings.state_dir, TOKEN_FILE))


def _are_given(settings: Settings) -> bool:
    """Whether the tokens are those of the settings."""
    return settings.http_token is not None or bool(settings.http_tokens)


def _tokens(settings: Settings) -> dict[str, str]:
    """The token of each principal."""
    given = {name: secret.get_secret_value() for name, secret in settings.http_tokens.items()}
    if settings.http_token is not None:
        given[OWNER] = settings.http_token.get_secret_value()
    return given or {OWNER: token_file.token_in(settings.state_dir, TOKEN_FILE)}


def _viewer(settings: Settings, tokens: Mapping[str, str]) -> "Viewer | None":
    """The live view, for the owner alone: an address of loopback is nothing to who is elsewhere."""
    if OWNER not in tokens or settings.for_others or not settings.viewer:
        return None
    from notte_mcp.viewer.viewer import Viewer

    return Viewer.bind(settings.viewer_port)
