"""The full command line: arguments to settings to what is to run; the exit codes of the program.

Without a command it is the MCP server over stdio, through the keeper or (`--in-process`) in one process.
stdout belongs to the protocol then, so whatever is wrong before it starts is said on
stderr. Everything costly is imported where it is used: a host waits for the tool list.

Exit codes: 0 done, 1 failed, 2 the arguments or settings are wrong. Below: everything else. Above: cli.
"""

import argparse
import gc
import os
import signal
import sys
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager, suppress
from functools import partial
from importlib import import_module
from types import FrameType
from typing import TYPE_CHECKING, Any, Final

from notte_mcp import __version__

if TYPE_CHECKING:
    from pathlib import Path

    from notte_mcp.app import App
    from notte_mcp.settings import Settings
    from notte_mcp.viewer.viewer import Viewer

DONE: Final = 0
FAILED: Final = 1
WRONG: Final = 2

FLAGS: Final = ("state_dir", "browser", "no_sandbox", "headless", "log_level")
"""The flags that are settings."""

SERVE_FLAGS: Final = ("http_host", "http_port", "http_allowed_hosts", "http_allowed_origins")
"""Those of `serve` that are."""

API_FLAGS: Final = ("api_host", "api_port", "api_allowed_hosts", "api_contract")
"""Those of `api` that are."""

ALONE: Final = (
    "No keeper can live in this state folder, so agents and sessions end with this host, and other hosts do not see them "
    "live: {why}."
)

_DESCRIPTION: Final = """\
An MCP server that gives an assistant real browsers. Without a command it serves MCP on stdin and stdout."""

_EPILOG: Final = """\
Every setting is also an environment variable (NOTTE_MCP_STATE_DIR, NOTTE_MCP_BROWSER, ...) or a line in config.toml."""


def run(given: list[str], *, parent: int, alone: str = "") -> int:
    """Run the command line; gives the exit code (the server itself ends the process). `parent` is the host's process,
    and `alone` says why there is no keeper though one was wanted."""
    if given[:1] == ["demo"]:
        from notte_mcp.demo.drive import main as demo

        return demo(given[1:])
    arguments = _parser().parse_args(given)
    if arguments.command is None:
        alone = _relay(arguments, parent) or alone
        # What is imported from here on stays: collecting garbage meanwhile costs a tenth of the start and finds none.
        gc.disable()
    if arguments.command in ("doctor", "install-browser"):
        return _doctor(arguments)
    settings = _settings(arguments)
    if isinstance(settings, str):
        print(f"notte-mcp: {settings}", file=sys.stderr)
        return WRONG
    return _serve(settings, parent, alone) if arguments.command is None else _command(arguments, settings)


def _command(arguments: argparse.Namespace, settings: "Settings") -> int:
    if arguments.command == "serve":
        from notte_mcp.serve import serving

        return serving.show_token(settings) if arguments.show_token else serving.run(settings)
    if arguments.command == "api":
        from notte_mcp.api import serving as api

        return api.show_key(settings) if arguments.show_key else api.run(settings)
    if arguments.command == "sessions":
        return _sessions(settings)
    if arguments.command == "replay":
        return _replay(arguments, settings)
    if arguments.command == "viewer":
        from notte_mcp.viewer.commands import run as viewer

        return viewer(settings.state_dir, arguments.of, show=arguments.show)
    from notte_mcp.keeper.commands import run as keeper

    return keeper(arguments.keeper_command, settings.state_dir)


def _doctor(arguments: argparse.Namespace) -> int:
    # Before the settings are read: that they cannot be is one of its findings.
    from notte_mcp.doctor import commands as doctor

    if arguments.command == "install-browser":
        return doctor.install_browser()
    return doctor.run(_flags(arguments), fix=arguments.fix, as_json=arguments.json)


