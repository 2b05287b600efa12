"""The state folder: who may use it, who lives in it, and what is left of who does not."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psutil
import pytest

from notte_mcp.errors import StateFolderUnusable
from notte_mcp.state_folder import _KILL_PATIENCE_S, StateFolder
from tests.second import says, second_process, tell

SERVER = """
import subprocess, sys
from pathlib import Path
from notte_mcp.state_folder import StateFolder
folder = StateFolder.open(Path(sys.argv[1]))
print(folder.owner, flush=True)
for line in sys.stdin:
    match line.split():
        case ["tmp"]:
            print(folder.browser_tmp("browser"), flush=True)
        case ["start", tmp, noted]:
            # A tree of two, as a browser is, that inherits what is not closed to it.
            tree = "import subprocess as s; p = s.Popen(['sleep', '600']); print(p.pid, flush=True); p.wait()"
            child = subprocess.Popen([sys.executable, "-c", tree], env={"TMPDIR": tmp}, close_fds=False,
                                     stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
                                     start_new_session=True)
            if noted == "noted":
                folder.note_process(child.pid)
            print(child.pid, child.stdout.readline().strip(), flush=True)
        case ["sweep"]:
            print(*folder.sweep(), flush=True)
        case ["close"]:
            folder.close()
            print("closed", flush=True)
"""

OPEN_AS_NOBODY = """
import os, sys
from pathlib import Path
from notte_mcp.errors import NotteMCPError
from notte_mcp.state_folder import StateFolder
if os.geteuid() == 0:
    os.setgroups([]), os.setgid(65534), os.setuid(65534)
try:
    StateFolder.open(Path(sys.argv[1]))
except NotteMCPError as error:
    print(type(error).__name__, error)
"""


@contextmanager
def opened(path: Path) -> Generator[StateFolder]:
    """A state folder, closed at the end."""
    folder = StateFolder.open(path)
    try:
        yield folder
    finally:
        folder.close()


def ended(pid: int) -> bool:
    """Whether a process is gone, or waits only to be reaped."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def killed_server(path: Path, *, noted: bool = True) -> tuple[str, list[int], Path]:
    """A server that was killed: its owner id, the processes it left, and its browser's TMPDIR."""
    with second_process(SERVER, str(path)) as server:
        owner = says(server)
        tell(server, "tmp")
        tmp = says(server)
        tell(server, f"start {tmp} {'noted' if noted else 'unnoted'}")
        pids = [int(pid) for pid in says(server).split()]
    return owner, pids, Path(tmp)


# --- the folder --------------------------------------------------------------------------


def test_the_folder_and_what_is_in_it_are_private_whatever_the_umask(tmp_path: Path) -> None:
    """Cookies and recorded pages are nobody else's."""
    before = os.umask(0)
    try:
        with opened(tmp_path / "a" / "state") as folder:
            folder.browser_tmp("browser")
            made = [folder.path, *folder.path.rglob("*")]
            open_to_others = [p for p in made if p.is_dir() and p.stat().st_mode & 0o077]
            assert folder.sessions_dir.is_dir()
            assert folder.profiles_dir.is_dir()
    finally:
        os.umask(before)

    assert open_to_others == []


def test_a_second_start_finds_the_folder_as_it_was_left(tmp_path: Path) -> None:
    """What outlives a server is not touched, and each start has its own name."""
    with opened(tmp_path / "state") as first:
        (first.sessions_dir / "kept").touch()
    with opened(tmp_path / "state") as second:
        assert (second.sessions_dir / "kept").exists()
        assert second.owner != first.owner


def symbolic_link(path: Path) -> None:
    """A link to a folder that would do."""
    (path.parent / "real").mkdir(mode=0o700)
    path.symlink_to(path.parent / "real")


def regular_file(path: Path) -> None:
    """A file where the folder should be."""
    path.touch()


def others_folder_with_things_in_it(path: Path) -> None:
    """Like `/tmp`: in use by others, and not ours to close to them."""
    path.mkdir()
    path.chmod(0o777)
    (path / "something").touch()


