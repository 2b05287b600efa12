"""The test site itself: every page loads, every computed answer is what its name says."""

import http.client
import re
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlencode, urlsplit

import pytest

from tests.site import Site, Upload
from tests.site.downloads import NAMES, REPORT
from tests.site.server import PAGES

Answer = tuple[int, dict[str, str], bytes]


def ask(url: str, method: str = "GET", body: bytes = b"", **headers: str) -> Answer:
    """One request, redirects not followed."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=10)
    try:
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        connection.request(method, target, body or None, {k.replace("_", "-"): v for k, v in headers.items()})
        reply = connection.getresponse()
        return reply.status, {k.lower(): v for k, v in reply.getheaders()}, reply.read()
    finally:
        connection.close()


@pytest.mark.parametrize("page", sorted(file.name for file in PAGES.iterdir()))
def test_every_page_loads_and_says_what_it_is_for(site: Site, page: str) -> None:
    """Ours: a page tells its purpose in a comment on its second line, and names its own title."""
    status, headers, body = ask(site.url(f"/{page}"))
    text = body.decode()

    assert (status, headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert re.match(r'<!doctype html>\n<!-- .+ -->\n<html lang="en">\n<meta charset="utf-8">\n<title>.+</title>', text)
    assert "{{" not in text
    assert site.errors == []


@pytest.mark.parametrize(
    "path",
    ["/", "/slow?ms=1", "/drip?ms=1&parts=2", "/products/1000", "/product/7", "/text/3", "/nested/9", "/table/5", "/csp",
     "/headers", "/set-cookie", "/cookies", "/api/items?ms=1", "/api/suggest?q=b&ms=1", "/done?id=1", "/upload",
     "/slow-image?ms=1"],
)  # fmt: skip
def test_every_computed_page_loads(site: Site, path: str) -> None:
    status, _, body = ask(site.url(path))

    assert (status, site.errors) == (200, [])
    assert body


def test_a_form_is_recorded_and_answered_on_another_page(site: Site) -> None:
    """Ours: POST, redirect, GET, so that a reload sends nothing twice."""
    body = urlencode({"applicant": "Ada", "kind": "new", "empty": ""}).encode()
    status, headers, _ = ask(site.url("/submit"), "POST", body, Content_Type="application/x-www-form-urlencoded")
    done = ask(site.url(headers["location"]))

    assert (status, headers["location"]) == (303, "/done?id=PR-1001")
    assert b"Your number is PR-1001." in done[2]
    assert site.submissions[0].fields == {"applicant": ["Ada"], "kind": ["new"], "empty": [""]}
    assert (site.submissions[0].value("kind"), site.submissions[0].value("absent")) == ("new", None)


def test_an_upload_keeps_names_and_bytes(site: Site) -> None:
    """Browsers: UTF-8 names, a quote as %22; a file input left empty is no file."""
    content = b"a\r\n--not the boundary\r\n\x00\xff"
    body = (
        b'--B\r\nContent-Disposition: form-data; name="note"\r\n\r\nhello\r\n'
        b'--B\r\nContent-Disposition: form-data; name="none"; filename=""\r\n\r\n\r\n'
        b'--B\r\nContent-Disposition: form-data; name="document"; filename="Gr\xc3\xbc\xc3\x9fe %22x%22.txt"\r\n'
        b"Content-Type: text/plain\r\n\r\n" + content + b"\r\n--B--\r\n"
    )
    status, _, page = ask(site.url("/upload"), "POST", body, Content_Type="multipart/form-data; boundary=B")
    (submission,) = site.submissions
    (file,) = submission.files

    assert (status, submission.fields) == (200, {"note": ["hello"]})
    assert file == Upload("document", 'Grüße "x".txt', len(content), file.sha256, content)
    assert b"1 file(s) came." in page


def test_the_three_origins_are_different_and_alive(site: Site) -> None:
    """Ours: same site and other site behave differently in a browser, so both are there."""
    origins = {site.url(""), site.near(), site.other()}

    assert len(origins) == 3
    assert [ask(origin + "/form.html")[0] for origin in sorted(origins)] == [200, 200, 200]
    assert site.hits["/form.html"] == 3


def test_redirects_without_end_go_on(site: Site) -> None:
    assert ask(site.url("/loop?n=41"))[1]["location"] == "/loop?n=42"
    assert ask(site.url("/redirect?to=/form.html&hops=1&status=307"))[0] == 307


def test_a_status_is_what_was_asked_for(site: Site) -> None:
    assert [ask(site.url(f"/status/{code}"))[0] for code in (403, 404, 500)] == [403, 404, 500]
    assert ask(site.url("/no-such-page"))[0] == 404
    assert ask(site.url("/../server.py"))[0] == 404


@pytest.mark.parametrize("name", [*NAMES, "report.csv"])
def test_a_download_is_an_attachment(site: Site, name: str) -> None:
    status, headers, body = ask(site.url(f"/download/{name}"))

    assert (status, body, site.errors) == (200, REPORT, [])
    assert headers["content-disposition"].startswith("attachment")


def test_the_endless_download_ends_at_its_bound(site: Site) -> None:
    """Ours: no test may fill a disk."""
    _, headers, body = ask(site.url("/download/endless.bin?ms=0"))

    assert "content-length" not in headers
    assert 4_900 * 1024 < len(body) <= 5_000 * 1024


def test_a_login_is_remembered_by_its_cookie(site: Site) -> None:
    body = b"username=ada&password=sesame"
    status, headers, _ = ask(site.url("/login"), "POST", body, Content_Type="application/x-www-form-urlencoded")
    cookie = headers["set-cookie"].partition(";")[0]

    assert (status, ask(site.url("/account"))[1]["location"]) == (303, "/login.html")
    assert b"Signed in as ada." in ask(site.url("/account"), Cookie=cookie)[2]


def test_a_silent_connection_ends_with_the_site() -> None:
    """Ours: a test run never waits for a page that never answers."""
    own = Site()
    with ThreadPoolExecutor() as pool:
        silent = [pool.submit(ask, own.url(path)) for path in ("/hang", "/hang-body", "/slow?ms=60000")]
        all_came = [own.wait_for(path) for path in ("/hang", "/hang-body", "/slow")]
        own.close()

        assert all_came == [True, True, True]
        for future in silent:
            future.exception(5)
