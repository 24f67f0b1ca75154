"""One running system for all journeys that leave it running."""

from collections.abc import Iterator

import pytest

from tests.journey.system import System


@pytest.fixture(scope="session")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    with System(tmp_path_factory.mktemp("journey") / "data") as running:
        yield running
