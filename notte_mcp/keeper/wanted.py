"""Which arguments ask for the server, read without argparse: the relay's start is measured in milliseconds.

Whatever is not plainly the server's is left to the full command line (abbreviations,
mistakes, other commands), which imports what it takes to tell people about it.

Like all of the relay's path (frames, link, places, locks, relay) it stands on a few built-in
modules, and on no `typing`, `re`, `enum` or `contextlib`: each costs more than the relay's own work.

Below: nothing. Above: relay, serve, cli.
"""

OFF = frozenset({"0", "false", "no", "off"})
"""What turns a variable of the environment off."""

VALUED = {"--state-dir": "state_dir", "--browser": "browser", "--log-level": "log_level"}
PLAIN = {
    "--no-sandbox": ("no_sandbox", "true"),
    "--headless": ("headless", "true"),
    "--headful": ("headless", "false"),
    "--in-process": ("in_process", "true"),
}


def server_flags(arguments: list[str]) -> dict[str, str] | None:
    """The server's flags by the names of their settings, and `in_process`; None when the full command line is to look."""
    found: dict[str, str] = {}
    rest = iter(arguments)
    for word in rest:
        flag, equals, value = word.partition("=")
        if word in PLAIN:
            name, value = PLAIN[word]
        elif flag in VALUED:
            name, value = VALUED[flag], value if equals else next(rest, "")
        else:
            return None
        if not value or found.get(name, value) != value:
            return None
        found[name] = value
    return found


def wants_keeper(flags: dict[str, str], environ: dict[str, str]) -> bool:
    """Whether the server is to be a relay to the keeper: unless the flags or `NOTTE_MCP_KEEPER=0` say otherwise."""
    return "in_process" not in flags and environ.get("NOTTE_MCP_KEEPER", "").strip().lower() not in OFF


def words(flags: dict[str, str]) -> list[str]:
    """The arguments that say these flags again (`in_process` aside)."""
    plain = {(name, value): word for word, (name, value) in PLAIN.items()}
    valued = {name: word for word, name in VALUED.items()}
    return [
        plain.get((name, value)) or f"{valued[name]}={value}" for name, value in flags.items() if name != "in_process"
    ]
