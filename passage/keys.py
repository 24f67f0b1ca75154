"""`passage keys`: make the key files of an installation in a folder of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from passage.exits import Exit, VerbEndedError
from passage.printing import out
from shared.keyfiles import KeyFilesError, make_key_files, read_key_files


def keys_verb(
    folder: Annotated[Path, typer.Argument(help="Folder; never inside the data folder.")],
) -> None:
    """Make the key files that are missing, mode 600; those that are there stay."""
    try:
        make_key_files(folder)
        read_key_files(folder)
    except (KeyFilesError, OSError) as error:
        raise VerbEndedError(Exit.FAILED, str(error)) from None
    out.print(f"the key files are in {folder}; back them up apart from the data")
