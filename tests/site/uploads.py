"""What came in with a POST: fields and files, read out of the two form encodings.

Browsers send UTF-8 and write a quote inside a file name as `%22`; that much of
multipart is understood here, and nothing else.
"""

import hashlib
import re
from dataclasses import dataclass, field
from urllib.parse import parse_qs

_DISPOSITION = re.compile(r'(name|filename)="((?:[^"\\]|\\.)*)"')


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that came with a form. `size` is in bytes."""

    field: str
    name: str
    size: int
    sha256: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Submission:
    """One form as it arrived. A field that was sent twice has two values."""

    method: str
    path: str
    fields: dict[str, list[str]]
    files: tuple[Upload, ...] = field(default=())

    def value(self, name: str) -> str | None:
        """The first value of a field, None where it was not sent."""
        values = self.fields.get(name)
        return values[0] if values else None


def parse_form(content_type: str, body: bytes) -> tuple[dict[str, list[str]], tuple[Upload, ...]]:
    """Fields and files of a form body in either encoding."""
    if not content_type.startswith("multipart/form-data"):
        return parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True), ()
    boundary = b"--" + content_type.partition("boundary=")[2].strip('"').encode()
    fields: dict[str, list[str]] = {}
    files: list[Upload] = []
    for part in body.split(boundary)[1:-1]:
        head, _, content = part.removeprefix(b"\r\n").removesuffix(b"\r\n").partition(b"\r\n\r\n")
        names = dict(_DISPOSITION.findall(head.decode("utf-8", "replace")))
        name = names.get("name", "").replace("%22", '"')
        if "filename" not in names:
            fields.setdefault(name, []).append(content.decode("utf-8", "replace"))
        elif names["filename"] or content:
            file_name = names["filename"].replace("%22", '"')
            files.append(Upload(name, file_name, len(content), hashlib.sha256(content).hexdigest(), content))
    return fields, tuple(files)