def _relay(arguments: argparse.Namespace, parent: int) -> str:
    """Be the relay, where the server is asked for in words that only argparse understands; why not, where it cannot."""
    from notte_mcp.keeper import relay, wanted

    flags = {name: str(value) for name in (*FLAGS, "in_process") if (value := getattr(arguments, name)) is not None}
    flags = {name: value.lower() if value in ("True", "False") else value for name, value in flags.items()}
    if wanted.wants_keeper(flags, dict(os.environ)):
        return relay.run(flags, parent)
    return ""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="notte-mcp", description=_DESCRIPTION, epilog=_EPILOG)
    parser.add_argument("--version", action="version", version=f"notte-mcp {__version__}")
    parser.add_argument(
        "--in-process",
        action="store_true",
        default=None,
        help="run browsers and agents in this process, which ends with the host, instead of in a keeper that outlives it",
    )
    parser.add_argument("--state-dir", metavar="PATH", help="where sessions, files and profiles are kept")
    parser.add_argument("--browser", metavar="PATH", help="the Chromium to use")
    parser.add_argument(
        "--no-sandbox", action="store_true", default=None, help="run Chromium without its sandbox (root has to)"
    )
    window = parser.add_mutually_exclusive_group()
    window.add_argument("--headless", dest="headless", action="store_true", default=None, help="no window (default)")
    window.add_argument("--headful", dest="headless", action="store_false", default=None, help="with a window")
    parser.add_argument("--log-level", choices=("debug", "info", "warning", "error"), help="default: warning")
    commands = parser.add_subparsers(
        dest="command", metavar="{demo,serve,api,sessions,replay,viewer,keeper,doctor,install-browser}"
    )
    commands.add_parser("demo", help="drive a small shop and print what happens", add_help=False)
    _add_serve(commands.add_parser("serve", help="serve MCP over HTTP, on loopback with a token"))
    _add_api(commands.add_parser("api", help="serve the Notte API over the browsers of this machine"))
    commands.add_parser("sessions", help="list the sessions that are kept")
    _add_replay(commands.add_parser("replay", help="make the player and the video of a session or an agent"))
    viewer = commands.add_parser("viewer", help="where live sessions are shown, and the code to act there")
    viewer.add_argument("of", nargs="?", metavar="ID", help="this session alone")
    viewer.add_argument("--open", dest="show", action="store_true", help="open it in your browser")
    keeper = commands.add_parser("keeper", help="look at the keeper of the state folder, or end it")
    keeper.add_argument("keeper_command", choices=("status", "stop"), metavar="{status,stop}")
    doctor = commands.add_parser("doctor", help="look at browser, folders, keys and leftovers, and say what mends them")
    doctor.add_argument("--fix", action="store_true", help="mend what is safe to mend")
    doctor.add_argument("--json", action="store_true", help="print the findings as JSON")
    commands.add_parser("install-browser", help="find a Chromium that starts, or install one")
    return parser


