"""What the test site computes: slow, broken, redirecting, remembering and recording answers.

One function per path. Times are in ms.
"""

import json
from html import escape
from http.cookies import SimpleCookie
from urllib.parse import parse_qs, urlsplit

from tests.site.uploads import Submission, parse_form
from tests.site.visit import Route, Visit, router

ROUTES: dict[str, Route] = {}
route = router(ROUTES)


@route("/")
def index(visit: Visit) -> None:
    """A link to every page file."""
    visit.page("Pages", "<ul>" + "".join(f'<li><a href="{p}">{p}</a></li>' for p in visit.site.pages) + "</ul>")


def missing(visit: Visit) -> None:
    """What nobody else answers."""
    visit.page("Not found", f"<p>No page has the address {escape(visit.path)}.</p>", 404)


@route("/favicon.ico")
def favicon(visit: Visit) -> None:
    """Asked for by browsers on their own."""
    visit.send(b"", 204)


@route("/hit/")
def hit(visit: Visit) -> None:
    """`/hit/NAME`: nothing but an entry in `Site.hits`; pages report what was done to them here."""
    visit.send(b"", 204)


# --- time ---------------------------------------------------------------------


@route("/slow")
def slow(visit: Visit) -> None:
    """The whole page after `ms`."""
    ms = visit.number("ms", 400)
    visit.wait(ms)
    visit.page("Slow page", f"<p>This page took {ms} ms.</p><button>Ready</button>")


@route("/slow-image")
def slow_image(visit: Visit) -> None:
    """A picture after `ms`: it holds the load event of its page, not the parser."""
    visit.wait(visit.number("ms", 400))
    visit.send('<svg xmlns="http://www.w3.org/2000/svg" width="40" height="40"/>', content_type="image/svg+xml")


@route("/drip")
def drip(visit: Visit) -> None:
    """A list that comes one item every `ms`, `parts` times."""
    visit.exchange.close_connection = True
    visit.head()
    visit.exchange.wfile.write(b"<!doctype html><title>Drip</title><h1>Drip</h1><ul>")
    for number in range(1, visit.number("parts", 5) + 1):
        visit.exchange.wfile.write(f"<li><button>Part {number}</button></li>".encode())
        visit.exchange.wfile.flush()
        visit.wait(visit.number("ms", 100))
    visit.exchange.wfile.write(b"</ul><p>All parts are here.</p>")


@route("/hang")
def hang(visit: Visit) -> None:
    """A connection that is accepted and never answered, until the site ends."""
    visit.exchange.close_connection = True
    visit.site.stopping.wait()


@route("/hang-body")
def hang_body(visit: Visit) -> None:
    """Headers and half a page, and then nothing more until the site ends."""
    visit.exchange.close_connection = True
    visit.head()
    visit.exchange.wfile.write(b"<!doctype html><title>Half a page</title><h1>Half a page</h1><button>Early</button>")
    visit.exchange.wfile.flush()
    visit.site.stopping.wait()


@route("/cut")
def cut(visit: Visit) -> None:
    """A connection that ends without an answer."""
    visit.exchange.close_connection = True


# --- where to -----------------------------------------------------------------


@route("/loop")
def loop(visit: Visit) -> None:
    """Redirects without end."""
    visit.redirect(f"/loop?n={visit.number('n', 0) + 1}", 302)


@route("/redirect")
def redirect(visit: Visit) -> None:
    """`hops` redirects with `status`, then `to`."""
    to, hops, status = visit.query("to", "/form.html"), visit.number("hops", 1), visit.number("status", 302)
    visit.redirect(to if hops <= 1 else f"/redirect?to={to}&hops={hops - 1}&status={status}", status)


@route("/status/")
def status(visit: Visit) -> None:
    """A page with this HTTP status."""
    code = int(visit.path.rsplit("/", 1)[1])
    visit.page(f"Status {code}", f"<p>The server answered {code}.</p><a href='/form.html'>Form</a>", code)


@route("/csp")
def csp(visit: Visit) -> None:
    """A page whose policy allows no script but its own, no eval, no frame, no request."""
    policy = "default-src 'none'; script-src 'nonce-ours'; style-src 'nonce-ours'; form-action 'none'; base-uri 'none'"
    visit.page(
        "Strict policy",
        "<button id=go>Press</button> <output id=out></output><input aria-label='Note'>"
        '<script nonce="ours">go.onclick = () => { out.textContent = "pressed"; };</script>',
        Content_Security_Policy=policy,
    )


