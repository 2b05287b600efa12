"""The prompts: what a person's wish becomes."""

import pytest
from mcp import MCPError
from mcp.types import INVALID_PARAMS, PromptReference, TextContent

from tests.tools.conftest import ERAS, Host
from tests.tools.recorded import CODE, close_the_south, kept
from tests.tools.tokens import tokens

pytestmark = pytest.mark.anyio

MAX_TOKENS = 400


async def prompt(host: Host, name: str, **arguments: str) -> str:
    """A prompt's one message."""
    assert host.client is not None
    (message,) = (await host.client.get_prompt(name, arguments)).messages
    assert message.role == "user"
    assert isinstance(message.content, TextContent)
    return message.content.text


@ERAS
async def test_there_are_three_with_their_arguments(host: Host) -> None:
    """Contract; listing them opens nothing."""
    assert host.client is not None
    listed = (await host.client.list_prompts()).prompts

    assert [(one.name, [(argument.name, argument.required) for argument in one.arguments or ()]) for one in listed] == [
        ("do_a_task", [("task", True), ("url", False)]),
        ("author_workflow", [("goal", True), ("url", False)]),
        ("debug_run", [("run_id", True)]),
    ]
    assert all(one.title and one.description for one in listed)
    assert host.opened == 0


@pytest.mark.parametrize(("name", "argument"), [("do_a_task", "task"), ("author_workflow", "goal")])
async def test_a_wish_and_its_page_are_put_into_words_for_the_tools(host: Host, name: str, argument: str) -> None:
    """Contract: short, with the wish in it, and never selectors from memory."""
    asked = await prompt(host, name, **{argument: "Order two books"}, url="http://shop.test/")
    bare = await prompt(host, name, **{argument: "Order two books"})

    assert "Order two books" in asked
    assert 'notte_start(url="http://shop.test/")' in asked
    assert "notte_start(url=...)" in bare
    assert "never from memory" in asked
    assert max(tokens(asked), tokens(bare)) < MAX_TOKENS


@ERAS
async def test_a_prompt_without_its_argument_names_it(host: Host) -> None:
    """MCP: invalid params, and what is to be given."""
    with pytest.raises(MCPError, match="author_workflow needs goal") as refused:
        await prompt(host, "author_workflow", url="http://shop.test/")

    assert refused.value.error.code == INVALID_PARAMS


@ERAS
async def test_authoring_teaches_the_loop_to_its_end(host: Host) -> None:
    """Contract: start, observe or execute, export with verify, edit, save, run."""
    text = await prompt(host, "author_workflow", goal="Order a book")
    calls = ["notte_start", "notte_execute", "verify=", "Generate, then edit", "save_as=", "notte_run_workflow"]

    assert sorted(calls, key=text.index) == calls


async def test_debugging_a_run_begins_with_its_facts(host: Host) -> None:
    """Contract: the failed step, the difference, and where to look; what pages said stays one line each."""
    await kept(host)
    close_the_south(host)
    run = await host.facts("notte_run_workflow", name="permit", parameters=CODE)

    text = await prompt(host, "debug_run", run_id=run["run_id"])

    assert "permit@1: failed" in text
    assert 'failed 4 choose in combobox "District"' in text
    assert f'notte_observe(session_id="{run["session_id"]}")' in text
    assert "geheim" not in text
    assert tokens(text) < MAX_TOKENS


async def test_a_run_that_is_not_there_is_told_so(host: Host) -> None:
    """Ours: not only that the prompt failed."""
    with pytest.raises(MCPError) as refused:
        await prompt(host, "debug_run", run_id="run_nope")

    assert refused.value.error.code == -32602
    assert "There is no run" in refused.value.error.message


@ERAS
async def test_run_ids_are_completed(host: Host) -> None:
    """What costs little."""
    await kept(host)
    run = await host.facts("notte_run_workflow", name="permit", parameters=CODE)
    assert host.client is not None

    async def completed(name: str, argument: str) -> list[str]:
        assert host.client is not None
        reference = PromptReference(type="ref/prompt", name=name)
        found = await host.client.complete(reference, {"name": argument, "value": ""})
        return list(found.completion.values)

    assert await completed("debug_run", "run_id") == [run["run_id"]]
    assert await completed("do_a_task", "task") == []
