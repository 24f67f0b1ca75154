"""Every document that the code writes reads as the code would write it now."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.architecture.documents import WRITTEN, text_of


@pytest.mark.parametrize("path", WRITTEN, ids=[path.name for path in WRITTEN])
def test_a_written_document_is_as_the_code_would_write_it(path: Path) -> None:
    assert text_of(path) == WRITTEN[path](text_of(path)), "make docs"
