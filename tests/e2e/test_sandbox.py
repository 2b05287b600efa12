"""The sandbox: on for everyone but root, and root has to say that it may be off."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.e2e.whole import below, facts, refused
from tests.site import Site
from tests.stdio.wire import Wire, environment, server

NOBODY = 65534


def renderers(pid: int) -> list[psutil.Process]:
    return [p for p in below(pid) if "--type=renderer" in p.cmdline()]


def status_of(pid: int) -> dict[str, str]:
    lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    return dict(line.split(":\t", 1) for line in lines if ":\t" in line)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become someone else")
def test_an_unprivileged_user_gets_a_sandboxed_browser(tmp_path: Path, site: Site) -> None:
    """Design, section 3: the sandbox is on unless NOTTE_MCP_NO_SANDBOX=1; a renderer runs under seccomp."""
    base = Path("/tmp") / f"notte-mcp-test-{os.getpid()}"  # noqa: S108  (a folder that another user can reach)
    base.mkdir(mode=0o755)
    os.chown(base, NOBODY, NOBODY)
    env = {k: v for k, v in environment().items() if k != "NOTTE_MCP_NO_SANDBOX"}
    env |= {"HOME": str(base), "NOTTE_MCP_STATE_DIR": str(base / "state"), "XDG_CONFIG_HOME": str(base)}
    command = [
        "setpriv",
        f"--reuid={NOBODY}",
        f"--regid={NOBODY}",
        "--clear-groups",
        sys.executable,
        "-m",
        "notte_mcp",
        "--in-process",
    ]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env, cwd="/"
    )
    try:
        wire = Wire(process)
        facts(wire, "notte_start", url=site.url("/form.html"))
        found = renderers(process.pid)
        assert found
        for renderer in found:
            status = status_of(renderer.pid)
            assert status["Seccomp"].strip() == "2"
            assert status["Uid"].split()[0] == str(NOBODY)
    finally:
        process.kill()
        process.communicate()
        shutil.rmtree(base, ignore_errors=True)


@pytest.mark.skipif(os.geteuid() != 0, reason="about root")
def test_root_is_told_to_choose_when_nothing_is_said_of_the_sandbox(
    tmp_path: Path, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Design, section 3: the sandbox is never switched off by itself."""
    monkeypatch.delenv("NOTTE_MCP_NO_SANDBOX", raising=False)
    with server(tmp_path / "state") as wire:
        error = refused(wire, "notte_start", url=site.url("/form.html"))
    assert "NOTTE_MCP_NO_SANDBOX=1" in error
