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
COMMENT ON TABLE o2o.identifier_kind IS 'Kinds of identifiers that identify() admits, and their rules.';
COMMENT ON COLUMN o2o.identifier_kind.kind IS 'Kind, the part of an identifier before the colon, [a-z][a-z0-9_]*';
COMMENT ON COLUMN o2o.identifier_kind.priority IS 'Rank: a fact carries the profile of the highest one in the call, and the lowest is dropped first when a rule is violated';
COMMENT ON COLUMN o2o.identifier_kind.max_per_customer IS 'Most identifiers of the kind that a customer may have; NULL: any number';
COMMENT ON COLUMN o2o.identifier_kind.is_unique IS 'Whether two different values within one scope (app of an openid, source of a ref, else the kind) prove two people';
COMMENT ON COLUMN o2o.identifier_kind.shared_threshold IS 'Number of different people seen with an identifier from which on it is marked shared (profile_identifier.is_shared): those that it alone holds together, told apart by values of one kind of higher priority, and the customers that a rule refused to link with it; NULL: never';
COMMENT ON COLUMN o2o.identifier_kind.time_to_live IS 'How long unseen an identifier is given to somebody else, as phone numbers are recycled; NULL: it never is';
COMMENT ON COLUMN o2o.identifier_kind.description IS 'What the kind is';

CREATE TABLE IF NOT EXISTS o2o.identifier_block (
	kind text NOT NULL,
	pattern text NOT NULL CHECK ('' ~ pattern IS NOT NULL),
	reason text NOT NULL,
	PRIMARY KEY (kind, pattern)
);
COMMENT ON TABLE o2o.identifier_block IS 'Values that identify nobody. identify() leaves such identifiers out.';
COMMENT ON COLUMN o2o.identifier_block.kind IS 'Kind of identifier, or * for every kind';
COMMENT ON COLUMN o2o.identifier_block.pattern IS 'Regular expression on the normalised value (the part after the colon). Every call of identify() tries those of its kinds: leave out backreferences such as \1, which take 10 us each';
COMMENT ON COLUMN o2o.identifier_block.reason IS 'Why such a value identifies nobody';

CREATE SEQUENCE IF NOT EXISTS o2o.profile_id_seq AS bigint CACHE 32;
CREATE TABLE IF NOT EXISTS o2o.profile_identifier (
	identifier o2o.identifier NOT NULL PRIMARY KEY,
	profile_id bigint NOT NULL,
	is_shared boolean NOT NULL DEFAULT false,
	first_seen_at timestamptz NOT NULL,
	last_seen_at timestamptz NOT NULL,
	shared_at timestamptz
) WITH (fillfactor = 85);
CREATE INDEX IF NOT EXISTS profile_identifier_profile_id_idx ON o2o.profile_identifier (profile_id);
COMMENT ON COLUMN o2o.profile_identifier.shared_at IS 'When detection marked it shared; NULL: it is not shared, or was marked by hand, which identity_reconcile() leaves alone';
COMMENT ON TABLE o2o.profile_identifier IS 'Each identifier and the profile that it means today. The only table that holds the value: every other one knows profiles. A shared identifier (hot-line number, shop tablet) links nobody and carries no new facts.';
COMMENT ON COLUMN o2o.profile_identifier.identifier IS 'Identifier, kind:value in normal form';
COMMENT ON COLUMN o2o.profile_identifier.profile_id IS 'Profile that it means today; refers to profile';
COMMENT ON COLUMN o2o.profile_identifier.is_shared IS 'Whether many people use it (hot-line number, shop tablet): it links nobody and carries no new facts';
COMMENT ON COLUMN o2o.profile_identifier.first_seen_at IS 'Since when it means this profile: when it was first seen as its, or was reassigned';
COMMENT ON COLUMN o2o.profile_identifier.last_seen_at IS 'When it was last seen, to within a day';

