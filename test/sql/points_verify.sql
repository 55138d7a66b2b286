-- points_verify(): each check sees the damage that is its own, planted by the
-- owner of the tables, who alone could. Snapshots, and what since covers.
SET client_min_messages = warning;
DROP DATABASE IF EXISTS o2o_points_verify;
CREATE DATABASE o2o_points_verify;
\c o2o_points_verify
SET client_min_messages = warning;
CREATE ROLE o2o_verify_owner;
CREATE EXTENSION "O2O" CASCADE;
GRANT USAGE, CREATE ON SCHEMA o2o TO o2o_verify_owner;
CALL o2o.setup(owner => 'o2o_verify_owner');
RESET client_min_messages;
SET ROLE o2o_verify_owner;
SET search_path = public, o2o;
SET datestyle = ISO;
\set SHOW_CONTEXT never

-- A ledger with a bit of everything: lots, a gift, a hold taken in part, an open
-- one, a refund, a clawback into debt, a seller, an expiry, two programs.
SELECT o2o.points_program_create('club', 'Club', 'CNY', expires_after => '100 years', expires_round => 'month');
SELECT o2o.points_program_create('coins', 'Coins', 'CNY', expires_after => '10 days', expires_round => 'none', reserve_policy => 'warn');
SELECT o2o.points_reserve_deposit('coins', 100, 'start', 'deposit');
SELECT outcome FROM o2o.identity_resolve('{card:ann}', 'pos', 'e1', now());
SELECT outcome FROM o2o.identity_resolve('{card:bob}', 'pos', 'e2', now());
SELECT outcome FROM o2o.identity_resolve('{card:shop}', 'pos', 'e3', now());
SELECT o2o.points_seller_open('card:shop'::o2o.identifier, 'club') > 0 AS opened;
SELECT balance FROM o2o.points_earn('card:ann', 100, 'club', 'a1', occurred_at => '2026-01-10 10:00+00');
SELECT balance FROM o2o.points_earn('card:ann', 50, 'club', 'a2', occurred_at => '2026-02-10 10:00+00');
SELECT balance FROM o2o.points_burn('card:ann', 120, 'club', 'b1');
SELECT balance FROM o2o.points_refund(o2o.points_transfer_find('card:ann', 'b1', 'club'), 40);
SELECT balance FROM o2o.points_transfer('card:ann', 'card:bob', 30, 'club');
SELECT balance FROM o2o.points_pay('card:bob'::o2o.identifier, 'card:shop'::o2o.identifier, 12, 'club', 'p1');
SELECT settled FROM o2o.points_settle('card:shop'::o2o.identifier, 'club', 5);
SELECT balance FROM o2o.points_earn('card:bob', 20, 'club', 'a3', occurred_at => '2026-01-10 10:00+00');
SELECT balance FROM o2o.points_burn('card:bob', 38, 'club', 'b2');
SELECT owed FROM o2o.points_clawback(o2o.points_transfer_find('card:bob', 'a3', 'club', 'earn'));
SELECT hold_id AS held FROM o2o.points_hold('card:ann', 15, 'club', reference => 'h1') \gset
SELECT captured FROM o2o.points_capture(:held, 10);
SELECT hold_id AS held FROM o2o.points_hold('card:ann', 9, 'club', expires_after => '1 day', reference => 'h2') \gset
SELECT balance FROM o2o.points_earn('card:ann', 7, 'coins', occurred_at => now() - interval '20 days');
SELECT o2o.points_expire();
SELECT balance FROM o2o.points_earn('card:ann', 8, 'coins');
INSERT INTO o2o.points_exchange_rate (from_program, to_program, valid_from, rate) VALUES ('club', 'coins', '-infinity', 0.5);
SELECT received FROM o2o.points_exchange('card:ann'::o2o.identifier, 4, 'club', 'coins');
SELECT * FROM o2o.points_verify();
SELECT * FROM o2o.points_verify('none');
SELECT * FROM o2o.points_verify(since => 7);

