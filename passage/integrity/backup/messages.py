"""Messages to callers in transit when a backup was made: a restore must warn about them."""

from __future__ import annotations

from datetime import datetime, timedelta

from passage.integrity.backup.manifest import Manifest
from shared.commands.intake import MESSAGE_VALID_MAX_MINUTES


def warning_of_messages(manifest: Manifest, now: datetime) -> str | None:
    """A warning of messages that may be sent again; None if all have expired.

    The lost log may say that a message was sent which the backup has as queued.
    """
    until = manifest.ended_at + timedelta(minutes=MESSAGE_VALID_MAX_MINUTES)
    if now >= until:
        return None
    return (
        f"messages that waited when the backup was made may go a second time until {until}, "
        "if they went since: where that may harm anybody, start `passage up` after that"
    )
