"""A verb's connection to nats-server, as the keeper or as a channel."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from nats.errors import AuthorizationError
from nats.errors import Error as NatsError

from passage.exits import Exit, VerbEndedError
from passage.running import Running
from shared.jetstream.raw_client import RawClient
from shared.servers.credentials import connect_options
from shared.servers.refused_connections import REFUSALS, refusal
from shared.subjects import KEEPER

CONNECT_TIMEOUT_S = 3


@asynccontextmanager
async def connected(
    where: Running | str, identity: str = KEEPER, attempts: int = 3
) -> AsyncIterator[RawClient]:
    """Connects as an identity to a system's nats-servers; reconnects while in use.

    A bare address is a server without accounts. Raises VerbEndedError: 5 if none answers, 1 if the
    identity is unknown or its files can't be read.
    """
    if isinstance(where, str):
        where = Running.bare(where)
    nkey = where.nkey_of(identity)
    if nkey is not None and nkey.stem != identity:
        # nats-server would not answer requests for which this identity has no right.
        raise VerbEndedError(
            Exit.FAILED,
            f"this needs {identity}.nk, but only {nkey.name} is here: run it where the former is",
        )
    client, wrong = RawClient(), list[str]()

    async def note(error: Exception) -> None:
        """Errors that waiting doesn't cure; calls raise the others."""
        wrong.extend(filter(None, [refusal(error)]))

    try:
        await client.connect(
            where.nats.split(","),
            connect_timeout=CONNECT_TIMEOUT_S,
            allow_reconnect=True,
            max_reconnect_attempts=attempts,
            reconnect_time_wait=0.2,
            error_cb=note,
            **connect_options(nkey, where.ca),
        )
    except (OSError, NatsError) as error:
        raise _not_connected(where, nkey, identity, error, wrong) from None
    try:
        yield client
    finally:
        await client.close()


def _not_connected(
    where: Running, nkey: Path | None, identity: str, error: Exception, wrong: Sequence[str]
) -> VerbEndedError:
    match error:
        case FileNotFoundError():
            problem = f"can't read {error.filename}; `passage init` makes it"
        case AuthorizationError():
            problem = (
                f"nats-server doesn't know this {identity}; `passage init` makes its accounts from "
                f"the public keys beside {nkey}"
            )
        case _ if wrong:
            problem = f"{where.nats}: {wrong[-1]}: {REFUSALS[wrong[-1]]}"
        case _:
            problem = f"no nats-server answers at {where.nats}; is `passage up` running?"
            return VerbEndedError(Exit.UNAVAILABLE, problem)
    return VerbEndedError(Exit.FAILED, problem)
