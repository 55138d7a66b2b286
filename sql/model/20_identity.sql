-- The identity room: tables. Who is known by what, what was seen together, what was merged.

CREATE TABLE IF NOT EXISTS o2o.identifier_kind (
	kind text NOT NULL PRIMARY KEY CHECK (kind ~ '^[a-z][a-z0-9_]*$'),
	priority integer NOT NULL,
	max_per_customer integer CHECK (max_per_customer > 0),
	is_unique boolean NOT NULL DEFAULT false,
	shared_threshold integer CHECK (shared_threshold > 0),
	time_to_live interval,
	description text NOT NULL
);
COMMENT ON TABLE o2o.identifier_kind IS 'Kinds of identifiers that identify() admits, and their rules: priority (a fact carries the profile of the highest one in the call; the lowest is dropped first when a rule is violated), how many a customer may have, whether two different values within one scope (app of an openid, source of a ref) prove two people, from how many different people on an identifier counts as shared, and after how long unseen it is given to somebody else (recycled phone numbers).';

CREATE TABLE IF NOT EXISTS o2o.identifier_block (
	kind text NOT NULL,
	pattern text NOT NULL CHECK ('' ~ pattern IS NOT NULL),
	reason text NOT NULL,
	PRIMARY KEY (kind, pattern)
);
COMMENT ON TABLE o2o.identifier_block IS 'Values that identify nobody: kind (or * for every kind), a regular expression on the normalised value, why. identify() leaves such identifiers out.';

CREATE SEQUENCE IF NOT EXISTS o2o.profile_id_seq AS bigint CACHE 32;
CREATE TABLE IF NOT EXISTS o2o.profile_identifier (
	identifier o2o.identifier NOT NULL PRIMARY KEY,
	profile_id bigint NOT NULL,
	is_shared boolean NOT NULL DEFAULT false,
	first_seen_at timestamptz NOT NULL,
	last_seen_at timestamptz NOT NULL
) WITH (fillfactor = 85);
CREATE INDEX IF NOT EXISTS profile_identifier_profile_id_idx ON o2o.profile_identifier (profile_id);
COMMENT ON TABLE o2o.profile_identifier IS 'Each identifier and the profile that it means today. The only table that holds the value: every other one knows profiles. A shared identifier (hot-line number, shop tablet) links nobody and carries no new facts.';

CREATE TABLE IF NOT EXISTS o2o.profile (
	profile_id bigint NOT NULL PRIMARY KEY,
	customer_id bigint NOT NULL,
	kind text NOT NULL,
	scope text NOT NULL DEFAULT '',
	source text NOT NULL,
	created_at timestamptz NOT NULL
) WITH (fillfactor = 85);
CREATE INDEX IF NOT EXISTS profile_customer_id_idx ON o2o.profile (customer_id);
COMMENT ON TABLE o2o.profile IS 'The smallest thing that may turn out to be another person: one identifier during the time it meant one person. Facts (orders, points accounts, touchpoints) carry its id and never change; customer_id says which customer it resolves to today, directly. Profiles are never reused or deleted. A profile_id without a row is an anonymous basket or visitor.';

CREATE TABLE IF NOT EXISTS o2o.identifier_period (
	profile_id bigint NOT NULL PRIMARY KEY,
	successor_profile_id bigint NOT NULL,
	valid_from timestamptz NOT NULL,
	valid_to timestamptz NOT NULL,
	reason text NOT NULL
);
COMMENT ON TABLE o2o.identifier_period IS 'Profiles whose identifier means somebody else now: from when to when it meant this profile, the profile it went to, and why (expired, reassigned).';

CREATE TABLE IF NOT EXISTS o2o.customer (
	customer_id bigint NOT NULL PRIMARY KEY,
	profile_count integer NOT NULL,
	created_at timestamptz NOT NULL,
	changed_at timestamptz NOT NULL
) WITH (fillfactor = 85);
COMMENT ON TABLE o2o.customer IS 'A set of linked profiles; its id is the lowest of their profile ids. profile_count is 0 once it is absorbed by another; the id then resolves through profile.customer_id of the profile with that id. Whoever does something customer-wide locks this row FOR NO KEY UPDATE, in ascending order of ids.';

CREATE SEQUENCE IF NOT EXISTS o2o.evidence_id_seq AS bigint CACHE 32;
CREATE TABLE IF NOT EXISTS o2o.identity_evidence (
	profile_id bigint NOT NULL,
	evidence_id bigint NOT NULL DEFAULT nextval('o2o.evidence_id_seq'),
	profiles bigint[] NOT NULL,
	status text NOT NULL CHECK (status IN ('link', 'suppressed', 'cannot_link', 'retracted')),
	rule text NOT NULL,
	source text NOT NULL,
	reason text,
	weight double precision,
	event_id text,
	occurred_at timestamptz NOT NULL,
	last_seen_at timestamptz NOT NULL,
	recorded_at timestamptz NOT NULL DEFAULT now(),
	recorded_by text NOT NULL DEFAULT session_user,
	retracted_at timestamptz,
	retracted_by text,
	retract_reason text,
	PRIMARY KEY (profile_id, evidence_id),
	CHECK (profile_id = profiles[1]),
	CHECK ((status = 'retracted') = (retracted_at IS NOT NULL))
) WITH (fillfactor = 85);
CREATE UNIQUE INDEX IF NOT EXISTS identity_evidence_set_idx ON o2o.identity_evidence (profile_id, profiles, rule, source, status) WHERE status <> 'retracted';
COMMENT ON TABLE o2o.identity_evidence IS 'Why profiles are one customer: one row per distinct set of profiles (ascending; profile_id is the lowest) seen together, rule and source. link is in force; suppressed was refused by a rule (reason); cannot_link keeps the profiles of the set apart; retracted is a link that was in force until retracted_at. Customers are the connected components of the links in force.';

