"""handover brings a man to a safe place, records the receiving team's receipt and what follows.

Answers the commands of `shared.commands.handover`; records the events of
`shared.events.handover` and `shared.events.custody`. Consumes from CASES what `reactions` lists,
and its own timers.
"""

from services.handover.reactions import REACTIONS
from shared import subjects
from shared.skeleton.reactions import followed_by

SERVICE = "handover"
CASES = followed_by(SERVICE, REACTIONS)
DUE = subjects.due_timers(SERVICE)
CONSUMES = (CASES, DUE)
