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
	created_at timestamptz NOT NULL DEFAULT now(),
	clawback_policy text NOT NULL DEFAULT 'negative' CHECK (clawback_policy IN ('negative', 'debt', 'available')),
	refund_grace interval,
	reserve_ratio numeric NOT NULL DEFAULT 1 CHECK (reserve_ratio BETWEEN 1 AND 100),
	is_chained boolean NOT NULL DEFAULT false,
	expires_at timestamptz,
	inactive_after interval CHECK (inactive_after > interval '0')
);
COMMENT ON TABLE o2o.points_program IS 'Points programs: the rules by which points are posted and expire.';
COMMENT ON COLUMN o2o.points_program.program IS 'Code of the program, [a-z][a-z0-9_]*';
COMMENT ON COLUMN o2o.points_program.name IS 'Name to show';
COMMENT ON COLUMN o2o.points_program.organisation_id IS 'Whose program it is; refers to organisation; NULL: not said';
COMMENT ON COLUMN o2o.points_program.currency IS 'ISO 4217 currency of its rates and reserve; refers to currency';
COMMENT ON COLUMN o2o.points_program.time_zone IS 'IANA time zone of its day and month rules';
COMMENT ON COLUMN o2o.points_program.scale IS 'Digits after the point that an amount of points may have, 0 to 4';
COMMENT ON COLUMN o2o.points_program.expires_after IS 'How long after they are earned points expire; NULL: never';
COMMENT ON COLUMN o2o.points_program.expires_at IS 'Fixed moment at which points are gone at the latest, whenever they were earned; holds for what is posted after it was set; NULL: none';
COMMENT ON COLUMN o2o.points_program.inactive_after IS 'How long a customer does nothing in the program until the points are gone, whatever else says when they expire; see points_lapse; NULL: however long';
COMMENT ON COLUMN o2o.points_program.expires_round IS 'Period to whose end the expiry is put off: day, week, month, quarter, year; none: not at all';
COMMENT ON COLUMN o2o.points_program.reserve_policy IS 'none; warn: points_verify() tells when the reserve does not cover the points; enforce: an issue past the reserve is refused. Changed by points_reserve_set()';
COMMENT ON COLUMN o2o.points_program.created_at IS 'When the row was written (start of the transaction)';
COMMENT ON COLUMN o2o.points_program.clawback_policy IS 'Points taken back that are not there any more: negative: the balance goes below zero; debt: the balance stays, the debt stands on an account of its own; available: no more is taken than there is';
COMMENT ON COLUMN o2o.points_program.reserve_ratio IS 'How many times the reserve the liability may be, 1 to 100; 1: every unit of money that points are expected to cost lies in reserve. Changed by points_reserve_set()';
COMMENT ON COLUMN o2o.points_program.is_chained IS 'Whether postings are linked in a hash chain per account; points_chain_set() changes it';
COMMENT ON COLUMN o2o.points_program.refund_grace IS 'How long refunded points live that have expired in the meantime; NULL: they come back as they were, which is expired';

CREATE TABLE IF NOT EXISTS o2o.points_program_rate (
	program text NOT NULL REFERENCES o2o.points_program,
	valid_from timestamptz NOT NULL,
	points_per_unit numeric NOT NULL CHECK (points_per_unit >= 0 AND points_per_unit < 'Infinity'),
	value_per_point numeric NOT NULL CHECK (value_per_point >= 0 AND value_per_point < 'Infinity'),
	cost_per_point numeric NOT NULL CHECK (cost_per_point >= 0 AND cost_per_point < 'Infinity'),
	expected_redemption numeric NOT NULL CHECK (expected_redemption BETWEEN 0 AND 1),
	PRIMARY KEY (program, valid_from)
);
COMMENT ON TABLE o2o.points_program_rate IS 'Dated rates of a program. The row with the latest valid_from not after a moment holds at that moment.';
COMMENT ON COLUMN o2o.points_program_rate.program IS 'Points program; refers to points_program';
COMMENT ON COLUMN o2o.points_program_rate.valid_from IS 'From when the rate holds';
COMMENT ON COLUMN o2o.points_program_rate.points_per_unit IS 'Points earned for one unit of the program''s currency';
COMMENT ON COLUMN o2o.points_program_rate.value_per_point IS 'Money that a point pays in an order, in the program''s currency';
COMMENT ON COLUMN o2o.points_program_rate.cost_per_point IS 'Money that a redeemed point costs, in the program''s currency';
COMMENT ON COLUMN o2o.points_program_rate.expected_redemption IS 'Share of outstanding points expected to be redeemed, 0 to 1';

