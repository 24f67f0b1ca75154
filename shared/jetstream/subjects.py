"""The subject grammar: `<prefix>.<originator id>.<version>.<topic>`, built and parsed only here.

On a replicated stream the guard on a version is sound only if every writer sends the
byte-identical filter, so `Subjects.version_filter` is the one place that makes it.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import quote, unquote
from uuid import UUID

from eventsourcing.persistence import ProgrammingError

VERSION_FORM = re.compile(r"0|[1-9][0-9]{0,17}", re.ASCII)
PREFIX_FORM = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*")


@lru_cache(maxsize=4096)
def to_token(text: str) -> str:
    """`text` as one subject token: what is not a letter, digit, `_`, `-` or `~` is %-encoded UTF-8.

    A plain name such as `CaseOpened` stays itself. `ProgrammingError` for an empty text.
    """
    if not text:
        raise ProgrammingError("an empty name cannot be a subject token")
    return quote(text, safe="").replace(".", "%2E")


@lru_cache(maxsize=4096)
def from_token(token: str) -> str:
    """The inverse of `to_token`."""
    return unquote(token)


def _is_ours(token: str) -> bool:
    return bool(token) and to_token(from_token(token)) == token


class EventAddress(NamedTuple):
    originator_id: str
    version: int
    topic: str


@dataclass(frozen=True)
class Subjects:
    """The subjects of one log; `prefix` is one or more plain tokens, such as `cases`."""

    prefix: str

    def __post_init__(self) -> None:
        if not PREFIX_FORM.fullmatch(self.prefix):
            raise ProgrammingError(f"not a subject prefix: {self.prefix!r}")

    @property
    def all_events(self) -> str:
        return f"{self.prefix}.>"

    @property
    def all_tracking(self) -> str:
        return f"{self.prefix}-tracking.>"

    def event(self, originator_id: UUID | str, version: int, topic: str) -> str:
        """`ProgrammingError` for a negative version."""
        return f"{self._version(originator_id, version)}.{to_token(topic)}"

    def version_filter(self, originator_id: UUID | str, version: int) -> str:
        """The guard: any event with this version of this originator."""
        return f"{self._version(originator_id, version)}.*"

    def originator_filter(self, originator_id: UUID | str) -> str:
        return f"{self.prefix}.{to_token(str(originator_id))}.>"

    def tracking(self, application_name: str) -> str:
        """Where the position in the named upstream application is kept, in the same stream."""
        return f"{self.prefix}-tracking.{to_token(application_name)}"

    def read(self, subject: str) -> EventAddress | None:
        """None for any other subject, such as tracking."""
        head, _, topic = subject.rpartition(".")
        head, _, version = head.rpartition(".")
        prefix, _, originator_id = head.rpartition(".")
        if prefix != self.prefix or not VERSION_FORM.fullmatch(version):
            return None
        # Only the form that we write: another would be a second event of a version.
        if not (_is_ours(originator_id) and _is_ours(topic)):
            return None
        return EventAddress(from_token(originator_id), int(version), from_token(topic))

    def _version(self, originator_id: UUID | str, version: int) -> str:
        if version < 0:
            raise ProgrammingError(f"version of {originator_id} is negative: {version}")
        return f"{self.prefix}.{to_token(str(originator_id))}.{version}"
