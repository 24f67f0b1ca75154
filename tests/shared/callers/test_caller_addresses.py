"""How callers' addresses are kept: one man under one key however it is written, two under two."""

import time

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.callers.addresses import (
    HASHED_MAX_CHARACTERS,
    NORMALIZED_MAX_CHARACTERS,
    Spelled,
    callers_to_hash,
    spelled,
    without_marks,
)
from shared.events.fields import Channel


def kept(channel: Channel, address: str, region: str | None = None) -> str:
    """What an address is kept under now."""
    found = spelled(channel, address, region)
    assert found is not None
    return found.own[0]


@pytest.mark.parametrize(
    ("channel", "one", "other"),
    [
        ("signal", "dmytro.42", "petro.42"),
        ("signal", "maks.01", "max.01"),
        ("phone", "desk 101", "post 101"),
        ("phone", "101", "102"),
        ("phone", "number 101", "тел. 102"),
        ("phone", "via +380440000001", "+380440000001"),
        ("phone", "desk O1", "desk 01"),
        ("signal", "lio.123456", "ilo.123456"),
        ("telegram", "relay for @demo_man", "demo_man"),
        ("phone", "FLOWERS 0440000001", "MOTHERS 0440000001"),
        ("phone", "+380440000001;ext=5", "+380440000001"),
        ("phone", "+380440000001 ext. 5", "+380440000001 ext. 6"),
        ("phone", "+380440000001", "+380440000002"),
        ("whatsapp", "group 380440000001", "380440000001"),
        ("telegram", "123456789", "+123456789"),
        ("telegram", "demo_man", "demo.man"),
        ("telegram", "https://t.me/joinchat/AAAA", "https://t.me/joinchat/BBBB"),
        ("telegram", "https://t.me/proxy?server=a", "https://t.me/proxy?server=b"),
        ("telegram", "t.me/c/1234/5", "t.me/c/1234/6"),
        ("web", "session-1", "session-2"),
        ("web", "0440000001", "+380440000001"),
        ("walk_in", "desk 1", "desk 2"),
    ],
)
def test_two_people_have_two_keys(channel: Channel, one: str, other: str) -> None:
    assert set(callers_to_hash(channel, one)).isdisjoint(callers_to_hash(channel, other))


ONE_NUMBER = [
    "+380440000004",
    "\u200e380440000004",
    "\u2068+380 44 000 00 04\u2069",
    "\u202d+380440000004\u202c",
    "+380 44 000\ufe0d 00 04",
    "+380\u00a044\u2011000\u201100\u201104",
    "+380 44\u00ad000\u200b00\u206004",
    "＋３８０ ４４ ０００ ００ ０４",
    "+٣٨٠ ٤٤ ٠٠٠ ٠٠ ٠٤",
    "+380440000004 (mama)",
    "+380440000004 [робочий 2]",
    "+380 (44) 000-00-04",
    "\U0001f4de +380 44 000 00 04",
    "'+380440000004'",
    "00380440000004",
    "8~10 380 44 000 00 04",
    "tel:+380-44-000-00-04",
    "tel:%2B380440000004",
    "tel:440000004;phone-context=+380",
    "sip:+380440000004@10.0.0.5;user=phone",
    '"Mama" <sip:+380440000004@pbx.example>',
    "Mama <+380440000004>",
    "callto:+380440000004",
    "+380440000004;",
    "+380440000004!",
    "тел. +380440000004",
    "Моб.: +380 44 000 00 04",
    "My number: +380440000004",
    "м.т. +380 44 000-00-04",
    "+380 44 000 00 04 мама",
    "+380440000004 - Oksana",
    "[+380440000004]",
    "=+380440000004",
    "+380440000004.0",
    "380440000004,0",
    "+38O440000004",
    "+З8044ОООООО4",
    "+З80440000004",
]


@pytest.mark.parametrize("address", ONE_NUMBER)
def test_marks_that_travel_with_a_copied_number_change_nothing(address: str) -> None:
    assert kept("phone", address) == "+380440000004"


