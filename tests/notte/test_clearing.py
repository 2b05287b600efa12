"""Their script of a session, without what the engine asked the page besides."""

import ast

import pytest

from notte_mcp.engines.notte.clearing import is_probe, without_probes
from notte_mcp.engines.notte.probing import MARK

PROBE = f"session.execute(type='evaluate_js', code='{MARK} 1')"


@pytest.mark.parametrize(
    ("script", "left"),
    [
        (f"a()\n{PROBE}\nb()\n", "a()\nb()\n"),
        (f"_ = {PROBE}\nb()", "b()"),
        (f"def run():\n    with x as session:\n        a()\n        return {PROBE}\n", "def run():\n    with x as session:\n        a()\n"),
        (f"def run():\n    {PROBE}\n    {PROBE}\n", "def run():\n    pass\n"),
        (f"a()\nread = {PROBE}\nread2 = read.data\nprint(read2)\n", "a()\n"),
        (f"read = {PROBE}\nread = a()\nprint(read)\n", "read = a()\nprint(read)\n"),
        (f"session.execute(\n    type='evaluate_js',\n    code='{MARK} a\\n'\n    'b',\n)\nb()\n", "b()\n"),
        (f"# {PROBE}\n# kept\na('\u2028')\n{PROBE}\n", "# kept\na('\u2028')\n"),
        ("session.execute(type='evaluate_js', code='document.title')\n", None),
        (f"if {PROBE}:\n    a()\n", None),
        (f"read = {PROBE}\nif read:\n    a()\n", None),
        (f"a(); {PROBE}\n", None),
        (f"with x: {PROBE}\n", None),
        (f"a(\n{PROBE}\n", None),
        (f"note = '{MARK}'\n", None),
    ],
)  # fmt: skip
def test_what_we_asked_is_taken_out_and_nothing_else(script: str, left: str | None) -> None:
    """And what only reads its result; where more hangs on it, or it is no Python, it stays as it came."""
    assert without_probes(script) == (script if left is None else left)
    if left is not None:
        ast.parse(without_probes(script))


def test_a_script_of_the_page_s_own_is_none_of_ours() -> None:
    """Only what begins with our mark."""
    assert is_probe({"type": "evaluate_js", "code": f"{MARK} (() => 1)()"})
    assert not is_probe({"type": "evaluate_js", "code": f"1 {MARK}"})
    assert not is_probe({"type": "fill", "value": MARK})
    assert not is_probe({"type": "evaluate_js"})
