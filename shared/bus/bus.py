"""The only wrapper around FastStream: durable consumers, commands, parking, retries and health.

It overrides FastStream's defaults that are wrong for us (architecture, section 4): nothing is
re-declared, dropped after an exception, or retried in a hot loop.
"""

import json
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from typing import Any

import anyio
from anyio.to_thread import run_sync
from faststream import FastStream
from faststream.nats import NatsMessage
from nacl.public import PublicKey
from nats.js.errors import APIError, NotFoundError
from pydantic import ValidationError

from shared import subjects
from shared.bus.answering import FAULT, CommandHandler, answer, why_not_now
from shared.bus.broker import Broker
from shared.bus.consuming import process
from shared.bus.hands import Hand, Pace, Sort
from shared.bus.health_file import health_kept
from shared.bus.lanes import Work
from shared.bus.working import GRACE_S, Working
from shared.commands.base import AnyAnswer, Command, FieldError, Invalid, Nonce, Unavailable
from shared.diagnostics.logger import log_connection_error, logger, place_of
from shared.keys.boxes import BoxBrokenError
from shared.keys.client import Keys
from shared.log.transact import Outcome
from shared.parked.parking import (
    Delivery,
    Parked,
    RetryAnswer,
    RetryRequest,
    UnprocessableError,
    park,
)
from shared.servers.credentials import api_prefix, connect_options
from shared.servers.denials import Denials
from shared.settings import Settings
from shared.subjects import Durable

RECONNECT_WAIT_S = 0.1
NO_ROOM_FOR_S = 60.0
"""How long to leave PARKED alone after it had no room."""
NOT_READY = "not ready"
VERSION = version("passage")


