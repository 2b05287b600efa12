"""The parts of a Playwright script that no recording changes, as text.

`$async ` and `$await ` stand where the async form has these words; `part` puts
them in or takes them out.

Below: nothing. Above: playwright, pytest, notte.
"""

import textwrap
from collections.abc import Sequence
from typing import Final

LAUNCH: Final = '''\
$async def launch(playwright: Playwright, options: argparse.Namespace) -> Browser:
    """Start the Chromium that was named, else Playwright's own, else the one on the PATH."""
    executable = options.browser or os.environ.get("NOTTE_MCP_BROWSER")
    if not executable and not Path(playwright.chromium.executable_path).exists():
        executable = shutil.which("chromium")
    return $await playwright.chromium.launch(
        executable_path=executable,
        headless=not options.headed,
        chromium_sandbox=os.environ.get("NOTTE_MCP_NO_SANDBOX") != "1",
    )'''

CHOOSE: Final = '''\
$async def choose(scope: Page | FrameLocator, field: Locator, option: str) -> None:
    """Choose by label or value, in a native select or in a listbox of the page's own."""
    if $await field.evaluate("element => element.localName === 'select'"):
        $await field.select_option(option)
    else:
        $await field.click()
        listed = scope.get_by_role("option", name=option, exact=True)
        $await listed.or_(scope.get_by_role("menuitem", name=option, exact=True)).first.click()'''

FILL_FORM_FIELD: Final = '''\
$async def fill_form_field(page: Page, token: str, words: str, text: str) -> None:
    """Fill the first field with this autocomplete token, or with these words in its label."""
    pattern = re.compile(words, re.IGNORECASE)
    field = page.locator(f'[autocomplete~="{token}"]').or_(page.get_by_label(pattern))
    field = field.or_(page.get_by_placeholder(pattern)).first
    if $await field.evaluate("element => element.localName === 'select'"):
        $await field.select_option(text)
    else:
        $await field.fill(text)'''

SAVE: Final = '''\
$async def save(download: Download, folder: Path) -> None:
    """Keep a downloaded file in the folder, under the name that it came with."""
    path = folder / Path(download.suggested_filename).name
    $await download.save_as(path)
    print(f"Downloaded {path}")'''

CLOSE_TAB: Final = '''\
$async def close_tab(page: Page) -> Page:
    """Close a tab; gives the one that takes its place, an empty one after the last."""
    context, place = page.context, page.context.pages.index(page)
    $await page.close()
    pages = context.pages or [$await context.new_page()]
    return pages[min(place, len(pages) - 1)]'''

SHOWN: Final = '''\
def shown(page: Page, text: str) -> Locator:
    """The first visible element with this text."""
    return page.get_by_text(text).filter(visible=True).first'''

SHOWN_OPEN: Final = SHOWN.replace("text: str", "text: str | re.Pattern[str]")
"""The same, where some texts leave their numbers open."""

ANSWERS: Final = '''\
def answers(method: str, url: str) -> Callable[[Response], bool]:
    """Tells the response to such a request, whatever comes after this beginning of its address."""
    return lambda response: response.request.method == method and response.url.startswith(url)'''

REDACTED: Final = '''\
def redacted(text: object) -> str:
    """The text without the values of the secrets."""
    shown = str(text)
    for name in SECRETS:
        shown = shown.replace(os.environ[name], f"[{name}]")
    return shown'''

MISSING: Final = """\
    if missing := [name for name in SECRETS if not os.environ.get(name)]:
        print(f"Set these in the environment first: {', '.join(missing)}", file=sys.stderr)
        return 1
"""


def part(text: str, *, is_async: bool) -> str:
    """A part in its sync or async form."""
    return text.replace("$async ", "async " if is_async else "").replace("$await ", "await " if is_async else "")


def secrets_line(names: Sequence[str]) -> list[str]:
    """The lines of a docstring that name the secrets."""
    text = f"Secrets are read from the environment: {', '.join(names)}."
    return textwrap.wrap(text, 98, break_long_words=False, break_on_hyphens=False)
