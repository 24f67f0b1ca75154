"""`passage verify --erased` finds what opens still, wherever copies of value and key lie."""

import gzip
import io
import sqlite3
import tarfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
from nacl.public import PrivateKey

from passage.channel import Call, envelope_of
from passage.integrity.erasure.copies import Erasures
from passage.integrity.erasure.stores import read_database, read_path
from services.intake.state import IntakeState, evolve
from services.keyholder.ring import KeyRing
from services.keyholder.secrets import Secrets
from services.query.feed.database import Database
from shared.events.base import Event
from shared.events.fields import PersonalClass, Plain
from shared.events.handover import ArrivedInUkraine
from shared.events.intake import CaseOpened, NoteAdded, PersonalDataProvided
from shared.events.parsing import read_case_event
from shared.events.shifts import ShiftHandedOver
from shared.jetstream.stored import StoredMessage
from shared.keys.sealing import Spot
from shared.log.case_log import CaseLog, Fold
from shared.log.transact import Writer
from tests.contexts import MemoryBucket, events_of, key_holder, record, secrets
from tests.examples import ALL_CLASSES, CASE, NOON, OTHER_CASE
from tests.examples import personal_data_erased as erased
from tests.integrity.prepared import folded
from tests.passage.test_case_logs import STORED_AT

OPENED = CaseOpened(call_id="call-1", channel="phone", language="ru", started_at=NOON)
GIVEN = PersonalDataProvided(identity=Plain('{"surname":"Vzorov"}'), provenance="caller")
ARRIVED = ArrivedInUkraine(
    place=Plain('{"description":"Musterdorf"}'), companions=0, condition="ok"
)
LONG_NOTE = NoteAdded(text=Plain("calm " * 2_000))


@dataclass
class Sealing:
    bucket: MemoryBucket
    log: CaseLog[IntakeState]

    def record(self, *events: Event, case_id: str = CASE) -> None:
        record(Writer(self.log, key_holder(self.bucket)), *events, case_id=case_id)

    def destroy(self, *classes: PersonalClass) -> None:
        key_holder(self.bucket).ring.destroy(
            CASE, classes or ALL_CLASSES, self.log.load(CASE).erasure
        )

    def stored(self, case_id: str = CASE) -> list[bytes]:
        return [one.state for one in self.log.recorder.select_events(case_id)]

    def entry(self, case_id: str = CASE) -> bytes:
        return self.bucket.kept[case_id].value

    def erasures(self) -> Erasures:
        erasures = Erasures(CASE)
        for body in self.stored():
            erasures.take_bytes("log", body)
        erasures.take_bytes("keys", self.entry())
        return erasures


@pytest.fixture
def sealing() -> Sealing:
    fold = Fold(IntakeState(), evolve)
    return Sealing(MemoryBucket(), CaseLog(fold, {"PERSISTENCE_MODULE": "eventsourcing.popo"}))


def open_fields(erasures: Erasures, kept: Secrets | None = None) -> list[str]:
    """The fields that open, by what the key holder says of the copies."""
    ring = KeyRing(MemoryBucket(), kept or secrets())
    keys = {one: list(ring.opening(one, erasures.copies)) for one in erasures.logs}
    return [spot.field for spot, _ in erasures.open_still(keys)]


def test_what_was_erased_opens_until_its_keys_are_destroyed(sealing: Sealing) -> None:
    sealing.record(OPENED, GIVEN, ARRIVED, LONG_NOTE, erased())
    assert sorted(open_fields(sealing.erasures())) == ["identity", "place", "text"]
    sealing.destroy()
    assert open_fields(sealing.erasures()) == []
    assert len(list(sealing.erasures().must_stay_closed())) == 3


def test_what_a_request_is_filed_under_goes_with_the_erasure(sealing: Sealing) -> None:
    sealing.record(OPENED, erased().model_copy(update={"reference": Plain("letter 17")}))
    assert open_fields(sealing.erasures()) == ["reference"]
    sealing.destroy()
    assert open_fields(sealing.erasures()) == []


def test_other_classes_and_what_was_given_later_may_open(sealing: Sealing) -> None:
    sealing.record(OPENED, GIVEN, ARRIVED, erased("identity"))
    sealing.destroy("identity")
    sealing.record(GIVEN)
    erasures = sealing.erasures()
    assert erasures.erased_at == {"identity": 4}
    assert [spot.version for spot, _ in erasures.must_stay_closed()] == [2]
    assert open_fields(erasures) == []
    sealing.record(erased("identity"))
    assert open_fields(sealing.erasures()) == ["identity"]


