"""Where a keeper is found: its folder in the state folder, and which state folder is meant.

    STATE/keeper/      0700, ours
      socket           the Unix socket; or `port`: a loopback port and its token
      life.lock        locked for as long as a keeper lives; holds its process id
      start.lock       locked by whoever starts one
      log, log.1       what keepers had to say

A Unix socket's path may have some 100 bytes, and a state folder more: so whoever uses it
goes into the folder first (`enter`) and names it shortly.

Of the relay's path (see wanted). Below: nothing. Above: link, starting, relay, serve, commands.
"""

import os
import sys

SOCKET = "socket"
PORT = "port"
LIFE = "life.lock"
START = "start.lock"
LOG = "log"

SECRET = frozenset({"KEY", "APIKEY", "TOKEN", "SECRET", "PASSWORD", "PASSWD", "PASSPHRASE", "CREDENTIALS"})
"""A part of a variable's name that says so: a connection brings what it needs of these, and a keeper has none."""

MODELS = frozenset({"ANTHROPIC", "GOOGLE", "NOTTE", "OLLAMA", "OPENAI"})
"""Whose addresses hold a password at times."""

OURS = frozenset({"profiles", "run", "sessions"})
"""What a state folder of this program has in it."""

_OTHERS = 0o077
_KIND, _FOLDER = 0o170000, 0o040000


class FolderUnusable(Exception):
    """The state folder cannot hold a keeper; the text says why."""


def is_secret(name: str) -> bool:
    """Whether a variable of this name stays out of the keeper's environment: nothing there needs it."""
    parts = name.upper().split("_")
    return not SECRET.isdisjoint(parts) or (parts[-2:] == ["BASE", "URL"] and parts[0] in MODELS)


def config_file(environ: dict[str, str]) -> str:
    """The TOML file that the settings look for, with this environment."""
    if sys.platform == "linux":
        return os.path.join(_home(environ, "XDG_CONFIG_HOME", "~/.config"), "notte-mcp", "config.toml")
    from platformdirs import user_config_dir

    return os.path.join(user_config_dir("notte-mcp", appauthor=False), "config.toml")


def state_dir(flags: dict[str, str], environ: dict[str, str]) -> str:
    """The state folder that these flags, this environment and the TOML file mean, as an absolute path."""
    named = {name.upper(): value for name, value in environ.items()}
    found = flags.get("state_dir") or named.get("NOTTE_MCP_STATE_DIR")
    return absolute(found or _configured(config_file(environ)) or _default(environ))


def absolute(path: str) -> str:
    """As the settings read a path."""
    return os.path.join(here(), os.path.expanduser(path))


def here() -> str:
    """The working folder; the root where that is gone."""
    try:
        return os.getcwd()
    except OSError:
        return os.path.abspath(os.sep)


def enter(state: str, *, closing: bool = True) -> str:
    """Make or verify the keeper's folder and go into it; gives its path. `closing`: a state folder that is ours or empty
    is closed to others.

    Raises:
        FolderUnusable: it or the state folder cannot be made, or belongs to or is open to others.
    """
    folder = f"{state}/keeper"
    try:
        os.makedirs(state, 0o700, exist_ok=True)
        _verify(state, closing=closing)
        os.makedirs(folder, 0o700, exist_ok=True)
        _verify(folder)
        os.chdir(folder)
    except OSError as error:
        raise FolderUnusable(f"{folder} cannot be made or read ({error.strerror})") from error
    return folder


def missing(state: str) -> list[str]:
    """What `enter` would make, innermost first."""
    return [folder for folder in (f"{state}/keeper", state) if not os.path.lexists(folder)]


def undo(made: list[str]) -> None:
    """Leave and remove what `enter` made for a start that came to nothing, unless there is something in it by now."""
    if not made:
        return
    os.chdir(os.sep)
    try:
        log = f"{made[0]}/{LOG}"
        if os.path.exists(log) and not os.path.getsize(log):
            os.unlink(log)
        if os.listdir(made[0]) == [START]:
            os.unlink(f"{made[0]}/{START}")
        for folder in made:
            os.rmdir(folder)
    except OSError:
        pass  # another's by now


def _verify(folder: str, *, closing: bool = False) -> None:
    found = os.lstat(folder)
    if found.st_mode & _KIND != _FOLDER:
        raise FolderUnusable(f"{folder} is not a folder")
    if sys.platform == "win32":
        return
    if found.st_uid != os.geteuid():
        raise FolderUnusable(f"{folder} belongs to another user (uid {found.st_uid})")
    if not found.st_mode & _OTHERS:
        return
    # As the server does (state_folder): what is ours or empty, and no folder that something else lives in.
    if not closing or not ((names := frozenset(os.listdir(folder))) >= OURS or not names):
        raise FolderUnusable(f"other users may open {folder}")
    os.chmod(folder, 0o700)


# Where the settings look, in their words (settings.default_state_dir), for who cannot wait for them.


def _home(environ: dict[str, str], name: str, default: str) -> str:
    return environ.get(name, "").strip() or os.path.expanduser(default)


def _default(environ: dict[str, str]) -> str:
    if sys.platform == "linux":
        return os.path.join(_home(environ, "XDG_DATA_HOME", "~/.local/share"), "notte-mcp")
    from platformdirs import user_data_dir

    return user_data_dir("notte-mcp", appauthor=False)


def _configured(path: str) -> str:
    try:
        with open(path, "rb") as file:
            text = file.read()
    except OSError:
        return ""
    if b"state_dir" not in text:
        return ""
    import tomllib

    try:
        return str(tomllib.loads(text.decode()).get("state_dir") or "")
    except ValueError:
        return ""  # the keeper, or the server in its place, says what is wrong with it
