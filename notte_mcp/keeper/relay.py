"""`notte-mcp` as a thin relay: the host's stdin and stdout on one side, the keeper on the other.

Frames pass unchanged. The relay knows which requests are unanswered: when the keeper dies,
each of them is answered by an error that says so, and the next one goes to a new keeper (after
the host's own handshake, said again, where its era has one). Its own end ends this connection alone.

Of the relay's path (see wanted). Below: link, frames, places, starting (late). Above: cli.
"""

import os
import sys
import time
from _thread import LockType, allocate_lock, start_new_thread

from notte_mcp import __version__
from notte_mcp.keeper import frames, places
from notte_mcp.keeper.link import CHUNK, GREET_S, Gone, Link, Refused, Wrong, reach

WRONG = 2
"""Exit code: the settings are wrong."""

WATCH_MS = 250
"""How often the host is looked after, where only asking tells of it."""

EOF_S = 1.0
"""How long what is under way may still take after the host's last word."""

SILENT_S = 25.0
"""After this long without a word from a keeper that owes an answer it is asked whether it lives."""

ALIVE_S = 15.0
"""How long it may take to say so: longer than anything that is no standstill."""

SILENT = (
    "The keeper, which holds the browsers, does not answer; whether this was done is not known. Next: the same call again "
    "if it may be done twice, else notte_status(). If that fails too, `notte-mcp keeper stop` ends the keeper: what is "
    "live is interrupted then and can be restored, and the next call starts a new one."
)

DIED = (
    "The keeper, which holds the browsers, ended while this was under way; whether it was done is not known. Steps and "
    "records up to then are kept, and what was live is interrupted. Next: notte_status(); it starts a new keeper, lists "
    "what is there and says how to go on."
)


def run(flags: dict[str, str], parent: int) -> str:
    """Serve the host on stdin and stdout until it ends, and end the process with it.

    Comes back only when no keeper can live in this state folder, which it says on stderr, and gives why; nothing was
    read then.
    `parent` is the process of the host.
    """
    environ = dict(os.environ)
    state = places.state_dir(flags, environ)
    values = hello(flags, environ, state)
    made = places.missing(state)
    try:
        places.enter(state)
    except places.FolderUnusable as error:
        print(f"notte-mcp: no keeper can live there, so all is served in this process: {error}", file=sys.stderr)
        return str(error)
    relay = Relay(values)
    start_new_thread(_watch, (parent, relay))
    code = 0
    try:
        relay.serve()
    except KeyboardInterrupt:
        pass
    except Wrong as error:
        print(f"notte-mcp: {error}", file=sys.stderr, flush=True)
        places.undo(made)
        code = WRONG
    os._exit(code)  # at once: nothing here has to be put in order


def hello(flags: dict[str, str], environ: dict[str, str], state: str) -> dict[str, str]:
    """What the keeper is told of a connection: the version, the flags, the environment and the working folder."""
    values = {"kind": "serve", "version": __version__, "config": places.config_file(environ), "folder": places.here()}
    values.update({f"flag.{name}": value for name, value in flags.items()})
    values["flag.state_dir"] = state
    values.update({f"env.{name}": value for name, value in environ.items()})
    return values