CREATE SEQUENCE IF NOT EXISTS o2o.points_account_id_seq AS bigint CACHE 32;
CREATE TABLE IF NOT EXISTS o2o.points_system_account (
	account_id bigint NOT NULL DEFAULT nextval('o2o.points_account_id_seq') PRIMARY KEY,
	program text NOT NULL REFERENCES o2o.points_program,
	kind text NOT NULL CHECK (kind IN ('issuer', 'redeemed', 'expired', 'in_transit', 'adjustment', 'exchange')),
	UNIQUE (program, kind)
);
COMMENT ON TABLE o2o.points_system_account IS 'Accounts without a balance row: the other side of postings.';
COMMENT ON COLUMN o2o.points_system_account.account_id IS 'Number of the account, from the same sequence as those of points_account';
COMMENT ON COLUMN o2o.points_system_account.program IS 'Points program; refers to points_program';
COMMENT ON COLUMN o2o.points_system_account.kind IS 'issuer: where points come from; redeemed, expired: where they go; adjustment; exchange; in_transit: between two accounts, zero outside a transaction';

CREATE TABLE IF NOT EXISTS o2o.points_account (
	profile_id bigint NOT NULL,
	account_id bigint NOT NULL DEFAULT nextval('o2o.points_account_id_seq'),
	program text NOT NULL,
	kind text NOT NULL DEFAULT 'member' CHECK (kind IN ('member', 'debt', 'seller', 'partner_prepaid', 'partner_postpaid')),
	version bigint NOT NULL DEFAULT 0,
	balance o2o.points NOT NULL DEFAULT 0,
	held o2o.points NOT NULL DEFAULT 0,
	debt o2o.points NOT NULL DEFAULT 0,
	posted_at timestamptz NOT NULL DEFAULT '-infinity',
	created_at timestamptz NOT NULL DEFAULT now(),
	chain bytea,
	closed_at timestamptz,
	PRIMARY KEY (profile_id, account_id),
	UNIQUE (profile_id, program, kind)
) WITH (fillfactor = 70);
COMMENT ON TABLE o2o.points_account IS 'Points accounts of profiles, one per program and kind. A customer''s balance is the sum over the accounts of its profiles.';
COMMENT ON COLUMN o2o.points_account.profile_id IS 'Profile whose account it is; without a row in profile: nobody known';
COMMENT ON COLUMN o2o.points_account.account_id IS 'Number of the account';
COMMENT ON COLUMN o2o.points_account.program IS 'Points program; refers to points_program';
COMMENT ON COLUMN o2o.points_account.kind IS 'member; debt: what the profile owes, where the program''s clawback_policy is debt; seller, partner_prepaid or partner_postpaid';
COMMENT ON COLUMN o2o.points_account.version IS 'version of the last posting; 0: none yet';
COMMENT ON COLUMN o2o.points_account.balance IS 'Points after the last posting, those on hold and those expired but not swept included; what remains in the lots less debt';
COMMENT ON COLUMN o2o.points_account.held IS 'Points in open portions of holds, which balance includes and which cannot be spent; portions of holds that have run out are in it until somebody locks the account';
COMMENT ON COLUMN o2o.points_account.debt IS 'Points that were taken back and were not there any more, by which balance is below what remains in the lots; the next points earned repay it';
COMMENT ON COLUMN o2o.points_account.posted_at IS 'When the last posting was written; -infinity: none yet';
COMMENT ON COLUMN o2o.points_account.created_at IS 'When the row was written (start of the transaction)';
COMMENT ON COLUMN o2o.points_account.closed_at IS 'When it was closed (start of the transaction): nothing is posted to it any more, and no seller is paid, no partner grants; NULL: it is open';
COMMENT ON COLUMN o2o.points_account.chain IS 'chain of the last posting, empty before the first; NULL: the account is not chained';

