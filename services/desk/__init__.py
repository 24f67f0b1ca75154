"""desk keeps what belongs to those who work here, and to no case: shifts, exports, people and their
keys, and decisions that wait for a second signature.

Consumes from CASES what `reactions` lists, and its own timers; answers the commands of
`shared.commands.shifts` and `shared.commands.people`; records desk's events of
`shared.events.catalogue`.
"""

from services.desk.reactions import REACTIONS
from shared import subjects
from shared.skeleton.reactions import followed_by

SERVICE = "desk"
CASES = followed_by(SERVICE, REACTIONS)
DUE = subjects.due_timers(SERVICE)
CONSUMES = (CASES, DUE)
