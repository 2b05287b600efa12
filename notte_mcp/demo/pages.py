"""The demo shop's pages: plain HTML with one style sheet, nothing from outside.

Every text that came from a visitor is escaped here. Below: orders, stock. Above: shop.
"""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Final

from notte_mcp.demo.orders import COUNTRIES, DELIVERIES, Order
from notte_mcp.demo.stock import Drawing, Product

SHOP: Final = "Kiln & Kettle"

_STYLE: Final = """
:root { --ink: #2b2a27; --paper: #faf7f2; --line: #e2dbcf; --accent: #a8553d; }
* { box-sizing: border-box; }
body { margin: 0; font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); }
header { display: flex; gap: 2rem; align-items: center; padding: 1rem 2rem; border-bottom: 1px solid var(--line); background: #fff; }
header a { font: 600 1.4rem Georgia, serif; color: var(--accent); text-decoration: none; }
header form { margin-left: auto; display: flex; gap: .5rem; }
main { max-width: 62rem; margin: 2rem auto; padding: 0 2rem; }
h1 { font: 600 1.9rem Georgia, serif; margin: 0 0 1rem; }
.shelf { display: grid; grid-template-columns: repeat(auto-fill, minmax(13rem, 1fr)); gap: 1.2rem; padding: 0; list-style: none; }
.shelf li, .paper { background: #fff; border: 1px solid var(--line); border-radius: 10px; overflow: hidden; }
.shelf h2 { font-size: 1.05rem; margin: .7rem 1rem 0; } .shelf p { margin: .2rem 1rem .9rem; color: #6a655c; }
.shelf a, .more { color: inherit; }
svg { display: block; width: 100%; height: 9rem; }
.paper { padding: 1.5rem 2rem; max-width: 40rem; } .two { display: grid; grid-template-columns: 20rem 1fr; gap: 2rem; align-items: start; } .two .paper { padding: 0; } .two svg { height: 14rem; }
label, legend { font-weight: 600; } .row { margin: 0 0 .9rem; } .row > label { display: block; }
fieldset { border: 0; padding: 0; margin: 0 0 .9rem; } fieldset label, .row > .tick { display: inline; font-weight: 400; margin-right: 1rem; }
input:not([type=radio], [type=checkbox]), select { font: inherit; padding: .45rem .6rem; border: 1px solid #b9b0a2; border-radius: 6px; }
.row > input, .row > select { width: 100%; } [aria-invalid=true]:is(input, select, #x) { border-color: #b3261e; } #quantity { width: 6rem; } .fault { color: #b3261e; }
button { font: inherit; font-weight: 600; color: #fff; background: var(--accent); border: 0; border-radius: 6px; padding: .5rem 1.1rem; cursor: pointer; }
.price { font-size: 1.3rem; } .number { font: 600 1.6rem ui-monospace, monospace; letter-spacing: .05em; }
"""

_DRAWINGS: Final[dict[Drawing, str]] = {
    "kettle": '<path d="M62 100h76l-8-46H70zM138 64l26-14-20 34zM74 52c2-34 50-34 52 0M92 46h16" />',
    "pot": '<path d="M66 60h68c12 42-6 44-34 44s-46-2-34-44zM134 70l30-8-24 30zM66 68c-30-4-24 30 4 24M94 54h12v-8H94z" />',
    "cup": '<path d="M70 56h60c0 36-8 48-30 48s-30-12-30-48zM130 64c24-2 18 26-6 22M88 44c-4-8 4-10 0-18M106 44c-4-8 4-10 0-18" />',
    "leaf": '<path d="M60 104c0-48 30-66 84-66 0 50-28 72-70 60zM64 104c14-22 32-36 56-46M92 78l-2-18M104 70l18 6" />',
}


def page(title: str, body: str, *, query: str = "") -> str:
    """A whole page in the shop's frame."""
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{escape(title)} · {escape(SHOP)}</title><style>{_STYLE}</style></head>
<body><header><a href="/">{escape(SHOP)}</a>
<form role="search" action="/"><input type="search" name="q" value="{escape(query)}" aria-label="Search products" placeholder="Search products">
<button>Search</button></form></header>
<main>{body}</main></body></html>"""


def shelf(products: Sequence[Product], query: str) -> str:
    """The list of products, all or those that were searched for."""
    title = f"{len(products)} found for “{query}”" if query else "Everything for tea"
    cards = "\n".join(
        f'<li>{_drawing(item)}<h2><a href="/product/{item.slug}">{escape(item.name)}</a></h2><p>{money(item.price)}</p></li>'
        for item in products
    )
    return page(title, f'<h1>{escape(title)}</h1>\n<ul class="shelf">{cards}</ul>', query=query)


def one(item: Product) -> str:
    """A product, with the way to order it."""
    return page(
        item.name,
        f"""<div class="two"><div class="paper">{_drawing(item)}</div><div>
