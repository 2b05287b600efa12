"""Captions: our own words, no secret, and any script and length in a line that holds them."""

from dataclasses import replace

import pytest
from PIL import Image, ImageDraw

from notte_mcp.records import StepRecord
from notte_mcp.replay import lettering
from notte_mcp.replay.bar import HEIGHT, Told, drawn
from notte_mcp.replay.captions import MAX_OUTCOME, caption
from tests.replay.filmed import step

HOSTILE = "A\u202e\x1b[31m\nB" + "x" * 5_000 + "\U000e0041\u0300" * 40


def test_a_step_is_told_in_words() -> None:
    """Number, who, what, and what came of it."""
    told = caption(step(7, 1.0, moved=True), 7)
    assert (told.number, told.who, told.words) == (7, "", "Click button “Send”")
    assert told.outcome == "→ http://127.0.0.1/b"
    failed = caption(step(8, 1.0, failed="the button is covered", actor="human"), 3)
    assert (failed.number, failed.who, failed.outcome, failed.tone) == (
        3,
        "person",
        "failed: the button is covered",
        "failed",
    )
    opened = replace(step(9, 1.0, kind="goto", url="http://a.test/"), receipt=None, state="intended")
    assert caption(opened, 9).words == "Open http://a.test/"
    assert caption(opened, 9).tone == "open"


def test_a_typed_value_is_told_as_the_record_has_it() -> None:
    """What was typed is never taken from the action, unless it is a secret's name."""
    typed = step(1, 1.0, kind="fill", value="typed in clear")
    assert typed.receipt is not None
    assert caption(typed, 1).words == "Fill button “Send”"
    read = replace(typed, receipt=typed.receipt.but(value="Ada"))
    assert caption(read, 1).words == "Fill button “Send”: “Ada”"
    secret = replace(typed, receipt=typed.receipt.but(value="Ada", secret="CODE"))
    assert caption(secret, 1).words == "Fill button “Send”: secret CODE"
    named = replace(typed, action={"type": "fill", "value": {"secret": "CODE"}})
    assert caption(named, 1).words.endswith(": secret CODE")


@pytest.mark.parametrize(
    "one",
    [
        step(1, 1.0, name=HOSTILE, failed=HOSTILE),
        step(1, 1.0, kind="goto", url="http://a.test/" + HOSTILE),
        step(1, 1.0, kind=HOSTILE),
        step(1, 1.0, kind="wait_for", value=HOSTILE),
        step(1, 1.0, kind="form_fill", value={"secret": "X"}),
        step(1, 1.0, kind="press_key", key={"secret": "X"}),
    ],
)
def test_what_a_page_says_is_cleaned_and_cut(one: StepRecord) -> None:
    """Page text is hostile."""
    told = caption(one, 1)
    for text in (told.words, told.outcome):
        assert not set(text) & {"\n", "\x1b", "\u202e", "\U000e0041"}
        assert len(text) <= MAX_OUTCOME + 20


def test_a_line_holds_any_script_and_length() -> None:
    """What no font has is a square; what is too long loses its middle; accents do not pile up."""
    draw = ImageDraw.Draw(Image.new("RGB", (10, 10)))
    for words in (
        "Send",
        "Prénom Łukasz",
        "日本語" * 90,
        "שלום مرحبا",
        "x\u0300\u0301\u0302\u0303" * 50,
        HOSTILE,
        "",
        "\U0010ffff",
    ):
        assert lettering.width(lettering.fitted(words, 19, 300), 19) <= 300
        assert lettering.text(draw, (0, 8), words, size=19, fill=(0, 0, 0), room=300) <= 300
    assert lettering.drawable("a\U0010ffffb", 19) in {"a□b", "a?b"}
    assert "..." in lettering.fitted("word " * 100, 19, 300)
    bar = drawn(Told("12345", "workflow", HOSTILE, HOSTILE, "failed", "1:02:03", "12 s later"), 640)
    assert bar.size == (640, HEIGHT)