def below_a_file(path: Path) -> None:
    """A parent that is no folder."""
    path.parent.rmdir()
    path.parent.touch()


def inner_file(path: Path) -> None:
    """A file where one of the folder's own folders should be."""
    path.mkdir(mode=0o700)
    (path / "run").touch()


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (symbolic_link, "it is a symbolic link"),
        (regular_file, "it is not a folder"),
        (others_folder_with_things_in_it, r"other users may open it \(mode 0777\).*chmod 700"),
        (below_a_file, r"it cannot be made or read \(Not a directory\)"),
        (inner_file, r"it cannot be written \(File exists\)"),
    ],
)
def test_a_folder_that_will_not_do_is_refused_with_its_path_and_the_remedy(
    tmp_path: Path, spoil: object, why: str
) -> None:
    """One sentence per reason, and nothing changed."""
    path = tmp_path / "parent" / "state"
    path.parent.mkdir()
    assert callable(spoil)
    spoil(path)
    mode = path.parent.stat().st_mode

    with pytest.raises(StateFolderUnusable, match=rf"{path} cannot be used: {why}.*NOTTE_MCP_STATE_DIR"):
        StateFolder.open(path)
    assert path.parent.stat().st_mode == mode


def test_another_users_folder_is_refused(tmp_path: Path) -> None:
    """Whoever owns it could read it or replace what is in it."""
    path = Path("/usr")
    if os.geteuid() == 0:
        path = tmp_path / "state"
        path.mkdir(mode=0o700)
        os.chown(path, 65534, 65534)

    with pytest.raises(StateFolderUnusable, match=r"belongs to another user \(uid \d+\)"):
        StateFolder.open(path)


def test_a_folder_that_cannot_be_written_is_refused() -> None:
    """Tried as an unprivileged user: root may write everything."""
    with tempfile.TemporaryDirectory() as parent:
        path = Path(parent) / "state"
        path.mkdir()
        if os.geteuid() == 0:
            Path(parent).chmod(0o755)
            os.chown(path, 65534, 65534)
        path.chmod(0o500)
        with second_process(OPEN_AS_NOBODY, str(path)) as other:
            expected = f"StateFolderUnusable The state folder {path} cannot be used: it cannot be written (Perm"
            assert says(other).startswith(expected)


@pytest.mark.parametrize("ours", [True, False], ids=["ours", "empty"])
def test_a_folder_open_to_others_is_closed_to_them_when_it_is_ours_or_empty(tmp_path: Path, ours: bool) -> None:
    """A container's volume begins as 0755, and copies come back as they please."""
    path = tmp_path / "state"
    if ours:
        with opened(path):
            pass
    path.mkdir(exist_ok=True)
    path.chmod(0o755)
    with opened(path):
        assert path.stat().st_mode & 0o777 == 0o700


# --- temporary folders --------------------------------------------------------------------


def test_each_browser_gets_a_fresh_folder_of_its_own(tmp_path: Path) -> None:
    """Below the run folder, however often the same name comes."""
    with opened(tmp_path / "state") as folder:
        first, second = folder.browser_tmp("browser"), folder.browser_tmp("browser")

        assert first != second
        for tmp in (first, second):
            assert tmp.is_dir()
            assert tmp.resolve().is_relative_to(folder.run_dir.resolve())
        (first / "profile").mkdir()
        folder.discard(first)
        folder.discard(first)
        assert not first.is_symlink()
        assert not first.exists()
        assert [p.name for p in folder.run_dir.iterdir() if p.is_dir()] == [second.resolve().name]


def test_a_short_link_goes_with_its_server_though_the_folder_was_removed(tmp_path: Path) -> None:
    """P4: it stands in the folder for temporary files, where nobody would look for it again."""
    with opened(tmp_path / ("deep" * 30)) as folder:
        link = folder.browser_tmp("browser")
        assert link.is_symlink()
        shutil.rmtree(folder.path)
    assert not link.is_symlink()