class Bus:
    """What a service listens to, and how it answers. Handlers are plain functions in threads."""

    def __init__(
        self,
        service: str,
        settings: Settings,
        keys: Keys,
        intake_public: PublicKey,
        is_ready: Callable[[], bool],
    ) -> None:
        self.service = service
        self._ready_checks = [is_ready]
        self._keys = keys
        self._intake_public = intake_public
        self._commands: dict[str, tuple[type[Command], CommandHandler]] = {}
        self._hands: dict[str, Hand] = {}
        self._of_subject: dict[str, Hand] = {}
        self._no_room_until: dict[str, float] = {}
        self._working = Working(settings.threads)
        self._threads = settings.threads
        self._timeout_s = settings.request_timeout_s
        self._health_file = settings.health_file
        self._api_prefix = api_prefix(settings.identity)
        self._denials = Denials()
        self._limiter = anyio.CapacityLimiter(settings.threads)
        self.broker = Broker(
            settings.nats_servers,
            connect_options(settings.nats_nkey, settings.nats_ca),
            js_options={"prefix": self._api_prefix},
            name=f"passage-{service}",
            allow_reconnect=True,
            max_reconnect_attempts=-1,
            reconnect_time_wait=RECONNECT_WAIT_S,
            error_cb=self._on_error,
            graceful_timeout=GRACE_S,
            logger=None,
        )
        self.broker.alongside.append(self._working)
        self.ready_only_if(lambda: self.broker.heard)
        self._app = FastStream(self.broker, logger=None)
        self._listen(subjects.command(service, "*"), self._on_command)
        self._listen(subjects.retry(service), self._on_retry)
        self._listen(subjects.health(service), self._on_health)

    def command(self, command_type: type[Command], handler: CommandHandler) -> None:
        self._commands[command_type.__name__] = (command_type, handler)

    def answers_nonces(self, issue: Callable[[], str]) -> None:
        """`issue` makes the nonce of one signature."""

        async def answer(_msg: NatsMessage) -> bytes:
            try:
                nonce = await run_sync(issue, limiter=self._limiter)
            except Exception as error:  # FastStream would stay silent, and the asker would wait.
                return _json(Unavailable(reason=why_not_now(error)))
            return _json(Nonce(nonce=nonce))

        self._listen(subjects.nonces(self.service), answer)

    def consume(self, durable: Durable, handler: Callable[[Delivery], Outcome]) -> None:
        """Hands a durable consumer's messages to a handler, each until it is processed or parked.

        Messages about one case are handled in turn. The handler raises UnprocessableError or
        UnreadableEventError if no repetition can succeed.
        """
        self.consume_sorted(durable, partial(_by_case, handler))

    def consume_sorted(
        self, durable: Durable, sort: Sort, bytes_an_hour: int | None = None
    ) -> None:
        """The same, if only `sort` can tell a message's source; limited in bytes an hour."""
        pace = Pace(durable.stream, bytes_an_hour) if bytes_an_hour is not None else None
        hand = Hand(durable, self._api_prefix, sort, self._working.put, self._park, pace)
        self._hands[durable.stream] = hand
        self._of_subject.update(dict.fromkeys(durable.filter_subjects, hand))
        self.broker.alongside.append(hand)

    def handle(self, delivery: Delivery) -> Outcome:
        """Handles one message now; raises the errors that it would be parked or retried for."""
        hand = self._hand_of(delivery.stream, delivery.subject)
        if hand is None:
            raise LookupError(f"{self.service} consumes nothing of {delivery.stream}")
        (work,) = hand.sort([delivery])
        return work.handle()

    def _hand_of(self, stream: str, subject: str) -> Hand | None:
        # A call parked by an older version names a stream that no longer exists.
        return self._hands.get(stream) or self._of_subject.get(subject)

    def ready_only_if(self, check: Callable[[], bool]) -> None:
        self._ready_checks.append(check)

    async def run(self) -> None:
        """Serves until SIGTERM or SIGINT."""
        async with health_kept(self._health_file, self._not_ready_because):
            await self._app.run()

    def _listen(self, subject: str, handler: Callable[[NatsMessage], Any]) -> None:
        self.broker.subscriber(
            subject, queue=self.service, max_workers=self._threads, decoder=_undecoded
        )(handler)

    async def _park(self, delivery: Delivery, why: UnprocessableError) -> bool:
        """Whether PARKED took it; the room for each channel is limited."""
        if time.monotonic() < self._no_room_until.get(delivery.stream, 0.0):
            return False
        parked = park(self.service, delivery, why, datetime.now(UTC), self._intake_public)
        subject = subjects.parked(self.service, delivery.stream, delivery.sequence)
        stored = self.broker.publish(
            parked.model_dump_json().encode(),
            subject,
            stream=subjects.PARKED,
            timeout=self._timeout_s,
            # A delivery parked twice, after a crash before the ack, is stored once.
            headers={"Nats-Msg-Id": f"{delivery.stream}.{delivery.sequence}.{self.service}"},
        )
        try:
            await self._denials.unless_denied(subject, stored)
        except APIError:
            if not subjects.is_calls_stream(delivery.stream):
                raise
            logger.warning("not_parked", stream=delivery.stream, reason=parked.reason)
            self._no_room_until[delivery.stream] = time.monotonic() + NO_ROOM_FOR_S
            return False
        logger.warning(
            "parked", reason=parked.reason, field=parked.field, parked_id=parked.parked_id
        )
        return True

    async def _on_command(self, msg: NatsMessage) -> bytes:
        try:
            return await self._answered(msg)
        except Exception as error:  # FastStream would stay silent, and the asker would wait.
            logger.error("fault", error=type(error).__name__, place=place_of(error))
            return Unavailable(reason=FAULT).model_dump_json().encode()

    async def _answered(self, msg: NatsMessage) -> bytes:
        started = time.perf_counter()
        name = msg.raw_message.subject.rpartition(".")[2]
        if name not in self._commands:
            problem = "one of " + ", ".join(sorted(self._commands))
            return _json(Invalid(errors=(FieldError(field="(command)", problem=problem),)))
        command_type, handler = self._commands[name]
        answered = await run_sync(
            answer, command_type, msg.raw_message.data, handler, limiter=self._limiter
        )
        logger.info(
            "answered",
            command=name,
            # A version means that the log has this case; otherwise its number is just typed text.
            case_id=getattr(answered, "case_id", "") if getattr(answered, "version", 0) else None,
            result=answered.result,
            milliseconds=round(1000 * (time.perf_counter() - started), 1),
        )
        return _json(answered)

    async def _on_retry(self, msg: NatsMessage) -> bytes:
        try:
            request = RetryRequest.model_validate_json(msg.raw_message.data)
        except ValidationError:
            return _json(RetryAnswer(result="gone", reason="no sequence of PARKED was named"))
        try:
            return _json(await self._retry(request.sequence))
        except Exception as error:  # Whatever failed, the message stays and the asker is told.
            logger.error("fault", error=type(error).__name__, place=place_of(error))
            return _json(RetryAnswer(result="still_parked", reason=type(error).__name__))

    async def _retry(self, sequence: int) -> RetryAnswer:
        client = await self.broker.connect()
        stream = client.jetstream(prefix=self._api_prefix, timeout=self._timeout_s)
        try:
            stored = await stream.get_msg(subjects.PARKED, sequence)
        except NotFoundError:
            return RetryAnswer(result="gone", reason="nothing is parked there")
        parked = Parked.model_validate_json(stored.data or b"")
        hand = self._hand_of(parked.stream, parked.subject)
        if hand is None or parked.service != self.service:
            return RetryAnswer(result="still_parked", reason=f"{parked.service} parked it")
        try:
            (original,) = await run_sync(self._keys.unbox, [parked.original])
        except BoxBrokenError:
            return RetryAnswer(result="still_parked", reason="box_broken")
        delivery = Delivery(
            stream=parked.stream,
            sequence=parked.sequence,
            subject=parked.subject,
            body=original,
            deliveries=1,
            received_at=parked.received_at or parked.parked_at,
        )
        done = await run_sync(
            process, partial(self.handle, delivery), delivery, limiter=self._limiter
        )
        if not done.acknowledged or done.why is not None:
            return RetryAnswer(
                result="still_parked", reason=done.why.reason if done.why else "failed"
            )
        return RetryAnswer(result="done")  # `passage parked retry` removes it: no service may.

    async def _on_health(self, _msg: NatsMessage) -> bytes:
        reason = await self._not_ready_because()
        health: dict[str, object] = {"service": self.service, "version": VERSION}
        health["ready"] = not reason
        if reason and reason != NOT_READY:
            health["reason"] = reason
        return json.dumps(health).encode()

    async def _not_ready_because(self) -> str:
        # Checking the log takes a request, so never on the loop's thread.
        ready = await run_sync(lambda: all(check() for check in self._ready_checks))
        problems = [hand.problem for hand in self._hands.values() if hand.problem is not None]
        return "; ".join(problems) or ("" if ready else NOT_READY)

    async def _on_error(self, error: Exception) -> None:
        self._denials.note(error)
        log_connection_error(error)


def _json(message: AnyAnswer | RetryAnswer | Nonce) -> bytes:
    return message.model_dump_json().encode()


def _by_case(
    handler: Callable[[Delivery], Outcome], deliveries: Sequence[Delivery]
) -> Sequence[Work]:
    return [Work(subjects.about(one.subject), partial(handler, one)) for one in deliveries]


async def _undecoded(message: NatsMessage) -> bytes:
    """FastStream would guess a message's format; pydantic reads ours, in the handler."""
    return message.body
