"""The configuration of restored streams: this version's, whatever the backup says.

Differences are reported. A stream with a small limit, or one that forwards or copies, would look
right but lose or leak what is published later.
"""

import json
from pathlib import PurePosixPath

from passage.install.comparing import Provisioned, incarnation_of, stream_differences
from passage.install.definitions import Wanted, streams
from passage.install.provisioning import OLD_CALLS
from passage.install.quotas import Quota
from passage.integrity.backup.manifest import BEGIN, STREAMS
from passage.integrity.backup.sealed_file import Member
from passage.integrity.backup.snapshots import Json
from shared import subjects


def config_for(found: Json, replicas: int, quota: Quota) -> Json:
    wanted = _definition(found, replicas, quota)
    if wanted is None:
        # Its messages come back; nothing can be published to it, and it does nothing.
        name = str(found["name"])
        return {
            "name": name,
            "subjects": [f"{name}.restored"],
            "retention": "limits",
            "storage": "file",
            "num_replicas": replicas,
        }
    if wanted.name != subjects.CASES:
        return wanted.config
    return {**wanted.config, "metadata": {subjects.INCARNATION: incarnation_of(found)}}


def notes_on(found: Json, quota: Quota) -> list[str]:
    """How a stream in a backup differs from this version's definition; empty if it doesn't."""
    name = str(found["name"])
    wanted = _definition(found, int(found.get("num_replicas") or 1), quota)
    if wanted is None:
        if name == OLD_CALLS:
            return []
        return [
            f"stream {name} is unknown to this version; it comes back without subjects or rules"
        ]
    plain = {key: value for key, value in found.items() if key != "placement"}
    unlike = stream_differences(wanted, plain)
    if not unlike:
        return []
    summary = Provisioned("stream", name, "differs", unlike).summary
    return [f"stream {name} in the backup {summary}; it comes back as this version defines it"]


def notes_in(member: Member, quota: Quota) -> list[str]:
    path = PurePosixPath(member.name)
    if path.name != BEGIN or path.parts[0] != STREAMS:
        return []
    return notes_on(json.loads(member.content)["config"], quota)


def _definition(found: Json, replicas: int, quota: Quota) -> Wanted | None:
    named = (one for one in streams(replicas, quota) if one.name == found["name"])
    return next(named, None)
