"""`passage registry` and the demo's care for a registry that isn't its own."""

from __future__ import annotations

from pathlib import Path

from passage.registry_load import SAMPLE, holds_only, load


def test_the_demo_recognises_a_registry_that_is_not_the_sample(tmp_path: Path) -> None:
    registry = tmp_path / "registry.db"
    assert holds_only(registry, SAMPLE)
    load(registry, SAMPLE)
    assert holds_only(registry, SAMPLE)
    real = tmp_path / "real.csv"
    lines = SAMPLE.read_text(encoding="utf-8").splitlines()
    real.write_text(f"{lines[0]}\nВигаданенко,Іван,,,,ЯЯ-999999,\n", encoding="utf-8")
    load(registry, real)
    assert not holds_only(registry, SAMPLE)
