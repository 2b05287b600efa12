import base64
import json
from collections.abc import Sequence
from pathlib import Path

import anyio
import pytest
from mcp import MCPError
from mcp.types import (
    BlobResourceContents,
    ImageContent,
    ResourceLink,
    ResourceTemplateReference,
    TextContent,
    TextResourceContents,
)

from tests.tools.conftest import DONE, ERAS, FILL_AND_SEND, FORM, Host, text_of

pytestmark = pytest.mark.anyio

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


async def resource(host: Host, uri: str) -> TextResourceContents | BlobResourceContents:
    assert host.client is not None
    (content,) = (await host.client.read_resource(uri)).contents
    return content


def put_files(host: Host, session_id: str) -> Path:
    """Files as a session has them after downloads."""
    folder = host.settings.state_dir / "sessions" / session_id / "files"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "table of sums.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    (folder / "picture.png").write_bytes(PNG)
    (folder / "archive.zip").write_bytes(b"PK\x03\x04")
    return folder


@ERAS
async def test_the_list_of_resources_is_fixed(host: Host) -> None:
    """Measured on hosts: the same for every connection; the rest are templates."""
    assert host.client is not None
    resources = (await host.client.list_resources()).resources
    templates = (await host.client.list_resource_templates()).resource_templates

    assert [one.uri for one in resources] == [
        "notte://sessions",
        "notte://agents",
        "notte://workflows",
        "notte://guide",
    ]
    assert [one.uri_template for one in templates] == [
        "notte://sessions/{id}",
        "notte://sessions/{id}/steps{?after,format}",
        "notte://sessions/{id}/steps/{n}/screenshot",
        "notte://sessions/{id}/replay{?part}",
        "notte://sessions/{id}/replay.html{?part}",
        "notte://sessions/{id}/files",
        "notte://sessions/{id}/files/{name}",
        "notte://sessions/{id}/cookies",
        "notte://sessions/{id}/network",
        "notte://sessions/{id}/workflow/{target}",
        "notte://agents/{id}",
        "notte://agents/{id}/steps{?after,format}",
        "notte://agents/{id}/steps/{n}/screenshot",
        "notte://agents/{id}/replay{?part}",
        "notte://agents/{id}/replay.html{?part}",
        "notte://agents/{id}/workflow/{target}",
        "notte://workflows/{name}",
        "notte://workflows/{name}/{target}",
        "notte://runs/{id}",
    ]
    assert host.opened == 0


async def test_sessions_are_listed_and_read_as_json(host: Host) -> None:
    """Contract."""
    session_id = await host.start()

    many = await resource(host, "notte://sessions")
    one = await resource(host, f"notte://sessions/{session_id}")

    assert isinstance(many, TextResourceContents)
    assert isinstance(one, TextResourceContents)
    assert many.mime_type == one.mime_type == "application/json"
    assert [each["id"] for each in json.loads(many.text)] == [session_id]
    told = json.loads(one.text)
    assert (told["state"], told["url"], told["step_count"]) == ("ready", FORM, 1)


async def test_the_step_log_has_one_object_a_line(host: Host) -> None:
    """Contract: number, actor, action, receipt, success, message, urls, element, times."""
    session_id = await host.start()
    await host.call("notte_execute", actions=FILL_AND_SEND)

    whole = await resource(host, f"notte://sessions/{session_id}/steps")
    rest = await resource(host, f"notte://sessions/{session_id}/steps?after=4")

    assert isinstance(whole, TextResourceContents)
    assert isinstance(rest, TextResourceContents)
    assert whole.mime_type == "application/x-ndjson"
    steps = [json.loads(line) for line in whole.text.splitlines()]
    assert [step["number"] for step in steps] == [1, 2, 3, 4, 5]
    assert steps[2]["action"]["value"] == {"secret": "SECRET_ACCESS_CODE"}
    assert set(steps[0]) == {
        "number", "actor", "action", "element", "receipt", "success", "message", "url", "url_before", "url_after",
        "started_at", "ended_at", "seconds",
    }  # fmt: skip
    assert steps[1]["element"] == 'textbox "Applicant"'
    assert (steps[4]["url_before"], steps[4]["url_after"], steps[4]["url"]) == (FORM, DONE, DONE)
    assert steps[4]["seconds"] >= 0
    assert "url_after" not in steps[4]["receipt"]
    assert rest.text == whole.text.splitlines(keepends=True)[4]


@ERAS
async def test_files_are_listed_and_read_with_their_own_type(host: Host) -> None:
    """Ours: what a session downloaded is listed and read."""
    session_id = await host.start()
    put_files(host, session_id)

    listed = json.loads(await host.text("notte_read", uri=f"notte://sessions/{session_id}/files"))
    contents = {each["name"]: await resource(host, each["uri"]) for each in listed}

    assert [(each["name"], each["size"]) for each in listed] == [
        ("archive.zip", 4), ("picture.png", len(PNG)), ("table of sums.csv", 8),
    ]  # fmt: skip
    table, picture = contents["table of sums.csv"], contents["picture.png"]
    assert isinstance(table, TextResourceContents)
    assert (table.mime_type, table.text) == ("text/csv", "a,b\n1,2\n")
    assert isinstance(picture, BlobResourceContents)
    assert (picture.mime_type, base64.b64decode(picture.blob)) == ("image/png", PNG)


