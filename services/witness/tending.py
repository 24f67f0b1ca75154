"""Tends the witness files while the log is followed: checks each signature once, then thins.

The links to a line are checked first (`shared/witnesses/parsing.py`). This checks every line of a
file, a few hundred at a time, so that the witness keeps working.
"""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Event

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from shared.diagnostics.logger import logger
from shared.witnesses.files import thin
from shared.witnesses.parsing import bad_lines

LINES_AT_ONCE = 100
"""Followed by a pause as long as they took: half a core at most."""
LOOK_EVERY_S = 60.0
THIN_AFTER_BYTES = 1_048_576
"""A file is thinned again after growing this much: about a day of lines."""


class Tending:
    """`doubt` hears of the first line that nobody signed."""

    def __init__(
        self, paths: Sequence[Path], key: Ed25519PublicKey, doubt: Callable[[str], None]
    ) -> None:
        self._key = key
        self._doubt = doubt
        self._checked = dict.fromkeys(paths, False)
        self._thinned_size = dict.fromkeys(paths, 0)

    def run(self, stop: Event) -> None:
        while not stop.is_set():
            for path in list(self._checked):
                try:
                    self.look(path, stop)
                except OSError as error:  # A file is missing, or can't be replaced.
                    logger.warning("witness_file_not_thinned", error=type(error).__name__)
            stop.wait(LOOK_EVERY_S)

    def look(self, path: Path, stop: Event) -> None:
        """Checks one file if not yet done, and thins it if it grew. Raises OSError."""
        if not self._checked[path]:
            if not path.exists():
                return
            pausing = _Pausing(stop)
            bad = next(bad_lines(path, self._key, pausing.after), None)
            if bad is not None:
                self._checked.pop(path)
                self._doubt(bad)  # Take nothing away from the file: someone must look.
                return
            self._checked[path] = not stop.is_set()
        if self._checked[path] and path.stat().st_size > self._thinned_size[path]:
            lines = thin(path)
            self._thinned_size[path] = path.stat().st_size + THIN_AFTER_BYTES
            if lines:
                logger.info("witness_file_thinned", count=lines)


class _Pausing:
    """Pauses after some lines for as long as they took."""

    def __init__(self, stop: Event) -> None:
        self._stop = stop
        self._began = time.monotonic()

    def after(self, place: int) -> bool:
        """Returns whether to end."""
        if place % LINES_AT_ONCE:
            return False
        ended = self._stop.wait(time.monotonic() - self._began)
        self._began = time.monotonic()
        return ended
