"""Pages too large to be files: lists of products, floods of text, names of megabytes, bombs."""

import zlib
from functools import cache
from html import escape

from tests.site.visit import Route, Visit, router

ROUTES: dict[str, Route] = {}
route = router(ROUTES)

_KINDS = ("Lamp", "Chair", "Shelf", "Rug", "Clock", "Vase", "Mirror", "Basket")
_STYLES = ("Oak", "Linen", "Brass", "Walnut", "Clay", "Slate", "Cedar", "Copper", "Wool")


def product(number: int) -> tuple[str, str]:
    """Name and price of product `number`, counted from 1; names are unique."""
    kind = _KINDS[number % len(_KINDS)]
    style = _STYLES[number % len(_STYLES)]
    return f"{style} {kind} {number}", f"{5 + number * 7 % 190}.{number % 10}0"


@route("/products/")
def products(visit: Visit) -> None:
    """`/products/N`: N products (at most 10,000), each with a heading link, a price and a button."""
    count = min(int(visit.path.rsplit("/", 1)[1]), 10_000)
    rows: list[str] = []
    for number in range(1, count + 1):
        name, price = product(number)
        rows.append(
            f'<li><h3><a href="/product/{number}">{name}</a></h3><p>{price} €</p>'
            f'<button data-product="{number}">Add to cart</button></li>'
        )
    visit.page(
        f"{count} products",
        '<p id="cart" role="status">Cart: 0</p>\n<ul>' + "\n".join(rows) + "</ul>"
        "<script>let cart = 0; document.querySelector('ul').onclick = e => {"
        " if (e.target.dataset.product) document.getElementById('cart').textContent = 'Cart: ' + ++cart; };</script>",
    )


@route("/product/")
def one_product(visit: Visit) -> None:
    """`/product/N`: where a product's link goes."""
    name, price = product(int(visit.path.rsplit("/", 1)[1]))
    visit.page(name, f"<p>{price} €</p><button>Add to cart</button> <a href='/products/1000'>All products</a>")


@route("/text/")
def text(visit: Visit) -> None:
    """`/text/N`: N paragraphs (at most 20,000) of plain words, numbered."""
    count = min(int(visit.path.rsplit("/", 1)[1]), 20_000)
    words = "The district office keeps the register of permits and answers within ten days."
    visit.page(f"{count} paragraphs", "".join(f"<p>{n}. {words}</p>\n" for n in range(1, count + 1)))


@route("/nested/")
def nested(visit: Visit) -> None:
    """`/nested/N`: a button under N nested boxes (at most 2,000)."""
    depth = min(int(visit.path.rsplit("/", 1)[1]), 2_000)
    visit.page(f"{depth} deep", "<div>" * depth + "<button>Deep</button>" + "</div>" * depth)


@route("/table/")
def table(visit: Visit) -> None:
    """`/table/N`: N rows (at most 10,000) whose buttons all have the same two names."""
    count = min(int(visit.path.rsplit("/", 1)[1]), 10_000)
    rows = "".join(
        f"<tr><th scope=row>{escape(product(n)[0])}</th><td>{product(n)[1]}</td>"
        f"<td><button>Edit</button> <button>Delete</button></td></tr>\n"
        for n in range(1, count + 1)
    )
    visit.page(
        f"{count} rows",
        "<table><caption>Stock</caption><thead><tr><th>Name<th>Price<th>Actions</thead><tbody>"
        + rows
        + "</tbody></table><p role=status id=last></p><script>document.querySelector('table').onclick = e => {"
        " if (e.target.tagName == 'BUTTON') document.getElementById('last').textContent ="
        " e.target.textContent + ' ' + e.target.closest('tr').cells[0].textContent; };</script>",
    )


@route("/gzip-bomb")
def gzip_bomb(visit: Visit) -> None:
    """A page of `mb` megabytes (at most 1,024) that comes as a thousandth of that."""
    visit.send(_bomb(min(visit.number("mb", 1_024), 1_024) // 16), Content_Encoding="gzip")


@cache
def _bomb(parts: int) -> bytes:
    """So many times 16 MB of paragraphs. What is flushed in full depends on nothing before it, so one part is repeated."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    part = packer.compress(b"<p>boom</p>\n" * (16_000_000 // 12)) + packer.flush(zlib.Z_FULL_FLUSH)
    head = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03"
    return head + part * parts + b"\x03\x00" + bytes(8)


@route("/big-headers")
def big_headers(visit: Visit) -> None:
    """An answer whose headers are 10 MB."""
    visit.exchange.close_connection = True
    visit.exchange.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n")
    for number in range(160):
        visit.exchange.wfile.write(f"X-Flood-{number}: ".encode() + b"x" * 65_000 + b"\r\n")
    visit.exchange.wfile.write(b"\r\n<title>Headers</title>")
