"""`passage parked`: what could not be processed; to be tried again, read, taken up or set aside."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

import typer
from nats.aio.client import Client
from nats.errors import Error as NatsError
from pydantic import ValidationError

from passage.api import Json, api_of, commanded, ended_by_problem, sent
from passage.cli.options import DEFAULT_DATA_DIR, AsJson, DataDir
from passage.connecting import connected
from passage.exits import Exit, VerbEndedError
from passage.install.provisioning import ask
from passage.integrity.log_reading import last_sequence, read_stream
from passage.printing import counted, out, print_json, print_table
from passage.running import Running, find_running
from shared import subjects
from shared.commands.base import ParkedCommand
from shared.commands.parked import SetParkedAside, TakeUpParked
from shared.parked_messages import Settled, Waiting, is_note, settled_of, still_waiting, waiting_of
from shared.parking import RetryAnswer, RetryRequest

RETRY_TIMEOUT_S = 20.0
UNREADABLE = "unreadable"
COLUMNS = ("parked_id", "service", "reason", "field", "expected", "deliveries", "parked_at")

ParkedId = Annotated[str, typer.Argument(help="Its id, as `parked list` shows it.")]
By = Annotated[str, typer.Option(help="Who does it; a supervisor.")]
Purpose = Annotated[str, typer.Option(help="What for; it is recorded.")]

parked = typer.Typer(help="What could not be processed.", no_args_is_help=True)


@parked.command("list")
def list_verb(data: DataDir = DEFAULT_DATA_DIR, as_json: AsJson = False) -> None:
    """List what is parked and why; the original stays sealed."""
    waiting = asyncio.run(_list(find_running(data)))
    if as_json:
        print_json([as_json_of(one) for one in waiting])
        return
    print_table(
        f"{counted(len(waiting), 'message')} parked", COLUMNS, [as_row(one) for one in waiting]
    )


@parked.command("retry")
def retry_verb(
    parked_id: ParkedId, data: DataDir = DEFAULT_DATA_DIR, as_json: AsJson = False
) -> None:
    """Have the service try one parked message again; exit code 1 when it stays parked."""
    answer = asyncio.run(_retry(find_running(data), parked_id))
    if as_json:
        print_json(answer.model_dump())
    else:
        out.print(f"{parked_id}: {answer.result} {answer.reason}".rstrip())
    if answer.result == "still_parked":
        raise typer.Exit(Exit.FAILED)


@parked.command("read")
def read_verb(
    parked_id: ParkedId,
    by: By,
    purpose: Purpose,
    data: DataDir = DEFAULT_DATA_DIR,
    as_json: AsJson = False,
) -> None:
    """Show what a parked message says; who reads it and why is recorded first."""
    content = asyncio.run(_read(find_running(data), parked_id, {"by": by, "purpose": purpose}))
    if as_json:
        print_json(content)
    else:
        out.print(content["text"] if content["text"] is not None else content["base64"])


@parked.command("take-up")
def take_up_verb(
    parked_id: ParkedId,
    by: By,
    purpose: Purpose,
    data: DataDir = DEFAULT_DATA_DIR,
    as_json: AsJson = False,
) -> None:
    """Make a case of what a channel published and could not be read as a call."""
    who = {"by": by, "purpose": purpose}
    answer = asyncio.run(_settle(find_running(data), TakeUpParked, parked_id, who))
    if as_json:
        print_json(answer)
    else:
        out.print(f"{parked_id}: is case {answer['case_id']}")


@parked.command("set-aside")
def set_aside_verb(
    parked_id: ParkedId,
    by: By,
    purpose: Purpose,
    data: DataDir = DEFAULT_DATA_DIR,
    as_json: AsJson = False,
) -> None:
    """Let a parked message wait for nobody any more; who and why stays on record."""
    who = {"by": by, "purpose": purpose}
    answer = asyncio.run(_settle(find_running(data), SetParkedAside, parked_id, who))
    if as_json:
        print_json(answer)
    else:
        out.print(f"{parked_id}: set aside")


@parked.command("clear")
def clear_verb(data: DataDir = DEFAULT_DATA_DIR, as_json: AsJson = False) -> None:
    """Delete what was taken up or set aside; the record of it stays."""
    count = asyncio.run(_clear(find_running(data)))
    if as_json:
        print_json({"deleted": count})
    else:
        out.print(f"{counted(count, 'parked message')} deleted, taken up or set aside before")


def as_json_of(one: Waiting) -> dict[str, Any]:
    """A parked message for scripts."""
    if one.message is None:
        return {"parked_id": None, "reason": UNREADABLE, "parked_sequence": one.sequence}
    shown = one.message.model_dump(mode="json", exclude={"original"})
    return {**shown, "parked_sequence": one.sequence}


def as_row(one: Waiting) -> tuple[object, ...]:
    """A parked message for people."""
    if one.message is None:
        return ("", "", UNREADABLE, f"sequence {one.sequence} of {subjects.PARKED}", "", "", "")
    return tuple(getattr(one.message, column) for column in COLUMNS)


async def _list(running: Running) -> list[Waiting]:
    async with connected(running) as client:
        return still_waiting(*await parked_in(client))


async def parked_in(client: Client) -> tuple[list[Waiting], list[Settled]]:
    """Everything on PARKED: the messages, and the notes of what was done with some."""
    last = await last_sequence(client, subjects.PARKED)
    messages, notes = [], []
    async for stored in read_stream(client, subjects.PARKED, last):
        if not is_note(stored.subject):
            messages.append(_without_box(waiting_of(stored.sequence, stored.body)))
        elif (note := settled_of(stored.body)) is not None:
            notes.append(note)
    return messages, notes


def _without_box(one: Waiting) -> Waiting:
    """Hundreds may wait, of half a megabyte each; what they say is asked of the API."""
    if one.message is None:
        return one
    return one._replace(message=one.message.model_copy(update={"original": ""}))


async def _found(client: Client, parked_id: str) -> Waiting:
    for one in still_waiting(*await parked_in(client)):
        if one.message is not None and one.message.parked_id == parked_id:
            return one
    raise VerbEndedError(Exit.FAILED, f"nothing is parked under {parked_id}")


async def _retry(running: Running, parked_id: str) -> RetryAnswer:
    async with connected(running) as client:
        one = await _found(client, parked_id)
        service = one.message.service if one.message is not None else ""
        answer = await _ask_to_retry(client, service, one.sequence)
        if answer.result == "done":
            # Services may not delete, nor change a stream in any way.
            await ask(client, f"STREAM.MSG.DELETE.{subjects.PARKED}", {"seq": one.sequence})
        return answer


async def _ask_to_retry(client: Client, service: str, sequence: int) -> RetryAnswer:
    request = RetryRequest(sequence=sequence).model_dump_json().encode()
    try:
        reply = await client.request(subjects.retry(service), request, timeout=RETRY_TIMEOUT_S)
        return RetryAnswer.model_validate_json(reply.data)
    except (NatsError, ValidationError) as error:
        raise VerbEndedError(
            Exit.UNAVAILABLE, f"{service} does not answer ({type(error).__name__})"
        ) from None


async def _read(running: Running, parked_id: str, who: Json) -> Json:
    async with connected(running) as client:
        one = await _found(client, parked_id)
    async with api_of(running.http) as api:
        return await sent(api, f"parked/{one.sequence}/read", who)


async def _settle(
    running: Running, command: type[ParkedCommand], parked_id: str, who: Json
) -> Json:
    async with connected(running) as client:
        one = await _found(client, parked_id)
        async with api_of(running.http) as api:
            body = {**who, "case_id": parked_id, "parked_sequence": one.sequence}
            reply = await commanded(api, command.__name__, body, "running it again is safe")
        if not reply.ok:
            raise ended_by_problem(reply)
        await clear(client, parked_id)
    return reply.body


async def _clear(running: Running) -> int:
    async with connected(running) as client:
        return await clear(client)


async def clear(client: Client, parked_id: str | None = None) -> int:
    """Deletes what is settled, with its notes; one message, or all. Gives how many messages."""
    messages, notes = await parked_in(client)
    wanted = {one.parked_id for one in notes if parked_id in {None, one.parked_id}}
    waiting = {one.sequence for one in still_waiting(messages, notes)}
    gone = [
        one.sequence
        for one in messages
        if one.sequence not in waiting and one.message and one.message.parked_id in wanted
    ]
    for sequence in gone:
        await ask(client, f"STREAM.MSG.DELETE.{subjects.PARKED}", {"seq": sequence})
    for one_id in wanted:
        # After the message: without its note it would wait again.
        await ask(
            client, f"STREAM.PURGE.{subjects.PARKED}", {"filter": subjects.parked_note(one_id)}
        )
    return len(gone)
