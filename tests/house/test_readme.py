"""The documents: short, and true where a test can tell."""

import json
import re
from pathlib import Path

import pytest

from notte_mcp.settings import Settings

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(("name", "lines"), [("README.md", 125), ("ARCHITECTURE.md", 160)])
def test_a_document_for_newcomers_is_short(name: str, lines: int) -> None:
    assert len((ROOT / name).read_text(encoding="utf-8").splitlines()) <= lines


@pytest.mark.parametrize("target", ["demo", "test"])
def test_the_readme_names_a_make_target_that_exists(target: str) -> None:
    assert f"make {target}" in README
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)


def test_every_json_block_of_the_readme_is_json() -> None:
    blocks = re.findall(r"```json\n(.*?)```", README, re.DOTALL)

    assert blocks
    for block in blocks:
        json.loads(block)


def test_no_line_of_the_readme_installs_the_other_project_of_that_name() -> None:
    """Ours: PyPI's `notte-mcp` is not this server, so every host line names a path."""
    lines = [line for line in README.splitlines() if re.search(r"(uvx|pip install|claude mcp add|\"command\")", line)]

    assert lines
    for line in lines:
        assert re.search(r"/ABS/PATH|playwright install|install \.(\s|$)", line), line


def test_the_variables_of_the_readme_are_settings() -> None:
    names = set(re.findall(r"NOTTE_MCP_(\w+)", README))

    assert "STATE_DIR" in names
    assert {name.lower() for name in names} <= Settings.model_fields.keys()


def test_every_link_within_the_page_of_agents_leads_to_a_heading() -> None:
    """It is written by a script, which makes the links as GitHub makes the headings' names."""
    text = (ROOT / "docs" / "agents.md").read_text(encoding="utf-8")
    headings = {
        re.sub(r"[^a-z -]", "", name.lower()).replace(" ", "-")
        for name in re.findall(r"^##+ (.*)$", text, re.MULTILINE)
    }
    links = re.findall(r"\]\(#([^)]+)\)", text)

    assert len(set(links)) > 20
    assert set(links) <= headings


@pytest.mark.parametrize("path", sorted(p.name for p in ROOT.glob("*.md")))
def test_every_link_to_a_file_leads_to_one(path: str) -> None:
    text = (ROOT / path).read_text(encoding="utf-8")

    for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", text):
        assert (ROOT / target).exists(), target
