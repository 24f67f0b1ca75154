"""The infrastructure factory: settings from the environment, one connection, the recorders."""

import re
from collections.abc import Mapping
from typing import Any, TypeVar

from eventsourcing.persistence import (
    AggregateRecorder,
    ApplicationRecorder,
    InfrastructureFactory,
    ProcessRecorder,
)
from eventsourcing.utils import Environment, EnvType, resolve_topic, strtobool
from typing_extensions import override

from shared.jetstream.connection import Connection
from shared.jetstream.log import Log
from shared.jetstream.recorder import JetStreamAggregateRecorder, JetStreamApplicationRecorder
from shared.jetstream.stream import Stream
from shared.jetstream.subjects import Subjects
from shared.jetstream.tls import tls_options
from shared.jetstream.tracking import JetStreamProcessRecorder, JetStreamTrackingRecorder

CONNECT_SECONDS = 2
PING_SECONDS = 10

RecorderT = TypeVar("RecorderT")


class JetStreamFactory(InfrastructureFactory[JetStreamTrackingRecorder]):
    """Makes recorders over one NATS connection; settings are described in README.md.

    Every setting may carry the application's name in capitals as a prefix, as the library has
    it: `INTAKE_JETSTREAM_STREAM` beats `JETSTREAM_STREAM`. `OSError` for a bad or missing one.
    """

    def __init__(self, env: Environment | EnvType | None) -> None:
        super().__init__(env)
        self._stream_name = self.env.get("JETSTREAM_STREAM") or stream_name_for(self.env.name)
        self._prefix = self.env.get("JETSTREAM_SUBJECT_PREFIX") or self._stream_name.lower()
        self._timeout = self._seconds("JETSTREAM_TIMEOUT", "2")
        self._deadline = self._seconds("JETSTREAM_DEADLINE", "10")
        self._content_type = self.env.get("JETSTREAM_CONTENT_TYPE", "")
        self._originator_ids_are_uuids = self._uuid_or_text() == "uuid"
        self._creates_stream = strtobool(self.env.get("JETSTREAM_CREATE_STREAM", "no"))
        self._replicas = int(self.env.get("JETSTREAM_REPLICAS", "1"))
        api_prefix = self.env.get("JETSTREAM_API_PREFIX") or "$JS.API"
        self._connection = Connection(self._connect_options(), api_prefix)

    @override
    def aggregate_recorder(self, purpose: str = "events") -> AggregateRecorder:
        """For `purpose` "events" the log itself; for another, a stream `<stream>_<PURPOSE>`.

        Snapshots in the log's own stream would take notification ids.
        """
        return JetStreamAggregateRecorder(self._log(purpose))

    @override
    def application_recorder(self) -> ApplicationRecorder:
        named = self._named(self.APPLICATION_RECORDER_TOPIC, JetStreamApplicationRecorder)
        return named(self._log())

    @override
    def tracking_recorder(
        self, tracking_recorder_class: type[JetStreamTrackingRecorder] | None = None
    ) -> JetStreamTrackingRecorder:
        named = self._named(self.TRACKING_RECORDER_TOPIC, JetStreamTrackingRecorder)
        return (tracking_recorder_class or named)(self._log())

    @override
    def process_recorder(self) -> ProcessRecorder:
        return self._named(self.PROCESS_RECORDER_TOPIC, JetStreamProcessRecorder)(self._log())

    @override
    def close(self) -> None:
        """The recorders are of no use afterwards."""
        self._connection.close()

    def _named(self, setting: str, usual: type[RecorderT]) -> type[RecorderT]:
        """The recorder class that a setting names, or the usual one."""
        topic = self.env.get(setting)
        named: type[RecorderT] = resolve_topic(topic) if topic else usual
        return named

    def _log(self, purpose: str = "events") -> Log:
        name, prefix = self._stream_name, self._prefix
        if purpose != "events":
            name, prefix = f"{name}_{purpose.upper()}", f"{prefix}-{purpose}"
        news = self.env.get("JETSTREAM_NEWS_SUBJECT", "") if purpose == "events" else ""
        stream = Stream(self._connection, name, self._timeout, self._deadline, news)
        subjects = Subjects(prefix)
        if self._creates_stream:
            stream.create([subjects.all_events, subjects.all_tracking], self._replicas)
        return Log(stream, subjects, self._content_type, self._originator_ids_are_uuids)

    def _connect_options(self) -> Mapping[str, Any]:
        url = self.env.get("NATS_URL")
        if not url:
            keys = ", ".join(self.env.create_keys("NATS_URL"))
            raise OSError(f"NATS URL not found in environment with keys: {keys}")
        options: dict[str, Any] = {
            "servers": [server.strip() for server in url.split(",")],
            "name": self.env.get("NATS_CLIENT_NAME") or self.env.name or "jetstream",
            "connect_timeout": CONNECT_SECONDS,
            "ping_interval": PING_SECONDS,
        }
        optional = {
            "user_credentials": self.env.get("NATS_CREDS"),
            "nkeys_seed": self.env.get("NATS_NKEY_SEED_FILE"),
            "inbox_prefix": self.env.get("NATS_INBOX_PREFIX"),
        }
        ca_file = self.env.get("NATS_CA_FILE")
        options |= tls_options(ca_file) if ca_file else {}
        return options | {name: value for name, value in optional.items() if value}

    def _seconds(self, key: str, default: str) -> float:
        text = self.env.get(key) or default
        try:
            seconds = float(text)
        except ValueError:
            seconds = 0.0
        if seconds <= 0:
            raise OSError(f"{key} must be seconds above 0, not {text!r}")
        return seconds

    def _uuid_or_text(self) -> str:
        kind = self.env.get("ORIGINATOR_ID_TYPE", "uuid").lower()
        if kind not in {"uuid", "text"}:
            raise OSError(f"ORIGINATOR_ID_TYPE must be 'uuid' or 'text', not {kind!r}")
        return kind


def stream_name_for(application_name: str) -> str:
    """A stream name for an application's: what JetStream forbids in names becomes `_`."""
    return re.sub(r"[^A-Za-z0-9_-]", "_", application_name) or "events"
