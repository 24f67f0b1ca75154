"""`passage init`: makes what an installation needs in its key folder.

Key files, the nkeys of all identities, an authority and a certificate for each role, the
database's password, and nats-server's accounts. Existing files stay; derived ones are made anew.
"""

from pathlib import Path
from typing import Annotated, Any

import typer

from passage.exits import Exit, VerbEndedError
from passage.install.certificates import ROLES, Role, unnamed
from passage.install.host_names import IN_COMPOSE, Names
from passage.install.identities import identities
from passage.install.installation import ACCOUNTS_FILE, PASSWORD_FILE, make_installation
from passage.printing import out, print_table
from shared.keys.keyfiles import CHANNELS, KeyFilesError

DEFAULT_FOLDER = Path(".passage.keys")


def _names(option: str, of_what: str, usual: tuple[str, ...]) -> Any:
    return typer.Option(
        option,
        metavar="HOST",
        help=f"Host name or address of {of_what}; may be repeated.",
        show_default=", ".join(usual),
    )


NatsNames = Annotated[list[str] | None, _names("--nats", "a nats-server", IN_COMPOSE.nats)]
QueryNames = Annotated[
    list[str] | None, _names("--query", "the API, besides loopback", IN_COMPOSE.query)
]
PostgresNames = Annotated[list[str] | None, _names("--postgres", "PostgreSQL", IN_COMPOSE.postgres)]


def init_verb(
    folder: Annotated[Path, typer.Argument(help="Key folder; never inside the data folder.")] = (
        DEFAULT_FOLDER
    ),
    nats: NatsNames = None,
    query: QueryNames = None,
    postgres: PostgresNames = None,
) -> None:
    """Make keys, identities, certificates and nats-server's accounts; existing ones stay."""
    usual = IN_COMPOSE
    try:
        asked = Names.of(nats or (), query or (), postgres or ())
        wanted = Names.of(nats or usual.nats, query or usual.query, postgres or usual.postgres)
    except ValueError as error:
        raise VerbEndedError(Exit.USAGE, str(error)) from None
    try:
        make_installation(folder, wanted)
        wrong = [_unnamed(folder, *one) for one in unnamed(folder, asked).items()]
    except (KeyFilesError, OSError) as error:
        raise VerbEndedError(Exit.FAILED, f"{folder}: {error}") from None
    if wrong:
        raise VerbEndedError(Exit.FAILED, "; ".join(wrong))
    certificates = ((f"certificate {one.name}", ", ".join(one.names(folder))) for one in ROLES)
    print_table(
        f"Made in {folder}",
        ("what", "where"),
        (
            ("key files", "back them up, but not with the data"),
            ("identities", ", ".join(identities())),
            ("channels' keys", folder / CHANNELS),
            *certificates,
            ("database's password", folder / PASSWORD_FILE),
            ("nats-server's accounts", folder / ACCOUNTS_FILE),
        ),
    )
    out.print("give each service its own nkeys/NAME.nk and nothing else; keep tls/ca.key elsewhere")
    out.print("give each channel its own nkeys/{channel,outbox}-NAME.nk and channels/NAME.key")


def _unnamed(folder: Path, role: Role, names: tuple[str, ...]) -> str:
    return (
        f"the existing tls/{role.name}.pem isn't good for {', '.join(names)}: move {role.name}.pem "
        f"and {role.name}.key in {folder / 'tls'} aside and run this again"
    )
