"""The file of a backup: a tar stream inside age, written and read piece by piece.

Plaintext stays in memory: it goes through a pipe to the encrypting thread, or comes from the
decrypting one. age authenticates each 64 KiB, and the end of the file.
"""

import io
import os
import tarfile
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO, Any, BinaryIO, NamedTuple

import pyrage  # type: ignore[import-untyped]

from passage.backup_errors import BackupDamagedError, BackupError, BackupKeyError
from passage.folders import FILE_MODE
from passage.integrity.backup.manifest import MANIFEST, SIGNATURE, WHOLE, Tally, is_name

PIECE_BYTES = 8_388_608
"""The most of a member in memory at once, plus the rest of the line that is cut there."""
DRAIN_BYTES = 65_536
NO_KEY = "No matching keys found"
"""pyrage's message if the identity is not one of the file's recipients."""


class Member(NamedTuple):
    """One piece of a backup. A large member comes in several pieces under one name.

    Pieces of a member with lines end at line ends.
    """

    name: str
    content: bytes


class SealedWriter:
    def __init__(self, tar: tarfile.TarFile) -> None:
        self._tar = tar
        self.tally = Tally()

    def put(self, name: str, content: bytes) -> None:
        """Writes a member; waits while the disk is slower than the source."""
        self._add(name, io.BytesIO(content), len(content))
        if name not in {MANIFEST, SIGNATURE}:
            self.tally.take(name, content)

    def put_file(self, name: str, file: BinaryIO, size: int) -> None:
        """Writes the next `size` bytes of a file as a member, in bounded memory."""
        self._add(name, _Watched(file, partial(self.tally.take, name)), size)

    def _add(self, name: str, content: Any, size: int) -> None:
        member = tarfile.TarInfo(name)
        member.size, member.mode = size, FILE_MODE
        self._tar.addfile(member, content)
        _forget(self._tar)


@contextmanager
def sealed(target: Any, recipient: Any) -> Iterator[SealedWriter]:
    """Encrypts to one recipient; complete once the block has ended without an error.

    `target` has `write` and `flush`. Raises OSError, for example if the disk is full.
    """
    read_end, write_end = os.pipe()
    encrypting = _in_a_thread(
        lambda plain: pyrage.encrypt_io(plain, target, [recipient]), os.fdopen(read_end, "rb")
    )
    try:
        with (
            os.fdopen(write_end, "wb") as pipe,
            tarfile.open(fileobj=pipe, mode="w|") as tar,
        ):
            yield SealedWriter(tar)
    except BrokenPipeError:
        raise encrypting.exception() or OSError("the encryption ended early") from None
    finally:
        wait([encrypting])
    encrypting.result()


@contextmanager
def opened(path: Path, identity: Any, told: Callable[[int], None]) -> Iterator[Iterator[Member]]:
    """The members of a backup in order; `told` gets the number of bytes read.

    Raises BackupKeyError, and BackupDamagedError at the place of the damage: everything before it
    is authentic, but only reading to the end shows that nothing was cut off.
    """
    read_end, write_end = os.pipe()
    try:
        source = _Watched(path.open("rb"), lambda content: told(len(content)))
    except OSError as error:
        os.close(read_end)
        os.close(write_end)
        raise BackupDamagedError(f"{path} can't be opened ({error.strerror})") from None
    decrypting = _in_a_thread(
        lambda plain: pyrage.decrypt_io(source, plain, [identity]), os.fdopen(write_end, "wb")
    )
    plain = os.fdopen(read_end, "rb")
    try:
        yield _members(path, plain, decrypting)
    finally:
        plain.close()
        wait([decrypting])
        source.close()


def _members(path: Path, plain: BinaryIO, decrypting: Future[None]) -> Iterator[Member]:
    try:
        with tarfile.open(fileobj=plain, mode="r|") as tar:
            for member in tar:
                if not is_name(member.name):
                    raise BackupDamagedError(
                        f"{path} has a member with a name that Passage doesn't use"
                    )
                if member.size >= PIECE_BYTES and PurePosixPath(member.name).name in WHOLE:
                    raise BackupDamagedError(f"{path}: {member.name} is too large to be ours")
                yield from _pieces(member.name, tar.extractfile(member) or io.BytesIO())
                _forget(tar)
        while plain.read(DRAIN_BYTES):
            pass  # Behind the tar's end only age's own end is left, which must be checked.
    except tarfile.TarError:
        plain.close()  # Otherwise the decrypting thread waits forever for a reader of the rest.
        raise _error(path, decrypting) from None
    if decrypting.exception() is not None:
        raise _error(path, decrypting)


def _forget(tar: Any) -> None:
    """A TarFile remembers every member it handled, and a backup may have very many."""
    tar.members.clear()


def _pieces(name: str, file: IO[bytes]) -> Iterator[Member]:
    content = file.read(PIECE_BYTES)
    while True:
        if len(content) == PIECE_BYTES:
            content += file.readline(PIECE_BYTES)
        yield Member(name, content)
        if not (content := file.read(PIECE_BYTES)):
            return


def _error(path: Path, decrypting: Future[None]) -> BackupError:
    if NO_KEY in str(decrypting.exception()):
        return BackupKeyError(f"{path} was not made for this key, or its head is damaged")
    return BackupDamagedError(f"{path} is damaged or cut off; use another backup")


def _in_a_thread(work: Callable[[BinaryIO], None], end: BinaryIO) -> Future[None]:
    """One direction of the encryption; closes its end of the pipe.

    The other end raises its failure.
    """

    def run() -> None:
        with end:
            work(end)

    threads = ThreadPoolExecutor(1)
    try:
        return threads.submit(run)
    finally:
        threads.shutdown(wait=False)


class _Watched:
    """A file; `seen` gets each piece that is read of it."""

    def __init__(self, file: BinaryIO, seen: Callable[[bytes], None]) -> None:
        self._file = file
        self._seen = seen

    def read(self, size: int = -1) -> bytes:
        content = self._file.read(size)
        self._seen(content)
        return content

    def close(self) -> None:
        self._file.close()
