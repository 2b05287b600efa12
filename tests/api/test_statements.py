"""The statements of a written script, alone."""

import pytest

from notte_mcp.api.statements import statements

SCRIPT = '''\
"""A script."""

from notte_sdk import NotteClient

client = NotteClient()


def run(email: str = "é@b.c", count: int = 2) -> object:
    """Repeat the steps."""
    with client.Session(
        viewport_width=1280, viewport_height=800
    ) as session:
        session.execute(type="goto", url="https://a.test/")
        # session.execute(type="click", selector="#gone")
        session.execute(
            type="fill", selector="é", value=email, press_enter=True
        )
        wait_for(session, at("https://a.test/b"))
        session.execute(type="evaluate_js", code=f"go({count})")
        return session.scrape(only_main_content=False)


def wait_for(session: object, condition: str) -> None:
    pass
'''

ALONE = """\
session.execute(type="goto", url="https://a.test/")
# session.execute(type="click", selector="#gone")
session.execute(
    type="fill", selector="é", value='é@b.c', press_enter=True
)
session.execute(type="evaluate_js", code=f"go({2})")
session.scrape(only_main_content=False)
"""


def test_statements_need_nothing_of_the_script_that_they_stood_in() -> None:
    """Parameters are their values, failed steps stay as comments, and nothing is waited for."""
    assert statements(SCRIPT) == ALONE


@pytest.mark.parametrize("script", ["x = 1\n", "def run():\n    return 1\n"])
def test_what_has_no_session_is_given_whole(script: str) -> None:
    """A script of another form is no reason to give nothing."""
    assert statements(script) == script
