"""PostgreSQL's password comes from a file, of whatever characters, and stands nowhere else."""

import secrets
import string
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from pydantic import ValidationError
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError

from services.query.feed.database import open_database
from shared.keys.keyfiles import (
    EMPTY,
    MISSING,
    NOT_ONE_LINE,
    KeyFilesOpenError,
    SecretUnusableError,
    read_password,
)
from shared.settings import Settings

PASSWORDS = (
    "p@ss:w/rd%40?#&=+",
    "  spaces around  ",
    "'quotes' \"double\" \\back\\slash\\",
    "пароль-密码-🔑-é-é",
    "$(id) `id` ${HOME} $1 %s {0}",
    "tab\tand\x01control\x7f",
    string.punctuation,
    "100%",
    "%",
    "x" * 500,
)
URL = "postgresql+psycopg://passage@postgres:5432/passage?sslmode=verify-full"


def settings_with(folder: Path, content: bytes, url: str = URL) -> Settings:
    path = folder / "database.password"
    path.write_bytes(content)
    path.chmod(0o600)
    return Settings(database_url=url, database_password_file=path)


@pytest.mark.parametrize("password", PASSWORDS)
def test_a_password_of_any_characters_is_that_of_the_url(tmp_path: Path, password: str) -> None:
    settings = settings_with(tmp_path, password.encode() + b"\n")
    parsed = make_url(settings.database)
    assert parsed.password == password
    assert (parsed.username, parsed.host, parsed.database) == ("passage", "postgres", "passage")
    assert parsed.query == {"sslmode": "verify-full"}
    assert password not in f"{settings!r}{settings.model_dump()}"


@pytest.mark.parametrize(
    ("content", "wrong"),
    [
        (b"", EMPTY),
        (b"\n", EMPTY),
        (b"two\nlines", NOT_ONE_LINE),
        (b"a\r\n", NOT_ONE_LINE),
        (b"a\0b", NOT_ONE_LINE),
        (b"\xff\xfe\x00", NOT_ONE_LINE),
    ],
)
def test_what_is_no_password_is_said_and_not_shown(
    tmp_path: Path, content: bytes, wrong: str
) -> None:
    with pytest.raises(SecretUnusableError) as ended:
        _ = settings_with(tmp_path, content).database
    assert ended.value.wrong == wrong
    assert "database.password" in str(ended.value)


def test_a_missing_file_and_one_open_to_others_are_said(tmp_path: Path) -> None:
    with pytest.raises(SecretUnusableError) as ended:
        read_password(tmp_path / "database.password")
    assert ended.value.wrong == MISSING
    open_to_all = tmp_path / "open"
    open_to_all.write_bytes(b"secret")
    open_to_all.chmod(0o644)
    with pytest.raises(KeyFilesOpenError):
        read_password(open_to_all)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql+psycopg://passage:other-secret@postgres:5432/passage",
        "postgresql+psycopg://postgres:5432/passage",
        "postgres://passage@postgres/passage",
        "mysql://passage@postgres/passage",
        "sqlite:passage",
        "",
    ],
)
def test_a_url_that_does_not_fit_is_refused_without_its_text(tmp_path: Path, url: str) -> None:
    with pytest.raises(ValidationError) as ended:
        settings_with(tmp_path, b"secret", url)
    assert "other-secret" not in str(ended.value)


def test_sqlite_asks_for_no_password(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/query.db"
    assert settings_with(tmp_path, b"secret", url).database == url


@pytest.mark.parametrize("password", [*PASSWORDS[:6], PASSWORDS[6]])
def test_postgresql_takes_the_password_and_an_error_does_not_show_it(
    postgres_server: str, tmp_path: Path, password: str
) -> None:
    role = f"role_{secrets.token_hex(4)}"
    with psycopg.connect(postgres_server.replace("+psycopg", ""), autocommit=True) as owner:
        owner.execute(
            sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(sql.Identifier(role), password)
        )
        hba = owner.execute("SHOW hba_file").fetchone()
        assert hba is not None
        Path(hba[0]).write_text("local all postgres trust\nlocal all all scram-sha-256\n")
        owner.execute("SELECT pg_reload_conf()")
    socket = make_url(postgres_server).query["host"]
    url = f"postgresql+psycopg://{role}@/postgres?host={socket}"
    database = open_database(settings_with(tmp_path, password.encode(), url).database)
    with database.reader.connect() as connection:
        assert connection.execute(text("SELECT current_user")).scalar() == role
    database.dispose()
    wrong = open_database(settings_with(tmp_path, b"x" + password.encode(), url).database)
    with pytest.raises(OperationalError) as refused, wrong.reader.connect():
        pass
    wrong.dispose()
    assert "password authentication failed" in str(refused.value)
    assert password not in f"{refused.value} {wrong.reader.url!r}"
