"""The table of diagnostics in docs/operating.md; run as a module it writes the table anew."""

from __future__ import annotations

from shared.diagnostics.catalogue import DIAGNOSTICS
from tests.architecture.sources import ROOT, with_part

OPERATING = ROOT / "docs" / "operating.md"


def table() -> str:
    rows = [
        f"| `{name}` | {event.meaning} | {', '.join(f'`{key}`' for key in event.keys)} |"
        for name, event in sorted(DIAGNOSTICS.items())
    ]
    forms = {
        f"`{key}`: {form.shown}"
        for event in DIAGNOSTICS.values()
        for key, form in event.keys.items()
    }
    return "\n".join(
        [
            "| event | what it says | keys |",
            "|---|---|---|",
            *rows,
            "",
            "| key | what it holds, and nothing else |",
            "|---|---|",
            *(
                f"| {key} | {shown} |"
                for key, _, shown in (one.partition(": ") for one in sorted(forms))
            ),
            "",
        ]
    )


def written(text: str) -> str:
    """The document with the table as the catalogue makes it."""
    return with_part(text, "diagnostics", table())


if __name__ == "__main__":
    OPERATING.write_text(written(OPERATING.read_text(encoding="utf-8")), encoding="utf-8")
