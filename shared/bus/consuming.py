"""Decides what happens to a delivered message: acknowledged, retried later, or parked."""

import time
from collections.abc import Callable
from typing import NamedTuple

from shared.diagnostics.logger import logger, place_of
from shared.events.parsing import UnreadableEventError
from shared.keys.boxes import BoxBrokenError
from shared.keys.client import KeysSealedError, KeysUnavailableError
from shared.log.case_log import ChainBrokenError, LogError
from shared.log.transact import ContendedError, Outcome
from shared.log.turns import LongCaseError
from shared.parked.parking import Delivery, UnprocessableError

GIVE_UP_AFTER_DELIVERIES = 5
"""A message is parked after this many failures of ours; an unreachable log never counts."""

FIRST_RETRY_DELAY_S = 0.2
LONGEST_RETRY_DELAY_S = 30.0


class Processed(NamedTuple):
    """`acknowledged`: it is over. `why`: park it first. `is_sealed`: nothing needing keys works.

    `long_case`: it needs this case, which isn't in memory. `again_in_s`: the redelivery delay.
    `stored_bytes`: what it left in the log.
    """

    acknowledged: bool
    why: UnprocessableError | None = None
    is_sealed: bool = False
    long_case: str | None = None
    again_in_s: float | None = None
    stored_bytes: int = 0


def retry_delay_s(deliveries: int) -> float:
    """Doubles with each delivery."""
    return float(min(FIRST_RETRY_DELAY_S * 2 ** min(deliveries - 1, 20), LONGEST_RETRY_DELAY_S))


def process(handle: Callable[[], Outcome], delivery: Delivery) -> Processed:
    """Never raises."""
    started = time.perf_counter()
    try:
        outcome = handle()
    except LongCaseError as error:
        return Processed(acknowledged=False, long_case=error.case_id)
    except (ContendedError, KeysUnavailableError, LogError, TimeoutError) as error:
        logger.warning("not_now", stream=delivery.stream, error=type(error).__name__)
        return Processed(acknowledged=False, is_sealed=isinstance(error, KeysSealedError))
    except Exception as error:
        why = _reason_to_park(error, delivery)
        # Work that only raises holds its error, and a traceback would hold this frame: a cycle
        # around the message, half a megabyte that the garbage collector may not find for hours.
        error.with_traceback(None)
        return Processed(acknowledged=why is not None, why=why)
    logger.info(
        "decided",
        stream=delivery.stream,
        sequence=delivery.sequence,
        case_id=outcome.case_id,
        version=outcome.version,
        result=outcome.result,
        milliseconds=round(1000 * (time.perf_counter() - started), 1),
    )
    return Processed(acknowledged=True, stored_bytes=outcome.stored_bytes)


def _reason_to_park(error: Exception, delivery: Delivery) -> UnprocessableError | None:
    match error:
        case UnprocessableError():
            return error
        case UnreadableEventError():
            return UnprocessableError(error.reason, error.field, error.expected)
        case BoxBrokenError():
            expected = "sealed with this installation's intake.pub"
            return UnprocessableError("box_broken", "data", expected)
        case ChainBrokenError():
            return UnprocessableError(
                "chain_broken", f"case {error.case_id} version {error.version}"
            )
        case _:
            pass
    # A bug in Passage: the message must survive it, and a few repetitions are worth trying.
    logger.error("fault", error=type(error).__name__, place=place_of(error))
    if delivery.deliveries < GIVE_UP_AFTER_DELIVERIES:
        return None
    return UnprocessableError("failed", "", type(error).__name__)
