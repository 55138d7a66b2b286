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
-- Clients draw a member's id by themselves: division by zero where that would miss somebody.
SELECT 1 / (min(profile_id) = 1 AND max(profile_id) = 20000 AND count(*) = 20000)::integer AS ids_are_known FROM member;
INSERT INTO o2o.import_points (batch_id, profile_id, program, operation, amount, occurred_at, reference)
SELECT 1, m.profile_id, 'club', CASE WHEN p.n % 10 = 9 THEN 'burn' ELSE 'earn' END, 10 + p.n % 90,
	now() - interval '300 days' + p.n * interval '1 minute', 'pos/' || p.n
FROM generate_series(0, 295999) AS p (n) JOIN member m ON m.n = 1 + p.n / 15;
SELECT o2o.points_import(1);
TRUNCATE o2o.import_points;
CREATE SEQUENCE run MINVALUE 2;

-- The peer of points_earn: a likeness, written for this bench, of the double-entry ledgers in SQL that are published for
-- PostgreSQL: time-ordered text ids made in SQL, numeric amounts, foreign keys, two entries a transfer with the balance
-- before and after. A single transfer is a batch of one; a batch locks its accounts one by one, in order, and answers
-- with the rows of a view.
CREATE SCHEMA journal;
-- A version 7 UUID: since PostgreSQL 18 the server makes it, before that SQL with a clock of microseconds.
CREATE FUNCTION journal.uuid_of_clock() RETURNS uuid LANGUAGE sql VOLATILE AS $$
	SELECT encode(substring(int8send(t.us / 1000) FROM 3) || int2send((28672 + t.us % 1000 * 4)::smallint) || substring(uuid_send(gen_random_uuid()) FROM 9), 'hex')::uuid
	FROM (SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint AS us) t
$$;
CREATE FUNCTION journal.new_uuid() RETURNS uuid LANGUAGE plpgsql VOLATILE AS $$
BEGIN
	IF current_setting('server_version_num')::integer >= 180000 THEN
		RETURN uuidv7();
	END IF;
	RETURN journal.uuid_of_clock();
END $$;
-- A ULID: 26 digits of five bits each. 40 bits are eight of them; what stands before the 128 bits is cut off.
CREATE FUNCTION journal.ulid(id uuid) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
	digit CONSTANT bytea := '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
	hex CONSTANT text := '00000000' || encode(uuid_send(id), 'hex');
	written bytea := '';
	bits bigint;
BEGIN
	FOR part IN 0 .. 3 LOOP
		bits := ('x' || substr(hex, 10 * part + 1, 10))::bit(40)::bigint;
		written := written || substr(digit, (bits >> 35)::integer + 1, 1) || substr(digit, (bits >> 30)::integer % 32 + 1, 1)
			|| substr(digit, (bits >> 25)::integer % 32 + 1, 1) || substr(digit, (bits >> 20)::integer % 32 + 1, 1)
			|| substr(digit, (bits >> 15)::integer % 32 + 1, 1) || substr(digit, (bits >> 10)::integer % 32 + 1, 1)
			|| substr(digit, (bits >> 5 & 31)::integer + 1, 1) || substr(digit, (bits & 31)::integer + 1, 1);
	END LOOP;
	RETURN encode(substr(written, 7), 'escape');
END $$;
CREATE FUNCTION journal.new_id(prefix text) RETURNS text LANGUAGE sql VOLATILE AS $$
	SELECT prefix || '_' || journal.ulid(journal.new_uuid())
