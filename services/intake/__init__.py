"""intake turns calls into cases, and records what callers say.

Consumes each channel's stream: calls, their ends, and reports on messages; from CASES what
`reactions` lists; and its own timers. Answers the commands of `shared.commands.intake`;
records intake's events of `shared.events.catalogue`.
"""

from services.intake.reactions import REACTIONS
from shared import subjects
from shared.policy import policy
from shared.skeleton.reactions import followed_by
from shared.subjects import Durable

SERVICE = "intake"
CALLS = tuple(
    Durable(SERVICE, subjects.calls_stream(channel), (subjects.calls(channel),))
    for channel in policy().channels.names
)
CASES = followed_by(SERVICE, REACTIONS)
DUE = subjects.due_timers(SERVICE)
CONSUMES = (*CALLS, CASES, DUE)