-- The other sides, before and after the rollup.
CREATE TEMP VIEW side AS SELECT program, kind, balance FROM o2o.points_system_balance() WHERE balance <> 0;
SELECT * FROM side;
CREATE PROCEDURE pg_temp.rollup() LANGUAGE plpgsql AS $$
BEGIN
	-- Autovacuum may have a transaction open.
	LOOP
		PERFORM o2o.points_rollup_advance();
		EXIT WHEN (SELECT max(p.seq) FROM o2o.points_posting p) < (SELECT h.horizon FROM o2o.points_rollup_horizon h);
		PERFORM pg_sleep(0.01);
	END LOOP;
END $$;
CALL pg_temp.rollup();
SELECT * FROM side;
SELECT * FROM o2o.points_system_balance('coins') WHERE kind = 'issuer' AND balance = -15;
SELECT balance FROM o2o.points_system_balance() WHERE kind = 'exchange';
SELECT o2o.points_system_balance('none');
SELECT program, trim_scale(sum(balance)) AS together
FROM (SELECT program, balance::numeric FROM o2o.points_account UNION ALL SELECT program, balance FROM o2o.points_system_balance()
	UNION ALL SELECT a.program, b.balance FROM o2o.points_contra_balance() b JOIN o2o.points_account a ON a.account_id = b.account_id) b
GROUP BY program ORDER BY program;
SELECT * FROM o2o.points_verify();

-- What is wrong after a damage, which is then undone.
CREATE TEMP TABLE who AS SELECT profile_id, lower(identifier::text) AS who FROM o2o.profile_identifier;
CREATE TEMP VIEW ann AS SELECT a.profile_id, a.account_id FROM o2o.points_account a JOIN who w USING (profile_id)
	WHERE w.who = 'card:ann' AND a.program = 'club' AND a.kind = 'member';
CREATE TEMP VIEW bob AS SELECT a.profile_id, a.account_id FROM o2o.points_account a JOIN who w USING (profile_id)
	WHERE w.who = 'card:bob' AND a.program = 'club' AND a.kind = 'member';
CREATE PROCEDURE pg_temp.damage(title text, VARIADIC damages text[]) LANGUAGE plpgsql AS $$
DECLARE
	damage text;
	found record;
BEGIN
	RAISE INFO '-- %', title;
	FOREACH damage IN ARRAY damages LOOP
		EXECUTE damage;
	END LOOP;
	FOR found IN
		SELECT v."check", v.program, w.who, regexp_replace(v.detail, '(transfer|hold|account|request) [0-9a-f-]+', '\1 N', 'g') AS detail
		FROM o2o.points_verify() v LEFT JOIN who w USING (profile_id)
		ORDER BY 1, 2, 3, 4
	LOOP
		RAISE INFO '%', concat_ws(' | ', found."check", found.program, found.who, found.detail);
	END LOOP;
	ROLLBACK;
END $$;
CALL pg_temp.damage('nothing', 'SELECT 1');

-- Postings: one less, one changed, one more.
CALL pg_temp.damage('version: a posting in the middle is missing', 'DELETE FROM o2o.points_posting p USING ann a WHERE p.account_id = a.account_id AND p.version = 2');
CALL pg_temp.damage('account: the last posting is missing', 'DELETE FROM o2o.points_posting p USING o2o.points_account o, ann a WHERE o.account_id = a.account_id AND p.account_id = a.account_id AND p.version = o.version');
CALL pg_temp.damage('version: one is there twice, under another number', $$INSERT INTO o2o.points_posting
	SELECT (jsonb_populate_record(p, '{"version": 99}')).* FROM o2o.points_posting p JOIN ann a USING (account_id) WHERE p.version = 1$$);
