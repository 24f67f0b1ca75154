"""A stopped installation with some hundred events, their archive and index; witness files."""

import asyncio
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from itertools import chain, zip_longest
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from passage.connecting import connected
from passage.folders import Folders, folders_of
from passage.install.provisioning import provision
from passage.integrity.gate import check_gate, open_gate
from passage.integrity.log_reading import last_sequence, read_batches
from passage.integrity.repair.anew import store
from passage.runner.own_server import stopped_log_of
from passage.running import Running
from services.query.feed.database import open_database
from services.query.feed.generations import Generations
from services.witness.signing import Signer
from shared import subjects
from shared.events.base import Event
from shared.events.fields import Sealed
from shared.events.intake import NoteAdded, ReturnCodeIssued, SurrenderDeclared
from shared.jetstream.log import RecordedEvent
from shared.jetstream.raw_client import RawClient
from shared.jetstream.stored import StoredMessage
from shared.witnesses import backlinks, checkpoints, parsing
from shared.witnesses.backlinks import place_after
from shared.witnesses.checkpoints import Line, make_witness_keys, read_signing_key, signed
from shared.witnesses.files import newest_of, read_witness_files
from shared.witnesses.heads import LogHeads
from tests.passage.test_case_logs import opened, promised, stored_log
from tests.waiting import WITHIN_S

SEALED = Sealed("1." + "A" * 60)
CASES, EVENTS_A_CASE = 20, 15
SIGNED_PARTS = 3


def some_log(cases: int = CASES, events: int = EVENTS_A_CASE) -> list[StoredMessage]:
    """A sound log of cases that were under way at once."""
    logs = []
    for number in range(1, cases + 1):
        history: list[Event] = [
            opened(number),
            SurrenderDeclared(party="alone", declared_size=1),
            ReturnCodeIssued(code_hash=f"{number:064x}"),
            *(NoteAdded(text=SEALED) for _ in range(events - 3)),
        ]
        logs.append(stored_log(f"CASE{number:04}", history))
    mixed = [one for one in chain.from_iterable(zip_longest(*logs)) if one is not None]
    return [one._replace(sequence=sequence) for sequence, one in enumerate(mixed, start=1)]


def prepare(
    data: Path, log: list[StoredMessage], *, ended: bool = True, archived: int = -1
) -> Folders:
    """Makes an installation that holds a log; gives its folders when it is stopped again."""
    folders = folders_of(data)
    folders.make()
    make_witness_keys(folders.keys)
    with stopped_log_of(folders) as running:
        asyncio.run(_fill(running, log))
        fill_archive(running, log if archived < 0 else log[:archived])
        sign(running, log, ended=ended)
    return folders


def fill_archive(running: Running, log: list[StoredMessage]) -> None:
    database = open_database(running.database)
    generations = Generations(database)
    generations.open()
    if log:
        generations.following.apply([recorded(one) for one in log], 0)
    generations.swap()
    database.dispose()


def recorded(one: StoredMessage) -> RecordedEvent:
    """A stored event as query gets it from the log."""
    name = subjects.read_case_subject(one.subject)
    return RecordedEvent(*name, one.body, one.sequence, one.recorded_at)


def sign(running: Running, log: list[StoredMessage], *, ended: bool) -> None:
    """Signs checkpoints on the way and, in good order, the end."""
    signer = Signer(read_signing_key(running.keys), running.witnesses)
    incarnation = asyncio.run(check_gate(running)).incarnation
    heads = LogHeads()
    for one in log:
        heads.take(one.sequence, one.subject, one.body)
        if one.sequence % max(1, len(log) // SIGNED_PARTS) == 0:
            signer.sign("checkpoint", incarnation, heads)
    signer.sign("ended" if ended else "checkpoint", incarnation, heads)


async def _fill(running: Running, log: list[StoredMessage]) -> None:
    async with connected(running) as client:
        await provision(client, 1)
    open_gate(await check_gate(running), running)
    async with connected(running) as client:
        await store(client, log, lambda _: None)
        await _index(client, log)


async def _index(client: RawClient, log: list[StoredMessage]) -> None:
    for promise in promised(log):
        subject = f"$KV.{subjects.INDEX_BUCKET}.{promise.key}"
        body = f'{{"case_id":"{promise.case_id}"}}'.encode()
        await client.request(subject, body, timeout=WITHIN_S)


async def contents(running: Running) -> list[tuple[int, str, bytes]]:
    async with connected(running) as client:
        last = await last_sequence(client, subjects.CASES)
        return [
            (one.sequence, one.subject, one.body)
            async for batch in read_batches(client, subjects.CASES, last)
            for one in batch
        ]


KEY = Ed25519PrivateKey.from_private_bytes(b"w" * 32)
ONE, TWO = "1" * 32, "2" * 32
BEGUN_AT = datetime(2026, 1, 30, 22, tzinfo=UTC)
FEW = (6, 5, 4, 10_000)
"""How many lines of each level are kept, where a test has `path`."""


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A witness file to come; so few lines are kept that a short one is thinned."""
    monkeypatch.setattr(backlinks, "KEPT", FEW)
    return tmp_path / "checkpoints.jsonl"


def fields(sequence: int, incarnation: str = ONE, **more: Any) -> dict[str, Any]:
    found = {
        "kind": "checkpoint",
        "incarnation": incarnation,
        "sequence": sequence,
        "cases": 1,
        "digest": f"{sequence:064x}",
    }
    return {**found, **more}


def sign_some(
    paths: Iterable[Path], count: int, begun_at: datetime = BEGUN_AT, minutes: int = 120
) -> list[str]:
    """Signs lines into all files, one every so many minutes; gives them as they stand there."""
    places, made = list(paths), list[str]()
    before = newest_of(places, KEY.public_key())
    for number in range(1, count + 1):
        at = begun_at + timedelta(minutes=minutes * number)
        place = place_after(before, ONE, at, "checkpoint")
        line = Line(at=at, **place._asdict(), **fields(number))
        before = (line, signed(line, KEY))
        made.append(before[1])
    for path in places:
        with path.open("a", encoding="utf-8") as file:
            file.writelines(f"{one}\n" for one in made)
    return made


def old_lines(count: int, minutes: int = 120) -> list[str]:
    """Lines as older versions signed them: linked to nothing."""
    return [
        signed(
            Line(
                number=number, at=BEGUN_AT + timedelta(minutes=minutes * number), **fields(number)
            ),
            KEY,
        )
        for number in range(1, count + 1)
    ]


def texts(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines()


def write(path: Path, lines: Iterable[str]) -> Path:
    path.write_text("".join(f"{one}\n" for one in lines), encoding="utf-8")
    return path


def said(*paths: Path) -> tuple[list[str], list[str]]:
    """What reading the files complains of: what nobody signed, and what else."""
    found = read_witness_files(paths, KEY.public_key())
    return list(found.problems), list(found.warnings)


def count_checks(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The lines whose signature is checked from now on."""
    checked: list[str] = []

    def counted(text: str, key: Ed25519PublicKey) -> None:
        checked.append(text)
        checkpoints.check_line(text, key)

    monkeypatch.setattr(parsing, "check_line", counted)
    return checked
