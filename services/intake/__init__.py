"""intake turns calls into cases, and records what callers say.

Consumes what channels publish, from a stream of each: calls, their ends, and what became of
messages; from CASES what makes a deadline, what concerns another case too, messages that are to
go out, and what ends a man's way to his handover (an erasure may wait for it); and its own timers.
Answers the commands of `shared.commands.intake` and `shared.commands.shifts`; records intake's
events of `shared.events.catalogue`.
"""

from shared import subjects
from shared.policy import policy
from shared.subjects import Durable

SERVICE = "intake"
HEARD = (
    *("CallTriaged", "CaseClaimed", "CaseReleased", "ReturnCodeIssued", "CaseReopened"),
    *("CaseOpened", "GroupJoined", "GroupLeft", "CasesLinked", "CasesUnlinked"),
    *("MessageQueued", "RendezvousDisclosed", "GuidanceGiven"),
    *("HandedOver", "RendezvousMissed", "RendezvousCancelled", "RendezvousExpired", "CaseClosed"),
)
"""The types of event that intake takes from the log; what each leads to says `listening`."""
CALLS = tuple(
    Durable("intake", subjects.calls_stream(channel), (subjects.calls(channel),))
    for channel in policy().channels.names
)
CASES = Durable("intake", subjects.CASES, tuple(map(subjects.case_events, HEARD)))
DUE = Durable("intake", subjects.timers_stream("intake"), (subjects.due("intake", ">"),))
CONSUMES = (*CALLS, CASES, DUE)
