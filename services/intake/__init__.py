"""intake turns calls into cases, and records what callers say.

Consumes CallReceived from CALLS, from CASES what ends a man's way to his handover (an erasure may
wait for it), and its own timers; answers the commands of `shared.commands.intake`; records the
events of `shared.events.intake`.
"""

from shared import subjects
from shared.subjects import Durable

SERVICE = "intake"
CALLS = Durable("intake", subjects.CALLS, ("calls.>",))
WAY_ENDS = Durable(
    "intake",
    subjects.CASES,
    tuple(map(subjects.case_events, ("HandedOver", "RendezvousMissed", "CaseClosed"))),
)
DUE = Durable("intake", subjects.timers_stream("intake"), (subjects.due("intake", ">"),))
CONSUMES = (CALLS, WAY_ENDS, DUE)
