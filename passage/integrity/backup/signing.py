"""The signature of a backup's manifest: who made the file; `backup.pub` says only for whom.

Anyone with `backup.pub` can encrypt a file of their own making. The witness's key signs the
manifest, which has a digest of everything else, so a signed file was made by someone with
`witness.key`: this installation, or whoever took the key from it. The signature doesn't say that
the backup is the newest, nor that its log was right; checkpoints do.
"""

from __future__ import annotations

from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from passage.backup_errors import BackupForgedError, BackupKeyError
from shared.keys.keyfiles import KeyFilesError, KeyFilesOpenError, read_secret
from shared.witnesses.checkpoints import PUBLIC_NAME, read_public_key, read_signing_key

_SIGNED_AS = b"passage backup manifest\n"
"""The key's other signatures begin otherwise, so neither passes for the other."""
UNCHECKED = (
    f"nobody's signature was looked for: {PUBLIC_NAME} isn't among the key files; name its copy "
    "with --signer"
)


def signature_of(key: Ed25519PrivateKey, manifest: bytes) -> bytes:
    return key.sign(_SIGNED_AS + manifest)


def check_signature(
    signer: Ed25519PublicKey | None, manifest: bytes, signature: bytes | None
) -> None:
    """Raises BackupForgedError unless the signer, if one is known, signed the manifest."""
    if signer is None:
        return
    if signature is None:
        raise BackupForgedError("the backup isn't signed; only one that this site signed is taken")
    try:
        signer.verify(signature, _SIGNED_AS + manifest)
    except InvalidSignature:
        raise BackupForgedError(
            f"the backup's signature doesn't fit {PUBLIC_NAME}: another site made it, or a forger"
        ) from None


def own_key(folder: Path) -> Ed25519PrivateKey | None:
    """The signing key, if there is one. Raises BackupKeyError."""
    try:
        return read_signing_key(folder)
    except KeyFilesOpenError as error:
        raise BackupKeyError(str(error)) from None
    except KeyFilesError:
        return None


def known_signer(named: Path | None, keys: Path) -> Ed25519PublicKey | None:
    """Who must have signed: the named file's key, else the key folder's, else None.

    Raises BackupKeyError.
    """
    try:
        if named is not None:
            return Ed25519PublicKey.from_public_bytes(read_secret(named))
        return read_public_key(keys)
    except KeyFilesError as error:
        if named is not None:
            raise BackupKeyError(str(error)) from None
        return None
