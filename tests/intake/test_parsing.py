"""Whatever a channel publishes is read as a call, if there is a call in it."""

import json
from base64 import b64decode
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nacl.public import PrivateKey

from services.intake.call_linking import decide_call
from services.intake.cleaning import HEAD_MAX_CHARACTERS, ORIGINAL_MAX_BYTES
from services.intake.incoming import Route
from services.intake.parsing import Wanted, hashed
from services.intake.state import IntakeState
from shared.events.parsing import UnreadableEventError
from shared.events.upstream import _NESTING
from shared.keys.boxes import BoxBrokenError, box_up
from tests.examples import NOON
from tests.intake.receiving import boxed, ended_of, envelope, originals, received


@pytest.mark.parametrize(
    "more",
    [
        {"dataschema": None, "traceparent": "00-0af7651916cd43dd8448eb211c80319c-00"},
        {"specversion": "1.1"},
        {"specversion": None, "datacontenttype": None, "source": "", "time": "yesterday"},
        {"subject": "another", "id": "x" * 1_000},
    ],
)
def test_what_the_envelope_says_beside_is_ignored(more: dict[str, Any]) -> None:
    call = received({**envelope(), **more})
    assert (call.call_id, call.changed) == ("call-1", None)


def test_when_a_call_began_is_known_where_its_channel_says_so() -> None:
    told = [received(envelope(started_at=one)).began for one in ("2026-03-14T11:59Z", None, "soon")]
    assert told == ["2026-03-14T11:59:00+00:00", "", ""]


@pytest.mark.parametrize("named", ["passage.CallReceived.v7", "passage.CaseOpened.v1", "", None, 7])
def test_a_type_that_says_nothing_is_no_reason_to_park_a_call(named: Any) -> None:
    call = received({**envelope(), "type": named})
    assert call.changed == ("type_unknown",)
    assert originals(call) == {"type": named if named is None else str(named)}


def test_fields_that_no_call_has_are_kept_sealed() -> None:
    call = received(envelope(priority="high", nested={"name": "Beispiel"}))
    assert call.changed == ("more_fields",)
    assert originals(call) == {"priority": "high", "nested": {"name": "Beispiel"}}


def test_the_channel_is_who_published_it_whatever_the_message_says() -> None:
    call = received(envelope(channel="telegram"))
    assert (call.channel, call.changed) == ("phone", ("channel_corrected",))


def test_what_a_channel_did_not_seal_is_taken_and_marked() -> None:
    call = received(envelope(text="I want to live", caller_address=5))
    assert call.text is not None
    assert (call.text.value, call.changed) == ("I want to live", ("not_sealed",))
    assert call.caller_address is not None


def test_a_part_that_does_not_open_leaves_the_others_readable() -> None:
    foreign = box_up(PrivateKey.generate().public_key, b"@beispiel")
    call = received(envelope(caller_address=foreign))
    assert call.text is not None
    assert (call.text.value, call.changed) == ("I want to live", ("unopened",))
    assert originals(call) == {"caller_address": foreign}
    with pytest.raises(BoxBrokenError):
        received({"data": {"call_id": "call-1", "text": foreign}})


def test_a_withheld_number_is_nobody_s_whatever_the_address_says() -> None:
    said: object
    for said in (True, "true", 1, "yes"):
        call = received(envelope(withheld=said))
        assert (call.caller_keys, call.caller_address) == ((), None)
    for said in (False, "false", 0, 0.0, None, "no", "n", "F", "нет", "ні", "ложь", "-", [], {}):
        assert received(envelope(withheld=said)).caller_keys


def raw(**data: Any) -> bytes:
    return json.dumps(envelope(**data), ensure_ascii=False).encode("utf-8", "surrogatepass")


def test_json_is_read_in_any_unicode_encoding() -> None:
    text = json.dumps(envelope())
    for body in (b"\xef\xbb\xbf" + text.encode(), *map(text.encode, ("utf-16", "utf-32-le"))):
        assert received(body).call_id == "call-1"