CALL pg_temp.damage('running_balance: an amount was changed', 'UPDATE o2o.points_posting p SET amount = 101 FROM ann a WHERE p.account_id = a.account_id AND p.version = 1');
CALL pg_temp.damage('running_balance: a balance was changed', 'UPDATE o2o.points_posting p SET balance = 151 FROM ann a WHERE p.account_id = a.account_id AND p.version = 2');
CALL pg_temp.damage('negative_balance', 'UPDATE o2o.points_posting p SET balance = -1 FROM ann a WHERE p.account_id = a.account_id AND p.version = 1');
CALL pg_temp.damage('posted_at', $$UPDATE o2o.points_posting p SET posted_at = '2000-01-01' FROM ann a WHERE p.account_id = a.account_id AND p.version = 2$$);
CALL pg_temp.damage('contra: another kind', $$UPDATE o2o.points_posting p SET contra_account_id = s.account_id FROM ann a, o2o.points_system_account s
	WHERE p.account_id = a.account_id AND p.version = 1 AND s.program = 'club' AND s.kind = 'redeemed'$$);
CALL pg_temp.damage('contra: another program', $$UPDATE o2o.points_posting p SET contra_account_id = s.account_id FROM ann a, o2o.points_system_account s
	WHERE p.account_id = a.account_id AND p.version = 1 AND s.program = 'coins' AND s.kind = 'issuer'$$);
CALL pg_temp.damage('contra: no account', $$UPDATE o2o.points_posting p SET contra_account_id = -1 FROM ann a WHERE p.account_id = a.account_id AND p.version = 1$$);
CALL pg_temp.damage('contra: another operation', $$UPDATE o2o.points_posting p SET operation = 'wish' FROM ann a WHERE p.account_id = a.account_id AND p.version = 1$$);
CALL pg_temp.damage('lot_key: no lot', $$UPDATE o2o.points_posting p SET expires_at = NULL, grant_month = NULL, funding = NULL FROM ann a
	WHERE p.account_id = a.account_id AND p.operation = 'transfer_out'$$);
CALL pg_temp.damage('lot_key: half a lot', $$UPDATE o2o.points_posting p SET funding = NULL FROM ann a WHERE p.account_id = a.account_id AND p.version = 1$$);
CALL pg_temp.damage('in_transit: half a gift', $$UPDATE o2o.points_posting p SET contra_account_id = s.account_id FROM o2o.points_system_account s
	WHERE p.operation = 'transfer_in' AND s.program = 'club' AND s.kind = 'adjustment'$$);
CALL pg_temp.damage('in_transit: to another gift', $$UPDATE o2o.points_posting p SET transfer_id = -7 WHERE p.operation = 'transfer_in'$$);
CALL pg_temp.damage('exchange: of another call', $$UPDATE o2o.points_posting SET request_id = gen_random_uuid() WHERE operation = 'exchange_in'$$);
CALL pg_temp.damage('exchange: another rate', 'UPDATE o2o.points_exchanged SET received = received + 1');
CALL pg_temp.damage('exchange: not recorded', 'DELETE FROM o2o.points_exchanged');
CALL pg_temp.damage('reversed: of no transfer', $$UPDATE o2o.points_posting SET reverses_transfer_id = -1 WHERE operation = 'refund'$$);
CALL pg_temp.damage('reversed: more than it was', $$UPDATE o2o.points_posting p SET reverses_transfer_id = o.transfer_id FROM o2o.points_posting o
	WHERE p.operation = 'refund' AND o.reference = 'h1' AND o.operation = 'burn'$$);

-- Accounts and lots.
CALL pg_temp.damage('account: the balance', 'UPDATE o2o.points_account o SET balance = o.balance + 1 FROM ann a WHERE o.account_id = a.account_id');
CALL pg_temp.damage('account: the version', 'UPDATE o2o.points_account o SET version = o.version + 1 FROM ann a WHERE o.account_id = a.account_id');
CALL pg_temp.damage('account: the time', $$UPDATE o2o.points_account o SET posted_at = o.posted_at + interval '1 us' FROM ann a WHERE o.account_id = a.account_id$$);
CALL pg_temp.damage('account: it is gone', 'DELETE FROM o2o.points_account o USING bob b WHERE o.account_id = b.account_id');
CALL pg_temp.damage('account: points without a posting', $$INSERT INTO o2o.points_account (profile_id, program, balance) SELECT profile_id, 'coins', 5 FROM bob$$);
CALL pg_temp.damage('debt: forgiven', 'UPDATE o2o.points_account o SET debt = o.debt - 1 WHERE o.debt > 0');
CALL pg_temp.damage('debt: repaid twice', $$UPDATE o2o.points_posting p SET expires_at = NULL, grant_month = NULL, funding = NULL FROM bob b
	WHERE p.account_id = b.account_id AND p.operation = 'earn'$$);
