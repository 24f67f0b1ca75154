"""Tampers with the log on disk and by the API, and counts what is detected and repaired.

By hand:  python -m tests.integrity.tamper_drill --count 100
"""

import argparse
import asyncio
import json
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from passage.connecting import connected
from passage.folders import Folders, folders_of
from passage.install.provisioning import ask
from passage.integrity.gate import Gate, check_gate
from passage.integrity.log_reading import last_sequence, read_batches
from passage.integrity.repair.anew import Repair
from passage.integrity.verify.everything import verify
from passage.runner.own_server import stopped_log_of
from passage.running import Running
from shared import subjects
from tests.integrity.attacks import KINDS, Record, message_folder, on_disk
from tests.integrity.prepared import contents, prepare, some_log
from tests.waiting import WITHIN_S

WAYS = ("disk", "api")


@dataclass
class Counts:
    """How many trials of one kind went how."""

    trials: int = 0
    detected: int = 0
    repaired: int = 0
    found_by: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)


def drill(folder: Path, count: int, seed: int) -> dict[str, Counts]:
    """Does each kind of attack `count` times in each way; a fresh copy of one log each time."""
    prepared = prepare(folder / "prepared", some_log())
    with stopped_log_of(prepared) as running:
        before = asyncio.run(contents(running))
    results: dict[str, Counts] = {}
    for way in WAYS:
        for kind in KINDS:
            counts = results.setdefault(f"{way} {kind}", Counts())
            for number in range(count):
                trial = copied(prepared, folder / "trial")
                chance = random.Random(f"{seed} {way} {kind} {number}")  # noqa: S311
                _try(trial, way, kind, chance, before, counts)
    return results


def copied(prepared: Folders, to: Path) -> Folders:
    folders = folders_of(to)
    for old, new in (
        (prepared.data, folders.data),
        (prepared.keys, folders.keys),
        (prepared.witness, folders.witness),
    ):
        shutil.rmtree(new, ignore_errors=True)
        shutil.copytree(old, new)
    shutil.rmtree(folders.damaged, ignore_errors=True)
    return folders


def _try(
    trial: Folders,
    way: str,
    kind: str,
    chance: random.Random,
    before: list[tuple[int, str, bytes]],
    counts: Counts,
) -> None:
    counts.trials += 1
    if way == "disk":
        on_disk(message_folder(trial.nats), kind, chance)
    with stopped_log_of(trial) as running:
        if way == "api":
            asyncio.run(by_api(running, kind, chance))
        if asyncio.run(contents(running)) == before:
            counts.wrong.append(f"trial {counts.trials}: the attack changed nothing")
        gate = asyncio.run(check_gate(running))
        counts.detected += not gate.is_open
        counts.found_by.update({one.check for one in gate.findings.kept})
        problem = asyncio.run(_repaired(running, trial, gate, before))
        counts.repaired += problem is None
        if problem is not None:
            counts.wrong.append(f"trial {counts.trials}: {problem}")


async def _repaired(
    running: Running, trial: Folders, gate: Gate, before: list[tuple[int, str, bytes]]
) -> str | None:
    """Repairs and looks; gives what is wrong afterwards."""
    done = await Repair(running, gate.witnessed, trial.damaged).run()
    if done.plan.lost or await contents(running) != before:
        return "not the events that there were"
    after = await check_gate(running)
    if not after.is_open:
        return f"the gate stays closed: {after.findings.kept[0].what}"
    checked = await verify(running, lambda *_: None)
    return checked.findings.kept[0].what if checked.findings.errors else None


async def by_api(running: Running, kind: str, chance: random.Random) -> None:
    """Deletes the stream and makes it again with other content, under its own incarnation."""
    async with connected(running) as client:
        config = (await ask(client, "STREAM.INFO.CASES", None))["config"]
        last = await last_sequence(client, subjects.CASES)
        records = [
            Record(one.sequence, 0, one.subject, b"", one.body)
            async for batch in read_batches(client, subjects.CASES, last)
            for one in batch
        ]
        forged = KINDS[kind](records, chance)
        await ask(client, "STREAM.DELETE.CASES", None)
        await ask(client, "STREAM.CREATE.CASES", {**config, "deny_delete": False})
        sequence = 0
        for one in forged:
            for _ in range(sequence + 1, one.sequence):  # A hole: stored, and deleted again.
                await client.request("cases.GAP.1.CaseOpened", b"{}", timeout=WITHIN_S)
                await ask(client, "STREAM.MSG.DELETE.CASES", {"seq": sequence + 1})
            sequence = one.sequence
            await client.publish(one.subject, one.body)
        await client.flush()
        await ask(client, "STREAM.UPDATE.CASES", config)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="passage-tamper-") as folder:
        results = drill(Path(folder), options.count, options.seed)
    report = {
        name: {
            "trials": one.trials,
            "detected": one.detected,
            "repaired": one.repaired,
            "found_by": dict(one.found_by.most_common()),
            "wrong": one.wrong[:5],
        }
        for name, one in results.items()
    }
    sys.stdout.write(json.dumps(report, indent=2) + "\n")
    sys.stdout.write(f"{time.monotonic() - began:.0f} s\n")
    clean = all(one.trials == one.detected == one.repaired for one in results.values())
    return 0 if clean else 1


if __name__ == "__main__":
    sys.exit(main())
