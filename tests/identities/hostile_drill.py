"""A drill to run by hand: genuine calls on two channels while somebody with phone's credentials
claims their ids first and tries every header. Says how many were acknowledged, and how many lost.

    python -m tests.identities.hostile_drill --calls 10000
"""

import argparse
import asyncio
import itertools
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path

from nats.aio.client import Client
from nats.errors import Error as NatsError

from passage.channel import Call, NotKeptError, envelope_of, publish
from passage.connecting import connected
from passage.integrity.log_reading import last_sequence, read_stream
from passage.printing import out
from services.intake import durability
from shared.events.fields import Channel
from shared.events.intake import CallLinked, CaseOpened
from shared.events.parsing import read_case_event
from shared.keys.keyfiles import read_intake_public_key
from tests.examples import NOON
from tests.identities.conftest import Ground, open_ground
from tests.identities.hostile import claimed, headers
from tests.waiting import WITHIN_S
from tests.wire.conftest import WIRES

CALLERS = 500
AT_ONCE = 20
CHANNELS: tuple[Channel, ...] = ("phone", "telegram")
DONE_WITHIN_S = 3_600.0


class Drill:
    """What was tried, acknowledged and refused."""

    def __init__(self, ground: Ground, calls: int) -> None:
        self._ground = ground
        self._calls = calls
        self._key = read_intake_public_key(ground.keys)
        self.acknowledged: set[tuple[str, str]] = set()
        self.refused = 0
        self.hostile = 0

    async def run(self, clients: Mapping[Channel, Client]) -> None:
        hostile = itertools.cycle([*headers(), *headers("calls.phone")])
        for first in range(0, self._calls, AT_ONCE):
            numbers = range(first, min(first + AT_ONCE, self._calls))
            for number in numbers:
                for one in (*claimed(number), next(hostile)):
                    await clients["phone"].publish("calls.phone", b"junk", headers=one)
                    self.hostile += 1
            await asyncio.gather(
                *(self._call(clients[CHANNELS[n % 2]], CHANNELS[n % 2], n) for n in numbers)
            )

    async def _call(self, client: Client, channel: Channel, number: int) -> None:
        address = f"+38044{number % CALLERS:07}" if channel == "phone" else f"man{number % CALLERS}"
        call = Call(f"call-{number}", channel, address, "ru", NOON, "I want to live")
        envelope = envelope_of(call, self._key)
        while True:
            try:
                await publish(client.jetstream(timeout=WITHIN_S), envelope)
            except NotKeptError:
                self.refused += 1  # It is told, and would keep the call.
                return
            except NatsError:
                continue  # No answer: it sends the call again.
            self.acknowledged.add((channel, call.call_id))
            return


async def in_cases(keeper: Client) -> Counter[tuple[str, str]]:
    found: Counter[tuple[str, str]] = Counter()
    async for stored in read_stream(keeper, "CASES", await last_sequence(keeper, "CASES")):
        data = read_case_event(stored.body).data
        if isinstance(data, CaseOpened | CallLinked):
            found[data.channel, data.call_id] += 1
    return found


async def drill(ground: Ground, calls: int) -> bool:
    """Whether nothing that was acknowledged is lost, or counted twice."""
    async with AsyncExitStack() as stack:
        for name in ("keyholder", "intake"):
            service = WIRES[name](ground.settings(name))
            stack.callback(service.log.close)
            await service.bus.broker.start()
            stack.push_async_callback(service.bus.broker.stop)
        guests = {
            name: (await stack.enter_async_context(ground.guest(f"channel-{name}"))).client
            for name in CHANNELS
        }
        keeper = await stack.enter_async_context(connected(ground.running))
        one, began = Drill(ground, calls), time.monotonic()
        await one.run(guests)
        published = time.monotonic()
        found = await in_cases(keeper)
        while set(found) < one.acknowledged and time.monotonic() < published + DONE_WITHIN_S:
            await asyncio.sleep(1)
            found = await in_cases(keeper)
        lost = one.acknowledged - set(found)
        twice = sum(count > 1 for count in found.values())
        out.print(
            f"{one.hostile} hostile messages; {len(one.acknowledged)} genuine calls acknowledged, "
            f"{one.refused} refused with an error; lost {len(lost)}, in cases twice {twice}; "
            f"published in {published - began:.0f} s, all in cases after "
            f"{time.monotonic() - began:.0f} s"
        )
        return not lost and not twice


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=10_000)
    calls = parser.parse_args().calls
    durability.ASK_AGAIN_AFTER_S = 0.05
    with tempfile.TemporaryDirectory() as folder:
        ground = open_ground(Path(folder))
        try:
            return 0 if asyncio.run(drill(ground, calls)) else 1
        finally:
            ground.server.stop()


if __name__ == "__main__":
    sys.exit(main())
