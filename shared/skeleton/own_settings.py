"""The settings of a process, after checking the files that they name."""

from collections.abc import Callable
from pathlib import Path

import nkeys

from shared.diagnostics.logger import logger
from shared.keys.keyfiles import (
    DAMAGED,
    SecretUnusableError,
    read_file,
    read_password,
    require_closed,
)
from shared.servers.certificates import days_left, read_certificate, require_key_of
from shared.settings import Settings

RENEW_DAYS = 30
"""In this time before a certificate expires, each start warns."""


def own_settings() -> Settings:
    """The settings of this process, with usable files.

    Raises pydantic's ValidationError and KeyFilesError.
    """
    settings = Settings()
    require_files(settings)
    for path in (settings.nats_ca, settings.http_certificate):
        if path is not None and (days := days_left(path)) < RENEW_DAYS:
            logger.warning("certificate_ends", file=path.name, days=days)
    return settings


def require_files(settings: Settings) -> None:
    """Raises KeyFilesError, which names the setting of an unusable file, and what would fix it."""
    checks: dict[str, Callable[[Path], object]] = {
        "nats_nkey": require_nkey,
        "nats_ca": read_certificate,
        "http_certificate": read_certificate,
        "http_key": lambda key: require_key_of(settings.http_certificate or key, key),
        "database_password_file": read_password,
    }
    for name, check in checks.items():
        path: Path | None = getattr(settings, name)
        try:
            if path is not None:
                check(path)
        except SecretUnusableError as error:
            raise SecretUnusableError(error.path, error.wrong, name) from None


def require_nkey(path: Path) -> None:
    """Raises KeyFilesError if a file isn't a seed, or is open to others."""
    require_closed(path)
    try:
        nkeys.from_seed(bytearray(read_file(path).strip()))
    except (nkeys.NkeysError, ValueError):  # The latter if it isn't base32.
        raise SecretUnusableError(path, DAMAGED) from None
