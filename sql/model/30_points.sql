-- The points room: tables. Programs, accounts, postings, lots, reserve.

CREATE TABLE IF NOT EXISTS o2o.points_program (
	program text NOT NULL PRIMARY KEY CHECK (program ~ '^[a-z][a-z0-9_]*$'),
	name text NOT NULL,
	organisation_id bigint REFERENCES o2o.organisation,
	currency text NOT NULL REFERENCES o2o.currency,
	time_zone text NOT NULL DEFAULT 'UTC',
	scale smallint NOT NULL DEFAULT 0 CHECK (scale BETWEEN 0 AND 4),
	expires_after interval,
	expires_round text NOT NULL DEFAULT 'day' CHECK (expires_round IN ('none', 'day', 'week', 'month', 'quarter', 'year')),
	reserve_policy text NOT NULL DEFAULT 'none' CHECK (reserve_policy IN ('none', 'warn', 'enforce')),
	created_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE o2o.points_program IS 'Points programs: code, currency of their value, time zone of day and month rules, scale (digits after the point that postings may use), when earned points expire (duration, rounded up to the end of a period; NULL never), reserve policy.';

CREATE TABLE IF NOT EXISTS o2o.points_program_rate (
	program text NOT NULL REFERENCES o2o.points_program,
	valid_from timestamptz NOT NULL,
	points_per_unit numeric NOT NULL CHECK (points_per_unit >= 0),
	value_per_point numeric NOT NULL CHECK (value_per_point >= 0),
	cost_per_point numeric NOT NULL CHECK (cost_per_point >= 0),
	expected_redemption numeric NOT NULL CHECK (expected_redemption BETWEEN 0 AND 1),
	PRIMARY KEY (program, valid_from)
);
COMMENT ON TABLE o2o.points_program_rate IS 'Dated rates of a program, in its currency: points earned per unit of money, value and cost of a point, share of points expected to be redeemed (0 to 1). The row with the latest valid_from not after a moment holds at that moment.';

CREATE SEQUENCE IF NOT EXISTS o2o.points_account_id_seq AS bigint CACHE 32;
CREATE TABLE IF NOT EXISTS o2o.points_system_account (
	account_id bigint NOT NULL DEFAULT nextval('o2o.points_account_id_seq') PRIMARY KEY,
	program text NOT NULL REFERENCES o2o.points_program,
	kind text NOT NULL CHECK (kind IN ('issuer', 'redeemed', 'expired', 'in_transit', 'adjustment', 'exchange')),
	UNIQUE (program, kind)
);
COMMENT ON TABLE o2o.points_system_account IS 'Accounts without a balance row, the other side of postings: where points come from (issuer) and go to (redeemed, expired), adjustments, exchange, and in_transit, which is zero outside a transaction.';

CREATE TABLE IF NOT EXISTS o2o.points_account (
	profile_id bigint NOT NULL,
	account_id bigint NOT NULL DEFAULT nextval('o2o.points_account_id_seq'),
	program text NOT NULL REFERENCES o2o.points_program,
	kind text NOT NULL DEFAULT 'member' CHECK (kind IN ('member', 'seller', 'partner_prepaid', 'partner_postpaid')),
	version bigint NOT NULL DEFAULT 0,
	balance o2o.points NOT NULL DEFAULT 0,
	held o2o.points NOT NULL DEFAULT 0,
	posted_at timestamptz NOT NULL DEFAULT '-infinity',
	created_at timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (profile_id, account_id),
	UNIQUE (profile_id, program, kind)
) WITH (fillfactor = 70);
COMMENT ON TABLE o2o.points_account IS 'Points accounts of profiles, one per program and kind: version and balance of the last posting, points on hold, time of the last posting. A customer''s balance is the sum over the accounts of its profiles.';

CREATE SEQUENCE IF NOT EXISTS o2o.points_transfer_id_seq AS bigint CACHE 32;
CREATE TABLE IF NOT EXISTS o2o.points_posting (
	profile_id bigint NOT NULL,
	account_id bigint NOT NULL,
	version bigint NOT NULL,
	transfer_id bigint NOT NULL,
	contra_account_id bigint NOT NULL,
	operation text NOT NULL CHECK (operation IN ('earn', 'burn', 'transfer_out', 'transfer_in', 'expire', 'refund', 'clawback', 'reverse', 'adjust', 'opening')),
	amount o2o.points NOT NULL,
	balance o2o.points NOT NULL,
	request_id uuid NOT NULL,
	acting_profile_id bigint NOT NULL,
	customer_id bigint NOT NULL,
	reference text,
	reason text,
	occurred_at timestamptz NOT NULL,
	posted_at timestamptz NOT NULL,
	posted_by text NOT NULL DEFAULT session_user,
	PRIMARY KEY (profile_id, account_id, version)
);
COMMENT ON TABLE o2o.points_posting IS 'The ledger, append-only, written by points_post alone. One row is a double entry: amount on this account, minus amount on the contra account; version counts up by one per account, balance is the running balance after it. acting_profile_id and customer_id: who did it, resolved at that moment. occurred_at is business time, posted_at rises per account.';

CREATE TABLE IF NOT EXISTS o2o.points_lot (
	profile_id bigint NOT NULL,
	account_id bigint NOT NULL,
	expires_at timestamptz NOT NULL,
	grant_month date NOT NULL,
	funding text NOT NULL,
	granted o2o.points NOT NULL,
	remaining o2o.points NOT NULL,
	consumed o2o.points NOT NULL DEFAULT 0,
	expired o2o.points NOT NULL DEFAULT 0,
	clawed o2o.points NOT NULL DEFAULT 0,
	PRIMARY KEY (profile_id, account_id, expires_at, grant_month, funding)
) WITH (fillfactor = 70);
COMMENT ON TABLE o2o.points_lot IS 'Points of an account by when they expire (infinity: never), the month they were granted (program time zone) and who funds them. granted = remaining + consumed + expired + clawed in every row; what remains over all lots is the positive balance of the account. Consumed by nearest expiry.';

CREATE TABLE IF NOT EXISTS o2o.points_lot_use (
	profile_id bigint NOT NULL,
	account_id bigint NOT NULL,
	version bigint NOT NULL,
	expires_at timestamptz NOT NULL,
	grant_month date NOT NULL,
	funding text NOT NULL,
	amount o2o.points NOT NULL,
	PRIMARY KEY (profile_id, account_id, version, expires_at, grant_month, funding)
);
COMMENT ON TABLE o2o.points_lot_use IS 'What a posting did to which lot, append-only: amount above zero was granted to the lot, below zero taken from it. Sums to the posting''s amount.';

CREATE SEQUENCE IF NOT EXISTS o2o.points_reserve_id_seq AS bigint;
CREATE TABLE IF NOT EXISTS o2o.points_reserve_entry (
	program text NOT NULL REFERENCES o2o.points_program,
	entry_id bigint NOT NULL DEFAULT nextval('o2o.points_reserve_id_seq'),
	amount numeric(18,4) NOT NULL CHECK (amount <> 0),
	reason text NOT NULL,
	request_id uuid NOT NULL,
	occurred_at timestamptz NOT NULL,
	recorded_by text NOT NULL DEFAULT session_user,
	PRIMARY KEY (program, entry_id)
);
COMMENT ON TABLE o2o.points_reserve_entry IS 'Money put aside for the points of a program, in the program''s currency: deposits above zero, withdrawals below. Append-only.';