def test_json_that_parsers_choke_on_is_read() -> None:
    deep = b"[" * 100_000 + b"]" * 100_000
    huge = b"9" * 10_000
    parts = [
        b'"deep":' + deep,
        b'"huge":' + huge,
        b'"nan":NaN',
        b'"inf":-Infinity',
        b'"tab":"\t\x01"',
    ]
    body = b"\x00 {" + b",".join(parts) + b"," + raw()[1:] + b"\x00\x00"
    assert received(body).changed is None
    inside = raw().replace(
        b'"language"', b'"deep": ' + deep + b', "huge": ' + huge + b', "language"'
    )
    call = received(inside)
    assert call.changed is not None
    assert "more_fields" in call.changed
    assert originals(call)["huge"] == "9" * 10_000


def test_of_a_key_given_twice_the_last_counts_and_the_other_is_kept() -> None:
    body = raw().replace(b'"language": "ru"', b'"language": "en", "language": "uk"')
    call = received(body)
    assert (call.language, call.changed) == ("uk", ("more_fields",))
    assert originals(call) == {"repeated": {"language": ["en"]}}


def test_a_key_given_twice_outside_the_data_is_kept_too() -> None:
    bare = received(b'{"call_id": "1", "text": "come for me", "text": "x"}')
    assert originals(bare) == {"repeated": {"text": ["come for me"]}}
    twice = received(
        b'{"data": {"call_id": "1", "text": "a"}, "data": {"call_id": "2", "text": "b"}}'
    )
    assert originals(twice) == {"repeated": {"data": [{"call_id": "1", "text": "a"}]}}


def test_what_stands_without_an_envelope_or_as_text_in_one_is_a_call() -> None:
    data = envelope()["data"]
    assert received(data).changed is None
    assert received({**envelope(), "data": json.dumps(data)}).changed is None
    plain = received({**envelope(), "data": "I want to live"})
    assert plain.text is not None
    assert plain.text.value == "I want to live"


@pytest.mark.parametrize(
    "body", [b"", b"null", b"[1]", b"no call", b'{"a": 1}', b"{}", raw()[:-20], b"\xff\xfe"]
)
def test_what_is_no_call_is_none(body: bytes) -> None:
    with pytest.raises(UnreadableEventError):
        received(body)


def test_an_oversize_original_is_kept_as_head_and_digest() -> None:
    said = "я" * 200_000
    call = received(envelope(text=boxed(said)))
    assert call.changed == ("oversize", "text_shortened")
    kept = originals(call)["text"]
    assert (kept["head"], kept["characters"]) == (said[:HEAD_MAX_CHARACTERS], len(said))
    assert call.as_received is not None
    assert len(call.as_received.value.encode()) <= ORIGINAL_MAX_BYTES


def test_the_same_words_have_the_same_digest_whatever_the_clock_says() -> None:
    one = received(envelope())
    again = received(envelope(started_at="2026-03-14T11:00:00Z", language="uk"))
    edited = received(envelope(text=boxed("do not come")))
    assert one.words == again.words != edited.words


def test_words_round_a_code_are_kept_and_a_recognised_code_is_not() -> None:
    said = "код １２３ 456-7890, дата 12.11"
    for basis, kept in (("caller", said), ("return_code", "код ••• •••-••••, дата ••.••")):
        call = received(envelope(return_code=boxed(said)), basis)
        assert (call.changed, originals(call)) == (("code_cleaned",), {"return_code": kept})


def test_a_plain_code_is_kept_nowhere() -> None:
    call = received(envelope(return_code=boxed("123 456 7890")), "return_code")
    assert (call.changed, originals(call), len(call.code_hashes)) == (None, {}, 1)


def test_a_code_among_the_words_of_a_message_is_tried_and_marked_where_it_is_one() -> None:
    message = envelope(text=boxed("it's me, 123 456 7890"))
    assert received(message, "return_code").changed == ("code_in_text",)
    stranger = received(message, "caller")
    assert (stranger.changed, stranger.gave_code, len(stranger.code_hashes)) == (None, False, 1)


