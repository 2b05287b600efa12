"""All faults, in the order in which they are told of.

A fault is declared in the file of its kind, in that file's `FAULTS`. Below: those files. Above: `__main__`, test_gate.
"""

from typing import Final

from tests.faults import bombs, browsers, cloud, durable, ends, filming, launches, pages, sharing, storage
from tests.faults.fault import Fault

FAULTS: Final[tuple[Fault, ...]] = (
    *durable.FAULTS,
    *ends.FAULTS,
    *browsers.FAULTS,
    *launches.FAULTS,
    *pages.FAULTS,
    *bombs.FAULTS,
    *storage.FAULTS,
    *sharing.FAULTS,
    *filming.FAULTS,
    *cloud.FAULTS,
)

BY_NAME: Final = {fault.name: fault for fault in FAULTS}
