"""Issues a return code and its duress twin: reserves both, then records them."""

from dataclasses import asdict
from functools import partial
from typing import NamedTuple

from services.intake.casework import decide_return_code
from services.intake.guards import require_not_handed_over
from services.intake.handlers import Intake
from shared.callers.return_codes import Codes, code_hashes, codes_for
from shared.commands.base import Recorded
from shared.commands.intake import IssueReturnCode
from shared.log.transact import answered_at, transact
from shared.parked.parking import UnprocessableError

ATTEMPTS = 100
"""A collision happens once in ten million times; this many in a row, never."""


class _Reserved(NamedTuple):
    code: str
    code_hash: str
    duress: str | None
    duress_hash: str | None


def issue_return_code(intake: Intake, command: IssueReturnCode) -> Recorded:
    """Reserves the codes before the event that relies on them; only the answer carries them."""
    context = intake.context
    history, cause = context.writer.log.load_current(command.case_id), context.cause_of(command)
    # Reserve nothing for a command that isn't this person's.
    is_issued = answered_at(history, cause) is not None
    if not is_issued:
        require_not_handed_over(history.state)  # Nor for one that is refused.
    found = _reserved(intake, command, is_issued=is_issued)
    decide = partial(decide_return_code, code_hash=found.code_hash, duress_hash=found.duress_hash)
    done = transact(context.writer, command.case_id, cause, decide)
    return Recorded(**asdict(done), return_code=found.code, duress_code=found.duress)


def _reserved(intake: Intake, command: IssueReturnCode, *, is_issued: bool) -> _Reserved:
    for attempt in range(ATTEMPTS):
        codes = codes_for(intake.context.keys, command, attempt)
        # The same command may have issued one of the others, before the pepper was renewed.
        candidates = codes if is_issued else codes[:1]
        for one in candidates:
            found = _issued(intake, command, one) if is_issued else _new(intake, command, one)
            if found is not None:
                return found
    raise UnprocessableError("failed", "index", "a code that no other case has")


def _issued(intake: Intake, command: IssueReturnCode, codes: Codes) -> _Reserved | None:
    """What the command reserved before; before twins existed, only a code."""
    keys, index, case_id = intake.context.keys, intake.index, command.case_id
    of_code, of_twin = code_hashes(keys, codes.code), code_hashes(keys, codes.duress)
    mine = next((one for one in of_code if index.has_code(one, case_id)), None)
    if mine is None:
        return None
    twin = next((one for one in of_twin if index.has_code(one, case_id, duress=True)), None)
    return _Reserved(codes.code, mine, codes.duress if twin else None, twin)


def _new(intake: Intake, command: IssueReturnCode, codes: Codes) -> _Reserved | None:
    """Reserves both; None if another case has one of them."""
    if codes.code == codes.duress:
        return None
    keys, index, case_id = intake.context.keys, intake.index, command.case_id
    code_hash, twin_hash = (code_hashes(keys, one)[0] for one in codes)
    if not index.reserve_code(code_hash, case_id):
        return None
    if not index.reserve_code(twin_hash, case_id, duress=True):
        return None
    return _Reserved(codes.code, code_hash, codes.duress, twin_hash)
