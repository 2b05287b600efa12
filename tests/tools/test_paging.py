import pytest
from hypothesis import given
from hypothesis import strategies as st

from notte_mcp.errors import UnknownView
from notte_mcp.observations import estimate_tokens
from notte_mcp.tools.paging import LIFE_S, MAX_TEXTS, Pages


@given(
    text=st.text(alphabet=st.sampled_from("ab 1é漢\n.;"), max_size=600), budget=st.integers(min_value=1, max_value=60)
)
def test_pages_joined_are_the_text_and_each_fits(text: str, budget: int) -> None:
    """Contract: a cursor continues where the answer was cut."""
    pages = Pages()
    page = pages.first(text, budget)
    parts = [page.text]
    while page.cursor is not None:
        assert page.footer
        page = pages.at(page.cursor, budget, again="the call")
        parts.append(page.text)

    assert "".join(parts) == text
    assert all(estimate_tokens(part) <= budget or len(part) == 1 for part in parts)


def test_a_cursor_gives_the_same_page_each_time() -> None:
    """Ours: a repeated call is no loss."""
    pages = Pages()
    cursor = pages.first("one two three four five six\n" * 20, 10).cursor
    assert cursor is not None

    assert pages.at(cursor, 10, again="") == pages.at(cursor, 10, again="")


def test_a_cursor_dies_after_fifteen_minutes_and_names_the_call() -> None:
    """Contract."""
    now = [0.0]
    pages = Pages(clock=lambda: now[0])
    cursor = pages.first("word " * 100, 10).cursor
    assert cursor is not None
    now[0] = LIFE_S + 1

    with pytest.raises(UnknownView, match=r"older than 15 minutes.*Next: notte_read again"):
        pages.at(cursor, 10, again="notte_read again")


@pytest.mark.parametrize("cursor", ["", "c1", "p0", "p0.5", "p0.x"])
def test_an_unknown_cursor_is_refused(cursor: str) -> None:
    """Ours."""
    with pytest.raises(UnknownView):
        Pages().at(cursor, 10, again="the call")


def test_only_so_many_texts_are_kept() -> None:
    """P10: limits hold."""
    pages = Pages()
    cursors = [pages.first("word " * 100, 10).cursor for _ in range(MAX_TEXTS + 1)]

    with pytest.raises(UnknownView):
        pages.at(str(cursors[0]), 10, again="the call")
    assert pages.at(str(cursors[1]), 10, again="the call")


def test_what_a_text_is_about_comes_with_every_page() -> None:
    """Ours: the later pages know what they are part of."""
    pages = Pages()
    first = pages.first("word " * 100, 10, id="ses_1")

    assert first.about == pages.at(str(first.cursor), 10, again="").about == {"id": "ses_1"}
