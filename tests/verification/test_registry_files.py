"""Registry files as offices have them: recognised, or refused with every wrong line."""

import re
from pathlib import Path

import pytest

from services.verification.registry import Loaded, SqliteRegistry, load_csv
from services.verification.registry_file.problems import RegistryFileError
from shared.matching import Stated
from tests.verification.cases import HEADER, load_text, registry_of

HIDDEN = "Таємний"
IN_RUSSIAN = "Фамилия;Имя;Отчество;Звание;Дата рождения;Личный номер;Часть\n"
IN_UKRAINIAN = "Прізвище;Ім'я;По батькові;Звання;Дата народження;Особистий номер;Частина\n"
MEN = (
    "Зразков;Иван;Петрович;рядовой;17.05.1990;АВ-000123;в/ч 00001\n"
    "Вигаданов;Олексій;Степанович;солдат;02.01.1985;АВ-000124;44 бригада\n"
)
HE = Stated("Зразков", "Иван", "Петрович", "1990-05-17", "АВ-000123", "00001")


def outcome(folder: Path, stated: Stated = HE) -> str:
    return SqliteRegistry(folder / "registry.db").look_up(stated).outcome


def refused(folder: Path, text: str, encoding: str = "utf-8") -> RegistryFileError:
    with pytest.raises(RegistryFileError) as error:
        load_text(folder, text, encoding)
    assert HIDDEN not in str(error.value)
    return error.value


@pytest.mark.parametrize(
    "encoding",
    [
        *("utf-8", "utf-8-sig", "cp1251", "koi8-r", "koi8-u", "cp866", "iso8859-5"),
        *("mac-cyrillic", "utf-16", "utf-16-le", "utf-16-be", "utf-32"),
    ],
)
@pytest.mark.parametrize("header", [IN_RUSSIAN, IN_RUSSIAN.upper(), HEADER.replace(",", ";")])
@pytest.mark.parametrize("men", [MEN, MEN.upper()], ids=["names", "capitals"])
def test_the_encoding_is_recognised(tmp_path: Path, encoding: str, header: str, men: str) -> None:
    if encoding in {"koi8-r", "cp866"}:
        men = men.replace("і", "и").replace("І", "И")
    loaded = load_text(tmp_path, header + men, encoding)
    assert loaded.persons == 2
    assert outcome(tmp_path) == "match"


@pytest.mark.parametrize("encoding", ["cp1251", "koi8-u", "cp866", "utf-16-be"])
def test_a_given_name_alone_tells_the_encoding(tmp_path: Path, encoding: str) -> None:
    assert load_text(tmp_path, f"{HEADER}Цой,Олег,,,,AB-1,\n", encoding).persons == 1
    assert outcome(tmp_path, Stated("Цой", "Олег", service_number="AB-1")) == "match"


