"""keyholder's wiring: what it answers, when it seals itself, and how it ends."""

import asyncio
import os
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial

from services.keyholder import DUE, ERASURES, SERVICE, handlers
from services.keyholder.access import Records
from services.keyholder.budgets import Budgets
from services.keyholder.holder import Holder
from services.keyholder.lock import Lock, is_noted, note_sealed, unsealed
from services.keyholder.people import Keeping
from services.keyholder.ring import KeyRing
from services.keyholder.secrets import held, read_secrets
from shared import subjects
from shared.bus.bus import Bus
from shared.diagnostics.logger import configure, logger
from shared.diagnostics.own_process import own_process, run_to_end
from shared.jetstream.buckets import Bucket
from shared.jetstream.calls import Outgoing, Reply
from shared.jetstream.connection import Connection
from shared.jetstream.stream import Stream
from shared.log.case_log import CaseLog, jetstream_env
from shared.log.transact import Writer
from shared.people.directory import Directory
from shared.people.state import PersonState
from shared.policy import policy
from shared.settings import Settings
from shared.skeleton.own_settings import own_settings
from shared.skeleton.service import Context, Service

SEALED_EXIT, SEALED_NOTED_EXIT, TERMINATED_EXIT = 0, 75, 143
"""Exit codes. 0: sealed, and must not be restarted. 75: sealed, and the next start knows it."""
Responder = Callable[[str, bytes, bool], bytes | None]
"""Answers (subject, body, may it wait); None if it would have to wait and may not."""
LOOK_EVERY_S = 0.1
LAST_ANSWER_S = 0.1
"""How long the answer to the seal request gets to go out."""


def wire(settings: Settings, lock: Lock) -> Service:
    configure(SERVICE, settings.log_level)
    secrets, timeout_s = read_secrets(settings.keys_dir), settings.request_timeout_s
    case_log = CaseLog(handlers.ERASURES_OF_CASE, jetstream_env(settings, SERVICE))
    connection = case_log.connection
    people = Directory.over(settings, SERVICE)
    ring = KeyRing(Bucket(connection, subjects.KEYS_BUCKET, timeout_s), secrets)
    holder = Holder(ring)
    keeping = Keeping(
        holder=holder,
        records=Records(Stream(connection, subjects.AUDIT, timeout_s, 2 * timeout_s), _now),
        policy=policy(),
        lock=lock,
        log=case_log,
        folder=settings.keys_dir,
        now=_now,
        budgets=budgets_of(settings),
        person=partial(person_of, people),
    )
    bus = Bus(SERVICE, settings, holder, secrets.intake_public, case_log.is_connected)
    bus.consume(ERASURES, partial(handlers.receive_erasure, keeping))
    bus.consume(DUE, partial(handlers.receive_timer, keeping))
    everything = subjects.keyholder("*", "*")
    respond(connection, everything, partial(handlers.respond, keeping), settings.threads)
    return Service(settings, Context(SERVICE, Writer(case_log, holder)), bus, case_log, people)


def respond(connection: Connection, subject: str, responder: Responder, threads: int) -> None:
    """Answers requests over the log's connection: at once from memory, else in a thread.

    Every event with a personal field may wait for an answer, so a request must be cheap: through
    FastStream one took 0.8 ms of this process's time, most of it in FastStream.
    """
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


async def serve(service: Service, lock: Lock) -> int:
    """Serves until told to stop or the lock closes; returns the exit code."""
    timers, at = service.timers(), service.settings.rotate_at
    await asyncio.to_thread(timers.set_daily, handlers.ROTATION, at)
    serving = asyncio.create_task(service.run())
    while not lock.closed and not serving.done():
        lock.close_if_idle()
        await asyncio.wait((serving,), timeout=LOOK_EVERY_S)
    if not lock.closed:
        await serving
        return TERMINATED_EXIT
    service.log.connection.send(Outgoing(subjects.KEYHOLDER_SEALED, b""))
    await asyncio.sleep(LAST_ANSWER_S)
    logger.warning("sealed")
    return SEALED_EXIT


def budgets_of(settings: Settings) -> Budgets:
    return Budgets(
        {
            "searches": settings.person_searches_an_hour,
            "hashes": settings.person_hashes_an_hour,
            "cases": settings.person_cases_an_hour,
            "values": settings.person_values_an_hour,
        },
        settings.new_names_an_hour,
        noticed_cases=settings.reads_many_cases,
    )


def person_of(people: Directory, account: str) -> PersonState | None:
    """None while nobody has a key."""
    return people.person(account) if people.anybody_signs() else None


def _now() -> datetime:
    return datetime.now(UTC)


def main() -> None:
    own_process(SERVICE)
    run_to_end(_until_exit())


async def _until_exit() -> int:
    settings = own_settings()
    note = settings.sealed_file
    if note is not None and is_noted(note):
        configure(SERVICE, settings.log_level)
        logger.warning("sealed")
        if not await unsealed(note, settings.health_file):
            return TERMINATED_EXIT
    lock = Lock(settings.seal_after_idle_s, None if note is None else partial(note_sealed, note))
    with held(settings.keys_dir):
        code = await serve(wire(settings, lock), lock)
    if code == SEALED_EXIT:
        sys.stderr.flush()
        # Don't wait for anything: a process that has ended has no keys.
        os._exit(SEALED_NOTED_EXIT if lock.noted else SEALED_EXIT)
    return code
