"""A call is never refused for its form: it is cleaned, shortened or clamped, says so, and the
original is kept beside it, to the letter."""

import json
from base64 import b64decode
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import pytest

from shared.events.fields import TEXT_MAX_CHARACTERS
from tests.examples import NOON
from tests.intake.receiving import boxed, envelope, originals, received

SAID_AT = NOON - timedelta(minutes=1)


def text_of(said: str | bytes) -> tuple[str | None, tuple[str, ...] | None]:
    call = received(envelope(text=boxed(said)))
    return (call.text.value if call.text else None), call.changed


@pytest.mark.parametrize(
    ("said", "kept", "changed"),
    [
        ("first\x0bsecond", "first\nsecond", "text_cleaned"),
        ("a\x00b", "ab", "text_cleaned"),
        ("a\x85b\x7f", "a\nb", "text_cleaned"),
        (b"half \xed\xa0\x80", "half \ufffd\ufffd\ufffd", "text_cleaned"),
        ("хочу жить".encode("cp1251"), "хочу жить", "text_cleaned"),
        ("хочу жить".encode("utf-16"), "хочу жить", "text_cleaned"),
        ("я" * 10_001, "я" * TEXT_MAX_CHARACTERS, "text_shortened"),
        ("x" * 100_000, "x" * TEXT_MAX_CHARACTERS, "text_shortened"),
        ("\x01\x02", None, "text_cleaned"),
    ],
)
def test_a_text_that_no_event_holds_is_cleaned_or_shortened_and_kept_as_it_was(
    said: str | bytes, kept: str | None, changed: str
) -> None:
    call = received(envelope(text=boxed(said)))
    assert (call.text.value if call.text else None) == kept
    assert call.changed == (changed,)
    original = originals(call)["text"]
    content = b64decode(original["base64"]) if isinstance(original, dict) else original.encode()
    assert content == (said if isinstance(said, bytes) else said.encode())


@pytest.mark.parametrize(
    "said",
    [
        "I want to live",
        " with space ",
        "👨‍👩‍👧\nsecond line",
        "\u202eназад\u202c",
        "e\u0301 é",
        "\ufeff",
    ],
)
def test_a_text_that_an_event_holds_stays_as_it_is(said: str) -> None:
    assert text_of(said) == (said, None)


@pytest.mark.parametrize(
    ("said", "tag", "is_marked"),
    [
        ("ru_RU", "ru-RU", False),
        ("RU", "ru", False),
        ("uk-UA", "uk-UA", False),
        (None, "und", False),
        ("", "und", False),
        ("ru_RU.UTF-8", "ru-RU", True),
        ("zh-Hant-TW", "zh-Hant", True),
        ("русский", "und", True),
        ("russian", "und", True),
        (17, "und", True),
        (True, "und", True),
        (["ru"], "und", True),
    ],
)
def test_a_language_is_a_tag_or_unknown(said: Any, tag: str, is_marked: bool) -> None:
    call = received(envelope(language=said))
    assert call.language == tag
    assert (call.changed == ("language_replaced",)) == is_marked


@pytest.mark.parametrize(
    ("said", "at"),
    [
        ("2026-03-14T11:59:00Z", SAID_AT),
        ("2026-03-14T13:59:00+02:00", SAID_AT),
        (1_773_489_540, SAID_AT),
        ("1773489540.000", SAID_AT),
        (1_773_489_540_000, SAID_AT),
        ("2026-03-14T12:00:59Z", NOON + timedelta(seconds=59)),
        (None, NOON),
    ],
)
def test_a_start_that_can_be_told_is_kept(said: Any, at: datetime) -> None:
    call = received(envelope(started_at=said))
    assert (call.started_at, call.changed) == (at, None)


@pytest.mark.parametrize(
    "said",
    [
        *("0001-01-01T00:00:00Z", "1970-01-01T00:00:00Z", "9999-12-31T23:59:59-12:00"),
        *("2026-03-14T11:59:00", "2026-02-30T00:00:00Z", "yesterday", "", "2026-03-14T12:02:00Z"),
        *(0, -1, 10**30, True, {}, [], "NaN"),
    ],
)
def test_a_start_that_cannot_be_is_replaced_by_when_the_call_came(said: Any) -> None:
    call = received(envelope(started_at=said))
    assert (call.started_at, call.changed) == (NOON, ("started_at_replaced",))
    assert "started_at" in originals(call)


@pytest.mark.parametrize("said", ["1763800000.123", "x" * 300, "дзвінок", "a b", "\ud800", 17.5])
def test_a_call_id_may_be_anything_and_is_the_same_inside_each_time(said: Any) -> None:
    one, again = received(envelope(call_id=said)), received(envelope(call_id=said))
    other = received(envelope(call_id=f"{said}1"))
    assert one.call_id == again.call_id != other.call_id
    assert one.changed == ("call_id_replaced",)
    assert originals(one)["call_id"] == str(said)
    assert one.address_as_received is not None  # An id may hold his number.