@pytest.mark.parametrize("begins", [b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1", b"%PDF-1.7"])
def test_a_workbook_is_told_to_be_saved_as_csv(tmp_path: Path, begins: bytes) -> None:
    (tmp_path / "rows.csv").write_bytes(begins + bytes(range(256)))
    with pytest.raises(RegistryFileError, match="save the table as CSV"):
        load_csv(tmp_path / "registry.db", tmp_path / "rows.csv")


def test_a_heading_of_two_lines_is_recognised(tmp_path: Path) -> None:
    header = '"Фамилия";Имя;"Дата\nрождения";"Личный\nномер"\n'
    assert load_text(tmp_path, f"{header}Зразков;Иван;17.05.1990;АВ-000123\n").persons == 1
    assert outcome(tmp_path) == "match"


def test_an_encoding_that_cant_be_told_is_refused_and_can_be_named(tmp_path: Path) -> None:
    text = HEADER + "Щъ,Ыэ,,,,1,\n"
    assert "--encoding" in str(refused(tmp_path, text, "cp1251"))
    for named in ("cp1251", "windows-1251", "CP1251"):
        assert load_text(tmp_path, text, "cp1251", named=named).persons == 1
    with pytest.raises(RegistryFileError, match="is not utf-8"):
        load_text(tmp_path, text, "cp1251", named="utf-8")
    with pytest.raises(RegistryFileError, match="must be one of utf-8"):
        load_text(tmp_path, text, named="ebcdic")


def test_lines_of_another_encoding_are_named(tmp_path: Path) -> None:
    good, bad = (IN_RUSSIAN + MEN).encode(), f"{HIDDEN};А;;;;7;\n".encode("cp1251")
    (tmp_path / "rows.csv").write_bytes(good + bad + MEN.encode() + bad)
    with pytest.raises(RegistryFileError) as error:
        load_csv(tmp_path / "registry.db", tmp_path / "rows.csv")
    assert [one.line for one in error.value.problems] == [4, 7]
    assert "not UTF-8" in str(error.value)


@pytest.mark.parametrize("separator", [";", ",", "\t", "|"])
@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
def test_separator_and_line_ends_are_recognised(tmp_path: Path, separator: str, ends: str) -> None:
    text = (IN_RUSSIAN + MEN).replace(";", separator).replace("\n", ends)
    assert load_text(tmp_path, text).recognised.separator == separator
    assert outcome(tmp_path) == "match"


def test_excels_separator_line_and_a_title_above_the_header_are_passed_over(tmp_path: Path) -> None:
    assert load_text(tmp_path, f"sep=;\n{IN_RUSSIAN}{MEN}").recognised.header_line == 2
    titled = load_text(tmp_path, f"Список;;;;;;\n\n{IN_RUSSIAN}{MEN}")
    assert (titled.recognised.header_line, titled.recognised.rows) == (3, 2)


@pytest.mark.parametrize(
    "header",
    [
        HEADER,
        HEADER.upper(),
        IN_RUSSIAN.replace(";", ","),
        IN_UKRAINIAN.replace(";", ",").upper(),
        "Last name,First name,Middle name,Military rank,Date of birth,Service no.,Military unit\n",
        "фамилия,имя,отчество,воинское звание,Дата рождения (дд.мм.гггг),л/н,в/ч\n",
        "Фамилия военнослужащего,Имя*,Отчество,звание,Д.р.,Личный №,Войсковая часть\n",
        "LastName,FirstName,MiddleName,Rank,DOB,ServiceNo,Unit\n",
        "Surname,Given Name(s),Patronymic,Rank,Birth Date,Personal No.,Military Unit\n",
        "Фам.,Имя,Отч.,В/зв.,Дата рожд.,Личн. №,В/ч\n",
        "Прізвище,Ім’я,По-батькові,Звання,Дата народж.,Особовий №,Військова частина\n",
        "Прозвішча,Імя,Імя па бацьку,Званне,Дата нараджэння,Асабісты нумар,Часць\n",
        'Фамилия,Имя,Отчество,Звание,"Дата рож-\nдения",Личный номер,Часть\n',
        "ПРІЗВИЩЕ,Імʼя,По-батькові,Військове звання,ДАТА НАРОДЖЕННЯ,Особовий номер,підрозділ\n",
    ],
)
def test_headings_in_three_languages_are_recognised(tmp_path: Path, header: str) -> None:
    loaded = load_text(tmp_path, header + MEN.replace(";", ","))
    assert "ignored" not in loaded.recognised.columns.values()
    assert outcome(tmp_path) == "match"


@pytest.mark.parametrize(
    ("header", "row"),
    [
        ("ФИО;Дата рождения;Личный номер", "Зразков Иван Петрович;17.05.1990;АВ-000123"),
        ("П.І.Б.;Дата народження;Особистий номер", "Зразков Иван Петрович;17.05.1990;АВ-000123"),
        ("Ф.И.О.;д.р.;личный номер", "Иван Петрович Зразков;17.05.1990;АВ-000123"),
        ("Name;DOB;Service number", "Zrazkov Ivan;17.05.1990;АВ-000123"),
        ("Фамилия;Имя Отчество;Личный номер", "Зразков;Иван Петрович;АВ-000123"),
        ("Surname;Name;Service number", "Zrazkov;Ivan;АВ-000123"),
    ],
)
def test_joined_names_are_parted(tmp_path: Path, header: str, row: str) -> None:
    load_text(tmp_path, f"{header}\n{row}\n")
    assert outcome(tmp_path) == "match"


def test_unknown_columns_are_told_by_their_place_and_ignored(tmp_path: Path) -> None:
    loaded = load_text(
        tmp_path, "№ п/п;Фамилия;Имя;Личный номер;Адрес\n1;Зразков;Иван;АВ-000123;x\n"
    )
    assert loaded.recognised.columns["1"] == loaded.recognised.columns["5"] == "ignored"
    assert outcome(tmp_path, Stated("Зразков", "Иван", service_number="АВ-000123")) == "match"


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ("surname,Фамилия,service_number", "columns 1, 2 hold the same"),
        ("Фамилия;Имя;Имя;Личный номер", "columns 2, 3 hold the same"),
        ("ФИО;Фамилия;Личный номер", "columns 1, 2 hold the same"),
        ("Личный номер;Дата рождения", "no column for the surname"),
        ("Фамилия;Имя;Часть", "no column for service_number"),
        (f"{HIDDEN};Иван;1990", "no header is recognised"),
        ("", "no header is recognised"),
        ("Фамилия;Имя;Личный номер", "no row below the header"),
    ],
)
def test_a_header_that_doesnt_do_is_refused_with_what_would(
    tmp_path: Path, header: str, said: str
) -> None:
    assert said in str(refused(tmp_path, f"{header}\n"))


