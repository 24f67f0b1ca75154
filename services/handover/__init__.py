"""handover brings a man to a safe place and records the receiving team's receipt.

Answers the commands of `shared.commands.handover`; records the events of
`shared.events.handover`. It consumes nothing: all it needs to know of the other services stands
in the case's log.
"""

from shared.subjects import Durable

SERVICE = "handover"
CONSUMES: tuple[Durable, ...] = ()
