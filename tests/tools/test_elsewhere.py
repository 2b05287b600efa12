"""The script that the cloud made by itself, as it is read here."""

import ast

from notte_mcp.resources.elsewhere import OURS, without_ours

THEIR_SCRIPT = f"""\
from notte_sdk import NotteClient

def run():
    with NotteClient().Session() as session:
        session.execute(type="goto", url="https://shop.test")
        session.execute(type="evaluate_js", code={f"{OURS} (() => 1)()"!r})
        session.execute(
            type="evaluate_js",
            code="document.title",
        )
        read = session.execute(type="evaluate_js",
                               code=({f"{OURS} probe"!r}
                                     " of two lines"))
        return read.data
"""


def test_scripts_of_ours_are_left_out_of_theirs_with_what_only_tells_of_them() -> None:
    """What a caller ran stays; what is left is still a program."""
    found = without_ours(THEIR_SCRIPT)

    assert OURS not in found
    assert "document.title" in found
    assert "read" not in found
    assert 'url="https://shop.test"' in found
    ast.parse(found)


def test_a_block_of_ours_alone_stays_a_block() -> None:
    """A `with` needs something in it."""
    found = without_ours(f"with session:\n    session.execute(code={OURS!r})\n")

    assert found == "with session:\n    pass\n"


def test_what_is_no_python_is_given_as_it_is() -> None:
    """It is read by people and models, and run by nobody here."""
    assert without_ours("session.execute(") == "session.execute("
