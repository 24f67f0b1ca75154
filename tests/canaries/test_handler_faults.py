"""Every handler, the bus, parking and retry, on a real server, with faults that hold values."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any
from uuid import uuid4

import pytest

import shared.bus.consuming
from passage.runner.nats_server import NatsServer
from shared import subjects
from shared.commands.base import Command
from shared.commands.catalogue import ANSWERED_BY, COMMANDS
from shared.parked.parking import UnprocessableError
from tests.canaries.persons import FAULTS, canaries, filled, malformed, nonsense, raising, text_of
from tests.canaries.scanner import Scanner
from tests.examples import CASE
from tests.waiting import WITHIN_S
from tests.wire.conftest import WIRES, Site, site

__all__ = ["site"]

PERSONS = canaries(2)
CANARY = PERSONS[1]
SCANNER = Scanner(PERSONS)

UNDER_COMMANDS = (
    "services.intake.handlers.transact",
    "services.intake.codes.codes_for",
    "services.verification.handlers.transact",
    "services.verification.handlers.statement_to_check",
    "services.handover.handlers.transact",
    "services.desk.handlers.transact",
    "shared.log.transact.CaseLog.load",
    "shared.log.transact.CaseLog.load_current",
    "shared.log.transact.envelope_of",
    "shared.skeleton.service.Context.cause_of",
    "shared.bus.answering._answer_of",
    "shared.bus.bus.answer",
    "shared.bus.bus._json",
)
"""Functions of ours that answers to commands stand on."""

UNDER_DELIVERIES = (
    "services.intake.sorting.read_call",
    "services.intake.handlers.transact",
    "services.intake.routing.Index.route",
    "shared.keys.client.RemoteKeys.unbox",
    "shared.bus.working.process",
    "shared.bus.bus.park",
    "shared.bus.consuming._reason_to_park",
)
"""Functions of ours that a delivered call passes."""


@pytest.fixture
async def running(site: Site) -> AsyncIterator[Site]:
    site.settings = site.settings.model_copy(update={"log_level": "DEBUG"})
    async with AsyncExitStack() as stack:
        for name in WIRES:
            await stack.enter_async_context(site.service(name))
        yield site


def clean(capsys: pytest.CaptureFixture[str], *texts: bytes) -> list[dict[str, Any]]:
    """Asserts that neither logs nor the texts hold a value; gives the lines of the log."""
    said = capsys.readouterr()
    assert SCANNER.found_in(said.err.encode()) == set()
    assert SCANNER.found_in(b"\n".join((said.out.encode(), *texts))) == set()
    return [json.loads(line) for line in said.err.splitlines()]


def fitting(command_type: type[Command]) -> bytes:
    """A command with the person's values wherever a text goes."""
    schema = command_type.model_json_schema()
    body = filled(schema, CANARY, schema.get("$defs", {}))
    made = {"command_id": uuid4().hex, "case_id": about(command_type)}
    for one in ("fence", "signatures", "salt"):  # Wrong ones would be refused at once.
        body.pop(one, None)
    return json.dumps({**body, **{k: v for k, v in made.items() if k in body}}).encode()


def about(command_type: type[Command]) -> str:
    """The number of such a log as the command is about."""
    pattern = str(command_type.model_json_schema()["properties"]["case_id"].get("pattern"))
    kinds = (CASE, "SHIFT-1", "EXPORT-1", "PERSON-olena", "DECISION-1")
    return next((one for one in kinds if re.match(pattern, one)), CASE)


async def asked(site: Site, command_type: type[Command], body: bytes) -> bytes:
    subject = subjects.command(ANSWERED_BY[command_type], command_type.__name__)
    return (await site.client.request(subject, body, timeout=WITHIN_S)).data