CREATE TABLE IF NOT EXISTS o2o.profile (
	profile_id bigint NOT NULL PRIMARY KEY,
	customer_id bigint NOT NULL,
	kind text NOT NULL,
	scope text NOT NULL DEFAULT '',
	source text NOT NULL,
	created_at timestamptz NOT NULL
) WITH (fillfactor = 85);
CREATE INDEX IF NOT EXISTS profile_customer_id_idx ON o2o.profile (customer_id);
COMMENT ON TABLE o2o.profile IS 'The smallest thing that may turn out to be another person: one identifier during the time it meant one person. Facts (orders, points accounts, touchpoints) carry its id and never change. Profiles are never reused or deleted. A profile_id without a row is an anonymous basket or visitor.';
COMMENT ON COLUMN o2o.profile.profile_id IS 'Number of the profile';
COMMENT ON COLUMN o2o.profile.customer_id IS 'Customer that it resolves to today, directly; refers to customer';
COMMENT ON COLUMN o2o.profile.kind IS 'Kind of its identifier; refers to identifier_kind';
COMMENT ON COLUMN o2o.profile.scope IS 'Within what the identifier is unique: app of an openid, source of a ref; empty: the whole kind';
COMMENT ON COLUMN o2o.profile.source IS 'Source system it came from; refers to source';
COMMENT ON COLUMN o2o.profile.created_at IS 'When the row was written (start of the transaction)';

CREATE TABLE IF NOT EXISTS o2o.identifier_period (
	profile_id bigint NOT NULL PRIMARY KEY,
	successor_profile_id bigint NOT NULL,
	valid_from timestamptz NOT NULL,
	valid_to timestamptz NOT NULL,
	reason text NOT NULL,
	last_seen_at timestamptz
);
CREATE INDEX IF NOT EXISTS identifier_period_successor_idx ON o2o.identifier_period (successor_profile_id);
COMMENT ON TABLE o2o.identifier_period IS 'Profiles whose identifier means somebody else now.';
COMMENT ON COLUMN o2o.identifier_period.profile_id IS 'Profile that the identifier meant; refers to profile';
COMMENT ON COLUMN o2o.identifier_period.successor_profile_id IS 'Profile that the identifier went to; refers to profile';
COMMENT ON COLUMN o2o.identifier_period.valid_from IS 'From when it meant profile_id';
COMMENT ON COLUMN o2o.identifier_period.valid_to IS 'Until when it meant profile_id: the end of its time to live, or when it was reassigned';
COMMENT ON COLUMN o2o.identifier_period.reason IS 'expired, or the reason given to identifier_reassign()';
COMMENT ON COLUMN o2o.identifier_period.last_seen_at IS 'When it was last seen before it expired; NULL: it was reassigned';