CALL pg_temp.damage('held: the account', 'UPDATE o2o.points_account o SET held = 1 FROM ann a WHERE o.account_id = a.account_id');
CALL pg_temp.damage('held: the lot', 'UPDATE o2o.points_lot l SET held = 1 FROM ann a WHERE l.account_id = a.account_id AND l.held > 0');
CALL pg_temp.damage('held: a portion is closed', 'UPDATE o2o.points_hold_part t SET is_open = false FROM ann a WHERE t.account_id = a.account_id');
CALL pg_temp.damage('hold: its amount', $$UPDATE o2o.points_hold SET amount = 10 WHERE reference = 'h2'$$);
CALL pg_temp.damage('hold: it captured more', $$UPDATE o2o.points_hold SET captured = 11 WHERE reference = 'h1'$$);
CALL pg_temp.damage('hold: a portion of none', $$DELETE FROM o2o.points_hold WHERE reference = 'h2'$$);
CALL pg_temp.damage('lot: gained', $$UPDATE o2o.points_lot l SET remaining = l.remaining + 1 FROM ann a WHERE l.account_id = a.account_id AND l.grant_month = '2026-02-01'$$);
CALL pg_temp.damage('lot: below zero', $$UPDATE o2o.points_lot l SET consumed = -1, clawed = l.clawed + l.consumed + 1 FROM ann a
	WHERE l.account_id = a.account_id AND l.grant_month = '2026-01-01'$$);
CALL pg_temp.damage('lot: it is gone', $$DELETE FROM o2o.points_lot l USING ann a WHERE l.account_id = a.account_id AND l.grant_month = '2026-01-01'$$);
CALL pg_temp.damage('lot_history: consumed as expired', $$UPDATE o2o.points_lot l SET expired = l.consumed, consumed = 0 FROM ann a
	WHERE l.account_id = a.account_id AND l.grant_month = '2026-01-01'$$);
CALL pg_temp.damage('lot_history: another lot', $$UPDATE o2o.points_posting p SET funding = 'somebody' FROM ann a WHERE p.account_id = a.account_id AND p.version = 2$$);
CALL pg_temp.damage('lot_balance: granted evenly', $$UPDATE o2o.points_lot l SET granted = l.granted + 1, remaining = l.remaining + 1 FROM ann a
	WHERE l.account_id = a.account_id AND l.grant_month = '2026-02-01'$$);
CALL pg_temp.damage('lot_balance: a seller with lots', $$INSERT INTO o2o.points_lot (profile_id, account_id, expires_at, grant_month, funding, granted, remaining)
	SELECT o.profile_id, o.account_id, 'infinity', '2026-01-01', 'program', 0, 0 FROM o2o.points_account o WHERE o.kind = 'seller'$$);

-- The rollup and the whole.
CALL pg_temp.damage('rollup', $$UPDATE o2o.points_rollup r SET balance = r.balance + 1 FROM o2o.points_system_account s
	WHERE r.account_id = s.account_id AND s.program = 'coins' AND s.kind = 'issuer'$$);
CALL pg_temp.damage('rollup: a row is gone', $$DELETE FROM o2o.points_rollup r USING o2o.points_account o WHERE r.account_id = o.account_id AND o.kind = 'seller'$$);
CALL pg_temp.damage('outstanding', $$UPDATE o2o.points_rollup_lot r SET amount = r.amount + 1 WHERE r.expires_by = (SELECT max(m.expires_by) FROM o2o.points_rollup_lot m WHERE m.program = r.program)$$);
CALL pg_temp.damage('sum: an account is gone, with all it had', 'DELETE FROM o2o.points_posting p USING bob b WHERE p.account_id = b.account_id',
	'DELETE FROM o2o.points_lot l USING bob b WHERE l.account_id = b.account_id', 'DELETE FROM o2o.points_account o USING bob b WHERE o.account_id = b.account_id');
