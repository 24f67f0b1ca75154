"""What bridges, modems and old gateways do to a call on its way is undone."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest

from tests.intake.receiving import boxed, envelope, originals, received


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
