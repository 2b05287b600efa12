"""Asks an SDK's own models about request bodies: one process for many of them."""

import json
import os
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tests.judges import Sdk, sdk_python

_JUDGE = Path(__file__).with_name("judge.py")


def faults_of(version: Sdk, bodies: Iterable[tuple[str, dict[str, Any]]]) -> list[tuple[dict[str, Any], str]]:
    """What this SDK's models find wrong: the bodies that they do not take, and why. See `judge.py` for the kinds."""
    asked = list(bodies)
    assert asked
    done = subprocess.run(
        [sdk_python(version), str(_JUDGE)],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
        env={"PATH": os.environ["PATH"], "DISABLE_TELEMETRY": "true", "HTTPS_PROXY": "http://127.0.0.1:9"},
    )
    assert done.returncode == 0, done.stderr
    told = [json.loads(line) for line in done.stdout.splitlines()]
    return [(body, said) for (_, body), said in zip(asked, told, strict=True) if said is not None]
