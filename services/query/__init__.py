"""query: the read models, the JSON API and the pages. It follows the log and records nothing.

It has no durable consumer: its checkpoint is stored with its rows, in the same transaction.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shared.subjects import Durable

SERVICE = "query"
CONSUMES: tuple[Durable, ...] = ()
