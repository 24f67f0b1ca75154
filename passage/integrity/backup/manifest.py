"""The manifest of a backup: its last member, which says what all others must be."""

import hashlib
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError

from passage.backup_errors import BackupIncompleteError
from passage.install.definitions import streams
from passage.install.provisioning import OLD_CALLS
from shared import subjects
from shared.commands.intake import MESSAGE_VALID_MAX_MINUTES
from shared.policy import policy

FORMAT: Literal["passage-backup/1"] = "passage-backup/1"
HEADER = "header.json"
MANIFEST = "manifest.json"
SIGNATURE = "manifest.sig"
"""Of the manifest, and so of everything it has digests of (`signing`)."""
BEGIN = "begin.json"
"""Of a stream: its configuration and state."""
WHOLE = frozenset({HEADER, MANIFEST, SIGNATURE, BEGIN})
"""Members read whole, for they are small."""
NAME_MAX_CHARACTERS = 300
STREAMS = "streams"
READ_MODELS = "read_models"
NOT_COPIED = frozenset(
    {
        subjects.OUTBOUND,
        f"KV_{subjects.SESSIONS_BUCKET}",
        f"KV_{subjects.CHALLENGES_BUCKET}",
        f"KV_{subjects.NONCES_BUCKET}",
    }
)
"""Streams of which no copy may come back: a message to a caller goes out once, a session that was
ended stays ended, and a nonce that was used stays used."""
WITH_OLD_CALLS_MISSING = frozenset(
    {
        *map(subjects.calls_stream, policy().channels.names),
        f"KV_{subjects.EARLY_ENDS_BUCKET}",
    }
)
"""Streams that the backup of a version with one CALLS lacks; provisioning moves the calls."""
OF_PEOPLE = frozenset(
    {
        subjects.timers_stream("desk"),
        f"KV_{subjects.COUNTERS_BUCKET}",
        f"KV_{subjects.LOGIN_COUNTERS_BUCKET}",
    }
)
"""Streams that the backup of a version without people lacks, all of them; they come back empty."""


def is_name(text: str) -> bool:
    """Whether a member or stream may have this name: printable, and without path traversal."""
    parts = text.split("/")
    return (
        0 < len(text) <= NAME_MAX_CHARACTERS
        and text.isprintable()
        and not {"", ".", ".."} & {*parts}
    )


def _named(text: str) -> str:
    if not is_name(text):
        raise ValueError("must be a name that can be printed")
    return text


Named = Annotated[str, AfterValidator(_named)]


class _Written(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Header(_Written):
    """The first member: who made the file, and when. `positions` has the durable consumers'."""

    format: Literal["passage-backup/1"] = FORMAT
    passage_version: str
    started_at: datetime
    positions: dict[str, int]
    """STREAM/consumer -> the last sequence up to which everything was acknowledged."""


class Part(_Written):
    members: int
    bytes: int
    sha256: str


class StreamPart(_Written):
    name: Named
    messages: int
    first_sequence: int
    last_sequence: int
    content_sha256: str | None = None
    """Over sequence, subject, time and body of every message, read apart from the snapshot.

    Only for append-only streams.
    """


class ReadModelsPart(_Written):
    """The copied read models: up to which event, and the rows of each table."""

    shape: str
    sequence: int
    rows: dict[str, int]


class Manifest(_Written):
    format: Literal["passage-backup/1"] = FORMAT
    passage_version: str
    nats_server_version: str
    started_at: datetime
    ended_at: datetime
    incarnation: str | None
    replicas: int
    streams: tuple[StreamPart, ...]
    read_models: ReadModelsPart | None
    newest_checkpoint: int | None
    parts: dict[Named, Part]

    def stream(self, name: str) -> StreamPart:
        """Raises BackupIncompleteError if the stream isn't in the backup."""
        for one in self.streams:
            if one.name == name:
                return one
        raise BackupIncompleteError(f"the backup holds no stream {name}; use another one")

    @property
    def events(self) -> int:
        return self.stream(subjects.CASES).messages

    def summary(self) -> dict[str, Any]:
        shown = self.model_dump(mode="json", include={"started_at", "ended_at", "incarnation"})
        return {
            "events": self.events,
            **shown,
            "newest_checkpoint": self.newest_checkpoint,
            "read_models": None if self.read_models is None else self.read_models.sequence,
            "streams": [one.model_dump() for one in self.streams],
        }


class Tally:
    """Counts and hashes members, folder by folder; one that comes in pieces counts once."""

    def __init__(self) -> None:
        self._last = ""
        self._hashes: dict[str, hashlib._Hash] = {}
        self._members: dict[str, int] = {}
        self._bytes: dict[str, int] = {}

    def take(self, name: str, content: bytes) -> None:
        folder = name.rpartition("/")[0] or name
        self._hashes.setdefault(folder, hashlib.sha256()).update(content)
        self._members[folder] = self._members.get(folder, 0) + (name != self._last)
        self._last = name
        self._bytes[folder] = self._bytes.get(folder, 0) + len(content)

    def parts(self) -> dict[str, Part]:
        return {
            folder: Part(
                members=self._members[folder], bytes=self._bytes[folder], sha256=found.hexdigest()
            )
            for folder, found in self._hashes.items()
        }


def read_manifest(content: bytes | None) -> Manifest:
    """Reads the last member. Raises BackupIncompleteError if it is missing or invalid."""
    if content is None:
        raise BackupIncompleteError("the backup has no manifest; use another one")
    try:
        return Manifest.model_validate_json(content)
    except ValidationError:
        raise BackupIncompleteError(
            "the backup's manifest is not of this Passage; use the version that made it"
        ) from None


def read_header(content: bytes) -> Header:
    """Reads the first member. Raises BackupIncompleteError."""
    try:
        return Header.model_validate_json(content)
    except ValidationError:
        raise BackupIncompleteError(
            "the backup is not of this Passage's format; use the version that made it"
        ) from None


def compare(manifest: Manifest, tally: Tally) -> None:
    """Raises BackupIncompleteError unless members are what the manifest says."""
    needed = {one.name for one in streams(manifest.replicas)} - NOT_COPIED
    named = {one.name for one in manifest.streams}
    if OLD_CALLS in named:
        needed -= WITH_OLD_CALLS_MISSING
    if named.isdisjoint(OF_PEOPLE):
        needed -= OF_PEOPLE
    if missing := sorted(needed - named):
        raise BackupIncompleteError(f"not in the backup's manifest: {', '.join(missing)}")
    found, wanted = tally.parts(), manifest.parts
    wanted_folders = {*wanted, *(f"{STREAMS}/{name}" for name in named)}
    if missing := sorted(wanted_folders - found.keys()):
        raise BackupIncompleteError(f"named in the manifest, not in the file: {', '.join(missing)}")
    if unlike := sorted(name for name, part in found.items() if wanted.get(name) != part):
        raise BackupIncompleteError(f"not as the manifest says: {', '.join(unlike)}")


def warning_of_messages(manifest: Manifest, now: datetime) -> str | None:
    """A warning of messages that may be sent again; None if all have expired.

    The lost log may say that a message was sent which the backup has as queued.
    """
    until = manifest.ended_at + timedelta(minutes=MESSAGE_VALID_MAX_MINUTES)
    if now >= until:
        return None
    return (
        "messages that were waiting when the backup was made may be sent a second time until "
        f"{until}, if they have gone out since: if that could harm anybody, start `passage up` "
        "after that"
    )