CALL pg_temp.damage('reserve', $$DELETE FROM o2o.points_reserve_entry$$);

-- Amounts at the ends of their range.
CALL pg_temp.damage('out of range', $$UPDATE o2o.points_posting p SET amount = '922337203685477.5807' FROM ann a WHERE p.account_id = a.account_id AND p.operation IN ('earn', 'refund')$$);

-- The same of one program only.
BEGIN;
UPDATE o2o.points_account SET balance = balance + 1;
SELECT DISTINCT "check", program FROM o2o.points_verify('coins') ORDER BY 1, 2;
SELECT DISTINCT "check", program FROM o2o.points_verify() ORDER BY 1, 2;
ROLLBACK;

-- What a transaction posts after its own snapshot is not in it, and is read.
BEGIN;
SELECT count(*) FROM o2o.points_earn((SELECT min(profile_id) FROM o2o.profile), 3, 'club');
SELECT o2o.points_snapshot_take() AS taken \gset
SELECT count(*) FROM o2o.points_earn((SELECT min(profile_id) FROM o2o.profile), 4, 'club');
SELECT * FROM o2o.points_verify(since => :taken);
ROLLBACK;

-- A snapshot stands for all before it.
SELECT o2o.points_snapshot_take() AS taken \gset
SELECT balance FROM o2o.points_earn('card:ann', 11, 'club', 'after', occurred_at => '2026-02-11 10:00+00');
SELECT balance FROM o2o.points_transfer('card:ann', 'card:bob', 3, 'club');
SELECT balance FROM o2o.points_refund(o2o.points_transfer_find('card:ann', 'b1', 'club'), 1);
SELECT balance FROM o2o.points_earn('card:shop', 5, 'coins', 'new account');
SELECT * FROM o2o.points_verify(since => :taken);
CALL pg_temp.rollup();
SELECT * FROM o2o.points_verify(since => :taken);
SELECT balance FROM o2o.points_burn('card:ann', 2, 'club', 'after');
SELECT * FROM o2o.points_verify(since => :taken);
CREATE PROCEDURE pg_temp.since(title text, snapshot bigint, damage text) LANGUAGE plpgsql AS $$
DECLARE
	found text;
BEGIN
	EXECUTE damage;
	found := (SELECT string_agg(DISTINCT v."check", ', ' ORDER BY v."check") FROM o2o.points_verify(since => snapshot) v);
	ROLLBACK;
	RAISE INFO '%: %', title, found;
END $$;
CALL pg_temp.since('a posting from before is not read', :taken, 'UPDATE o2o.points_posting p SET amount = 101 FROM ann a WHERE p.account_id = a.account_id AND p.version = 1');
CALL pg_temp.since('one from after is', :taken, $$UPDATE o2o.points_posting p SET amount = 12 FROM ann a WHERE p.account_id = a.account_id AND p.reference = 'after' AND p.operation = 'earn'$$);
CALL pg_temp.since('nor may one be missing', :taken, $$DELETE FROM o2o.points_posting p USING ann a WHERE p.account_id = a.account_id AND p.reference = 'after' AND p.operation = 'earn'$$);
CALL pg_temp.since('the rollup is looked at', :taken, $$UPDATE o2o.points_rollup r SET balance = r.balance + 1$$);
CALL pg_temp.since('and all lots', :taken, $$UPDATE o2o.points_lot l SET consumed = l.consumed - 1, clawed = l.clawed + 1 FROM bob b WHERE l.account_id = b.account_id AND l.consumed > 0$$);
CALL pg_temp.since('and all accounts', :taken, $$UPDATE o2o.points_account o SET balance = o.balance - 1 FROM bob b WHERE o.account_id = b.account_id$$);
CALL pg_temp.since('a snapshot that lies', :taken, $$UPDATE o2o.points_snapshot_account s SET balance = s.balance - 1$$);
SELECT o2o.points_snapshot_drop(:taken);
SELECT o2o.points_snapshot_drop(:taken);
SELECT count(*) FROM o2o.points_snapshot_account;

