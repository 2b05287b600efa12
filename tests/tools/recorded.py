"""What the tests of kept and run workflows share: a session with a form sent, and the pages that can change after it."""

from dataclasses import replace
from typing import Any, cast

from notte_mcp.engines.scripted import ScriptedPage
from tests.tools.conftest import FILL_AND_SEND, FORM, Host


def pages_of(host: Host) -> dict[str, ScriptedPage]:
    """The site, to be changed."""
    return cast(dict[str, ScriptedPage], host.engine.pages)


async def sent(host: Host) -> str:
    """A session in which the form was filled and sent: five steps."""
    session_id = await host.start(FORM)
    await host.text("notte_execute", actions=FILL_AND_SEND)
    return session_id


async def kept(host: Host, name: str = "permit") -> str:
    """The same, saved by a name; its session is over."""
    session_id = await sent(host)
    await host.facts("notte_workflow_code", id=session_id, target="json", save_as=name)
    await host.facts("notte_stop", id=session_id)
    return name


def close_the_south(host: Host) -> None:
    """From now on the form has no district South, so that the fourth step of five fails at once."""
    form = pages_of(host)[FORM]
    elements = tuple(replace(one, options=("North", "East")) if one.options else one for one in form.elements)
    pages_of(host)[FORM] = replace(form, elements=elements)


CODE: dict[str, Any] = {"secret_access_code": "geheim-4711"}
"""The secret that the form needs, given by whoever runs it."""
