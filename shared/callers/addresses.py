"""How a caller's address is kept, so that he is recognised however it was written.

Only a text that can be a whole telephone number is folded as one; anything else stays text. A
national number may be several numbers: it is looked up as each of them.
"""

import hashlib
import re
import unicodedata
from typing import NamedTuple
from urllib.parse import unquote

import phonenumbers

from shared.callers.withheld import is_withheld
from shared.callers.written_addresses import SENTENCE_END, bare_number, uncovered
from shared.events.fields import Channel
from shared.keys.hash_purposes import callers_of

CHANNELS_WITH_NUMBERS: frozenset[Channel] = frozenset({"phone", "whatsapp", "signal"})
HOME_REGIONS = ("UA", "RU", "BY")
"""Regions tried for a number without a country code, after the region of the call."""
NO_COUNTRY = "001"
ADDRESS_MAX_CHARACTERS = 300
"""A longer text isn't a number or an account; no time is spent on parsing it."""
HASHED_MAX_CHARACTERS = 250_000
"""The key holder's limit for one message. A letter may fold to three, so the folded address is
measured."""
NORMALIZED_MAX_CHARACTERS = 1_000
"""Ordering combining marks takes quadratic time: 180,000 of them block the whole process for
seventeen seconds."""
OLD_HOME_REGION = "UA"
"""The region assumed by versions before readings."""

_NUMBER = re.compile(r"\+?[0-9][0-9 ]*")
_BETWEEN_DIGITS = re.compile(
    r"[\s().,/:~*_\-\u2010-\u2015\u2212\u00b7\u2022'\"`\u00ab\u00bb\u2018-\u201f]+"
)
_IN_BRACKETS = re.compile(r"[(\[{][^)\]}]*[)\]}]")
"""Bracketed words are a comment, such as the owner's name in address books. One pattern for
brackets and a letter between them would try every pair, and block the process."""
_LETTER = re.compile(r"[^\W\d_]")
_IN_ANGLES = re.compile(r"[^<>]*<([^<>]+)>")
_SCHEME = re.compile(r"(?:tel|callto|sms|sips?|whatsapp|signal|viber):(?://)?(?P<rest>.*)")
_EXTENSION = re.compile(
    r"(?P<number>.*?[0-9])\s*(?:;ext=|[,;]?\s*(?:ext(?:ension)?|доб|вн|дод)\.?|x|#)\s*"
    r"(?P<extension>[0-9]{1,7})"
)
_CONTEXT = re.compile(r";phone-context=(\+[0-9]+)")
_LINK = (
    r"(?:(?:https?://)?(?:www\.)?(?:t\.me|telegram\.(?:me|dog))/(?:s/)?"
    r"|tg:(?://)?resolve/?\?domain=|(?:https?://)?web\.telegram\.org/(?:[akz]/)?#(?:/im\?p=)?(?=@))"
)
_NAME = r"[a-z][a-z0-9_]{3,31}"
_ACCOUNT = re.compile(
    rf"@?(?P<bare>{_NAME})|{_LINK}(?!(?:share|proxy|socks|login|contact|invoice)\b)"
    rf"@?(?P<linked>{_NAME})/?(?:[?&#].*)?|(?:https?://)?(?P<host>{_NAME})\.t\.me/?(?:[?#].*)?"
)
_TELEGRAM_ID = re.compile(r"tg:(?://)?(?:user/?\?id|openmessage/?\?user_id)=([0-9]+)")
_SHOWN_WITH = re.compile(
    rf"(?:telegram|телеграмм?|tg|тг|ник|нік|nick|username)\s*[:-]\s*(?=@?{_NAME}$)"
    rf"|[^@\d()\[\]<>]+[(\[<](?=@{_NAME}[)\]>]$)"
)
"""What precedes an account: the word for it, or his name: `Иван (@demo_man)`."""
_NUMBER_IN_LINK: dict[Channel, re.Pattern[str]] = {
    "telegram": re.compile(
        r"(?:(?:https?://)?(?:www\.)?t\.me/|tg:(?://)?resolve/?\?phone=)\+?([0-9]{7,15})/?"
    ),
    "whatsapp": re.compile(
        r"(?:(?:https?://)?(?:www\.)?(?:wa\.me/|api\.whatsapp\.com/send/?\?phone=)"
        r"|whatsapp://send/?\?phone=)\+?([0-9]+)/?(?:[?&#].*)?"
    ),
    "signal": re.compile(r"(?:(?:https?|sgnl)://)?signal\.me/#p/\+?([0-9]+)"),
}
_WHATSAPP_ID = re.compile(r"([0-9]+)(?::[0-9]+)?@(?:c\.us|s\.whatsapp\.net)")


