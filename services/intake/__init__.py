"""intake turns calls into cases, and records what callers say.

Consumes CallReceived from CALLS; answers the commands of `shared.commands.intake`; records the
events of `shared.events.intake`.
"""

from shared import subjects
from shared.subjects import Durable

SERVICE = "intake"
CALLS = Durable("intake", subjects.CALLS, ("calls.>",))
CONSUMES = (CALLS,)
