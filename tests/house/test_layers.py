"""Who may import whom: the contracts of pyproject.toml hold, and they bite."""

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run import-linter over the package in this folder, which comes before the installed one."""
    command = [Path(sys.executable).with_name("lint-imports"), "--no-cache", "--no-logo"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)


def test_every_import_keeps_to_the_layers() -> None:
    """Ours: ARCHITECTURE.md, "Who may import whom"."""
    done = lint(ROOT)

    assert done.returncode == 0, done.stdout + done.stderr


def test_the_document_draws_the_layers_that_are_checked() -> None:
    """Ours: a drawing that nothing compares goes stale."""
    config = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    checked = config["tool"]["importlinter"]["contracts"][0]["layers"]
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8").partition("## Who may import whom")[2]
    drawn = text.split("```")[1].strip().splitlines()

    assert [set(re.findall(r"\w+", line)) for line in drawn] == [set(re.findall(r"\w+", line)) for line in checked]


BREAKING = (
    ("receipts.py", "import notte_mcp.registry", "The house: who may import whom"),
    ("engines/base.py", "import notte_mcp.store.base", "Machines do not know each other (with profiles)"),
    ("engines/base.py", "import notte_mcp.engines.local", "Engines do not know each other, only their contract"),
    ("ids.py", "import playwright.async_api", "Playwright is the local engine's"),
    ("registry.py", "import mcp.types", "Only the surface knows MCP"),
    ("registry.py", "import sqlalchemy", "SQLAlchemy is the store's"),
    ("registry.py", "import notte_mcp.settings", "Settings stop at the app"),
    ("agents/loop.py", "import time", "What an agent decides is decided without IO"),
    ("agents/parsing.py", "import notte_mcp.registry", "What an agent decides is decided without IO"),
)
"""Where a line is added, and the contract that it breaks."""


def test_imports_against_the_layers_are_found(tmp_path: Path) -> None:
    """Ours: a contract that nothing can break protects nothing. All at once, since each run reads the whole package."""
    shutil.copytree(ROOT / "notte_mcp", tmp_path / "notte_mcp", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for module, line, _ in BREAKING:
        with (tmp_path / "notte_mcp" / module).open("a", encoding="utf-8") as file:
            file.write(f"\n{line}\n")
    (tmp_path / "notte_mcp" / "brand_new.py").touch()

    done = lint(tmp_path)

    assert done.returncode != 0
    broken = done.stdout.partition("Broken contracts")[2]
    for module, line, contract in BREAKING:
        told = re.split(r"\n.*\n-{5,}\n", broken.partition(f"\n{contract}\n")[2], maxsplit=1)[0]
        importer, imported = module.removesuffix(".py").replace("/", "."), line.removeprefix("import ")
        if not imported.startswith("notte_mcp"):
            imported = imported.partition(".")[0]
        assert f"notte_mcp.{importer} -> {imported} (l." in told, f"{contract}: {told}"
    assert "- notte_mcp.brand_new" in broken
