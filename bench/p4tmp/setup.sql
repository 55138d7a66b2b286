-- Three million amounts with two digits, the same in each column.
CREATE TABLE amount AS
SELECT n AS id, n % 30000 AS account, (n * 7919 % 1000000 / 100.0)::numeric(18, 4)::o2o.points AS points,
	n * 7919 % 1000000 AS cents, (n * 7919 % 1000000 / 100.0)::numeric(18, 2) AS numeric_amount
FROM generate_series(1, 3000000::bigint) AS n;

-- A ledger of 20,000 members; its 300,000 postings are 296,000 imported ones, one in ten a burn, and 4,000 of the
-- calls at the end.
SELECT o2o.points_program_create('club', 'Club', 'CNY', expires_after => interval '1 year', expires_round => 'month');
SELECT o2o.source_register('crm', 'CRM');
INSERT INTO o2o.import_identity (batch_id, source, event_id, occurred_at, identifiers)
SELECT 1, 'crm', n, now() - interval '400 days', jsonb_build_object('card', 'c' || n) FROM generate_series(1, 20000) AS n;
SELECT o2o.identity_import(1);
CREATE TABLE member AS
SELECT event_id::integer AS n, profile_id FROM o2o.import_identity;
ALTER TABLE member ADD PRIMARY KEY (n);
INSERT INTO o2o.import_points (batch_id, profile_id, program, operation, amount, occurred_at, reference)
SELECT 1, m.profile_id, 'club', CASE WHEN p.n % 10 = 9 THEN 'burn' ELSE 'earn' END, 10 + p.n % 90,
	now() - interval '300 days' + p.n * interval '1 minute', 'pos/' || p.n
FROM generate_series(0, 295999) AS p (n) JOIN member m ON m.n = 1 + p.n / 15;
SELECT o2o.points_import(1);
TRUNCATE o2o.import_points;
CREATE SEQUENCE run MINVALUE 2;

-- The peer of points_earn: a double-entry ledger in SQL as they are usually published: text ids, numeric amounts,
-- foreign keys, two entries a transfer, each with the balance before and after, accounts locked in order.
CREATE SCHEMA ledger;
CREATE FUNCTION ledger.new_id(prefix text) RETURNS text LANGUAGE sql VOLATILE
RETURN prefix || '_' || replace(gen_random_uuid()::text, '-', '');
CREATE TABLE ledger.account (
	id text PRIMARY KEY DEFAULT ledger.new_id('acc'),
	name text NOT NULL,
	unit text NOT NULL,
	balance numeric NOT NULL DEFAULT 0,
	version bigint NOT NULL DEFAULT 0,
	may_be_negative boolean NOT NULL,
	created_at timestamptz NOT NULL DEFAULT now(),
	changed_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE ledger.transfer (
	id text PRIMARY KEY DEFAULT ledger.new_id('tra'),
	from_account text NOT NULL REFERENCES ledger.account,
	to_account text NOT NULL REFERENCES ledger.account,
	amount numeric NOT NULL CHECK (amount > 0),
	details jsonb,
	occurred_at timestamptz NOT NULL,
	created_at timestamptz NOT NULL DEFAULT now(),
	CHECK (from_account <> to_account)
);
CREATE INDEX ON ledger.transfer (from_account);
CREATE INDEX ON ledger.transfer (to_account);
CREATE TABLE ledger.entry (
	id text PRIMARY KEY DEFAULT ledger.new_id('ent'),
	account text NOT NULL REFERENCES ledger.account,
	transfer text NOT NULL REFERENCES ledger.transfer,
	amount numeric NOT NULL,
	balance_before numeric NOT NULL,
	balance_after numeric NOT NULL,
	version bigint NOT NULL,
	created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX ON ledger.entry (account);
CREATE INDEX ON ledger.entry (transfer);
CREATE FUNCTION ledger.post(account_id text, transfer_id text, amount numeric) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	now_is ledger.account;
BEGIN
	UPDATE ledger.account a SET balance = a.balance + post.amount, version = a.version + 1, changed_at = now()
	WHERE a.id = account_id RETURNING a.* INTO now_is;
	IF now_is.balance < 0 AND NOT now_is.may_be_negative THEN
		RAISE EXCEPTION 'account % may not be negative', account_id;
	END IF;
	INSERT INTO ledger.entry (account, transfer, amount, balance_before, balance_after, version)
	VALUES (account_id, transfer_id, post.amount, now_is.balance - post.amount, now_is.balance, now_is.version);
END $$;
CREATE FUNCTION ledger.transfer_create(from_id text, to_id text, amount numeric, details jsonb) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	transfer_id text;
BEGIN
	PERFORM FROM ledger.account a WHERE a.id IN (from_id, to_id) ORDER BY a.id FOR UPDATE;
	INSERT INTO ledger.transfer (from_account, to_account, amount, details, occurred_at)
	VALUES (from_id, to_id, transfer_create.amount, transfer_create.details, now())
	RETURNING id INTO transfer_id;
	PERFORM ledger.post(from_id, transfer_id, -transfer_create.amount);
	PERFORM ledger.post(to_id, transfer_id, transfer_create.amount);
	RETURN transfer_id;
END $$;
INSERT INTO ledger.account (id, name, unit, may_be_negative) VALUES ('acc_issuer', 'Issuer', 'points', true);
INSERT INTO ledger.account (id, name, unit, may_be_negative) SELECT 'acc_' || md5(n::text), 'Member ' || n, 'points', false FROM member;

-- The floor: a balance and a history, nothing else.
CREATE TABLE plain_account (id integer PRIMARY KEY, balance bigint NOT NULL) WITH (fillfactor = 70);
CREATE TABLE plain_posting (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, account integer NOT NULL, amount bigint NOT NULL,
	balance bigint NOT NULL, reference text, posted_at timestamptz NOT NULL DEFAULT now());
INSERT INTO plain_account SELECT n, 0 FROM member;

-- Amounts to draw from: one with stripes, one without, and 10,000 that nobody meets another at.
SELECT o2o.points_stripes_open(-1, 32), o2o.points_stripes_open(-2, 1), o2o.points_stripes_put(-1, 100000000), o2o.points_stripes_put(-2, 100000000);
SELECT count(o2o.points_stripes_open(-1000 - n, 1)), count(o2o.points_stripes_put(-1000 - n, 100000000)) FROM generate_series(1, 10000) AS n;
-- A program whose reserve is enforced, and one like it without.
SELECT o2o.points_program_create('backed', 'Backed', 'CNY', cost_per_point => 0.01, reserve_policy => 'enforce');
SELECT o2o.points_program_create('loose', 'Loose', 'CNY', cost_per_point => 0.01);
SELECT o2o.points_reserve_deposit('backed', 100000000, 'bench');

-- All that is written below is written once already, for the sake of statistics: a plan made over an empty table stays
-- in the session.
\i bench/points/earn.ours.sql
\i bench/points/earn.peer.sql
\i bench/points/earn_card.ours.sql
\i bench/points/earn_card.peer.sql
