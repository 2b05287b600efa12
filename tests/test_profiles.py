"""Profiles: kept whole, kept private, held by one session at a time."""

import os
import threading
from pathlib import Path

import pytest

from notte_mcp.errors import InvalidArgument, ProfileLocked, StateFolderUnusable
from notte_mcp.profiles import ProfileLock, ProfileStore
from tests.second import says, second_process, tell

STATE = {
    "cookies": [{"name": "sid", "value": "s3cret-é-\ud800", "domain": "127.0.0.1", "path": "/", "expires": -1}],
    "origins": [{"origin": "http://127.0.0.1", "localStorage": [{"name": "a", "value": "b"}]}],
}

HOLDER = """
import os, sys
from pathlib import Path
from notte_mcp.profiles import ProfileStore
lock = ProfileStore(Path(sys.argv[1])).lock("bank", "ses_other")
print(os.getpid(), flush=True)
sys.stdin.readline()
lock.release()
print("released", flush=True)
sys.stdin.readline()
"""

SAVER = """
import sys
from pathlib import Path
from notte_mcp.profiles import ProfileStore
profiles = ProfileStore(Path(sys.argv[1]))
number = 0
while True:
    number += 1
    profiles.save("bank", {"cookies": [number] * 20_000})
    print(number, flush=True)
"""


@pytest.fixture
def profiles(tmp_path: Path) -> ProfileStore:
    """No profile yet, and no folder."""
    return ProfileStore(tmp_path / "profiles")


def test_a_profile_comes_back_as_it_was_saved(profiles: ProfileStore) -> None:
    """And an absent one is None."""
    assert profiles.load("bank") is None
    profiles.save("bank", {"cookies": []})
    profiles.save("bank", STATE)

    assert profiles.load("bank") == STATE
    assert profiles.load("Bank.2") is None


def test_profiles_are_private_whatever_the_umask(profiles: ProfileStore, tmp_path: Path) -> None:
    """A login state is as good as the password."""
    before = os.umask(0)
    try:
        profiles.save("bank", STATE)
        lock = profiles.lock("bank", "ses_a")
    finally:
        os.umask(before)
    modes = {p.name: p.stat().st_mode & 0o777 for p in (tmp_path / "profiles").iterdir()}
    lock.release()

    assert (tmp_path / "profiles").stat().st_mode & 0o777 == 0o700
    assert modes == {"bank.json": 0o600, "bank.lock": 0o600, "bank.holder": 0o600}


@pytest.mark.parametrize("name", ["a", "0", "_", "-", "Work.mail_2-b", "a.json", "a.lock", "x" * 64])
def test_a_name_of_the_allowed_characters_is_taken(profiles: ProfileStore, name: str) -> None:
    """Also one that looks like a file of another profile."""
    lock = profiles.lock(name, "ses_a")
    profiles.save(name, STATE)
    profiles.save("a", {"cookies": []})
    lock.release()

    assert profiles.load(name) == ({"cookies": []} if name == "a" else STATE)


@pytest.mark.parametrize("name", ["", ".", "..", ".a", "a/b", "../a", "a\\b", "a b", "a\n", "é", "a\0", "x" * 65])
def test_any_other_name_is_refused_everywhere_and_touches_nothing(
    profiles: ProfileStore, tmp_path: Path, name: str
) -> None:
    """A name is never a path."""
    with pytest.raises(InvalidArgument, match="no name for a profile"):
        profiles.load(name)
    with pytest.raises(InvalidArgument, match="no name for a profile"):
        profiles.save(name, STATE)
    with pytest.raises(InvalidArgument, match="no name for a profile"):
        profiles.lock(name, "ses_a")

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"cookies": ['])
def test_a_file_that_is_no_state_is_told_and_kept(profiles: ProfileStore, tmp_path: Path, text: bytes) -> None:
    """Somebody edited it, perhaps; what is in it is not repeated."""
    profiles.save("bank", STATE)
    (tmp_path / "profiles" / "bank.json").write_bytes(text)

    with pytest.raises(InvalidArgument, match=r"`bank` cannot be read: .*bank\.json"):
        profiles.load("bank")
    assert (tmp_path / "profiles" / "bank.json").read_bytes() == text


def test_a_held_profile_is_refused_to_others_until_it_is_released(profiles: ProfileStore) -> None:
    """In one server too; another profile is free."""
    lock = profiles.lock("bank", "ses_a")
    with pytest.raises(ProfileLocked, match=f"held by session ses_a of process {os.getpid()}"):
        profiles.lock("bank", "ses_b")
    other = profiles.lock("shop", "ses_b")
    lock.release()
    lock.release()

    again = profiles.lock("bank", "ses_b")
    with pytest.raises(ProfileLocked, match="ses_b"):
        profiles.lock("bank", "ses_a")
    again.release()
    other.release()


def test_a_lock_is_released_by_whatever_thread(profiles: ProfileStore) -> None:
    """Worker threads take it and give it back; which one is chance."""
    taken: list[ProfileLock] = []
    taker = threading.Thread(target=lambda: taken.append(profiles.lock("bank", "ses_a")))
    taker.start()
    taker.join()
    taken[0].release()

    profiles.lock("bank", "ses_b").release()


def test_a_profile_held_by_another_process_is_refused_with_its_session_and_process(
    profiles: ProfileStore, tmp_path: Path
) -> None:
    """The reader must know whom to ask."""
    with second_process(HOLDER, str(tmp_path / "profiles")) as other:
        pid = says(other)
        with pytest.raises(ProfileLocked, match=f"`bank` is held by session ses_other of process {pid}"):
            profiles.lock("bank", "ses_a")
        tell(other)
        assert says(other) == "released"
        profiles.lock("bank", "ses_a").release()


def test_a_profile_of_a_killed_process_is_free(profiles: ProfileStore, tmp_path: Path) -> None:
    """The kernel lets go of the lock; the name it leaves behind misleads nobody."""
    with second_process(HOLDER, str(tmp_path / "profiles")) as other:
        says(other)
    lock = profiles.lock("bank", "ses_a")
    with pytest.raises(ProfileLocked, match="ses_a"):
        profiles.lock("bank", "ses_b")
    lock.release()


def test_a_profile_is_whole_when_its_writer_is_killed(profiles: ProfileStore, tmp_path: Path) -> None:
    """The old state or the new one, never half of one."""
    with second_process(SAVER, str(tmp_path / "profiles")) as writer:
        heard = [int(says(writer)) for _ in range(5)][-1]
        writer.kill()
        heard = max([heard, *(int(line) for line in writer.stdout or ())])

    kept = profiles.load("bank")
    assert kept in ({"cookies": [heard] * 20_000}, {"cookies": [heard + 1] * 20_000})


def test_a_state_that_is_no_json_leaves_the_old_one(profiles: ProfileStore, tmp_path: Path) -> None:
    """Nothing half-written lies about either."""
    profiles.save("bank", STATE)
    with pytest.raises(TypeError):
        profiles.save("bank", {"cookies": [object()]})

    assert profiles.load("bank") == STATE
    assert [p.name for p in (tmp_path / "profiles").iterdir()] == ["bank.json"]


def test_a_folder_that_cannot_be_is_told(tmp_path: Path) -> None:
    """Here below a regular file, which root cannot write either."""
    (tmp_path / "file").touch()
    profiles = ProfileStore(tmp_path / "file" / "profiles")

    with pytest.raises(StateFolderUnusable, match="NOTTE_MCP_STATE_DIR"):
        profiles.save("bank", STATE)
    with pytest.raises(StateFolderUnusable, match="Not a directory"):
        profiles.lock("bank", "ses_a")