def test_an_old_copy_of_the_key_opens_it_until_its_epoch_is_dropped(
    sealing: Sealing, tmp_path: Path
) -> None:
    sealing.record(OPENED, GIVEN, erased())
    (tmp_path / "block").write_bytes(b"\x00\x01$KV.KEYS." + sealing.entry() + b"\xff\xfe")
    sealing.destroy()
    erasures = sealing.erasures()
    assert read_path(tmp_path, erasures) == []
    assert open_fields(erasures) == ["identity"]
    later = Secrets({2: b"n" * 32}, {1: b"p" * 32}, secrets().intake_private)
    assert open_fields(erasures, later) == []


def test_an_entry_of_another_case_opens_nothing(sealing: Sealing, tmp_path: Path) -> None:
    sealing.record(OPENED, GIVEN, erased())
    sealing.record(OPENED, GIVEN, case_id=OTHER_CASE)
    sealing.destroy()
    (tmp_path / "other").write_bytes(sealing.entry(OTHER_CASE))
    erasures = sealing.erasures()
    read_path(tmp_path, erasures)
    assert len(erasures.copies) == 2
    assert open_fields(erasures) == []


def test_what_a_shift_was_told_of_the_case_opens_until_its_keys_are_destroyed(
    sealing: Sealing, tmp_path: Path
) -> None:
    shift, other = "SHIFT-1", "SHIFT-2"
    for log_id, case_id in ((shift, CASE), (other, OTHER_CASE)):
        told = ShiftHandedOver(to=("x",), case_ids=(case_id,), by="x", remark=Plain("afraid"))
        sealing.record(told, case_id=log_id)
    sealing.record(OPENED, GIVEN, erased())
    sealing.destroy()
    erasures = sealing.erasures()
    for log_id in (shift, other):
        for body in sealing.stored(log_id):
            erasures.note_told(read_case_event(body))
    assert erasures.told_until == {shift: 1}
    (tmp_path / "export").write_bytes(b"".join(sealing.stored(shift) + sealing.stored(other)))
    (tmp_path / "keys").write_bytes(sealing.entry(shift) + sealing.entry(other))
    assert read_path(tmp_path, erasures) == []
    assert open_fields(erasures) == ["remark"]
    key_holder(sealing.bucket).ring.destroy(shift, ALL_CLASSES, "words-erased")
    (tmp_path / "keys").write_bytes(sealing.entry(shift) + sealing.entry(other))
    again = Erasures(CASE, erased_at=erasures.erased_at, told_until={shift: 1})
    assert read_path(tmp_path, again) == []
    assert open_fields(again) == []
    assert [spot.case_id for spot, _ in again.must_stay_closed()] == [shift]


def packed(kind: str, folder: Path, content: bytes) -> Path:
    path = folder / f"export.{kind}"
    if kind == "gz":
        path.write_bytes(gzip.compress(content))
    elif kind in {"tar", "tgz"}:
        with tarfile.open(path, "w:gz" if kind == "tgz" else "w") as tar:
            member = tarfile.TarInfo("log.jsonl")
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    elif kind == "db":
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.execute("CREATE TABLE kept (body BLOB)")
            for line in content.splitlines():
                connection.execute("INSERT INTO kept VALUES (?)", (line,))
    else:
        path.write_bytes(content)
    return path


@pytest.mark.parametrize("kind", ["jsonl", "gz", "tar", "tgz", "db"])
def test_copies_are_found_in_files_of_every_kind(
    sealing: Sealing, tmp_path: Path, kind: str
) -> None:
    sealing.record(OPENED, GIVEN, ARRIVED, LONG_NOTE)
    content = b"\n".join([*sealing.stored(), sealing.entry()])
    path = packed(kind, tmp_path, content)
    sealing.record(erased())
    sealing.destroy()
    erasures = sealing.erasures()
    assert read_path(path, erasures) == []
    assert sorted(open_fields(erasures)) == ["identity", "place", "text"]
    assert sum(count for where, count in erasures.looked_at.items() if "export" in where) >= 3


