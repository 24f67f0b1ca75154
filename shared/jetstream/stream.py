"""Operations on one JetStream stream: publish, read, look at its end, create.

Reads go to the direct API, which any replica of a stream may answer: one that lags returns a
prefix of the truth, never a hole. Reads named `leader_*` ask the stream's leader.
"""

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from eventsourcing.persistence import OperationalError, ProgrammingError

from shared.jetstream.calls import Call, Outgoing, Reply, RequestLostError, RequestRefusedError
from shared.jetstream.connection import Connection
from shared.jetstream.stored import StoredMessage, read_leader_message, read_message

T = TypeVar("T")

READ_BATCH_MESSAGES = 1_000
READ_BATCH_BYTES = 8_388_608
"""The most in a page, but at least one message: a thousand large events are half a gigabyte."""
NOTHING_FOUND = 404
TOO_MANY_SUBJECTS = 413
NO_RESPONDER = 503
NO_MESSAGE_ERROR = 10037
UNAVAILABLE_CODE = 503  # JetStream's own "try again": no leader, no quorum, no resources yet
FIRST_PAUSE_SECONDS = 0.002
LONGEST_PAUSE_SECONDS = 0.1


class TooManySubjectsError(Exception):
    """One read matched more than the 1,024 subjects that the server answers for."""


@dataclass(frozen=True, slots=True)
class Page:
    """Messages in stream order, and whether the stream held no more of them."""

    messages: list[StoredMessage]
    is_last: bool


@dataclass(frozen=True, slots=True)
class Ack:
    """The server's answer to a publish: the (last) message's sequence, or why there is none."""

    sequence: int = 0
    duplicate: bool = False
    error_code: int = 0
    error_text: str = ""
    transient: bool = False

    @property
    def is_stored(self) -> bool:
        return not self.error_code and not self.duplicate


