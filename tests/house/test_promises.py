"""PROMISES.md: each promise has a proof, each proof is there, and each fault is one."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from tests.faults.table import BY_NAME, FAULTS

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "PROMISES.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^## (P\d+) (.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL))
TESTS = re.findall(r"^- `([\w/]+\.py)::(\w+)`$", PAGE, re.MULTILINE)


@cache
def _tests_in(path: str) -> set[str]:
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


def _faults(section: str) -> set[str]:
    return {
        name
        for line in re.findall(r"^- faults: (.*)$", section, re.MULTILINE)
        for name in re.findall(r"`([\w-]+)`", line)
    }


def test_the_promises_are_the_eleven_of_the_design() -> None:
    assert list(SECTIONS) == [f"P{number}" for number in range(1, 12)]


@pytest.mark.parametrize("promise", SECTIONS)
def test_a_promise_has_a_proof(promise: str) -> None:
    """A test that is run with every change, not only a fault that is done by hand."""
    named = re.findall(r"^- `([\w/]+\.py)::(\w+)`$", SECTIONS[promise], re.MULTILINE)

    assert named or any(BY_NAME[name].counts.gate for name in _faults(SECTIONS[promise]) if name in BY_NAME)


@pytest.mark.parametrize(("path", "name"), TESTS)
def test_a_proof_is_there(path: str, name: str) -> None:
    assert name in _tests_in(path)


def test_every_fault_stands_with_the_promises_that_it_tries() -> None:
    """And no other does."""
    told = {(promise, name) for promise, section in SECTIONS.items() for name in _faults(section)}

    assert told == {(promise, fault.name) for fault in FAULTS for promise in fault.promises}