def _add_serve(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--host", dest="http_host", metavar="ADDRESS", help="default: 127.0.0.1")
    parser.add_argument("--port", dest="http_port", type=int, metavar="N", help="default: 8765; 0 is any free one")
    parser.add_argument(
        "--allowed-host",
        dest="http_allowed_hosts",
        action="append",
        metavar="NAME",
        help="another name it is called by",
    )
    parser.add_argument(
        "--allowed-origin",
        dest="http_allowed_origins",
        action="append",
        metavar="ORIGIN",
        help="whose web pages may call it",
    )
    parser.add_argument("--show-token", action="store_true", help="print the token that it made, and end")


def _add_api(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--host", dest="api_host", metavar="ADDRESS", help="default: 127.0.0.1")
    parser.add_argument("--port", dest="api_port", type=int, metavar="N", help="default: 8788; 0 is any free one")
    parser.add_argument(
        "--allowed-host", dest="api_allowed_hosts", action="append", metavar="NAME", help="another name it is called by"
    )
    parser.add_argument(
        "--contract",
        dest="api_contract",
        choices=("1.9", "1.10"),
        help="the SDK's version that it is for; default: that of the SDK that asks",
    )
    parser.add_argument("--show-key", action="store_true", help="print the key that it made, and end")


def _add_replay(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("of", metavar="ID", help="of a session or an agent")
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--open", dest="show", action="store_true", help="open the player in your browser")
    where.add_argument("--out", type=_replay_file, metavar="FILE", help="write it there: FILE.html or FILE.mp4")


def _replay_file(given: str) -> "Path":
    from pathlib import Path

    if (path := Path(given)).suffix.lower() not in (".html", ".mp4"):
        raise argparse.ArgumentTypeError("a replay is written as .html (the player) or .mp4 (the video)")
    return path


def _flags(arguments: argparse.Namespace) -> dict[str, Any]:
    """The flags that are settings, where they were given."""
    return {
        name: value
        for name in (*FLAGS, *SERVE_FLAGS, *API_FLAGS)
        if (value := getattr(arguments, name, None)) is not None
    }


def _settings(arguments: argparse.Namespace) -> "Settings | str":
    """The settings, or the sentence that says what is wrong with them."""
    from notte_mcp.settings import Settings, SettingsWrong

    try:
        return Settings.read(_flags(arguments))
    except SettingsWrong as error:
        return str(error)


# --- the server -------------------------------------------------------------------


def _serve(settings: "Settings", parent: int, alone: str) -> int:
    # While nothing is open yet there is nothing to close: a host that gives up early is obeyed at once.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _leave_at_once)

    import anyio

    from notte_mcp import logs

    logs.configure(settings.log_level)
    anyio.run(_serve_stdio, settings, parent, [ALONE.format(why=alone)] if alone else [])
    return FAILED  # not reached: the process is left by lifetime


def _leave_at_once(_number: int, _frame: FrameType | None) -> None:
    os._exit(DONE)


async def _serve_stdio(settings: "Settings", parent: int, notes: "Sequence[str]") -> None:
    from notte_mcp.lifetime import OnDemand, serve_until_left
    from notte_mcp.server import create_server
    from notte_mcp.stdio import serve
    from notte_mcp.viewer.viewer import Viewer

    viewer = Viewer.bind(settings.viewer_port) if settings.viewer else None
    on_demand = OnDemand(lambda: _open_app(settings, notes, viewer))
    server = create_server(on_demand, settings)
    gc.freeze()
    gc.enable()
    if viewer is None:
        return await serve_until_left(partial(serve, server), on_demand.close, parent=parent)

    async def close() -> None:
        await viewer.close()
        await on_demand.close()

    # To the person alone: nothing that the assistant reads holds the code.
    with suppress(OSError, AttributeError):  # there may be no stderr
        sys.stderr.write(f"notte-mcp: {viewer.told()}\n")
        sys.stderr.flush()
    served = partial(viewer.beside, partial(serve, server), lambda: on_demand.opened)
    return await serve_until_left(served, close, parent=parent)


@asynccontextmanager
async def _open_app(
    settings: "Settings", notes: "Sequence[str]" = (), viewer: "Viewer | None" = None
) -> "AsyncGenerator[App]":
    import anyio.to_thread

    # In a thread: it brings the database along, and whoever calls meanwhile is to be answered.
    app = await anyio.to_thread.run_sync(import_module, "notte_mcp.app")
    async with app.open_app(settings, notes=notes, view=viewer) as opened:
        yield opened


# --- other commands ---------------------------------------------------------------


def _replay(arguments: argparse.Namespace, settings: "Settings") -> int:
    from notte_mcp import replaying

    openers = [partial(_open_app, _of_folder(settings, *one)) for one in _databases(settings)]
    return replaying.run(openers, arguments.of, out=arguments.out, show=arguments.show)


def _sessions(settings: "Settings") -> int:
    import anyio

    from notte_mcp.errors import NotteMCPError

    try:
        rows = anyio.run(_rows, settings)
    except NotteMCPError as error:
        print(f"notte-mcp: {error}", file=sys.stderr)
        return FAILED
    for row in rows:
        print("  ".join(row))
    if not rows:
        print(f"No sessions are kept in {settings.state_dir}.")
    return DONE


async def _rows(settings: "Settings") -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for folder, whose in _databases(settings):
        async with _open_app(_of_folder(settings, folder, whose)) as app:
            found: list[Any] = await app.registry.sessions()
        rows += [_row(record, whose) for record in found]
    return rows


def _databases(settings: "Settings") -> list[tuple["Path", str]]:
    """The state folder, and those of named principals that hold anything, with their names."""
    from notte_mcp.state_folder import PRINCIPALS

    theirs = sorted((settings.state_dir / PRINCIPALS).glob(f"*/{settings.database.name}"))
    return [(settings.state_dir, ""), *((one.parent, one.parent.name) for one in theirs)]


def _of_folder(settings: "Settings", folder: "Path", whose: str) -> "Settings":
    return settings.model_copy(update={"state_dir": folder, "for_others": bool(whose)})


def _row(record: Any, whose: str) -> tuple[str, ...]:
    from datetime import UTC, datetime

    row = (
        record.id,
        f"{record.state:<11}",
        f"{record.step_count:>4} steps",
        datetime.fromtimestamp(record.updated_at, UTC).strftime("%Y-%m-%d %H:%M"),
        record.url,
    )
    return (*row, f"(of {whose})") if whose else row
