"""Sealing: what was sealed for one spot opens there and nowhere else."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nacl.public import PrivateKey

from shared.boxes import BoxBrokenError, box_up, unbox
from shared.events.fields import Sealed
from shared.sealing import DataKey, SealBrokenError, Spot, open_sealed, seal

KEY = DataKey(1, 1, bytes(range(32)))
SPOT = Spot("7KQ2M9XW4TRD", 3, "NoteAdded", "text", "narrative")


@given(st.text())
def test_every_text_opens_where_it_was_sealed(text: str) -> None:
    sealed = seal(KEY, SPOT, text)
    assert Sealed.PATTERN.match(sealed)
    assert open_sealed(KEY, SPOT, sealed) == text


@pytest.mark.parametrize(
    "elsewhere",
    [
        SPOT._replace(case_id="3FHN8VZP6AJC"),
        SPOT._replace(version=4),
        SPOT._replace(type_name="CaseOpened"),
        SPOT._replace(field="remark"),
        SPOT._replace(personal_class="identity"),
    ],
)
def test_moved_ciphertext_does_not_open(elsewhere: Spot) -> None:
    with pytest.raises(SealBrokenError):
        open_sealed(KEY, elsewhere, seal(KEY, SPOT, "Vzorov"))


@given(st.integers(min_value=2), st.integers(min_value=1, max_value=63))
def test_any_altered_character_is_noticed(position: int, change: int) -> None:
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    sealed = seal(KEY, SPOT, "Vzorov" * 20)
    # The last character carries unused bits, which base64 doesn't read.
    position = 2 + position % (len(sealed) - 3)
    other = alphabet[(alphabet.index(sealed[position]) + change) % 64]
    with pytest.raises(SealBrokenError):
        open_sealed(KEY, SPOT, sealed[:position] + other + sealed[position + 1 :])


def test_lengths_show_in_steps_only() -> None:
    lengths = {len(seal(KEY, SPOT, "x" * length)) for length in range(63)}
    assert len(lengths) == 1


def test_another_key_does_not_open() -> None:
    with pytest.raises(SealBrokenError):
        open_sealed(DataKey(1, 1, os.urandom(32)), SPOT, seal(KEY, SPOT, "Vzorov"))


def test_a_box_opens_with_the_private_key_alone() -> None:
    private = PrivateKey.generate()
    box = box_up(private.public_key, b"Vzorov")
    assert unbox(private, box) == b"Vzorov"
    with pytest.raises(BoxBrokenError):
        unbox(PrivateKey.generate(), box)
    with pytest.raises(BoxBrokenError):
        unbox(private, "box1.%%%%")