def test_blank_lines_and_empty_rows_are_passed_over_and_counted(tmp_path: Path) -> None:
    first, second = MEN.splitlines(keepends=True)
    loaded = load_text(tmp_path, f"{IN_RUSSIAN}\n{first};;;;;;\n   \n{second}\n\n")
    assert (loaded.recognised.rows, loaded.persons, loaded.recognised.empty_lines) == (2, 2, 5)


@pytest.mark.parametrize(
    ("row", "column", "said"),
    [
        (f"{HIDDEN};Иван", "", "has 2 cells, the header 7"),
        (f"{HIDDEN};Иван;;;;1;1;лишнее", "", "more cells than the header's 7"),
        (f"{HIDDEN};{'А' * 201};;;;1;1", "first_names", "longer than 200"),
        (f"{HIDDEN};#Н/Д;;;;1;1", "first_names", "error of the spreadsheet"),
        (f"{HIDDEN};????;;;;1;1", "first_names", "letters were lost"),
        (f"{HIDDEN};А\ufffdтон;;;;1;1", "first_names", "letters were lost"),
        (f"{HIDDEN};А;;;;#######;1", "service_number", "error of the spreadsheet"),
        (f"{HIDDEN};=A1;;;;1;1", "first_names", "holds a formula"),
        (f"{HIDDEN};А;;;;#ПОСИЛАННЯ!;1", "service_number", "error of the spreadsheet"),
        (f"{HIDDEN};А;;;;#ДЕЛ/0!;1", "service_number", "error of the spreadsheet"),
        (f"{HIDDEN};А;;;;Err:502;1", "service_number", "error of the spreadsheet"),
        (f"{HIDDEN};А;;;;1,2Е+11;1", "service_number", "digits were lost"),
        (f"{HIDDEN};А;;;;янв.23;1", "service_number", "made a date"),
        (f"{HIDDEN};А;;;;ИСТИНА;1", "service_number", "truth value"),
        ("Итого: 2;;;;;;", "surname", "remove the lines below the list"),
        ("Всього 2 особи;;;;;;", "surname", "remove the lines below the list"),
        ("Командир части;;;;;полковник Зразков;", "surname", "remove the lines below"),
        (";Иван;;;;;1", "surname", "nobody can be found"),
        (f'{HIDDEN};"А"б;;;;1;1', "", "not CSV"),
        ("Т" * 140_000 + ";;;;;1;1", "", "not CSV"),
    ],
)
def test_a_wrong_row_is_refused_with_line_column_and_what_would_do(
    tmp_path: Path, row: str, column: str, said: str
) -> None:
    registry_of(tmp_path, "Зразков,Иван,,,1990-05-17,АВ-000123,\n")
    error = refused(tmp_path, f"{IN_RUSSIAN}{MEN}{row}\n{MEN}")
    assert [(one.line, one.column) for one in error.problems] == [(4, column)]
    assert said in error.problems[0].problem
    assert outcome(tmp_path) == "match"
    assert {path.name for path in tmp_path.iterdir()} == {"registry.db", "rows.csv"}