def test_a_call_that_lies_in_its_box_still_is_found(sealing: Sealing, tmp_path: Path) -> None:
    sealing.record(OPENED, GIVEN, erased())
    key = PrivateKey.generate().public_key
    for call_id in ("call-1", "call-2"):
        call = Call(call_id, "phone", None, "ru", NOON, "I want to live")
        text = envelope_of(call, key).model_dump_json(exclude_none=True)
        (tmp_path / call_id).write_text(f"junk {text} junk", "utf-8")
    erasures = sealing.erasures()
    assert read_path(tmp_path, erasures) == []
    assert erasures.boxes == {"call-1": {str(tmp_path / "call-1")}}


def test_a_value_that_only_a_copy_holds_is_tried_too(sealing: Sealing, tmp_path: Path) -> None:
    sealing.record(OPENED, GIVEN)
    forked = [*sealing.stored()]
    sealing.record(erased())
    entry = sealing.entry()
    sealing.destroy()
    elsewhere = Sealing(MemoryBucket(), sealing.log)
    elsewhere.bucket.create(CASE, entry)
    spot = Spot(CASE, 2, "PersonalDataProvided", "unit", "identity")
    key = key_holder(elsewhere.bucket).for_sealing(CASE, 2, "")["identity"]
    event = read_case_event(forked[1])
    data = event.data.model_copy(update={"unit": key.seal(spot, "1st")})
    body = event.model_copy(update={"data": data}).model_dump_json(exclude_none=True).encode()
    (tmp_path / "fork.jsonl").write_bytes(body + b"\n" + entry)
    erasures = sealing.erasures()
    read_path(tmp_path, erasures)
    assert sorted(open_fields(erasures)) == ["identity", "unit"]


def test_what_can_not_be_looked_into_is_said(tmp_path: Path) -> None:
    (tmp_path / "backup").write_bytes(b"age-encryption.org/v1\n-> X25519 ...")
    (tmp_path / "cut.gz").write_bytes(gzip.compress(b"x" * 1_000)[:20])
    (tmp_path / "cut.db").write_bytes(b"SQLite format 3\0" + b"\0" * 100)
    erasures = Erasures(CASE)
    said = read_path(tmp_path, erasures)
    assert len(said) == 3
    assert any("backup.key" in one for one in said)
    assert len(read_path(tmp_path / "nowhere", erasures)) == 1


def test_bytes_that_only_look_like_ours_are_passed_over(tmp_path: Path) -> None:
    (tmp_path / "noise").write_bytes(
        b'{"epoch":' * 50
        + b'{"specversion":"1.0","subject":"'
        + CASE.encode()
        + b'"'
        + b"[" * 9_000
    )
    erasures = Erasures(CASE)
    assert read_path(tmp_path, erasures) == []
    assert not erasures.values
    assert not erasures.copies


@pytest.fixture
def database(sealing: Sealing, tmp_path: Path) -> Iterator[Database]:
    sealing.record(OPENED, GIVEN, ARRIVED, LONG_NOTE, erased())
    log = [
        StoredMessage(sequence, one.subject, one.body, STORED_AT)
        for sequence, one in enumerate(events_of(sealing.log, CASE), start=1)
    ]
    with folded(f"sqlite:///{tmp_path / 'query.db'}", log) as read_models:
        yield read_models


def test_every_table_of_the_database_is_read(sealing: Sealing, database: Database) -> None:
    sealing.destroy()
    erasures = sealing.erasures()
    assert read_database(database.reader, erasures) == []
    tables = [where for where in erasures.looked_at if where.startswith("database")]
    assert len(tables) >= 8
    archive = next(where for where in tables if where.endswith("_archive"))
    assert erasures.looked_at[archive] == 3
    assert open_fields(erasures) == []


def test_a_table_that_keeps_a_sealed_value_is_found(
    sealing: Sealing, database: Database, tmp_path: Path
) -> None:
    value = next(iter(sealing.erasures().must_stay_closed()))[1]
    with closing(sqlite3.connect(tmp_path / "query.db")) as connection, connection:
        connection.execute("CREATE TABLE cache (case_id TEXT, value TEXT)")
        connection.execute("INSERT INTO cache VALUES (?, ?)", (CASE, value))
        connection.execute("CREATE TABLE search (term TEXT)")
        connection.execute("INSERT INTO search VALUES (?)", (f"names {value}",))
    assert read_database(database.reader, sealing.erasures()) == ["cache", "search"]
