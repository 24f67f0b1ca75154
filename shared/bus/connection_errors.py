"""How an error of the connection to nats-server is logged, whichever client has it."""

from shared.diagnostics.logger import logger
from shared.servers.refused_connections import REFUSALS, refusal

_told: set[str] = set()


def log_connection_error(error: BaseException) -> None:
    """Logs an error that waiting won't mend once, with what would do."""
    wrong = refusal(error)
    if wrong is None:
        logger.warning("connection", error=type(error).__name__)
    elif wrong not in _told:
        _told.add(wrong)
        logger.error("nats_refused", wrong=wrong, do=REFUSALS[wrong])
