"""The table of settings in docs/operating.md, made of what stands in `shared/settings.py`."""

from __future__ import annotations

from shared.settings import Settings
from tests.architecture.sources import with_part


def table() -> str:
    rows = [
        f"| `PASSAGE_{name.upper()}` | {_shown(one.default)} | {one.description} |"
        for name, one in Settings.model_fields.items()
    ]
    return "\n".join(["| setting | default | what it is |", "|---|---|---|", *rows, ""])


def written(text: str) -> str:
    return with_part(text, "settings", table())


def _shown(default: object) -> str:
    if default is None or default == "":
        return "not set"
    return f"`{default:g}`" if isinstance(default, float) else f"`{default}`"
