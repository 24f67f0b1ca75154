"""What can be wrong with a backup, one class for each thing that a person can do about it."""

from __future__ import annotations

from passage.exits import Exit, VerbEndedError


class BackupError(VerbEndedError):
    """Ends `passage backup` or `passage restore`; nothing half done is left."""

    def __init__(self, message: str) -> None:
        super().__init__(Exit.FAILED, message)


class BackupKeyError(BackupError):
    """The key of the backups is missing or damaged, or it is another one: bring the right one."""


class BackupDamagedError(BackupError):
    """The file is not as it was written: take another backup."""


class BackupForgedError(BackupError):
    """The file is not signed by whom it should be: find out who made it, and take another one."""


class BackupIncompleteError(BackupError):
    """The file is whole, but not all that its manifest or this program asks for: take another."""


class StreamRefusedError(BackupError):
    """nats-server won't copy or restore a stream; `passage verify` says what is wrong with it."""


class TargetNotEmptyError(BackupError):
    """Something is there already where the system is to be restored: choose an empty place."""


class WitnessUnreadableError(BackupError):
    """A witness file holds no checkpoint: name another one."""
