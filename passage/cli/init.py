"""`passage init`: everything an installation needs in its key folder, made once.

Key files, the nkeys of all identities, an authority and a certificate for each role, the
database's password, and nats-server's accounts. What is there stays, but for what is derived.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from passage.exits import Exit, VerbEndedError
from passage.install.certificates import ROLES, unnamed
from passage.install.host_names import IN_COMPOSE, Names
from passage.install.identities import identities
from passage.install.installation import ACCOUNTS_FILE, PASSWORD_FILE, make_installation
from passage.printing import out, print_table
from shared.keyfiles import CHANNELS, KeyFilesError

DEFAULT_FOLDER = Path(".passage.keys")

NatsNames = Annotated[
    list[str] | None,
    typer.Option(
        "--nats",
        metavar="HOST",
        help="Host name or address of a nats-server; may be repeated.",
        show_default="nats-1, nats-2, nats-3",
    ),
]
QueryNames = Annotated[
    list[str] | None,
    typer.Option(
        "--query",
        metavar="HOST",
        help="By what else than loopback the API is asked; may be repeated.",
        show_default="query",
    ),
]
PostgresNames = Annotated[
    list[str] | None,
    typer.Option(
        "--postgres",
        metavar="HOST",
        help="Host name or address of PostgreSQL; may be repeated.",
        show_default="postgres",
    ),
]


def init_verb(
    folder: Annotated[Path, typer.Argument(help="Key folder; never inside the data folder.")] = (
        DEFAULT_FOLDER
    ),
    nats: NatsNames = None,
    query: QueryNames = None,
    postgres: PostgresNames = None,
) -> None:
    """Make keys, identities, certificates and nats-server's accounts; what is there stays."""
    usual = IN_COMPOSE
    try:
        asked = Names.of(nats or (), query or (), postgres or ())
        wanted = Names.of(nats or usual.nats, query or usual.query, postgres or usual.postgres)
    except ValueError as error:
        raise VerbEndedError(Exit.USAGE, str(error)) from None
    try:
        make_installation(folder, wanted)
        _require_names(folder, asked)
    except (KeyFilesError, OSError) as error:
        raise VerbEndedError(Exit.FAILED, f"{folder}: {error}") from None
    certificates = ((f"certificate {one.name}", ", ".join(one.names(folder))) for one in ROLES)
    print_table(
        f"Made in {folder}",
        ("what", "where"),
        (
            ("key files", "back them up apart from the data"),
            ("identities", ", ".join(identities())),
            ("channels' keys", folder / CHANNELS),
            *certificates,
            ("database's password", folder / PASSWORD_FILE),
            ("nats-server's accounts", folder / ACCOUNTS_FILE),
        ),
    )
    out.print("give each service its own nkeys/NAME.nk and nothing else; keep tls/ca.key elsewhere")
    out.print("give each channel its own nkeys/channel-NAME.nk and channels/NAME.key")


def _require_names(folder: Path, asked: Names) -> None:
    """Raises VerbEndedError (1) where a certificate that was there isn't good for a name."""
    found = unnamed(folder, asked)
    if found:
        raise VerbEndedError(
            Exit.FAILED,
            "; ".join(
                f"tls/{role.name}.pem, which was there, isn't good for {', '.join(names)}: move "
                f"{role.name}.pem and {role.name}.key in {folder / 'tls'} aside and run this again"
                for role, names in found.items()
            ),
        )