def test_what_no_browser_was_given_is_not_discarded(tmp_path: Path) -> None:
    """A wrong path must not cost anything outside of the run folder."""
    kept = tmp_path / "kept"
    kept.mkdir()
    with opened(tmp_path / "state") as folder:
        folder.discard(kept)
        folder.discard(folder.sessions_dir)

        assert kept.is_dir()
        assert folder.sessions_dir.is_dir()


def test_chromium_starts_with_its_temporary_folder_however_deep_the_state_folder_lies(
    tmp_path: Path, chromium: Path
) -> None:
    """Chromium aborts ("Socket path too long") where TMPDIR has more than some 60 bytes."""
    with opened(tmp_path / ("deep" * 30)) as folder:
        tmp = folder.browser_tmp("browser")
        command = [chromium, "--headless=new", "--disable-gpu", "--dump-dom", f"--user-data-dir={tmp / 'profile'}"]
        if os.geteuid() == 0:
            command.append("--no-sandbox")
        done = subprocess.run(
            [*command, "about:blank"],
            env={**os.environ, "TMPDIR": str(tmp)},
            capture_output=True,
            timeout=60,
            check=False,
        )

        assert done.returncode == 0, done.stderr.decode()[-2_000:]
        assert tmp.is_symlink()
    assert not tmp.is_symlink()


# --- the living and the dead ----------------------------------------------------------------


def test_a_live_server_is_neither_dead_nor_swept(tmp_path: Path) -> None:
    """P7: none steals what is a live one's."""
    path = tmp_path / "state"
    with opened(path) as folder, second_process(SERVER, str(path)) as other:
        owner = says(other)

        assert folder.owner_alive(owner)
        assert folder.owner_alive(folder.owner)
        assert folder.dead_owners() == []
        assert folder.sweep() == []
        tell(other, "sweep")
        assert says(other) == ""
        assert folder.run_dir.is_dir()
        assert (path / "run" / owner / "owner.json").is_file()


@pytest.mark.parametrize("owner", ["own_000000000000", "", "..", "own_/../x", "own_000000000000.lock"])
def test_who_was_never_here_is_not_alive(tmp_path: Path, owner: str) -> None:
    """Asking makes nothing."""
    with opened(tmp_path / "state") as folder:
        before = sorted(folder.path.rglob("*"))

        assert not folder.owner_alive(owner)
        assert sorted(folder.path.rglob("*")) == before


def test_the_owners_file_tells_which_process_it_is(tmp_path: Path) -> None:
    """For people and for `doctor`; the lock decides."""
    with opened(tmp_path / "state") as folder:
        told = json.loads((folder.run_dir / "owner.json").read_text())

    assert told == {"pid": os.getpid(), "create_time": psutil.Process().create_time()}


@pytest.mark.parametrize("noted", [True, False], ids=["noted", "not noted"])
@pytest.mark.parametrize("depth", ["state", "deep" * 30], ids=["short", "deep"])
def test_what_a_killed_server_left_is_ended_and_removed(tmp_path: Path, noted: bool, depth: str) -> None:
    """P4: no process and no temporary folder is left after the next start, noted in time or not."""
    path = tmp_path / depth
    owner, pids, tmp = killed_server(path, noted=noted)
    with opened(path) as folder:
        assert not any(map(ended, pids)), "the test is about processes that outlive their server"
        assert not folder.owner_alive(owner), "a child inherited the lock"
        assert folder.dead_owners() == [owner]

        assert folder.sweep() == [owner]
        # Of a tree that was not noted the root is found by its TMPDIR, the rest as its descendants.
        assert all(map(ended, pids))
        assert not os.path.lexists(tmp)
        assert sorted(p.name for p in (path / "run").iterdir()) == [folder.owner, f"{folder.owner}.lock"]
        assert folder.dead_owners() == []
        assert folder.sweep() == []


def test_a_process_that_only_has_the_same_number_is_left_alone(tmp_path: Path) -> None:
    """Numbers come again; a start time with the same number does not. A torn line is no reason to stop."""
    path = tmp_path / "state"
    owner, pids, _ = killed_server(path)
    with subprocess.Popen(["sleep", "600"]) as bystander, opened(path) as folder:
        started = psutil.Process(bystander.pid).create_time()
        with (path / "run" / owner / "processes").open("a") as file:
            file.write(
                json.dumps([bystander.pid, started - 60, "chromium"]) + '\n{"half\n[1]\n[99999999, 1.0, "x"]\n[12'
            )

        assert folder.sweep() == [owner]
        assert all(map(ended, pids))
        assert bystander.poll() is None
        bystander.kill()


