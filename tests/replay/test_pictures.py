"""Pictures of steps: which shot, what is marked in it, how large it may be."""

from dataclasses import replace
from io import BytesIO
from pathlib import Path

from PIL import Image

from notte_mcp.frames import Frame
from notte_mcp.receipts import Box
from notte_mcp.replay import film
from notte_mcp.replay.drawing import BRIGHT, MAX_BYTES
from notte_mcp.replay.pictures import moment, picture, pointed, shot_at, times, visible
from tests.replay.filmed import COLOURS, frame, page, record, step

PAPER = (940, 400)
"""A px of every drawn page that shows its paper alone."""


def shown(jpeg: bytes) -> Image.Image:
    return Image.open(BytesIO(jpeg)).convert("RGB")


def like(image: Image.Image, at: tuple[int, int], colour: tuple[int, int, int], *, within: int = 24) -> bool:
    found = image.getpixel(at)
    assert isinstance(found, tuple)
    return all(abs(one - other) <= within for one, other in zip(found, colour, strict=True))


def test_a_step_that_led_away_shows_the_page_as_it_was_touched(tmp_path: Path) -> None:
    """The rule: what was clicked is on the page before, and no longer on the one after."""
    record(tmp_path, frame(10.0, 0), frame(10.3, 1))
    moved = step(1, 10.1, took=0.5, moved=True)

    image = shown(picture(tmp_path, [moved], moved) or b"")

    assert like(image, PAPER, COLOURS[0])


def test_a_step_that_stayed_shows_what_it_left(tmp_path: Path) -> None:
    """The rule: what was typed is to be seen, and what the next step did is not."""
    record(tmp_path, frame(10.0, 0), frame(10.32, 1), frame(10.6, 2))
    first, second = step(1, 10.1, took=0.2), step(2, 10.5)

    assert like(shown(picture(tmp_path, [first, second], first) or b""), PAPER, COLOURS[1])
    assert moment(first, second) < 10.55
    assert moment(first, replace(second, started_at=10.2, receipt=None)) == 10.2


def test_a_page_that_was_opened_is_shown_however_soon_something_is_done_in_it(tmp_path: Path) -> None:
    """It is painted just after the step that opened it has ended, and before the next one touches it."""
    record(tmp_path, frame(10.0, 0), frame(10.34, 1), frame(10.6, 2))
    opening = step(1, 10.03, took=0.29, kind="goto", moved=True)
    assert opening.receipt is not None
    opening = replace(opening, receipt=replace(opening.receipt, target=None))
    typing = step(2, 10.39, took=0.05)

    assert like(shown(picture(tmp_path, [opening, typing], opening) or b""), PAPER, COLOURS[1])
    assert like(shown(picture(tmp_path, [opening, typing], typing) or b""), PAPER, COLOURS[2])


def test_the_acted_element_is_outlined_where_it_stands_in_the_frame(tmp_path: Path) -> None:
    """A box is in CSS px of the viewport; the frame is smaller."""
    record(tmp_path, frame(10.0, 0))
    one = step(1, 10.1, box=(320, 400, 160, 40))  # 240, 300, 120 x 30 in the picture

    image = shown(picture(tmp_path, [one], one) or b"")

    assert like(image, (300, 300 - 5), BRIGHT, within=70)
    assert like(image, (240 - 5, 308), BRIGHT, within=70)
    # A click has its pointer in the middle.
    assert like(image, (303, 322), (16, 16, 24), within=60)
    filled = step(1, 10.1, box=(320, 400, 160, 40), kind="fill")
    assert not like(shown(picture(tmp_path, [filled], filled) or b""), (303, 322), (16, 16, 24), within=60)


def test_boxes_out_of_sight_or_out_of_reason_mark_what_is_seen_of_them(tmp_path: Path) -> None:
    """A page says of its boxes what it wants."""
    record(tmp_path, frame(10.0, 0))
    boxes: list[Box] = [
        (-1e9, -1e9, 2e9, 2e9), (5_000, 5_000, 10, 10), (0, 0, 0, 0), (float("inf"), 0, 5, 5), (1279, 799, 400, 1), (10, 10, -5, -5),
    ]  # fmt: skip
    for box in boxes:
        one = step(1, 10.1, box=box)
        assert shown(picture(tmp_path, [one], one) or b"").size == (960, 600)
    assert visible((0.9, 0.5, 0.3, 0.1)) == (0.9, 0.5, 1.0 - 0.9, 0.6 - 0.5)
    assert visible((1.2, 0.5, 0.3, 0.1)) is None
    assert pointed(replace(step(1, 1), receipt=None), (1280, 800)) is None


def test_a_picture_is_never_large(tmp_path: Path) -> None:
    """At most 960 px and 150 kB, whatever was filmed."""
    noise = Image.effect_noise((960, 960), 120).convert("RGB")
    file = BytesIO()
    noise.save(file, "JPEG", quality=95)
    record(tmp_path, Frame(10.0, file.getvalue(), 960, 960, (960, 960)))
    for one in (step(1, 10.1), step(1, 10.1, box=None)):
        made = picture(tmp_path, [one], one) or b""
        assert 0 < len(made) <= MAX_BYTES
        assert max(shown(made).size) <= 960


def test_a_picture_without_a_mark_is_the_frame_itself(tmp_path: Path) -> None:
    """Nothing is drawn anew that need not be."""
    record(tmp_path, frame(10.0, 3))
    one = step(1, 10.1, box=None)

    assert picture(tmp_path, [one], one) == page(3)


def test_a_damaged_frame_is_passed_over(tmp_path: Path) -> None:
    """The one before it is nearest; where there is none, the one after."""
    broken = Frame(10.2, page(1)[:400] + b"\0" * 9_000, 960, 600, (1280, 800))
    lying = Frame(10.25, page(2, size=(400, 300)), 960, 600, (1280, 800))
    record(tmp_path, frame(10.0, 0), broken, lying, frame(11.0, 3))
    one = step(1, 10.1)

    assert like(shown(picture(tmp_path, [one], one) or b""), PAPER, COLOURS[0])

    other = tmp_path / "other"
    record(other, broken, frame(11.0, 3))
    assert like(shown(picture(other, [one], one) or b""), PAPER, COLOURS[3])
    alone = tmp_path / "alone"
    record(alone, broken)
    assert picture(alone, [one], one) is None


def test_a_clock_that_was_set_back_leaves_frames_in_their_order(tmp_path: Path) -> None:
    """The film's order is what happened; its times are a clock's."""
    record(tmp_path, frame(10.0, 0), frame(5.0, 1), frame(12.0, 2))

    when = times(film.shots(tmp_path))

    assert when == [10.0, 10.0, 12.0]
    assert [shot_at(when, at) for at in (0.0, 10.0, 11.0, 99.0)] == [0, 1, 1, 2]
