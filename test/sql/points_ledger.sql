-- The points ledger: programs, earn, burn, transfer, expiry, reserve, import, verify.
-- In a database of its own: the model belongs to an owner who is no superuser.
SET client_min_messages = warning;
DROP DATABASE IF EXISTS o2o_points_ledger;
CREATE DATABASE o2o_points_ledger;
\c o2o_points_ledger
SET client_min_messages = warning;
CREATE ROLE o2o_points_owner;
CREATE ROLE o2o_points_till;
CREATE EXTENSION "O2O" CASCADE;
GRANT USAGE, CREATE ON SCHEMA o2o TO o2o_points_owner;
CALL o2o.setup(owner => 'o2o_points_owner');
RESET client_min_messages;
SET ROLE o2o_points_owner;
SET search_path = public, o2o;
\set SHOW_CONTEXT never
SET datestyle = ISO;
SET intervalstyle = postgres;

-- What a statement answers, or its error with SQLSTATE and detail.
CREATE FUNCTION pg_temp.try(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	result text; detail text;
BEGIN
	EXECUTE query INTO result;
	RETURN coalesce(result, 'NULL');
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
	RETURN SQLSTATE || ' ' || concat_ws(' | ', SQLERRM, nullif(detail, ''));
END $$;

-- When points expire, on the clock of the program.
SELECT after, round, to_char(o2o.points_expires_at(local::timestamp AT TIME ZONE zone, after::interval, round, zone) AT TIME ZONE zone,
	'Dy YYYY-MM-DD HH24:MI:SS') AS expires
FROM (VALUES
	('2026-01-31 10:00', '1 month', 'none', 'Asia/Shanghai'), ('2026-01-31 10:00', '1 month', 'day', 'Asia/Shanghai'),
	('2024-01-31 10:00', '1 month', 'day', 'Asia/Shanghai'), ('2026-01-31 10:00', '1 month', 'month', 'Asia/Shanghai'),
	('2026-01-31 00:00', '1 day', 'day', 'UTC'), ('2026-08-12 23:59:59', '1 year', 'week', 'UTC'),
	('2026-08-12 23:59:59', '1 year', 'quarter', 'UTC'), ('2026-12-31 23:00', '1 hour', 'year', 'UTC'),
	('2026-03-28 12:00', '1 day', 'day', 'Europe/Berlin'), ('2026-03-28 12:00', '1 day', 'none', 'Europe/Berlin')) v(local, after, round, zone);
SELECT o2o.points_expires_at('2026-01-31 10:00+00', NULL, 'day', 'UTC') AS never;
SELECT to_char(o2o.points_expires_at('2026-01-31 10:00+00', after, 'day', 'UTC', '2027-04-01 00:00+00') AT TIME ZONE 'UTC', 'YYYY-MM-DD') AS by_a_fixed_date
FROM unnest(ARRAY[NULL, '1 year', '2 years']::interval[]) after;
SELECT o2o.points_grant_month('2026-01-31 20:00+00', 'Asia/Shanghai') = '2026-02-01' AS shanghai,
	o2o.points_grant_month('2026-01-31 20:00+00', 'UTC') = '2026-01-01' AS utc;

-- Programs.
SELECT o2o.points_program_create('club', 'Club', 'CNY', 'Asia/Shanghai', expires_after => '100 years', expires_round => 'month');
SELECT o2o.points_program_create('short', 'Short', 'CNY', expires_after => '10 days', expires_round => 'none');
SELECT o2o.points_program_create('fine', 'Fine', 'EUR', scale => 2, points_per_unit => 0.375);
SELECT kind FROM o2o.points_system_account WHERE program = 'club' ORDER BY kind;
SELECT pg_temp.try($$SELECT o2o.points_program_create('club', 'Again', 'CNY')$$);
SELECT pg_temp.try($$SELECT o2o.points_program_create('c2', 'C', 'XXX')$$);
SELECT pg_temp.try($$SELECT o2o.points_program_create('c2', 'C', 'CNY', 'Mars/Base')$$);
SELECT pg_temp.try($$SELECT o2o.points_program_create('c2', 'C', 'CNY', expires_after => '0')$$);
SELECT left(pg_temp.try(format('SELECT o2o.points_program_create(%L, %L, %L, %s => %L)', 'c2', 'C', 'CNY', a, v)), 5) AS state
FROM unnest('{points_per_unit,value_per_point,cost_per_point}'::text[]) a, unnest('{NaN,Infinity,-1}'::text[]) v;
SELECT points_quote_amount('club', 12.99), points_quote_amount('fine', 10.5), points_quote_amount('club', -3),
	pg_temp.try($$SELECT o2o.points_quote_amount('none', 1)$$);
INSERT INTO o2o.points_program_rate VALUES ('fine', '2030-01-01 00:00+00', 2, 0.01, 0.01, 1);
SELECT points_quote_amount('fine', 10, '2029-12-31 23:59:59+00') AS before, points_quote_amount('fine', 10, '2030-01-01 00:00+00') AS since;

-- Ann has a card and a phone, Bob a card.
SELECT outcome FROM o2o.identity_resolve('{card:ann,phone:+8613800138000}', 'pos', 'e1', now());
SELECT outcome FROM o2o.identity_resolve('{card:bob}', 'pos', 'e2', now());
CREATE TEMP VIEW who AS SELECT lower(i.identifier::text) AS who, i.profile_id FROM o2o.profile_identifier i;
CREATE TEMP VIEW lot AS
	SELECT w.who, a.program, to_char(l.expires_at AT TIME ZONE r.time_zone, 'YYYY-MM-DD') AS expires, l.grant_month::text, l.funding,
		l.granted, l.remaining, l.consumed, l.expired
	FROM o2o.points_lot l JOIN o2o.points_account a USING (profile_id, account_id) JOIN o2o.points_program r USING (program) JOIN who w USING (profile_id)
	ORDER BY a.program, w.who COLLATE "C", l.expires_at, l.grant_month, l.funding;
CREATE TEMP VIEW posting AS
	SELECT w.who, a.program, p.version, p.operation, s.kind AS contra, p.amount, p.balance, y.who AS acting, p.reference, p.reason
	FROM o2o.points_posting p JOIN o2o.points_account a USING (profile_id, account_id) JOIN who w USING (profile_id)
		JOIN who y ON y.profile_id = p.acting_profile_id JOIN o2o.points_system_account s ON s.account_id = p.contra_account_id
	ORDER BY a.program, w.who COLLATE "C", p.version;

-- Earn, and the same call again.
SELECT pg_temp.try($$SELECT o2o.points_earn('card:ann', 120, 'club', idempotency_key => '')$$);
SELECT balance FROM o2o.points_earn('card:ann', 120, program => 'club', reference => 'pos/4711', idempotency_key => 'k1', occurred_at => '2026-03-05 10:00+08');
SELECT balance FROM o2o.points_earn('card:ann', 120, program => 'club', reference => 'pos/4711', idempotency_key => 'k1', occurred_at => '2026-03-05 10:00+08');
SELECT o2o.points_earn('card:ann', 121, program => 'club', reference => 'pos/4711', idempotency_key => 'k1', occurred_at => '2026-03-05 10:00+08');
SELECT pg_temp.try($$SELECT o2o.points_burn('card:ann', 120, program => 'club', idempotency_key => 'k1')$$) ~ '^O2004' AS other_operation;
-- A retry has another now().
SELECT a.balance, b.balance, a.transfer_id = b.transfer_id AS same
FROM o2o.points_earn('card:ann', 1, 'fine', idempotency_key => 'k2') a, pg_sleep(0.001), o2o.points_earn('card:ann', 1, 'fine', idempotency_key => 'k2') b;
SELECT balance FROM o2o.points_earn('card:ann', 1, 'fine', idempotency_key => 'k2');
SELECT balance FROM o2o.points_earn('phone:+8613800138000', 30, 'club', occurred_at => '2026-01-31 23:00+08', funding => 'partner');
SELECT balance FROM o2o.points_earn((SELECT profile_id FROM who WHERE who = 'card:ann'), 5, 'club', occurred_at => '2026-03-20 10:00+08');
SELECT * FROM posting;
SELECT * FROM lot WHERE program = 'club';
SELECT * FROM o2o.points_balance('card:ann');
SELECT * FROM o2o.points_balance('card:bob');
SELECT pg_temp.try(q) FROM unnest(ARRAY[
	$$SELECT o2o.points_earn('card:ann', 10, 'none')$$,
	$$SELECT o2o.points_earn('card:ann', 0, 'club')$$,
	$$SELECT o2o.points_earn('card:ann', -1, 'club')$$,
	$$SELECT o2o.points_earn('card:ann', NULL, 'club')$$,
	$$SELECT o2o.points_earn('card:ann', '1.5', 'club')$$,
	$$SELECT o2o.points_earn('card:ann', '1.255', 'fine')$$,
	$$SELECT o2o.points_earn('card:eve', 1, 'club')$$,
	$$SELECT o2o.points_earn(987654321::bigint, 1, 'club')$$,
	$$SELECT o2o.points_earn(NULL::o2o.identifier, 1, 'club')$$,
	$$SELECT o2o.points_earn('card:ann', 1, 'club', occurred_at => 'infinity')$$,
	$$SELECT o2o.points_earn('card:ann', '922337203685477', 'club')$$,
	$$SELECT (o2o.points_earn('card:ann', '1.25', 'fine')).balance$$]) q;

-- Burn: not more than there is, and nothing is left of the attempt.
SELECT o2o.points_burn('card:ann', 500, program => 'club', idempotency_key => 'k3');
SELECT o2o.points_burn('card:bob', 1, program => 'club');
SELECT o2o.points_burn('card:ann', 0, program => 'club');
-- Nearest expiry first (the phone's), then the acting profile's own.
SELECT balance FROM o2o.points_burn('card:ann', 40, program => 'club', reference => 'pos/4712', reason => 'voucher', idempotency_key => 'k3');
SELECT balance FROM o2o.points_burn('card:ann', 40, program => 'club', reference => 'pos/4712', reason => 'voucher', idempotency_key => 'k3');
SELECT * FROM posting WHERE operation = 'burn';
-- Equal expiry: the acting profile's first, whoever has the lower id.
SELECT balance FROM o2o.points_earn('phone:+8613800138000', 20, 'club', occurred_at => '2026-03-21 10:00+08');
SELECT balance FROM o2o.points_burn('phone:+8613800138000', 25, 'club');
SELECT * FROM posting WHERE operation = 'burn' AND amount < '0' AND acting <> 'card:ann';
SELECT * FROM lot WHERE program = 'club';
SELECT * FROM o2o.points_verify();

-- An expired lot is gone before any sweep.
SELECT balance FROM o2o.points_earn('card:bob', 100, 'short', occurred_at => now() - interval '11 days');
SELECT balance FROM o2o.points_earn('card:bob', 40, 'short');
SELECT * FROM o2o.points_balance('card:bob');
SELECT o2o.points_burn('card:bob', 41, 'short');
SELECT balance FROM o2o.points_burn('card:bob', 15, 'short');
SELECT program, outstanding FROM o2o.points_reserve_status('short');
SELECT o2o.points_expire(0) AS none, o2o.points_expire(10) AS swept;
SELECT o2o.points_expire() AS again;
SELECT * FROM o2o.points_balance('card:bob');
SELECT granted, remaining, consumed, expired FROM lot WHERE program = 'short';
SELECT version, operation, contra, amount, balance FROM posting WHERE program = 'short';
SELECT * FROM o2o.points_verify('short');

-- Gifts keep month, expiry and who funds them.
SELECT balance FROM o2o.points_transfer('card:ann', 'card:bob', 100, 'club', reason => 'birthday', idempotency_key => 'k4');
SELECT balance FROM o2o.points_transfer('card:ann', 'card:bob', 100, 'club', reason => 'birthday', idempotency_key => 'k4');
SELECT * FROM posting WHERE operation ~ 'transfer';
SELECT * FROM lot WHERE program = 'club';
SELECT o2o.points_transfer('card:ann', 'card:bob', 100, 'club');
SELECT o2o.points_transfer('card:ann', 'phone:+8613800138000', 1, 'club');
SELECT pg_temp.try($$SELECT o2o.points_transfer('card:ann', 'card:eve', 1, 'club')$$);
SELECT balance FROM o2o.points_transfer((SELECT profile_id FROM who WHERE who = 'card:bob'), (SELECT profile_id FROM who WHERE who ~ 'phone'), 100, 'club');
SELECT w.who, b.* FROM who w, o2o.points_balance(w.profile_id) b WHERE w.who ~ 'card' ORDER BY w.who COLLATE "C", b.program;
SELECT count(DISTINCT transfer_id), count(*), o2o.sum(amount) FROM o2o.points_posting WHERE operation IN ('transfer_in', 'transfer_out');
SELECT * FROM o2o.points_verify();

-- After a merge one purse, after the unmerge each its own again.
SELECT outcome FROM o2o.identity_resolve('{card:cem}', 'pos', 'e3', now());
SELECT outcome FROM o2o.identity_resolve('{card:dee}', 'pos', 'e4', now());
SELECT balance FROM o2o.points_earn('card:cem', 10, 'club', occurred_at => '2026-05-05 10:00+08');
SELECT balance FROM o2o.points_earn('card:dee', 20, 'club', occurred_at => '2026-05-05 10:00+08');
SELECT o2o.customer_merge('card:cem', 'card:dee', 'one person') IS NOT NULL AS merged;
SELECT available FROM o2o.points_balance('card:cem');
SELECT balance FROM o2o.points_burn('card:dee', 25, 'club');
SELECT count(*) > 0 AS parted FROM o2o.customer_unmerge((SELECT max(merge_id) FROM o2o.identity_merge), 'two people');
SELECT a.available AS cem, b.available AS dee FROM o2o.points_balance('card:cem') a, o2o.points_balance('card:dee') b;
SELECT who, amount, balance, acting FROM posting WHERE operation = 'burn' AND who IN ('card:cem', 'card:dee');
SELECT * FROM o2o.points_verify();

-- Reserve.
SELECT o2o.points_program_create('backed', 'Backed', 'CNY', cost_per_point => 0.02, expected_redemption => 0.5, reserve_policy => 'enforce');
SELECT pg_temp.try($$SELECT o2o.points_earn('card:ann', 1, 'backed')$$);
SELECT reserve FROM o2o.points_reserve_deposit('backed', 1.50, 'opening', 'd1');
SELECT reserve FROM o2o.points_reserve_deposit('backed', 1.5, 'opening', 'd1');
SELECT balance FROM o2o.points_earn('card:ann', 150, 'backed');
SELECT * FROM o2o.points_reserve_status('backed');
SELECT pg_temp.try($$SELECT o2o.points_earn('card:ann', 1, 'backed')$$);
SELECT balance FROM o2o.points_burn('card:ann', 50, 'backed');
SELECT balance FROM o2o.points_earn('card:ann', 50, 'backed');
UPDATE o2o.points_program_rate SET cost_per_point = 0.04 WHERE program = 'backed';
SELECT * FROM o2o.points_verify();
UPDATE o2o.points_program_rate SET cost_per_point = 0.02 WHERE program = 'backed';
SELECT pg_temp.try(q) FROM unnest(ARRAY[
	$$SELECT o2o.points_reserve_deposit('none', 1, 'x')$$,
	$$SELECT o2o.points_reserve_deposit('backed', 0, 'x')$$,
	$$SELECT o2o.points_reserve_deposit('backed', 'NaN', 'x')$$,
	$$SELECT o2o.points_reserve_deposit('backed', 1.00001, 'x')$$,
	$$SELECT o2o.points_verify('none')$$]) q;

-- Import: judged in the order of time. The burn of 60 comes before the earn, the
-- first of 30 is paid from it, the second comes when it has expired; 100 is too much.
INSERT INTO o2o.import_points (batch_id, profile_id, program, operation, amount, occurred_at, reference)
SELECT 1, w.profile_id, v.program, v.operation, v.amount::o2o.points, v.at::timestamptz, v.reference
FROM (VALUES (1, 'card:bob', 'short', 'burn', '60', '2020-01-01 10:00+00', 'early'), (2, 'card:bob', 'short', 'earn', '50', '2020-01-02 10:00+00', 'e1'),
	(3, 'card:bob', 'short', 'burn', '30', '2020-01-05 10:00+00', 'b1'), (4, 'card:bob', 'short', 'burn', '30', '2020-01-13 10:00+00', 'late'),
	(5, 'card:dee', 'fine', 'opening', '7.5', '2019-12-31 10:00+00', 'o1'), (6, 'card:dee', 'fine', 'burn', '100', '2020-01-01 10:00+00', 'much'),
	(7, 'card:dee', 'fine', 'burn', '2.5', '2020-01-01 10:00+00', 'b2')) v(n, who, program, operation, amount, at, reference)
	JOIN who w USING (who)
ORDER BY v.n;
SELECT o2o.points_import(1);
SELECT o2o.points_import(1) AS again;
SELECT w.who, i.program, i.amount, i.reference, i.problem, i.available FROM o2o.import_points_problem i JOIN who w USING (profile_id) ORDER BY import_no;
SELECT who, program, version, operation, amount, balance, reference FROM posting WHERE reference IN ('e1', 'b1', 'o1', 'b2');
SELECT * FROM o2o.points_balance('card:dee');
SELECT o2o.points_expire() AS swept;
SELECT * FROM o2o.points_verify();
INSERT INTO o2o.import_points (batch_id, profile_id, program, operation, amount, occurred_at)
SELECT 2, profile_id, 'club', 'earn', '1.5', now() FROM who WHERE who = 'card:bob';
SELECT pg_temp.try('SELECT o2o.points_import(2)');
SELECT o2o.points_import(3) AS empty;

-- Import and single calls come to the same: 400 operations of 9 profiles, which
-- are 3 customers, in two programs that differ in name only. The first 50, which
-- open all accounts (their ids decide between equals), are there before the import.
SELECT count(*) AS profiles FROM generate_series(1, 3) c,
	o2o.identity_resolve(ARRAY[o2o.identifier('card', 'x' || c), o2o.identifier('device', 'dx' || c), o2o.identifier('alipay', 'x' || c)], 'pos', 'x' || c, now());
SELECT o2o.points_program_create(p, p, 'CNY', expires_after => '100 years', expires_round => 'month') FROM unnest('{single,bulk}'::text[]) p;
CREATE TEMP TABLE operation AS
SELECT n, ('{card:x%s,device:dx%s,alipay:x%s}'::text[])[1 + abs(hashint4extended(n, 1)) % 3] AS form,
	1 + abs(hashint4extended(n, 2)) % 3 AS c, CASE WHEN abs(hashint4extended(n, 3)) % 5 < 3 THEN 'burn' ELSE 'earn' END AS operation,
	1 + abs(hashint4extended(n, 4)) % 60 AS amount, timestamptz '2024-01-01 00:00+00' + n * interval '41 hours' AS at
FROM generate_series(1, 400) n;
CREATE PROCEDURE pg_temp.run(upto integer, programs text[]) LANGUAGE plpgsql AS $$
DECLARE o record; p text;
BEGIN
	FOR o IN SELECT * FROM operation WHERE n <= upto AND (upto < 400 OR n > 50) ORDER BY n LOOP
		FOREACH p IN ARRAY programs LOOP
			BEGIN
				IF o.operation = 'earn' THEN
					PERFORM o2o.points_earn(format(o.form, o.c)::o2o.identifier, o.amount::o2o.points, p, o.n::text, occurred_at => o.at);
				ELSE
					PERFORM o2o.points_burn(format(o.form, o.c)::o2o.identifier, o.amount::o2o.points, p, o.n::text);
				END IF;
			EXCEPTION WHEN SQLSTATE 'O2301' THEN NULL;
			END;
		END LOOP;
	END LOOP;
END $$;
CALL pg_temp.run(50, '{single,bulk}');
CALL pg_temp.run(400, '{single}');
INSERT INTO o2o.import_points (batch_id, profile_id, program, operation, amount, occurred_at, reference)
SELECT 4, w.profile_id, 'bulk', o.operation, o.amount::o2o.points, o.at, o.n::text
FROM operation o JOIN who w ON w.who = format(o.form, o.c) WHERE o.n > 50 ORDER BY hashint4extended(o.n, 5);
SELECT o2o.points_import(4) AS posted;
SELECT count(*) AS refused FROM o2o.import_points_problem WHERE batch_id = 4;
SELECT count(*) AS differing FROM (
	(SELECT who, version, operation, amount, balance, acting, reference FROM posting WHERE program = 'single'
	EXCEPT ALL SELECT who, version, operation, amount, balance, acting, reference FROM posting WHERE program = 'bulk')
	UNION ALL
	(SELECT who, version, operation, amount, balance, acting, reference FROM posting WHERE program = 'bulk'
	EXCEPT ALL SELECT who, version, operation, amount, balance, acting, reference FROM posting WHERE program = 'single')) d;
SELECT count(*) AS differing FROM (
	(SELECT who, expires, grant_month, funding, granted, remaining, consumed FROM lot WHERE program = 'single'
	EXCEPT ALL SELECT who, expires, grant_month, funding, granted, remaining, consumed FROM lot WHERE program = 'bulk')
	UNION ALL
	(SELECT who, expires, grant_month, funding, granted, remaining, consumed FROM lot WHERE program = 'bulk'
	EXCEPT ALL SELECT who, expires, grant_month, funding, granted, remaining, consumed FROM lot WHERE program = 'single')) d;
SELECT count(*) > 300 AS postings, count(DISTINCT who) AS profiles, bool_or(acting <> who) AS from_others FROM posting WHERE program = 'bulk';
SELECT * FROM o2o.points_verify();

-- A till needs EXECUTE and nothing else.
GRANT EXECUTE ON FUNCTION o2o.points_earn(o2o.identifier, o2o.points, text, text, text, text, timestamptz, text, timestamptz) TO o2o_points_till;
RESET ROLE;
SET ROLE o2o_points_till;
SELECT balance > '0' AS earned FROM o2o.points_earn('card:ann', 1, 'club');
SELECT count(*) FROM o2o.points_posting;
RESET ROLE;
SET ROLE o2o_points_owner;

-- What is wrong is found: each by its own name, in transactions that are undone.
CREATE PROCEDURE pg_temp.damage(title text, damage text) LANGUAGE plpgsql AS $$
DECLARE found text;
BEGIN
	EXECUTE damage;
	found := (SELECT string_agg(DISTINCT v."check", ', ' ORDER BY v."check") FROM o2o.points_verify('club') v);
	ROLLBACK;
	RAISE INFO '%: %', title, found;
END $$;
CREATE TEMP VIEW victim AS SELECT a.profile_id, a.account_id FROM o2o.points_account a JOIN who w USING (profile_id) WHERE w.who = 'card:ann' AND a.program = 'club';
CALL pg_temp.damage('a posting is missing', 'DELETE FROM o2o.points_posting p USING victim v WHERE p.account_id = v.account_id AND p.version = 2');
CALL pg_temp.damage('the last posting is missing', 'DELETE FROM o2o.points_posting p USING o2o.points_account a, victim v WHERE p.account_id = v.account_id AND a.account_id = v.account_id AND p.version = a.version');
CALL pg_temp.damage('an amount was changed', 'UPDATE o2o.points_posting p SET amount = p.amount + 1 FROM victim v WHERE p.account_id = v.account_id AND p.version = 1');
CALL pg_temp.damage('a balance was changed', 'UPDATE o2o.points_account a SET balance = a.balance + 1 FROM victim v WHERE a.account_id = v.account_id');
CALL pg_temp.damage('a balance below zero', 'UPDATE o2o.points_posting p SET balance = -1 FROM victim v WHERE p.account_id = v.account_id AND p.version = 1');
CALL pg_temp.damage('something on hold', 'UPDATE o2o.points_account a SET held = 1 FROM victim v WHERE a.account_id = v.account_id');
CALL pg_temp.damage('a time that falls', $$UPDATE o2o.points_posting p SET posted_at = '2000-01-01' FROM victim v WHERE p.account_id = v.account_id AND p.version = 2$$);
CALL pg_temp.damage('another contra account', $$UPDATE o2o.points_posting p SET contra_account_id = s.account_id FROM victim v, o2o.points_system_account s
	WHERE p.account_id = v.account_id AND p.version = 1 AND s.program = 'club' AND s.kind = 'redeemed'$$);
CALL pg_temp.damage('half a transfer', $$UPDATE o2o.points_posting p SET contra_account_id = s.account_id FROM o2o.points_system_account s
	WHERE p.operation = 'transfer_in' AND s.program = 'club' AND s.kind = 'adjustment'$$);
CALL pg_temp.damage('a lot gained', 'UPDATE o2o.points_lot l SET remaining = l.remaining + 1 FROM victim v WHERE l.account_id = v.account_id');
CALL pg_temp.damage('a lot gained evenly', 'UPDATE o2o.points_lot l SET remaining = l.remaining + 1, granted = l.granted + 1 FROM victim v WHERE l.account_id = v.account_id');
CALL pg_temp.damage('a lot is missing', 'DELETE FROM o2o.points_lot l USING victim v WHERE l.account_id = v.account_id');
CALL pg_temp.damage('another lot', $$UPDATE o2o.points_posting p SET funding = 'somebody' FROM victim v WHERE p.account_id = v.account_id AND p.version = 2$$);
CALL pg_temp.damage('nothing', 'SELECT 1');

-- More points outstanding than one account can have: each holds, so the whole is told.
SELECT o2o.points_program_create('vast', 'Vast', 'CNY');
SELECT balance FROM o2o.points_earn('card:ann', '900000000000000', 'vast') UNION ALL SELECT balance FROM o2o.points_earn('card:bob', '900000000000000', 'vast');
SELECT outstanding, required FROM o2o.points_reserve_status('vast');
SELECT issued, outstanding, liability FROM o2o.points_liability WHERE program = 'vast';
SELECT * FROM o2o.points_verify('vast');

-- A fixed date ends all points, whichever way they come: by C code, by SQL, in a batch, by adjustment, given anew.
SELECT o2o.points_program_create('season', 'Season', 'CNY', expires_after => '100 years', expires_at => '2099-04-01 00:00+00');
SELECT count(*) FROM o2o.points_earn('card:ann', 1, 'season') a, o2o.points_earn('card:ann', 2, 'season', activate_at => now() + interval '1 day') b,
	o2o.points_post_many('{earn}', NULL, '{4}', '{season}', identifiers => '{card:ann}') c, o2o.points_adjust('card:ann', 8, 'season', 'test') d,
	o2o.points_earn('card:ann', 16, 'season', occurred_at => '1990-01-01 00:00+00') e;
SELECT l.expires_at AT TIME ZONE 'UTC' AS expires, l.granted FROM o2o.points_lot l JOIN o2o.points_account a USING (profile_id, account_id) WHERE a.program = 'season' ORDER BY l.expires_at;
SELECT * FROM o2o.points_verify('season');
\c contrib_regression
SET client_min_messages = warning;
DROP DATABASE o2o_points_ledger;
DROP ROLE o2o_points_owner;
DROP ROLE o2o_points_till;