@pytest.mark.parametrize(
    ("channel", "address", "key"),
    [
        ("telegram", "@Demo_Man", "demo_man"),
        ("telegram", "demo_man", "demo_man"),
        ("telegram", "https://t.me/Demo_Man", "demo_man"),
        ("telegram", "http://www.t.me/Demo_Man/", "demo_man"),
        ("telegram", "t.me/demo_man?start=1", "demo_man"),
        ("telegram", "telegram.me/demo_man", "demo_man"),
        ("telegram", "demo_man.t.me", "demo_man"),
        ("telegram", "tg://resolve?domain=Demo_Man", "demo_man"),
        ("telegram", "https://t.me/@Demo_Man", "demo_man"),
        ("telegram", "@Demo_Man,", "demo_man"),
        ("telegram", '"@Demo_Man"', "demo_man"),
        ("telegram", "(@demo_man)", "demo_man"),
        ("telegram", "Іван (@demo_man)", "demo_man"),
        ("telegram", "Ivan <@demo_man>", "demo_man"),
        ("telegram", "Telegram: demo_man", "demo_man"),
        ("telegram", "тг - @demo_man", "demo_man"),
        ("telegram", "https://t.me/s/demo_man", "demo_man"),
        ("telegram", "https://web.telegram.org/k/#@demo_man", "demo_man"),
        ("telegram", "tg://openmessage?user_id=123456789", "123456789"),
        ("telegram", "123456789", "123456789"),
        ("telegram", "tg://user?id=123456789", "123456789"),
        ("telegram", "+380 50 000 00 02", "+380500000002"),
        ("telegram", "t.me/+380500000002", "+380500000002"),
        ("whatsapp", "https://wa.me/380500000002", "+380500000002"),
        ("whatsapp", "https://api.whatsapp.com/send?phone=380500000002&text=x", "+380500000002"),
        ("whatsapp", "380500000002@c.us", "+380500000002"),
        ("whatsapp", "380500000002:7@s.whatsapp.net", "+380500000002"),
        ("whatsapp", "whatsapp:+380500000002", "+380500000002"),
        ("whatsapp", "380500000002", "+380500000002"),
        ("signal", "https://signal.me/#p/+380500000002", "+380500000002"),
        ("signal", "Dmytro.42", "dmytro.42"),
    ],
)
def test_the_id_that_stays_is_one_however_it_is_written(
    channel: Channel, address: str, key: str
) -> None:
    assert kept(channel, address) == key


@pytest.mark.parametrize(
    ("plain", "spellings"),
    [
        ("+79000000001", ["+7 900 000-00-01", "8 900 000 00 01", "79000000001", "9000000001"]),
        ("+380500000002", ["8 050 000 00 02", "380500000002", "050 000 00 02", "80500000002"]),
        ("+380440000005", ["8 044 000 00 05", "0440000005", "80440000005", "440000005"]),
        ("+375290000006", ["8 029 000 00 06", "80290000006", "375290000006", "029 000-00-06"]),
        ("+74950000007", ["8 495 000 00 07", "8(495)0000007", "74950000007", "4950000007"]),
        ("+79000000001", ["+8 900 000 00 01", "+89000000001"]),
        ("+380500000002", ["+8 050 000 00 02", "+0500000002", "+0 50 000-00-02"]),
        ("+380440000005", ["0 44 000 00 05", "810380440000005", "00380440000005"]),
    ],
)
def test_a_number_is_looked_up_in_every_reading(plain: str, spellings: list[str]) -> None:
    for one in spellings:
        found = spelled("phone", one)
        assert found is not None
        assert plain in (*found.own, *found.readings), one


def test_the_region_of_the_call_says_first_where_a_number_is() -> None:
    for region, number in (
        ("UA", "+380440000005"),
        ("BY", "+375440000005"),
        ("by", "+375440000005"),
    ):
        assert kept("phone", "0440000005", region) == number
    assert kept("phone", "0555 12 34 56", "GE") == "+995555123456"
    for nowhere in ("XX", ""):
        assert spelled("phone", "0440000005", nowhere) == spelled("phone", "0440000005")


def test_an_unclear_number_has_one_key_however_it_is_written_and_no_certain_mans() -> None:
    spellings = ("8 044 000 00 05", "0440000005", "044-000-00-05", "80440000005")
    assert {kept("phone", one) for one in spellings} == {"+375440000005/+380440000005"}
    found = spelled("phone", "0440000005")
    assert found is not None
    assert found == Spelled(found.own, ("+380440000005", "+375440000005"))
    assert not set(found.own) & set(found.readings)


