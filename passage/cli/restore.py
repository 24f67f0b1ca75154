"""`passage restore`: fill an empty data folder from a backup, completely or not at all."""

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from passage.cli.backup import KeyOption, SignerOption
from passage.cli.options import AsJson
from passage.folders import folders_of
from passage.install.backup_keys import SECRET, read_identity
from passage.integrity.backup.checking import UNCHECKED, known_signer, newest_of
from passage.integrity.backup.manifest import warning_of_messages
from passage.integrity.backup.restoring import Incoming, Restored, restore, restore_into_running
from passage.integrity.backup.witnesses import read_witness
from passage.printing import counted, err, out, print_json
from passage.runner.telling import telling
from passage.running import find_running, witnesses_of


def restore_verb(  # noqa: PLR0913, PLR0917 - the options of a verb
    source: Annotated[Path, typer.Option("--from", help="A backup, or a folder: its newest.")],
    data: Annotated[Path, typer.Option("--data", help="New data folder; empty or not there.")],
    key: KeyOption = None,
    signer: SignerOption = None,
    witness: Annotated[
        list[Path] | None,
        typer.Option("--witness", help="A checkpoint file: says what is lost. May be repeated."),
    ] = None,
    database: Annotated[
        str | None, typer.Option("--database", help="An empty PostgreSQL instead of SQLite.")
    ] = None,
    into_running: Annotated[
        bool, typer.Option("--into-running", help="Fill the environment's empty nats-servers.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Restore a backup into an empty data folder; afterwards `passage up` and `passage verify`."""
    folders, file = folders_of(data), newest_of(source)
    identity = read_identity(key or folders.keys / SECRET)
    keys = find_running(folders.data).keys if into_running else folders.keys
    public = known_signer(signer, keys)
    checkpoints = [read_witness(path) for path in witness or ()]
    started = time.monotonic()
    with telling(bars=not as_json, lines=False) as told:
        steps = told.of_steps(file.stat().st_size)
        backup = Incoming(file, identity, public, checkpoints, *steps)
        if into_running:
            restored = restore_into_running(folders, backup)
        else:
            restored = restore(folders, backup, witnesses_of(folders), database)
    seconds = time.monotonic() - started
    done = restored.done
    warning = warning_of_messages(done.manifest, datetime.now(UTC))
    done.notes += [] if warning is None else [warning]
    done.notes += [] if public is not None else [UNCHECKED]
    if as_json:
        print_json(_as_json(restored, file, folders.data, seconds))
    else:
        _print(restored, file, folders.data, seconds)


def _as_json(restored: Restored, file: Path, data: Path, seconds: float) -> dict[str, Any]:
    done = restored.done
    return {
        **done.manifest.summary(),
        "file": str(file),
        "bytes": file.stat().st_size,
        "data": str(data),
        "seconds": round(seconds, 2),
        "read_models": done.read_models_sequence,
        "lost": restored.lost._asdict(),
        "new_incarnation": restored.incarnation,
        "notes": done.notes,
    }


def _print(restored: Restored, file: Path, data: Path, seconds: float) -> None:
    done, lost = restored.done, restored.lost
    for note in done.notes:
        err.print(note)
    out.print(
        f"{data}: {counted(done.manifest.events, 'event')} of {done.manifest.started_at} "
        f"from {file.stat().st_size} bytes in {seconds:.1f} s"
    )
    if lost.events:
        out.print(f"events lost: {lost.events} (sequence {lost.first} to {lost.last})")
        out.print(f"the log has a new incarnation: {restored.incarnation}")
    else:
        out.print("events lost: none that a checkpoint knows of")
    out.print("next: put the key files back, then `passage up` and `passage verify`")
