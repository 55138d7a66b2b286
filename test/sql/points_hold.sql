-- Holds of points: place, capture, void, over by themselves, unmerge in between.
SET client_min_messages = warning;
DROP DATABASE IF EXISTS o2o_points_hold;
CREATE DATABASE o2o_points_hold;
\c o2o_points_hold
SET client_min_messages = warning;
CREATE ROLE o2o_points_hold_owner;
CREATE EXTENSION "O2O" CASCADE;
GRANT USAGE, CREATE ON SCHEMA o2o TO o2o_points_hold_owner;
CALL o2o.setup(owner => 'o2o_points_hold_owner');
RESET client_min_messages;
SET ROLE o2o_points_hold_owner;
SET search_path = public, o2o;
\set SHOW_CONTEXT never
SET datestyle = ISO;

-- What a statement answers, or its error with SQLSTATE and detail; numbers of holds are not told.
CREATE FUNCTION pg_temp.try(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	result text; detail text;
BEGIN
	EXECUTE query INTO result;
	RETURN coalesce(result, 'NULL');
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
	RETURN SQLSTATE || ' ' || concat_ws(' | ', SQLERRM, regexp_replace(nullif(detail, ''), '(Hold|Transfer) \d+', '\1 N'));
END $$;

SELECT o2o.points_program_create('club', 'Club', 'CNY', 'Asia/Shanghai', expires_after => '100 years', expires_round => 'month');
SELECT o2o.points_program_create('short', 'Short', 'CNY', expires_after => '10 days', expires_round => 'none');
SELECT outcome FROM o2o.identity_resolve('{card:ann}', 'pos', 'e1', now());
SELECT outcome FROM o2o.identity_resolve('{card:bob}', 'pos', 'e2', now());
CREATE TEMP VIEW who AS SELECT lower(i.identifier::text) AS who, i.profile_id FROM o2o.profile_identifier i;
CREATE TEMP VIEW lot AS
	SELECT w.who, a.program, l.granted, l.remaining, l.held, l.consumed, l.expired
	FROM o2o.points_lot l JOIN o2o.points_account a USING (profile_id, account_id) JOIN who w USING (profile_id)
	ORDER BY a.program, w.who COLLATE "C", l.expires_at, l.grant_month, l.funding;
CREATE TEMP VIEW posting AS
	SELECT w.who, a.program, p.version, p.operation, p.amount, p.balance, y.who AS acting, p.reference, p.reason
	FROM o2o.points_posting p JOIN o2o.points_account a USING (profile_id, account_id) JOIN who w USING (profile_id)
		JOIN who y ON y.profile_id = p.acting_profile_id
	ORDER BY a.program, w.who COLLATE "C", p.version;
SELECT balance FROM o2o.points_earn('card:ann', 60, 'club', occurred_at => '2026-01-05 10:00+08');
SELECT balance FROM o2o.points_earn('card:ann', 40, 'club', occurred_at => '2026-02-05 10:00+08');

-- A hold takes from what is available, not from the balance; a replay is the same hold.
SELECT hold_id AS h, balance, available, held_until = now() + interval '15 minutes' AS quarter FROM o2o.points_hold('card:ann', 70, 'club', reference => 'web/1', reason => 'basket', idempotency_key => 'h1') \gset
\echo :balance :available :quarter
SELECT hold_id = :h AS same, balance, available FROM o2o.points_hold('card:ann', 70, 'club', reference => 'web/1', reason => 'basket', idempotency_key => 'h1');
SELECT pg_temp.try($$SELECT o2o.points_hold('card:ann', 71, 'club', reference => 'web/1', reason => 'basket', idempotency_key => 'h1')$$) ~ '^O2004' AS other;
SELECT * FROM o2o.points_balance('card:ann');
SELECT * FROM lot;
SELECT * FROM o2o.points_verify();
-- No burn, gift or second hold gets at what is on hold.
SELECT pg_temp.try($$SELECT o2o.points_burn('card:ann', 31, 'club')$$);
SELECT pg_temp.try($$SELECT o2o.points_transfer('card:ann', 'card:bob', 31, 'club')$$);
SELECT pg_temp.try($$SELECT o2o.points_hold('card:ann', 31, 'club')$$);
SELECT balance FROM o2o.points_burn('card:ann', 30, 'club');
-- Part is captured, nearest expiry first, the rest is released; once.
SELECT captured, balance FROM o2o.points_capture(:h, 65, idempotency_key => 'c1');
SELECT captured, balance FROM o2o.points_capture(:h, 65, idempotency_key => 'c1');
SELECT pg_temp.try(format('SELECT o2o.points_capture(%s)', :h)), pg_temp.try(format('SELECT o2o.points_void(%s)', :h));
SELECT * FROM posting WHERE operation = 'burn';
SELECT * FROM lot;
SELECT available FROM o2o.points_balance('card:ann');
-- Void.
SELECT hold_id AS h FROM o2o.points_hold('card:ann', 5, 'club') \gset
SELECT pg_temp.try(format('SELECT o2o.points_capture(%s, %L)', :h, a)) FROM unnest('{6,0,-1,1.5}'::text[]) a;
SELECT * FROM o2o.points_void(:h, 'v1');
SELECT * FROM o2o.points_void(:h, 'v1');
SELECT pg_temp.try(format('SELECT o2o.points_capture(%s)', :h)), pg_temp.try(format('SELECT o2o.points_void(%s)', :h));
SELECT balance, held, available FROM o2o.points_balance('card:ann');
SELECT pg_temp.try(q) FROM unnest(ARRAY[
	'SELECT o2o.points_capture(-1)', 'SELECT o2o.points_void(NULL)',
	$$SELECT o2o.points_hold('card:ann', 1, 'club', expires_after => NULL) IS NOT NULL$$,
	$$SELECT o2o.points_hold('card:ann', 1, 'none')$$,
	$$SELECT o2o.points_hold('card:ann', 0, 'club')$$,
	$$SELECT o2o.points_hold('card:eve', 1, 'club')$$]) q;
SELECT pg_temp.try($$SELECT o2o.points_hold('card:ann', 1, 'club', expires_at => 'infinity')$$),
	pg_temp.try($$SELECT o2o.points_hold('card:ann', 1, 'club', expires_after => '0')$$) ~ '^22023' AS past;
SELECT * FROM o2o.points_verify();

-- A hold that is over counts as gone before anybody sweeps; the first who locks the account closes it.
SELECT hold_id AS h FROM o2o.points_hold('card:ann', 5, 'club', expires_after => '1 millisecond') \gset
SELECT FROM pg_sleep(0.01);
SELECT balance, held, available FROM o2o.points_balance('card:ann');
SELECT a.held FROM o2o.points_account a JOIN who w USING (profile_id) WHERE w.who = 'card:ann';
SELECT pg_temp.try(format('SELECT o2o.points_capture(%s)', :h)), pg_temp.try(format('SELECT o2o.points_void(%s)', :h));
SELECT * FROM o2o.points_verify();
SELECT balance FROM o2o.points_burn('card:ann', 4, 'club');
SELECT a.held FROM o2o.points_account a JOIN who w USING (profile_id) WHERE w.who = 'card:ann';
SELECT count(*) FROM o2o.points_hold('card:ann', 1, 'club', expires_after => '1 millisecond');
SELECT FROM pg_sleep(0.01);
SELECT o2o.points_expire() AS swept, o2o.points_expire() AS again;
SELECT a.held FROM o2o.points_account a JOIN who w USING (profile_id) WHERE w.who = 'card:ann';

-- Points on hold outlive their lot while the hold lasts, and no longer.
BEGIN;
SELECT balance FROM o2o.points_earn('card:bob', 50, 'short', occurred_at => now() - interval '10 days' + interval '100 milliseconds');
SELECT hold_id AS h FROM o2o.points_hold('card:bob', 20, 'short') \gset
SELECT hold_id AS h2 FROM o2o.points_hold('card:bob', 10, 'short') \gset
COMMIT;
SELECT FROM pg_sleep(0.11);
SELECT balance, held, available FROM o2o.points_balance('card:bob');
SELECT outstanding FROM o2o.points_reserve_status('short');
SELECT o2o.points_expire() AS swept;
SELECT * FROM lot WHERE program = 'short';
SELECT captured, balance FROM o2o.points_capture(:h);
SELECT * FROM o2o.points_void(:h2);
SELECT balance, held, available FROM o2o.points_balance('card:bob');
SELECT o2o.points_expire() AS swept;
SELECT * FROM lot WHERE program = 'short';
SELECT points_balance, points_available FROM o2o.customer_360 c JOIN o2o.profile p USING (customer_id) JOIN who w USING (profile_id) WHERE w.who = 'card:bob';
SELECT * FROM o2o.points_verify();
-- Lot and hold both over and nobody swept: gone, whichever was first. (The time of a transaction stands still: they are over between the two.)
BEGIN;
SELECT balance FROM o2o.points_earn('card:bob', 50, 'short', occurred_at => now() - interval '10 days' + interval '1 microsecond');
SELECT available FROM o2o.points_hold('card:bob', 20, 'short', expires_after => '1 microsecond');
COMMIT;
SELECT balance, held, available, expiring_30d FROM o2o.points_balance('card:bob');
SELECT pg_temp.try($$SELECT o2o.points_burn('card:bob', 1, 'short')$$);
SELECT o2o.points_expire() > 0 AS swept;
SELECT balance, held, available FROM o2o.points_balance('card:bob');
SELECT * FROM o2o.points_verify();

-- Days are those of the program's clock, whatever the session's: here one of its next thirty has 23 hours.
BEGIN;
SELECT set_config('TimeZone', format('AAA0BBB,J%s/0,J%s/0', least(extract(doy FROM now() + interval '10 days'), 365), least(extract(doy FROM now() + interval '120 days'), 365)), true) ~ 'BBB' AS set;
SELECT extract(epoch FROM now() + interval '30 days' - now()) / 3600 AS hours_of_session;
UPDATE o2o.points_program SET expires_after = '719 hours 30 minutes' WHERE program = 'short';
SELECT balance FROM o2o.points_earn('card:bob', 6, 'short');
SELECT extract(epoch FROM held_until - now()) / 3600 AS hours FROM o2o.points_hold('card:bob', 1, 'short', expires_after => '30 days');
SELECT expiring_30d FROM o2o.points_balance('card:bob') WHERE program = 'short';
ROLLBACK;

-- A hold on the points of both sides of a merge is captured and voided after the unmerge.
SELECT outcome FROM o2o.identity_resolve('{card:cem}', 'pos', 'e3', now());
SELECT outcome FROM o2o.identity_resolve('{card:dee}', 'pos', 'e4', now());
SELECT balance FROM o2o.points_earn('card:cem', 10, 'club', occurred_at => '2026-05-05 10:00+08');
SELECT balance FROM o2o.points_earn('card:dee', 20, 'club', occurred_at => '2026-05-05 10:00+08');
SELECT o2o.customer_merge('card:cem', 'card:dee', 'one person') IS NOT NULL AS merged;
SELECT hold_id AS h FROM o2o.points_hold('card:cem', 15, 'club') \gset
SELECT hold_id AS h2 FROM o2o.points_hold('card:cem', 15, 'club') \gset
SELECT w.who, p.amount FROM o2o.points_hold_part p JOIN who w USING (profile_id) WHERE p.is_open ORDER BY p.hold_id, w.who;
SELECT count(*) > 0 AS parted FROM o2o.customer_unmerge((SELECT max(merge_id) FROM o2o.identity_merge), 'two people');
SELECT pg_temp.try($$SELECT o2o.points_burn('card:dee', 1, 'club')$$);
SELECT captured, balance FROM o2o.points_capture(:h);
SELECT released, balance FROM o2o.points_void(:h2);
SELECT * FROM posting WHERE operation = 'burn' AND who ~ 'cem|dee';
SELECT a.available AS cem, b.available AS dee FROM o2o.points_balance('card:cem') a, o2o.points_balance('card:dee') b;
SELECT * FROM o2o.points_verify();

-- An import does not get at it either.
SELECT hold_id AS h FROM o2o.points_hold('card:dee', 12, 'club') \gset
INSERT INTO o2o.import_points (batch_id, profile_id, program, operation, amount, occurred_at)
SELECT 1, w.profile_id, 'club', 'burn', '4', now() FROM who w WHERE who = 'card:dee';
SELECT o2o.points_import(1);
SELECT problem, available FROM o2o.import_points_problem;

-- Pending points are in the balance and not available, until their time comes or somebody activates them.
SELECT outcome FROM o2o.identity_resolve('{card:eli}', 'pos', 'e5', now());
SELECT balance FROM o2o.points_earn('card:eli', 30, 'club', idempotency_key => 'p1', activate_at => now() + interval '14 days');
SELECT transfer_id AS t, balance FROM o2o.points_earn('card:eli', 20, 'club', idempotency_key => 'p2', activate_at => 'infinity') \gset
SELECT transfer_id = :t AS same FROM o2o.points_earn('card:eli', 20, 'club', idempotency_key => 'p2', activate_at => 'infinity');
SELECT balance FROM o2o.points_earn('card:eli', 5, 'club', activate_at => now() - interval '1 second');
SELECT balance, held, available FROM o2o.points_balance('card:eli');
SELECT pg_temp.try($$SELECT o2o.points_burn('card:eli', 6, 'club')$$);
SELECT pg_temp.try(format('SELECT o2o.points_capture(%s)', hold_id)), pg_temp.try(format('SELECT o2o.points_void(%s)', hold_id)) FROM o2o.points_hold WHERE transfer_id = :t;
SELECT * FROM o2o.points_activate(:t, 'p3');
SELECT * FROM o2o.points_activate(:t, 'p3');
SELECT pg_temp.try(format('SELECT o2o.points_activate(%s)', :t)), pg_temp.try('SELECT o2o.points_activate(-1)');
SELECT balance, held, available FROM o2o.points_balance('card:eli');
-- Goods come back before their time: pending ones go first, and no debt arises.
SELECT transfer_id AS t FROM o2o.points_earn('card:eli', 40, 'club', activate_at => now() + interval '14 days') \gset
SELECT taken, owed, balance FROM o2o.points_clawback(:t, 15);
SELECT balance, held, available FROM o2o.points_balance('card:eli');
SELECT activated, balance FROM o2o.points_activate(:t);
SELECT balance, held, available FROM o2o.points_balance('card:eli');
BEGIN;
SELECT balance FROM o2o.points_earn('card:eli', 7, 'club', activate_at => now() + interval '100 milliseconds');
SELECT available FROM o2o.points_balance('card:eli');
COMMIT;
SELECT FROM pg_sleep(0.11);
SELECT balance, held, available FROM o2o.points_balance('card:eli');
SELECT balance FROM o2o.points_burn('card:eli', 57, 'club');
SELECT * FROM o2o.points_verify();

-- What is wrong is found: each by its own name, in transactions that are undone.
CREATE PROCEDURE pg_temp.damage(title text, damage text) LANGUAGE plpgsql AS $$
DECLARE found text;
BEGIN
	EXECUTE damage;
	found := (SELECT string_agg(DISTINCT v."check", ', ' ORDER BY v."check") FROM o2o.points_verify('club') v);
	ROLLBACK;
	RAISE INFO '%: %', title, found;
END $$;
CALL pg_temp.damage('nothing', 'SELECT 1');
CALL pg_temp.damage('an account holds more', $$UPDATE o2o.points_account SET held = held + 1 WHERE program = 'club'$$);
CALL pg_temp.damage('a lot holds more', 'UPDATE o2o.points_lot SET held = held + 1 WHERE held > 0');
CALL pg_temp.damage('a lot holds without a hold', $$UPDATE o2o.points_lot l SET held = 1 FROM o2o.points_account a WHERE a.account_id = l.account_id AND a.program = 'club' AND l.held = 0$$);
CALL pg_temp.damage('more on hold than there is', $$UPDATE o2o.points_lot SET held = held + 100 WHERE held > 0$$);
CALL pg_temp.damage('a portion is missing', 'DELETE FROM o2o.points_hold_part WHERE is_open');
CALL pg_temp.damage('a portion grew', 'UPDATE o2o.points_hold_part SET amount = amount + 1 WHERE is_open');
CALL pg_temp.damage('a portion closed', 'UPDATE o2o.points_hold_part SET is_open = false WHERE is_open');
CALL pg_temp.damage('a captured hold opens', $$UPDATE o2o.points_hold_part SET is_open = true WHERE hold_id IN (SELECT hold_id FROM o2o.points_hold WHERE state = 'captured')$$);
CALL pg_temp.damage('captured more than burned', $$UPDATE o2o.points_hold SET captured = captured + 1 WHERE state = 'captured'$$);
CALL pg_temp.damage('a hold without its row', $$DELETE FROM o2o.points_hold WHERE state = 'open'$$);
CALL pg_temp.damage('a hold that ends at another time', $$UPDATE o2o.points_hold SET expires_at = expires_at + interval '1 day' WHERE state = 'open'$$);

\c contrib_regression
SET client_min_messages = warning;
DROP DATABASE o2o_points_hold;
DROP ROLE o2o_points_hold_owner;
