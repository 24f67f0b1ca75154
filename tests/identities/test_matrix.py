"""Every identity tries to publish everything, and to hear everything: what arrives is exactly what
the policy file says, whoever sent it.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import NamedTuple

import pytest
from nats.aio.msg import Msg

from tests.identities.cells import CHANNELS, SERVICES, Cell, cells, granted
from tests.identities.conftest import ALL, Ground, Guest
from tests.waiting import WITHIN_S

CELLS = tuple(cells())
LIMITED = tuple(one for one in ALL if one != "keeper")
WILDCARDS = (">", "*.>", "cases.>", "calls.>", "_INBOX.>", "$JS.>", "$KV.>", "_R_.>")


class Heard(NamedTuple):
    by: str
    sender: str
    cell: Cell
    subject: str


@pytest.fixture(scope="module")
def heard(ground: Ground) -> set[Heard]:
    """Everybody tries everything once; gives all that anybody got."""
    return asyncio.run(_try_everything(ground))


async def _try_everything(ground: Ground) -> set[Heard]:
    got: set[Heard] = set()
    async with ground.guests() as guests:
        for name, guest in guests.items():
            await _listen(name, guest, got)
        for sender in LIMITED:
            await _publish_all(sender, guests[sender])
        # The server answers a ping after what came before it: then everything has arrived.
        for guest in [*guests.values(), *guests.values()]:
            await guest.client.flush()
    return got


async def _listen(name: str, guest: Guest, got: set[Heard]) -> None:
    def taker(identity: str) -> Callable[[Msg], Awaitable[None]]:
        async def take(message: Msg) -> None:
            marker = message.data.decode(errors="replace").split(" ")
            if marker[0] == "tried" and message.subject != "probe":
                sender, number = marker[1], int(marker[2])
                got.add(Heard(identity, sender, CELLS[number], message.subject))

        return take

    subjects = {subject for cell in CELLS for subject in cell.tried}
    for subject in (*WILDCARDS, *sorted(subjects)):
        await guest.client.subscribe(subject, cb=taker(name))
    await guest.client.flush()


async def _publish_all(sender: str, guest: Guest) -> None:
    for number, cell in enumerate(CELLS):
        for subject in cell.tried:
            await guest.client.publish(subject, f"tried {sender} {number}".encode())
    await guest.client.flush()


def test_there_is_much_to_try() -> None:
    assert len(CELLS) > 300
    assert {cell.kind for cell in CELLS} >= {"event", "command", "stream", "consumer", "ask"}


@pytest.mark.parametrize("sender", LIMITED)
def test_what_arrives_is_exactly_what_the_policy_grants(heard: set[Heard], sender: str) -> None:
    arrived = {
        one.cell
        for one in heard
        if one.sender == sender and one.by == one.cell.owner and one.subject == one.cell.subject
    }
    assert arrived == {cell for cell in CELLS if granted(sender, cell)}


@pytest.mark.parametrize("listener", LIMITED)
def test_nobody_hears_what_is_another_s(heard: set[Heard], listener: str) -> None:
    overheard = {one.cell for one in heard if one.by == listener and one.cell.owner != listener}
    assert overheard == set()


@pytest.mark.parametrize("channel", CHANNELS)
def test_a_channel_hears_nothing_and_its_calls_and_pulls_alone_arrive(
    heard: set[Heard], channel: str
) -> None:
    calls = ("keeper", f"calls.{channel}")
    arrived = {
        f"channel-{channel}": {calls},
        f"outbox-{channel}": {
            calls,
            ("keeper", f"$JS.API.CONSUMER.MSG.NEXT.OUTBOUND.{channel}"),
            ("keeper", f"$JS.ACK.OUTBOUND.{channel}.1.1.1.1.0"),
        },
    }
    for identity, sent in arrived.items():
        assert {one for one in heard if one.by == identity} == set()
        assert {(one.by, one.subject) for one in heard if one.sender == identity} == sent


@pytest.mark.parametrize("service", SERVICES)
async def test_a_service_hears_of_new_events_only_if_it_reads_the_log(
    ground: Ground, service: str
) -> None:
    async with ground.guest(service) as guest, ground.guest("keeper") as keeper:
        news = await guest.client.subscribe("news.>")
        await guest.client.flush()
        await keeper.client.request("cases.0EXAMP000009.1.Invented", b"secret", timeout=WITHIN_S)
        message = await news.next_msg(timeout=WITHIN_S)
        assert message.data == b""
        assert message.headers is not None
        assert int(message.headers["Nats-Sequence"]) > 0
