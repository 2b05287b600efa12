"""Every script as a formatter, a linter and a type checker see it, over many recordings at once."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from notte_mcp.workflows import Provenance, Style, Target, Workflow, dump, generalise, load, write
from notte_mcp.workflows.whole_text import is_whole
from tests.workflows.broad import workflows
from tests.workflows.recording import SPEC, Recording
from tests.workflows.test_forms import SPEC as FULL_SPEC
from tests.workflows.test_forms import everything
from tests.workflows.test_hostile_text import TEXTS, hostile

FORMS: tuple[tuple[Target, Style], ...] = (
    ("playwright", "sync"),
    ("playwright", "async"),
    ("pytest", "sync"),
    ("notte", "sync"),
    ("notte", "async"),
)
PLAIN_RULES = "E,F,I,UP,B,SIM,PL"
# A long text is a long line; a step that has no number but its own is no magic; a page has many steps.
NOT_OURS = "E501,PLR2004,PLR0913,PLR0915,PLR0912,PLR0917,UP031"


def every_form(workflow: Workflow) -> Iterator[tuple[str, str]]:
    """(name, code) of each script of a workflow."""
    made = Provenance('session ses_1 """', 1_000_000_000)
    for target, style in FORMS:
        yield f"{target}_{style}", write(workflow, target=target, style=style, provenance=made).code


def hostile_workflows() -> list[Workflow]:
    """What the hostile texts come to, each as everything that a text can be."""
    found: list[Workflow] = []

    @settings(
        max_examples=30,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.nested_given],
    )
    @given(TEXTS)
    def gather(text: str) -> None:
        if is_whole(text):
            seen = (text, f"{text} 12", "Thank you")
            found.append(generalise(hostile(text).steps, SPEC, keep_failed=True, seen=seen, tasks={"agt_1": text}))

    gather()
    return found


@pytest.fixture(name="scripts", scope="module")
def _scripts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with every script of all of them."""
    folder = tmp_path_factory.mktemp("scripts")
    named = workflows() | {f"hostile{number}": w for number, w in enumerate(hostile_workflows())}
    named["everything"] = generalise(everything().steps, FULL_SPEC, keep_failed=True)
    named["one"] = generalise(Recording().goto("http://h.test").steps, FULL_SPEC)
    for name, workflow in named.items():
        for form, code in every_form(workflow):
            (folder / f"{form}_{name}.py").write_text(code, encoding="utf-8")
    return folder


def tool(name: str, *arguments: str, cwd: Path) -> str:
    """What a tool of this environment says, all of it; nothing when it has nothing to say."""
    program = Path(sys.executable).parent / name
    done = subprocess.run([program, *arguments], capture_output=True, text=True, timeout=110, check=False, cwd=cwd)
    return "" if done.returncode == 0 else done.stdout + done.stderr


def test_scripts_are_laid_out_as_a_formatter_would_whatever_is_in_them(scripts: Path) -> None:
    """Ours: unchanged by ruff, 100 columns."""
    assert len(list(scripts.iterdir())) > 150
    assert tool("ruff", "format", "--isolated", "--no-cache", "--line-length", "100", "--diff", ".", cwd=scripts) == ""


def test_scripts_have_nothing_for_a_stricter_linter_to_say(scripts: Path) -> None:
    """Ours: style, imports, modern forms, likely bugs, simplicity."""
    rules = ("--select", PLAIN_RULES, "--ignore", NOT_OURS, "--line-length", "100")
    assert (
        tool("ruff", "check", "--isolated", "--no-cache", "--target-version", "py311", *rules, ".", cwd=scripts) == ""
    )


def test_scripts_pass_a_strict_type_checker(scripts: Path) -> None:
    """Ours: pyright strict; Notte's SDK is not here to be checked against."""
    names = [path.name for path in scripts.glob("p*.py") if "hostile" not in path.name]
    (scripts / "pyrightconfig.json").write_text('{"typeCheckingMode": "strict"}')
    lines = tool("pyright", "--pythonpath", sys.executable, *names, cwd=scripts)

    assert [line for line in lines.splitlines() if " error: " in line] == []


@pytest.mark.parametrize("name", list(workflows()))
def test_every_one_of_them_comes_back_from_where_it_is_kept(name: str) -> None:
    """Ours: exactly."""
    workflow = workflows()[name]

    assert load(dump(workflow)) == workflow
    assert dict(every_form(load(dump(workflow)))) == dict(every_form(workflow))