@pytest.mark.parametrize("target", UNDER_COMMANDS)
async def test_a_fault_under_any_command_tells_no_value(
    target: str,
    running: Site,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(target, raising(CANARY))
    answers = await asyncio.gather(
        *(asked(running, one, fitting(one)) for one in COMMANDS.values())
    )
    monkeypatch.undo()
    lines = clean(capsys, *answers)
    reached = {"answered", "fault", "log_unavailable", "library"}
    assert reached & {line["event"] for line in lines}


async def test_no_service_gives_back_a_command_that_does_not_fit(
    running: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    sent = []
    for command_type in COMMANDS.values():
        names = list(command_type.model_fields)
        bodies = [json.dumps(one).encode() for one in nonsense(names, CANARY)]
        sent += [asked(running, command_type, body) for body in (*bodies, *malformed(CANARY))]
        unknown = {"command_id": "x", "case_id": CASE, "by": CANARY.surname, "text": CANARY.place}
        sent.append(asked(running, command_type, json.dumps(unknown).encode()))
    answers = [await one for one in sent]
    assert all(json.loads(one)["result"] in {"invalid", "refused"} for one in answers)
    clean(capsys, *answers)


@pytest.mark.parametrize("target", UNDER_DELIVERIES)
async def test_a_fault_on_the_way_of_a_call_tells_no_value(
    target: str,
    running: Site,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(shared.bus.consuming, "GIVE_UP_AFTER_DELIVERIES", 1)
    reached = asyncio.Event()
    loop, fail = asyncio.get_running_loop(), raising(CANARY)

    def fail_and_tell(*given: object, **named: object) -> object:
        loop.call_soon_threadsafe(reached.set)
        return fail(*given, **named)

    if target in {"shared.bus.bus.park", "shared.bus.consuming._reason_to_park"}:
        monkeypatch.setattr("services.intake.sorting.read_call", fail)
    monkeypatch.setattr(target, fail_and_tell)
    for _ in FAULTS:
        await running.call(address=CANARY.phone, text=text_of(CANARY), code=CANARY.service_number)
    await asyncio.wait_for(reached.wait(), WITHIN_S)
    # Whatever becomes of them: calls are processed as soon as nothing fails any more, or parked.
    parked = []
    if target == "services.intake.sorting.read_call":
        parked = [one.model_dump_json().encode() for one in await running.parked(3)]
    monkeypatch.undo()
    async with asyncio.timeout(WITHIN_S):
        while not clean(capsys, *parked):
            await running.client.flush()


async def test_a_fault_of_a_retry_tells_no_value(
    running: Site, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def unprocessable(*_: object) -> None:
        raise UnprocessableError("wrong_data", "data.text", "text in UTF-8")

    monkeypatch.setattr("services.intake.sorting.read_call", unprocessable)
    await running.call(address=CANARY.phone, text=text_of(CANARY))
    (parked,) = await running.parked()
    answers = [parked.model_dump_json().encode()]
    for target in (
        "shared.keys.client.RemoteKeys.unbox",
        "shared.bus.bus.process",
        "services.intake.sorting.read_call",
    ):
        monkeypatch.setattr(target, raising(CANARY))
        for _ in FAULTS:
            answers.append(await _retried(running, b'{"sequence": 1}'))
    for body in (*malformed(CANARY), b'{"sequence": "%s"}' % CANARY.surname.encode()):
        answers.append(await _retried(running, body))
    monkeypatch.undo()
    assert all(json.loads(one)["result"] in {"still_parked", "gone"} for one in answers[1:])
    assert any(line["event"] == "fault" for line in clean(capsys, *answers))


async def _retried(site: Site, body: bytes) -> bytes:
    subject = subjects.retry("intake")
    return (await site.client.request(subject, body, timeout=WITHIN_S)).data


async def test_a_call_in_the_clear_or_of_nonsense_leaves_no_value(
    running: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    """A channel that seals nothing: what it said comes into a box, and nowhere else."""
    bodies = [*malformed(CANARY), *(json.dumps(one).encode() for one in nonsense(["data"], CANARY))]
    envelope = {"type": "passage.CallReceived.v1", "specversion": "1.0", text_of(CANARY): 1}
    bodies.append(json.dumps({**envelope, "data": {"text": text_of(CANARY)}}).encode())
    for body in bodies:
        await running.jetstream.publish("calls.phone", body)
    assert await running.calls_left() == 0
    info = await running.jetstream.stream_info(subjects.PARKED)
    found = [one.model_dump_json() for one in await running.parked(info.state.messages)]
    cases = (await running.jetstream.stream_info(subjects.CASES)).state.messages
    stored = [await running.stored(sequence + 1) for sequence in range(cases)]
    assert found
    assert stored  # What can be read as a call is one, and is sealed.
    clean(capsys, *(one.encode() for one in found), *stored)


async def test_a_fault_of_the_connection_tells_no_value(
    running: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    for service in running.running.values():
        for fault in FAULTS.values():
            error = fault(text_of(CANARY))
            assert isinstance(error, Exception)
            await service.bus._on_error(error)
            await service.log.connection._on_error(error)
    assert {line["event"] for line in clean(capsys)} >= {"connection"}


async def test_subjects_and_headers_hold_nothing_personal(
    server: NatsServer, running: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    """Everything that anybody sends, requests and replies too, as nats-server passes it on."""
    seen: list[bytes] = []

    async def see(msg: Any) -> None:
        seen.append(f"{msg.subject} {msg.reply} {msg.headers}".encode())

    await running.client.subscribe(">", cb=see)
    await running.client.flush()
    case_id = await running.opened(address=CANARY.phone, text=text_of(CANARY))
    for command_type in COMMANDS.values():
        body = json.loads(fitting(command_type))
        own = case_id if about(command_type) == CASE else about(command_type)
        await asked(running, command_type, json.dumps({**body, "case_id": own}).encode())
    assert len(await running.history(case_id)) > 3
    await running.client.flush()
    subjects_seen = {one.partition(b".")[0] for one in seen}
    assert {b"calls", b"cases", b"commands", b"$JS"} <= subjects_seen
    assert SCANNER.found_in(b"\n".join(seen)) == set()
    clean(capsys)
    log = server.log_path.read_bytes()
    assert SCANNER.found_in(log) == set()