<h1>{escape(item.name)}</h1><p>{escape(item.about)}</p><p class="price">{money(item.price)}</p>
<form action="/order"><input type="hidden" name="product" value="{item.slug}">
<p class="row"><label for="quantity">Quantity</label><input id="quantity" name="quantity" type="number" min="1" max="9" value="1"></p>
<button>Order now</button></form><p><a class="more" href="/">Back to the shelf</a></p></div></div>""",
    )


def form(item: Product, quantity: int, given: Mapping[str, str], faults: Mapping[str, str]) -> str:
    """The order form, with what was given before and what is wrong with it."""
    alert = '<p class="fault" role="alert">The order was not placed: please see below.</p>' if faults else ""
    rows = [
        _field("name", "Name", given, faults, "autocomplete=name"),
        _field("email", "E-mail", given, faults, "type=email autocomplete=email"),
        _field("street", "Street and number", given, faults, "autocomplete=street-address"),
        _field("postal_code", "Postal code", given, faults, "autocomplete=postal-code"),
        _field("city", "City", given, faults, "autocomplete=address-level2"),
        _countries(given.get("country", ""), faults.get("country")),
        _deliveries(given.get("delivery", ""), faults.get("delivery")),
        _tick("gift", "Wrap it as a gift", given, None),
        # Never written back into the page: a code that was wrong is typed again.
        _field("code", "Access code", {}, faults, "type=password autocomplete=off"),
        _tick("terms", "I accept the terms of sale", given, faults.get("terms")),
    ]
    return page(
        "Your order",
        f"""<h1>Your order</h1><form class="paper" method="post" action="/order" novalidate aria-label="Order">
<p>{quantity} &times; {escape(item.name)}, <strong>{money(quantity * item.price)}</strong></p>{alert}
<input type="hidden" name="product" value="{item.slug}"><input type="hidden" name="quantity" value="{quantity}">
{"".join(rows)}<button>Place order</button></form>""",
    )


def thanks(order: Order) -> str:
    """The page of a placed order."""
    fields = order.fields
    return page(
        f"Order {order.number}",
        f"""<div class="paper"><h1>Thank you, {escape(fields["name"])}</h1>
<p role="status">Your order number is <span class="number">{order.number}</span></p>
<p>{order.quantity} &times; {escape(order.product.name)}, {escape(DELIVERIES[fields["delivery"]])}{", as a gift" if fields.get("gift") else ""},
to {escape(fields["street"])}, {escape(fields["postal_code"])} {escape(fields["city"])}, {escape(fields["country"])}.</p>
<p><a class="more" href="/">Back to the shelf</a></p></div>""",
    )


def missing() -> str:
    """The page for an address that is none."""
    return page(
        "Not found", '<h1>Not found</h1><p>There is nothing here. <a class="more" href="/">To the shelf</a></p>'
    )


def money(cents: int) -> str:
    """A price as the shop writes it."""
    return f"{cents // 100}.{cents % 100:02} €"


def _drawing(item: Product) -> str:
    return (
        f'<svg viewBox="0 0 200 130" aria-hidden="true" fill="none" stroke="{item.tint}" stroke-width="5" '
        f'stroke-linejoin="round" stroke-linecap="round" style="background: {item.tint}22">{_DRAWINGS[item.drawing]}</svg>'
    )


def _field(name: str, label: str, given: Mapping[str, str], faults: Mapping[str, str], more: str) -> str:
    fault, says = _fault(name, faults.get(name))
    value = escape(given.get(name, ""))
    return f'<p class="row"><label for="{name}">{label}</label><input id="{name}" name="{name}" value="{value}" {more}{says}>{fault}</p>\n'


def _countries(chosen: str, wrong: str | None) -> str:
    fault, says = _fault("country", wrong)
    options = "".join(f"<option{' selected' if name == chosen else ''}>{name}</option>" for name in COUNTRIES)
    return (
        f'<p class="row"><label for="country">Country</label><select id="country" name="country"{says}>'
        f'<option value="">Choose</option>{options}</select>{fault}</p>\n'
    )


def _deliveries(chosen: str, wrong: str | None) -> str:
    fault, _ = _fault("delivery", wrong)
    radios = "".join(
        f'<label><input type="radio" name="delivery" value="{key}"{" checked" if key == chosen else ""}> {label}</label>'
        for key, label in DELIVERIES.items()
    )
    return f"<fieldset><legend>Delivery</legend>{radios}{fault}</fieldset>\n"


def _tick(name: str, label: str, given: Mapping[str, str], wrong: str | None) -> str:
    fault, says = _fault(name, wrong)
    checked = " checked" if given.get(name) == "yes" else ""
    return f'<p class="row"><label class="tick"><input type="checkbox" name="{name}" value="yes"{checked}{says}> {label}</label>{fault}</p>\n'


def _fault(name: str, wrong: str | None) -> tuple[str, str]:
    """The words under a field, and the attributes that tie them to it."""
    if wrong is None:
        return "", ""
    return (
        f'<br><span class="fault" id="{name}-fault">{escape(wrong)}</span>',
        f' aria-invalid="true" aria-describedby="{name}-fault"',
    )
