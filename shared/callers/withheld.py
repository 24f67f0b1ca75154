"""What channels send in place of a withheld number.

The fallback: a channel that knows says so (`CallReceived.withheld`). A caller wrongly taken for
withheld gets a case per call; one wrongly not taken would share a case with strangers.
"""

import re
import unicodedata
from urllib.parse import unquote

from shared.matching.look_alikes import in_one_alphabet


def _plain(text: str) -> str:
    """Without accents: й becomes и, ü becomes u."""
    bare = (one for one in unicodedata.normalize("NFD", text) if not unicodedata.combining(one))
    return unicodedata.normalize("NFC", "".join(bare))


def _words(*lines: str) -> frozenset[str]:
    return frozenset(_plain(word) for line in lines for word in line.split())


HIDDEN_WORDS = _words(
    "anon blocked hidden masked nil none null private privat restricted secret unavailable",
    "скр прих приват",
    "undefined undisclosed unidentified unlisted unpublished withheld confidential clir",
    "antiaon антиаон",
    "caché desconocida desconocido gizli masqué nascosto oculto özel privado privato privé",
    "restringido riservato ukryty dold dolt hemmelig hemligt skjult",
    "empty nan",
    "匿名 未知 私人 隐藏 隱藏 不明 非通知 非通知設定 未知号码 隐藏号码",
    "私人号码 خاص مجهول محجوب חסוי",
)
HIDDEN_STEMS = tuple(
    _words(
        "anonim anonym unknown unbekannt unterdrück verborgen inconnu sconosciut necunoscut ascuns",
        "ukryt bilinmeyen nieznan prywatn zastrzeżon neznám skryt soukrom",
        "incognito инкогнито інкогніто аноним анонім ананім",
        "заблокирован заблокован засекреч неизвест невідом невядом",
        "неопредел невизнач недоступ приватн прыватн частн прихован прыхаван скрыт скрит схован",
        "схаван закрыт закрит отсутств відсутн адсутн спрятан конфиденциал конфіденц",
    )
)
"""Of words that are inflected."""
UNINFLECTED = HIDDEN_WORDS.union(HIDDEN_STEMS)
ENDING_MAX_CHARACTERS = 5
OTHER_WORDS = _words(
    "a addr address by call called caller callerid calling cli clir id identity is no not nr num",
    "number of party person sip tel the",
    "абонент абонента абонентом аон user вызов дзвінок звонок звонящий не номер номера нумар",
    "определен определён определился определяется визначено визначений визначається",
    "appel appelant arayan chiamante cislo llamada llamante numar numara numer numéro número",
    "nummer rufnummer teilnehmer telefon telefone telefonnummer מספר رقم",
)
"""What may accompany the words that say it."""
PHRASES = frozenset(
    _plain(one)
    for one in (
        *("no number", "no caller id", "no id", "no cli", "not available", "not provided"),
        *("n a", "na", "н д", "н о", "без номера", "номер не определён", "не определён"),
        *("номер не определился", "номер не визначено", "не визначено", "номер не визначений"),
        *("номер не указан", "не указан", "не указано", "номер не вказано", "не вказано"),
        *("нет", "нет номера", "номера нет", "няма нумара"),
        *("немає", "немає номера", "номера немає", "не определился", "без аон", "аон запрещён"),
        *("нет данных", "данных нет", "немає даних", "даних немає", "нет информации"),
        *("ohne nummer", "sans numéro", "sin número", "out of area"),
    )
)
GLUED = ("number", "callerid", "caller", "id", "номер", "nummer", "numara")
"""Compounds with the word that says it: `PrivateNumber`."""
KEYPAD = frozenset(
    {
        "266696687",  # ANONYMOUS, as exchanges spell it on a keypad
        "2562533",  # BLOCKED
        "443336",  # HIDDEN
        "7748283",  # PRIVATE
        "7378742833",  # RESTRICTED
        "732738",  # SECRET
        "86282452253",  # UNAVAILABLE
        "8656696",  # UNKNOWN
        "94844353",  # WITHHELD
    }
)
CODES = frozenset({"-1", "-2", "-3", "o", "p", "asterisk"})
"""What Android, caller display (out of area, private) and Asterisk send in place of a number."""
NOWHERE = "invalid"
"""The top level of RFC 3323's hosts (`anonymous.invalid`): an address there is nobody's."""

_NEGATIONS = frozenset({"не", "без", "нет", "немае", "no", "not"})
_DENIED = tuple(
    _words(
        "определ опр визнач отобра відобра передан передав указан вказан доступн показ availab",
        "provid disclos shown displayed transmitted sent known данных даних информац",
    )
)
"""What isn't done with the number: `номер не отображается`, `not disclosed`."""
_ZEROS = re.compile(
    r"[17]0{10}|"
    r"(?:2[07]|3[0-469]|4[013-9]|5[1-8]|6[0-6]|8[1246]|9[0-58]|"
    r"(?:2[1-689]|3[578]|42|50|59|6[7-9]|8[0578]|9[679])[0-9])0{9,}"
)
"""A country's code and only zeros. Not `79`: 900 000-00-00 is in Russia's numbering plan."""
_MASK = re.compile("[xх]{3,}")

_ADDRESS = re.compile(r"^[^<>]*<([^<>]+)>$")
_SCHEME = re.compile(r"^(?:sips?|tel|callto|whatsapp|signal):(?://)?")


def is_withheld(text: str) -> bool:
    """Whether an address, without hidden marks, says that there is none."""
    folded = text.casefold().strip(" \"'`«»“”„")
    named = _ADDRESS.match(folded)
    address = named[1] if named is not None else folded
    bare = _SCHEME.sub("", address)
    user, _, host = unquote(bare).partition("@")
    is_account = host and bare == address and not any(map(str.isalnum, user))
    if is_account or address.startswith("@"):
        return False  # An account's name, whatever word it is.
    if re.split(r"[:;]", host)[0].rpartition(".")[2] == NOWHERE:
        return True
    return user in CODES or _names_nobody(user.partition(";")[0])


def _names_nobody(user: str) -> bool:
    words = "".join(one if one.isalnum() else " " for one in _plain(user)).split()
    joined = "".join(words)
    if (
        not joined.strip("0") or _ZEROS.fullmatch(joined) or _MASK.fullmatch(joined)
    ):  # Nothing, dashes, zeros, crosses.
        return True
    if joined.removeprefix("00") in KEYPAD or " ".join(words) in PHRASES:
        return True
    if any(joined.removesuffix(one).removeprefix(one) in UNINFLECTED for one in GLUED):
        return True
    words = [in_one_alphabet(word) for word in words]
    if _NEGATIONS.intersection(words) and _is_denied(words):
        return True
    others = [word for word in words if not _says_hidden(word)]
    return len(others) < len(words) and OTHER_WORDS.issuperset(others)


def _is_denied(words: list[str]) -> bool:
    """Whether the words say of a number, and of nothing else, that something isn't done."""
    said = [word for word in words if word not in _NEGATIONS and word not in OTHER_WORDS]
    return all(word.startswith(_DENIED) for word in said) and len(words) > 1


def _says_hidden(word: str) -> bool:
    if word in HIDDEN_WORDS:
        return True
    found = next((one for one in HIDDEN_STEMS if word.startswith(one)), None)
    return found is not None and len(word) - len(found) <= ENDING_MAX_CHARACTERS
