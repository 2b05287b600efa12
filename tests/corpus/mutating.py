"""A page as its next version may look: what is not meant for people is changed, what they read stays.

Changed on the way to the browser: every class gets another before it, test ids are removed, boxes put around controls, forms and
tables; rows of a form and entries of a list that people tell by their words stand in another order.
Changed in the page, by a script before its own: every id, wherever it is named; the page's own code goes on finding them.

What scripts make and what is named by its place only is left where it is.

Below: nothing. Above: `__main__`, the test.
"""

import re
from typing import Final

_ATTRIBUTES: Final = r"(?:\s+(?:\"[^\"]*\"|'[^']*'|[^'\">])*)?"
_SCRIPT: Final = re.compile(
    r"(<script\b.*?</script>|<style\b.*?</style>|<!--.*?-->|srcdoc=\"[^\"]*\")", re.DOTALL | re.IGNORECASE
)
_CONTROL: Final = re.compile(rf"<(button|select|textarea|a){_ATTRIBUTES}>.*?</\1>|<input{_ATTRIBUTES}>", re.DOTALL)
_FORM: Final = re.compile(rf"(<form{_ATTRIBUTES}>)(.*?)(</form>)", re.DOTALL)
_TABLE: Final = re.compile(rf"<table{_ATTRIBUTES}>.*?</table>", re.DOTALL)
_TEST_ID: Final = re.compile(r'\s+data-testid="[^"]*"')
_CLASS: Final = re.compile(r"\sclass=(?:\"([^\"]*)\"|([\w-]+))")
_ID: Final = re.compile(r"\bid=[\"']?([\w:-]+)")
# Rows that hold one labelled control each, and entries that hold a link: told by their words, whatever their order.
_ROW: Final = re.compile(
    r"(?:[ \t]*<p(?: class=\"row\")?><label(?:(?!<p|</p>|radio|checkbox|<button|file).)*</p>\n?){2,}", re.DOTALL
)
_ONE_ROW: Final = re.compile(r"[ \t]*<p.*?</p>\n?", re.DOTALL)
_ENTRIES: Final = re.compile(r"(?:<li>(?:(?!</li>).)*<a (?:(?!</li>).)*</li>\s*){2,}", re.DOTALL)
_ENTRY: Final = re.compile(r"<li>.*?</li>\s*", re.DOTALL)

_RENAME: Final = """<script>
(() => {
  const as = id => 'v2-' + id, named = ['id', 'for', 'list', 'form', 'headers', 'aria-labelledby', 'aria-describedby', 'aria-controls', 'aria-owns'];
  const done = new WeakSet();
  const rename = element => {
    if (done.has(element)) return;
    done.add(element);
    const old = element.id;
    for (const name of named) {
      const value = element.getAttribute(name);
      if (value) element.setAttribute(name, value.split(/\\s+/).map(as).join(' '));
    }
    // What a page's code calls by its id alone.
    if (old && !(old in window)) Object.defineProperty(window, old, {configurable: true, get: () => document.getElementById(old), set(v) { Object.defineProperty(window, old, {configurable: true, writable: true, value: v}); }});
  };
  const all = root => { if (root.nodeType === 1) { rename(root); root.querySelectorAll('*').forEach(rename); } };
  new MutationObserver(found => { for (const one of found) one.addedNodes.forEach(all); }).observe(document, {subtree: true, childList: true});
  const css = text => text.replace(/#([A-Za-z][\\w-]*)/g, (whole, id) => ':is(#' + as(id) + ', #' + id + ')');
  for (const owner of [Document.prototype, Element.prototype, DocumentFragment.prototype])
    for (const name of ['querySelector', 'querySelectorAll']) {
      const own = owner[name];
      owner[name] = function (text) { return own.call(this, css(String(text))); };
    }
  for (const name of ['closest', 'matches']) {
    const own = Element.prototype[name];
    Element.prototype[name] = function (text) { return own.call(this, css(String(text))); };
  }
  for (const owner of [Document.prototype, DocumentFragment.prototype]) {
    const own = owner.getElementById;
    owner.getElementById = function (id) { return own.call(this, as(id)) || own.call(this, id); };
  }
})();
</script>"""


def mutate(page: str) -> str:
    """The page's text, changed."""
    ids = set(_ID.findall(page))
    parts = _SCRIPT.split(page)
    text = "".join(_style(part, ids) if number % 2 else part for number, part in enumerate(parts))
    head, close, rest = text.partition("<meta charset")
    rest = _outside_scripts(rest)
    return f"{head}{_RENAME}{close}{rest}" if close else _RENAME + _outside_scripts(text)


def _outside_scripts(text: str) -> str:
    text = _ROW.sub(lambda rows: "".join(reversed(_ONE_ROW.findall(rows.group()))), text)
    text = _ENTRIES.sub(lambda found: "".join(reversed(_ENTRY.findall(found.group()))), text)
    parts = _SCRIPT.split(text)
    return "".join(part if number % 2 else _boxed(part) for number, part in enumerate(parts))


def _boxed(text: str) -> str:
    text = _TEST_ID.sub("", text)
    text = _CLASS.sub(lambda found: f' class="{_renamed(found[1] or found[2])}"', text)
    text = _FORM.sub(r"<div class=v2-outer>\1<div class=v2-inner>\2</div>\3</div>", text)
    text = _TABLE.sub(r"<div class=v2-outer>\g<0></div>", text)
    return _CONTROL.sub(r"<span class=v2-box>\g<0></span>", text)


def _renamed(names: str) -> str:
    """Classes as a new build calls them; the old ones stay behind them, since the page's styles and code know those."""
    return " ".join([*(f"v2-{name}" for name in names.split()), names])


def _style(part: str, ids: set[str]) -> str:
    """A style sheet with its ids as the page now has them; anything else as it is."""
    if not part.lower().startswith("<style"):
        return part
    return re.sub(r"#([\w-]+)", lambda found: f"#v2-{found[1]}" if found[1] in ids else found[0], part)
