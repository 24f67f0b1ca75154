"""The key files of a data folder. New keys can't open what lost ones sealed."""

from __future__ import annotations

from passage.exits import Exit, VerbEndedError
from passage.folders import Folders
from passage.install.installation import make_installation
from services.keyholder.secrets import HOLDER, read_secrets
from shared.keys.keyfiles import INTAKE_PUBLIC, KeyFilesError

KEY_FILES = (f"{HOLDER}/kek-*.key", f"{HOLDER}/pepper-*.key", f"{HOLDER}/intake.key", INTAKE_PUBLIC)
"""Patterns, because keys of later epochs replace the first ones."""


def ensure_keys(folders: Folders) -> None:
    """Makes the key files of a new data folder; an old one must have them.

    Raises VerbEndedError (1), which names the missing files.
    """
    missing = [name for name in KEY_FILES if not any(folders.keys.glob(name))]
    if missing and folders.has_log:
        raise VerbEndedError(
            Exit.FAILED,
            f"{', '.join(missing)} missing in {folders.keys}, and {folders.data} holds a log that "
            "only the old key files open: put them back from their copy, or choose a new folder "
            "with --data",
        )
    try:
        make_installation(folders.keys)
        read_secrets(folders.keys)
    except (KeyFilesError, OSError) as error:
        raise VerbEndedError(Exit.FAILED, f"{folders.keys}: {error}") from None
