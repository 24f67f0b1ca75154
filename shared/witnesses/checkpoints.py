"""Checkpoints of CASES and AUDIT: the signed lines of the witness files, and what they fix.

The digest rolls over every stored event in order: SHA-256 of the previous digest, the sequence,
the subject and the SHA-256 of the stored bytes. So it fixes every event and every case's head up
to a sequence, and one pass through the log checks all checkpoints there ever were.
"""

import base64
import binascii
import hashlib
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from pydantic import Field, ValidationError, model_validator

from shared.keys.keyfiles import NO_PAIR, SecretUnusableError, read_secret, write_once
from shared.written.models import Exact

KEY_NAME = "witness.key"
PUBLIC_NAME = "witness.pub"
FIRST_DIGEST = bytes(32)

_SIGNED_AS = b"passage witness line 1\n"
_SIGNATURE = ',"signature":"'

HexId = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
HexDigest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class BadLineError(Exception):
    """The witness's key didn't sign this line of a witness file."""


class Line(Exact):
    """One line: at `sequence` the log of this incarnation had this digest and this many cases.

    `opened`: the gate let services write. `ended`: all services had ended, so nothing may follow
    until the gate opens again. `succession`: `passage repair` rebuilt the log.
    """

    kind: Literal["opened", "checkpoint", "ended", "succession"]
    number: Annotated[int, Field(ge=1)]
    """Counts the lines, so that the newest is known whatever clocks say."""
    incarnation: HexId
    sequence: Annotated[int, Field(ge=0)]
    cases: Annotated[int, Field(ge=0)]
    digest: HexDigest
    at: datetime
    previous: HexId | None = None
    """Of a succession: the incarnation that ended."""
    kept: Annotated[int, Field(ge=0)] | None = None
    """Of a succession: older checkpoints bind up to this sequence, and not beyond."""
    lost: Annotated[int, Field(ge=0)] | None = None
    """Of a succession: how many events are gone that checkpoints or the old stream's end knew of;
    counted in sequences, so an upper bound."""
    reason: Annotated[str, Field(max_length=200)] | None = None
    audit_sequence: Annotated[int, Field(ge=0)] | None = None
    """How much of AUDIT the witness had read; missing in lines of older versions, and of verbs."""
    audit_digest: HexDigest | None = None
    """The rolled digest of AUDIT up to there."""
    level: Annotated[int, Field(ge=0, le=3)] | None = None
    """Whether it begins an hour, a day or a month; missing in older lines."""
    links: tuple[HexDigest, ...] | None = None
    """SHA-256 of the newest lines before it, one for each level; of the first line none."""

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if self.kind == "succession" and None in {self.previous, self.kept, self.lost}:
            raise ValueError("a succession names previous, kept and lost")
        if (self.audit_sequence is None) != (self.audit_digest is None):
            raise ValueError("a line names AUDIT's sequence and digest, or neither")
        if (self.level is None) != (self.links is None):
            raise ValueError("a line has a level and links, or neither")
        return self


def rolled(digest: bytes, sequence: int, subject: str, body: bytes) -> bytes:
    return rolled_on(digest, sequence, subject, hashlib.sha256(body).digest())


def rolled_on(digest: bytes, sequence: int, subject: str, body_hash: bytes) -> bytes:
    """The same, given the body's SHA-256."""
    place = f"{sequence} {subject} ".encode()
    return hashlib.sha256(digest + place + body_hash).digest()


def signed(line: Line, key: Ed25519PrivateKey) -> str:
    """The line as in a file, without the line end: JSON with its signature last."""
    text = line.model_dump_json(exclude_none=True)
    signature = base64.b64encode(key.sign(_SIGNED_AS + text.encode())).decode()
    return f'{text[:-1]}{_SIGNATURE}{signature}"}}'


def read_line(text: str, key: Ed25519PublicKey) -> Line:
    """Raises BadLineError unless the key signed these bytes."""
    check_line(text, key)
    return read_vouched(text)


def check_line(text: str, key: Ed25519PublicKey) -> None:
    """Raises BadLineError unless the key signed these bytes."""
    head, found, tail = text.rpartition(_SIGNATURE)
    try:
        if not found or not tail.endswith('"}'):
            raise BadLineError("it is not a signed line")
        key.verify(base64.b64decode(tail[:-2], validate=True), _SIGNED_AS + f"{head}}}".encode())
    except (InvalidSignature, binascii.Error):
        raise BadLineError("its signature doesn't fit witness.pub") from None


def read_vouched(text: str) -> Line:
    """Reads a line that was checked, or that a checked one links to. Raises BadLineError."""
    try:
        return Line.model_validate_json(f"{text.rpartition(_SIGNATURE)[0]}}}")
    except ValidationError:
        raise BadLineError("it is signed, but no line of this version") from None


def make_witness_keys(folder: Path) -> None:
    """Makes witness.key and witness.pub if neither exists; never replaces one."""
    private, public = folder / KEY_NAME, folder / PUBLIC_NAME
    if private.exists() or public.exists():
        return
    key = Ed25519PrivateKey.generate()
    write_once(private, key.private_bytes_raw())
    write_once(public, key.public_key().public_bytes_raw())


def read_signing_key(folder: Path) -> Ed25519PrivateKey:
    """Reads witness.key. Raises KeyFilesError, also if witness.pub belongs to another key."""
    key = Ed25519PrivateKey.from_private_bytes(read_secret(folder / KEY_NAME))
    if key.public_key() != read_public_key(folder):
        raise SecretUnusableError(folder / KEY_NAME, NO_PAIR)
    return key


def read_public_key(folder: Path) -> Ed25519PublicKey:
    """Reads witness.pub, which suffices for checking. Raises KeyFilesError."""
    return Ed25519PublicKey.from_public_bytes(read_secret(folder / PUBLIC_NAME))