@pytest.mark.parametrize("missing", ["", None])
def test_a_call_without_an_id_is_known_by_the_envelope_or_by_what_it_says(missing: Any) -> None:
    message = envelope(call_id=missing)
    assert received(message).call_id == "call-1"
    bare = {"data": message["data"]}
    one, again = received(bare), received(bare)
    assert one.call_id == again.call_id
    later = {"data": {**message["data"], "started_at": "2026-03-14T11:58:00Z"}}
    assert received(later).call_id != one.call_id


@pytest.mark.parametrize(
    ("media", "count"),
    [
        ("a.jpg", 1),
        (["a.jpg"], 1),
        (["голос.ogg", "photo_1"], 2),
        ([f"file-{number}" for number in range(25)], 20),
        ([{"url": "https://files.invalid/1"}, None, 5], 3),
    ],
)
def test_media_may_have_any_names_and_number(media: Any, count: int) -> None:
    call = received(envelope(media=media))
    assert len(call.media) == count
    assert call.changed == ("media_replaced",)
    assert len(originals(call)["media"]) == (len(media) if isinstance(media, list) else 1)


def test_media_with_safe_names_stay_as_they_are() -> None:
    call = received(envelope(media=["photo_1", "voice-2"], recording_ref="rec-1"))
    assert (call.media, call.recording_ref, call.changed) == (("photo_1", "voice-2"), "rec-1", None)


def test_a_recording_s_name_may_be_anything() -> None:
    call = received(envelope(recording_ref="2026/03/14 12.wav"))
    assert call.recording_ref is not None
    assert "/" not in call.recording_ref
    assert originals(call) == {"recording_ref": "2026/03/14 12.wav"}


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("\u200e+380440000004", "+380440000004"),
        ("\u2068+380 44 000 00 04\u2069", "+380 44 000 00 04"),
        ("@beispiel\x00\n", "@beispiel"),
        ("two\nlines", "two lines"),
        (b"@\xff", "@\ufffd"),
    ],
)
def test_an_address_is_cleaned_and_kept_as_it_was(said: str | bytes, kept: str) -> None:
    call = received(envelope(caller_address=boxed(said)))
    assert call.caller_address is not None
    assert (call.caller_address.value, call.changed) == (kept, ("address_cleaned",))
    assert "caller_address" in originals(call)
    assert call.as_received is None  # It tells who he is: another class of data.


def test_two_addresses_that_begin_alike_are_two_callers_however_long() -> None:
    one, other = (received(envelope(caller_address=boxed("a" * 300 + end))) for end in "xy")
    assert one.caller_keys != other.caller_keys
    assert (one.changed, other.changed) == (("address_cleaned",),) * 2


@pytest.mark.parametrize(
    "encoding", ["utf-16-le", "utf-16-be", "utf-16", "cp1251", "koi8-u", "koi8-r", "cp866"]
)
def test_words_in_the_encoding_of_a_modem_or_an_old_gateway_are_read(encoding: str) -> None:
    for said in ("Хочу сдаться, 2 человека", "допоможіть", "мама", "Я в лесу у Горной"):
        with suppress(UnicodeEncodeError):
            content = said.encode(encoding)
            call = received(envelope(text=boxed(content)))
            assert call.text is not None
            assert (call.text.value, call.changed) == (said, ("text_cleaned",))
            assert "text" in originals(call)


@pytest.mark.parametrize("said", ["x\x00y", "\x00\x00", "ab", "\x04\x04", "日本", "𐀀"])
def test_words_that_only_look_like_another_encoding_are_utf_8(said: str) -> None:
    call = received(envelope(text=boxed(said)))
    assert call.text is None or call.text.value == said.replace("\x00", "").replace("\x04", "")


@pytest.mark.parametrize("rename", [str.upper, str.title, lambda name: name.replace("_", "-")])
def test_fields_are_known_in_any_case_and_with_any_mark(rename: Any) -> None:
    data = {rename(name): value for name, value in envelope()["data"].items()}
    assert received({**envelope(), "data": data}) == received(envelope(**envelope()["data"]))
    both = received(envelope(TEXT="another"))
    assert originals(both) == {"TEXT": "another"}


def test_a_call_that_a_bridge_wrapped_once_more_is_that_call() -> None:
    wrapped: list[Any] = [
        {**envelope(), "data": envelope()},
        {**envelope(), "data": [envelope()["data"]]},
        json.dumps(json.dumps(envelope())).encode(),
    ]
    for message in wrapped:
        call = received(message)
        assert (call.call_id, call.text is not None, call.changed) == ("call-1", True, None)


def test_a_box_with_blanks_round_it_or_alone_in_a_list_is_opened() -> None:
    box = boxed("I want to live")
    for sent in (f" {box}\n", [box], [f"{box} "]):
        call = received(envelope(text=sent))
        assert call.text is not None
        assert (call.text.value, call.changed) == ("I want to live", None)


def test_a_batch_of_one_event_is_that_event() -> None:
    call = received(json.dumps([envelope()]).encode())
    assert (call.call_id, call.changed) == ("call-1", None)
