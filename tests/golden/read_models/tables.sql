-- services.query.projections.alarms 2
-- services.query.projections.archive 2
-- services.query.projections.case_list 7
-- services.query.projections.case_timeline 1
-- services.query.projections.desk 2
-- services.query.projections.lookups 3
-- services.query.projections.overdue 1
-- services.query.projections.people 3
-- services.query.projections.queue 4
-- services.query.projections.signatures 1
-- services.query.projections.statistics 4
-- sqlite
CREATE TABLE case_list (
	case_id VARCHAR(64) NOT NULL,
	opened_at VARCHAR(32) NOT NULL,
	channel VARCHAR(16),
	language VARCHAR(16),
	episode INTEGER NOT NULL,
	previous_case VARCHAR(64),
	next_case VARCHAR(64),
	progress VARCHAR(32) NOT NULL,
	stage VARCHAR(32) NOT NULL,
	identity VARCHAR(16) NOT NULL,
	claim_event_id VARCHAR(64),
	contradicted BOOLEAN NOT NULL,
	credibility VARCHAR(16) NOT NULL,
	credibility_expires_at VARCHAR(32),
	hold VARCHAR(16) NOT NULL,
	contact VARCHAR(16) NOT NULL,
	last_contact_at VARCHAR(32),
	contact_rule VARCHAR(16) NOT NULL,
	contact_windows TEXT,
	contact_said_at VARCHAR(32),
	contact_heard_at VARCHAR(32),
	intent VARCHAR(16),
	situation VARCHAR(32),
	urgency VARCHAR(16),
	triaged BOOLEAN NOT NULL,
	untriaged_call_id VARCHAR(64),
	untriaged_call_at VARCHAR(32),
	escalated BOOLEAN NOT NULL,
	calls INTEGER NOT NULL,
	last_call_id VARCHAR(64),
	last_call_at VARCHAR(32),
	last_event_at VARCHAR(32),
	version INTEGER NOT NULL,
	sequence INTEGER NOT NULL,
	open BOOLEAN NOT NULL,
	closing_reason VARCHAR(32),
	code_hash VARCHAR(70),
	claimed_by TEXT,
	lease_until VARCHAR(32),
	fence INTEGER NOT NULL,
	claim_expired BOOLEAN NOT NULL,
	group_id VARCHAR(64),
	group_role VARCHAR(16),
	rendezvous VARCHAR(16) NOT NULL,
	rendezvous_id VARCHAR(64),
	rendezvous_window_from VARCHAR(32),
	rendezvous_window_to VARCHAR(32),
	told_by VARCHAR(64),
	perhaps_told_by TEXT,
	failed_messages TEXT,
	offer VARCHAR(16) NOT NULL,
	offer_id VARCHAR(64),
	offer_deadline_at VARCHAR(32),
	offer_answered_at VARCHAR(32),
	team TEXT,
	discrepancy BOOLEAN NOT NULL,
	custody VARCHAR(32),
	custody_at VARCHAR(32),
	exchange_consent VARCHAR(16) NOT NULL,
	publicity_consent VARCHAR(16) NOT NULL,
	damaged BOOLEAN NOT NULL,
	PRIMARY KEY (case_id)
)
 WITHOUT ROWID;
CREATE INDEX case_list_by_opening ON case_list (opened_at, case_id);
CREATE INDEX case_list_held ON case_list (case_id) WHERE claimed_by IS NOT NULL;
CREATE INDEX case_list_live ON case_list (case_id) WHERE open AND stage IN ('arrived', 'planned', 'guided', 'offered');
CREATE INDEX case_list_waiting ON case_list (case_id) WHERE open AND stage IN ('registered', 'awaiting_second_call');
CREATE TABLE case_timeline (
	case_id VARCHAR(64) NOT NULL,
	version INTEGER NOT NULL,
	sequence INTEGER NOT NULL,
	type_name VARCHAR(64) NOT NULL,
	happened_at VARCHAR(32) NOT NULL,
	recorded_at VARCHAR(32) NOT NULL,
	actor TEXT NOT NULL,
	PRIMARY KEY (sequence)
);
CREATE INDEX case_timeline_of_names ON case_timeline (sequence) WHERE type_name IN ('PersonalDataProvided', 'PersonalDataErased');
CREATE UNIQUE INDEX case_timeline_by_case ON case_timeline (case_id, version);
CREATE TABLE queue (
	case_id VARCHAR(64) NOT NULL,
	needs VARCHAR(32) NOT NULL,
	since_at VARCHAR(32) NOT NULL,
	rank INTEGER NOT NULL,
	urgency VARCHAR(16),
	channel VARCHAR(16),
	language VARCHAR(16),
	progress VARCHAR(32) NOT NULL,
	identity VARCHAR(16) NOT NULL,
	contact VARCHAR(16) NOT NULL,
	last_call_at VARCHAR(32),
	claimed_by TEXT,
	lease_until VARCHAR(32),
	PRIMARY KEY (case_id)
)
 WITHOUT ROWID;