CREATE SEQUENCE IF NOT EXISTS o2o.merge_id_seq AS bigint;
CREATE TABLE IF NOT EXISTS o2o.identity_merge (
	survivor_customer_id bigint NOT NULL,
	merge_id bigint NOT NULL DEFAULT nextval('o2o.merge_id_seq'),
	absorbed_customer_id bigint NOT NULL,
	survivor_profiles bigint[] NOT NULL,
	absorbed_profiles bigint[] NOT NULL,
	evidence_profile_id bigint NOT NULL,
	evidence_id bigint NOT NULL,
	merged_at timestamptz NOT NULL DEFAULT now(),
	merged_by text NOT NULL DEFAULT session_user,
	undone_at timestamptz,
	undone_by text,
	undo_reason text,
	PRIMARY KEY (survivor_customer_id, merge_id)
);
CREATE INDEX IF NOT EXISTS identity_merge_merge_id_idx ON o2o.identity_merge (merge_id);
COMMENT ON TABLE o2o.identity_merge IS 'Merges of two customers: who survived, who was absorbed, the profiles of both sides at that moment, the evidence that did it, and when it was undone. customer_unmerge(merge_id) takes one back.';

CREATE SEQUENCE IF NOT EXISTS o2o.change_id_seq AS bigint CACHE 32;
CREATE TABLE IF NOT EXISTS o2o.customer_change (
	profile_id bigint NOT NULL,
	change_id bigint NOT NULL DEFAULT nextval('o2o.change_id_seq'),
	seq bigint NOT NULL,
	old_customer_id bigint NOT NULL,
	new_customer_id bigint NOT NULL,
	cause text NOT NULL CHECK (cause IN ('merge', 'unmerge')),
	changed_at timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (profile_id, change_id)
);
CREATE INDEX IF NOT EXISTS customer_change_seq_idx ON o2o.customer_change (seq);
COMMENT ON TABLE o2o.customer_change IS 'Every profile that went from one customer to another: for warehouses (customer_changes(since_seq)) and for the history of a customer. All rows of one transaction share seq.';

CREATE TABLE IF NOT EXISTS o2o.profile_trait (
	profile_id bigint NOT NULL,
	source text NOT NULL,
	name text NOT NULL,
	value text NOT NULL,
	observed_at timestamptz NOT NULL,
	PRIMARY KEY (profile_id, source, name)
);
COMMENT ON TABLE o2o.profile_trait IS 'What sources say of a person (name, birthday, city …): the latest value per profile, source and name. Which value a customer shows is decided at read.';

INSERT INTO o2o.identifier_kind (kind, priority, max_per_customer, is_unique, shared_threshold, time_to_live, description) VALUES
	('ref', 95, 20, false, NULL, NULL, 'Record of a source system: ref:<source>/<id>'),
	('unionid', 90, 1, true, NULL, NULL, 'WeChat union id: one person across all apps of an account'),
	('openid', 80, 20, true, NULL, NULL, 'WeChat open id: one person within one app, openid:<app>/<id>'),
	('alipay', 78, 5, false, NULL, NULL, 'Alipay user id'),
	('douyin', 77, 5, false, NULL, NULL, 'Douyin user id'),
	('meituan', 76, 5, false, NULL, NULL, 'Meituan user id'),
	('card', 70, 10, false, 10, NULL, 'Loyalty or member card'),
	('email', 60, 10, false, 10, NULL, 'E-mail address'),
	('phone', 50, 10, false, 10, interval '2 years', 'Telephone number, E.164; numbers are recycled'),
	('device', 20, 20, false, 5, interval '2 years', 'Device id of an app'),
	('cookie', 10, 50, false, 5, interval '13 months', 'Browser cookie')
ON CONFLICT DO NOTHING;
INSERT INTO o2o.identifier_block (kind, pattern, reason) VALUES
	('*', '^[0.\-_*#/ ]*$', 'nothing but zeros or punctuation'),
	('*', '(?i)^(null|none|nil|n/?a|nan|unknown|undefined|test|tester|anonymous|guest|admin|default|dummy|xxx+)$', 'placeholder'),
	('*', '^(.)\1{5,}$', 'one character repeated'),
	('phone', '^\+\d{1,3}(\d)\1{6,}$', 'one digit repeated'),
	('phone', '^\+\d{1,3}0?(1234567|12345678|123456789)\d?$', 'counted digits'),
	('email', '^(no-?reply|donotreply|do-not-reply|test|none|null|unknown|nobody|postmaster)@', 'mailbox of nobody'),
	('email', '@(example\.(com|org|net)|test\.com|localhost(\..*)?|invalid)$', 'domain of nobody'),
	('device', '^[0\-:]*$', 'zeroed advertising id'),
	('device', '^9774d56d682e549c$', 'the same id on a line of early Android devices')
ON CONFLICT DO NOTHING;
INSERT INTO o2o.setting (name, value, description) VALUES
	('identity.customer_cap', '100', 'Most profiles a customer may have; evidence that would pass it is suppressed'),
	('identity.on_conflict', 'drop', 'What identify() does when a rule is violated: drop the lowest-priority identifiers and go on, or anonymous: record the event under a new anonymous profile')
ON CONFLICT DO NOTHING;
