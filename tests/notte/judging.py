"""Asks an SDK's own models about request bodies: one process for many of them."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tests.judges import Sdk, run_script

_JUDGE = Path(__file__).with_name("judge.py")


def faults_of(version: Sdk, bodies: Iterable[tuple[str, dict[str, Any]]]) -> list[tuple[dict[str, Any], str]]:
    """What this SDK's models find wrong: the bodies that they do not take, and why. See `judge.py` for the kinds."""
    asked = list(bodies)
    assert asked
    done = run_script(version, _JUDGE, url="http://127.0.0.1:9", key="none", stdin=json.dumps(asked), timeout_s=100)
    told = [json.loads(line) for line in done.stdout.splitlines()]
    return [(body, said) for (_, body), said in zip(asked, told, strict=True) if said is not None]
