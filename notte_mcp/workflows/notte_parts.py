"""The parts of a script for Notte's SDK that no recording changes, as text: how it waits for what a page shows.

Notte has no action that waits for a condition, and a Playwright page beside the session is a second way
into the browser that not every server has. So a condition is a line of JavaScript, looked at within the page by
`evaluate_js`: it answers when it is true, or after two seconds for the next look. `$async `, `$await ` and
`$Session` stand where the two forms differ; `part` puts them in.

Below: nothing. Above: notte.
"""

from typing import Final

WAIT_FOR: Final = '''\
LOOKING = """
new Promise((resolve) => {
  const seen = (root) => {
    const parts = root.body ? [root.body] : [...root.children].filter((one) => one.checkVisibility());
    const texts = parts.map((one) => one.innerText ?? "");
    for (const one of root.querySelectorAll("*")) {
      if (one.shadowRoot && one.checkVisibility()) texts.push(seen(one.shadowRoot));
      if (one.matches("input[type=submit], input[type=button]")) texts.push(one.value);
    }
    return texts.join(" ").replace(/\\\\s+/g, " ");
  };
  const end = Date.now() + 2000;
  const look = () => {
    if (CONDITION) resolve(true);
    else if (Date.now() > end) resolve(false);
    else setTimeout(look, 100);
  };
  addEventListener("pagehide", () => resolve(false), { once: true });
  look();
})
"""


$async def wait_for(session: $Session, condition: str, seconds: float = 30) -> None:
    """Wait until this JavaScript is true of the page, whichever the session shows by then."""
    code = LOOKING.replace("CONDITION", condition)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = $await session.execute(type="evaluate_js", code=code, raise_on_failure=False)
        # A look that an agent took the place of has nothing to tell.
        if found.success and (found.data is None or found.data.markdown == "true"):
            return
    raise TimeoutError(f"not true of the page within {seconds} s: {condition}")'''
"""Waits for a condition; a look ends early where the page is left. `seen` is the text that is rendered, that of open
shadow roots too, not that of frames."""

SHOWN: Final = '''\
def shown(text: str | re.Pattern[str]) -> str:
    """JavaScript: the page shows this text."""
    wanted = text.pattern if isinstance(text, re.Pattern) else re.escape(" ".join(text.split()))
    return f"new RegExp({json.dumps(wanted)}, 'i').test(seen(document))"'''

GONE: Final = '''\
def gone(text: str) -> str:
    """JavaScript: the page no longer shows this text."""
    return f"!{shown(text)}"'''

AT: Final = '''\
def at(url: str | re.Pattern[str]) -> str:
    """JavaScript: this is the page's address."""
    wanted = url.pattern if isinstance(url, re.Pattern) else f"^{re.escape(url.rstrip('/'))}/?$"
    return f"new RegExp({json.dumps(wanted)}).test(location.href)"'''

PRESENT: Final = '''\
def present(css: str) -> str:
    """JavaScript: an element of this selector is to be seen."""
    return f"[...document.querySelectorAll({json.dumps(css)})].some((one) => one.checkVisibility())"'''

ANSWERED: Final = '''\
CLOCK = """
(() => {
  const now = () => performance.timeOrigin + performance.now();
  if (!window.answersSeen) {
    const [answers, send] = [(window.answersSeen = []), window.fetch];
    window.fetch = async (asked, ...more) => {
      const [url, began] = [new URL(asked.url ?? asked, location.href).href, now()];
      const answer = await send(asked, ...more);
      answers.push([url, began]);
      return answer;
    };
  }
  performance.setResourceTimingBufferSize(9999);
  return now();
})()
"""
ANSWERED = """
performance.getEntries().filter((one) => one.responseEnd)
  .map((one) => [one.name, performance.timeOrigin + one.startTime]).concat(window.answersSeen ?? [])
  .some(([url, began]) => url.startsWith(URL) && began >= SINCE)
"""


$async def clock(session: $Session) -> str:
    """The page's time, ms: what it sends from now on comes after it."""
    found = $await session.execute(type="evaluate_js", code=CLOCK, raise_on_failure=False)
    return found.data.markdown if found.data else "0"


$async def wait_answer(session: $Session, url: str, since: str) -> None:
    """Wait for the answer to what was sent to such an address, for ten seconds at most."""
    condition = ANSWERED.replace("URL", json.dumps(url)).replace("SINCE", since)
    with contextlib.suppress(TimeoutError):
        $await wait_for(session, condition, seconds=10)'''
"""The page's own record of what it asked for tells an answer only when it was read; a fetch that nobody reads is noted
besides. What neither knows of is no reason to end."""

QUIET: Final = '''\
QUIET = """
new Promise((resolve) => {
  const began = performance.now();
  let changed = began;
  new MutationObserver(() => { changed = performance.now(); })
    .observe(document, { subtree: true, childList: true, characterData: true, attributes: true });
  const look = () => {
    const came = performance.getEntriesByType("resource").map((one) => one.responseEnd);
    const quiet = performance.now() - Math.max(changed, ...came) > 1000;
    return quiet || performance.now() - began > 8000 ? resolve(quiet) : setTimeout(look, 100);
  };
  addEventListener("pagehide", () => resolve(false), { once: true });
  look();
})
"""


$async def wait_quiet(session: $Session) -> None:
    """Wait until nothing changed on the page and nothing came for a second, at most eight."""
    $await session.execute(type="evaluate_js", code=QUIET, raise_on_failure=False)'''


def part(text: str, *, is_async: bool) -> str:
    """A part in its sync or async form."""
    words = ("async ", "await ", "AsyncRemoteSession") if is_async else ("", "", "RemoteSession")
    for mark, word in zip(("$async ", "$await ", "$Session"), words, strict=True):
        text = text.replace(mark, word)
    return text
