"""A session's steps as a script: the one place where the surface asks for code.

Below: registry, workflows. Above: resources.reader, tools.workflows.
"""

from typing import TYPE_CHECKING, Any, Final, Literal, get_args

if TYPE_CHECKING:
    from notte_mcp.app import App
    from notte_mcp.workflows import Code

Target = Literal["notte", "playwright", "json"]
TARGETS: Final[tuple[Target, ...]] = get_args(Target)

MAX_STEPS: Final = 10_000
"""Steps that a script is written from; a session that lives for hours stays below."""


async def script(
    app: "App",
    session_id: str,
    target: Target,
    **options: Any,
) -> "Code":
    """The script of a session's steps; `options` are those of `write_code` (style, sdk, keep_failed).

    Raises:
        UnknownSession; InvalidArgument: there is nothing to write, or no such form.
    """
    from notte_mcp.workflows import write_code  # late: no other call needs the writers

    record = await app.registry.record(session_id)
    steps = await app.registry.steps(session_id, limit=MAX_STEPS)
    return write_code(steps, record.spec, target=target, **options)