def test_a_code_written_as_a_number_has_its_zeros_again() -> None:
    said = received(envelope(return_code=12_345_678))
    assert said.code_hashes == received(envelope(return_code=boxed("001 234 5678"))).code_hashes


@pytest.mark.parametrize("ended_at", ["2026-03-14T13:59:00+02:00", 1_773_489_540])
def test_an_end_is_read_in_whatever_form_it_comes(ended_at: Any) -> None:
    ended = ended_of({"call_id": "17.5", "ended_at": ended_at, "cause": "hung up"})
    assert ended.call_id == received(envelope(call_id="17.5")).call_id
    assert ended.ended_at == NOON - timedelta(minutes=1)
    assert ended.changed == ("more_fields",)


@pytest.mark.parametrize("ended_at", [None, "0001-01-01T00:00:00Z", "now", {}])
def test_an_end_without_a_time_that_can_be_is_of_when_it_came(ended_at: Any) -> None:
    ended = ended_of({"call_id": "call-1", "ended_at": ended_at})
    assert (ended.call_id, ended.ended_at) == ("call-1", NOON)
    assert ended.changed == (None if ended_at is None else ("ended_at_replaced",))


def test_a_text_without_an_end_is_looked_through_once() -> None:
    """Begun anew at each of its quotes, one message would take hours."""
    unfinished = '"' + '\\"' * 100_000
    assert _NESTING.findall(unfinished) == [unfinished]
    with pytest.raises(UnreadableEventError):
        received(raw()[:-1] + b', "many": ' + b"[" * 40 + unfinished.encode())


ODD = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(exclude_categories=[]), max_size=40)
    | st.binary(max_size=40).map(boxed),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=5,
)
FIELDS = st.sampled_from(
    [
        *("call_id", "channel", "caller_address", "withheld", "display_name", "region", "language"),
        *("started_at", "text", "return_code", "recording_ref", "media", "unheard_of"),
    ]
)


@given(st.dictionaries(FIELDS, ODD, max_size=5), st.dictionaries(st.text(max_size=12), ODD))
def test_whatever_the_fields_hold_it_becomes_an_event_of_a_case(
    data: dict[str, Any], beside: dict[str, Any]
) -> None:
    call = received({**beside, **envelope(**data)})
    (event,) = decide_call(IntakeState(), call, Route("CASE00000001"))
    type(event).model_validate(event.model_dump(exclude=set(type(event).PERSONAL)))
    originals(call)


@given(st.binary(max_size=200))
def test_whatever_bytes_are_sealed_are_kept_to_the_letter(content: bytes) -> None:
    call = received(envelope(text=boxed(content)))
    kept = originals(call).get("text", call.text.value if call.text else "")
    found = b64decode(kept["base64"]) if isinstance(kept, dict) else kept.encode()
    assert found == content


@given(st.binary(max_size=300))
def test_whatever_bytes_come_are_a_call_or_are_none(body: bytes) -> None:
    with suppress(UnreadableEventError, BoxBrokenError):
        received(body)


class CountingKeys:
    """Hashes are the values themselves; counts what is asked for at once."""

    def __init__(self) -> None:
        self.asked: list[int] = []

    def unbox(self, boxes: Sequence[str]) -> list[bytes]:
        raise NotImplementedError

    def hashes(self, values: Sequence[tuple[str, str]]) -> list[tuple[str, ...]]:
        self.asked.append(len(values))
        return list(values)


@pytest.mark.parametrize(
    ("values", "asked"),
    [([], []), (["a"] * 256, [256]), (["a"] * 257, [256, 1]), (["a" * 60_000] * 3, [1, 1, 1])],
)
def test_hashes_of_many_messages_are_asked_for_together_but_no_more_than_fit(
    values: list[str], asked: list[int]
) -> None:
    keys = CountingKeys()
    wanted: list[Wanted] = [
        {"ids": [("call", f"{one}{place}")], "name": []} for place, one in enumerate(values)
    ]
    found = hashed(keys, wanted)
    assert found == wanted
    assert keys.asked == asked
