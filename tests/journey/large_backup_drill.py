"""Backs up and restores a log of years with the witness file of years, and says what that took.

By hand:  python -m tests.journey.large_backup_drill --events 800000 --lines 1000000 [--read-models]
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

from benchmarks.filling import CASES_AT_ONCE, Copy, Template
from passage.connecting import connected
from passage.folders import Folders, folders_of
from passage.install.backup_keys import ensure_backup_keys
from passage.install.installation import accounts_of, make_installation
from passage.install.provisioning import ask, provision
from passage.integrity.repair.anew import store
from passage.runner.nats_server import NatsServer
from passage.running import Running, stopped
from services.query.feed.database import open_database
from services.query.feed.generations import Generations
from shared import subjects
from shared.events.base import Event
from shared.events.intake import NoteAdded, ReturnCodeIssued, SurrenderDeclared
from shared.jetstream.log import RecordedEvent
from shared.jetstream.stored import StoredMessage, read_time
from shared.witnesses.checkpoints import Line, read_signing_key, signed
from shared.witnesses.heads import LogHeads
from tests.passage.test_case_logs import SEALED, opened, stored_log

EVENTS_OF_CASE = 10
BATCH = 5_000
BEGUN_AT = datetime(2024, 1, 1, tzinfo=UTC)
MEBIBYTE = 1_024

Json = dict[str, Any]


def drill(folder: Path, events: int, lines: int, *, read_models: bool) -> Json:
    folders = folders_of(folder / "data")
    folders.make()
    make_installation(folders.keys)
    ensure_backup_keys(folders.keys)
    with _server(folders, '"1m"') as server:
        running = stopped(folders, server.url)
        heads = asyncio.run(_fill(running, events, lines, read_models=read_models))
        figures: Json = {"events": heads.sequence, "lines": lines, "read_models": read_models}
        figures["witness_megabytes"] = round(running.witnesses[0].stat().st_size / 1e6)
        figures["gate"] = _verb(running, "gate", "--json")
        figures["backup"] = _verb(running, "backup", "--to", str(folder / "backups"), "--json")
    new = folders_of(folder / "new")
    folders.keys.rename(new.keys)
    # As if five events were lost: then the restore reads the whole log again, and signs.
    newest = folder / "newest.jsonl"
    newest.write_text(json.dumps({"sequence": events + 5}) + "\n", encoding="utf-8")
    where = ("--from", str(folder / "backups"), "--data", str(new.data), "--witness", str(newest))
    figures["restore"] = _verb(None, "restore", *where, "--json")
    figures["gate_restored"] = _verb(None, "gate", "--data", str(new.data), "--json")
    return figures


def _server(folders: Folders, sync_interval: str) -> NatsServer:
    return NatsServer(
        folders.nats, sync_interval=sync_interval, extra_config=accounts_of(folders.keys)
    )


async def _fill(running: Running, events: int, lines: int, *, read_models: bool) -> LogHeads:
    heads = LogHeads()
    async with connected(running) as client:
        await provision(client, 1)
        config = (await ask(client, f"STREAM.INFO.{subjects.CASES}", None))["config"]
    database = open_database(running.database)
    generations = Generations(database)
    if read_models:
        generations.open()
    running.witnesses[0].parent.mkdir(mode=0o700)
    key = read_signing_key(running.keys)
    made, signed_lines = _messages(), 0
    with running.witnesses[0].open("w", encoding="utf-8") as file:
        while heads.sequence < events:
            batch = list(islice(made, min(BATCH, events - heads.sequence)))
            async with connected(running) as client:
                await store(client, batch, lambda _: None)
            for one in batch:
                heads.take(one.sequence, one.subject, one.body)
                while signed_lines * events < one.sequence * lines:
                    signed_lines += 1
                    line = Line(
                        kind="checkpoint",
                        number=signed_lines,
                        incarnation=config["metadata"][subjects.INCARNATION],
                        sequence=heads.sequence,
                        cases=heads.cases,
                        digest=heads.digest.hex(),
                        at=BEGUN_AT + timedelta(minutes=signed_lines),
                        audit_sequence=0,
                        audit_digest="0" * 64,
                    )
                    file.write(signed(line, key) + "\n")
            if read_models:
                generations.following.apply(list(map(_recorded, batch)), batch[0].sequence - 1)
    generations.swap() if read_models else None
    database.dispose()
    return heads


def _messages() -> Iterator[StoredMessage]:
    """Whole cases for ever; a thousand at once take turns."""
    history: list[Event] = [
        opened(1),
        SurrenderDeclared(party="alone", declared_size=1),
        ReturnCodeIssued(code_hash=f"{1:064x}"),
        *(NoteAdded(text=SEALED) for _ in range(EVENTS_OF_CASE - 3)),
    ]
    stored = stored_log("TEMPLATE", history)
    types = [one.subject.rpartition(".")[2] for one in stored]
    template = Template("TEMPLATE", types, [one.body for one in stored])
    sequence = 0
    while True:
        under_way = [Copy(template) for _ in range(CASES_AT_ONCE)]
        for _ in range(EVENTS_OF_CASE):
            for copy in under_way:
                sequence += 1
                yield StoredMessage(sequence, *copy.next())


def _recorded(one: StoredMessage) -> RecordedEvent:
    at = read_time("2026-11-22T11:59:00.123456789Z")
    return RecordedEvent(*subjects.read_case_subject(one.subject), one.body, one.sequence, at)


def _verb(running: Running | None, *arguments: str) -> Json:
    """Runs a verb; gives what it says, how long it took, and what it held in memory at most."""
    environment = dict(os.environ)
    if running is not None:
        environment |= {
            "PASSAGE_NATS_URL": running.nats,
            "PASSAGE_KEYS_DIR": str(running.keys),
            "PASSAGE_DATABASE_URL": running.database,
            "PASSAGE_WITNESS_FILES": ",".join(map(str, running.witnesses)),
        }
    began = time.monotonic()
    verb = subprocess.Popen(  # noqa: S603 - our own interpreter
        [sys.executable, "-m", "passage", *arguments],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    peak = 0
    while verb.poll() is None:
        peak = max(peak, _peak_of(verb.pid))
        time.sleep(0.05)
    said = verb.communicate()[0]
    figures = {"seconds": round(time.monotonic() - began, 1), "megabytes": peak // MEBIBYTE}
    if verb.returncode:
        return {**figures, "exit": verb.returncode, "said": said[-2_000:]}
    answer = json.loads(said)
    shown = ("open", "events", "checkpoints", "bytes", "findings", "lost", "read_models")
    return {**figures, **{name: answer[name] for name in shown if name in answer}}


def _peak_of(pid: int) -> int:
    """What a process ever held, in KiB; 0 once it is gone."""
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    except OSError:
        return 0
    return next((int(one.split()[1]) for one in status.splitlines() if one[:6] == "VmHWM:"), 0)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=800_000)
    parser.add_argument("--lines", type=int, default=1_000_000)
    parser.add_argument("--read-models", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="passage-drill-") as folder:
        made = drill(Path(folder), options.events, options.lines, read_models=options.read_models)
    sys.stdout.write(json.dumps(made, ensure_ascii=False, indent=2) + "\n")
    return 0 if made["gate"].get("open") and made["gate_restored"].get("open") else 1


if __name__ == "__main__":
    sys.exit(main())
