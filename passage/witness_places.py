"""Where the witness files of an installation are."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from passage.folders import Folders, folders_of, is_held
from passage.install.quotas import Quota
from passage.running import NATS_URL_VARIABLE, Running, find_running, settings_of_environment

VARIABLE = "PASSAGE_WITNESS_FILES"
FILE_NAME = "checkpoints.jsonl"


def witnesses_of(folders: Folders, given: Sequence[Path] = ()) -> tuple[Path, ...]:
    """The files named, else those of the environment, else one beside the data folder."""
    if given:
        return tuple(path.expanduser().resolve() for path in given)
    if VARIABLE in os.environ:
        return tuple(path.resolve() for path in settings_of_environment().witness_paths)
    return (folders.witness / FILE_NAME,)


def running_or_stopped(data_dir: Path) -> Running:
    """Where the files of a system are, whether it runs or not; nothing is started."""
    folders = folders_of(data_dir)
    if is_held(folders.data) or NATS_URL_VARIABLE in os.environ:
        return find_running(data_dir)
    return stopped(folders, nats="")


def stopped(folders: Folders, nats: str) -> Running:
    """Where everything of a data folder is that no `passage up` runs on."""
    return Running(
        nats=nats,
        http="",
        keys=folders.keys,
        registry=folders.registry,
        database=folders.database_url,
        witnesses=witnesses_of(folders),
        quota=Quota.of(settings_of_environment()),
    )
