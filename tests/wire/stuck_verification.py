"""`python -m tests.wire.stuck_verification`: verification, with a registry that never answers."""

import sys

from services.verification.main import main
from services.verification.registry_answers import RegistryAnswer
from shared.matching import Stated


class StuckRegistry:
    """A registry that says that it is asked, and then waits for its standard input."""

    name = "stuck"

    def look_up(self, claim: Stated) -> RegistryAnswer:
        del claim
        sys.stdout.write("asked\n")
        sys.stdout.flush()
        sys.stdout.write("and said, but not flushed")
        sys.stdin.read(1)
        return RegistryAnswer("none")


if __name__ == "__main__":
    main(StuckRegistry())