CREATE INDEX queue_by_turn ON queue (rank, channel, since_at, case_id);
CREATE TABLE lookups (
	"key" VARCHAR(70) NOT NULL,
	kind VARCHAR(16) NOT NULL,
	case_id VARCHAR(64) NOT NULL,
	PRIMARY KEY ("key", kind, case_id)
)
 WITHOUT ROWID;
CREATE TABLE statistics_calls (
	day VARCHAR(10) NOT NULL,
	channel VARCHAR(16) NOT NULL,
	calls INTEGER NOT NULL,
	PRIMARY KEY (day, channel)
);
CREATE TABLE statistics_funnel (
	case_id VARCHAR(64) NOT NULL,
	opened_at VARCHAR(32) NOT NULL,
	declared_at VARCHAR(32),
	registered_at VARCHAR(32),
	code_issued_at VARCHAR(32),
	verified_at VARCHAR(32),
	arrived_at VARCHAR(32),
	planned_at VARCHAR(32),
	guided_at VARCHAR(32),
	offered_at VARCHAR(32),
	accepted_at VARCHAR(32),
	handed_over_at VARCHAR(32),
	in_custody_at VARCHAR(32),
	exchanged_at VARCHAR(32),
	closed_at VARCHAR(32),
	PRIMARY KEY (case_id)
)
 WITHOUT ROWID;
CREATE TABLE overdue (
	case_id VARCHAR(64) NOT NULL,
	rule VARCHAR(64) NOT NULL,
	due_at VARCHAR(32) NOT NULL,
	recorded_at VARCHAR(32) NOT NULL,
	PRIMARY KEY (case_id, rule)
)
 WITHOUT ROWID;
CREATE TABLE alarms (
	case_id VARCHAR(64) NOT NULL,
	call_id VARCHAR(64) NOT NULL,
	channel VARCHAR(16) NOT NULL,
	signalled_at VARCHAR(32) NOT NULL,
	version INTEGER NOT NULL,
	PRIMARY KEY (case_id, call_id)
)
 WITHOUT ROWID;
CREATE TABLE shifts (
	shift_id VARCHAR(64) NOT NULL,
	started_at VARCHAR(32) NOT NULL,
	started_by TEXT,
	operators TEXT NOT NULL,
	handed_over_at VARCHAR(32),
	handed_over_by TEXT,
	handed_over_to TEXT NOT NULL,
	listed INTEGER NOT NULL,
	accepted INTEGER NOT NULL,
	listed_cases TEXT NOT NULL,
	accepted_cases TEXT NOT NULL,
	ended_at VARCHAR(32),
	version INTEGER NOT NULL,
	sequence INTEGER NOT NULL,
	damaged BOOLEAN NOT NULL,
	PRIMARY KEY (shift_id)
)
 WITHOUT ROWID;
CREATE INDEX shifts_by_start ON shifts (started_at);
CREATE TABLE exports (
	export_id VARCHAR(64) NOT NULL,
	exported_at VARCHAR(32) NOT NULL,
	first_day VARCHAR(10),
	last_day VARCHAR(10),
	digest VARCHAR(64),
	rows BIGINT NOT NULL,
	suppressed BIGINT NOT NULL,
	exported_by TEXT,
	second_by TEXT,
	version INTEGER NOT NULL,
	sequence INTEGER NOT NULL,
	damaged BOOLEAN NOT NULL,
	PRIMARY KEY (export_id)
)
 WITHOUT ROWID;
CREATE TABLE people (
	person_id VARCHAR(64) NOT NULL,
	added_at VARCHAR(32) NOT NULL,
	name TEXT,
	is_machine BOOLEAN NOT NULL,
	roles TEXT NOT NULL,
	suspended BOOLEAN NOT NULL,
	keys INTEGER NOT NULL,
	links INTEGER NOT NULL,
	tokens INTEGER NOT NULL,
	break_glass BOOLEAN NOT NULL,
	break_glass_used_at VARCHAR(32),
	sessions_ended_at VARCHAR(32),
	signatures_seen INTEGER NOT NULL,
	refused TEXT NOT NULL,
	refused_in_all BIGINT NOT NULL,
	refused_at VARCHAR(32),
	version INTEGER NOT NULL,
	sequence INTEGER NOT NULL,
	damaged BOOLEAN NOT NULL,
	PRIMARY KEY (person_id)
)
 WITHOUT ROWID;
