"""What must be kept when processes end: steps, sessions, agents, and that nothing is done twice.

Below: fault, kills, hosts, lengths, cancelling, repeating. Above: table.
"""

from typing import Final

from tests.faults.cancelling import cancel
from tests.faults.fault import Counts, Fault
from tests.faults.hosts import kill_hosts
from tests.faults.kills import kill_keepers, kill_servers
from tests.faults.lengths import cycle, many_steps
from tests.faults.repeating import repeat, restore

FAULTS: Final = (
    Fault(
        "kills",
        ("P1", "P2", "P3"),
        "SIGKILL to the server at a random moment of a batch that sends a form; restore, ask again by `request_id`",
        kill_servers,
        Counts(1, 40, 200),
        seconds=300,
    ),
    Fault(
        "kills-keeper",
        ("P1", "P2", "P3"),
        "the same to the keeper; its relay answers with an error, and the next call starts another keeper",
        kill_keepers,
        Counts(0, 10, 100),
        seconds=180,
    ),
    Fault(
        "host-killed",
        ("P7",),
        "SIGKILL to the host in the middle of the main job, driven by a model and by assistants; the next host ends it",
        kill_hosts,
        Counts(0, 10, 50),
        seconds=180,
    ),
    Fault(
        "cycles",
        ("P4", "P10"),
        "a session started on a page and stopped, in one server; its memory in the later half",
        cycle,
        Counts(0, 100, 1_000),
        seconds=300,
    ),
    Fault(
        "steps",
        ("P1", "P10"),
        "steps in one session, with looks between them; all read back by pages; memory in the later half",
        many_steps,
        Counts(0, 500, 5_000),
        seconds=300,
    ),
    Fault(
        "cancels",
        ("P2", "P6"),
        "a call taken back at that many moments of an action of 2 s: form, click, goto, wait_for, fill; in both eras",
        cancel,
        Counts(2, 40, 200),
        seconds=300,
        shares=True,
    ),
    Fault(
        "restores",
        ("P3",),
        "a session that is signed in, interrupted by SIGKILL and restored: url, login and its age; nothing sent again",
        restore,
        Counts(0, 5, 50),
        seconds=180,
    ),
    Fault(
        "repeats",
        ("P2",),
        "calls with one `request_id`: again, 8 at once, after a crash, by the next host, with other arguments",
        repeat,
        Counts(0, 2, 25),
        seconds=180,
    ),
)
