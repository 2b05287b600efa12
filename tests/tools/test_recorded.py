"""What was filmed, as resources and through their twin: pictures, videos and players, whole or in parts, or why not."""

import base64
import io
import os
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client, MCPError
from mcp.types import BlobResourceContents, ImageContent, ResourceLink, ResourceTemplateReference, TextContent

from notte_mcp.app import App
from notte_mcp.errors import ExtraMissing
from notte_mcp.replay.replays import Part, Replays, Video
from notte_mcp.resources.content import MAX_BYTES
from tests.tools.conftest import DONE, ERAS, FILL_AND_SEND, Host, text_of

pytestmark = pytest.mark.anyio

MANY = 2 * MAX_BYTES + 1_000


class LongFilms(Replays):
    """Whose videos are long: of three parts, as random as bytes can be."""

    def __init__(self, place: Path) -> None:
        super().__init__()
        self._file = place / "long.mp4"
        self.body = os.urandom(MANY)
        self._file.write_bytes(self.body)
        self.asked: list[tuple[str, Sequence[Part], bool]] = []

    async def video(self, name: str, parts: Sequence[Part], *, live: bool) -> Video:
        self.asked.append((name, parts, live))
        return Video(self._file, MANY, 301.5)


class NoVideo(Replays):
    """Where PyAV is not installed."""

    async def video(self, name: str, parts: Sequence[Part], *, live: bool) -> Video:
        del name, parts, live
        raise ExtraMissing("Videos need PyAV.", done="", next_call='pip install "PATH[video]"')


class Filming(Host):
    """A host whose sessions are filmed; its replays can be replaced."""

    def __init__(self, folder: Path, mode: str = "auto") -> None:
        super().__init__(folder, mode)
        self.settings = self.settings.model_copy(update={"record": True})
        self.replays: Replays | None = None

    @asynccontextmanager
    async def open_app(self) -> AsyncGenerator[App]:
        async with super().open_app() as app:
            self.app = app if self.replays is None else replace(app, replays=self.replays)
            yield self.app


@pytest.fixture
async def host(tmp_path: Path, mode: str) -> AsyncGenerator[Filming]:
    host = Filming(tmp_path, mode)
    async with host.connected():
        yield host


@pytest.fixture
async def modern(tmp_path: Path) -> AsyncGenerator[Filming]:
    host = Filming(tmp_path)
    async with host.connected():
        yield host


async def blob(host: Host, uri: str) -> tuple[BlobResourceContents, bytes]:
    assert host.client is not None
    with anyio.fail_after(60):
        (found,) = (await host.client.read_resource(uri)).contents
    assert isinstance(found, BlobResourceContents)
    return found, base64.b64decode(found.blob)


async def refused(host: Host, uri: str) -> str:
    """What the tool says; the resource says the same."""
    with pytest.raises(MCPError) as error:
        await blob(host, uri)
    said = await host.refusal("notte_read", uri=uri)
    assert error.value.error.message in said or "not found" in error.value.error.message.lower()
    return said


async def driven(host: Host) -> tuple[str, str]:
    """(session, agent): an agent that its caller drives sends the form in a session that it was given."""
    session_id = await host.start()
    agent = await host.facts("notte_start", task="Send it", session_id=session_id, driver="assistant")
    await host.text("notte_execute", session_id=session_id, actions=FILL_AND_SEND)
    done = {"type": "completion", "success": True, "answer": "4711"}
    await host.text("notte_execute", session_id=session_id, actions=[done])
    return session_id, str(agent["agent_id"])


@ERAS
async def test_a_steps_picture_is_a_blob_and_an_image_by_either_number(host: Filming) -> None:
    """Contract: JPEG of at most 960 px and 150 kB; an agent's step 1 is its session's step 2."""
    from PIL import Image

    session_id, agent_id = await driven(host)
    found, picture = await blob(host, f"notte://sessions/{session_id}/steps/2/screenshot")
    _, same = await blob(host, f"notte://agents/{agent_id}/steps/1/screenshot")
    shown = (await host.call("notte_read", uri=found.uri)).content

    image = Image.open(io.BytesIO(picture))
    assert (found.mime_type, image.format) == ("image/jpeg", "JPEG")
    assert max(image.size) <= 960
    assert len(picture) <= 150_000
    assert (found.meta or {})["size"] == len(picture)
    assert same == picture
    assert isinstance(shown[1], ImageContent)
    assert base64.b64decode(shown[1].data) == picture


