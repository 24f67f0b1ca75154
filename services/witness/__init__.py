"""witness follows the log and signs its content every minute, so that later changes show.

It consumes nothing and records nothing: it reads CASES, and writes to files outside the data.
"""

from shared.subjects import Durable

SERVICE = "witness"
CONSUMES: tuple[Durable, ...] = ()
