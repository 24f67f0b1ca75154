"""`passage init`: everything an installation needs in its key folder, made once.

Key files, the nkeys of all identities, a certificate authority with the servers' certificate, and
nats-server's accounts. What is there stays, but for what is derived from it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from passage.certificates import (
    CA_FILE,
    FOLDER,
    SERVER_FILE,
    SERVER_KEY_FILE,
    make_certificates,
    names_of,
)
from passage.backing_up.recipient import ensure_backup_keys
from passage.exits import Exit, VerbEndedError
from passage.identities import identities, make_identities, public_keys, write_anew
from passage.nats_server import Tls
from passage.permissions import configuration
from passage.printing import out, print_table
from services.keyholder.secrets import make_key_files
from shared.checkpoints import make_witness_keys
from shared.keyfiles import CHANNELS, KeyFilesError, make_channel_keys
from shared.policy import policy

ACCOUNTS_FILE = "accounts.conf"
DEFAULT_FOLDER = Path(".passage.keys")


def init_verb(
    folder: Annotated[Path, typer.Argument(help="Key folder; never inside the data folder.")] = (
        DEFAULT_FOLDER
    ),
    name: Annotated[
        list[str] | None,
        typer.Option("--name", help="Host name or address of a server; may be repeated."),
    ] = None,
) -> None:
    """Make keys, identities, certificates and nats-server's accounts; what is there stays."""
    wanted = name or []
    try:
        make_installation(folder, wanted)
        unnamed = [one for one in wanted if one not in names_of(folder)]
    except (KeyFilesError, OSError, ValueError) as error:
        raise VerbEndedError(Exit.FAILED, f"{folder}: {error}") from None
    if unnamed:
        raise VerbEndedError(
            Exit.FAILED,
            f"the server certificate that is there isn't good for {', '.join(unnamed)}; move "
            f"server.pem and server.key in {folder / 'tls'} aside and run this again",
        )
    print_table(
        f"Made in {folder}",
        ("what", "where"),
        (
            ("key files", "back them up apart from the data"),
            ("identities", ", ".join(identities())),
            ("channels' keys", folder / CHANNELS),
            ("server certificate", ", ".join(names_of(folder))),
            ("nats-server's accounts", folder / ACCOUNTS_FILE),
        ),
    )
    out.print("give each service its own nkeys/NAME.nk and nothing else; keep tls/ca.key elsewhere")
    out.print("give each channel its own nkeys/channel-NAME.nk and channels/NAME.key")


def make_installation(folder: Path, names: list[str] | None = None) -> None:
    """Makes what is missing. Raises OSError, KeyFilesError, and ValueError for a bad name."""
    make_key_files(folder)
    make_witness_keys(folder)
    make_channel_keys(folder)
    ensure_backup_keys(folder)
    make_identities(folder)
    make_certificates(folder, names or ())
    write_anew(folder / ACCOUNTS_FILE, accounts_of(folder).encode())


def server_tls(folder: Path) -> Tls:
    """Gives the files of the servers' certificate."""
    tls = folder / FOLDER
    return Tls(tls / SERVER_FILE, tls / SERVER_KEY_FILE, tls / CA_FILE)


def accounts_of(folder: Path) -> str:
    """Gives nats-server's accounts for the identities in a key folder. Raises OSError."""
    return configuration(policy(), public_keys(folder))
