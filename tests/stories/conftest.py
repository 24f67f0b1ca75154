"""One installation for all stories of a run; each has callers of its own."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from tests.stories.ports import Clock
from tests.stories.site import StorySite, story_site


@pytest.fixture(scope="session")
def story_stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StorySite]:
    clock = Clock(datetime(2024, 1, 1, tzinfo=UTC))
    with story_site(tmp_path_factory.mktemp("stories"), clock) as site:
        yield site
