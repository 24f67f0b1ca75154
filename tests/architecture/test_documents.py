"""Documents are current: what the code writes in them, what they cite, what they must describe."""

import re
from pathlib import Path

import pytest
from typer.main import get_command

from passage.__main__ import EXIT_CODES, VERBS, command_line
from passage.exits import MEANINGS
from passage.install.definitions import streams
from services.query.feed.metrics import Metrics
from shared.settings import Settings
from tests.architecture.documents import WRITTEN, text_of
from tests.architecture.fixed_limits import HEAD, WORDS, limits, rows
from tests.architecture.sources import PACKAGES, ROOT, name_of

WIDE = frozenset({"states.md"})
"""Written from every pair of states that a case can be in."""


@pytest.mark.parametrize(
    "path",
    [
        pytest.param(path, id=path.name, marks=[pytest.mark.wide] * (path.name in WIDE))
        for path in WRITTEN
    ],
)
def test_a_written_document_is_as_the_code_would_write_it(path: Path) -> None:
    assert text_of(path) == WRITTEN[path](text_of(path)), "make docs"


TARGETS = re.findall(r"^([a-z]+):.*## ", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M)
README = (ROOT / "README.md").read_text(encoding="utf-8")
DOCUMENTS = "\n".join(
    path.read_text(encoding="utf-8") for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]
)


def test_every_target_of_the_makefile_says_what_it_does() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    phony = re.search(r"^\.PHONY: (.+)$", makefile, re.M)
    assert phony is not None
    assert set(phony.group(1).split()) == set(TARGETS)


@pytest.mark.parametrize("target", TARGETS)
def test_every_make_target_is_documented(target: str) -> None:
    assert f"make {target}" in DOCUMENTS


@pytest.mark.parametrize(
    "path", sorted(set(re.findall(r"`(tests/[\w/.]+)`|\]\(([\w/.]+)\)", README)))
)
def test_what_the_readme_points_to_is_there(path: tuple[str, str]) -> None:
    assert (ROOT / "".join(path)).exists()


@pytest.mark.parametrize("field", Settings.model_fields)
def test_every_setting_says_what_it_is(field: str) -> None:
    assert Settings.model_fields[field].description


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_is_documented(verb: str) -> None:
    assert f"passage {verb}" in DOCUMENTS


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_says_what_it_does(verb: str) -> None:
    commands = get_command(command_line(verb)).commands  # type: ignore[attr-defined]
    assert list(commands) == [verb]
    assert commands[verb].get_short_help_str()


@pytest.mark.parametrize("stream", [one.name for one in streams(1)])
def test_every_stream_is_documented(stream: str) -> None:
    shown = "CALLS_<channel>" if stream.startswith("CALLS_") else stream.removeprefix("KV_")
    assert shown in DOCUMENTS


def test_help_lists_every_exit_code() -> None:
    assert all(f"{code.value} {text}" in EXIT_CODES for code, text in MEANINGS.items())


CITING = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("shared/**/*.md")])
LINK = re.compile(r"\]\(([^)#\s:]+)(?:#[^)]*)?\)")
FILE = re.compile(r"`([\w.-]+(?:/[\w.-]+)*\.(?:py|md|toml|yml|html|txt|csv))`")
FOLDER = re.compile(rf"`((?:\.\./)?(?:{'|'.join(PACKAGES)}|docs|deploy)(?:/[\w-]+)+)/?`")
MODULE = re.compile(rf"python -m ((?:{'|'.join(PACKAGES)})(?:\.\w+)*)")
OF_THE_READER = {"PAIRS.csv", "persons.csv"}
"""Files that a command is given or makes; none of them is the project's."""


def missing_in(document: Path) -> list[str]:
    text = document.read_text(encoding="utf-8")
    missing = [one for one in LINK.findall(text) if not (document.parent / one).exists()]
    for one in (*FILE.findall(text), *FOLDER.findall(text)):
        if one not in OF_THE_READER and not any(
            (at / one).exists() for at in (ROOT, document.parent)
        ):
            missing.append(one)
    for one in MODULE.findall(text):
        path = ROOT / one.replace(".", "/")
        if not (path.is_dir() or path.with_suffix(".py").exists()):
            missing.append(one)
    return missing


@pytest.mark.parametrize("document", CITING, ids=[name_of(path) for path in CITING])
def test_what_a_document_cites_is_there(document: Path) -> None:
    assert missing_in(document) == []


def test_what_is_missing_is_found(tmp_path: Path) -> None:
    document = tmp_path / "one.md"
    document.write_text(
        "[a](gone.md#x) [b](one.md) `security.md` `../shared/nowhere` `tests/nowhere` `README.md`\n"
        "`tests/golden` python -m tests.gone, python -m tests.journey.kill_drill",
        encoding="utf-8",
    )
    missing = ["gone.md", "security.md", "../shared/nowhere", "tests/nowhere", "tests.gone"]
    assert missing_in(document) == missing


def test_every_limit_has_one_row() -> None:
    listed = [row.of for row in rows()]
    assert set(limits()) - set(listed) == set(), "write a row of it"
    assert set(listed) - set(limits()) == set(), "take out its row"
    assert len(listed) == len(set(listed))


def test_a_limit_is_known_by_a_word_of_its_name() -> None:
    limit = ("QUEUE_MAX", "MAX_PAYLOAD_BYTES", "LONGEST_OVERRIDE", "BODY_WITHIN_S", "KEYS_KEPT")
    other = ("RETRY_S", "BATCH_EVENTS", "MAXIMAL", "HEARTBEAT_S", "SAMPLE", "SHOWN", "TIMEOUTS")
    assert [name for name in (*limit, *other) if WORDS.search(name)] == list(limit)


def test_every_row_says_what_happens_and_which_test_reaches_it() -> None:
    assert HEAD in (ROOT / "docs" / "operating.md").read_text(encoding="utf-8")
    for row in rows():
        assert row.limit
        assert row.at_it
        tests = re.findall(r"`(tests/[\w/]+\.py)`", row.reached_by)
        assert tests, f"{row.limit}: write a test that reaches it"
        assert all((ROOT / one).is_file() for one in tests), row.reached_by


METRICS = "| metric | what it is | look when | then |\n|---|---|---|---|\n"
SUFFIX = {"counter": "_total", "info": "_info"}


def metric_rows() -> list[list[str]]:
    text = (ROOT / "docs" / "operating.md").read_text(encoding="utf-8")
    return [
        line.strip("| ").split(" | ")
        for line in text.partition(METRICS)[2].partition("\n\n")[0].splitlines()
    ]


def measured() -> dict[str, set[str]]:
    """The name of each metric as it is scraped, with its labels."""
    registry = Metrics("test").registry
    labels = {
        family: set(collector._labelnames)  # type: ignore[attr-defined]  # No other way to them.
        for collector, names in registry._collector_to_names.items()
        for family in names
    }
    labels["passage_build_info"] = {"version"}
    found = [f"{one.name}{SUFFIX.get(one.type, '')}" for one in registry.collect()]
    return {name: labels[name] for name in found}


def test_each_metric_has_one_row_with_its_labels() -> None:
    shown = [re.fullmatch(r"`(\w+)(?:\{([\w,]+)\})?`", name) for name, *_ in metric_rows()]
    named = [
        (one.group(1), set(filter(None, (one.group(2) or "").split(",")))) for one in shown if one
    ]
    assert len(named) == len(metric_rows()) == len(dict(named))
    assert dict(named) == measured()


def test_each_row_says_when_to_look_and_what_to_do() -> None:
    assert all(len(row) == 4 and all(cell.strip() for cell in row) for row in metric_rows())
