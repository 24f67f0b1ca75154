"""Reads certificate files: whom they name, whose key they are for, and how long they last."""

from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from shared.keys.keyfiles import DAMAGED, NO_PAIR, SecretUnusableError, read_file, require_closed


def read_certificate(path: Path) -> x509.Certificate:
    """Raises SecretUnusableError if the file can't be read or holds none."""
    try:
        return x509.load_pem_x509_certificate(read_file(path))
    except ValueError:
        raise SecretUnusableError(path, DAMAGED) from None


def names_in(path: Path) -> tuple[str, ...]:
    """The host names and addresses that a certificate is good for. Raises SecretUnusableError."""
    certificate = read_certificate(path)
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (ValueError, x509.ExtensionNotFound):
        raise SecretUnusableError(path, DAMAGED) from None
    return tuple(str(one.value) for one in found)


def require_key_of(certificate: Path, key: Path) -> None:
    """Raises KeyFilesError if `key` isn't a private key, is open to others, or is another's."""
    require_closed(key)
    public = read_certificate(certificate).public_key()
    try:
        private = load_pem_private_key(read_file(key), None)
    except (ValueError, TypeError):
        raise SecretUnusableError(key, DAMAGED) from None
    if private.public_key() != public:
        raise SecretUnusableError(key, NO_PAIR)


def days_left(path: Path) -> int:
    """In whole days. Raises SecretUnusableError."""
    return (read_certificate(path).not_valid_after_utc - datetime.now(UTC)).days
