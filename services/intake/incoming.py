"""A call on its way into a case, and the way."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from shared.events.calls import Change
from shared.events.fields import Channel, Plain
from shared.events.intake import LinkBasis


@dataclass(frozen=True, slots=True)
class IncomingCall:
    """A call, opened and checked, on its way into a case."""

    message_id: str
    call_id: str
    channel: Channel
    caller_keys: tuple[str, ...]
    """Keyed hashes of his address, that of today first; none where the number is withheld."""
    caller_address: Plain | None
    language: str
    started_at: datetime
    text: Plain | None
    code_hashes: tuple[str, ...]
    """Keyed hashes of the return code he gave, that of today first."""
    recording_ref: str | None
    media: tuple[str, ...]
    withheld: bool = False
    display_name: Plain | None = None
    region: str | None = None
    reading_keys: tuple[tuple[str, ...], ...] = ()
    """Those of the numbers that his may be, where nothing tells which; the likeliest first."""
    name_key: str | None = None
    """Keyed hash of the name that his account shows: search finds him by it, and nothing else."""
    gave_code: bool = False
    """Whether he gave something as a code, whatever it was."""
    tries: int = 1
    """How many codes that may be."""
    words: str = ""
    """A keyed digest of what was said: the same id with other words is another message."""
    began: str = ""
    """When it began by the channel's clock; empty where that says nothing."""
    same_id_as: str | None = None
    changed: tuple[Change, ...] | None = None
    as_received: Plain | None = None
    address_as_received: Plain | None = None

    @property
    def source(self) -> str | None:
        """The caller as today's hash knows him; None where the number is withheld."""
        return self.caller_keys[0] if self.caller_keys else None


@dataclass(frozen=True, slots=True)
class Route:
    """Which case a call goes to, and why; decided once for a call."""

    case_id: str
    basis: LinkBasis = "caller"
    confidence: float = 1.0
    unmatched_code: bool = False
    previous_case: str | None = None
    episode: int = 1
    is_new: bool = False
    """Whether the case was numbered for this call."""
    duress: bool = False
    """Whether he gave the duress twin of a code."""
    caller_key: str | None = None
    """Whose call it is, as the index knows him; None where the number is withheld."""
    code_hash: str | None = None
    """The code he gave, or its twin, as the index knows it."""
    guessable: bool = False
    """Whether it may be a guess: it stood among his words, or too many wrong ones came before."""
    words: str = ""
    """What was said in it, as a keyed digest; empty in what was reserved before that was kept."""
    began: str = ""
    """When that call began, as its channel said; likewise."""
