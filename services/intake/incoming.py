"""A call on its way into a case, and its route."""

from dataclasses import dataclass
from datetime import datetime

from shared.events.calls import Change
from shared.events.fields import Channel, Plain
from shared.events.intake import LinkBasis


@dataclass(frozen=True, slots=True)
class IncomingCall:
    call_id: str
    channel: Channel
    language: str
    started_at: datetime
    caller_keys: tuple[str, ...] = ()
    """Keyed hashes of his address, current one first; none if the number is withheld."""
    caller_address: Plain | None = None
    text: Plain | None = None
    code_hashes: tuple[str, ...] = ()
    """Keyed hashes of the return code he gave, current one first."""
    recording_ref: str | None = None
    media: tuple[str, ...] = ()
    display_name: Plain | None = None
    reading_keys: tuple[tuple[str, ...], ...] = ()
    """Keyed hashes of the numbers his may be, if that is unclear; likeliest first."""
    name_key: str | None = None
    """Keyed hash of the account's shown name; only search uses it."""
    gave_code: bool = False
    tries: int = 1
    """How many codes these may be."""
    words: str = ""
    """A keyed digest of what was said: the same id with other words is another message."""
    began: str = ""
    """When it began by the channel's clock; empty if unknown."""
    same_id_as: str | None = None
    changed: tuple[Change, ...] | None = None
    as_received: Plain | None = None
    address_as_received: Plain | None = None

    @property
    def source(self) -> str | None:
        """The caller's current hash; None if the number is withheld."""
        return self.caller_keys[0] if self.caller_keys else None


@dataclass(frozen=True, slots=True)
class Route:
    """Which case a call goes to, and why; decided once per call."""

    case_id: str
    basis: LinkBasis = "caller"
    confidence: float = 1.0
    unmatched_code: bool = False
    previous_case: str | None = None
    episode: int = 1
    is_new: bool = False
    """Whether the case number was made for this call."""
    duress: bool = False
    """Whether he gave a duress twin."""
    caller_key: str | None = None
    """The caller, as the index knows him; None if the number is withheld."""
    code_hash: str | None = None
    """The code or twin he gave, as the index knows it."""
    guessable: bool = False
    """It may be a guess: it was among his words, or followed too many wrong ones."""
    words: str = ""
    """A keyed digest of what was said; empty in reservations older than this field."""
    began: str = ""
    """When the call began, as its channel said; likewise."""