async def test_a_video_is_a_blob_and_through_the_tool_where_it_lies(modern: Filming) -> None:
    """Contract: of a session that has ended; an agent's is its share; never bytes through the tool."""
    host = modern
    session_id, agent_id = await driven(host)
    ended = await host.call("notte_stop", id=session_id)
    uri = f"notte://sessions/{session_id}/replay"
    assert (ended.structured_content or {})["replay_uri"] == uri
    assert uri in text_of(ended)
    assert [one.uri for one in ended.content if isinstance(one, ResourceLink)] == [
        f"notte://sessions/{session_id}/steps", uri, f"notte://sessions/{session_id}/workflow/playwright",
    ]  # fmt: skip

    found, video = await blob(host, uri)
    page, html = await blob(host, f"{uri}.html")
    _, share = await blob(host, f"notte://agents/{agent_id}/replay")
    answer = (await host.call("notte_read", uri=uri)).content

    assert (found.mime_type, video[4:8]) == ("video/mp4", b"ftyp")
    assert (page.mime_type, html[:15].lower()) == ("text/html", b"<!doctype html>")
    assert share[4:8] == b"ftyp"
    assert (found.meta or {})["parts"] == 1
    assert [type(one) for one in answer] == [TextContent, ResourceLink]
    said = answer[0].text if isinstance(answer[0], TextContent) else ""
    path = anyio.Path(next(line for line in said.splitlines() if line.startswith("file: ")).removeprefix("file: "))
    assert await path.read_bytes() == video
    assert f"{len(video)} bytes, {(found.meta or {})['seconds']:g} s" in said


@ERAS
async def test_a_long_video_comes_in_parts_that_are_the_file(tmp_path: Path, mode: str) -> None:
    """Contract: each of at most 5.5 MB; the whole is refused with how to have it."""
    host = Filming(tmp_path, mode)
    host.replays = films = LongFilms(tmp_path)
    async with host.connected():
        session_id = await host.start()
        await host.facts("notte_stop", id=session_id)
        uri = f"notte://sessions/{session_id}/replay"

        parts = [await blob(host, f"{uri}?part={number}") for number in (1, 2, 3)]
        with pytest.raises(MCPError) as whole:
            await blob(host, uri)
        read = await host.text("notte_read", uri=uri)
        second = await host.text("notte_read", uri=f"{uri}?part=2")
        beyond = await refused(host, f"{uri}?part=4")

    assert b"".join(body for _, body in parts) == films.body
    assert max(len(body) for _, body in parts) == MAX_BYTES
    assert [(one.meta or {})["part"] for one, _ in parts] == [1, 2, 3]
    assert "?part=1, and so on to " in whole.value.error.message
    assert f"{MANY} bytes, 301.5 s" in read
    assert "in 3 parts" in read
    assert "replay, part 2 of 3" in second
    assert "has 3 parts, and none is number 4" in beyond


async def test_where_the_disk_is_not_the_callers_no_path_is_told(tmp_path: Path) -> None:
    """A principal over HTTP has nothing of the server's paths."""
    host = Filming(tmp_path)
    host.settings = host.settings.model_copy(update={"for_others": True})
    host.replays = LongFilms(tmp_path)
    async with host.connected():
        session_id = await host.start()
        said = await host.text("notte_read", uri=f"notte://sessions/{session_id}/replay")

    assert str(tmp_path) not in said
    assert "still going on" in said


async def test_an_agents_replay_is_its_own_share_of_the_film(tmp_path: Path) -> None:
    """From when it had the session to its end, by its own numbers."""
    host = Filming(tmp_path)
    host.replays = films = LongFilms(tmp_path)
    async with host.connected():
        session_id, agent_id = await driven(host)
        await host.text("notte_execute", session_id=session_id, actions=[{"type": "goto", "url": DONE}])
        await host.text("notte_read", uri=f"notte://agents/{agent_id}/replay")
        assert host.app is not None
        record = await host.app.agents.record(agent_id)

    ((name, (part,), live),) = films.asked
    assert (name, live, part.by_agent) == (agent_id, False, True)
    assert [part.number(step) for step in part.steps] == [1, 2, 3, 4, 5]
    assert [step.number for step in part.steps] == [2, 3, 4, 5, 6]
    assert (part.since, part.until) == (record.created_at, record.ended_at)
    assert part.folder.name == session_id


async def test_a_step_number_that_is_none_is_refused_in_words(modern: Filming) -> None:
    """Ours: with the log, which has the numbers."""
    session_id = await modern.start()
    for n in ("0", "-1", "99999999999999999999", "abc", "1.1", "%00"):
        said = await refused(modern, f"notte://sessions/{session_id}/steps/{n}/screenshot")

        assert "A step's number is 1 or more" in said
        assert "/steps?format=text" in said


async def test_a_part_that_is_none_is_refused_in_words(modern: Filming) -> None:
    """Ours: with the first one."""
    session_id = await modern.start()
    for part in ("0", "-1", "abc", "", "99999999999999999999"):
        for form in ("replay", "replay.html"):
            said = await refused(modern, f"notte://sessions/{session_id}/{form}?part={part}")

            assert "`part` is 1 or more" in said
            assert f"{form}?part=1" in said


