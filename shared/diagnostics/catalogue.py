"""The closed catalogue of diagnostics: what each says, which keys it may carry, in which form.

To add one, add an entry here; `make docs` adds its row to docs/operating.md. Anything not listed
here is never printed.
"""

from collections.abc import Mapping
from typing import NamedTuple, get_args

from shared.diagnostics.forms import (
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
from shared.events.people import Attempted
from shared.keys.keyfiles import DO
from shared.parked.parking import Reason
from shared.servers.refused_connections import REFUSALS
from shared.servers.stores import CAUSES, LIMIT, OTHER
from shared.site_names import NEEDS_A_NAME, NEEDS_ITS_NAME, NO_SITES

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


class Diagnostic(NamedTuple):
    meaning: str
    keys: Mapping[str, Form]


DIAGNOSTICS: dict[str, Diagnostic] = {
    "decided": Diagnostic(
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
    "answered": Diagnostic(
        "a service answered a command",
        {
            "command": COMMAND,
            "case_id": CASE,
            "result": words(*COMMAND_RESULTS),
            "milliseconds": COUNT,
        },
    ),
    "command": Diagnostic(
        "the API passed a command on and has its answer",
        {
            "handler": COMMAND,
            "case_id": CASE,
            "version": COUNT,
            "result": words(*COMMAND_RESULTS),
            "ms": COUNT,
        },
    ),
    "parked": Diagnostic(
        "a message can't be processed and waits for a person",
        {"reason": words(*get_args(Reason)), "field": FIELD, "parked_id": ID},
    ),
    "not_parked": Diagnostic(
        "PARKED doesn't accept a message, usually because its channel has too many there: it stays "
        "in the channel's own stream and is retried; look at what is parked",
        {"stream": STREAM, "reason": words(*get_args(Reason))},
    ),
    "channel_paced": Diagnostic(
        "a channel sends more than intake takes from one in an hour "
        "(`PASSAGE_CALLS_BYTES_AN_HOUR`); the rest waits in the channel's own stream; find out who "
        "is flooding it",
        {"stream": STREAM},
    ),
    "not_now": Diagnostic(
        "a message is retried later: the log doesn't answer, or the case keeps changing",
        {"stream": STREAM, "error": ERROR},
    ),
    "message_not_given": Diagnostic(
        "a message to a caller may not have reached OUTBOUND; it isn't given again, and fails "
        "after `outbound_report_minutes` unless its channel reports",
        {"case_id": CASE, "message_id": ID},
    ),
    "signature_refused": Diagnostic(
        "a command's signatures are missing or worth nothing; the answer named the guard",
        {"command": COMMAND},
    ),
    "clock_off": Diagnostic(
        "urgent: the clock of a channel, or of whoever gave a command its time, is off by more "
        "than a minute (`seconds` ahead of ours, at most a day; behind if negative); correct it. "
        "No caller's safety depends on it",
        {"channel": CHANNEL, "command": COMMAND, "seconds": COUNT},
    ),
    "timers_set_anew": Diagnostic(
        "a service's timers were lost, or it had none yet; it set every case's timers again",
        {"cases": COUNT},
    ),
    "not_at_start": Diagnostic(
        "a service's work at its start failed, and is retried later", {"error": ERROR}
    ),
    "hash_limit": Diagnostic(
        "a service asks for more hashes a minute than the policy allows; its requests wait",
        {"asker": SERVICE, "count": COUNT},
    ),
    "codes_guessed": Diagnostic(
        "a channel has more wrong return codes than mistakes explain; until there are fewer, a "
        "code from an address that its case doesn't know needs a second fact",
        {"channel": CHANNEL, "count": COUNT},
    ),
    "budget_spent": Diagnostic(
        "somebody has used up what one person may see or search for in an hour; the record of "
        "accesses says who",
        {"measure": words("searches", "hashes", "cases", "values"), "count": COUNT},
    ),
    "reads_many": Diagnostic(
        "somebody has had values of many cases shown within the hour; the supervisors' alarms "
        "say who",
        {"count": COUNT},
    ),
    "budget_released": Diagnostic(
        "a supervisor gave somebody an hour's worth of their budget anew; the record of accesses "
        "says who and why",
        {},
    ),
    "storing_failed": Diagnostic(
        "urgent, repeated every ten seconds: this many `streams` of nats-servers refuse to write, "
        "or this many `disks` are full; make room. `passage up` then restarts nats-server "
        "automatically; elsewhere restart it",
        {"streams": COUNT, "disks": COUNT, "reason": words(*CAUSES.values(), LIMIT, OTHER)},
    ),
    "disk_low": Diagnostic(
        "urgent: less than a twentieth of a disk, and less than 2 GiB, is left; make room",
        {"mib": COUNT},
    ),
    "storing_again": Diagnostic("everything can be stored again", {}),
    "log_unavailable": Diagnostic(
        "the log didn't answer while a command was processed", {"error": ERROR}
    ),
    "fault": Diagnostic("a bug in Passage; nothing is lost", {"error": ERROR, "place": PLACES}),
    "ended_by_fault": Diagnostic(
        "a fault ended the process or one of its threads", {"error": ERROR, "place": PLACES}
    ),
    "library": Diagnostic(
        "a library logged or warned; its text is left out",
        {"logger": LOGGER_NAME, "place": PLACES, "error": ERROR},
    ),
    "printed": Diagnostic(
        "something was printed to standard error directly; its text is left out",
        {"place": PLACES},
    ),
    "unlisted": Diagnostic("the code logged an event that isn't in this table", {"place": PLACES}),
    "connection": Diagnostic("the connection to nats-server had an error", {"error": ERROR}),
    "nats_refused": Diagnostic(
        "nats-server and this process don't accept each other; `do` is what to do. Logged once",
        {"wrong": words(*REFUSALS), "do": words(*REFUSALS.values())},
    ),
    "health_file_failed": Diagnostic("`PASSAGE_HEALTH_FILE` can't be written", {"error": ERROR}),
    "key_files_open": Diagnostic(
        "others may read a key file or its folder, and nothing starts: `chmod` it to this mode",
        {"file": KEY_FILE, "mode": words("600", "700")},
    ),
    "secret_unusable": Diagnostic(
        "the process ends because a file that it needs is `wrong`; `do` is what to do, and "
        "`setting` points to the file or to its folder",
        {"file": KEY_FILE, "setting": SETTING, "wrong": words(*DO), "do": words(*DO.values())},
    ),
    "certificate_ends": Diagnostic(
        "a certificate expires in this many days; renew it ([identities](#identities))",
        {"file": KEY_FILE, "days": COUNT},
    ),
    "settings_invalid": Diagnostic(
        "a setting is wrong; the process ends", {"settings": SETTINGS, "do": words(*NO_SITES)}
    ),
    "address_invalid": Diagnostic("PASSAGE_HTTP isn't HOST:PORT; query ends", {}),
    "address_taken": Diagnostic(
        "query can't listen on PASSAGE_HTTP; it ends", {"error": ERROR, "errno": COUNT}
    ),
    "address_without_tls": Diagnostic(
        "query ends: off loopback it needs PASSAGE_HTTP_CERTIFICATE and PASSAGE_HTTP_KEY", {}
    ),
    "site_not_certified": Diagnostic(
        "query ends: its certificate isn't its site's", {"do": words(NEEDS_A_NAME, NEEDS_ITS_NAME)}
    ),
    "fsync_not_always": Diagnostic(
        "nats-servers may lose what they acknowledged; intake processes no calls", {"count": COUNT}
    ),
    "fsync_unknown": Diagnostic(
        "no nats-server says whether it always syncs; intake processes no calls", {"error": ERROR}
    ),
    "serving": Diagnostic(
        "query listens; the read models may still be behind",
        {"service": SERVICE, "version": VERSION_TEXT},
    ),
    "ended": Diagnostic(
        "query or the witness ended in an orderly way", {"service": SERVICE, "sequence": COUNT}
    ),
    "following": Diagnostic(
        "query or the witness follows the log", {"sequence": COUNT, "last": COUNT}
    ),
    "caught_up": Diagnostic(
        "the read models have everything that was in the log at the start", {"sequence": COUNT}
    ),
    "feed_failed": Diagnostic(
        "query follows the log again after a fault", {"error": ERROR, "place": PLACES}
    ),
    "subscription_silent": Diagnostic(
        "the log has grown, but the subscription reported nothing", {"sequence": COUNT}
    ),
    "projection_stopped": Diagnostic(
        "the read models stopped; a person must look",
        {
            "sequence": COUNT,
            "reason": words("gap", "checkpoint", "another_log"),
        },
    ),
    "rotated": Diagnostic(
        "every data key is wrapped under a new key-encryption key; `damaged` and `dropped` count "
        "cases whose keys don't unwrap, or belonged to a destroyed epoch",
        {"count": COUNT, "damaged": COUNT, "dropped": COUNT, "epoch": COUNT},
    ),
    "signed": Diagnostic(
        "the witness signed what the log held",
        {
            "kind": words("opened", "checkpoint", "ended"),
            "sequence": COUNT,
            "cases": COUNT,
            "number": COUNT,
        },
    ),
    "log_unsound": Diagnostic(
        "the witness stopped because the log has changed; `passage gate` says more",
        {"sequence": COUNT, "reason": words(*CHECKS_OF_THE_LOG)},
    ),
    "other_incarnation": Diagnostic(
        "CASES isn't the stream that the service knows; it writes nothing until it is restarted",
        {"known": ID, "found": ID},
    ),
    "witness_file_thinned": Diagnostic(
        "every signature of a witness file is right, and this many old lines were removed",
        {"count": COUNT},
    ),
    "witness_file_not_thinned": Diagnostic(
        "a witness file is missing, or can't be replaced by a shorter one; this is retried",
        {"error": ERROR},
    ),
    "witness_file_failed": Diagnostic(
        "this many witness files could not be written", {"files": COUNT}
    ),
    "witness_failed": Diagnostic(
        "the witness follows the log again after a fault", {"error": ERROR, "place": PLACES}
    ),
    "seal_not_noted": Diagnostic("sealed, but the next start won't know it", {"error": ERROR}),
    "sealed": Diagnostic("the key holder ends: nothing personal can be opened", {}),
    "messages_put_aside": Diagnostic(
        "messages of the log can't be read; their cases are shown as damaged",
        {"count": COUNT, "sequence": COUNT},
    ),
    "revealed": Diagnostic("an operator opened personal values", {"case_id": CASE, "count": COUNT}),
    "searched_by_name": Diagnostic(
        "an operator searched by name; `count` is of cases suggested", {"count": COUNT}
    ),
    "looked_for_caller": Diagnostic(
        "somebody asked who a caller is; `count` is of candidates", {"count": COUNT}
    ),
    "names_dropped": Diagnostic("query forgot the names, because nobody searched by name", {}),
    "keys_denied": Diagnostic("the key holder denied query's request", {}),
    "login_refused": Diagnostic(
        "somebody who couldn't prove who they are wasn't let in",
        {"kind": words(*get_args(Attempted))},
    ),
    "answer_unreadable": Diagnostic(
        "a service's answer can't be read", {"handler": COMMAND, "service": SERVICE}
    ),
}
