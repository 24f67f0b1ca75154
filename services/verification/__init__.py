"""verification decides who the caller is: it asks the registry; in doubt a person decides.

Consumes from CASES what `reactions` lists, and its own timers; answers the commands of
`shared.commands.verification`; records the events of `shared.events.verification`.
"""

from services.verification.reactions import REACTIONS
from shared import subjects
from shared.skeleton.reactions import followed_by

SERVICE = "verification"
CASES = followed_by(SERVICE, REACTIONS)
DUE = subjects.due_timers(SERVICE)
CONSUMES = (CASES, DUE)
