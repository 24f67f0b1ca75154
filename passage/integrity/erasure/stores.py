"""Reads the stores that may hold copies of what was erased: log, keys, database, and files."""

import gzip
import sqlite3
import tarfile
import zlib
from base64 import b64decode
from collections.abc import AsyncIterator, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import IO, Any

from nats.aio.client import Client
from sqlalchemy import Engine, MetaData, Table, select

from passage.install.provisioning import ApiRefusedError, ask
from passage.integrity.erasure.copies import Erasures
from passage.integrity.log_reading import last_sequence, read_stream
from services.desk.words import COMMANDS, REMARKS
from shared import subjects
from shared.events.base import CaseEvent
from shared.events.intake import PersonalDataErased
from shared.events.parsing import UnreadableEventError, read_case_event
from shared.events.people import DecisionProposed
from shared.events.shifts import ShiftHandedOver
from shared.policy import policy

KEYS_STREAM = f"KV_{subjects.KEYS_BUCKET}"
CASE_COLUMN = "case_id"
ROWS_AT_ONCE = 32
"""A row of the archive may have half a megabyte."""
SQLITE_STARTS = b"SQLite format 3\0"
AGE_STARTS = b"age-encryption.org/"
GZIP_STARTS = b"\x1f\x8b"
TAR_MAGIC = (257, b"ustar")
OVERLAP_BYTES = 2_097_152
PIECE_BYTES = 67_108_864


class NotLookedIntoError(Exception):
    """A file can't be searched; the text says why, and what to do."""


async def read_log(client: Client, erasures: Erasures) -> None:
    """The events of the case and of what tells of it, their current entries of KEYS, and its calls
    that wait."""
    case_id = erasures.case_id
    await _read_events(client, erasures, case_id)
    await _find_what_tells_of_it(client, erasures)
    for log_id in erasures.told_until:
        await _read_events(client, erasures, log_id)
    last = await last_sequence(client, KEYS_STREAM)
    erasures.looked_at["keys"] += 0
    for log_id in erasures.logs:
        wanted = f"$KV.{subjects.KEYS_BUCKET}.{log_id}"
        async for stored in read_stream(client, KEYS_STREAM, last, wanted):
            erasures.take_bytes("keys", stored.body)
    erasures.looked_at["calls waiting"] += 0
    for channel in policy().channels.names:
        async for call in _waiting_calls(client, channel):
            erasures.take_bytes("calls waiting", call)


async def _read_events(client: Client, erasures: Erasures, log_id: str) -> None:
    erasures.looked_at["log"] += 0
    last = await last_sequence(client, subjects.CASES)
    wanted = f"{subjects.CASES_PREFIX}.{log_id}.>"
    async for stored in read_stream(client, subjects.CASES, last, wanted):
        erasures.take_bytes("log", stored.body)


async def _find_what_tells_of_it(client: Client, erasures: Erasures) -> None:
    """In desk's logs, up to the last erasure: what was told later isn't erased with it."""
    last = await last_sequence(client, subjects.CASES)
    wanted = f"{subjects.CASES_PREFIX}.{erasures.case_id}.*.{PersonalDataErased.__name__}"
    of_remarks = of_commands = 0
    async for event, sequence in _readable(client, last, wanted):
        of_commands = of_commands if COMMANDS.isdisjoint(event.data.classes) else sequence
        of_remarks = of_remarks if REMARKS.isdisjoint(event.data.classes) else sequence
    for told, erased in ((DecisionProposed, of_commands), (ShiftHandedOver, of_remarks)):
        async for event, _ in _readable(client, erased, subjects.case_events(told.__name__)):
            erasures.note_told(event)


async def _readable(
    client: Client, up_to: int, wanted: str
) -> AsyncIterator[tuple[CaseEvent[Any], int]]:
    """Events of CASES with their sequences; `passage verify` names those that can't be read."""
    async for stored in read_stream(client, subjects.CASES, up_to, wanted):
        with suppress(UnreadableEventError):
            yield read_case_event(stored.body), stored.sequence


async def _waiting_calls(client: Client, channel: str) -> AsyncIterator[bytes]:
    """The calls of a channel that wait; one by one, for a work queue has no direct reads."""
    sequence = 0
    while True:
        wanted = {"seq": sequence + 1, "next_by_subj": subjects.calls(channel)}
        try:
            answer = await ask(client, f"STREAM.MSG.GET.{subjects.calls_stream(channel)}", wanted)
        except ApiRefusedError:
            return
        message = answer["message"]
        sequence = message["seq"]
        yield b64decode(message.get("data", ""))