CREATE TABLE decisions (
	decision_id VARCHAR(64) NOT NULL,
	proposed_at VARCHAR(32) NOT NULL,
	act TEXT,
	about VARCHAR(64),
	proposed_by TEXT,
	expires_at VARCHAR(32),
	agreed_by TEXT,
	agreed_at VARCHAR(32),
	withdrawn_at VARCHAR(32),
	expired BOOLEAN NOT NULL,
	carried_out_at VARCHAR(32),
	not_carried_out TEXT,
	version INTEGER NOT NULL,
	sequence INTEGER NOT NULL,
	damaged BOOLEAN NOT NULL,
	PRIMARY KEY (decision_id)
)
 WITHOUT ROWID;
CREATE INDEX decisions_unsettled ON decisions (proposed_at) WHERE carried_out_at IS NULL AND withdrawn_at IS NULL AND NOT expired;
CREATE TABLE signatures (
	case_id VARCHAR(64) NOT NULL,
	version INTEGER NOT NULL,
	account VARCHAR(64) NOT NULL,
	sequence INTEGER NOT NULL,
	act VARCHAR(64) NOT NULL,
	key_id TEXT NOT NULL,
	recorded_at VARCHAR(32) NOT NULL,
	PRIMARY KEY (case_id, version, account)
)
 WITHOUT ROWID;
