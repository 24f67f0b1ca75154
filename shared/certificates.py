"""What a certificate file says: the names it is good for."""

from __future__ import annotations

from pathlib import Path

from cryptography import x509

from shared.keyfiles import KeyFilesError


def names_in(path: Path) -> tuple[str, ...]:
    """The host names and addresses that a certificate is good for. Raises KeyFilesError."""
    try:
        read = x509.load_pem_x509_certificate(path.read_bytes())
        found = read.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except OSError as error:
        raise KeyFilesError(
            f"cannot read {path.name} ({error.strerror}): see `passage init`"
        ) from None
    except (ValueError, x509.ExtensionNotFound):
        raise KeyFilesError(
            f"{path.name} is no certificate with names: see `passage init`"
        ) from None
    return tuple(str(one.value) for one in found)
