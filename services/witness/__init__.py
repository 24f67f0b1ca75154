"""witness follows the log and signs, every minute, what it held: so that nobody can change it later
without that showing.

It consumes nothing and records nothing: it reads CASES, and writes to files outside of the data.
"""

from shared.subjects import Durable

SERVICE = "witness"
CONSUMES: tuple[Durable, ...] = ()