@dataclass(frozen=True)
class Stream:
    """`timeout` is seconds a request, `deadline` seconds a call with its retries.

    `news_subject` is where the server republishes what it stored, headers only; "" if nowhere.
    """

    connection: Connection
    name: str
    timeout: float
    deadline: float
    news_subject: str = ""

    def publish_batch(self, messages: Sequence[Outgoing], timeout: float) -> Ack:
        """Publish one message, or an atomic batch that the last one's headers commit.

        `RequestLostError` if the outcome is unknown.
        """
        (reply,) = self.connection.request_last(messages, timeout)
        if reply.status == NO_RESPONDER:
            text = f"no stream takes {messages[-1].subject}"
            return Ack(error_code=NO_RESPONDER, error_text=text, transient=True)
        answer = json.loads(reply.body)
        error = answer.get("error")
        if error is None:
            return Ack(answer["seq"], answer.get("duplicate", False))
        return Ack(
            error_code=error.get("err_code", 0),
            error_text=error.get("description", ""),
            transient=error.get("code") == UNAVAILABLE_CODE,
        )

    def read_last(
        self, filters: Sequence[str], *, most: int | None = None, **limits: int
    ) -> list[StoredMessage]:
        """The last message of every subject that matches, in stream order; the first `most`.

        `limits`: `seq`, the lowest sequence. Raises `TooManySubjectsError` above 1,024 subjects,
        `OperationalError` after the deadline.
        """
        found: list[StoredMessage] = []
        while True:
            size = {"batch": most or READ_BATCH_MESSAGES, "max_bytes": READ_BATCH_BYTES}
            replies = self._read({"multi_last": filters, **size, **limits})
            found += read_page(replies).messages
            if replies[-1].status == TOO_MANY_SUBJECTS:
                raise TooManySubjectsError
            # More may match than a page holds; they follow in sequence.
            if is_last_page(replies[-1]) or (most is not None and len(found) >= most):
                return found[:most]
            limits = {**limits, "seq": found[-1].sequence + 1}

    def read_from(self, sequence: int, batch: int, max_bytes: int = READ_BATCH_BYTES) -> Page:
        """At most `batch` messages from `sequence` on; fewer if they reach `max_bytes`."""
        return read_page(self._read({"seq": sequence, "batch": batch, "max_bytes": max_bytes}))

    def read_subject(
        self, subject: str, sequence: int, batch: int, max_bytes: int = READ_BATCH_BYTES
    ) -> Page:
        """Likewise of one subject."""
        request = {"next_by_subj": subject, "seq": sequence}
        return read_page(self._read({**request, "batch": batch, "max_bytes": max_bytes}))

    def start_reading(self, sequence: int, batch: int) -> Call:
        """`read_from`, without waiting for the answer."""
        request = {"seq": sequence, "batch": batch, "max_bytes": READ_BATCH_BYTES}
        return self.connection.start([self._direct(request)], many=True)

    def leader_message(self, **which: str | int) -> StoredMessage | None:
        """One message by `last_by_subj=` or `seq=`, from the leader; None if there is none."""
        return self.leader_messages([which])[0]

    def leader_messages(
        self, several: Sequence[Mapping[str, str | int]]
    ) -> list[StoredMessage | None]:
        """Likewise several, requested together."""
        answers = self._ask_each(f"STREAM.MSG.GET.{self.name}", several)
        return [None if one is None else read_leader_message(one["message"]) for one in answers]

    def last_sequence(self) -> int:
        """The highest sequence stored so far, from the leader; 0 if nothing was ever stored."""
        return int(self._told()["state"]["last_seq"])

    def metadata(self) -> dict[str, str]:
        return self._told()["config"].get("metadata") or {}

    def create(self, subjects: Sequence[str], replicas: int) -> None:
        """Create the stream as a log of record needs it; no effect if it exists.

        It republishes what comes on the first of `subjects`.
        """
        config: dict[str, object] = {
            "name": self.name,
            "subjects": subjects,
            "storage": "file",
            "retention": "limits",
            "discard": "new",
            "num_replicas": replicas,
            "allow_direct": True,
            "allow_atomic": True,
            "deny_delete": True,
            "deny_purge": True,
        }
        if self.news_subject:
            republished = {"src": subjects[0], "dest": self.news_subject, "headers_only": True}
            config["republish"] = republished
        self._ask_each(f"STREAM.CREATE.{self.name}", [config])

    def retry(self, attempt: Callable[[float], T], what: str) -> T:
        """Call `attempt(seconds)` until its request isn't lost; `OperationalError` in the end."""
        lost = ""
        for timeout in self.attempts():
            try:
                return attempt(timeout)
            except RequestLostError as error:
                lost = str(error)
            except RequestRefusedError as error:
                raise OperationalError(f"{what}: {error}") from error
        raise OperationalError(f"{what}: no answer in {self.deadline} s: {lost}")

    def attempts(self) -> Iterator[float]:
        """Timeouts in seconds for repeated attempts, with growing pauses, up to the deadline."""
        end = time.monotonic() + self.deadline
        pause = 0.0
        while (left := end - time.monotonic()) > 0:
            if pause:
                time.sleep(min(pause, left))
            pause = min(max(2 * pause, FIRST_PAUSE_SECONDS), LONGEST_PAUSE_SECONDS)
            yield min(self.timeout, left)

    def api(self, request: str) -> str:
        return f"{self.connection.api_prefix}.{request}"

    def _direct(self, request: Mapping[str, object]) -> Outgoing:
        return Outgoing(self.api(f"DIRECT.GET.{self.name}"), json.dumps(request).encode())

    def _read(self, request: Mapping[str, object]) -> list[Reply]:
        outgoing = self._direct(request)

        def attempt(timeout: float) -> list[Reply]:
            replies = self.connection.request(outgoing, timeout, many=True)
            if replies[-1].status == NO_RESPONDER:
                raise RequestLostError("no such stream, or it lacks allow_direct or a server")
            return replies

        replies = self.retry(attempt, f"reading {self.name}")
        end = replies[-1]
        if end.status not in {204, NOTHING_FOUND, TOO_MANY_SUBJECTS}:
            raise ProgrammingError(f"reading {self.name}: {end.status_text}")
        return replies

    def _told(self) -> dict[str, Any]:
        (answer,) = self._ask_each(f"STREAM.INFO.{self.name}", [None])
        if answer is None:
            raise OperationalError(f"no stream {self.name}")
        return answer

    def _ask_each(self, subject: str, bodies: Sequence[object]) -> list[dict[str, Any] | None]:
        payloads = [b"" if body is None else json.dumps(body).encode() for body in bodies]
        outgoing = [Outgoing(self.api(subject), payload) for payload in payloads]

        def attempt(timeout: float) -> list[dict[str, Any]]:
            self.connection.wait_connected(timeout)
            calls = [self.connection.start([one]) for one in outgoing]
            try:
                return [read_answer(call.wait(timeout)[0]) for call in calls]
            finally:
                for call in calls:
                    self.connection.forget(call)

        return [_found(subject, one) for one in self.retry(attempt, subject)]


def read_answer(reply: Reply) -> dict[str, Any]:
    """An answer of JetStream's API. `RequestLostError` if a retry may succeed."""
    if reply.status:
        raise RequestLostError(reply.status_text)
    answer: dict[str, Any] = json.loads(reply.body)
    if answer.get("error", {}).get("code") == UNAVAILABLE_CODE:
        raise RequestLostError(answer["error"]["description"])
    return answer


def _found(subject: str, answer: dict[str, Any]) -> dict[str, Any] | None:
    error = answer.get("error")
    if error is None:
        return answer
    if error.get("err_code") == NO_MESSAGE_ERROR:
        return None
    raise OperationalError(f"{subject}: {error.get('description')}")


def read_page(replies: Sequence[Reply]) -> Page:
    """The messages of one batch, whose last reply carries the status that ends it."""
    messages = [read_message(reply) for reply in replies[:-1]]
    return Page(messages, is_last_page(replies[-1]))


def is_last_page(end: Reply) -> bool:
    """Whether the reply that ends a batch says that nothing follows it."""
    return end.status == NOTHING_FOUND or b"\r\nNats-Num-Pending: 0\r\n" in end.headers
