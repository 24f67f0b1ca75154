"""One diagnostic: what the catalogue lets through, and that nothing else is ever printed."""

import importlib
import json
import logging
import math
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import structlog
from jinja2 import Environment, StrictUndefined, UndefinedError
from typing_extensions import override

from shared.diagnostics.catalogue import DIAGNOSTICS
from shared.diagnostics.forms import SERVICES, STREAMS
from shared.diagnostics.logger import KNOWN_KEYS, configure, listed, logger, place_of
from shared.policy import policy
from tests.examples import CASE

CANARY = "Kanarienvogel"
PARKED_ID = "0123456789abcdef" * 2


@pytest.fixture
def lines(capsys: pytest.CaptureFixture[str]) -> Iterator[Any]:
    root = logging.getLogger()
    before = (list(root.handlers), root.level, logging.raiseExceptions)
    configure("query", "DEBUG")

    def read() -> list[dict[str, Any]]:
        said = capsys.readouterr()
        assert said.out == ""
        assert CANARY not in said.err
        return [json.loads(line) for line in said.err.splitlines()]

    yield read
    root.handlers, root.level, logging.raiseExceptions = before
    structlog.reset_defaults()


def test_what_the_catalogue_lists_is_printed_with_service_level_and_time(lines: Any) -> None:
    logger.info(
        "decided", stream="CALLS_phone", sequence=7, case_id=CASE, result="recorded", version=1
    )
    (line,) = lines()
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "decided",
        "stream": "CALLS_phone",
        "sequence": 7,
        "case_id": CASE,
        "result": "recorded",
        "version": 1,
        "service": "query",
        "level": "info",
    }


@pytest.mark.parametrize("event", DIAGNOSTICS)
@pytest.mark.parametrize(
    "value",
    [
        CANARY,
        f"{CANARY}.py",
        f"{CANARY}\n",
        [CANARY],
        {CANARY: CANARY},
        ValueError(CANARY).args,
        CANARY.encode(),
        "380440000000",
        10**30,
        math.nan,
        "AB-000123",
        "Musterdorf",
    ],
)
def test_no_key_of_any_event_takes_a_name_a_number_or_a_place(event: str, value: object) -> None:
    line = listed(event, dict.fromkeys(KNOWN_KEYS, value)) or {}
    assert set(line) - {"event", "dropped"} == set()
    assert line["dropped"] == sorted(KNOWN_KEYS)


def test_an_unknown_key_is_counted_and_never_named(lines: Any) -> None:
    logger.info("caught_up", sequence=1, **{CANARY: CANARY, "surname": CANARY}, reason=CANARY)
    (line,) = lines()
    assert (line["dropped"], line["dropped_unknown"]) == (["reason"], 2)


def test_an_unknown_event_tells_only_where_it_was_logged(lines: Any) -> None:
    logger.warning(f"met {CANARY}", sequence=1)
    logger.info("met %s", CANARY)
    one, other = lines()
    assert (one["event"], other["event"]) == ("unlisted", "unlisted")
    assert one["place"][0].startswith("test_lines.py:")
    assert "sequence" not in one


def test_a_fault_inside_of_a_module_that_python_carries_has_its_places(lines: Any) -> None:
    class Broken(Mapping[str, str]):
        @override
        def __getitem__(self, key: str) -> str:
            raise KeyError(key)

        @override
        def __iter__(self) -> Iterator[str]:
            return iter(["a"])

        @override
        def __len__(self) -> int:
            return 1

    try:
        dict(Broken().items())
    except KeyError as error:
        logger.error("fault", error="KeyError", place=place_of(error))
    (line,) = lines()
    assert [one.partition(":")[0] for one in line["place"]][1:2] == ["<frozen _collections_abc>"]


def test_a_fault_inside_of_a_page_has_its_places(lines: Any) -> None:
    page = Environment(undefined=StrictUndefined, autoescape=True).from_string(
        "{% block content %}{{ missing }}{% endblock %}"
    )
    try:
        page.render()
    except UndefinedError as error:
        logger.error("fault", error="UndefinedError", place=place_of(error))
    (line,) = lines()
    assert "<template>:1 block_content_" in line["place"]


def test_an_exception_gives_its_type_and_places_alone(lines: Any) -> None:
    try:
        _fail(RuntimeError(CANARY))
    except RuntimeError as error:
        logger.exception("fault", error=error, place=[f"{__file__} {CANARY}"], stack_info=True)
    (line,) = lines()
    assert line["error"] == "RuntimeError"
    assert "place" not in line
    assert line["dropped"] == ["place"]


def _fail(error: Exception) -> None:
    raise error


class _Hostile:
    @override
    def __eq__(self, other: object) -> bool:
        raise RuntimeError(CANARY)

    @override
    def __str__(self) -> str:
        raise RuntimeError(CANARY)

    __repr__ = __str__
    __hash__ = object.__hash__


def test_whatever_a_value_does_a_line_is_printed(lines: Any) -> None:
    logger.info("caught_up", sequence=_Hostile())
    (line,) = lines()
    assert line["dropped"] == ["sequence"]


@pytest.mark.parametrize(
    "name", ["faststream", "uvicorn.error", "nats.aio.client", "sqlalchemy.engine", "asyncio"]
)
def test_other_libraries_records_lose_their_texts(lines: Any, name: str) -> None:
    importlib.import_module(name.partition(".")[0])
    configure("query", "DEBUG")  # What a library brings on its import is taken from it.
    logger = logging.getLogger(name)
    logger.setLevel(logging.NOTSET)  # A verb that ran in this process has quieted asyncio.
    try:
        _fail(KeyError(CANARY))
    except KeyError:
        logger.exception('a "%s" of %s', CANARY, CANARY, extra={"caller": CANARY})
    logger.error("not enough %s %s", CANARY)  # noqa: PLE1206 - that is what is tested
    logger.warning({CANARY: CANARY})
    first, *others = lines()
    assert (first["event"], first["logger"], first["error"]) == ("library", name, "KeyError")
    assert first["place"][0].startswith("test_lines.py:")
    assert [one["event"] for one in others] == ["library", "library"]


def test_a_loggers_or_levels_name_cannot_break_a_line(lines: Any) -> None:
    logging.addLevelName(35, f'"{CANARY}"')
    logging.getLogger(f'a"{CANARY}\n').log(35, "x")
    (line,) = lines()
    assert (line["level"], line["dropped"]) == ("error", ["logger"])


def test_a_log_that_cannot_be_written_does_not_stop_the_work(
    monkeypatch: pytest.MonkeyPatch, lines: Any
) -> None:
    class Full:
        def write(self, _: str) -> int:
            raise OSError(28, CANARY)

    monkeypatch.setattr("sys.stderr", Full())
    logger.info("caught_up", sequence=1)
    logging.getLogger("faststream").error(CANARY)
    monkeypatch.undo()
    assert lines() == []


def test_the_words_are_those_of_the_code() -> None:
    assert set(SERVICES) >= set(policy().services)
    assert {one.partition("/")[0] for s in policy().services.values() for one in s.consumes} <= set(
        STREAMS
    )
    assert listed("parked", {"parked_id": PARKED_ID, "field": "data.identity.surname"}) == {
        "event": "parked",
        "parked_id": PARKED_ID,
        "field": "data.identity.surname",
    }