async def test_what_is_not_there_says_why_and_what_to_read_instead(modern: Filming) -> None:
    """No such step, no such session, nothing filmed, no PyAV: never a crash, and always a next call."""
    host = modern
    session_id = await host.start()
    unfilmed = (await host.facts("notte_start", session={"record": False}))["session_id"]

    assert "There is no step 7" in await refused(host, f"notte://sessions/{session_id}/steps/7/screenshot")
    assert "ses_nope" in await refused(host, "notte://sessions/ses_nope/replay")
    assert "agt_nope" in await refused(host, "notte://agents/agt_nope/steps/1/screenshot")
    for form in ("replay", "replay.html"):
        said = await refused(host, f"notte://sessions/{unfilmed}/{form}")
        assert "started without recording" in said
        assert f'Next: notte_read(uri="notte://sessions/{unfilmed}/steps?format=text")' in said
    ended = await host.facts("notte_stop", id=unfilmed)
    assert "replay_uri" not in ended
    assert ended["steps_uri"] == f"notte://sessions/{unfilmed}/steps"


async def test_without_pyav_the_words_say_what_to_install(tmp_path: Path) -> None:
    """And the player is there all the same."""
    host = Filming(tmp_path)
    host.replays = NoVideo()
    async with host.connected():
        session_id = await host.start()
        said = await refused(host, f"notte://sessions/{session_id}/replay")

    assert "PATH[video]" in said


async def test_a_failed_step_and_an_agent_that_begins_say_where_to_look(modern: Filming) -> None:
    """Contract: links, and the same in the text and in the structured content, since some hosts show only those."""
    session_id = await modern.start()
    failed = await modern.call("notte_execute", actions=[
        {"type": "fill", "id": "I1", "value": "Ada"}, {"type": "click", "selector": "#nowhere"},
    ])  # fmt: skip
    begun = await modern.call("notte_start", task="Look", session_id=session_id, driver="assistant")
    facts: dict[str, Any] = begun.structured_content or {}

    (picture,) = [one for one in failed.content if isinstance(one, ResourceLink)]
    assert picture.uri == f"notte://sessions/{session_id}/steps/3/screenshot"
    assert picture.uri in text_of(failed)
    agent = f"notte://agents/{facts['agent_id']}"
    assert (facts["steps_uri"], facts["replay_uri"]) == (f"{agent}/steps", f"{agent}/replay")
    assert not [one for one in begun.content if isinstance(one, ResourceLink)]  # there is nothing to look at yet
    assert f"{agent}/replay" in text_of(begun)


async def test_numbers_parts_and_formats_are_completed(modern: Filming) -> None:
    """The templates' parameters."""
    session_id = await modern.start()
    await modern.text("notte_execute", actions=FILL_AND_SEND)

    async def completed(template: str, name: str, typed: str) -> list[str]:
        assert isinstance(modern.client, Client)
        reference = ResourceTemplateReference(type="ref/resource", uri=template)
        asked = await modern.client.complete(
            reference, {"name": name, "value": typed}, context_arguments={"id": session_id}
        )
        return list(asked.completion.values)

    base = "notte://sessions/{id}"
    assert await completed(f"{base}/steps/{{n}}/screenshot", "n", "") == ["5", "4", "3", "2", "1"]
    assert await completed(f"{base}/steps/{{n}}/screenshot", "n", "3") == ["3"]
    assert await completed(f"{base}/steps{{?after,format}}", "format", "t") == ["text"]
    assert await completed(f"{base}/replay{{?part}}", "part", "") == ["1"]


async def test_who_listens_is_told_of_each_step_and_of_the_video(modern: Filming) -> None:
    """`subscriptions/listen`: while a batch is at work, and when the video of an ended session is ready."""
    session_id = await modern.start()
    steps, replay = (f"notte://sessions/{session_id}/{what}" for what in ("steps", "replay"))
    assert modern.client is not None
    with anyio.fail_after(60):
        async with (
            modern.client.listen(resource_subscriptions=[steps, replay]) as events,
            anyio.create_task_group() as group,
        ):
            waits = {"type": "wait", "time_ms": 30_000}
            group.start_soon(lambda: modern.client.call_tool("notte_execute", {"actions": [FILL_AND_SEND[0], waits]}))  # pyright: ignore[reportOptionalMemberAccess]
            told = aiter(events)
            assert getattr(await anext(told), "uri", None) == steps
            await modern.facts("notte_stop", id=session_id, mode="now")
            while getattr(await anext(told), "uri", None) != replay:
                pass
    found, _ = await blob(modern, replay)
    assert found.mime_type == "video/mp4"
