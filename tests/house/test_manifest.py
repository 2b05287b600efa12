"""manifest.json (MCPB 0.4) and server.json say what the package says."""

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

import notte_mcp

ROOT = Path(__file__).parents[2]
SURFACE = ROOT / "tests" / "surface.json"


def read(name: str) -> dict[str, Any]:
    """A JSON object from the repository's root."""
    return json.loads((ROOT / name).read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", ["manifest.json", "server.json"])
def test_the_version_is_the_packages(name: str) -> None:
    assert read(name)["version"] == notte_mcp.__version__


def test_the_names_are_the_packages() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    manifest = read("manifest.json")

    assert manifest["name"] == project["name"]
    assert manifest["license"] == project["license"]
    assert manifest["server"]["mcp_config"]["args"][-1] in project["scripts"]
    assert read("server.json")["name"].endswith(f"/{project['name']}")


def test_the_bundle_starts_a_file_that_exists_with_a_python_that_fits() -> None:
    """MCPB: its validator looks at neither the entry point nor the form of the Python range."""
    manifest = read("manifest.json")

    assert (manifest["manifest_version"], manifest["server"]["type"]) == ("0.4", "uv")
    assert (ROOT / manifest["server"]["entry_point"]).is_file()
    assert re.fullmatch(r">=\d+\.\d+( <\d+\.\d+)?", manifest["compatibility"]["runtimes"]["python"])
    assert (ROOT / ".python-version").read_text(encoding="utf-8").strip() == "3.11"


def test_every_variable_of_the_bundle_is_a_setting_with_a_default() -> None:
    """MCPB: a variable that the user left out and that has no default reaches the server as `${user_config.x}`."""
    manifest = read("manifest.json")
    used = re.findall(r"\$\{user_config\.(\w+)\}", json.dumps(manifest["server"]))

    assert sorted(used) == sorted(manifest["user_config"])
    assert all("default" in option for option in manifest["user_config"].values())
    assert not [
        k for k, option in manifest["user_config"].items() if option.get("sensitive") and option["type"] != "string"
    ]


def test_nothing_points_at_the_other_project_of_that_name_on_pypi() -> None:
    """Ours: PyPI's `notte-mcp` is not this server."""
    packages = read("server.json").get("packages", [])

    assert not [p for p in packages if p["registryType"] == "pypi" and p["identifier"] == "notte-mcp"]


def test_the_tools_are_those_the_server_lists() -> None:
    """MCPB: a host shows this list before it has started the server."""
    if not SURFACE.exists():
        pytest.skip("the server's surface has not been written down yet")
    surface: dict[str, list[dict[str, Any]]] = json.loads(SURFACE.read_text(encoding="utf-8"))

    assert [tool["name"] for tool in read("manifest.json")["tools"]] == [tool["name"] for tool in surface["tools"]]
