"""Where a man is reached: the addresses he called from, and those he said are safe.

His contact rule covers, on each channel, the address known last when he gave it. A call from
another one, such as a comrade's phone or one taken from him, changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from operator import attrgetter

from shared.events.fields import Channel, Sealed
from shared.log.grown import Grown


@dataclass(frozen=True, slots=True)
class Address:
    channel: Channel
    version: int
    type_name: str
    sealed: Sealed
    language: str
    caller_key: str | None
    """Identifies an address on one channel."""
    called_at: datetime


@dataclass(frozen=True, slots=True)
class Addresses:
    known: Grown[int, Address] = field(default_factory=Grown)
    """From every call that had one, by the version that recorded it."""
    covered: Mapping[Channel, Address] = field(default_factory=dict)
    """Where the current contact rule allows contact."""

    def after_call(self, address: Address) -> Addresses:
        """The addresses after one more call; a covered one is refreshed from it."""
        known = self.known.with_entry(address.version, address)
        if not self.covers(address):
            return replace(self, known=known)
        return Addresses(known, {**self.covered, address.channel: address})

    def covers(self, address: Address) -> bool:
        covered = self.covered.get(address.channel)
        if covered is None or covered.caller_key is None:
            # Without a key nobody can tell whether two calls came from one address.
            return covered == address
        return covered.caller_key == address.caller_key

    def after_rule(self, said_at: datetime) -> Addresses:
        """After he gave a contact rule: it covers the addresses known then.

        The channels' clocks decide which call was the last then.
        """
        in_order = sorted(self._before(said_at), key=attrgetter("called_at"))
        return replace(self, covered={one.channel: one for one in in_order})

    def after_rule_in_order(self, said_at: datetime) -> Addresses:
        """The same by the order in which calls were recorded, ignoring clocks."""
        return replace(self, covered={one.channel: one for one in self._before(said_at)})

    def _before(self, said_at: datetime) -> list[Address]:
        return [one for one in self.known.values() if one.called_at <= said_at]

    def covered_by_both(self, other: Addresses) -> Addresses:
        """Keeps only what both cover: when either of two statements may hold."""
        covered = {channel: one for channel, one in self.covered.items() if other.covers(one)}
        return replace(self, covered=covered)
