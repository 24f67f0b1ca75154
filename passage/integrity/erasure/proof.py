"""Shows that nothing opens what was erased of a case, or what does."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from nats.aio.client import Client

from passage.asking_keyholder import SealedError, asked
from passage.connecting import connected
from passage.exits import Exit, VerbEndedError
from passage.folders import folders_of
from passage.install.backup_keys import SECRET, read_identity
from passage.integrity.backup.restoring import Incoming, restore
from passage.integrity.erasure.copies import Erasures
from passage.integrity.erasure.stores import (
    files_in,
    is_backup,
    read_database,
    read_log,
    read_path,
)
from passage.integrity.findings import Findings
from passage.integrity.gate import reading_database
from passage.running import WITNESS_FILE, Running
from shared.keys.messages import OpeningKey, Trial, Tried

ENTRIES_AT_ONCE = 300
"""A request to the key holder is a message of at most a megabyte."""


@dataclass(frozen=True)
class Looked:
    erasures: Erasures
    findings: Findings

    def as_json(self) -> dict[str, object]:
        closed = list(self.erasures.must_stay_closed())
        return {
            "case_id": self.erasures.case_id,
            "erased": dict(sorted(self.erasures.erased_at.items())),
            "told_in": sorted(self.erasures.told_until),
            "stores": dict(sorted(self.erasures.looked_at.items())),
            "sealed_values": len(closed),
            "key_entries": len(self.erasures.copies),
            "errors": self.findings.errors,
            "findings": [asdict(one) for one in self.findings.kept],
        }


def prove(running: Running, case_id: str, paths: Sequence[Path]) -> Looked:
    """Looks for all copies in log, keys, database and the paths, and tries every key."""
    with _restored(running, paths) as places:
        return asyncio.run(look(running, case_id, places))


@contextmanager
def _restored(running: Running, paths: Sequence[Path]) -> Iterator[dict[str, Path]]:
    """Display name -> place to search; a backup is restored meanwhile."""
    key = running.keys / SECRET
    with TemporaryDirectory(prefix="passage-erased-") as folder:
        places: dict[str, Path] = {}
        for path in paths:
            for file in files_in(path) if path.exists() else (path,):
                places[str(file)] = file
                if key.exists() and file.exists() and is_backup(file):
                    draft = folders_of(Path(folder) / str(len(places)))
                    here = (draft.witness / WITNESS_FILE,)  # Whatever files are named for others.
                    restore(draft, Incoming(file, read_identity(key)), here)
                    places[str(file)] = draft.data
        yield places


async def look(running: Running, case_id: str, places: Mapping[str, Path]) -> Looked:
    """Reads log, keys, database and the paths, and tries every key on every erased value."""
    erasures, findings = Erasures(case_id), Findings()
    async with connected(running) as client:
        await read_log(client, erasures)
        if not erasures.erased_at:
            raise VerbEndedError(Exit.FAILED, f"nothing of case {case_id} was erased")
        await _look_elsewhere(running, places, erasures, findings)
        keys = await _keys_that_open(client, erasures)
    for spot, found_in in erasures.open_still(keys):
        where = f"{spot.type_name}.{spot.field} version {spot.version}"
        if spot.case_id != case_id:
            where += f" of {spot.case_id}"
        findings.add("opens", where, f"opens with the key in {', '.join(sorted({*found_in}))}")
    for call_id, boxes in sorted(erasures.boxes.items()):
        where = ", ".join(sorted(boxes))
        findings.add(
            "box", f"call {call_id}", f"the intake key opens what its channel sealed: {where}"
        )
    return Looked(erasures, findings)


async def _look_elsewhere(
    running: Running, places: Mapping[str, Path], erasures: Erasures, findings: Findings
) -> None:
    with reading_database(running) as reader:
        tables = [] if reader is None else await asyncio.to_thread(read_database, reader, erasures)
    for table in tables:
        findings.add("read model", f"table {table}", "keeps a sealed value that was erased")
    for called, path in places.items():
        for closed in await asyncio.to_thread(read_path, path, erasures, called):
            findings.add("not looked into", closed.partition(": ")[0], closed.partition(": ")[2])


async def _keys_that_open(client: Client, erasures: Erasures) -> dict[str, list[OpeningKey]]:
    """Makes the key holder try its key-encryption keys on every key entry found."""
    return {log_id: await _opening(client, erasures, log_id) for log_id in erasures.logs}


async def _opening(client: Client, erasures: Erasures, log_id: str) -> list[OpeningKey]:
    entries, keys = list(erasures.copies), list[OpeningKey]()
    for first in range(0, len(entries), ENTRIES_AT_ONCE):
        some = entries[first : first + ENTRIES_AT_ONCE]
        trial = Trial(case_id=log_id, entries=tuple(some))
        try:
            tried = await asked(client, "trial", trial.model_dump_json().encode(), Tried)
        except SealedError as error:
            raise VerbEndedError(Exit.UNAVAILABLE, f"keys were not tried: {error}") from None
        keys += [one.model_copy(update={"entry": one.entry + first}) for one in tried.opening]
    return keys
