"""A judge in front of an API that is a process of its own."""

import json
from pathlib import Path
from typing import Any, Final

from notte_mcp.demo.shop import Shop
from tests.api.process import Served
from tests.judges import Ran, Sdk, run_script
from tests.site import Site

JUDGED: Final = Path(__file__).parent / "judged"


def judge(
    served: Served,
    sdk: Sdk,
    name: str,
    folder: Path,
    *,
    shop: Shop | None = None,
    site: Site | None = None,
    **more: Any,
) -> dict[str, Any]:
    """What a script of `judged` told: the facts of each check, by its name; a failure's are its traceback."""
    given = {
        "shop": shop.url if shop else "",
        "site": site.url("/") if site else "",
        "plan": str(served.plan),
        "folder": str(folder),
    }
    ran: Ran = run_script(sdk, JUDGED / name, url=served.url, key=served.key, arguments=(json.dumps(given),), **more)
    return {told["check"]: told["facts"] for told in ran.told if isinstance(told, dict) and "check" in told}
