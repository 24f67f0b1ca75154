"""`passage backup`: copy a running system into one encrypted file, and check such a file."""

import itertools
from pathlib import Path
from typing import Annotated

import typer

from passage.cli.options import DEFAULT_DATA_DIR, AsJson, DataDir
from passage.exits import Exit, VerbEndedError
from passage.folders import folders_of
from passage.install.backup_keys import SECRET, read_identity
from passage.install.quotas import Quota
from passage.integrity.backup.checking import UNCHECKED, backups_in, check, known_signer
from passage.integrity.backup.stream_configs import notes_in
from passage.integrity.backup.taking import STEPS, write_backup
from passage.printing import counted, err, out, print_json, print_table
from passage.runner.telling import telling
from passage.running import settings_of_environment

KeyOption = Annotated[
    Path | None,
    typer.Option("--key", help="The backups' backup.key.", show_default="the key folder's"),
]
SignerOption = Annotated[
    Path | None,
    typer.Option("--signer", help="A copy of witness.pub.", show_default="the key folder's"),
]

backup = typer.Typer(
    help="Copy a running system into one encrypted file, or check such a file.",
    invoke_without_command=True,
)


@backup.callback()
def backup_verb(
    context: typer.Context,
    to: Annotated[Path | None, typer.Option("--to", help="Folder for the file.")] = None,
    keep: Annotated[
        int | None, typer.Option(min=1, help="Keep only this many of the folder's backups.")
    ] = None,
    data: DataDir = DEFAULT_DATA_DIR,
    as_json: AsJson = False,
) -> None:
    """Copy log, buckets, read models and checkpoints into a new encrypted file in a folder."""
    if context.invoked_subcommand is not None:
        return
    if to is None:
        raise VerbEndedError(Exit.USAGE, "name the folder for the backup with --to")
    with telling(bars=not as_json, lines=False) as told:
        steps = itertools.count(1)
        written = write_backup(data, to, lambda step: told.tell_next(step, next(steps), STEPS))
    dropped = [] if keep is None else backups_in(to)[:-keep]
    for old in dropped:
        old.unlink()
    if as_json:
        print_json({**written.as_json(), "deleted": [str(old) for old in dropped]})
        return
    if written.taken.read_models_missing:
        err.print(f"without read models: {written.taken.read_models_missing}")
    for missing in written.taken.witnesses_missing:
        err.print(f"without the checkpoints of {missing}; name them in PASSAGE_WITNESS_FILES")
    if not written.is_signed:
        err.print("not signed: witness.key isn't among the key files here")
    out.print(
        f"{written.path}: {counted(written.taken.manifest.events, 'event')}, "
        f"{written.bytes} bytes, "
        f"{written.seconds:.1f} s"
    )


@backup.command("check")
def check_verb(
    file: Annotated[Path, typer.Argument(help="The backup.")],
    key: KeyOption = None,
    signer: SignerOption = None,
    data: DataDir = DEFAULT_DATA_DIR,
    as_json: AsJson = False,
) -> None:
    """Open a backup, and compare it with its manifest and its streams with their definitions.

    Changes nothing. Exit code 1 if it is damaged, or a stream in it is defined differently.
    """
    notes, quota = list[str](), Quota.of(settings_of_environment())
    identity = read_identity(key or folders_of(data).keys / SECRET)
    public = known_signer(signer, folders_of(data).keys)
    with telling(bars=not as_json, lines=False) as told:
        _, read = told.of_steps(file.stat().st_size if file.is_file() else 0)
        manifest = check(
            file, identity, read, public, lambda member: notes.extend(notes_in(member, quota))
        )
    if as_json:
        checked = {"file": str(file), "signature_checked": public is not None}
        print_json({**checked, **manifest.summary(), "definitions": notes})
    else:
        rows = [
            (one.name, one.messages, one.first_sequence, one.last_sequence)
            for one in manifest.streams
        ]
        print_table(f"{file} is whole", ("stream", "messages", "first", "last"), rows)
    if public is None:
        err.print(UNCHECKED)
    for note in notes:
        err.print(note)
    if notes:
        raise typer.Exit(Exit.FAILED)
