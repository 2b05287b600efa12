"""Work that goes over several pages, and pages that are another every time: a wizard, a ledger, shuffled and renamed parts.

What changes does so by the number of requests that came: the same run of requests gets the same pages.
"""

from html import escape

from tests.site.routes import record
from tests.site.visit import Route, Visit, router

ROUTES: dict[str, Route] = {}
route = router(ROUTES)

_PEOPLE = ("Ada", "Grace", "Edith", "Hedy", "Mary", "Rosalind", "Barbara")
PAGE_ROWS = 4
"""Entries on one page of the ledger."""
_ENTRIES = 14

_STEPS = (
    ("Who", '<label>Full name <input name="full_name" required></label> <label>Born in <input name="born"></label>'),
    (
        "Where",
        (
            '<label>Town <select name="town"><option>Bern<option>Basel<option>Chur</select></label>'
            '<fieldset><legend>Rooms</legend><label><input type="radio" name="rooms" value="2"> Two</label>'
            '<label><input type="radio" name="rooms" value="3"> Three</label></fieldset>'
        ),
    ),
    ("Extras", '<label><input type="checkbox" name="garden" value="yes"> With a garden</label>'),
)


@route("/wizard")
def wizard(visit: Visit) -> None:
    """Three pages of a form, one after another; what was given before is carried along, the last page sends all."""
    step = visit.number("step", 1)
    if visit.method == "POST":
        given = {n: v[0] for n, v in record(visit, keep=step > len(_STEPS)).fields.items()}
    else:
        given = {}
    if step > len(_STEPS):
        visit.redirect(f"/wizard/end?name={given.get('full_name', '')}")
        return
    title, controls = _STEPS[step - 1]
    carried = "".join(f'<input type="hidden" name="{n}" value="{escape(v)}">' for n, v in given.items())
    last = step == len(_STEPS)
    visit.page(
        f"Step {step}: {title}",
        f'<form method="post" action="/wizard?step={step + 1}">{carried}<p>{controls}</p>'
        f"<button>{'Send application' if last else 'Continue'}</button></form>",
    )


@route("/wizard/end")
def wizard_end(visit: Visit) -> None:
    """Where the wizard ends."""
    visit.page("Application sent", f'<p role="status">Thank you, {escape(visit.query("name"))}.</p>')


@route("/ledger")
def ledger(visit: Visit) -> None:
    """`page` of a table of entries, with the way to the next; `q` keeps those of a person."""
    page, wanted = visit.number("page", 1), visit.query("q").casefold()
    entries = [n for n in range(1, _ENTRIES + 1) if wanted in _person(n).casefold()]
    shown = entries[(page - 1) * PAGE_ROWS : page * PAGE_ROWS]
    rows = "".join(
        f'<tr><td><a href="/ledger/entry?n={n}">Entry {n}</a></td><td>{_person(n)}</td><td>{n * 12}.50</td></tr>'
        for n in shown
    )
    here, more = f"/ledger?q={escape(wanted)}&amp;page=", page * PAGE_ROWS < len(entries)
    ways = [f'<a href="{here}{page - 1}">Previous</a>'] if page > 1 else []
    ways += [f'<a href="{here}{page + 1}">Next</a>'] if more else []
    visit.page(
        "Ledger",
        '<form action="/ledger" role="search"><input type="search" name="q" aria-label="Person"><button>Filter</button></form>'
        f"<table><caption>Entries, page {page}</caption><thead><tr><th>Entry<th>Person<th>Amount</thead><tbody>{rows}</tbody></table>"
        f'<nav aria-label="Pages">{" ".join(ways)}</nav>',
    )


@route("/ledger/entry")
def entry(visit: Visit) -> None:
    """One entry of the ledger, and what is done with it."""
    n = visit.number("n", 1)
    visit.page(
        f"Entry {n}",
        f'<p>{_person(n)} paid {n * 12}.50.</p><form method="post" action="/submit"><input type="hidden" name="entry" value="{n}">'
        '<label>Remark <input name="remark"></label> <button>Approve</button></form><a href="/ledger">Back to the ledger</a>',
    )


@route("/shuffled")
def shuffled(visit: Visit) -> None:
    """People in another order every time; each has a button of its own name and one that all share."""
    turn = visit.site.hits["/shuffled"] * 3 % len(_PEOPLE)
    people = _PEOPLE[turn:] + _PEOPLE[:turn]
    cards = "".join(f'<li><h3>{p}</h3><button data-who="{p}">Invite {p}</button></li>' for p in people)
    visit.page("People", f'<ul aria-label="People">{cards}</ul><p role="status"></p>{_SAY_BUTTON}')


@route("/generated")
def generated(visit: Visit) -> None:
    """A form whose ids and classes are new every time, as frameworks make them."""
    salt = f"{visit.site.hits['/generated'] * 7919 % 65521:x}"
    visit.page(
        "Generated",
        f'<form method="post" action="/submit" class="css-{salt}"><label for=":r{salt}:">Nickname</label> <input id=":r{salt}:" name="nickname">'
        f'<label for="mui-{salt}">Motto</label> <input id="mui-{salt}" name="motto" class="css-{salt}-input">'
        f'<button id="btn-{salt}" class="css-{salt}-button">Join</button></form>',
    )


@route("/basket")
def basket(visit: Visit) -> None:
    """Names that hold what changes: an order number that is new every time, a count, what was typed."""
    number = 5000 + visit.site.hits["/basket"]
    visit.page(
        "Basket",
        '<label>Item <input id="item"></label> <button id="add">Add</button><ul id="items"></ul>'
        f'<a href="/done?id={number}">Order {number}</a><p role="status" id="out"></p><button id="pay">Pay order {number}</button>'
        f"""<script>
  const $ = id => document.getElementById(id);
  let count = 0;
  $('add').onclick = () => {{
    const name = $('item').value;
    $('items').insertAdjacentHTML('beforeend', `<li>${{name}} <button>Remove ${{name}}</button></li>`);
    $('out').textContent = `${{++count}} in the basket`;
  }};
  $('items').onclick = e => {{ if (e.target.tagName === 'BUTTON') {{ e.target.parentNode.remove(); $('out').textContent = `${{--count}} in the basket`; }} }};
  $('pay').onclick = () => {{ $('out').textContent = 'Paid'; }};
</script>""",
    )


def _person(n: int) -> str:
    return _PEOPLE[n % len(_PEOPLE)]


_SAY_BUTTON = """<script>document.querySelector('ul').onclick = e => {
  if (e.target.dataset.who) document.querySelector('[role=status]').textContent = `Invited ${e.target.dataset.who}`;
};</script>"""
