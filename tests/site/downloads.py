"""Files to download: well-behaved, hostile by name, endless, slow and broken.

Sizes are in kB, times in ms. Nothing here sends more than 200 MB, and 5 MB unless asked to.
"""

from urllib.parse import quote

from tests.site.visit import Route, Visit, router

ROUTES: dict[str, Route] = {}
route = router(ROUTES)

REPORT = b"district,requests\nNorth,12\nSouth,7\nEast,31\nWest,4\n"
"""What `report.csv` holds."""

_ODD = quote("Grüße 日本 \u202etxt.exe")

NAMES = {
    "evil": 'filename="../../evil.txt"',
    "evil-windows": 'filename="..\\\\..\\\\evil.txt"',
    "evil-absolute": 'filename="/etc/cron.d/evil"',
    "evil-encoded": "filename*=UTF-8''..%2F..%2Fevil.txt",
    "hidden": 'filename=".bashrc"',
    "dots": 'filename=".."',
    "control": 'filename="a\x1b[31mred\x07.txt"',
    "long": f'filename="{"x" * 300}.txt"',
    "unicode": f"filename*=UTF-8''{_ODD}",
    "reserved": 'filename="con?<>:|*.txt"',
    "noname": "",
}
"""Content-Disposition by path: names that a careful program does not write as they are."""

_BLOCK = b"0123456789abcdef" * 64


@route("/download/")
def named(visit: Visit) -> None:
    """`/download/NAME`: a small file under one of `NAMES`, else under its own name."""
    name = visit.path.rsplit("/", 1)[1]
    given = NAMES.get(name, f'filename="{name}"')
    _attach(visit, REPORT, given)


@route("/download/empty.txt")
def empty(visit: Visit) -> None:
    """A file of no bytes."""
    _attach(visit, b"", 'filename="empty.txt"')


@route("/download/slow.csv")
def slow(visit: Visit) -> None:
    """The first half at once, the rest after `ms`."""
    half = len(REPORT) // 2
    visit.head(
        content_type="text/csv", Content_Length=str(len(REPORT)), Content_Disposition='attachment; filename="slow.csv"'
    )
    visit.exchange.wfile.write(REPORT[:half])
    visit.exchange.wfile.flush()
    visit.wait(visit.number("ms", 400))
    visit.exchange.wfile.write(REPORT[half:])


@route("/download/endless.bin")
def endless(visit: Visit) -> None:
    """A file without a length; it never seems to end, and does so at `kb` (5,000; at most 200 MB)."""
    visit.exchange.close_connection = True
    visit.head(content_type="application/octet-stream", Content_Disposition='attachment; filename="endless.bin"')
    pause = visit.number("ms", 2)
    for _ in range(min(visit.number("kb", 5_000), 200_000) // 16):
        visit.exchange.wfile.write(_BLOCK * 16)
        visit.exchange.wfile.flush()
        visit.wait(pause)
        if visit.site.stopping.is_set():
            return


@route("/download/broken.bin")
def broken(visit: Visit) -> None:
    """A file that is cut off: 100 kB are promised, 10 come."""
    visit.exchange.close_connection = True
    visit.head(content_type="application/octet-stream", Content_Length="102400", Content_Disposition="attachment")
    visit.exchange.wfile.write(_BLOCK * 10)


def _attach(visit: Visit, content: bytes, name: str) -> None:
    disposition = f"attachment; {name}".rstrip("; ")
    visit.send(content, content_type="application/octet-stream", Content_Disposition=disposition)
