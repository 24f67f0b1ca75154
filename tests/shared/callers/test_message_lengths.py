"""How long a text is in the units of the channels, and the longest that each takes."""

import pytest

from shared.callers.outgoing import MessageLimit
from shared.policy import policy

LIMITS = policy().channels.messages


@pytest.mark.parametrize(
    ("unit", "text", "length"),
    [
        ("utf16", "мир", 3),
        ("utf16", "😀", 2),
        ("utf16", "", 0),
        ("utf8", "мир", 6),
        ("utf8", "😀", 4),
        ("sms", "", 1),
        ("sms", "a" * 160, 1),
        ("sms", "a" * 161, 2),
        ("sms", "a" * 306, 2),
        ("sms", "a" * 307, 3),
        ("sms", "€" * 80, 1),
        ("sms", "€" * 81, 2),
        ("sms", "€" * 153, 3),
        ("sms", "я" * 70, 1),
        ("sms", "я" * 71, 2),
        ("sms", "я" * 134, 2),
        ("sms", "я" * 135, 3),
        ("sms", "😀" * 35, 1),
        ("sms", "😀" * 66, 2),
        ("sms", "😀" * 67, 3),
        ("sms", "a" * 70 + "я", 2),
    ],
)
def test_a_text_is_as_long_as_its_channel_counts(unit: str, text: str, length: int) -> None:
    assert MessageLimit.model_validate({"limit": 1, "unit": unit}).length_of(text) == length


@pytest.mark.parametrize(
    ("channel", "longest", "letter"),
    [
        ("telegram", 4_096, "ж"),
        ("telegram", 2_048, "😀"),
        ("whatsapp", 4_096, "a"),
        ("signal", 2_000, "a"),
        ("signal", 1_000, "ж"),
        ("phone", 612, "a"),
        ("phone", 268, "ж"),
        ("web", 10_000, "ж"),
    ],
)
def test_each_channel_takes_so_many_letters(channel: str, longest: int, letter: str) -> None:
    limit = LIMITS[channel]  # type: ignore[index]
    assert limit.length_of(letter * longest) <= limit.limit
    assert limit.length_of(letter * (longest + 1)) > limit.limit


def test_nobody_is_written_to_where_he_walks_in() -> None:
    assert set(policy().channels.names) - set(LIMITS) == {"walk_in"}