CREATE SEQUENCE IF NOT EXISTS o2o.points_transfer_id_seq AS bigint CACHE 32;
CREATE TABLE IF NOT EXISTS o2o.points_posting (
	profile_id bigint NOT NULL,
	account_id bigint NOT NULL,
	version bigint NOT NULL,
	transfer_id bigint NOT NULL,
	contra_account_id bigint NOT NULL,
	operation text NOT NULL,
	amount o2o.points NOT NULL,
	balance o2o.points NOT NULL,
	expires_at timestamptz,
	grant_month date,
	funding text,
	request_id uuid NOT NULL,
	acting_profile_id bigint NOT NULL,
	customer_id bigint NOT NULL,
	reference text,
	reason text,
	occurred_at timestamptz NOT NULL,
	posted_at timestamptz NOT NULL,
	posted_by text NOT NULL DEFAULT session_user,
	reverses_transfer_id bigint,
	seq bigint NOT NULL,
	chain bytea,
	PRIMARY KEY (profile_id, account_id, version)
);
COMMENT ON TABLE o2o.points_posting IS 'The ledger, append-only, written by points_write() alone. One row is a double entry of one account and one lot: amount on this account, minus amount on the contra account. A transfer over several lots has a row for each, with consecutive versions.';
COMMENT ON COLUMN o2o.points_posting.profile_id IS 'Profile whose account it is';
COMMENT ON COLUMN o2o.points_posting.account_id IS 'Account; refers to points_account';
COMMENT ON COLUMN o2o.points_posting.version IS 'Number of the posting in the account, 1 and up without gaps';
COMMENT ON COLUMN o2o.points_posting.transfer_id IS 'Number of the transfer, the same in all postings of one call';
COMMENT ON COLUMN o2o.points_posting.contra_account_id IS 'Account on the other side, which keeps no balance of it in a row; refers to points_system_account, or to the points_account of a seller';
COMMENT ON COLUMN o2o.points_posting.operation IS 'What was done, one of points_operation()';
COMMENT ON COLUMN o2o.points_posting.amount IS 'Points; above zero they came to the account, below zero they left it';
COMMENT ON COLUMN o2o.points_posting.balance IS 'Points of the account after the posting';
COMMENT ON COLUMN o2o.points_posting.expires_at IS 'expires_at of its lot; refers to points_lot; NULL, as grant_month and funding: no lot, for the posting makes or repays a debt, or the account has no lots';
COMMENT ON COLUMN o2o.points_posting.grant_month IS 'grant_month of its lot';
COMMENT ON COLUMN o2o.points_posting.funding IS 'funding of its lot';
COMMENT ON COLUMN o2o.points_posting.request_id IS 'Call that posted it; refers to request, or is random where no idempotency key was given';
COMMENT ON COLUMN o2o.points_posting.acting_profile_id IS 'Profile by which the person who did it was recognised; of a gift the giver, of an expiry the owner';
COMMENT ON COLUMN o2o.points_posting.customer_id IS 'Customer that acting_profile_id resolved to at that moment; refers to customer';
COMMENT ON COLUMN o2o.points_posting.reference IS 'The caller''s document, such as order/<source>/<source_id>; NULL: none';
COMMENT ON COLUMN o2o.points_posting.reason IS 'Why, in the caller''s words; NULL: not said';
COMMENT ON COLUMN o2o.points_posting.occurred_at IS 'When it happened; of an expiry, when the last of its lots expired';
COMMENT ON COLUMN o2o.points_posting.posted_at IS 'When it was written; rises with version';
COMMENT ON COLUMN o2o.points_posting.posted_by IS 'Login role that posted it';
COMMENT ON COLUMN o2o.points_posting.reverses_transfer_id IS 'Transfer that it gives or takes back, in part or whole, by refund, clawback or reversal; NULL: none';
COMMENT ON COLUMN o2o.points_posting.seq IS 'Change number of the transaction that posted it, see change_seq(): every number below that of the oldest open transaction is complete';
COMMENT ON COLUMN o2o.points_posting.chain IS 'SHA-256 over the posting and the chain of the one before it in the account; NULL where the account is not chained';

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
	held o2o.points NOT NULL DEFAULT 0,
	PRIMARY KEY (profile_id, account_id, expires_at, grant_month, funding)
) WITH (fillfactor = 70);
COMMENT ON TABLE o2o.points_lot IS 'Points of an account by when they expire, the month they were granted and who funds them. granted = remaining + consumed + expired + clawed in every row; what remains over all lots is the balance of the account and its debt. Consumed by nearest expiry.';
COMMENT ON COLUMN o2o.points_lot.profile_id IS 'Profile whose account it is';
COMMENT ON COLUMN o2o.points_lot.account_id IS 'Account; refers to points_account';
COMMENT ON COLUMN o2o.points_lot.expires_at IS 'First moment at which the points are gone; infinity: never';
COMMENT ON COLUMN o2o.points_lot.grant_month IS 'First day of the month in which they were granted, in the program''s time zone';
COMMENT ON COLUMN o2o.points_lot.funding IS 'Who funds them; program: the program itself';
COMMENT ON COLUMN o2o.points_lot.granted IS 'Points that came to the lot';
COMMENT ON COLUMN o2o.points_lot.remaining IS 'Points that are left, expired but not swept ones included';
COMMENT ON COLUMN o2o.points_lot.consumed IS 'Points burned or given away, less those that refunds brought back';
COMMENT ON COLUMN o2o.points_lot.expired IS 'Points swept after they expired, less those that a clawback then took back';
COMMENT ON COLUMN o2o.points_lot.clawed IS 'Points taken back by clawback, reversal or adjustment';
COMMENT ON COLUMN o2o.points_lot.held IS 'Points of remaining that are in open portions of holds';