class Spelled(NamedTuple):
    """The spellings under which an address is kept and found."""

    own: tuple[str, ...]
    """What it is kept under now, then what earlier versions may have kept it under."""
    readings: tuple[str, ...] = ()
    """The numbers it may be, likeliest first, if that is unclear."""


class _Number(NamedTuple):
    """A possible number in E.164."""

    plain: str
    exists: bool
    """Whether the numbering plan has it."""


def spelled(channel: Channel, address: str, region: str | None = None) -> Spelled | None:
    """None if the number is withheld. `region`: where it was dialled."""
    plain = without_marks(address)
    if not plain or is_withheld(plain[:ADDRESS_MAX_CHARACTERS]):
        return None
    folded = plain.casefold()
    if len(folded) > HASHED_MAX_CHARACTERS:
        return Spelled((hashlib.sha256(folded.encode()).hexdigest(),))
    if len(folded) > ADDRESS_MAX_CHARACTERS:
        return Spelled((folded,))
    number = _number_in(channel, folded, region)
    kept = number or Spelled(_account(folded) if channel == "telegram" else (folded,))
    older = _as_before(channel, address.strip(), is_number=number is not None)
    return kept._replace(own=tuple(dict.fromkeys((*kept.own, *older))))


def callers_to_hash(
    channel: Channel, address: str, region: str | None = None
) -> list[tuple[str, str]]:
    """Purpose and value of each keyed hash that may find the caller; none if withheld."""
    kept = spelled(channel, address, region)
    if kept is None:
        return []
    return [(callers_of(channel), one) for one in (*kept.own, *kept.readings)]


def without_marks(text: str) -> str:
    """In compatibility form, without invisible characters (directions, joiners ...)."""
    if len(text) > NORMALIZED_MAX_CHARACTERS:
        text = _without_hidden(text)
        if len(text) > NORMALIZED_MAX_CHARACTERS:
            return " ".join(text.split())
    shown = _without_hidden(unicodedata.normalize("NFKC", text))
    return " ".join(unicodedata.normalize("NFKC", shown).split())


def _without_hidden(text: str) -> str:
    # Looking at each of 380,000 characters takes a tenth of a second.
    return text.translate(dict.fromkeys(ord(one) for one in set(text) if _is_hidden(one)))


def _is_hidden(one: str) -> bool:
    if one.isspace():
        return False
    is_variant = "\ufe00" <= one <= "\ufe0f" or "\U000e0100" <= one <= "\U000e01ef"
    return is_variant or one in "\u034f\u20e3" or unicodedata.category(one) in {"Cc", "Cf", "Cs"}


def _account(text: str) -> tuple[str, ...]:
    """A Telegram account's name or number, however written; for names also the old form."""
    by_id = _TELEGRAM_ID.fullmatch(text)
    if by_id is not None:
        return (by_id[1],)
    bare = uncovered(text).rstrip(SENTENCE_END)
    shown = _SHOWN_WITH.match(bare)
    found = _ACCOUNT.fullmatch(bare if shown is None else bare[shown.end() :].rstrip(")]>"))
    if found is None:
        return (text,)
    name = found["bare"] or found["linked"] or found["host"]
    return (name, f"@{name}")


def _number_in(channel: Channel, text: str, region: str | None) -> Spelled | None:
    link = _NUMBER_IN_LINK[channel].fullmatch(text) if channel in _NUMBER_IN_LINK else None
    if link is None and channel == "whatsapp":
        link = _WHATSAPP_ID.fullmatch(text)
    if link is None and channel == "whatsapp" and text.isdecimal():
        whole = _of_country(f"+{text}")  # Telegram's ids have the country's code but no plus.
        link = re.fullmatch(r"([0-9]+)", text) if whole is not None and whole.exists else None
    if link is not None:
        return _read(f"+{link[1]}", region)
    # An id may be a number; with a plus it is a telephone number on any channel.
    if channel in CHANNELS_WITH_NUMBERS or text.startswith("+"):
        return _read(text, region)
    return None