def test_a_zombie_is_not_waited_for(tmp_path: Path) -> None:
    """Where nobody reaps (a container without an init) the dead keep their numbers for ever."""
    path = tmp_path / "state"
    owner, _, _ = killed_server(path)
    with subprocess.Popen(["true"]) as unreaped, opened(path) as folder:
        created = psutil.Process(unreaped.pid).create_time()
        os.waitid(os.P_PID, unreaped.pid, os.WEXITED | os.WNOWAIT)
        with (path / "run" / owner / "processes").open("a") as file:
            file.write(json.dumps([unreaped.pid, created, "chromium"]) + "\n")
        begun = time.monotonic()

        assert folder.sweep() == [owner]
        assert time.monotonic() - begun < _KILL_PATIENCE_S


def test_servers_that_sweep_at_once_share_the_leftovers(tmp_path: Path) -> None:
    """Each dead owner is told by exactly one of them."""
    path = tmp_path / "state"
    dead = sorted(killed_server(path)[0] for _ in range(4))
    with ExitStack() as stack:
        servers = [stack.enter_context(second_process(SERVER, str(path))) for _ in range(3)]
        owners = [says(server) for server in servers]
        for server in servers:
            tell(server, "sweep")
        swept = [owner for server in servers for owner in says(server).split()]
        left = {p.name.removesuffix(".lock") for p in (path / "run").iterdir()}

    assert sorted(swept) == dead
    assert left == set(owners)


def test_a_server_that_starts_while_others_sweep_is_not_swept(tmp_path: Path) -> None:
    """There is no moment in which a starting server looks dead."""
    path = tmp_path / "state"
    sweeper = (
        "import sys; from pathlib import Path; from notte_mcp.state_folder import StateFolder\n"
        "folder = StateFolder.open(Path(sys.argv[1])); print('ready', flush=True)\n"
        "while True: print(*folder.sweep(), flush=True)"
    )
    with second_process(sweeper, str(path)) as other:
        assert says(other) == "ready"
        starts = [StateFolder.open(path) for _ in range(60)]
        there = [(folder.run_dir / "owner.json").is_file() for folder in starts]
        for folder in starts:
            folder.close()
        other.kill()
        swept = [line for line in other.stdout or () if line.strip()]

    assert all(there)
    assert swept == []


def test_a_lock_without_a_folder_is_removed(tmp_path: Path) -> None:
    """A server that was killed between the two."""
    with opened(tmp_path / "state") as folder:
        stray = folder.path / "run" / "own_0123456789ab.lock"
        stray.touch()

        assert folder.dead_owners() == []
        assert folder.sweep() == []
        assert not stray.exists()


def test_closing_ends_what_was_noted_and_leaves_no_trace(tmp_path: Path) -> None:
    """P4, when the server ends in order; closing twice is no error."""
    path = tmp_path / "state"
    with opened(path) as folder, second_process(SERVER, str(path)) as other:
        owner = says(other)
        tell(other, "tmp")
        tmp = says(other)
        tell(other, f"start {tmp} noted")
        pids = [int(pid) for pid in says(other).split()]
        tell(other, "close")
        assert says(other) == "closed"
        tell(other, "close")
        assert says(other) == "closed"

        assert all(map(ended, pids))
        assert not folder.owner_alive(owner)
        assert sorted(p.name for p in (path / "run").iterdir()) == [folder.owner, f"{folder.owner}.lock"]


def test_noting_a_process_that_is_gone_is_no_error(tmp_path: Path) -> None:
    """A browser may die before it is noted."""
    with subprocess.Popen([sys.executable, "-c", ""]) as gone:
        gone.wait()
    with opened(tmp_path / "state") as folder:
        folder.note_process(gone.pid)

        assert not (folder.run_dir / "processes").exists()
