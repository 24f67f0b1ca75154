"""`passage parked list|retry`: what could not be processed, and trying it once more."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Annotated, Any

import typer
from nats.aio.client import Client
from nats.errors import Error as NatsError
from pydantic import ValidationError

from passage.connecting import connected
from passage.exits import Exit, VerbEndedError
from passage.log_reading import last_sequence, read_stream
from passage.options import DEFAULT_DATA_DIR, AsJson, DataDir
from passage.printing import out, print_json, print_table
from passage.provisioning import ask
from passage.running import Running, find_running
from shared import subjects
from shared.parking import Parked, RetryAnswer, RetryRequest

RETRY_TIMEOUT_S = 20.0
UNREADABLE = "unreadable"
COLUMNS = ("parked_id", "service", "reason", "field", "expected", "deliveries", "parked_at")

parked = typer.Typer(help="What could not be processed.", no_args_is_help=True)


@dataclass(frozen=True)
class Waiting:
    """A parked message and where it stands on PARKED."""

    sequence: int
    message: Parked | None
    """None: it is not readable."""

    def as_json(self) -> dict[str, Any]:
        if self.message is None:
            return {"parked_id": None, "reason": UNREADABLE, "parked_sequence": self.sequence}
        return self.message.model_dump(mode="json", exclude={"original"})

    def as_row(self) -> tuple[object, ...]:
        if self.message is None:
            return ("", "", UNREADABLE, f"sequence {self.sequence} of {subjects.PARKED}")
        return tuple(getattr(self.message, column) for column in COLUMNS)


@parked.command("list")
def list_verb(data: DataDir = DEFAULT_DATA_DIR, as_json: AsJson = False) -> None:
    """List what is parked and why; the original stays sealed."""
    waiting = asyncio.run(_list(find_running(data)))
    if as_json:
        print_json([one.as_json() for one in waiting])
        return
    print_table(f"{len(waiting)} parked", COLUMNS, [one.as_row() for one in waiting])


@parked.command("retry")
def retry_verb(
    parked_id: Annotated[str, typer.Argument(help="Its id, as `parked list` shows it.")],
    data: DataDir = DEFAULT_DATA_DIR,
    as_json: AsJson = False,
) -> None:
    """Have the service try one parked message again; exit code 1 when it stays parked."""
    answer = asyncio.run(_retry(find_running(data), parked_id))
    if as_json:
        print_json(answer.model_dump())
    else:
        out.print(f"{parked_id}: {answer.result} {answer.reason}".rstrip())
    if answer.result == "still_parked":
        raise typer.Exit(Exit.FAILED)


async def _list(running: Running) -> list[Waiting]:
    async with connected(running) as client:
        return await _waiting(client)


async def _waiting(client: Client) -> list[Waiting]:
    last = await last_sequence(client, subjects.PARKED)
    found = []
    async for stored in read_stream(client, subjects.PARKED, last):
        found.append(Waiting(stored.sequence, _read(stored.body)))
    return found


def _read(body: bytes) -> Parked | None:
    try:
        return Parked.model_validate_json(body)
    except ValidationError:
        return None


async def _retry(running: Running, parked_id: str) -> RetryAnswer:
    async with connected(running) as client:
        for one in await _waiting(client):
            if one.message is not None and one.message.parked_id == parked_id:
                answer = await _ask_to_retry(client, one.message.service, one.sequence)
                if answer.result == "done":
                    # Services may not delete, nor change a stream in any way.
                    await ask(client, f"STREAM.MSG.DELETE.{subjects.PARKED}", {"seq": one.sequence})
                return answer
    raise VerbEndedError(Exit.FAILED, f"nothing is parked under {parked_id}")


async def _ask_to_retry(client: Client, service: str, sequence: int) -> RetryAnswer:
    request = RetryRequest(sequence=sequence).model_dump_json().encode()
    try:
        reply = await client.request(subjects.retry(service), request, timeout=RETRY_TIMEOUT_S)
        return RetryAnswer.model_validate_json(reply.data)
    except (NatsError, ValidationError) as error:
        raise VerbEndedError(
            Exit.UNAVAILABLE, f"{service} does not answer ({type(error).__name__})"
        ) from None
