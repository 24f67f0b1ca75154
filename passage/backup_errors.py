"""What can be wrong with a backup: one class for each thing that a person can do about it."""

from passage.exits import Exit, VerbEndedError


class BackupError(VerbEndedError):
    """Ends `passage backup` or `passage restore`; nothing half-done is left."""

    def __init__(self, message: str) -> None:
        super().__init__(Exit.FAILED, message)


class BackupKeyError(BackupError):
    """The backup key is missing, damaged or another one: bring the right one."""


class BackupDamagedError(BackupError):
    """The file has changed since it was written: use another backup."""


class BackupForgedError(BackupError):
    """Somebody else signed the file: find out who made it, and use another backup."""


class BackupIncompleteError(BackupError):
    """The file is intact, but lacks what its manifest or this version needs: use another."""


class StreamRefusedError(BackupError):
    """nats-server can't copy or restore a stream; `passage verify` says what is wrong with it."""


class TargetNotEmptyError(BackupError):
    """Something exists already at the target: choose an empty place."""


class WitnessUnreadableError(BackupError):
    """A witness file has no checkpoint: name another one."""