class Relay:
    """See the module. One thread reads the host, one more each keeper."""

    def __init__(self, values: dict[str, str]) -> None:
        self._values = values
        self._link: Link | None = None
        self._handshake: list[bytes] = []
        self._is_greeted = False
        self._writing = allocate_lock()
        self._listening = allocate_lock()

    def serve(self) -> None:
        """Raises: Wrong: the settings are, which only the first connection finds out."""
        try:
            self._join()
        except Refused:
            pass  # said to whoever asks for something: it may have changed by then
        lines = frames.Lines(frames.MAX_FRAME)
        while chunk := _read():
            for line in lines.feed(chunk):
                if isinstance(line, frames.TooLong):
                    self._write(frames.too_long(line))
                elif line.strip():
                    self._forward(line)
        if self._link is not None:
            self._link.finish()
            self._listening.acquire(timeout=EOF_S)

    # --- to the keeper ------------------------------------------------------------

    def _forward(self, line: bytes) -> None:
        asked = frames.asked(line)
        self._note_handshake(line)
        while True:
            link = self._link
            if link is None or link.is_over:
                if asked is None:
                    return None  # nobody is left whom it concerns
                try:
                    link = self._join()
                except (Refused, Wrong) as error:
                    return self._write(frames.failure(asked, str(error)))
            if asked is not None and not link.expect(asked):
                continue
            try:
                return link.send(line)
            except OSError:
                # It never had the whole line, so that it may be sent to the next one, unless its end was answered.
                if asked is None or not link.answered(asked):
                    return None
                self._over(link)

    def _note_handshake(self, line: bytes) -> None:
        near = line[:400]
        if not self._is_greeted and b'"initialize"' in near:
            self._handshake = [line]
        elif len(self._handshake) == 1 and b'"notifications/initialized"' in near:
            self._handshake.append(line)
            self._is_greeted = True

    def _join(self) -> Link:
        """A keeper that is greeted as the host greeted the first one. Raises: Refused, Wrong."""
        try:
            link = reach(self._values)
        except Gone:
            link = self._begin()
        self._listening = allocate_lock()
        self._listening.acquire()
        lines = frames.Lines(frames.MAX_ANSWER)
        if self._is_greeted:
            _greet(link, lines, self._handshake)
        self._link = link
        start_new_thread(self._listen, (link, lines, self._listening))
        return link

    def _begin(self) -> Link:
        """The keeper that is started now. Raises: Refused, Wrong."""
        from notte_mcp.keeper.starting import join

        try:
            places.enter(self._values["flag.state_dir"])  # it may have been removed, and this process with it
            return join(self._values)
        except places.FolderUnusable as error:
            raise Refused(f"The state folder cannot be used: {error}.") from error
        except OSError as error:
            raise Refused(f"The keeper cannot be started: {error.strerror}.") from error

    # --- from the keeper ----------------------------------------------------------

    def look(self) -> None:
        """Whether the keeper that owes an answer still lives; if not, what it owes is answered here."""
        link = self._link
        if link is None or link.silent_s() < SILENT_S:
            return None
        try:
            asked = reach({"kind": "alive"}, ALIVE_S)
            asked.close()
            if asked.pid == link.pid:
                return link.alive()
        except (Gone, Refused, Wrong):
            pass
        if link.silent_s() >= SILENT_S:
            self._over(link, SILENT)
            link.cut()
        return None

    def _listen(self, link: Link, lines: frames.Lines, listening: "LockType") -> None:
        while chunk := link.receive():
            for line in lines.feed(chunk):
                if isinstance(line, frames.TooLong):
                    link.answered(line.asked)
                    self._write(frames.failure(line.asked, f"The answer has {line.size} bytes, too many to pass on."))
                else:
                    if (asked := frames.answered(line)) is not None:
                        link.answered(asked)
                    self._write(line)
        self._over(link)
        link.close()
        listening.release()

    def _over(self, link: Link, why: str = DIED) -> None:
        for asked in link.end():
            self._write(frames.failure(asked, why))

    def _write(self, line: bytes) -> None:
        with self._writing:
            try:
                while line:
                    line = line[os.write(1, line) :]
            except OSError:
                os._exit(0)  # the host reads no more


def _greet(link: Link, lines: frames.Lines, handshake: list[bytes]) -> None:
    """Say the host's handshake again; the answer is known to it. Raises: Refused."""
    asked = frames.asked(handshake[0])
    link.patience(GREET_S)
    try:
        link.send(handshake[0])
        while chunk := link.receive():
            for line in lines.feed(chunk):
                if isinstance(line, bytes) and frames.answered(line) == asked:
                    link.send(handshake[1])
                    return link.patience(None)
    except OSError:
        pass
    raise Refused(
        "The keeper took the connection and answers no more. `notte-mcp keeper status` tells where its log is, "
        "`notte-mcp keeper stop` ends it."
    )


# --- the host ---------------------------------------------------------------------


def _read() -> bytes:
    try:
        return os.read(0, CHUNK)
    except OSError:
        return b""


def _watch(parent: int, relay: Relay) -> None:
    """End with the host: when it died though its pipe is held by another, and when it reads no more. And look after
    the keeper."""
    import select

    if not hasattr(select, "poll"):
        while True:
            time.sleep(WATCH_MS / 1_000)
            relay.look()
    poll = select.poll()
    # Asked for no event, poll tells errors and hang-ups alone.
    poll.register(1, 0)
    hung_up = 0
    while os.getppid() == parent and not poll.poll(WATCH_MS):
        relay.look()
        look = select.poll()
        look.register(0, 0)
        hung_up = hung_up + 1 if look.poll(0) else 0
        if hung_up * WATCH_MS > EOF_S * 1_500:  # the keeper, or its start, keeps us from reading that
            break
    os._exit(0)
