"""notte_read: the resources as a tool, for hosts whose model cannot read resources.

A video or a page with one is never given as bytes: where it lies, how large and how long it is.

Below: resources.reader, paging. Above: listing.
"""

import base64
from collections.abc import Iterator
from typing import Final

from mcp.types import CallToolResult, ImageContent, ResourceLink

from notte_mcp.resources.content import MAX_BYTES, Content, Piece
from notte_mcp.resources.reader import read
from notte_mcp.tools.boundary import blocks, declare, hints
from notte_mcp.tools.pages import Cursor, MaxTokens
from notte_mcp.tools.surface import Call, surface

SHOWN_IMAGES: Final = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
_ESTIMATED_OF: Final = 87
"""Percent of a page's tokens that are filled by estimate: the times and numbers of a log cost more than that says."""

MAX_IMAGE_BYTES: Final = 4_000_000
"""A larger picture is told of, not shown: some hosts close the connection over one message of 18 MB."""


async def notte_read(
    ctx: Call,
    *,
    uri: str,
    cursor: Cursor = None,
    max_tokens: MaxTokens = 4_000,
) -> CallToolResult:
    """Read a resource: notte://guide lists all; notte://sessions/{id}[/steps[?after=n, ?format=text, /{n}/screenshot],
    /replay, /files], agents/{id} likewise."""
    here = surface(ctx)
    room = max_tokens * _ESTIMATED_OF // 100
    if cursor is not None:
        page = here.pages.at(cursor, room, again=f'notte_read(uri="{uri}")')
    else:
        content = await read(here.app, uri)
        if isinstance(content.body, Piece):
            return _file(content, content.body, shows_paths=here.shows_paths)
        if isinstance(content.body, bytes):
            return _bytes(content, content.body)
        page = here.pages.first(content.body, room, **content.about)
    goes_on = f'more lines: notte_read(uri="{page.about["next_uri"]}")' if page.about.get("is_cut") else ""
    return blocks("\n".join(filter(None, [page.text.rstrip("\n"), page.footer or goes_on])))


TOOLS: Final = (declare(notte_read, title="Read a resource", hints=hints(reads=True, world=False)),)


def _bytes(content: Content, body: bytes) -> CallToolResult:
    said = f"{content.name}: {content.mime_type}, {len(body)} bytes"
    if content.mime_type in SHOWN_IMAGES and len(body) <= MAX_IMAGE_BYTES:
        picture = ImageContent(type="image", data=base64.b64encode(body).decode(), mime_type=content.mime_type)
        return blocks(said, picture)
    return blocks(f"{said}. Not text: read it as a resource.", _link(content))


def _file(content: Content, piece: Piece, *, shows_paths: bool) -> CallToolResult:
    """What there is to say of a video or a page, and where a person finds it."""
    return blocks("\n".join(_said(content, piece, shows_paths=shows_paths)), _link(content))


def _said(content: Content, piece: Piece, *, shows_paths: bool) -> Iterator[str]:
    about = content.about
    length = f", {about['seconds']:g} s" if "seconds" in about else ""
    yield f"{content.name}: {content.mime_type}, {content.size} bytes{length}"
    if about.get("live"):
        yield "still going on: this is what there is so far, and a longer one takes its place"
    if shows_paths:
        part = "" if content.size == about.get("whole_size", content.size) else f", from byte {piece.start} on"
        yield f"file: {piece.path}{part}"
    base = content.uri.split("?", 1)[0]
    if content.size > MAX_BYTES:
        yield f"resource, in {about['parts']} parts that are the file one after the other: {base}?part=1 and so on"
    else:
        yield f"resource: {content.uri}"


def _link(content: Content) -> ResourceLink:
    return ResourceLink(
        type="resource_link", name=content.name, uri=content.uri, mime_type=content.mime_type, size=content.size
    )