$$;
CREATE TABLE journal.account (
	id text PRIMARY KEY DEFAULT journal.new_id('acct'),
	name text NOT NULL,
	unit text NOT NULL,
	balance numeric NOT NULL DEFAULT 0,
	version bigint NOT NULL DEFAULT 0,
	may_be_negative boolean NOT NULL,
	may_be_positive boolean NOT NULL,
	details jsonb,
	created_at timestamptz NOT NULL DEFAULT now(),
	changed_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE journal.transfer (
	id text PRIMARY KEY DEFAULT journal.new_id('trns'),
	from_account text NOT NULL REFERENCES journal.account,
	to_account text NOT NULL REFERENCES journal.account,
	amount numeric NOT NULL CHECK (amount > 0),
	created_at timestamptz NOT NULL DEFAULT now(),
	occurred_at timestamptz NOT NULL,
	details jsonb,
	CHECK (from_account <> to_account)
);
CREATE INDEX ON journal.transfer (from_account);
CREATE INDEX ON journal.transfer (to_account);
CREATE INDEX ON journal.transfer (occurred_at);
CREATE TABLE journal.entry (
	id text PRIMARY KEY DEFAULT journal.new_id('entr'),
	account text NOT NULL REFERENCES journal.account,
	transfer text NOT NULL REFERENCES journal.transfer,
	amount numeric NOT NULL,
	balance_before numeric NOT NULL,
	balance_after numeric NOT NULL,
	version bigint NOT NULL,
	created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX ON journal.entry (account);
CREATE INDEX ON journal.entry (transfer);
CREATE VIEW journal.transfers AS
SELECT t.id, t.from_account, t.to_account, t.amount, t.created_at, t.occurred_at, t.details FROM journal.transfer t;
CREATE TYPE journal.wish AS (from_account text, to_account text, amount numeric);
CREATE FUNCTION journal.account_check(a journal.account) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	IF a.balance < 0 AND NOT a.may_be_negative THEN
		RAISE EXCEPTION 'account % (%) may not be negative', a.id, a.name;
	ELSIF a.balance > 0 AND NOT a.may_be_positive THEN
		RAISE EXCEPTION 'account % (%) may not be positive', a.id, a.name;
	END IF;
END $$;
CREATE FUNCTION journal.transfers_create(wishes journal.wish[], occurred_at timestamptz DEFAULT NULL, details jsonb DEFAULT NULL) RETURNS SETOF journal.transfers LANGUAGE plpgsql AS $$
DECLARE
	wish journal.wish;
	payer journal.account;
	receiver journal.account;
	account_id text;
	transfer_id text;
	transfer_ids text[] := '{}';
BEGIN
	FOR account_id IN SELECT w.from_account FROM unnest(wishes) w UNION SELECT w.to_account FROM unnest(wishes) w ORDER BY 1 LOOP
		PERFORM FROM journal.account a WHERE a.id = account_id FOR UPDATE;
	END LOOP;
	FOREACH wish IN ARRAY wishes LOOP
		IF wish.amount <= 0 THEN
			RAISE EXCEPTION 'amount % is not above zero', wish.amount;
		ELSIF wish.from_account = wish.to_account THEN
			RAISE EXCEPTION 'account % cannot pay itself', wish.from_account;
		END IF;
		UPDATE journal.account a SET balance = a.balance - wish.amount, version = a.version + 1, changed_at = now()
		WHERE a.id = wish.from_account RETURNING a.* INTO payer;
		PERFORM journal.account_check(payer);
		UPDATE journal.account a SET balance = a.balance + wish.amount, version = a.version + 1, changed_at = now()
		WHERE a.id = wish.to_account RETURNING a.* INTO receiver;
		PERFORM journal.account_check(receiver);
		IF payer.unit <> receiver.unit THEN
			RAISE EXCEPTION 'accounts % and % have different units', payer.id, receiver.id;
		END IF;
		INSERT INTO journal.transfer (from_account, to_account, amount, occurred_at, details)
		VALUES (wish.from_account, wish.to_account, wish.amount, coalesce(transfers_create.occurred_at, now()), transfers_create.details)
		RETURNING transfer.id INTO transfer_id;
		transfer_ids := transfer_ids || transfer_id;
		INSERT INTO journal.entry (account, transfer, amount, balance_before, balance_after, version)
		VALUES (payer.id, transfer_id, -wish.amount, payer.balance + wish.amount, payer.balance, payer.version);
		INSERT INTO journal.entry (account, transfer, amount, balance_before, balance_after, version)
		VALUES (receiver.id, transfer_id, wish.amount, receiver.balance - wish.amount, receiver.balance, receiver.version);
	END LOOP;
	RETURN QUERY SELECT t.* FROM journal.transfers t WHERE t.id = ANY (transfer_ids) ORDER BY t.id;
END $$;
CREATE FUNCTION journal.transfer_create(from_account text, to_account text, amount numeric, occurred_at timestamptz DEFAULT NULL, details jsonb DEFAULT NULL) RETURNS SETOF journal.transfers LANGUAGE plpgsql AS $$
BEGIN
	RETURN QUERY SELECT t.* FROM journal.transfers_create(ARRAY[(transfer_create.from_account, transfer_create.to_account, transfer_create.amount)::journal.wish], transfer_create.occurred_at, transfer_create.details) t;
END $$;
INSERT INTO journal.account (id, name, unit, may_be_negative, may_be_positive) VALUES ('acct_issuer', 'Issuer', 'points', true, true);
INSERT INTO journal.account (id, name, unit, balance, may_be_negative, may_be_positive)
SELECT 'acct_' || md5(n::text), 'Member ' || n, 'points', 1000, false, true FROM member;

-- A leaner one, to see what the likeness costs for its ids, views and checks: ids of no order, one index less, accounts
-- locked by one statement, nothing answered but ids.
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
-- Its own batch: all accounts locked at once, in order.
CREATE FUNCTION ledger.transfers_create(from_ids text[], to_ids text[], amounts numeric[], details jsonb[]) RETURNS text[] LANGUAGE plpgsql AS $$
DECLARE
	ids text[];
	id text;
BEGIN
	PERFORM FROM ledger.account a WHERE a.id = ANY (from_ids || to_ids) ORDER BY a.id FOR UPDATE;
	FOR i IN 1 .. cardinality(from_ids) LOOP
		INSERT INTO ledger.transfer (from_account, to_account, amount, details, occurred_at)
		VALUES (from_ids[i], to_ids[i], amounts[i], transfers_create.details[i], now())
		RETURNING transfer.id INTO id;
		PERFORM ledger.post(from_ids[i], id, -amounts[i]);
		PERFORM ledger.post(to_ids[i], id, amounts[i]);
		ids := ids || id;
	END LOOP;
	RETURN ids;
END $$;
INSERT INTO ledger.account (id, name, unit, may_be_negative) VALUES ('acc_issuer', 'Issuer', 'points', true);
INSERT INTO ledger.account (id, name, unit, balance, may_be_negative) SELECT 'acc_' || md5(n::text), 'Member ' || n, 'points', 1000, false FROM member;

-- The floor: a balance and a history, nothing else.
CREATE TABLE plain_account (id integer PRIMARY KEY, balance bigint NOT NULL) WITH (fillfactor = 70);
CREATE TABLE plain_posting (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, account integer NOT NULL, amount bigint NOT NULL,
	balance bigint NOT NULL, reference text, posted_at timestamptz NOT NULL DEFAULT now());
INSERT INTO plain_account SELECT n, 0 FROM member;

-- 1,000 sellers; 1,000 members with 36 lots each, and customers of 1, 4 and 20 profiles with one lot in each.
SELECT count(o2o.points_seller_open(m.profile_id, 'club')) FROM member m WHERE m.n <= 1000;
SELECT o2o.points_program_create('lots', 'Lots', 'CNY', expires_after => interval '4 years', expires_round => 'month');
INSERT INTO o2o.import_points (batch_id, profile_id, program, operation, amount, occurred_at)
SELECT 2, m.profile_id, 'lots', 'earn', 1000, now() - p.n * interval '1 month' FROM generate_series(0, 35) AS p (n) JOIN member m ON m.n BETWEEN 1001 AND 2000;
SELECT o2o.points_import(2);
INSERT INTO o2o.import_identity (batch_id, source, event_id, occurred_at, identifiers)
SELECT 2, 'crm', format('many/%s/%s', p.size, n), now(), jsonb_build_object('device', (SELECT jsonb_agg(format('p%s_%s_%s', p.size, n, i)) FROM generate_series(1, p.size) i))
FROM unnest('{1,4,20}'::integer[]) AS p (size) CROSS JOIN generate_series(1, 200) AS n;
SELECT o2o.identity_import(2);
CREATE TABLE many AS
SELECT split_part(i.event_id, '/', 2)::integer AS size, split_part(i.event_id, '/', 3)::integer AS n, i.profile_id FROM o2o.import_identity i WHERE i.batch_id = 2;
ALTER TABLE many ADD PRIMARY KEY (size, n);
INSERT INTO o2o.import_points (batch_id, profile_id, program, operation, amount, occurred_at)
SELECT 3, p.profile_id, 'lots', 'earn', 10000, now()
FROM many m JOIN o2o.profile c ON c.profile_id = m.profile_id JOIN o2o.profile p ON p.customer_id = c.customer_id;
SELECT o2o.points_import(3);
TRUNCATE o2o.import_points;

-- What callers of batches send, made beforehand on both sides: it is not what is measured.
CREATE TABLE batch (b integer PRIMARY KEY, members bigint[], payers bigint[], one_seller bigint[], sellers bigint[], wishes journal.wish[],
	accounts text[], details jsonb[]);
INSERT INTO batch
SELECT b.b, array_agg(m.profile_id ORDER BY i.i), array_agg(p.profile_id ORDER BY i.i), array_agg(o.profile_id ORDER BY i.i), array_agg(s.profile_id ORDER BY i.i),
	array_agg(('acct_issuer', 'acct_' || md5(m.n::text), 25)::journal.wish ORDER BY i.i),
	array_agg('acc_' || md5(m.n::text) ORDER BY i.i), array_agg(jsonb_build_object('reference', 'pos/' || i.i) ORDER BY i.i)
FROM generate_series(0, 9) AS b (b) CROSS JOIN generate_series(1, 1000) AS i (i)
	JOIN member m ON m.n = 1 + (i.i + b.b * 1000) * 7919 % 20000
	JOIN member p ON p.n = 2001 + (i.i + b.b * 1000) * 7919 % 17000
	JOIN member o ON o.n = 1
	JOIN member s ON s.n = i.i
GROUP BY b.b;

-- The same batch by set-based SQL over the same tables: nothing refused in it, so nothing is looked for.
CREATE FUNCTION earn_many_sql(persons bigint[], amounts o2o.points[], program text) RETURNS TABLE (n bigint, transfer_id bigint, balance o2o.points)
LANGUAGE plpgsql AS $$
DECLARE
	call_id uuid := gen_random_uuid();
	rule o2o.points_program;
	batch record;
BEGIN
	SELECT p.* INTO rule FROM o2o.points_program p WHERE p.program = earn_many_sql.program;
	PERFORM FROM o2o.points_account a WHERE a.profile_id = ANY (persons) AND a.program = earn_many_sql.program ORDER BY a.account_id FOR NO KEY UPDATE;
	SELECT array_agg(u.person ORDER BY u.n) AS persons, array_agg(a.account_id ORDER BY u.n) AS accounts, array_agg(nextval('o2o.points_transfer_id_seq') ORDER BY u.n) AS transfers,
		array_agg(s.account_id ORDER BY u.n) AS contras, array_agg('earn'::text ORDER BY u.n) AS operations, array_agg(e.at ORDER BY u.n) AS expires_at,
		array_agg(e.month ORDER BY u.n) AS months, array_agg('program'::text ORDER BY u.n) AS funding, array_agg(call_id ORDER BY u.n) AS requests,
		array_agg(coalesce(p.customer_id, u.person) ORDER BY u.n) AS customers, array_agg(NULL::text ORDER BY u.n) AS nothing, array_agg(now() ORDER BY u.n) AS moments
	INTO batch
	FROM unnest(persons) WITH ORDINALITY u (person, n)
		JOIN o2o.points_account a ON a.profile_id = u.person AND a.program = earn_many_sql.program AND a.kind = 'member'
		JOIN o2o.profile p ON p.profile_id = u.person
		JOIN o2o.points_system_account s ON s.program = a.program AND s.kind = 'issuer'
		CROSS JOIN (SELECT o2o.points_expires_at(now(), rule.expires_after, rule.expires_round, rule.time_zone, rule.expires_at) AS at, o2o.points_grant_month(now(), rule.time_zone) AS month) e;
	PERFORM o2o.points_write_sql(batch.persons, batch.accounts, batch.transfers, batch.contras, batch.operations, batch.expires_at, batch.months, batch.funding,
		amounts, batch.requests, batch.persons, batch.customers, batch.nothing, batch.nothing, batch.moments, batch.nothing::bigint[]);
	RETURN QUERY
	SELECT u.n, u.transfer_id, b.balance
	FROM unnest(batch.transfers, batch.customers) WITH ORDINALITY u (transfer_id, customer_id, n)
		JOIN (
			SELECT p.customer_id, o2o.sum(a.balance) AS balance
			FROM o2o.profile p JOIN o2o.points_account a ON a.profile_id = p.profile_id AND a.program = earn_many_sql.program AND a.kind = 'member'
			WHERE p.customer_id = ANY (batch.customers) GROUP BY p.customer_id
		) b ON b.customer_id = u.customer_id
	ORDER BY u.n;
END $$;

-- What 20,000 postings write, for COPY into tables with the same indexes.
CREATE TABLE copy_posting (LIKE o2o.points_posting INCLUDING DEFAULTS INCLUDING INDEXES);
CREATE TABLE copy_account (LIKE o2o.points_account INCLUDING DEFAULTS INCLUDING INDEXES) WITH (fillfactor = 70);
CREATE TABLE copy_lot (LIKE o2o.points_lot INCLUDING DEFAULTS INCLUDING INDEXES) WITH (fillfactor = 70);
CREATE TABLE copied AS
SELECT p.* FROM o2o.points_posting p JOIN member m ON m.profile_id = p.profile_id WHERE p.version = 1 AND p.expires_at IS NOT NULL ORDER BY (m.n * 7919) % 20000;
\copy copied TO 'build/copy_posting.csv'
\copy (SELECT a.* FROM o2o.points_account a JOIN copied c USING (profile_id, account_id)) TO 'build/copy_account.csv'
\copy (SELECT DISTINCT ON (l.profile_id, l.account_id) l.* FROM o2o.points_lot l JOIN copied c USING (profile_id, account_id)) TO 'build/copy_lot.csv'
SELECT count(*) AS copied FROM copied;

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
\i bench/points/batch.ours.sql
\i bench/points/batch.peer.sql
\i bench/points/batch_lean.peer.sql

-- WAL, counted after a checkpoint and once every page was written since.
CREATE TABLE wal (what text PRIMARY KEY, bytes bigint);
CREATE PROCEDURE wal_measure(what text, statement text, per integer, commits integer) LANGUAGE plpgsql AS $$
DECLARE
	before pg_lsn;
BEGIN
	EXECUTE format(statement, 1);
	COMMIT;
	before := pg_current_wal_insert_lsn();
	FOR i IN 1 .. commits LOOP
		EXECUTE format(statement, i);
		COMMIT;
	END LOOP;
	INSERT INTO public.wal VALUES (what, (pg_current_wal_insert_lsn() - before) * 1000 / (per * commits));
	COMMIT;
END $$;
CALL wal_measure('batch', $$SELECT count(*) FROM o2o.points_post_many(array_fill('earn'::text, ARRAY[1000]), (SELECT array_agg(m.profile_id) FROM generate_series(1, 1000) AS i JOIN public.member m ON m.n = 1 + i * 7919 %% 20000),
	array_fill('25'::o2o.points, ARRAY[1000]), array_fill('club'::text, ARRAY[1000])) -- %s$$, 1000, 5);
CALL wal_measure('single', $$SELECT o2o.points_earn((SELECT m.profile_id FROM public.member m WHERE m.n = 1 + %1$s * 7919 %% 1000), 25, 'club', 'pos/1')$$, 1, 1000);
CALL wal_measure('journal batch', $$SELECT count(*) FROM journal.transfers_create((SELECT b.wishes FROM public.batch b WHERE b.b = %s), NULL, '{"reference": "pos/1"}')$$, 1000, 5);
CALL wal_measure('journal single', $$SELECT journal.transfer_create('acct_issuer', 'acct_' || md5((1 + %1$s * 7919 %% 1000)::text), 25, NULL, '{"reference": "pos/1"}')$$, 1, 1000);
CALL wal_measure('ledger batch', $$SELECT ledger.transfers_create(array_fill('acc_issuer'::text, ARRAY[1000]), (SELECT array_agg('acc_' || md5((1 + i * 7919 %% 20000)::text)) FROM generate_series(1, 1000) AS i),
	array_fill(25::numeric, ARRAY[1000]), array_fill('{"reference": "pos/1"}'::jsonb, ARRAY[1000])) -- %s$$, 1000, 5);
CALL wal_measure('ledger single', $$SELECT ledger.transfer_create('acc_issuer', 'acc_' || md5((1 + %1$s * 7919 %% 1000)::text), 25, '{"reference": "pos/1"}')$$, 1, 1000);
