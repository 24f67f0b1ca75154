"""Calls of odd forms become cases like any other; parked is only what is no call."""

import asyncio
import json
from base64 import b64encode
from typing import Any

from nacl.public import PrivateKey

from services.keyholder.secrets import read_secrets
from shared import subjects
from shared.keys.boxes import box_up, unbox
from shared.keys.keyfiles import read_intake_public_key
from shared.keys.messages import SealedValue
from tests.wire.conftest import Site
from tests.wire.outbound import envelope, publish

CANARY = "Kanarienvogelsky"


def _no_calls(key: Any) -> list[tuple[str, str, bytes]]:
    call = envelope(key, "call-1", "m-1")
    sealed_for_another = box_up(PrivateKey.generate().public_key, CANARY.encode())
    only_that = {"call_id": "call-1", "text": sealed_for_another}
    return [
        ("not_json", "", CANARY.encode()),
        ("not_json", "", b'["' + CANARY.encode() + b'"]'),
        ("not_json", "", b"\xff\xfe\x00"),
        ("not_json", "", json.dumps(call).encode()[:-9]),
        ("wrong_envelope", "data", b"{}"),
        ("wrong_envelope", "data", json.dumps({CANARY: 1}).encode()),
        ("box_broken", "data", json.dumps({**call, "data": only_that}).encode()),
        ("box_broken", "data", json.dumps({"data": {"text": "box1." + "A" * 100}}).encode()),
        ("wrong_data", "data.message_id", b'{"type": "passage.DeliveryReported.v1"}'),
    ]


async def test_what_is_no_call_is_parked_with_its_reason_and_its_bytes_in_a_box(
    site: Site,
) -> None:
    keys = read_secrets(site.settings.keys_dir)
    bad = _no_calls(keys.intake_public)
    async with site.service("intake"):
        for _, _, body in bad:
            await publish(site, body)
        parked = await site.parked(len(bad))
        assert await site.calls_left() == 0
    by_sequence = sorted(parked, key=lambda one: one.sequence)
    assert [(one.reason, one.field) for one in by_sequence] == [
        (reason, field) for reason, field, _ in bad
    ]
    for one, (_, _, body) in zip(by_sequence, bad, strict=True):
        assert unbox(keys.intake_private, one.original) == body
        assert CANARY not in one.model_dump_json()


ODD_CALLS: list[dict[str, Any]] = [
    {"text": "first\x0bsecond\x00"},
    {"text": "я" * 50_000},
    {"text": b"\xff\xfe \xed\xa0\x80"},
    {"return_code": "\u200e000 000 0000"},
    {"language": None},
    {"language": "ru_RU"},
    {"media": ["a.jpg"]},
    {"call_id": "1763800000.123"},
    {"started_at": "0001-01-01T00:00:00Z"},
    {"channel": "pigeon"},
]


async def test_a_fact_is_not_refused_for_its_form_and_its_original_is_sealed_beside_it(
    site: Site,
) -> None:
    key = read_intake_public_key(site.settings.keys_dir)

    def sealed(name: str, value: Any) -> Any:
        if name not in {"text", "return_code"}:
            return value
        return box_up(key, value if isinstance(value, bytes) else value.encode())

    async with site.service("intake"):
        found = []
        for number, odd in enumerate(ODD_CALLS):
            inside = {name: sealed(name, value) for name, value in odd.items()}
            inside["caller_address"] = box_up(key, f"+38044000{number:04}".encode())
            message = envelope(key, f"call-{number}", "m-1")
            message["data"].update(inside)
            await publish(site, {**message, "traceparent": None, "dataschema": None})
            found.append(await site.next_event("CaseOpened"))
    marks = [one.data.changed for one in found]
    assert marks == [
        *(("text_cleaned",), ("text_shortened",), ("text_cleaned",), ("code_cleaned",)),
        *(None, None, ("media_replaced",), ("call_id_replaced",)),
        *(("started_at_replaced",), ("channel_corrected",)),
    ]
    values = [
        SealedValue.of(one, name)
        for one in found
        for name in ("as_received", "address_as_received")
        if getattr(one.data, name) is not None
    ]
    keys = site.keys_of("query")
    opened = await asyncio.to_thread(keys.open, values, "olena", "what did he say")
    kept = [json.loads(one.text or "") for one in opened]
    assert kept[:2] == ODD_CALLS[:2]
    assert kept[2] == {"text": {"base64": b64encode(ODD_CALLS[2]["text"]).decode()}}
    assert kept[3:] == [ODD_CALLS[3], *ODD_CALLS[6:]]


async def test_duplicates_are_not_judged_by_the_id_alone_two_callers_have_two_cases(
    site: Site,
) -> None:
    key = read_intake_public_key(site.settings.keys_dir)
    async with site.service("intake"):
        await publish(site, envelope(key, call_id="call-1", message_id="m-1"))
        first = await site.next_event()
        other = box_up(key, b"+380440000077")
        await publish(site, envelope(key, "call-1", "m-1", caller_address=other))
        second = await site.next_event()
    assert (first.type_name, second.type_name) == ("CaseOpened", "CaseOpened")
    assert first.subject != second.subject
    assert (first.data.same_id_as, second.data.same_id_as) == (None, "call-1")


async def test_duplicates_are_not_judged_by_the_id_alone_an_edit_is_linked(
    site: Site,
) -> None:
    key = read_intake_public_key(site.settings.keys_dir)

    def said(words: str) -> dict[str, Any]:
        return envelope(key, "call-1", "m-1", text=box_up(key, words.encode()))

    async with site.service("intake"):
        await publish(site, said("wait"))
        opened = await site.next_event()
        for words in ("don't come", "wait", "don't come"):
            await publish(site, said(words))
        edited = await site.next_event()
        assert await site.calls_left() == 0
        await site.call("+380440000099", call_id="call-2")
        last = await site.next_event()
    assert (edited.subject, edited.type_name) == (opened.subject, "CallLinked")
    assert edited.data.same_id_as == opened.data.call_id == "call-1"
    assert edited.data.call_id != "call-1"
    assert last.data.call_id == "call-2"


async def test_duplicates_are_not_judged_by_the_id_alone_two_withheld_callers(intake: Site) -> None:
    for text in ("I am Anton", "I am Boris", "I am Anton"):
        await intake.call(None, text=text, call_id="call-1")
    first, second = [await intake.next_event("CaseOpened") for _ in range(2)]
    assert await intake.calls_left() == 0
    assert first.subject != second.subject
    assert (await intake.jetstream.stream_info(subjects.CASES)).state.messages == 2