def test_a_row_without_a_surname_is_kept_for_its_number(tmp_path: Path) -> None:
    loaded = load_text(tmp_path, f"{IN_RUSSIAN}неизвестно;;;;17.05.1990;АВ-7;\n")
    assert loaded.recognised.counts.without_surname == 1
    assert outcome(tmp_path, Stated(service_number="АВ-7", date_of_birth="1990-05-17")) == "partial"


def test_every_wrong_line_is_counted_and_the_first_fifty_are_named(tmp_path: Path) -> None:
    wrong = "".join(f"{HIDDEN};А;;;x;{number};\n" for number in range(60))
    error = refused(tmp_path, f"{IN_RUSSIAN}{MEN}{wrong}")
    assert (len(error.problems), error.total) == (50, 60)
    assert [one.line for one in error.problems] == list(range(4, 54))
    assert str(error).endswith("and 10 more")


def test_a_cell_of_several_lines_keeps_the_count_of_lines(tmp_path: Path) -> None:
    error = refused(tmp_path, f'{IN_RUSSIAN}Зразков;"А\nБ";;;;1;\n{HIDDEN};А;;;x;2;\n')
    assert [one.line for one in error.problems] == [4]


def test_an_unclosed_quote_is_refused_where_it_opens(tmp_path: Path) -> None:
    error = refused(tmp_path, f'{IN_RUSSIAN}{MEN}"{HIDDEN};А;;;;1;\n{MEN}{MEN}')
    assert [one.line for one in error.problems] == [4]


def test_doubles_sentinels_and_shared_numbers_are_counted(tmp_path: Path) -> None:
    rows = (
        "Зразков;Иван;;;01.01.1900;АВ-1;\nЗРАЗКОВ; Иван;;;01.01.1900;АВ-1;\nІнший;Петро;;;0;АВ-1;\n"
    )
    loaded = load_text(tmp_path, IN_RUSSIAN + rows)
    assert counted(loaded) == (3, 2, 1, 3, 1)


def counted(loaded: Loaded) -> tuple[int, int, int, int, int]:
    told, filled = loaded.recognised, loaded.filled
    sentinels = told.counts.sentinels
    return told.rows, filled.persons, filled.doubles, sentinels, filled.shared_numbers


def test_a_dry_run_says_the_same_and_changes_nothing(tmp_path: Path) -> None:
    load_text(tmp_path, f"{HEADER}Перший,Іван,,,,АВ-1,\n")
    before = (tmp_path / "registry.db").read_bytes()
    (tmp_path / "rows.csv").write_text(IN_RUSSIAN + MEN, "utf-8")
    loaded = load_csv(tmp_path / "registry.db", tmp_path / "rows.csv", dry_run=True)
    assert (loaded.persons, loaded.recognised.encoding) == (2, "utf-8")
    assert (tmp_path / "registry.db").read_bytes() == before


def test_loading_again_replaces_everybody(tmp_path: Path) -> None:
    load_text(tmp_path, IN_RUSSIAN + MEN)
    load_text(tmp_path, f"{HEADER}Інший,Петро,,,,АВ-2,\n")
    assert outcome(tmp_path) == "none"
    assert "Зразков" not in (tmp_path / "registry.db").read_bytes().decode(errors="ignore")


def test_a_folder_or_nothing_at_all_is_refused(tmp_path: Path) -> None:
    for source in (tmp_path, tmp_path / "none.csv"):
        with pytest.raises(RegistryFileError, match="cannot be read"):
            load_csv(tmp_path / "registry.db", source)
    assert not (tmp_path / "registry.db").exists()


def test_no_message_holds_what_a_file_holds(tmp_path: Path) -> None:
    """Every cell of a wrong file is a secret; none is in the error."""
    cells = [f"{HIDDEN}{number}" for number in range(7)]
    error = refused(tmp_path, f"{IN_RUSSIAN}{';'.join(cells)}\n{';'.join(cells[:3])}\n")
    assert not re.search("Таємн", str(error))
