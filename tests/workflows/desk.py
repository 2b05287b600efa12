"""A small site that the written scripts are run against, and what arrived at it.

A permit desk: a form with one control of each kind, the page it leads to (with a
new tab, a download, a frame, a shadow root), and a page of odd ends.
"""

import threading
from email.parser import BytesParser
from email.policy import HTTP
from http.server import BaseHTTPRequestHandler
from types import TracebackType
from typing import Self
from urllib.parse import parse_qs, urlsplit

from tests.loopback import LoopbackServer

FORM = """<!doctype html><title>Permit request</title>
<form action="/send" method="post" enctype="multipart/form-data" onsubmit="return confirm('Send it?')">
  <label>Applicant <input name="applicant" value="nobody"></label>
  <label>Access code <input type="password" name="code"></label>
  <label>Note <textarea name="note">Note: </textarea></label>
  <label>District <select name="district"><option value="n">North</option><option value="s">South</option></select></label>
  <label><input type="checkbox" name="terms"> I accept the terms</label>
  <label>Your CV <input type="file" name="cv"></label>
  <input type="hidden" name="city" id="city-value">
  <div role="combobox" tabindex="0" aria-label="City" aria-expanded="false" onclick="list.hidden = false">choose</div>
  <div id="list" role="listbox" hidden>
    <div role="option" onclick="pick(this)">Oslo</div><div role="option" onclick="pick(this)">Oslo West</div>
  </div>
  <input name="keyed" placeholder="Key by key" oninput="this.dataset.n = +(this.dataset.n || 0) + 1; keys.value = this.dataset.n">
  <input type="hidden" name="keys" id="keys">
  <button>Send request</button>
</form>
<script>function pick(o) { document.getElementById("city-value").value = o.textContent; list.hidden = true }</script>"""

SENT = """<!doctype html><title>Sent by {code}</title>
<p>Order number 1042</p>
<a href="/details/7" target="_blank" rel="noopener">Details</a>
<a href="/invoice.txt" download>Invoice</a>
<iframe id="outer" src="/outer"></iframe>
<x-box id="first"></x-box><x-box id="second"></x-box>
<script>
customElements.define("x-box", class extends HTMLElement {{
  connectedCallback() {{
    this.attachShadow({{ mode: "open" }}).innerHTML = `<button>Open</button>`;
    this.shadowRoot.querySelector("button").onclick = () => fetch("/hit/" + this.id);
  }}
}});
</script>"""

PAGES = {
    "/form": FORM,
    "/outer": '<iframe name="inner" src="/inner"></iframe>',
    "/inner": "<button onclick=\"fetch('/hit/frame')\">Press me</button>",
    "/details/7": "<!doctype html><title>Details</title><button onclick='window.close()'>Close this</button>",
    "/odd": """<!doctype html><title>Odd ends</title>
<div id="menu" onmouseover="sub.hidden = false">Menu</div><button id="sub" hidden onclick="fetch('/hit/menu')">Hidden entry</button>
<p id="card" draggable="true" ondragstart="event.dataTransfer.setData('text', 'x')">Card</p>
<p id="pile" ondragover="event.preventDefault()" ondrop="event.preventDefault(); fetch('/hit/drop')">Pile</p>
<p id="twice" ondblclick="fetch('/hit/twice')">Twice</p>
<button onclick="fetch('/hit/' + prompt('Why?', 'because'))">Ask</button>
<button aria-pressed="false" onclick="this.setAttribute('aria-pressed', 'true'); fetch('/hit/pressed')">Bold</button>
<button onclick="const i = document.createElement('input'); i.type = 'file'; i.onchange = () => fetch('/hit/' + i.files[0].name); i.click()">Choose a file</button>
<button onclick="wait.textContent = 'Working'; setTimeout(() => {{ wait.textContent = 'All done' }}, 300)">Work</button><p id="wait"></p>
<form action="/odd"><input name="q" aria-label="Search"></form>
<form><input autocomplete="given-name"><label>E-mail <input id="mail"></label><select autocomplete="country-name"><option>Chad</option><option>Norway</option></select></form>
""",
}


class Desk:
    """The site while it is served. `arrived` holds the fields of each form sent, `hits` what pages fetched."""

    def __init__(self) -> None:
        self.arrived: list[dict[str, str]] = []
        self.hits: list[str] = []
        self.opened: list[str] = []
        self._server = LoopbackServer(self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    def url(self, path: str) -> str:
        """An address of the site."""
        return f"http://127.0.0.1:{self._server.server_port}{path}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        desk = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                desk.opened.append(self.path)
                if parts.path.startswith("/hit/"):
                    desk.hits.append(parts.path.removeprefix("/hit/"))
                    self.answer("ok")
                elif parts.path == "/sent":
                    self.answer(SENT.format(code=parse_qs(parts.query)["code"][0]))
                elif parts.path == "/invoice.txt":
                    self.answer("1042: 12 EUR", kind="text/plain")
                else:
                    self.answer(PAGES.get(parts.path, "<title>Nothing</title>").replace("{{", "{").replace("}}", "}"))

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                head = f"Content-Type: {self.headers['Content-Type']}\r\n\r\n".encode()
                fields: dict[str, str] = {}
                for part in BytesParser(policy=HTTP).parsebytes(head + body).iter_parts():
                    name = str(part.get_param("name", header="Content-Disposition"))
                    payload = part.get_payload(decode=True)
                    fields[name] = payload.decode() if isinstance(payload, bytes) else ""
                desk.arrived.append(fields)
                self.send_response(303)
                self.send_header("Location", f"/sent?number=1042&code={fields['code']}")
                self.end_headers()

            def answer(self, text: str, *, kind: str = "text/html") -> None:
                self.send_response(200)
                self.send_header("Content-Type", f"{kind}; charset=utf-8")
                self.end_headers()
                self.wfile.write(text.encode())

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
                del format, args

        return Handler