CREATE SEQUENCE IF NOT EXISTS o2o.points_hold_id_seq AS bigint CACHE 32;
CREATE TABLE IF NOT EXISTS o2o.points_hold (
	profile_id bigint NOT NULL,
	hold_id bigint NOT NULL DEFAULT nextval('o2o.points_hold_id_seq'),
	program text NOT NULL REFERENCES o2o.points_program,
	kind text NOT NULL DEFAULT 'hold' CHECK (kind IN ('hold', 'pending')),
	amount o2o.points NOT NULL,
	expires_at timestamptz NOT NULL,
	state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'captured', 'void')),
	transfer_id bigint,
	captured o2o.points NOT NULL DEFAULT 0,
	customer_id bigint NOT NULL,
	reference text,
	reason text,
	request_id uuid NOT NULL,
	placed_at timestamptz NOT NULL,
	closed_at timestamptz,
	placed_by text NOT NULL DEFAULT session_user,
	PRIMARY KEY (profile_id, hold_id)
);
COMMENT ON TABLE o2o.points_hold IS 'Points put aside: for a burn to come (hold), or earned and not to be spent yet (pending). An open hold is over when expires_at comes, whatever its row says.';
COMMENT ON COLUMN o2o.points_hold.profile_id IS 'Profile by which the person was recognised';
COMMENT ON COLUMN o2o.points_hold.hold_id IS 'Number of the hold';
COMMENT ON COLUMN o2o.points_hold.program IS 'Points program; refers to points_program';
COMMENT ON COLUMN o2o.points_hold.kind IS 'hold; pending: points earned that become available when the hold is over';
COMMENT ON COLUMN o2o.points_hold.amount IS 'Points put aside, the sum of its portions';
COMMENT ON COLUMN o2o.points_hold.expires_at IS 'First moment at which the hold is over; infinity: never by itself (pending ones only)';
COMMENT ON COLUMN o2o.points_hold.state IS 'open; captured: the points, or some of them, were burned and the others released; void: all were released';
COMMENT ON COLUMN o2o.points_hold.transfer_id IS 'Transfer that captured it; of pending points the one that earned them; NULL: none';
COMMENT ON COLUMN o2o.points_hold.captured IS 'Points of it that were burned';
COMMENT ON COLUMN o2o.points_hold.customer_id IS 'Customer that profile_id resolved to at that moment; refers to customer';
COMMENT ON COLUMN o2o.points_hold.reference IS 'The caller''s document; NULL: none';
COMMENT ON COLUMN o2o.points_hold.reason IS 'Why, in the caller''s words; NULL: not said';
COMMENT ON COLUMN o2o.points_hold.request_id IS 'Call that placed it; refers to request, or is random where no idempotency key was given';
COMMENT ON COLUMN o2o.points_hold.placed_at IS 'When it was placed (start of the transaction)';
COMMENT ON COLUMN o2o.points_hold.closed_at IS 'When it was captured or voided (start of the transaction); NULL: neither';
COMMENT ON COLUMN o2o.points_hold.placed_by IS 'Login role that placed it';

