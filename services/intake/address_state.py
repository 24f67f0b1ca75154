"""Where a man is reached: the addresses that were called from, and those that he said are safe.

What he said of reaching him covers, on each channel, the address that was known last when he said
it. A call from another one, a comrade's phone or one that was taken from him, changes nothing.
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
    """An address on a channel: the sealed value, and where in the log it stands."""

    channel: Channel
    version: int
    type_name: str
    sealed: Sealed
    language: str
    caller_key: str | None
    """The same address has the same one, on one channel."""
    called_at: datetime


@dataclass(frozen=True, slots=True)
class Addresses:
    """The addresses of one case."""

    known: Grown[int, Address] = field(default_factory=Grown)
    """Of every call that had one, by version: as they were recorded."""
    covered: Mapping[Channel, Address] = field(default_factory=dict)
    """Where the contact rule that holds lets him be reached."""

    def after_call(self, address: Address) -> Addresses:
        """The addresses after one more call; a covered one stays, read anew from it."""
        known = self.known.with_entry(address.version, address)
        if not self.covers(address):
            return replace(self, known=known)
        return Addresses(known, {**self.covered, address.channel: address})

    def covers(self, address: Address) -> bool:
        """Whether the contact rule that holds lets him be reached at this address."""
        covered = self.covered.get(address.channel)
        if covered is None or covered.caller_key is None:
            # Without a key nobody can tell whether two calls came from one address.
            return covered == address
        return covered.caller_key == address.caller_key

    def after_rule(self, said_at: datetime) -> Addresses:
        """The addresses after he said whether he may be reached: then known, now covered.

        By the channels' clocks: which call was the last then.
        """
        in_order = sorted(self._before(said_at), key=attrgetter("called_at"))
        return replace(self, covered={one.channel: one for one in in_order})

    def after_rule_in_order(self, said_at: datetime) -> Addresses:
        """The same by the order in which the calls were recorded, whatever clocks say."""
        return replace(self, covered={one.channel: one for one in self._before(said_at)})

    def _before(self, said_at: datetime) -> list[Address]:
        return [one for one in self.known.values() if one.called_at <= said_at]

    def covered_by_both(self, other: Addresses) -> Addresses:
        """The addresses with what both cover: for two words of which either may hold."""
        covered = {channel: one for channel, one in self.covered.items() if other.covers(one)}
        return replace(self, covered=covered)
