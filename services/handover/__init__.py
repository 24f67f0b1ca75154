"""handover brings a man to a safe place, records the receiving team's receipt and what follows.

Answers the commands of `shared.commands.handover`; records the events of
`shared.events.handover` and `shared.events.custody`. Consumes from CASES what makes or moves one
of its deadlines, the calls of lost men, the receipts for groups and messages that failed; and its
own timers.
"""

from shared import subjects
from shared.subjects import Durable

SERVICE = "handover"
REACTS_TO = Durable(
    "handover",
    subjects.CASES,
    tuple(
        map(
            subjects.case_events,
            (
                "CallLinked",
                "CaseReopened",
                "ArrivedInUkraine",
                "GuidanceGiven",
                "ContactRegained",
                "RendezvousPlanned",
                "RendezvousReplanned",
                "HandoverOffered",
                "GroupHandedOver",
                "FollowUpSet",
                "CustodyChanged",
                "MessageFailed",
                "MessageRefused",
            ),
        )
    ),
)
DUE = Durable("handover", subjects.timers_stream("handover"), (subjects.due("handover", ">"),))
CONSUMES = (REACTS_TO, DUE)