CREATE TABLE IF NOT EXISTS o2o.points_hold_part (
	profile_id bigint NOT NULL,
	account_id bigint NOT NULL,
	hold_id bigint NOT NULL,
	expires_at timestamptz NOT NULL,
	grant_month date NOT NULL,
	funding text NOT NULL,
	amount o2o.points NOT NULL,
	held_until timestamptz NOT NULL,
	is_open boolean NOT NULL DEFAULT true,
	PRIMARY KEY (profile_id, account_id, hold_id, expires_at, grant_month, funding)
);
COMMENT ON TABLE o2o.points_hold_part IS 'Portions of holds per account and lot, fixed when the hold is placed: capture and void use these, whatever becomes of the customer. While a portion is open, account and lot have it in held.';
COMMENT ON COLUMN o2o.points_hold_part.profile_id IS 'Profile whose account it is';
COMMENT ON COLUMN o2o.points_hold_part.account_id IS 'Account; refers to points_account';
COMMENT ON COLUMN o2o.points_hold_part.hold_id IS 'Hold; refers to points_hold';
COMMENT ON COLUMN o2o.points_hold_part.expires_at IS 'expires_at of the lot; refers to points_lot';
COMMENT ON COLUMN o2o.points_hold_part.grant_month IS 'grant_month of the lot; refers to points_lot';
COMMENT ON COLUMN o2o.points_hold_part.funding IS 'funding of the lot; refers to points_lot';
COMMENT ON COLUMN o2o.points_hold_part.amount IS 'Points of the lot that are on hold';
COMMENT ON COLUMN o2o.points_hold_part.held_until IS 'expires_at of the hold';
COMMENT ON COLUMN o2o.points_hold_part.is_open IS 'Whether account and lot count it as held. The first who locks the account after held_until closes it';

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
COMMENT ON TABLE o2o.points_reserve_entry IS 'Money put aside for the points of a program. Append-only.';
COMMENT ON COLUMN o2o.points_reserve_entry.program IS 'Points program; refers to points_program';
COMMENT ON COLUMN o2o.points_reserve_entry.entry_id IS 'Number of the entry';
COMMENT ON COLUMN o2o.points_reserve_entry.amount IS 'Money in the program''s currency; deposits above zero, withdrawals below';
COMMENT ON COLUMN o2o.points_reserve_entry.reason IS 'Why, in the caller''s words';
COMMENT ON COLUMN o2o.points_reserve_entry.request_id IS 'Call that made it; refers to request, or is random where no idempotency key was given';
COMMENT ON COLUMN o2o.points_reserve_entry.occurred_at IS 'When it happened';
COMMENT ON COLUMN o2o.points_reserve_entry.recorded_by IS 'Login role that wrote the row';