-- In a new cluster the numbers of transactions start over. What is posted there
-- lies above all that was given before, the horizons included.
CALL pg_temp.rollup();
UPDATE o2o.points_rollup_horizon SET horizon = horizon + 1000000;
SELECT o2o.points_snapshot_take() AS taken \gset
UPDATE o2o.points_snapshot SET horizon = horizon + 2000000;
UPDATE o2o.change_base SET system_identifier = - system_identifier - 1;
-- The writer of this session remembers the base of its cluster; a change of the table makes it look again.
ALTER TABLE o2o.change_base SET (fillfactor = 90);
SELECT balance FROM o2o.points_earn('card:ann', 1, 'club', 'moved', occurred_at => '2026-02-11 10:00+00');
SELECT max(p.seq) > max(s.horizon) AS above FROM o2o.points_posting p, o2o.points_snapshot s;
SELECT * FROM o2o.points_verify();
SELECT * FROM o2o.points_verify(since => :taken);
CALL pg_temp.since('what was posted there is read', :taken, $$DELETE FROM o2o.points_posting WHERE reference = 'moved'$$);
CALL pg_temp.rollup();
SELECT * FROM o2o.points_verify();
SELECT * FROM o2o.points_verify(since => :taken);

-- What the pass reads must be what it expects.
BEGIN;
DECLARE c CURSOR FOR SELECT 1;
SELECT o2o.points_verify_pass('c', 'c', 0, false);
ROLLBACK;
BEGIN;
DECLARE c CURSOR FOR SELECT 1::bigint, 'x'::text, 'x'::text, 'x'::text, 1::bigint;
SELECT o2o.points_verify_pass('c', 'c', 0, false);
ROLLBACK;
BEGIN;
DECLARE c CURSOR FOR SELECT 1::bigint, NULL::text, 'x'::text, 1::numeric, 1::numeric;
SELECT o2o.points_verify_pass('c', 'c', 0, false);
ROLLBACK;
SELECT o2o.points_verify_pass('c', 'c', 0, false);
SELECT o2o.points_verify_pass('c', NULL, 0, false);
CREATE FUNCTION pg_temp.pass(place integer, nothing integer[]) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	others refcursor;
	pass refcursor;
	row text := (SELECT string_agg(CASE WHEN n = 3 THEN place::text WHEN n = ANY (nothing) THEN 'NULL::' || t ELSE v || '::' || t END, ', ' ORDER BY n)
		FROM unnest('{bigint,bigint,integer,bigint,timestamptz,date,text,points,points,points,points,points,points,timestamptz,text,text,bigint,bigint,bigint,bytea,uuid,bigint,bigint,text,timestamptz,text,bigint}'::text[]) WITH ORDINALITY c (t, n),
			LATERAL (SELECT CASE WHEN t IN ('timestamptz', 'date') THEN quote_literal('2026-01-01') WHEN t = 'uuid' THEN quote_literal(gen_random_uuid()) WHEN t = 'bytea' THEN quote_literal('\x') ELSE quote_literal('1') END AS v) l);
BEGIN
	OPEN others FOR SELECT 1::bigint, 'p'::text, 'issuer'::text, NULL::numeric, NULL::numeric WHERE false;
	OPEN pass FOR EXECUTE 'SELECT ' || row;
	RETURN (SELECT string_agg(DISTINCT "check", ', ' ORDER BY "check") FROM o2o.points_verify_pass(pass, others, 0, true));
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE || ' ' || SQLERRM;
END $$;
SELECT place, pg_temp.pass(place, '{}') FROM generate_series(0, 7) place;
-- A NULL anywhere is an error or another finding, never a crash.
SELECT place, count(*) AS columns, count(*) FILTER (WHERE pg_temp.pass(place, ARRAY[n]) ~ '^22004') AS refused FROM generate_series(1, 6) place, generate_series(1, 27) n
WHERE n <> 3 GROUP BY place ORDER BY place;

\c contrib_regression
SET client_min_messages = warning;
DROP DATABASE o2o_points_verify;
DROP ROLE o2o_verify_owner;
