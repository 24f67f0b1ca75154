"""Makes what an installation needs in its key folder; existing files stay."""

from pathlib import Path
from secrets import token_urlsafe

from passage.exits import Exit, VerbEndedError
from passage.folders import Folders
from passage.install.backup_keys import ensure_backup_keys
from passage.install.certificates import SERVER, authority_of, make_certificates
from passage.install.host_names import Names
from passage.install.identities import make_identities, public_keys, write_anew
from passage.install.nats_tls import Tls
from passage.install.permissions import configuration
from services.keyholder.secrets import HOLDER, make_key_files, read_secrets
from shared.keys.keyfiles import INTAKE_PUBLIC, KeyFilesError, make_channel_keys, write_new
from shared.policy import policy
from shared.witnesses.checkpoints import make_witness_keys

ACCOUNTS_FILE = "accounts.conf"
PASSWORD_FILE = "database.password"  # noqa: S105 - a file's name
PASSWORD_BYTES = 32


def make_installation(folder: Path, names: Names = Names()) -> None:  # noqa: B008 - it is frozen
    """Makes what is missing. Raises OSError and KeyFilesError."""
    make_key_files(folder)
    make_witness_keys(folder)
    make_channel_keys(folder)
    ensure_backup_keys(folder)
    make_identities(folder)
    make_certificates(folder, names)
    password = folder / PASSWORD_FILE  # A person may replace it.
    if names.postgres and not password.exists():
        write_new(password, token_urlsafe(PASSWORD_BYTES).encode())
    write_anew(folder / ACCOUNTS_FILE, accounts_of(folder).encode())


def server_tls(folder: Path) -> Tls:
    """What clients check nats-server by."""
    return Tls(SERVER.certificate(folder), SERVER.key(folder), authority_of(folder))


def accounts_of(folder: Path) -> str:
    """nats-server's accounts for the identities in a key folder. Raises OSError."""
    return configuration(policy(), public_keys(folder))


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
