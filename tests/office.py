"""A small permit office, written twice: as scripted pages and as HTML. What one shows, the other does.

/form    a field of each kind, a button that turns into a field, a button that leads to /result
/result  what the office answers
/list    sixty links
"""

import threading
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from notte_mcp.engines.scripted import ScriptedElement, ScriptedPage

ITEMS = 60
DISTRICTS = ("North", "South", "East", "West")

_FORM = """<!doctype html><title>Permit request</title><h1>Permit request</h1><p>All fields are read by a person.</p>
<label>Applicant <input id="applicant"></label>
<label><input type="checkbox"> I accept the terms</label>
<label>District <select><option>North<option>South<option>East<option>West</select></label>
<label>Access code <input type="password" id="code"></label>
<button onclick="this.outerHTML='<label>Note <input></label>'">Add a note</button>
<button disabled>Save draft</button>
<button id="send" onclick="location.href='/result'">Send request</button>"""
_RESULT = """<!doctype html><title>Request received</title><h1>Request received</h1>
<p>Your request has the number 4711.</p><a href="/form">Back to the form</a>"""
_LIST = "<!doctype html><title>Permits</title><h1>Permits</h1><ul>" + "".join(
    f'<li><a href="/result">Permit number {n}</a></li>' for n in range(1, ITEMS + 1)
)
_HTML = {"/form": _FORM, "/result": _RESULT, "/list": _LIST}


def scripted_pages(base: str) -> dict[str, ScriptedPage]:
    """The office as scripted pages under `base`."""
    note = ScriptedElement("textbox", "Note")
    form = ScriptedPage(
        "Permit request",
        (
            ScriptedElement("textbox", "Applicant", selector="#applicant"),
            ScriptedElement("checkbox", "I accept the terms"),
            ScriptedElement("combobox", "District", value="North", options=DISTRICTS),
            ScriptedElement("password", "Access code", selector="#code"),
            ScriptedElement("button", "Add a note", becomes=(note,)),
            ScriptedElement("button", "Save draft", disabled=True),
            ScriptedElement("button", "Send request", href=f"{base}/result", selector="#send"),
        ),
        text=("All fields are read by a person.",),
    )
    result = ScriptedPage(
        "Request received",
        (ScriptedElement("link", "Back to the form", href=f"{base}/form"),),
        text=("Your request has the number 4711.",),
    )
    links = (ScriptedElement("link", f"Permit number {n}", href=f"{base}/result") for n in range(1, ITEMS + 1))
    return {f"{base}/form": form, f"{base}/result": result, f"{base}/list": ScriptedPage("Permits", tuple(links))}


@contextmanager
def served() -> Generator[str]:
    """The office as HTML on loopback; gives its base URL."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Office)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Office(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        page = _HTML.get(self.path)
        self.send_response(404 if page is None else 200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write((page or "").encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name for it
        """Nothing: what a test did is in its own report."""