@route("/headers")
def show_headers(visit: Visit) -> None:
    """The request's own headers, as text."""
    visit.send(json.dumps(visit.headers, indent=1), content_type="text/plain; charset=utf-8")


# --- memory -------------------------------------------------------------------


@route("/set-cookie")
def set_cookie(visit: Visit) -> None:
    """Sets `name`=`value`, for the session or for `max_age` s."""
    cookie = f"{visit.query('name', 'colour')}={visit.query('value', 'green')}; Path=/"
    if age := visit.query("max_age"):
        cookie += f"; Max-Age={age}"
    visit.page("Cookie set", "<a href='/cookies'>Show</a>", Set_Cookie=cookie)


@route("/cookies")
def cookies(visit: Visit) -> None:
    """The cookies that came."""
    pairs = _cookies(visit)
    visit.page("Cookies", "".join(f"<p>{escape(name)}: {escape(value)}</p>" for name, value in pairs.items()))


@route("/login")
def login(visit: Visit) -> None:
    """Takes any user whose password is `sesame`, and remembers who it was."""
    fields = record(visit).fields
    user = fields.get("username", [""])[0]
    if fields.get("password") != ["sesame"]:
        visit.page("Not signed in", '<p role="alert">Wrong password.</p><a href="/login.html">Again</a>', 401)
    else:
        visit.redirect("/account", Set_Cookie=f"user={user}; Path=/; HttpOnly; Max-Age=3600")


@route("/account")
def account(visit: Visit) -> None:
    """The signed-in page, or the way to it."""
    user = _cookies(visit).get("user")
    if user is None:
        visit.redirect("/login.html")
    else:
        visit.page("Account", f"<p>Signed in as {escape(user)}.</p><button>Sign out</button>")


def _cookies(visit: Visit) -> dict[str, str]:
    return {name: morsel.value for name, morsel in SimpleCookie(visit.headers.get("cookie", "")).items()}


# --- forms --------------------------------------------------------------------


def record(visit: Visit, *, keep: bool = True) -> Submission:
    """The form that came; entered in `Site.submissions` unless it is one on the way to another."""
    if visit.method == "POST":
        fields, files = parse_form(visit.headers.get("content-type", ""), visit.body)
    else:
        fields, files = parse_qs(urlsplit(visit.target).query, keep_blank_values=True), ()
    submission = Submission(visit.method, visit.path, fields, files)
    if keep:
        visit.site.submissions.append(submission)
    return submission


@route("/submit")
def submit(visit: Visit) -> None:
    """Records a form, then shows its number on another page (POST, redirect, GET)."""
    record(visit)
    visit.redirect(f"/done?id=PR-{1000 + len(visit.site.submissions)}")


@route("/done")
def done(visit: Visit) -> None:
    """Where a form ends."""
    number = escape(visit.query("id"))
    visit.page("Request received", f'<p role="status">Your number is {number}.</p><a href="/form.html">New request</a>')


@route("/upload")
def upload(visit: Visit) -> None:
    """Records a form with files and says what came."""
    got = record(visit)
    files = "".join(f"<li>{escape(f.field)}: {escape(f.name)}, {f.size} bytes, {f.sha256[:12]}</li>" for f in got.files)
    fields = "".join(f"<li>{escape(n)} = {escape(', '.join(v))}</li>" for n, v in got.fields.items())
    visit.page("Upload received", f"<p role='status'>{len(got.files)} file(s) came.</p><ul>{files}{fields}</ul>")


# --- data for scripts ---------------------------------------------------------


@route("/api/items")
def items(visit: Visit) -> None:
    """`count` items as JSON after `ms`; with `status` an error instead."""
    visit.wait(visit.number("ms", 200))
    found = [{"id": n, "name": f"Item {n}"} for n in range(1, visit.number("count", 3) + 1)]
    visit.send(json.dumps(found), visit.number("status", 200), content_type="application/json")


_TOWNS = ("Aarau", "Basel", "Bern", "Biel", "Chur", "Geneva", "Lausanne", "Lugano", "Luzern", "Zug", "Zürich")


@route("/api/suggest")
def suggest(visit: Visit) -> None:
    """Towns that begin with `q`, after `ms`."""
    visit.wait(visit.number("ms", 60))
    found = [town for town in _TOWNS if town.casefold().startswith(visit.query("q").casefold())]
    visit.send(json.dumps(found), content_type="application/json")
