"""What a person does with parked messages: list, retry, read, settle; settled ones are deleted."""

from collections.abc import AsyncIterator

from nats.aio.client import Client

from passage.api import Api, Json, api_of, commanded, ended_by_problem, fetched, sent
from passage.connecting import connected
from passage.exits import Exit, VerbEndedError
from passage.install.provisioning import ask
from passage.integrity.log_reading import last_sequence, read_stream
from passage.own_keys import AsPerson
from passage.running import Running
from shared import subjects
from shared.commands.base import ParkedCommand
from shared.parked.messages import Settled, Waiting, is_note, settled_of, still_waiting, waiting_of


async def waiting(running: Running, who: AsPerson) -> list[Json]:
    """As the API shows them."""
    async with api_of(running, who) as api:
        return [one async for one in _pages(api)]


async def _pages(api: Api) -> AsyncIterator[Json]:
    after: int | None = 0
    while after is not None:
        page = await fetched(api, "parked", after=after)
        for one in page["items"]:
            yield one
        after = page["next"]


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


async def _found(api: Api, parked_id: str) -> int:
    """Its sequence on PARKED."""
    async for one in _pages(api):
        if one["parked_id"] == parked_id:
            return int(one["sequence"])
    raise VerbEndedError(Exit.FAILED, f"nothing is parked under {parked_id}")


async def retry(running: Running, who: AsPerson, parked_id: str) -> Json:
    """Has its service try a message again, and deletes it if that succeeds."""
    async with api_of(running, who) as api:
        sequence = await _found(api, parked_id)
        answer = await sent(api, f"parked/{sequence}/retry", {})
    if answer["result"] == "done":
        # Services have no right to delete, or to change a stream in any other way.
        async with connected(running) as client:
            await _delete(client, sequence)
    return answer


async def read(running: Running, who: AsPerson, parked_id: str, why: Json) -> Json:
    """What a message says; the access is recorded first. `why`: purpose and remark."""
    async with api_of(running, who) as api:
        return await sent(api, f"parked/{await _found(api, parked_id)}/read", why)


async def settle(
    running: Running, who: AsPerson, command: type[ParkedCommand], parked_id: str, why: Json
) -> Json:
    """The command's answer; the parked message is deleted."""
    async with api_of(running, who) as api:
        sequence = await _found(api, parked_id)
        what = {"case_id": parked_id, "parked_sequence": sequence, **why}
        reply = await commanded(api, command.__name__, what, "running it again is safe")
    if not reply.ok:
        raise ended_by_problem(reply)
    async with connected(running) as client:
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
