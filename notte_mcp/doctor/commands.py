"""`notte-mcp doctor` and `notte-mcp install-browser`: findings on stdout, for people or as JSON.

Exit codes: 0 nothing failed, 1 something did. Below: examining, installing. Above: commands.
"""

import json
import sys
from collections.abc import Mapping
from typing import Any, Final

from notte_mcp.doctor import installing
from notte_mcp.doctor.examining import examine
from notte_mcp.doctor.finding import Finding, counted

DONE: Final = 0
FAILED: Final = 1

_SIGNS: Final = {"ok": "ok     ", "warning": "warning", "failure": "FAILURE"}


def run(flags: Mapping[str, Any], *, fix: bool, as_json: bool) -> int:
    """Look at everything; gives the exit code."""
    found: list[Finding] = []
    for finding in examine(flags, fix=fix):
        found.append(finding)
        if not as_json:
            _print(finding)
    failures = sum(finding.level == "failure" for finding in found)
    if as_json:
        print(json.dumps({"healthy": not failures, "findings": [finding.as_json() for finding in found]}, indent=1))
    else:
        warnings = sum(finding.level == "warning" for finding in found)
        print(f"{len(found)} looked at, {counted(warnings, 'warning')}, {counted(failures, 'failure')}.")
    return FAILED if failures else DONE


def _print(finding: Finding) -> None:
    print(f"{_SIGNS[finding.level]}  {finding.name}: {finding.text}")
    if finding.done:
        print(f"         done: {finding.done}")
    if finding.mend:
        print(f"         mend: {finding.mend}")
    sys.stdout.flush()


def install_browser() -> int:
    """Find a Chromium that starts, or install one; prints its path."""
    path = installing.find() or installing.install()
    if path is None:
        installing.say("No Chromium could be installed; install your system's chromium package.")
        return FAILED
    print(path)
    return DONE