CREATE TABLE IF NOT EXISTS o2o.customer (
	customer_id bigint NOT NULL PRIMARY KEY,
	profile_count integer NOT NULL,
	created_at timestamptz NOT NULL,
	changed_at timestamptz NOT NULL
) WITH (fillfactor = 85);
COMMENT ON TABLE o2o.customer IS 'A set of linked profiles. The id of an absorbed one resolves through profile.customer_id of the profile with that id. Whoever does something customer-wide locks this row FOR NO KEY UPDATE, in ascending order of ids.';
COMMENT ON COLUMN o2o.customer.customer_id IS 'Number of the customer: the lowest of its profile ids';
COMMENT ON COLUMN o2o.customer.profile_count IS 'Profiles that resolve to it today; 0: absorbed by another';
COMMENT ON COLUMN o2o.customer.created_at IS 'When the row was written (start of the transaction)';
COMMENT ON COLUMN o2o.customer.changed_at IS 'When its profiles changed last, by a new one, a merge or an unmerge';

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
	reviewed_at timestamptz,
	reviewed_by text,
	review text CHECK (review IN ('accepted', 'rejected')),
	PRIMARY KEY (profile_id, evidence_id),
	CHECK (profile_id = profiles[1]),
	CHECK ((status = 'retracted') = (retracted_at IS NOT NULL))
) WITH (fillfactor = 85);
CREATE UNIQUE INDEX IF NOT EXISTS identity_evidence_set_idx ON o2o.identity_evidence (profile_id, profiles, rule, source, status) WHERE status <> 'retracted';
CREATE INDEX IF NOT EXISTS identity_evidence_refused_idx ON o2o.identity_evidence ((profiles[2])) WHERE status = 'suppressed';
COMMENT ON TABLE o2o.identity_evidence IS 'Why profiles are one customer: one row per distinct set of profiles seen together, rule and source. Customers are the connected components of the links in force.';
COMMENT ON COLUMN o2o.identity_evidence.profile_id IS 'Lowest profile of the set; refers to profile';
COMMENT ON COLUMN o2o.identity_evidence.evidence_id IS 'Number of the evidence';
COMMENT ON COLUMN o2o.identity_evidence.profiles IS 'Profiles seen together, ascending; refer to profile';
COMMENT ON COLUMN o2o.identity_evidence.status IS 'link: in force; suppressed: refused by a rule; cannot_link: keeps the profiles apart; retracted: was in force until retracted_at';
COMMENT ON COLUMN o2o.identity_evidence.rule IS 'How it came about: event (seen together by identify() or an import), match (identity_match()), period (one identifier before and after a time to live that is longer by now, identity_reconcile()) or manual';
COMMENT ON COLUMN o2o.identity_evidence.source IS 'Source system of the event; refers to source; manual or match where the rule is';
COMMENT ON COLUMN o2o.identity_evidence.reason IS 'Rule that refused it (customer_cap, cannot_link, unique:<kind>, limit:<kind>, blocked:<kind>, time_to_live:<kind>), or what the caller of a merge or unmerge gave; NULL: none';
COMMENT ON COLUMN o2o.identity_evidence.weight IS 'Weight of scored evidence; log-odds to base 2, of the rule match; NULL: certain, as of the rules event and manual';
COMMENT ON COLUMN o2o.identity_evidence.event_id IS 'Number in the source of an event that showed it; order/, return/ or touchpoint/ before it where it was one; model/version of a match; NULL: none';
COMMENT ON COLUMN o2o.identity_evidence.occurred_at IS 'When the first event on record for it happened';
COMMENT ON COLUMN o2o.identity_evidence.last_seen_at IS 'When the last event that showed it happened, to within a day';
COMMENT ON COLUMN o2o.identity_evidence.recorded_at IS 'When the row was written (start of the transaction)';
COMMENT ON COLUMN o2o.identity_evidence.recorded_by IS 'Login role that wrote the row';
COMMENT ON COLUMN o2o.identity_evidence.retracted_at IS 'When it was retracted; NULL: it is not';
COMMENT ON COLUMN o2o.identity_evidence.retracted_by IS 'Login role that retracted it; NULL: it is not retracted';
COMMENT ON COLUMN o2o.identity_evidence.retract_reason IS 'Why it was retracted; NULL: it is not, or no reason was given';
COMMENT ON COLUMN o2o.identity_evidence.reviewed_at IS 'When a person decided on a suppressed link; NULL: not yet';
COMMENT ON COLUMN o2o.identity_evidence.reviewed_by IS 'Who decided; NULL: nobody yet';
COMMENT ON COLUMN o2o.identity_evidence.review IS 'accepted (the two were merged) or rejected (they are kept apart); NULL: not yet';

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
CREATE INDEX IF NOT EXISTS identity_merge_absorbed_customer_id_idx ON o2o.identity_merge (absorbed_customer_id);
COMMENT ON TABLE o2o.identity_merge IS 'Merges of two customers, one row each. customer_unmerge(merge_id) takes one back.';
COMMENT ON COLUMN o2o.identity_merge.survivor_customer_id IS 'Customer that stayed; refers to customer';
COMMENT ON COLUMN o2o.identity_merge.merge_id IS 'Number of the merge';
COMMENT ON COLUMN o2o.identity_merge.absorbed_customer_id IS 'Customer that became part of it; refers to customer';
COMMENT ON COLUMN o2o.identity_merge.survivor_profiles IS 'Profiles of the surviving side just before the merge; refer to profile';
COMMENT ON COLUMN o2o.identity_merge.absorbed_profiles IS 'Profiles of the absorbed side just before the merge; refer to profile';
COMMENT ON COLUMN o2o.identity_merge.evidence_profile_id IS 'profile_id of the evidence that did it; refers to identity_evidence';
COMMENT ON COLUMN o2o.identity_merge.evidence_id IS 'evidence_id of the evidence that did it; refers to identity_evidence';
COMMENT ON COLUMN o2o.identity_merge.merged_at IS 'When it was merged (start of the transaction)';
COMMENT ON COLUMN o2o.identity_merge.merged_by IS 'Login role that merged it';
COMMENT ON COLUMN o2o.identity_merge.undone_at IS 'When it was undone; NULL: it is in force';
COMMENT ON COLUMN o2o.identity_merge.undone_by IS 'Login role that undid it; NULL: it is in force';
COMMENT ON COLUMN o2o.identity_merge.undo_reason IS 'Why it was undone; NULL: it is in force, or no reason was given';

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
CREATE INDEX IF NOT EXISTS customer_change_old_customer_id_idx ON o2o.customer_change (old_customer_id);
COMMENT ON TABLE o2o.customer_change IS 'Every profile that went from one customer to another: for warehouses (customer_changes(since_seq)) and for the history of a customer.';
COMMENT ON COLUMN o2o.customer_change.profile_id IS 'Profile that went; refers to profile';
COMMENT ON COLUMN o2o.customer_change.change_id IS 'Number of the row';
COMMENT ON COLUMN o2o.customer_change.seq IS 'Change number, the same in all rows of one transaction; see change_base';
COMMENT ON COLUMN o2o.customer_change.old_customer_id IS 'Customer that it resolved to before; refers to customer';
COMMENT ON COLUMN o2o.customer_change.new_customer_id IS 'Customer that it resolved to after; refers to customer';
COMMENT ON COLUMN o2o.customer_change.cause IS 'merge or unmerge';
COMMENT ON COLUMN o2o.customer_change.changed_at IS 'When it went (start of the transaction)';

