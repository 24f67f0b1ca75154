"""The nkeys by which nats-server knows services, channels and the keeper.

`nkeys/<identity>.nk` is the secret seed, for the identity alone; `.pub` is its public key, for the
server's configuration.
"""

import os
from pathlib import Path

import nkeys

from shared.keys.keyfiles import make_folder, write_new
from shared.policy import Policy, policy
from shared.subjects import KEEPER, channel_identity, outbox_identity

FOLDER = "nkeys"
SEED_BYTES = 32


def identities(rules: Policy | None = None) -> tuple[str, ...]:
    """The services, the keeper, and each channel's `channel-<name>` and `outbox-<name>`."""
    rules = rules or policy()
    channels = rules.channels.names
    of_channels = (*map(channel_identity, channels), *map(outbox_identity, channels))
    return (*rules.services, KEEPER, *of_channels)


def seed_file(keys: Path, identity: str) -> Path:
    return keys / FOLDER / f"{identity}.nk"


def make_identities(keys: Path) -> None:
    """Makes the missing nkeys; existing ones stay."""
    folder = keys / FOLDER
    make_folder(folder)
    for identity in identities():
        path = seed_file(keys, identity)
        if not path.exists():
            seed = nkeys.encode_seed(os.urandom(SEED_BYTES), nkeys.PREFIX_BYTE_USER)
            write_new(path, bytes(seed))
        # Always derived again: a missing or stale public key would lock its owner out.
        pair = nkeys.from_seed(bytearray(path.read_bytes().strip()))
        write_anew(path.with_suffix(".pub"), bytes(pair.public_key))


def public_keys(keys: Path) -> dict[str, str]:
    """By identity. Raises OSError if a file is missing."""
    return {
        identity: seed_file(keys, identity).with_suffix(".pub").read_text("ascii").strip()
        for identity in identities()
    }


def write_anew(path: Path, content: bytes) -> None:
    """Replaces a derived file atomically; it keeps its owner."""
    draft = path.with_name(f".{path.name}")
    draft.unlink(missing_ok=True)
    write_new(draft, content, path if path.exists() else None)
    draft.replace(path)
