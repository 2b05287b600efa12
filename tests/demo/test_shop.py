"""The demo's shop, as a browser's form would use it."""

import http.client
from collections.abc import Iterator
from urllib.parse import urlencode, urlsplit

import pytest

from notte_mcp.demo.shop import Shop
from notte_mcp.demo.stock import STOCK, find

GOOD = {
    "product": "copper-kettle",
    "quantity": "2",
    "name": "Ada <b>Brew</b>",
    "email": "ada@example.org",
    "street": "Kettle Lane 4",
    "postal_code": "3011",
    "city": "Bern",
    "country": "Switzerland",
    "delivery": "express",
    "code": "tea-at-four",
    "terms": "yes",
}


@pytest.fixture(name="shop")
def _shop() -> Iterator[Shop]:
    with Shop() as shop:
        yield shop


def ask(shop: Shop, path: str, form: dict[str, str] | None = None) -> tuple[int, str, str]:
    """Status, body and Location of one request; a form is posted."""
    connection = http.client.HTTPConnection(urlsplit(shop.url).netloc, timeout=5)
    body = urlencode(form) if form is not None else None
    connection.request("GET" if form is None else "POST", path, body)
    with connection.getresponse() as reply:
        answer = reply.status, reply.read().decode(), reply.getheader("Location", "")
    connection.close()
    return answer


def test_the_shelf_shows_everything_and_a_search_what_fits(shop: Shop) -> None:
    everything, kettles = ask(shop, "/")[1], ask(shop, "/?q=Kettle")[1]

    assert all(item.name in everything for item in STOCK)
    assert [item.slug for item in find("kettle")] == ["copper-kettle", "enamel-kettle", "gooseneck-kettle"]
    assert "3 found for “Kettle”" in kettles
    assert "Cast iron teapot" not in kettles


@pytest.mark.parametrize(
    "path", ["/product/copper-kettle", "/order?product=copper-kettle&quantity=x", "/?q=%3Cscript%3E"]
)
def test_every_page_opens_and_says_nothing_a_visitor_wrote_unescaped(shop: Shop, path: str) -> None:
    status, text, _ = ask(shop, path)

    assert status == 200
    assert "<script" not in text


def test_a_good_order_gets_a_number_on_a_page_of_its_own(shop: Shop) -> None:
    status, _, place = ask(shop, "/order", GOOD)
    thanks = ask(shop, place)[1]

    assert (status, place) == (303, "/orders/KK-10001")
    assert "KK-10001" in thanks
    assert "Ada &lt;b&gt;Brew&lt;/b&gt;" in thanks
    assert (shop.orders[0].product.slug, shop.orders[0].quantity) == ("copper-kettle", 2)


def test_the_access_code_is_neither_kept_nor_shown_again(shop: Shop) -> None:
    """Ours: the demo's secret may be seen nowhere."""
    ask(shop, "/order", GOOD)
    again = ask(shop, "/order", GOOD | {"city": ""})[1]

    assert "tea-at-four" not in str(shop.orders[0].fields) + again


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("name", " ", "Please give your name."),
        ("email", "ada", "This is no e-mail address."),
        ("country", "Atlantis", "Please choose a country."),
        ("delivery", "", "Please choose a delivery."),
        ("code", "tea", "at least 6 characters"),
        ("terms", "", "Please accept the terms."),
    ],
)
def test_a_faulty_order_is_refused_and_says_why(shop: Shop, field: str, value: str, says: str) -> None:
    status, text, _ = ask(shop, "/order", GOOD | {field: value})

    assert (status, shop.orders) == (422, [])
    assert says in text
    assert "Kettle Lane 4" in text


def test_what_is_not_there_is_a_404(shop: Shop) -> None:
    found = [ask(shop, path)[0] for path in ("/product/x", "/order?product=x", "/orders/KK-1", "/etc")]

    assert (*found, ask(shop, "/order", {"product": "x"})[0]) == (404,) * 5
