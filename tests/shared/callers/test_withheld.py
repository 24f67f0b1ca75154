"""Which addresses say that there is none, and which only sound like it."""

import pytest

from shared.callers.addresses import callers_to_hash, spelled
from shared.events.fields import Channel

WITHHELD = [
    *("+266696687", "266696687", "7378742833", "8656696", "anonymous", "ANONYMOUS", "Anonymous"),
    *("anonymous@anonymous.invalid", "sip:anonymous@10.0.0.5", "sips:anonymous@pbx.example:5061"),
    *('"Anonymous" <sip:anonymous@anonymous.invalid>', "sip:x@unknown.invalid", "tel:anonymous"),
    *("Private Number", "private-number", "PrivateNumber", "Private", "Number withheld"),
    *("No Caller ID", "Unknown caller", "Caller ID blocked", "(null)", "<unknown>", "N/A"),
    *("0", "00000", "+0", "null", "None", "nil", "unknown", "restricted", "undefined", "-", "---"),
    *("Скрытый номер", "Номер скрыт", "скрыт", "Неизвестный номер", "Номер не определён"),
    *("Анонимный звонок", "Аноним", "Абонент неизвестен", "Засекреченный номер", "Без номера"),
    *("Прихований номер", "Номер приховано", "Невідомий номер", "Невідомо", "Номер не визначено"),
    *("Анонімний дзвінок", "Приватний номер", "Схований номер", "Прыхаваны нумар"),
    *("Numer zastrzeżony", "Unbekannte Nummer", "Unterdrückt", "Numéro masqué", "Privé"),
    *("Número oculto", "Numero privato", "Număr necunoscut", "Gizli numara", "Özel Numara"),
    *("нет номера", "номера нет", "немає", "отсутствует", "Номер відсутній", "Номер не указан"),
    *("не вказано", "Закрытый номер", "Закритий номер", "Схаваны нумар", "Privatnummer", "NaN"),
    *("Skjult nummer", "Dolt nummer", "隐藏号码", "非通知", "رقم خاص", "מספר חסוי", "Out of area"),
    *("-1", "-2", "-3", "P", "O", "sip:asterisk@10.0.0.5", "Аnonymous", "aнонимно", "Unknоwn"),
    *("Номер не отображается", "номер не відображається", "Not disclosed", "Number not available"),
    *("не определяется", "Номер не передан", "без определения номера", "Incognito", "інкогніто"),
    *("н/д", "Скр. номер", "+7 000 000 00 00", "+380000000000"),
    *("xxxxxxxxxx", "XXXX", "00266696687", "CLIR", "АнтиАОН", "Номер скрыт абонентом"),
    *("Спрятанный номер", "Не определился", "Конфиденциальный номер", "Номер конфіденційний"),
    *("нет данных", "Ukryté číslo", "sip:Anonymous%20User@10.0.0.5", "sip:@10.0.0.5"),
    *("\u200eanonymous\u200f", "ＡＮＯＮＹＭＯＵＳ", "un\u00adknown", " \u200b ", ""),
]


@pytest.mark.parametrize("address", WITHHELD)
def test_a_withheld_number_is_nobodys_however_it_is_said(address: str) -> None:
    assert spelled("phone", address) is None
    assert callers_to_hash("phone", address) == []


@pytest.mark.parametrize(
    ("channel", "address"),
    [
        ("telegram", "@anonymous"),
        ("telegram", "(@anonymous)"),
        ("telegram", "[@demo_man](x)"),
        ("telegram", "unknown_soldier"),
        ("phone", "desk 0"),
        ("phone", "не звонить"),
        ("phone", "+380440000000"),
        ("phone", "+7 900 000 00 00"),
        ("phone", "+49 900 000 00 00"),
        ("telegram", "1000000000"),
        ("web", "no-5"),
        ("phone", "+17378742833"),
        ("web", "private-4711"),
        ("signal", "null.01"),
        ("phone", "number 5"),
        ("phone", "desk 1"),
        ("phone", "1"),
        ("phone", "pbx-p"),
        ("web", "out-7"),
    ],
)
def test_whoever_only_sounds_like_it_is_somebody(channel: Channel, address: str) -> None:
    assert spelled(channel, address) is not None
