"""What the demo leaves to be looked at: the replay of a session or an agent, by the command that a person would type.

Below: talk. Above: drive.
"""

import os
import shutil
import sys
from pathlib import Path

import anyio

from notte_mcp.demo.talk import DemoFailed, state_of


async def keep_replay(folder: Path, of: str, stem: Path) -> tuple[list[Path], str]:
    """Make the replay of what has this id in the server's `folder`, and put it at `stem` with the suffixes of its files:
    the player, and the video where one can be made. Gives the files, and what else was said.

    Raises:
        DemoFailed: there is none, with what the command said.
    """
    command = [sys.executable, "-m", "notte_mcp", "--state-dir", str(state_of(folder)), "replay", of]
    done = await anyio.run_process(command, env=os.environ, check=False)
    said = done.stderr.decode(errors="replace").strip()
    if done.returncode != 0:
        raise DemoFailed(f"there is no replay of {of}: {said}")
    made = [Path(line) for line in done.stdout.decode().splitlines()]
    return [await anyio.to_thread.run_sync(_put, one, stem) for one in made], said


def _put(made: Path, stem: Path) -> Path:
    return Path(shutil.copyfile(made, stem.with_name(f"{stem.name}{made.suffix}"))).absolute()
