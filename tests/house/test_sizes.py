"""The ceilings: the package keeps them, and the check sees what does not."""

from pathlib import Path

import pytest

from scripts.check_sizes import banned_words, faults

ROOT = Path(__file__).parents[2]


def test_the_package_keeps_its_ceilings() -> None:
    """Ours: CONTRIBUTING.md, "How it reads"."""
    assert faults(ROOT / "notte_mcp") == []


@pytest.mark.parametrize("suffix", [".py", ".js"])
def test_a_file_of_351_lines_is_too_long_and_one_of_350_is_not(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"page{suffix}"

    path.write_text("\n" * 350, encoding="utf-8")
    assert faults(tmp_path) == []

    path.write_text("\n" * 351, encoding="utf-8")
    assert faults(tmp_path) == [f"{path}:1: 351 lines; a file has at most 350"]


def test_a_docstring_does_not_count_as_lines_of_its_function(tmp_path: Path) -> None:
    """Ours: nobody should write less prose to pass a check."""
    path = tmp_path / "page.py"
    docstring = '    """One\n    two\n    three."""\n'

    path.write_text("async def walk():\n" + docstring + "    pass\n" * 49, encoding="utf-8")
    assert faults(tmp_path) == []

    path.write_text("async def walk():\n" + docstring + "    pass\n" * 50, encoding="utf-8")
    assert faults(tmp_path) == [f"{path}:1: walk() has 51 lines; a function has at most 50"]


def test_names_that_say_nothing_are_found_in_folders_files_and_classes(tmp_path: Path) -> None:
    path = tmp_path / "utils" / "page.py"
    path.parent.mkdir()
    path.write_text("class SessionManager: ...\n\n\ndef handle_data(): ...\n", encoding="utf-8")

    assert faults(tmp_path) == [
        f"{path}:1: the name 'utils' holds 'utils'",
        f"{path}:1: the name 'SessionManager' holds 'manager'",
    ]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("HTTPHandler", ["handler"]),
        ("_DataStore", ["data"]),
        ("page_helpers", ["helpers"]),
        ("Metadata", []),
        ("handle_dialog", []),
        ("Information", []),
    ],
)
def test_only_a_whole_word_is_banned(name: str, words: list[str]) -> None:
    assert banned_words(name) == words
