"""What may be read as a session's file, and what only looks like one."""

from pathlib import Path

import pytest

from notte_mcp.errors import UnknownResource
from notte_mcp.registry.files import list_files, read_file


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "ses_1"
    (folder / "files").mkdir(parents=True)
    (folder / "state.json").write_text("cookies")
    return folder


@pytest.mark.parametrize("name", ["../state.json", "/etc/passwd", "..", ".", "", "absent", "a/b", "link", "inner"])
def test_what_is_no_file_of_the_session_is_refused(folder: Path, name: str) -> None:
    """A page chooses the names of what it sends, a caller the names of what it asks for."""
    (folder / "files" / "link").symlink_to(folder / "state.json")
    (folder / "files" / "inner").mkdir()
    with pytest.raises(UnknownResource, match="ses_1"):
        read_file(folder, name)


def test_only_regular_files_are_listed(folder: Path) -> None:
    """By name, with their sizes."""
    (folder / "files" / "link").symlink_to(folder / "state.json")
    (folder / "files" / "b.txt").write_text("four")
    (folder / "files" / "a.txt").write_text("")
    assert list_files(folder) == [("a.txt", 0), ("b.txt", 4)]


def test_a_session_without_a_folder_has_no_files(tmp_path: Path) -> None:
    """It was swept, or never opened."""
    assert list_files(tmp_path / "gone") == []