CREATE INDEX signatures_by_account ON signatures (account, sequence);
CREATE TABLE archive (
	sequence INTEGER NOT NULL,
	case_id VARCHAR(64) NOT NULL,
	version INTEGER NOT NULL,
	type_name TEXT NOT NULL,
	recorded_at VARCHAR(32) NOT NULL,
	body BLOB NOT NULL,
	unreadable TEXT,
	PRIMARY KEY (sequence)
);
CREATE INDEX archive_aside ON archive (case_id) WHERE unreadable IS NOT NULL;
-- postgresql
CREATE TABLE case_list (
	case_id VARCHAR(64) NOT NULL,
	opened_at TIMESTAMP WITH TIME ZONE NOT NULL,
	channel VARCHAR(16),
	language VARCHAR(16),
	episode INTEGER NOT NULL,
	previous_case VARCHAR(64),
	next_case VARCHAR(64),
	progress VARCHAR(32) NOT NULL,
	stage VARCHAR(32) NOT NULL,
	identity VARCHAR(16) NOT NULL,
	claim_event_id VARCHAR(64),
	contradicted BOOLEAN NOT NULL,
	credibility VARCHAR(16) NOT NULL,
	credibility_expires_at TIMESTAMP WITH TIME ZONE,
	hold VARCHAR(16) NOT NULL,
	contact VARCHAR(16) NOT NULL,
	last_contact_at TIMESTAMP WITH TIME ZONE,
	contact_rule VARCHAR(16) NOT NULL,
	contact_windows TEXT,
	contact_said_at TIMESTAMP WITH TIME ZONE,
	contact_heard_at TIMESTAMP WITH TIME ZONE,
	intent VARCHAR(16),
	situation VARCHAR(32),
	urgency VARCHAR(16),
	triaged BOOLEAN NOT NULL,
	untriaged_call_id VARCHAR(64),
	untriaged_call_at TIMESTAMP WITH TIME ZONE,
	escalated BOOLEAN NOT NULL,
	calls INTEGER NOT NULL,
	last_call_id VARCHAR(64),
	last_call_at TIMESTAMP WITH TIME ZONE,
	last_event_at TIMESTAMP WITH TIME ZONE,
	version INTEGER NOT NULL,
	sequence BIGINT NOT NULL,
	open BOOLEAN NOT NULL,
	closing_reason VARCHAR(32),
	code_hash VARCHAR(70),
	claimed_by TEXT,
	lease_until TIMESTAMP WITH TIME ZONE,
	fence INTEGER NOT NULL,
	claim_expired BOOLEAN NOT NULL,
	group_id VARCHAR(64),
	group_role VARCHAR(16),
	rendezvous VARCHAR(16) NOT NULL,
	rendezvous_id VARCHAR(64),
	rendezvous_window_from TIMESTAMP WITH TIME ZONE,
	rendezvous_window_to TIMESTAMP WITH TIME ZONE,
	told_by VARCHAR(64),
	perhaps_told_by TEXT,
	failed_messages TEXT,
	offer VARCHAR(16) NOT NULL,
	offer_id VARCHAR(64),
	offer_deadline_at TIMESTAMP WITH TIME ZONE,
	offer_answered_at TIMESTAMP WITH TIME ZONE,
	team TEXT,
	discrepancy BOOLEAN NOT NULL,
	custody VARCHAR(32),
	custody_at TIMESTAMP WITH TIME ZONE,
	exchange_consent VARCHAR(16) NOT NULL,
	publicity_consent VARCHAR(16) NOT NULL,
	damaged BOOLEAN NOT NULL,
	PRIMARY KEY (case_id)
);
CREATE INDEX case_list_by_opening ON case_list (opened_at, case_id);
CREATE INDEX case_list_held ON case_list (case_id) WHERE claimed_by IS NOT NULL;
CREATE INDEX case_list_live ON case_list (case_id) WHERE open AND stage IN ('arrived', 'planned', 'guided', 'offered');
CREATE INDEX case_list_waiting ON case_list (case_id) WHERE open AND stage IN ('registered', 'awaiting_second_call');
CREATE TABLE case_timeline (
	case_id VARCHAR(64) NOT NULL,
	version INTEGER NOT NULL,
	sequence BIGINT NOT NULL,
	type_name VARCHAR(64) NOT NULL,
	happened_at TIMESTAMP WITH TIME ZONE NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
	actor TEXT NOT NULL,
	PRIMARY KEY (sequence)
);
CREATE INDEX case_timeline_of_names ON case_timeline (sequence) WHERE type_name IN ('PersonalDataProvided', 'PersonalDataErased');
CREATE UNIQUE INDEX case_timeline_by_case ON case_timeline (case_id, version);
CREATE TABLE queue (
	case_id VARCHAR(64) NOT NULL,
	needs VARCHAR(32) NOT NULL,
	since_at TIMESTAMP WITH TIME ZONE NOT NULL,
	rank INTEGER NOT NULL,
	urgency VARCHAR(16),
	channel VARCHAR(16),
	language VARCHAR(16),
	progress VARCHAR(32) NOT NULL,
	identity VARCHAR(16) NOT NULL,
	contact VARCHAR(16) NOT NULL,
	last_call_at TIMESTAMP WITH TIME ZONE,
	claimed_by TEXT,
	lease_until TIMESTAMP WITH TIME ZONE,
	PRIMARY KEY (case_id)
);
CREATE INDEX queue_by_turn ON queue (rank, channel, since_at, case_id);
CREATE TABLE lookups (
	key VARCHAR(70) NOT NULL,
	kind VARCHAR(16) NOT NULL,
	case_id VARCHAR(64) NOT NULL,
	PRIMARY KEY (key, kind, case_id)
);
CREATE TABLE statistics_calls (
	day VARCHAR(10) NOT NULL,
	channel VARCHAR(16) NOT NULL,
	calls INTEGER NOT NULL,
	PRIMARY KEY (day, channel)
);
CREATE TABLE statistics_funnel (
	case_id VARCHAR(64) NOT NULL,
	opened_at TIMESTAMP WITH TIME ZONE NOT NULL,
	declared_at TIMESTAMP WITH TIME ZONE,
	registered_at TIMESTAMP WITH TIME ZONE,
	code_issued_at TIMESTAMP WITH TIME ZONE,
	verified_at TIMESTAMP WITH TIME ZONE,
	arrived_at TIMESTAMP WITH TIME ZONE,
	planned_at TIMESTAMP WITH TIME ZONE,
	guided_at TIMESTAMP WITH TIME ZONE,
	offered_at TIMESTAMP WITH TIME ZONE,
	accepted_at TIMESTAMP WITH TIME ZONE,
	handed_over_at TIMESTAMP WITH TIME ZONE,
	in_custody_at TIMESTAMP WITH TIME ZONE,
	exchanged_at TIMESTAMP WITH TIME ZONE,
	closed_at TIMESTAMP WITH TIME ZONE,
	PRIMARY KEY (case_id)
);
CREATE TABLE overdue (
	case_id VARCHAR(64) NOT NULL,
	rule VARCHAR(64) NOT NULL,
	due_at TIMESTAMP WITH TIME ZONE NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
	PRIMARY KEY (case_id, rule)
);
CREATE TABLE alarms (
	case_id VARCHAR(64) NOT NULL,
	call_id VARCHAR(64) NOT NULL,
	channel VARCHAR(16) NOT NULL,
	signalled_at TIMESTAMP WITH TIME ZONE NOT NULL,
	version INTEGER NOT NULL,
	PRIMARY KEY (case_id, call_id)
);
CREATE TABLE shifts (
	shift_id VARCHAR(64) NOT NULL,
	started_at TIMESTAMP WITH TIME ZONE NOT NULL,
	started_by TEXT,
	operators TEXT NOT NULL,
	handed_over_at TIMESTAMP WITH TIME ZONE,
	handed_over_by TEXT,
	handed_over_to TEXT NOT NULL,
	listed INTEGER NOT NULL,
	accepted INTEGER NOT NULL,
	listed_cases TEXT NOT NULL,
	accepted_cases TEXT NOT NULL,
	ended_at TIMESTAMP WITH TIME ZONE,
	version INTEGER NOT NULL,
	sequence BIGINT NOT NULL,
	damaged BOOLEAN NOT NULL,
	PRIMARY KEY (shift_id)
);
CREATE INDEX shifts_by_start ON shifts (started_at);
CREATE TABLE exports (
	export_id VARCHAR(64) NOT NULL,
	exported_at TIMESTAMP WITH TIME ZONE NOT NULL,
	first_day VARCHAR(10),
	last_day VARCHAR(10),
	digest VARCHAR(64),
	rows BIGINT NOT NULL,
	suppressed BIGINT NOT NULL,
	exported_by TEXT,
	second_by TEXT,
	version INTEGER NOT NULL,
	sequence BIGINT NOT NULL,
	damaged BOOLEAN NOT NULL,
	PRIMARY KEY (export_id)
);
CREATE TABLE people (
	person_id VARCHAR(64) NOT NULL,
	added_at TIMESTAMP WITH TIME ZONE NOT NULL,
	name TEXT,
	is_machine BOOLEAN NOT NULL,
	roles TEXT NOT NULL,
	suspended BOOLEAN NOT NULL,
	keys INTEGER NOT NULL,
	links INTEGER NOT NULL,
	tokens INTEGER NOT NULL,
	break_glass BOOLEAN NOT NULL,
	break_glass_used_at TIMESTAMP WITH TIME ZONE,
	sessions_ended_at TIMESTAMP WITH TIME ZONE,
	signatures_seen BIGINT NOT NULL,
	refused TEXT NOT NULL,
	refused_in_all BIGINT NOT NULL,
	refused_at TIMESTAMP WITH TIME ZONE,
	version INTEGER NOT NULL,
	sequence BIGINT NOT NULL,
	damaged BOOLEAN NOT NULL,
	PRIMARY KEY (person_id)
);
CREATE TABLE decisions (
	decision_id VARCHAR(64) NOT NULL,
	proposed_at TIMESTAMP WITH TIME ZONE NOT NULL,
	act TEXT,
	about VARCHAR(64),
	proposed_by TEXT,
	expires_at TIMESTAMP WITH TIME ZONE,
	agreed_by TEXT,
	agreed_at TIMESTAMP WITH TIME ZONE,
	withdrawn_at TIMESTAMP WITH TIME ZONE,
	expired BOOLEAN NOT NULL,
	carried_out_at TIMESTAMP WITH TIME ZONE,
	not_carried_out TEXT,
	version INTEGER NOT NULL,
	sequence BIGINT NOT NULL,
	damaged BOOLEAN NOT NULL,
	PRIMARY KEY (decision_id)
);
CREATE INDEX decisions_unsettled ON decisions (proposed_at) WHERE carried_out_at IS NULL AND withdrawn_at IS NULL AND NOT expired;
CREATE TABLE signatures (
	case_id VARCHAR(64) NOT NULL,
	version INTEGER NOT NULL,
	account VARCHAR(64) NOT NULL,
	sequence BIGINT NOT NULL,
	act VARCHAR(64) NOT NULL,
	key_id TEXT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
	PRIMARY KEY (case_id, version, account)
);
CREATE INDEX signatures_by_account ON signatures (account, sequence);
CREATE TABLE archive (
	sequence BIGINT NOT NULL,
	case_id VARCHAR(64) NOT NULL,
	version INTEGER NOT NULL,
	type_name TEXT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
	body BYTEA NOT NULL,
	unreadable TEXT,
	PRIMARY KEY (sequence)
);
CREATE INDEX archive_aside ON archive (case_id) WHERE unreadable IS NOT NULL;
