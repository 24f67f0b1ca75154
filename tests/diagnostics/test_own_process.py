"""A service's process: whatever happens in it, standard error holds only diagnostics."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from shared.keys.keyfiles import DO, MISSING
from tests.waiting import WITHIN_S

CANARY = "Kanarienvogel"
START = (
    "import asyncio, gc, logging, os, sys, threading, traceback, warnings\n"
    "from shared.diagnostics.own_process import own_process\n"
    "from shared.diagnostics.logger import logger\n"
    "own_process('intake')\n"
    f"name = '{CANARY}'\n"
)


def said_by(code: str, **environment: str) -> tuple[int, list[dict[str, Any]]]:
    done = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-X", "faulthandler", "-c", START + code],
        capture_output=True,
        text=True,
        check=False,
        timeout=WITHIN_S,
        env={"PYTHONPATH": str(Path(__file__).parents[2]), **environment},
    )
    assert done.stdout == ""
    assert CANARY not in done.stderr
    return done.returncode, [json.loads(line) for line in done.stderr.splitlines()]


@pytest.mark.parametrize(
    ("code", "event", "error"),
    [
        ("raise ValueError(name)", "ended_by_fault", "ValueError"),
        ("raise ExceptionGroup(name, [ValueError(name)])", "ended_by_fault", "ExceptionGroup"),
        ("open(f'/nowhere/{name}')", "ended_by_fault", "FileNotFoundError"),
        (
            "thread = threading.Thread(target=lambda: {}[name], name=name)\n"
            "thread.start()\nthread.join()",
            "ended_by_fault",
            "KeyError",
        ),
        (
            "class Broken:\n    def __del__(self): raise ValueError(name)\n"
            "broken = Broken()\ndel broken\ngc.collect()",
            "fault",
            "ValueError",
        ),
        ("warnings.warn(name)", "library", None),
        ("print(name, file=sys.stderr)", "printed", None),
        ("try:\n    {}[name]\nexcept KeyError:\n    traceback.print_exc()", "printed", None),
        ("logging.getLogger('nats').error(name)", "library", None),
        ("logging.getLogger('nats').error('%s %s', name)", "library", None),
        ("logger.info(name)", "unlisted", None),
        (
            "logging.getLogger('late').addHandler(logging.StreamHandler())\n"
            "logging.getLogger('late').propagate = False\n"
            "logging.getLogger('late').error(name)",
            "printed",
            None,
        ),
    ],
)
def test_a_text_never_comes_out(code: str, event: str, error: str | None) -> None:
    status, lines = said_by(code)
    assert [line["event"] for line in lines] == [event]
    assert lines[0].get("error") == error
    assert lines[0]["place"]
    assert lines[0]["service"] == "intake"
    assert status == (error is not None and event == "ended_by_fault" and "thread" not in code)


def test_what_is_printed_is_known_by_who_printed_it() -> None:
    source = "def says():\n    print(name, file=sys.stderr)\nsays()\nsays()\nprint(file=sys.stderr)"
    _, lines = said_by(f"exec(compile({source!r}, 'printing.py', 'exec'))")
    assert [line["place"] for line in lines] == [["printing.py:2 says"]]


STUCK = (
    "from shared.diagnostics.own_process import run_to_end\n"
    "threading.Thread(target=threading.Event().wait).start()\n"
    "async def main():\n"
)


@pytest.mark.parametrize(
    ("main", "status", "said"),
    [
        ("    pass\n", 0, []),
        ("    return 143\n", 143, []),
        ("    logger.warning('sealed')\n", 0, ["sealed"]),
        ("    raise ValueError(name)\n", 1, ["ended_by_fault"]),
    ],
)
def test_a_thread_that_is_stuck_does_not_hold_up_the_end(
    main: str, status: int, said: list[str]
) -> None:
    ended, lines = said_by(STUCK + main + "run_to_end(main())\n")
    assert ended == status
    assert [line["event"] for line in lines] == said


def test_a_task_nobody_waits_for_tells_its_type_and_place() -> None:
    _, lines = said_by(
        "async def fail(): raise ValueError(name)\n"
        "async def main():\n"
        "    task = asyncio.create_task(fail(), name=name)\n"
        "    await asyncio.wait([task])\n"
        "    del task\n"
        "    gc.collect()\n"
        "    asyncio.get_running_loop().call_soon(lambda: {}[name])\n"
        "    asyncio.get_running_loop().call_exception_handler({'message': name, name: name})\n"
        "    await asyncio.sleep(0)\n"
        "asyncio.run(main())"
    )
    assert sorted(str(line.get("error")) for line in lines) == ["KeyError", "None", "ValueError"]
    assert {line["logger"] for line in lines} == {"asyncio"}


def refused_start(service: str, **settings: str) -> dict[str, Any]:
    """What a service says that can't start with these; no value of them is in it."""
    done = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-m", f"services.{service}"],
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHONPATH": str(Path(__file__).parents[2]), **settings},
    )
    assert CANARY not in done.stdout + done.stderr
    assert done.returncode == 1
    (line,) = [json.loads(one) for one in done.stderr.splitlines()]
    return dict(line)


@pytest.mark.parametrize(
    "service", ["intake", "verification", "handover", "desk", "query", "keyholder", "witness"]
)
def test_a_wrong_setting_is_named_and_its_value_not_shown(service: str) -> None:
    line = refused_start(service, PASSAGE_THREADS=CANARY, PASSAGE_LOG_LEVEL=CANARY)
    assert (line["event"], line["service"]) == ("settings_invalid", service)
    assert line["settings"] == ["threads", "log_level"]


@pytest.mark.parametrize(
    "service", ["intake", "verification", "handover", "desk", "keyholder", "witness"]
)
def test_a_start_without_keys_tells_no_path_and_no_text(service: str, tmp_path: Path) -> None:
    line = refused_start(
        service,
        PASSAGE_HTTP="127.0.0.1:0",
        PASSAGE_KEYS_DIR=str(tmp_path / CANARY),
        PASSAGE_DATABASE_URL=f"postgresql+psycopg://{CANARY}:{CANARY}@127.0.0.1:1/x",
    )
    assert (line["event"], line["setting"]) == ("secret_unusable", "keys_dir")
    assert (line["wrong"], line["do"]) == (MISSING, DO[MISSING])


def test_no_core_file_is_left_and_no_neighbour_may_look() -> None:
    _, lines = said_by(
        "import ctypes, resource\n"
        "assert resource.getrlimit(resource.RLIMIT_CORE) == (0, 0)\n"
        "assert ctypes.CDLL(None).prctl(3, 0, 0, 0, 0) == 0\n"
    )
    assert lines == []