@ERAS
async def test_the_tool_shows_pictures_and_links_what_is_no_text(host: Host) -> None:
    """Contract: never bytes in the text."""
    session_id = await host.start()
    put_files(host, session_id)
    base = f"notte://sessions/{session_id}/files"

    picture = (await host.call("notte_read", uri=f"{base}/picture.png")).content
    archive = (await host.call("notte_read", uri=f"{base}/archive.zip")).content
    table = (await host.call("notte_read", uri=f"{base}/table%20of%20sums.csv")).content

    assert isinstance(picture[1], ImageContent)
    assert isinstance(archive[1], ResourceLink)
    assert (archive[1].size, archive[1].mime_type) == (4, "application/zip")
    assert isinstance(table[0], TextContent)
    assert table[0].text == "a,b\n1,2"


@ERAS
async def test_an_address_that_leads_nowhere_is_told_so(host: Host) -> None:
    """SEP-2164: -32602 with the address; and as a tool, the next call."""
    session_id = await host.start()
    for named in (
        "notte://sessions/ses_nope",
        "notte://sessions/ses_nope/steps",
        "notte://sessions/{id}/files/nope.txt",
        "notte://sessions/{id}/files/..%2f..%2fnotte-mcp.sqlite",
        "notte://sessions/{id}/files/../../notte-mcp.sqlite",
        "notte://sessions/{id}/nope",
        "notte://sessions/{id}/workflow/cobol",
        "notte://sessions/",
        "notte://nope",
        "file:///etc/passwd",
        "nonsense",
    ):
        uri = named.replace("{id}", session_id)

        with pytest.raises(MCPError) as caught:
            await resource(host, uri)
        said = await host.refusal("notte_read", uri=uri)

        assert (caught.value.error.code, caught.value.error.data) == (-32602, {"uri": uri})
        assert "Next:" in said


async def test_a_file_that_is_too_large_for_an_answer_is_told_so(host: Host) -> None:
    """Measured on hosts: a message of 18 MB closed the connection."""
    session_id = await host.start()
    with (put_files(host, session_id) / "huge.bin").open("wb") as file:
        file.truncate(50_000_000)

    said = await host.refusal("notte_read", uri=f"notte://sessions/{session_id}/files/huge.bin")

    assert "50000000 bytes" in said
    assert f"sessions/{session_id}/files" in said


async def test_a_step_number_that_is_none_is_told_so(host: Host) -> None:
    """Ours: not the same as a session that is not there."""
    session_id = await host.start()

    with pytest.raises(MCPError) as caught:
        await resource(host, f"notte://sessions/{session_id}/steps?after=zz")

    assert caught.value.error.code == -32603
    assert "`after` is a step's number" in caught.value.error.message


async def test_a_long_resource_comes_in_pages(host: Host) -> None:
    """Contract: a cursor continues."""
    whole = await host.text("notte_read", uri="notte://guide", max_tokens=20_000)

    text = await host.text("notte_read", uri="notte://guide", max_tokens=500)
    parts: list[str] = []
    while "\ncharacters " in text:
        part, footer = text.rsplit("\ncharacters ", 1)
        parts.append(part)
        text = await host.text("notte_read", uri="notte://guide", cursor=footer.rsplit(" ", 1)[1], max_tokens=500)
    parts.append(text)

    assert len(parts) > 2
    assert "\n".join(parts).split() == whole.split()


async def test_the_guide_needs_no_app(host: Host) -> None:
    """Ours: nothing is opened for what is only text."""
    text = await host.text("notte_read", uri="notte://guide")

    assert text.startswith("# notte-mcp")
    assert host.opened == 0


@ERAS
async def test_session_ids_targets_and_file_names_are_completed(host: Host) -> None:
    """The templates' parameters."""
    session_id = await host.start()
    put_files(host, session_id)

    async def completed(template: str, name: str, typed: str, known: dict[str, str] | None = None) -> Sequence[str]:
        assert host.client is not None
        reference = ResourceTemplateReference(type="ref/resource", uri=template)
        result = await host.client.complete(reference, {"name": name, "value": typed}, context_arguments=known)
        return result.completion.values

    base = "notte://sessions/{id}"
    assert await completed(base, "id", "ses_") == [session_id]
    assert await completed(base, "id", "x") == []
    assert await completed(base + "/workflow/{target}", "target", "p") == ["playwright", "pytest"]
    assert await completed(base + "/files/{name}", "name", "pic", {"id": session_id}) == ["picture.png"]


async def test_who_listens_is_told_when_a_sessions_steps_change(tmp_path: Path) -> None:
    """`subscriptions/listen` of 2026-07-28; older clients wait with notte_status."""
    host = Host(tmp_path, "auto")
    async with host.connected() as client:
        session_id = await host.start()
        uri = f"notte://sessions/{session_id}/steps"
        async with client.listen(resource_subscriptions=[uri]) as events:
            await host.call("notte_execute", actions=[{"type": "goto", "url": DONE}])
            with anyio.fail_after(5):
                event = await anext(aiter(events))

    assert getattr(event, "uri", None) == uri


@ERAS
async def test_the_twin_reads_the_same_as_the_resource(host: Host) -> None:
    """Contract: notte_read is the twin of all."""
    session_id = await host.start()
    await host.call("notte_execute", actions=FILL_AND_SEND)

    for uri in (
        "notte://guide",
        f"notte://sessions/{session_id}/workflow/notte",
        f"notte://sessions/{session_id}/steps",
    ):
        content = await resource(host, uri)
        assert isinstance(content, TextResourceContents)
        twin = await host.call("notte_read", uri=uri, max_tokens=20_000)
        assert text_of(twin) == content.text.rstrip("\n")
