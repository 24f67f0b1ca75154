"""intake turns calls into cases, and records what callers say.

Consumes calls and channels' reports from CALLS; from CASES what ends a man's way to his handover
(an erasure may wait for it) and messages that are to go out; and its own timers. Answers the
commands of `shared.commands.intake` and `shared.commands.shifts`; records the events of
`shared.events.intake`, `shared.events.outbound` and `shared.events.shifts`.
"""

from shared import subjects
from shared.subjects import Durable

SERVICE = "intake"
CALLS = Durable("intake", subjects.CALLS, ("calls.>",))
WAY_ENDS = Durable(
    "intake",
    subjects.CASES,
    tuple(
        map(subjects.case_events, ("HandedOver", "RendezvousMissed", "CaseClosed", "MessageQueued"))
    ),
)
DUE = Durable("intake", subjects.timers_stream("intake"), (subjects.due("intake", ">"),))
CONSUMES = (CALLS, WAY_ENDS, DUE)
