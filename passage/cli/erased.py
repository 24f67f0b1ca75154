"""`passage verify --erased CASE`: shows that nothing opens what was erased, or what does."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import typer
from nats.aio.client import Client
from sqlalchemy.exc import SQLAlchemyError

from passage.asking_keyholder import SealedError, asked
from passage.cli.restore import restore_into
from passage.connecting import connected
from passage.exits import Exit, VerbEndedError
from passage.folders import folders_of
from passage.install.backup_keys import SECRET, read_identity
from passage.integrity.verify.erased import Erasures
from passage.integrity.verify.erased_stores import (
    files_in,
    is_backup,
    read_database,
    read_log,
    read_path,
)
from passage.integrity.verify.findings import Findings
from passage.printing import out, print_json, print_table
from passage.running import Running
from services.keyholder.secrets import EPOCHS_KEPT
from services.query.feed.database import open_database
from shared.key_messages import OpeningKey, Trial, Tried

ENTRIES_AT_ONCE = 300
"""A request to the key holder is a message of at most a megabyte."""


@dataclass(frozen=True)
class Looked:
    """What was looked at, and what was found."""

    erasures: Erasures
    findings: Findings

    def as_json(self) -> dict[str, object]:
        closed = list(self.erasures.must_stay_closed())
        return {
            "case_id": self.erasures.case_id,
            "erased": dict(sorted(self.erasures.erased_at.items())),
            "stores": dict(sorted(self.erasures.looked_at.items())),
            "sealed_values": len(closed),
            "key_entries": len(self.erasures.copies),
            "errors": self.findings.errors,
            "findings": [asdict(one) for one in self.findings.kept],
        }


def verify_erased(running: Running, case_id: str, paths: Sequence[Path], as_json: bool) -> None:
    """Looks for all copies and tries every key; exit code 1 where anything opens."""
    with _restored(running, paths) as places:
        looked = asyncio.run(look(running, case_id, places))
    if as_json:
        print_json(looked.as_json())
    else:
        _print(looked)
    if looked.findings.errors:
        raise typer.Exit(Exit.FAILED)


@contextmanager
def _restored(running: Running, paths: Sequence[Path]) -> Iterator[dict[str, Path]]:
    """Where to look by what the person knows it by; a backup is restored for as long."""
    key = running.keys / SECRET
    with TemporaryDirectory(prefix="passage-erased-") as folder:
        places: dict[str, Path] = {}
        for path in paths:
            for file in files_in(path) if path.exists() else (path,):
                places[str(file)] = file
                if key.exists() and file.exists() and is_backup(file):
                    draft = folders_of(Path(folder) / str(len(places)))
                    restore_into(draft, file, read_identity(key))
                    places[str(file)] = draft.data
        yield places


async def look(running: Running, case_id: str, places: Mapping[str, Path]) -> Looked:
    """Reads log, keys, database and the paths, and tries every key on every erased value."""
    erasures, findings = Erasures(case_id), Findings()
    async with connected(running) as client:
        await read_log(client, erasures)
        if not erasures.erased_at:
            raise VerbEndedError(Exit.FAILED, f"nothing of case {case_id} was erased")
        await _look_elsewhere(running.database, places, erasures, findings)
        keys = await _keys_that_open(client, erasures)
    for spot, found_in in erasures.open_still(keys):
        where = f"{spot.type_name}.{spot.field} version {spot.version}"
        findings.add("opens", where, f"opens with the key in {', '.join(sorted({*found_in}))}")
    for call_id, boxes in sorted(erasures.boxes.items()):
        where = ", ".join(sorted(boxes))
        findings.add(
            "box", f"call {call_id}", f"the intake key opens what its channel sealed: {where}"
        )
    return Looked(erasures, findings)


async def _look_elsewhere(
    database: str, places: Mapping[str, Path], erasures: Erasures, findings: Findings
) -> None:
    for table in await asyncio.to_thread(_tables_that_keep, database, erasures):
        findings.add("read model", f"table {table}", "keeps a sealed value that was erased")
    for called, path in places.items():
        for closed in await asyncio.to_thread(read_path, path, erasures, called):
            findings.add("not looked into", closed.partition(": ")[0], closed.partition(": ")[2])


async def _keys_that_open(client: Client, erasures: Erasures) -> list[OpeningKey]:
    """Has the key holder try its key-encryption keys on every key entry that was found."""
    entries, keys = list(erasures.copies), list[OpeningKey]()
    for first in range(0, len(entries), ENTRIES_AT_ONCE):
        some = entries[first : first + ENTRIES_AT_ONCE]
        trial = Trial(case_id=erasures.case_id, entries=tuple(some))
        try:
            tried = await asked(client, "trial", trial.model_dump_json().encode(), Tried)
        except SealedError as error:
            raise VerbEndedError(Exit.UNAVAILABLE, f"keys were not tried: {error}") from None
        keys += [one.model_copy(update={"entry": one.entry + first}) for one in tried.opening]
    return keys


def _tables_that_keep(url: str, erasures: Erasures) -> list[str]:
    database = open_database(url)
    try:
        return read_database(database.reader, erasures)
    except SQLAlchemyError as error:
        raise VerbEndedError(
            Exit.UNAVAILABLE, f"the read models can't be read ({type(error).__name__})"
        ) from None
    finally:
        database.dispose()


def _print(looked: Looked) -> None:
    erasures, findings = looked.erasures, looked.findings
    stores = [(store, str(count)) for store, count in sorted(erasures.looked_at.items())]
    print_table("Looked at", ("store", "sealed values of the case"), stores)
    classes = ", ".join(f"{name} (version {at})" for name, at in sorted(erasures.erased_at.items()))
    values = len(list(erasures.must_stay_closed()))
    out.print(f"case {erasures.case_id}: erased {classes}")
    out.print(f"{values} sealed values, {len(erasures.copies)} key entries tried")
    if not findings.kept:
        out.print("erased: nothing opens any of them")
        return
    rows = [(one.check, one.where, one.what) for one in findings.kept]
    print_table("Findings", ("check", "where", "what"), rows)
    if any(check == "opens" for check, _ in findings.counts):
        out.print(
            f"an old copy opens until {EPOCHS_KEPT} rotations have followed: `passage keys rotate`"
        )
