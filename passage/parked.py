"""What a person does with parked messages: list, retry, read, settle; settled ones are deleted."""

from nats.aio.client import Client
from nats.errors import Error as NatsError
from pydantic import ValidationError

from passage.api import Json, api_of, commanded, ended_by_problem, sent
from passage.connecting import connected
from passage.exits import Exit, VerbEndedError
from passage.install.provisioning import ask
from passage.integrity.log_reading import last_sequence, read_stream
from passage.own_keys import AsPerson
from passage.running import Running
from shared import subjects
from shared.commands.base import ParkedCommand
from shared.parked.messages import Settled, Waiting, is_note, settled_of, still_waiting, waiting_of
from shared.parked.parking import RetryAnswer, RetryRequest

RETRY_TIMEOUT_S = 20.0


async def waiting(running: Running) -> list[Waiting]:
    async with connected(running) as client:
        return still_waiting(*await parked_in(client))


async def parked_in(client: Client) -> tuple[list[Waiting], list[Settled]]:
    """Everything on PARKED: the messages, and the notes on those that were settled."""
    last = await last_sequence(client, subjects.PARKED)
    messages, notes = [], []
    async for stored in read_stream(client, subjects.PARKED, last):
        if not is_note(stored.subject):
            messages.append(_without_box(waiting_of(stored.sequence, stored.body)))
        elif (note := settled_of(stored.body)) is not None:
            notes.append(note)
    return messages, notes


def _without_box(one: Waiting) -> Waiting:
    """Hundreds may wait, of half a megabyte each, and only the API opens their boxes."""
    if one.message is None:
        return one
    return one._replace(message=one.message.model_copy(update={"original": ""}))


async def _found(client: Client, parked_id: str) -> Waiting:
    for one in still_waiting(*await parked_in(client)):
        if one.message is not None and one.message.parked_id == parked_id:
            return one
    raise VerbEndedError(Exit.FAILED, f"nothing is parked under {parked_id}")


async def retry(running: Running, parked_id: str) -> RetryAnswer:
    """Has its service try a message again, and deletes it if that succeeds."""
    async with connected(running) as client:
        one = await _found(client, parked_id)
        service = one.message.service if one.message is not None else ""
        request = RetryRequest(sequence=one.sequence).model_dump_json().encode()
        try:
            reply = await client.request(subjects.retry(service), request, timeout=RETRY_TIMEOUT_S)
            answer = RetryAnswer.model_validate_json(reply.data)
        except (NatsError, ValidationError) as error:
            raise VerbEndedError(
                Exit.UNAVAILABLE, f"{service} does not answer ({type(error).__name__})"
            ) from None
        if answer.result == "done":
            # Services have no right to delete, or to change a stream in any other way.
            await _delete(client, one.sequence)
        return answer


async def read(running: Running, who: AsPerson, parked_id: str, purpose: str) -> Json:
    """What a message says; the access is recorded first."""
    async with connected(running) as client:
        one = await _found(client, parked_id)
    async with api_of(running, who) as api:
        return await sent(api, f"parked/{one.sequence}/read", {"purpose": purpose})


async def settle(
    running: Running, who: AsPerson, command: type[ParkedCommand], parked_id: str, purpose: str
) -> Json:
    """The command's answer; the parked message is deleted."""
    async with connected(running) as client:
        one = await _found(client, parked_id)
        async with api_of(running, who) as api:
            what = {"case_id": parked_id, "parked_sequence": one.sequence, "purpose": purpose}
            reply = await commanded(api, command.__name__, what, "running it again is safe")
        if not reply.ok:
            raise ended_by_problem(reply)
        await clear(client, parked_id)
    return reply.body


async def clear_all(running: Running) -> int:
    async with connected(running) as client:
        return await clear(client)


async def clear(client: Client, parked_id: str | None = None) -> int:
    """Deletes settled messages with their notes, one or all; returns how many messages."""
    messages, notes = await parked_in(client)
    wanted = {one.parked_id for one in notes if parked_id in {None, one.parked_id}}
    waiting_still = {one.sequence for one in still_waiting(messages, notes)}
    gone = [
        one.sequence
        for one in messages
        if one.sequence not in waiting_still and one.message and one.message.parked_id in wanted
    ]
    for sequence in gone:
        await _delete(client, sequence)
    for one_id in wanted:
        # After the message: without its note it would wait again.
        await ask(
            client, f"STREAM.PURGE.{subjects.PARKED}", {"filter": subjects.parked_note(one_id)}
        )
    return len(gone)


async def _delete(client: Client, sequence: int) -> None:
    await ask(client, f"STREAM.MSG.DELETE.{subjects.PARKED}", {"seq": sequence})