def _read(text: str, region: str | None) -> Spelled | None:
    """None unless the text is a whole number."""
    text = bare_number(_out_of_address(text))
    extended = _EXTENSION.fullmatch(text)
    digits = _digits(extended["number"] if extended is not None else text)
    if digits is None:
        return None
    suffix = f";ext={extended['extension']}" if extended is not None else ""
    of_region = _in_region(digits, region.upper()) if region is not None else None
    likely = [f"{one}{suffix}" for one in _readings(digits, of_region)]
    if not likely:
        return None
    if len(likely) == 1 or (of_region is not None and likely[0] == f"{of_region[0]}{suffix}"):
        return Spelled((likely[0],))
    # One key for all spellings of a number that may be any of these.
    return Spelled(("/".join(sorted(likely)),), tuple(likely))


def _out_of_address(text: str) -> str:
    """The number in a URI or in `Name <number>`; other text stays as it is."""
    named = _IN_ANGLES.fullmatch(text)
    scheme = _SCHEME.fullmatch(named[1] if named is not None else text)
    if scheme is None:
        return named[1] if named is not None else text
    number, *parameters = without_marks(unquote(scheme["rest"])).partition("@")[0].split(";")
    context = _CONTEXT.match(";" + next((p for p in parameters if p.startswith("phone-")), ""))
    extension = next((f";{p}" for p in parameters if p.startswith("ext=")), "")
    is_local = context is not None and not number.startswith("+")
    return f"{context[1] if context is not None and is_local else ''}{number}{extension}"


def _digits(text: str) -> str | None:
    """A number's digits, with its plus; None if there is anything else."""
    text = _IN_BRACKETS.sub(lambda found: " " if _LETTER.search(found[0]) else found[0], text)
    text = "".join(" " if unicodedata.category(one) in {"So", "Sk"} else one for one in text)
    text = "".join(
        one if (digit := unicodedata.decimal(one, None)) is None else str(digit) for one in text
    )
    text = re.sub(r"^\s*\+\s*", "+", _BETWEEN_DIGITS.sub(" ", text)).strip()
    return text.replace(" ", "") if _NUMBER.fullmatch(text) else None


def _readings(digits: str, of_region: _Number | None) -> list[str]:
    """The numbers these digits may be; only existing ones, if there are any."""
    if digits.startswith("+"):
        whole = _parsed(digits, None)
        if whole is not None:
            return [whole.plain]
        # No country has this code: a plus was put before a national number, `+8 900 ...`.
        meant = filter(None, (_in_region(digits[1:], region) for region in HOME_REGIONS))
        return list(dict.fromkeys(number for number, exists in meant if exists))
    national = (of_region, *(_in_region(digits, region) for region in HOME_REGIONS))
    found: dict[str, bool] = dict(filter(None, national))
    whole = _of_country(f"+{digits}")
    # Some gateways omit the plus; if the digits are a national number they didn't.
    if whole is not None and not any(found.values()):
        found.setdefault(*whole)
    return [number for number, exists in found.items() if exists] or list(found)


def _of_country(digits: str) -> _Number | None:
    """A number with its country's code but no plus; nobody calls from +800 and the like."""
    number = _parsed(digits, None)
    if number is None:
        return None
    region = phonenumbers.region_code_for_number(phonenumbers.parse(number.plain))
    return None if region == NO_COUNTRY else number


def _in_region(digits: str, region: str) -> _Number | None:
    if region not in phonenumbers.SUPPORTED_REGIONS:
        return None
    if region == "UA" and re.fullmatch(r"80[0-9]{9}", digits):
        digits = digits[1:]  # The trunk prefix was 8 there, too; old gateways still send it.
    return _parsed(digits, region)


def _parsed(digits: str, region: str | None) -> _Number | None:
    try:
        number = phonenumbers.parse(digits, region)
    except phonenumbers.NumberParseException:
        return None
    reason = phonenumbers.is_possible_number_with_reason(number)
    if reason != phonenumbers.ValidationResult.IS_POSSIBLE:
        return None
    plain = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return _Number(plain, phonenumbers.is_valid_number(number))


def _as_before(channel: Channel, address: str, *, is_number: bool) -> tuple[str, ...]:
    """Keys of versions before readings, unless they merged different people."""
    if channel not in CHANNELS_WITH_NUMBERS:
        return (address.casefold(),)
    try:
        number = phonenumbers.parse(address, OLD_HOME_REGION)
    except phonenumbers.NumberParseException:
        return (address.casefold(),)
    if not is_number or phonenumbers.is_valid_number(number):
        # Its digits stood for anyone with the same ones; or it may be another man's number.
        return ()
    plain = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return (f"{plain};ext={number.extension}" if number.extension else plain,)
