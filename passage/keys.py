"""`passage keys`: make the key files of an installation in a folder of its own.

New keys can't open what was sealed with lost ones: for a log that is there, none are made.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from passage.backing_up.recipient import ensure_backup_keys
from passage.exits import Exit, VerbEndedError
from passage.folders import Folders
from passage.printing import out
from shared.keyfiles import KEK_EPOCH, KeyFilesError, make_key_files, read_key_files

KEY_FILES = (f"kek-{KEK_EPOCH}.key", "pepper-1.key", "intake.key", "intake.pub")


def keys_verb(
    folder: Annotated[Path, typer.Argument(help="Folder; never inside the data folder.")],
) -> None:
    """Make the key files that are missing, mode 600; those that are there stay."""
    try:
        make_key_files(folder)
        read_key_files(folder)
        ensure_backup_keys(folder)
    except (KeyFilesError, OSError) as error:
        raise VerbEndedError(Exit.FAILED, str(error)) from None
    out.print(f"the key files are in {folder}; back them up apart from the data")


def ensure_keys(folders: Folders) -> None:
    """Makes the key files of a new data folder; those of an old one must be there.

    Raises VerbEndedError (1) that names the file and what to do.
    """
    missing = [name for name in KEY_FILES if not (folders.keys / name).exists()]
    if missing and folders.has_log:
        raise VerbEndedError(
            Exit.FAILED,
            f"{', '.join(missing)} missing in {folders.keys}, and {folders.data} holds a log that "
            "only the old key files open: put them back from their copy, or choose a new folder "
            "with --data",
        )
    try:
        make_key_files(folders.keys)
        read_key_files(folders.keys)
        ensure_backup_keys(folders.keys)
    except (KeyFilesError, OSError) as error:
        raise VerbEndedError(Exit.FAILED, f"{folders.keys}: {error}") from None
