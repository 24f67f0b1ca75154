"""nats-py's client, changed to hand over some messages as bytes before it spends time on them."""

import contextlib
from collections.abc import Callable

from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.errors import Error as NatsError
from typing_extensions import override

from shared.jetstream.calls import Reply
from shared.jetstream.tls import TlsClient


class RawClient(TlsClient):
    """nats-py's client that can hand a subscription's messages over before it parses headers.

    nats-py 2.16 takes 60 microseconds to make a message of the ones we read and to pass it through
    a queue and a task; the parser calls `_process_msg`, and taking the bytes there leaves a third
    of that. The method is private: `tests/jetstream` fails if it changes.
    """

    def __init__(self) -> None:
        super().__init__()
        self._raw: dict[int, Callable[[bytes, Reply], None]] = {}

    async def subscribe_raw(
        self, subject: str, handler: Callable[[bytes, Reply], None]
    ) -> Subscription:
        subscription = await self.subscribe(subject, cb=drop)
        self._raw[subscription._id] = handler
        return subscription

    async def unsubscribe_raw(self, subscription: Subscription) -> None:
        self._raw.pop(subscription._id, None)
        with contextlib.suppress(NatsError):
            await subscription.unsubscribe()

    @override
    async def _process_msg(
        self, sid: int, subject: bytes, reply: bytes, data: bytes, headers: bytes
    ) -> None:
        handler = self._raw.get(sid)
        if handler is None:
            await super()._process_msg(sid, subject, reply, data, headers)
        else:
            handler(subject, Reply(reply, headers or b"", data))


async def drop(_: Msg) -> None:
    """The callback of a raw subscription, which nats-py wants and nothing calls."""
