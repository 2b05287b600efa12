"""Which films go, which never do, and what is left to say of one that went."""

import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from notte_mcp.frames import Frame
from notte_mcp.replay import film, marks, retention
from notte_mcp.replay.film import FilmWriter

DAY = 86_400
NOW = 1_800_000_000.0
SIZE = 10_000


def filmed(sessions: Path, *names: str) -> None:
    """Sessions with a film of 10 kB, something that was made of it, and a state of their own."""
    for name in names:
        (sessions / name).mkdir(parents=True)
        writer = FilmWriter.open(sessions / name)
        writer.append(Frame(NOW, bytes(SIZE), 960, 600, (1280, 800)))
        writer.close()
        (sessions / name / film.FOLDER / "video.mp4").write_bytes(bytes(SIZE))
        (sessions / name / "state.json").write_text("{}")


def swept(sessions: Path, ends: Mapping[str, float | None], *, max_bytes: int = 10**9) -> list[str]:
    return retention.sweep(sessions, ends, older_than=NOW - 30 * DAY, max_bytes=max_bytes, days=30)


def test_an_old_film_goes_and_says_so_and_the_session_stays(tmp_path: Path) -> None:
    """Limit `keep_replays_days`."""
    filmed(tmp_path, "old", "new")

    assert swept(tmp_path, {"old": NOW - 31 * DAY, "new": NOW - 29 * DAY}) == ["old"]

    assert film.shots(tmp_path / "old") == []
    assert [path.name for path in (tmp_path / "old" / film.FOLDER).iterdir()] == [marks.SWEPT]
    assert (tmp_path / "old" / "state.json").exists()
    assert "keep_replays_days" in marks.swept(tmp_path / "old")
    assert film.shots(tmp_path / "new")
    assert marks.swept(tmp_path / "new") == ""


def test_of_too_many_bytes_the_oldest_ends_go_first(tmp_path: Path) -> None:
    """Limit `max_replays_bytes`: what was made of films counts, too."""
    filmed(tmp_path, "a", "b", "c")
    ends = {"a": NOW - 2, "b": NOW - 3, "c": NOW - 1}

    assert swept(tmp_path, ends, max_bytes=5 * SIZE) == ["b"]
    assert swept(tmp_path, ends, max_bytes=3 * SIZE) == ["a"]
    assert "max_replays_bytes" in marks.swept(tmp_path / "a")
    assert retention.total(tmp_path) <= 3 * SIZE


def test_what_is_live_written_or_read_stays_whoever_has_it(tmp_path: Path) -> None:
    """Contract: never one of a live session of any server, nor one that is read or made into a video."""
    filmed(tmp_path, "live", "written", "read", "idle")
    ends = {"live": None, "written": 1.0, "read": 2.0, "idle": 3.0}
    writer = FilmWriter.open(tmp_path / "written")

    with marks.reading(tmp_path / "read"):
        assert swept(tmp_path, ends, max_bytes=0) == ["idle"]

    writer.close()
    assert swept(tmp_path, ends, max_bytes=0) == ["written", "read"]
    assert film.shots(tmp_path / "live")


def test_what_no_record_knows_is_as_old_as_its_film(tmp_path: Path) -> None:
    """Bad input: the database was lost, the folders were not."""
    filmed(tmp_path, "older", "newer")
    os.utime(tmp_path / "older" / film.FOLDER / film.FILM, (NOW - 40 * DAY, NOW - 40 * DAY))
    os.utime(tmp_path / "newer" / film.FOLDER / film.FILM, (NOW, NOW))
    (tmp_path / "no film").mkdir()
    (tmp_path / "a file").write_text("")

    assert swept(tmp_path, {}) == ["older"]


def test_a_swept_session_can_be_filmed_again(tmp_path: Path) -> None:
    """Contract: it goes on as a film of its own, and is no swept one then."""
    filmed(tmp_path, "one")
    swept(tmp_path, {"one": 0.0})

    writer = FilmWriter.open(tmp_path / "one")
    writer.append(Frame(NOW, b"again", 960, 600, (1280, 800)))
    writer.close()

    assert [film.jpeg(tmp_path / "one", shot) for shot in film.shots(tmp_path / "one")] == [b"again"]
    assert marks.swept(tmp_path / "one") == ""


@pytest.mark.parametrize("text", ["", "{", "[]", '{"since": "x"}', '{"at": 1e999, "why": 1}'])
def test_a_mark_that_cannot_be_read_is_no_reason_to_fail(tmp_path: Path, text: str) -> None:
    """Bad input: what somebody else wrote there."""
    place = tmp_path / film.FOLDER
    place.mkdir()
    for name in ("pause.json", marks.SWEPT):
        (place / name).write_text(text)

    assert isinstance(marks.ended(tmp_path), str)
    assert isinstance(marks.swept(tmp_path), str)
