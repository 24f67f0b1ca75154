"""The URL of the read models' database; its password is in a separate file."""

from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit

from shared.keys.keyfiles import read_password

POSTGRESQL = "postgresql+psycopg://"


def require_room_for_password(url: str) -> None:
    """Raises ValueError if a PostgreSQL URL leaves no place for a password."""
    if POSTGRESQL not in url:
        return
    if not urlsplit(url).username:
        raise ValueError("PASSAGE_DATABASE_URL must name the user that the password belongs to")
    if urlsplit(url).password:
        raise ValueError("PASSAGE_DATABASE_URL must not hold a password as well")


def with_password(url: str, file: Path | None) -> str:
    """The password may have any characters. Raises KeyFilesError."""
    if file is None or POSTGRESQL not in url:
        return url
    parts = urlsplit(url)
    user, _, host = parts.netloc.rpartition("@")
    password = quote(read_password(file), safe="")
    return urlunsplit(parts._replace(netloc=f"{user}:{password}@{host}"))
