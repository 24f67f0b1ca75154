"""Messages to callers that were on their way when a backup was made: what a restore must say."""

from __future__ import annotations

from datetime import datetime, timedelta

from passage.integrity.backup.manifest import Manifest
from shared.commands.intake import MESSAGE_VALID_MAX_MINUTES


def warning_of_messages(manifest: Manifest, now: datetime) -> str | None:
    """What to say of messages that may go a second time; None where all are too old.

    That one went after it was queued in the backup stands in the log that was lost.
    """
    until = manifest.ended_at + timedelta(minutes=MESSAGE_VALID_MAX_MINUTES)
    if now >= until:
        return None
    return (
        f"messages that waited when the backup was made may go a second time until {until}, "
        "if they went since: where that may harm anybody, start `passage up` after that"
    )