@pytest.mark.parametrize(
    ("channel", "address", "old_key"),
    [
        ("phone", "+380 44 000 00 01", "+380440000001"),
        ("phone", "+380440000001;ext=5", "+380440000001;ext=5"),
        ("phone", "044 000 00 01", "+380440000001"),
        ("phone", "8 900 000 00 01", "+38089000000001"),
        ("phone", "Walk-In", "walk-in"),
        ("signal", "ABCDEFGH-0000", "abcdefgh-0000"),
        ("telegram", "@Beispiel", "@beispiel"),
        ("telegram", "beispiel", "beispiel"),
        ("telegram", "https://t.me/Beispiel", "https://t.me/beispiel"),
        ("web", "AbC-1", "abc-1"),
    ],
)
def test_what_an_earlier_version_kept_it_under_is_still_looked_up(
    channel: Channel, address: str, old_key: str
) -> None:
    assert (f"caller-{channel}", old_key) in callers_to_hash(channel, address)


def test_an_old_key_that_stood_for_several_people_is_not() -> None:
    for channel, address, old in (
        ("phone", "desk 101", "+380101"),
        ("signal", "petro.42", "+38042"),
    ):
        assert (f"caller-{channel}", old) not in callers_to_hash(channel, address)  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ["1 " * 50_000, "(a" * 50_000, "<a" * 50_000, "٠x" * 50_000])
def test_a_text_of_any_length_is_kept_whole_at_once(text: str) -> None:
    assert kept("phone", text) == without_marks(text).casefold()
    assert kept("phone", text) != kept("phone", text[:-2])


@given(st.text(max_size=200), st.sampled_from(["phone", "telegram", "signal", "whatsapp", "web"]))
def test_any_text_is_kept_or_nobodys(address: str, channel: Channel) -> None:
    found = spelled(channel, address)
    assert without_marks(without_marks(address)) == without_marks(address)
    if found is not None:
        assert all(found.own)
        assert len(found.readings) != 1


@given(st.integers(0, 10_000_000), st.sampled_from(["UA", "RU", "BY", "GE", "PL", "DE", "US"]))
def test_a_number_in_each_common_form_is_found_by_its_plain_one(salt: int, region: str) -> None:
    example = phonenumbers.example_number_for_type(region, phonenumbers.PhoneNumberType.MOBILE)
    assert example is not None
    assert example.national_number is not None
    number = phonenumbers.PhoneNumber(
        country_code=example.country_code, national_number=example.national_number + salt % 1000
    )
    plain = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    formats = phonenumbers.PhoneNumberFormat
    for form in (formats.INTERNATIONAL, formats.RFC3966, formats.NATIONAL):
        found = spelled("phone", phonenumbers.format_number(number, form), region)
        assert found is not None
        assert found.own[0] == plain


def test_marks_without_end_are_not_put_in_order() -> None:
    marks = "a" + "\u0315\u0334" * NORMALIZED_MAX_CHARACTERS
    assert spelled("telegram", marks) == Spelled((marks,))
    hidden = "\u200b" * 2 * NORMALIZED_MAX_CHARACTERS
    assert kept("phone", f"{hidden}+380440000000") == "+380440000000"


def test_an_address_that_folds_to_more_than_one_request_holds_is_kept_by_its_digest() -> None:
    folds_to_three = "\u0390" * (HASHED_MAX_CHARACTERS // 2)
    kept = _kept(folds_to_three)
    assert len(kept) < HASHED_MAX_CHARACTERS
    assert _kept(folds_to_three) == kept
    assert _kept(f"{folds_to_three}a") != kept


@pytest.mark.parametrize("text", ["(" * 100 + "a" * 200, "(a" * 150, "[{(" * 50 + "a" * 150])
def test_brackets_that_end_nowhere_take_no_more_than_those_that_do(text: str) -> None:
    assert _seconds(text) < 8 * _seconds("(a)" * 100)


@pytest.mark.parametrize("label", ["м.т.", "р.т.", "д. т. ", "т.м.", "моб.т.", "p.phone."])
@pytest.mark.parametrize("form", ["{}x", "+<{}x>", "tel:{}x"])
def test_labels_before_no_number_take_no_more_than_other_words(label: str, form: str) -> None:
    assert _seconds(form.format(label * 17)) < 8 * _seconds(form.format("вот." * 17))


def _kept(address: str) -> str:
    found = spelled("telegram", address)
    assert found is not None
    return found.own[0]


def _seconds(address: str) -> float:
    """The least of several: what this thread took, whatever else the machine does."""
    took = []
    for _ in range(5):
        began = time.thread_time()
        spelled("phone", address)
        took.append(time.thread_time() - began)
    return min(took)
