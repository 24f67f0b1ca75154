"""The sources of the project, as the architecture tests see them."""

import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("shared", "services", "passage", "benchmarks", "tests")


def python_files() -> list[Path]:
    found = [path for package in PACKAGES for path in (ROOT / package).rglob("*.py")]
    return sorted(path for path in found if "__pycache__" not in path.parts)


def all_files() -> list[Path]:
    """Every file that git has or would take; without git, every file of the packages."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],  # noqa: S607
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode != 0:
        return python_files()
    return [ROOT / name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]


def with_part(text: str, name: str, part: str) -> str:
    """A document with what stands between its marks of a name in comments replaced.

    Raises ValueError where the marks are missing.
    """
    before, begin, rest = text.partition(f"<!-- {name} -->\n")
    _, end, after = rest.partition(f"<!-- end of {name} -->")
    if not end:
        raise ValueError(f"no marks for {name}")
    return f"{before}{begin}{part}{end}{after}"


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()
