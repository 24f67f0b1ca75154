"""query: the read models, the JSON API and the pages. It follows the log and records nothing.

It has no durable consumer: its checkpoint is stored with its rows, in the same transaction.
"""

from shared.subjects import Durable

SERVICE = "query"
CONSUMES: tuple[Durable, ...] = ()
