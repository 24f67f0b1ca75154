"""Gives a caller's address one spelling, so that he is known again however it was written."""

from __future__ import annotations

import phonenumbers

from shared.events.fields import Channel

CHANNELS_WITH_NUMBERS: frozenset[Channel] = frozenset({"phone", "whatsapp", "signal"})
HOME_REGION = "UA"
"""How a number without a country code is read."""


def folded(channel: Channel, address: str) -> str:
    """Gives one spelling for an address: numbers in E.164, everything else in lower case."""
    if channel in CHANNELS_WITH_NUMBERS:
        try:
            number = phonenumbers.parse(address, HOME_REGION)
        except phonenumbers.NumberParseException:
            return address.casefold()
        plain = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
        return f"{plain};ext={number.extension}" if number.extension else plain
    return address.casefold()
