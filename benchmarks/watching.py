"""How soon a person at the live view sees what happens: from a change in the driven page to the picture of a view in
another real browser.

Below: rows, tests.viewer. Above: `__main__`.
"""

from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.rows import Outcome, Run, paired
from notte_mcp.actions import EvaluateJs
from scripts.find_chromium import find
from tests.viewer.viewing import person, view, viewing

# Both browsers have the clock of this machine.
_SEEN = """async (red) => {
  const image = document.getElementById("picture"), canvas = document.createElement("canvas");
  const ink = canvas.getContext("2d", { willReadFrequently: true });
  canvas.width = canvas.height = 1;
  for (;;) {
    await new Promise(requestAnimationFrame);
    if (image.complete && image.naturalWidth) ink.drawImage(image, image.naturalWidth / 2, image.naturalHeight / 2, 1, 1, 0, 0, 1, 1);
    if (Math.abs(ink.getImageData(0, 0, 1, 1).data[0] - red) < 20) return Date.now();
  }
}"""
_CHANGE = "(document.body.style.background = 'rgb({red}, 40, 40)', Date.now())"


async def change(run: Run) -> Outcome:
    """The background of the page, on and off; floor: nothing, since nobody else shows it."""
    pairs: list[tuple[float, float]] = []
    with TemporaryDirectory() as folder:
        executable = Path(find() or "")
        async with viewing(Path(folder) / "state", executable) as shown, person(executable) as browser:
            session_id = await shown.session(run.site.url("/article.html"))
            async with view(browser, shown.viewer.url(session_id), reduced_motion="no-preference") as page:
                for number in run.times(15):
                    red = 40 if number % 2 else 220
                    seen = await page.evaluate_handle("(args) => ({ when: (" + _SEEN + ")(args) })", red)
                    async with shown.app.registry.use(session_id) as live:
                        batch = await live.execute([EvaluateJs(code=_CHANGE.format(red=red))], deadline_s=10)
                    at = float(await seen.evaluate("(told) => told.when"))
                    pairs.append((at - float(batch.receipts[0].data), 1.0))
    return Outcome(paired(pairs).ours, {}, note=f"at most {max(one for one, _ in pairs):.0f} ms")
