"""A persistence module for the eventsourcing library over NATS JetStream; see README.md.

`PERSISTENCE_MODULE=shared.jetstream` makes an application use it.
"""

from shared.jetstream.factory import JetStreamFactory
from shared.jetstream.log import RecordedEvent
from shared.jetstream.recorder import JetStreamAggregateRecorder, JetStreamApplicationRecorder
from shared.jetstream.subscription import JetStreamSubscription, SequenceGapError
from shared.jetstream.tracking import JetStreamProcessRecorder, JetStreamTrackingRecorder

Factory = JetStreamFactory

__all__ = [
    "Factory",
    "JetStreamAggregateRecorder",
    "JetStreamApplicationRecorder",
    "JetStreamFactory",
    "JetStreamProcessRecorder",
    "JetStreamSubscription",
    "JetStreamTrackingRecorder",
    "RecordedEvent",
    "SequenceGapError",
]