CREATE TABLE IF NOT EXISTS o2o.profile_trait (
	profile_id bigint NOT NULL,
	source text NOT NULL,
	name text NOT NULL,
	value text NOT NULL,
	observed_at timestamptz NOT NULL,
	PRIMARY KEY (profile_id, source, name)
);
COMMENT ON TABLE o2o.profile_trait IS 'What sources say of a person: the latest value per profile, source and name. Which value a customer shows is decided at read.';
COMMENT ON COLUMN o2o.profile_trait.profile_id IS 'Profile by which the person was recognised; without a row in profile: nobody known';
COMMENT ON COLUMN o2o.profile_trait.source IS 'Source system that says so; refers to source';
COMMENT ON COLUMN o2o.profile_trait.name IS 'Name of the trait, such as name, birthday, city';
COMMENT ON COLUMN o2o.profile_trait.value IS 'Latest value as text';
COMMENT ON COLUMN o2o.profile_trait.observed_at IS 'When the event that brought the value happened';

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
-- Every call tries them: a backreference would take ten times as long as the rest of a call's patterns.
INSERT INTO o2o.identifier_block (kind, pattern, reason) VALUES
	('*', '^[0.\-_*#/ ]*$', 'nothing but zeros or punctuation'),
	('*', '(?i)^(null|none|nil|n/?a|nan|unknown|undefined|test|tester|anonymous|guest|admin|default|dummy|xxx+)$', 'placeholder'),
	('*', '(?i)^(0{6,}|1{6,}|2{6,}|3{6,}|4{6,}|5{6,}|6{6,}|7{6,}|8{6,}|9{6,}|a{6,}|b{6,}|c{6,}|d{6,}|e{6,}|f{6,}|g{6,}|h{6,}|i{6,}|j{6,}|k{6,}|l{6,}|m{6,}|n{6,}|o{6,}|p{6,}|q{6,}|r{6,}|s{6,}|t{6,}|u{6,}|v{6,}|w{6,}|x{6,}|y{6,}|z{6,})$', 'one character repeated'),
	('phone', '^\+\d{1,3}(0{7,}|1{7,}|2{7,}|3{7,}|4{7,}|5{7,}|6{7,}|7{7,}|8{7,}|9{7,})$', 'one digit repeated'),
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
