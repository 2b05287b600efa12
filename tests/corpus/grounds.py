"""Where flows are recorded and run again: the test site and the demo shop, every page told what it says, and what came.

Each page gets one small script before its own: what its status and alert lines say is told to the site at once,
before the act that brought it is over. A page may be changed on its way, too (see `mutating`).

Below: tests.site, notte_mcp.demo.shop, flows. Above: recording, judging.
"""

from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Final, Self
from urllib.parse import parse_qs, urlsplit

from notte_mcp.demo import shop as demo
from tests.corpus.flows import Flow
from tests.site import Site

Rewrite = Callable[[str], str]

# A request that holds the page until it is answered: whoever acted cannot be gone before it came.
_TELL: Final = """<script>
(() => {
  const said = new Map();
  const tell = () => {
    for (const line of document.querySelectorAll('[role=status], [role=alert]')) {
      const text = line.textContent.trim().replace(/\\s+/g, ' ');
      if (!text || said.get(line) === text) continue;
      said.set(line, text);
      const request = new XMLHttpRequest();
      try { request.open('GET', '/hit/said?text=' + encodeURIComponent(text), false); request.send(); } catch {}
    }
  };
  new MutationObserver(tell).observe(document, {subtree: true, childList: true, characterData: true});
})();
</script>"""


_TURNING: Final = ("/basket", "/generated", "/shuffled")


class Grounds:
    """The servers while they are up. `rewrite` changes every page before it is sent."""

    def __init__(self) -> None:
        self.rewrite: Rewrite | None = None
        self.site = Site()
        self.site.rewrite = self._page
        self.shop = demo.Shop()
        self.shop._server.RequestHandlerClass = _visit(self)
        self._told: list[str] = []

    def url(self, start: str) -> str:
        """The address that a flow starts at."""
        return self.shop.url + start[6:] if start.startswith("shop:/") else self.site.url(start)

    def forget(self) -> None:
        """Nothing has come yet; pages that are another every time go on from where they were."""
        turns = {path: self.site.hits[path] for path in _TURNING}
        self.site.reset()
        self.site.hits.update(turns)
        self.shop.orders.clear()
        self._told.clear()

    @property
    def said(self) -> list[str]:
        """What the pages said, in order."""
        return [*self._told, *(_text(target) for _, target, _ in self.site.requests if target.startswith("/hit/said?"))]

    def difference(self, flow: Flow) -> str:
        """What did not come of a flow as it should, in words; empty where all did."""
        forms = [{n: ",".join(v) for n, v in s.fields.items()} for s in self.site.submissions]
        files = [{f.field: f.name for f in s.files} for s in self.site.submissions]
        came = [form | named for form, named in zip(forms, files, strict=True)]
        orders = [{**order.fields, "product": order.product.slug} for order in self.shop.orders]
        missing = [path for path in flow.opened if not any(t.startswith(path) for _, t, _ in self.site.requests)]
        found = [
            _unlike("form", flow.forms, came),
            _unlike("order", flow.orders, orders),
            "" if _in_order(flow.said, self.said) else f"said {self.said}, not {list(flow.said)}",
            f"never opened {missing}" if missing else "",
            f"the site broke: {self.site.errors}" if self.site.errors else "",
        ]
        return "; ".join(filter(None, found))

    def _page(self, text: str) -> str:
        head, close, rest = text.partition("<meta charset")
        told = f"{head}{_TELL}{close}{rest}" if close else _TELL + text
        return self.rewrite(told) if self.rewrite is not None else told

    def tell(self, target: str) -> None:
        """Enter what a page of the shop said."""
        self._told.append(_text(target))

    def page(self, text: str) -> str:
        """A page of the shop as it is to be sent."""
        return self._page(text)

    def __enter__(self) -> Self:
        self.shop.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.shop.__exit__(kind, error, trace)
        self.site.close()


def _visit(grounds: Grounds) -> type[demo._Visit]:
    """The shop's own handler, with pages rewritten and what they say taken in."""

    class Visit(demo._Visit):
        def do_GET(self) -> None:  # noqa: N802 - the base's name
            if self.path.startswith("/hit/said?"):
                grounds.tell(self.path)
                self.send_response(204)
                self.end_headers()
            else:
                super().do_GET()

        def _page(self, text: str, status: int = 200) -> None:
            super()._page(grounds.page(text), status)

    return Visit


def _text(target: str) -> str:
    return parse_qs(urlsplit(target).query).get("text", [""])[0]


def _in_order(wanted: Sequence[str], came: Sequence[str]) -> bool:
    rest = iter(came)
    return all(any(text == one for one in rest) for text in wanted)


def _unlike(what: str, wanted: Sequence[Mapping[str, str]], came: Sequence[Mapping[str, str]]) -> str:
    if len(wanted) != len(came):
        return f"{len(came)} {what}(s), not {len(wanted)}: {list(came)}"
    for one, other in zip(wanted, came, strict=True):
        if wrong := {name: other.get(name) for name, value in one.items() if other.get(name) != value}:
            return f"{what} with {wrong} in place of { ({name: one[name] for name in wrong}) }"
    return ""