def read_database(reader: Engine, erasures: Erasures) -> list[str]:
    """Reads every table of query's database; returns those that have a sealed value of the case
    outside an event."""
    metadata = MetaData()
    metadata.reflect(bind=reader)
    return [
        name
        for name, table in sorted(metadata.tables.items())
        if _read_table(reader, table, erasures)
    ]


def _read_table(reader: Engine, table: Table, erasures: Erasures) -> bool:
    query = select(table)
    if CASE_COLUMN in table.c:
        query = query.where(table.c[CASE_COLUMN].in_(erasures.logs))
    where = f"database, table {table.name}"
    sealed = {one.encode() for _, one in erasures.must_stay_closed()}
    shortest = min(map(len, sealed), default=0)  # Few values of a row are that long.
    keeps = False
    erasures.looked_at[where] += 0
    with reader.connect() as connection:
        for row in connection.execution_options(yield_per=ROWS_AT_ONCE).execute(query):
            for value in row:
                content = _as_bytes(value)
                if not erasures.take_bytes(where, content) and len(content) >= shortest:
                    keeps = keeps or any(one in content for one in sealed)
    return keeps


def read_path(path: Path, erasures: Erasures, called: str = "") -> list[str]:
    """Reads a file, or every file below a folder; returns those that can't be read.

    `called` is the path's display name, if another.
    """
    called = called or str(path)
    if not path.exists():
        return [f"{called}: there is no such file or folder"]
    closed = []
    for file in files_in(path):
        where = str(file).replace(str(path), called, 1)
        try:
            _read_file(where, file, erasures)
        except NotLookedIntoError as error:
            closed.append(f"{where}: {error}")
        except (OSError, EOFError, zlib.error, tarfile.TarError) as error:
            closed.append(f"{where}: can't be read ({type(error).__name__})")
    return closed


def is_backup(path: Path) -> bool:
    return _starts_with(path, AGE_STARTS)


def _starts_with(path: Path, start: bytes) -> bool:
    with path.open("rb") as file:
        return file.read(len(start)) == start


def files_in(path: Path) -> Iterator[Path]:
    if path.is_dir():
        yield from (one for one in sorted(path.rglob("*")) if one.is_file())
    else:
        yield path


def _read_file(where: str, path: Path, erasures: Erasures) -> None:
    with path.open("rb") as file:
        _read_stream(where, file, erasures)
    if _starts_with(path, SQLITE_STARTS):
        # On pages, a long value is split into pieces; as a row it is whole.
        _read_sqlite(where, path, erasures)


def _read_stream(where: str, file: IO[bytes], erasures: Erasures) -> None:
    start = file.read(512)
    file.seek(0)
    if start.startswith(AGE_STARTS):
        raise NotLookedIntoError(
            "encrypted; it is searched only if `backup.key` is in the key folder"
        )
    if start.startswith(GZIP_STARTS):
        with gzip.open(file) as plain:
            _read_stream(where, plain, erasures)  # type: ignore[arg-type]
    elif start[TAR_MAGIC[0] :].startswith(TAR_MAGIC[1]):
        with tarfile.open(fileobj=file, mode="r:") as tar:
            for member in tar:
                content = tar.extractfile(member)
                if content is not None:
                    _read_stream(f"{where}!{member.name}", content, erasures)
    else:
        _read_plain(where, file, erasures)


def _read_plain(where: str, file: IO[bytes], erasures: Erasures) -> None:
    """Reads piece by piece; each piece begins with the end of the one before."""
    kept = b""
    while piece := file.read(PIECE_BYTES):
        content = kept + piece
        erasures.take_bytes(where, content)
        kept = content[-OVERLAP_BYTES:]
    erasures.looked_at[where] += 0


def _read_sqlite(where: str, path: Path, erasures: Erasures) -> None:
    try:
        with closing(
            sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)
        ) as connection:
            names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            for (name,) in names.fetchall():
                quoted = name.replace('"', '""')
                for row in connection.execute(f'SELECT * FROM "{quoted}"'):  # noqa: S608
                    for value in row:
                        erasures.take_bytes(where, _as_bytes(value))
    except sqlite3.Error as error:
        raise NotLookedIntoError(f"not a whole database ({type(error).__name__})") from None


def _as_bytes(value: Any) -> bytes:
    if isinstance(value, str):
        return value.encode()
    return bytes(value) if isinstance(value, bytes | memoryview | bytearray) else b""
