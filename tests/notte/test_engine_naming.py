"""Our ids on top of a numbering that begins anew at each look: who keeps one, who inherits one, who is refused."""

from typing import Any

import pytest

from notte_mcp.engines.notte.naming import Book, Met
from notte_mcp.engines.notte.seeing import Line
from notte_mcp.errors import StaleElement, UnknownElement

URL = "https://shop.test/list?page=2"


def line(name: str, their_id: str, css: str = "", role: str = "button") -> Line:
    return Line("element", role, name, their_id, "button", (css or f"#{name}", "", ()))


def answer(document: str, *keys: int) -> dict[str, Any]:
    """What the page says of each line, in order: its numbers for them."""
    return {"document": document, "found": [[key, "button", "button", "", False, False] for key in keys]}


def ids(book: Book, met: Met) -> list[str]:
    return [book.show(known) for known in met.elements]


def test_an_element_keeps_its_id_however_the_cloud_numbers_it_and_wherever_it_moves() -> None:
    """The page's own number for it is what counts, not the cloud's, nor its selector."""
    book = Book({})
    first = book.meet(
        [line("Buy", "B1", "li:nth-of-type(1)"), line("Buy", "B2", "li:nth-of-type(2)")], URL, answer("d", 4, 9)
    )
    assert ids(book, first) == ["B1", "B2"]
    again = book.meet([line("New", "B1"), line("Buy", "B2", "li:nth-of-type(1)")], URL, answer("d", 12, 9))
    assert ids(book, again) == ["B3", "B2"]
    assert [known.their_id for known in again.elements] == ["B1", "B2"]


def test_one_that_stood_beside_what_is_gone_is_no_heir_of_it() -> None:
    """Of two alike, the one that is left is not the one that went."""
    book = Book({})
    ids(book, book.meet([line("Buy", "B1"), line("Buy", "B2", "#b")], URL, answer("d", 1, 2)))
    left = book.meet([line("Buy", "B1", "#b")], URL, answer("d", 2))
    with pytest.raises(StaleElement, match='B2 button "Buy"'):
        book.heal("B1", left)


def test_the_only_one_of_its_role_and_name_that_came_since_is_the_heir() -> None:
    """In a new document of the same page, or where a script replaced it; the id is its from then on."""
    book = Book({"B": 7})
    assert ids(book, book.meet([line("Buy", "B1")], URL, answer("d", 1))) == ["B8"]
    heir = book.heal("B8", book.meet([line("Buy", "B1"), line("Sell", "B2")], URL, answer("e", 1, 2)))
    assert (heir.place, heir.id, book.is_healed("B8")) == (("e", "1"), "B8", True)
    assert book.named("B8") is heir
    assert book.show(heir) == "B8"
    assert not book.is_healed("B8")


def test_of_documents_left_long_ago_only_what_has_an_id_is_known() -> None:
    """A session may see thousands, each with hundreds of elements."""
    book = Book({})
    shown, _ = book.meet([line("Buy", "B1"), line("Sell", "B2")], URL, answer("d", 1, 2)).elements
    assert book.show(shown) == "B1"
    for number in range(40):
        book.meet([line("Buy", "B1")], URL, answer(f"d{number}", 1))
    assert (book.named("B1"), book.met("d", "1"), book.met("d", "2")) == (shown, shown, None)
    assert book.met("d39", "1") is not None


@pytest.mark.parametrize(
    ("lines", "url"),
    [
        ([line("Buy", "B1")], "https://shop.test/other"),
        ([line("Buy", "B1"), line("Buy", "B2", "#b")], URL),
        ([line("Buy", "L1", role="link")], URL),
        ([], URL),
    ],
    ids=["another page", "two alike", "another role", "nothing"],
)
def test_without_a_single_heir_the_id_is_refused(lines: list[Line], url: str) -> None:
    """Never guessed."""
    book = Book({})
    ids(book, book.meet([line("Buy", "B1")], URL, answer("d", 1)))
    with pytest.raises(StaleElement):
        book.heal("B1", book.meet(lines, url, answer("e", *range(1, len(lines) + 1))))


def test_where_the_page_tells_nothing_selectors_and_names_do() -> None:
    """No scripts: the same selector, role and name on the same page are the same element; likes stay apart."""
    book = Book({})
    rows = [line("Buy", "B1", "li"), line("Buy", "B2", "li"), line("Sell", "B3")]
    assert ids(book, book.meet(rows, URL, None)) == ["B1", "B2", "B3"]
    assert ids(book, book.meet(rows, URL, None)) == ["B1", "B2", "B3"]
    assert ids(book, book.meet([line("Keep", "B1", "#Sell")], URL, None)) == ["B4"]


def test_a_page_that_changed_between_the_look_and_the_question_is_not_believed() -> None:
    """What stands at a selector now is of another kind: the line keeps to what the cloud told."""
    book = Book({})
    told = {"document": "d", "found": [[5, "input", "textbox", "Card", True, True]]}
    (known,) = book.meet([line("Buy", "B1")], URL, told).elements
    assert (known.key, known.role, known.name, known.secret) == (0, "button", "Buy", False)


def test_an_id_that_was_never_shown_is_unknown() -> None:
    """Met is not shown."""
    book = Book({})
    book.meet([line("Buy", "B1")], URL, answer("d", 1))
    with pytest.raises(UnknownElement):
        book.named("B1")
