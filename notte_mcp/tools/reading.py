"""notte_read: the resources as a tool, for hosts whose model cannot read resources.

Below: resources.reader, paging. Above: listing.
"""

import base64
from typing import Final

from mcp.types import CallToolResult, ImageContent, ResourceLink

from notte_mcp.resources.reader import Content, read
from notte_mcp.tools.boundary import blocks, declare, hints
from notte_mcp.tools.pages import Cursor, MaxTokens
from notte_mcp.tools.surface import Call, surface

SHOWN_IMAGES: Final = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
MAX_IMAGE_BYTES: Final = 4_000_000
"""A larger picture is told of, not shown: some hosts close the connection over one message of 18 MB."""


async def notte_read(
    ctx: Call,
    *,
    uri: str,
    cursor: Cursor = None,
    max_tokens: MaxTokens = 4_000,
) -> CallToolResult:
    """Read a resource: notte://guide, which lists all, notte://sessions/{id}[/steps?after=n, /files, /files/{name}],
    agents/{id} likewise, workflows[/{name}], runs/{id}."""
    here = surface(ctx)
    if cursor is not None:
        page = here.pages.at(cursor, max_tokens, again=f'notte_read(uri="{uri}")')
    else:
        content = await read(here.app, uri)
        if isinstance(content.body, bytes):
            return _bytes(content, content.body)
        page = here.pages.first(content.body, max_tokens)
    return blocks(page.text.rstrip("\n") + (f"\n{page.footer}" if page.footer else ""))


TOOLS: Final = (declare(notte_read, title="Read a resource", hints=hints(reads=True, world=False)),)


def _bytes(content: Content, body: bytes) -> CallToolResult:
    said = f"{content.name}: {content.mime_type}, {len(body)} bytes"
    if content.mime_type in SHOWN_IMAGES and len(body) <= MAX_IMAGE_BYTES:
        picture = ImageContent(type="image", data=base64.b64encode(body).decode(), mime_type=content.mime_type)
        return blocks(said, picture)
    link = ResourceLink(
        type="resource_link", name=content.name, uri=content.uri, mime_type=content.mime_type, size=len(body)
    )
    return blocks(f"{said}. Not text: read it as a resource.", link)
