"""Answers requests over the log's connection: at once from memory, else in a thread.

Every event with a personal field may wait for an answer, so a request must be cheap: through
FastStream one took 0.8 ms of this process's time, most of it in FastStream.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from shared.jetstream.calls import Outgoing, Reply
from shared.jetstream.connection import Connection

Responder = Callable[[str, bytes, bool], bytes | None]
"""Answers (subject, body, may it wait); None if it would have to wait and may not."""


def respond(connection: Connection, subject: str, responder: Responder, threads: int) -> None:
    """Answers requests on a subject for as long as the connection lasts."""
    waiting = ThreadPoolExecutor(threads, thread_name_prefix="keyholder")

    def answer(came_on: str, request: Reply, may_wait: bool) -> None:
        answered = responder(came_on, request.body, may_wait)
        if answered is not None:
            connection.send(Outgoing(request.reply_to.decode(), answered))
        elif not may_wait:
            waiting.submit(partial(answer, came_on, request, True))

    def on_request(came_on: bytes, request: Reply) -> None:
        if request.reply_to:
            answer(came_on.decode(), request, False)

    connection.serve(subject, on_request)
