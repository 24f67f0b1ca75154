"""Whether an acknowledged call is on disk: intake handles none until every nats-server that
answers reports `sync always`.

Otherwise a power cut loses what was acknowledged: 20 of 20 did with the server's default.
"""

import json
import threading
from collections.abc import Sequence

from shared import subjects
from shared.bus.hands import Sort
from shared.bus.lanes import Work
from shared.diagnostics.logger import logger
from shared.jetstream.calls import Outgoing, Reply, RequestLostError, RequestRefusedError
from shared.jetstream.connection import Connection
from shared.log.case_log import LogError
from shared.parked.parking import Delivery
from shared.settings import Settings

ANSWERS_WITHIN_S = 1.0
ASK_AGAIN_AFTER_S = 5.0
LOOK_EVERY_S = 60.0
"""A server may come back with other settings although our connection was never lost."""


class Durability:
    """Asks the servers after each connect and periodically; keeps their last answer."""

    def __init__(self, connection: Connection, settings: Settings) -> None:
        self._connection = connection
        self._servers = len(settings.nats_servers)
        self._assured = settings.fsync == "trusted"
        self._wake = threading.Event()
        self._closed = False
        if not self._assured:
            connection.on_connected(self._on_connected)
            threading.Thread(target=self._watch, name="durability", daemon=True).start()

    def is_assured(self) -> bool:
        return self._assured

    def guarded(self, sort: Sort) -> Sort:
        """Leaves messages in their stream until durability is assured."""

        def sort_if_assured(deliveries: Sequence[Delivery]) -> Sequence[Work]:
            if not self._assured:
                raise LogError("nats-server doesn't say that it syncs always")
            return sort(deliveries)

        return sort_if_assured

    def close(self) -> None:
        self._closed = True
        self._wake.set()

    def _on_connected(self) -> None:
        # Acknowledge nothing on the word of a server that is gone.
        self._assured = False
        self._wake.set()

    def _watch(self) -> None:
        while not self._closed:
            self._wake.clear()
            self._look()
            self._wake.wait(LOOK_EVERY_S if self._assured else ASK_AGAIN_AFTER_S)

    def _look(self) -> None:
        generation = self._connection.generation
        try:
            question = Outgoing(subjects.STORAGE, b'{"config": true}')
            answers = self._connection.ask_all(question, self._servers, ANSWERS_WITHIN_S)
        except RequestLostError:
            return  # No connection; the next one wakes us.
        except RequestRefusedError as error:
            logger.error("fsync_unknown", error=type(error))
            return
        # A server that stores nothing (a full disk) acknowledges nothing; the others do.
        told = [one for one in map(_syncs_always, answers) if one is not None]
        unsafe = told.count(False)
        self._assured = bool(told) and not unsafe and generation == self._connection.generation
        if unsafe:
            logger.error("fsync_not_always", count=unsafe)
        elif not told:
            logger.error("fsync_unknown")


def _syncs_always(answer: Reply) -> bool | None:
    """Reads a JSZ report, which omits false values; None if the server stores nothing."""
    try:
        told = json.loads(answer.body)["data"]
        if told.get("disabled") is True:
            return None
        return told["config"].get("sync_always") is True
    except (ValueError, KeyError, TypeError, AttributeError):
        return False
