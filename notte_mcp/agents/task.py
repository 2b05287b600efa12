"""What the loop needs to know of an agent's task. A value; nothing below but the standard library.

Above: prompts, loop, runner.
"""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Task:
    """A task as the loop is given it.

    `max_steps` counts actions, the first goto included, `completion` and `help` not. `guidance` is what came
    before (a fallback's history and last error). `secrets` are NAMES (SECRET_PASSWORD) that the model may write as
    `{{NAME}}`. `cloud` says that the engine can do what only the Notte cloud can. `unattended`: asking for help ends it.
    """

    text: str
    max_steps: int
    url: str | None = None
    response_schema: dict[str, Any] | None = None
    guidance: str = ""
    secrets: tuple[str, ...] = ()
    cloud: bool = False
    unattended: bool = False
