"""The closed catalogue of log events: what each says, which keys it may carry, in which form.

To log something new, add one entry here; `make docs` adds its row to docs/operating.md. What isn't
listed here is never printed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, get_args

from shared.keyfiles import DO
from shared.log_forms import (
    CASE,
    CHANNEL,
    COMMAND,
    COUNT,
    ERROR,
    FIELD,
    ID,
    KEY_FILE,
    LOGGER_NAME,
    PLACES,
    SERVICE,
    SETTING,
    SETTINGS,
    STREAM,
    VERSION_TEXT,
    Form,
    words,
)
from shared.parking import Reason
from shared.refused_connections import REFUSALS
from shared.stores import CAUSES, LIMIT, OTHER

LEVELS = ("debug", "info", "warning", "error", "critical")
COMMAND_RESULTS = ("recorded", "repeated", "ignored", "refused", "invalid", "unavailable")
CHECKS_OF_THE_LOG = (
    "contiguous",
    "readable",
    "versions",
    "chain",
    "witness",
    "incarnation",
    "gap",
    "cut",
)


class LogEvent(NamedTuple):
    """What a line of this name says, and what it may carry."""

    meaning: str
    keys: Mapping[str, Form]


EVENTS: dict[str, LogEvent] = {
    "decided": LogEvent(
        "a delivered message was processed",
        {
            "stream": STREAM,
            "sequence": COUNT,
            "case_id": CASE,
            "version": COUNT,
            "result": words("recorded", "repeated", "ignored"),
            "milliseconds": COUNT,
        },
    ),
    "answered": LogEvent(
        "a service answered a command",
        {
            "command": COMMAND,
            "case_id": CASE,
            "result": words(*COMMAND_RESULTS),
            "milliseconds": COUNT,
        },
    ),
    "command": LogEvent(
        "the API passed a command on and has its answer",
        {
            "handler": COMMAND,
            "case_id": CASE,
            "version": COUNT,
            "result": words(*COMMAND_RESULTS),
            "ms": COUNT,
        },
    ),
    "parked": LogEvent(
        "a message can't be processed and waits for a person",
        {"reason": words(*get_args(Reason)), "field": FIELD, "parked_id": ID},
    ),
    "not_parked": LogEvent(
        "PARKED doesn't take a message, usually as its channel has too many there: it stays in "
        "the channel's own stream and is retried; look at what is parked",
        {"stream": STREAM, "reason": words(*get_args(Reason))},
    ),
    "channel_paced": LogEvent(
        "a channel sends more than intake takes from one in an hour "
        "(`PASSAGE_CALLS_BYTES_AN_HOUR`); the rest waits in the channel's own stream; find out who "
        "floods it",
        {"stream": STREAM},
    ),
    "not_now": LogEvent(
        "a message is retried later: the log doesn't answer, or the case keeps changing",
        {"stream": STREAM, "error": ERROR},
    ),
    "message_not_given": LogEvent(
        "a message to a caller may not have reached OUTBOUND; it isn't given again, and fails "
        "after `outbound_report_minutes` unless its channel reports",
        {"case_id": CASE, "message_id": ID},
    ),
    "clock_off": LogEvent(
        "an alarm: the clock of a channel, or of whoever gave a command its time, is off by more "
        "than a minute (`seconds` ahead of ours, at most a day; behind if negative); correct it. "
        "No caller's safety depends on it",
        {"channel": CHANNEL, "command": COMMAND, "seconds": COUNT},
    ),
    "timers_set_anew": LogEvent(
        "a service's timers were lost, or it had none yet; it set those of every case",
        {"cases": COUNT},
    ),
    "not_at_start": LogEvent(
        "what a service does once at its start failed, and is retried later", {"error": ERROR}
    ),
    "hash_limit": LogEvent(
        "a service asks for more hashes a minute than the policy allows; its requests wait",
        {"asker": SERVICE, "count": COUNT},
    ),
    "codes_guessed": LogEvent(
        "a channel has more wrong return codes than mistakes explain; until there are fewer, a "
        "code from an address that its case doesn't know needs a second fact",
        {"channel": CHANNEL, "count": COUNT},
    ),
    "budget_spent": LogEvent(
        "somebody has seen or searched as much as one person may in an hour; the record of "
        "accesses says who",
        {"measure": words("searches", "hashes", "cases", "values"), "count": COUNT},
    ),
    "storing_failed": LogEvent(
        "an alarm, repeated every ten seconds: so many `streams` of nats-servers refuse to write, "
        "or so many `disks` are full; make room. Then `passage up` restarts nats-server by itself; "
        "elsewhere restart it",
        {"streams": COUNT, "disks": COUNT, "reason": words(*CAUSES.values(), LIMIT, OTHER)},
    ),
    "disk_low": LogEvent(
        "an alarm: less than a twentieth of a disk and less than 2 GiB is left; make room",
        {"mib": COUNT},
    ),
    "storing_again": LogEvent("everything can be stored again", {}),
    "log_unavailable": LogEvent(
        "the log didn't answer while a command was processed", {"error": ERROR}
    ),
    "fault": LogEvent("a bug in Passage; nothing is lost", {"error": ERROR, "place": PLACES}),
    "ended_by_fault": LogEvent(
        "a fault ended the process or one of its threads", {"error": ERROR, "place": PLACES}
    ),
    "library": LogEvent(
        "a library logged or warned; its text is left out",
        {"logger": LOGGER_NAME, "place": PLACES, "error": ERROR},
    ),
    "printed": LogEvent(
        "something was printed to standard error directly; its text is left out",
        {"place": PLACES},
    ),
    "unlisted": LogEvent("the code logged an event that isn't in this table", {"place": PLACES}),
    "connection": LogEvent("the connection to nats-server had an error", {"error": ERROR}),
    "nats_refused": LogEvent(
        "nats-server and this process don't accept each other; `do` is what to do. Logged once",
        {"wrong": words(*REFUSALS), "do": words(*REFUSALS.values())},
    ),
    "health_file_failed": LogEvent("`PASSAGE_HEALTH_FILE` can't be written", {"error": ERROR}),
    "key_files_open": LogEvent(
        "others may read a key file or its folder, and nothing starts: `chmod` it to this mode",
        {"file": KEY_FILE, "mode": words("600", "700")},
    ),
    "secret_unusable": LogEvent(
        "the process ends because a file that it needs is `wrong`; `do` is what to do, and "
        "`setting` points to the file or to its folder",
        {"file": KEY_FILE, "setting": SETTING, "wrong": words(*DO), "do": words(*DO.values())},
    ),
    "certificate_ends": LogEvent(
        "a certificate expires in so many days; renew it ([identities](#identities))",
        {"file": KEY_FILE, "days": COUNT},
    ),
    "settings_invalid": LogEvent(
        "a setting is invalid, and the process ends; its value isn't shown",
        {"settings": SETTINGS},
    ),
    "address_invalid": LogEvent("PASSAGE_HTTP isn't HOST:PORT; query ends", {}),
    "address_taken": LogEvent(
        "query can't listen on PASSAGE_HTTP; it ends", {"error": ERROR, "errno": COUNT}
    ),
    "address_without_tls": LogEvent(
        "query ends: to listen off loopback it needs PASSAGE_HTTP_CERTIFICATE", {}
    ),
    "fsync_not_always": LogEvent(
        "nats-servers may lose what they acknowledged; intake processes no calls", {"count": COUNT}
    ),
    "fsync_unknown": LogEvent(
        "no nats-server says whether it always syncs; intake processes no calls", {"error": ERROR}
    ),
    "serving": LogEvent(
        "query listens; the read models may still be behind",
        {"service": SERVICE, "version": VERSION_TEXT},
    ),
    "ended": LogEvent(
        "query or the witness ended in an orderly way", {"service": SERVICE, "sequence": COUNT}
    ),
    "following": LogEvent(
        "query or the witness follows the log", {"sequence": COUNT, "last": COUNT}
    ),
    "caught_up": LogEvent(
        "the read models have everything that was in the log at the start", {"sequence": COUNT}
    ),
    "feed_failed": LogEvent(
        "query follows the log anew after a fault", {"error": ERROR, "place": PLACES}
    ),
    "subscription_silent": LogEvent(
        "the log has grown, but the subscription told nothing", {"sequence": COUNT}
    ),
    "projection_stopped": LogEvent(
        "the read models stopped; a person must look",
        {
            "sequence": COUNT,
            "reason": words("gap", "checkpoint", "another_log"),
        },
    ),
    "rotated": LogEvent(
        "every data key is wrapped under a new key-encryption key; `damaged` and `dropped` count "
        "cases whose keys don't unwrap, or belonged to a destroyed epoch",
        {"count": COUNT, "damaged": COUNT, "dropped": COUNT, "epoch": COUNT},
    ),
    "signed": LogEvent(
        "the witness signed what the log held",
        {
            "kind": words("opened", "checkpoint", "ended"),
            "sequence": COUNT,
            "cases": COUNT,
            "number": COUNT,
        },
    ),
    "log_unsound": LogEvent(
        "the witness stopped because the log has changed; `passage gate` says more",
        {"sequence": COUNT, "reason": words(*CHECKS_OF_THE_LOG)},
    ),
    "other_incarnation": LogEvent(
        "CASES isn't the stream that the service knows; it writes nothing until it is restarted",
        {"known": ID, "found": ID},
    ),
    "witness_file_thinned": LogEvent(
        "every signature of a witness file is right, and so many old lines were removed",
        {"count": COUNT},
    ),
    "witness_file_not_thinned": LogEvent(
        "a witness file is missing, or can't be replaced by a shorter one; this is retried",
        {"error": ERROR},
    ),
    "witness_file_failed": LogEvent("so many witness files could not be written", {"files": COUNT}),
    "witness_failed": LogEvent(
        "the witness follows the log anew after a fault", {"error": ERROR, "place": PLACES}
    ),
    "seal_not_noted": LogEvent("sealed, but the next start won't know it", {"error": ERROR}),
    "sealed": LogEvent("the key holder ends: nothing personal can be opened", {}),
    "messages_put_aside": LogEvent(
        "messages of the log can't be read; their cases are shown as damaged",
        {"count": COUNT, "sequence": COUNT},
    ),
    "revealed": LogEvent("an operator opened personal values", {"case_id": CASE, "count": COUNT}),
    "searched_by_name": LogEvent(
        "an operator searched by name; `count` is of cases suggested", {"count": COUNT}
    ),
    "looked_for_caller": LogEvent(
        "somebody asked who a caller is; `count` is of candidates", {"count": COUNT}
    ),
    "names_dropped": LogEvent("query forgot the names, because nobody searched by name", {}),
    "keys_denied": LogEvent("the key holder denied query's request", {}),
    "answer_unreadable": LogEvent(
        "a service's answer can't be read", {"handler": COMMAND, "service": SERVICE}
    ),
}
