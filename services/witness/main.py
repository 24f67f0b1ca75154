"""The witness's wiring: its key, its files, the log, the thread that follows it, and its health."""

import asyncio
import json
import signal
import threading
from functools import partial
from typing import cast

from nats.aio.msg import Msg

from services.witness import SERVICE
from services.witness.following import Follower
from services.witness.signing import AuditTrail, Signer
from services.witness.tending import Tending
from shared import subjects
from shared.bus.health_file import health_kept
from shared.diagnostics.logger import configure, log_connection_error, logger
from shared.diagnostics.own_process import own_process, run_to_end
from shared.jetstream import JetStreamApplicationRecorder, JetStreamFactory
from shared.jetstream.stream import Stream
from shared.jetstream.tls import TlsClient
from shared.log.case_log import jetstream_env
from shared.log.incarnation import IncarnationCheck
from shared.servers.credentials import connect_options
from shared.settings import Settings
from shared.skeleton.own_settings import own_settings
from shared.witnesses.checkpoints import read_signing_key
from shared.witnesses.files import read_witness_files

END_S = 2.0
RECONNECT_WAIT_S = 0.1


class Witness:
    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        key = read_signing_key(settings.keys_dir)
        paths = settings.witness_paths
        self._factory = JetStreamFactory(jetstream_env(settings, "passage-witness-log"))
        recorder = cast("JetStreamApplicationRecorder", self._factory.application_recorder())
        timeout_s = settings.request_timeout_s
        audit = Stream(recorder.log.stream.connection, subjects.AUDIT, timeout_s, timeout_s)
        self._signer = Signer(key, paths, AuditTrail(audit))
        self.follower = Follower(
            recorder,
            partial(read_witness_files, paths, key.public_key()),
            self._signer,
            IncarnationCheck(recorder.log.stream, settings.incarnation),
            settings.witness_interval_s,
        )
        self._tending = Tending(paths, key.public_key(), self.follower.doubt)

    def not_ready_because(self) -> str:
        """Why the log isn't followed or checkpoints aren't kept; "" if all is well."""
        follower = self.follower
        if follower.alarm is not None:
            return f"it has stopped signing: {follower.alarm}"
        if follower.failing is not None:
            return f"it can't read the log ({follower.failing})"
        if follower.reads_files:
            return "it is reading its witness files"
        return "no witness file takes a line" if self._signer.failing else ""

    async def run(self) -> None:
        """Until SIGTERM or SIGINT."""
        stopping, stop = asyncio.Event(), threading.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stopping.set)
        thread = threading.Thread(target=self.follower.run, args=(stop,), name="follower")
        thread.daemon = True
        thread.start()
        tending = threading.Thread(target=self._tending.run, args=(stop,), daemon=True)
        tending.start()
        waiting = asyncio.create_task(self._answer_until(stopping))
        await stopping.wait()
        if self._settings.witness_ends:
            self.follower.end_log()
        stop.set()
        await asyncio.to_thread(thread.join, END_S)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        self._factory.close()
        logger.info("ended", service=SERVICE)

    async def _answer_until(self, stopping: asyncio.Event) -> None:
        """Answers health requests over a connection of its own, which never stops reconnecting."""
        settings, client = self._settings, TlsClient()
        async with health_kept(settings.health_file, self._health):
            await client.connect(
                settings.nats_servers,
                name=f"passage-{SERVICE}",
                allow_reconnect=True,
                max_reconnect_attempts=-1,
                # nats-py's type is whole seconds, but asyncio gets the value unchanged.
                reconnect_time_wait=cast("int", RECONNECT_WAIT_S),
                error_cb=_on_error,
                **connect_options(settings.nats_nkey, settings.nats_ca),
            )
            try:
                await client.subscribe(subjects.health(SERVICE), cb=self._answer)
                await stopping.wait()
            finally:
                await client.close()

    async def _answer(self, message: Msg) -> None:
        reason, (read, of) = self.not_ready_because(), self.follower.how_far()
        body = {"service": SERVICE, "ready": not reason, "reason": reason, "read": read, "of": of}
        await message.respond(json.dumps(body).encode())

    async def _health(self) -> str:
        return self.not_ready_because()


async def _on_error(error: Exception) -> None:
    log_connection_error(error)


def main() -> None:
    own_process(SERVICE)
    settings = own_settings()
    configure(SERVICE, settings.log_level)
    run_to_end(Witness(settings).run())
