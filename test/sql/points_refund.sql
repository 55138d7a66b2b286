-- What was posted is given or taken back: refund, clawback, debts, adjustment, reversal.
SET client_min_messages = warning;
DROP DATABASE IF EXISTS o2o_points_refund;
CREATE DATABASE o2o_points_refund;
\c o2o_points_refund
SET client_min_messages = warning;
CREATE ROLE o2o_points_refund_owner;
CREATE EXTENSION "O2O" CASCADE;
GRANT USAGE, CREATE ON SCHEMA o2o TO o2o_points_refund_owner;
CALL o2o.setup(owner => 'o2o_points_refund_owner');
RESET client_min_messages;
SET ROLE o2o_points_refund_owner;
SET search_path = public, o2o;
\set SHOW_CONTEXT never
SET datestyle = ISO;

-- What a statement answers, or its error with SQLSTATE and detail; numbers are not told.
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
SELECT o2o.points_program_create('short', 'Short', 'CNY', expires_after => '10 days', expires_round => 'none', clawback_policy => 'debt');
SELECT o2o.points_program_create('grace', 'Grace', 'CNY', expires_after => '10 days', expires_round => 'none', clawback_policy => 'available', refund_grace => '30 days');
SET intervalstyle = postgres;
SELECT pg_temp.try($$SELECT o2o.points_program_create('c2', 'C', 'CNY', refund_grace => '0')$$), pg_temp.try($$SELECT o2o.points_program_create('c2', 'C', 'CNY', clawback_policy => 'x')$$) ~ '^23514' AS policy;
SELECT outcome FROM o2o.identity_resolve('{card:ann,phone:+8613800138000}', 'pos', 'e1', now());
SELECT outcome FROM o2o.identity_resolve('{card:bob}', 'pos', 'e2', now());
CREATE TEMP VIEW who AS SELECT lower(i.identifier::text) AS who, i.profile_id FROM o2o.profile_identifier i;
CREATE TEMP VIEW lot AS
	SELECT w.who, a.program, l.granted, l.remaining, l.consumed, l.expired, l.clawed, l.held
	FROM o2o.points_lot l JOIN o2o.points_account a USING (profile_id, account_id) JOIN who w USING (profile_id)
	ORDER BY a.program, w.who COLLATE "C", l.expires_at, l.grant_month, l.funding;
CREATE TEMP VIEW posting AS
	SELECT w.who, a.program, a.kind, p.version, p.operation, s.kind AS contra, p.amount, p.balance, y.who AS acting, p.reason
	FROM o2o.points_posting p JOIN o2o.points_account a USING (profile_id, account_id) JOIN who w USING (profile_id)
		JOIN who y ON y.profile_id = p.acting_profile_id JOIN o2o.points_system_account s ON s.account_id = p.contra_account_id
	ORDER BY a.program, w.who COLLATE "C", a.kind, p.version;

-- Refund: to the lots that they came from, what was taken last first; never more than was burned.
SELECT balance FROM o2o.points_earn('card:ann', 60, 'club', occurred_at => '2026-01-05 10:00+08');
SELECT balance FROM o2o.points_earn('phone:+8613800138000', 40, 'club', occurred_at => '2026-02-05 10:00+08');
SELECT transfer_id AS burn FROM o2o.points_burn('card:ann', 80, 'club', reference => 'pos/1') \gset
SELECT o2o.points_transfer_find('card:ann', 'pos/1', 'club') = :burn AS found;
SELECT refunded, balance FROM o2o.points_refund(:burn, 30, reason => 'part', idempotency_key => 'r1');
SELECT refunded, balance FROM o2o.points_refund(:burn, 30, reason => 'part', idempotency_key => 'r1');
SELECT * FROM lot;
SELECT pg_temp.try(format('SELECT o2o.points_refund(%s, %L)', :burn, a)) FROM unnest('{51,0,-1,0.5}'::text[]) a;
SELECT refunded, balance FROM o2o.points_refund(:burn);
SELECT pg_temp.try(format('SELECT o2o.points_refund(%s)', :burn)), pg_temp.try('SELECT o2o.points_refund(-1)'), pg_temp.try('SELECT o2o.points_refund(NULL)');
SELECT * FROM lot;
SELECT * FROM posting;
SELECT pg_temp.try($$SELECT o2o.points_transfer_find('card:ann', 'pos/2', 'club')$$), pg_temp.try($$SELECT o2o.points_transfer_find('card:ann', 'pos/1', 'club', 'earn')$$);
SELECT * FROM o2o.points_verify();

-- Also after an unmerge, each lot to whom it belongs; a capture is a burn.
SELECT outcome FROM o2o.identity_resolve('{card:cem}', 'pos', 'e3', now());
SELECT outcome FROM o2o.identity_resolve('{card:dee}', 'pos', 'e4', now());
SELECT balance FROM o2o.points_earn('card:cem', 10, 'club', occurred_at => '2026-05-05 10:00+08');
SELECT balance FROM o2o.points_earn('card:dee', 20, 'club', occurred_at => '2026-05-05 10:00+08');
SELECT o2o.customer_merge('card:cem', 'card:dee', 'one person') IS NOT NULL AS merged;
SELECT c.transfer_id AS burn FROM o2o.points_hold('card:cem', 25, 'club') h, o2o.points_capture(h.hold_id) c \gset
SELECT count(*) > 0 AS parted FROM o2o.customer_unmerge((SELECT max(merge_id) FROM o2o.identity_merge), 'two people');
-- (Cem acted, so that cem's were taken first, and dee's come back first.)
BEGIN;
SELECT refunded, balance FROM o2o.points_refund(:burn, 12);
SELECT a.available AS cem, b.available AS dee FROM o2o.points_balance('card:cem') a, o2o.points_balance('card:dee') b;
ROLLBACK;
SELECT refunded, balance FROM o2o.points_refund(:burn);
SELECT a.available AS cem, b.available AS dee FROM o2o.points_balance('card:cem') a, o2o.points_balance('card:dee') b;

-- Refund to a lot that has expired: gone with it, or with grace for a while.
BEGIN;
SELECT o2o.points_earn('card:bob', 50, p, occurred_at => now() - interval '10 days' + interval '100 milliseconds') IS NOT NULL AS earned FROM unnest('{short,grace}'::text[]) p;
SELECT a.transfer_id AS short, b.transfer_id AS grace FROM o2o.points_burn('card:bob', 40, 'short') a, o2o.points_burn('card:bob', 40, 'grace') b \gset
COMMIT;
SELECT FROM pg_sleep(0.11);
SELECT a.refunded, b.refunded FROM o2o.points_refund(:short) a, o2o.points_refund(:grace) b;
SELECT program, balance, available, expiring_30d FROM o2o.points_balance('card:bob');
SELECT o2o.points_expire() AS swept;
SELECT * FROM lot WHERE who = 'card:bob';
SELECT program, version, operation, contra, amount, balance FROM posting WHERE who = 'card:bob';
SELECT * FROM o2o.points_verify();
-- The time of grace is rounded as the program rounds.
BEGIN;
SELECT o2o.points_earn('card:bob', 50, 'grace', occurred_at => now() - interval '10 days' + interval '1 microsecond') IS NOT NULL AS earned;
SELECT transfer_id AS grace FROM o2o.points_burn('card:bob', 5, 'grace') \gset
COMMIT;
UPDATE o2o.points_program SET expires_round = 'day' WHERE program = 'grace';
BEGIN;
SELECT refunded FROM o2o.points_refund(:grace);
SELECT l.remaining, date_trunc('day', l.expires_at AT TIME ZONE 'UTC') = l.expires_at AT TIME ZONE 'UTC' AS end_of_day
FROM o2o.points_lot l JOIN o2o.points_account a USING (profile_id, account_id) WHERE a.program = 'grace' AND l.expires_at > now() ORDER BY 2;
ROLLBACK;
UPDATE o2o.points_program SET expires_round = 'none' WHERE program = 'grace';
SELECT o2o.points_expire() > 0 AS swept;

-- Clawback: of its own lot first.
SELECT transfer_id AS earn FROM o2o.points_earn('card:ann', 100, 'club', reference => 'pos/9', occurred_at => '2026-03-05 10:00+08') \gset
SELECT taken, owed, balance FROM o2o.points_clawback(:earn, 30, reason => 'goods back', idempotency_key => 'c1');
SELECT taken, owed, balance FROM o2o.points_clawback(:earn, 30, reason => 'goods back', idempotency_key => 'c1');
SELECT pg_temp.try(format('SELECT o2o.points_clawback(%s, %L)', :earn, a)) FROM unnest('{71,0}'::text[]) a;
SELECT pg_temp.try(format('SELECT o2o.points_clawback(%s)', :burn)), pg_temp.try('SELECT o2o.points_clawback(-1)');
SELECT * FROM lot WHERE program = 'club' AND who !~ 'cem|dee';
-- Then of what else there is, never of what is on hold, then below zero, in a posting of its own.
SELECT hold_id AS hold FROM o2o.points_hold('card:ann', 100, 'club') \gset
SELECT balance FROM o2o.points_burn('card:ann', 60, 'club');
SELECT taken, owed, balance FROM o2o.points_clawback(:earn, reason => 'goods back');
SELECT balance, held, available FROM o2o.points_balance('card:ann');
SELECT captured, balance FROM o2o.points_capture(:hold);
SELECT balance, held, available FROM o2o.points_balance('card:ann');
SELECT pg_temp.try($$SELECT o2o.points_burn('card:ann', 1, 'club')$$), pg_temp.try(format('SELECT o2o.points_clawback(%s)', :earn));
SELECT * FROM o2o.points_verify();
-- Not of its own lot either: 2 of the 10 are free, 8 are owed, and what is on hold is captured as if nothing had been.
BEGIN;
SELECT transfer_id AS own FROM o2o.points_earn('card:bob', 10, 'club') \gset
SELECT hold_id AS hold FROM o2o.points_hold('card:bob', 8, 'club') \gset
SELECT taken, owed, balance FROM o2o.points_clawback(:own);
SELECT captured, balance FROM o2o.points_capture(:hold);
SELECT granted, remaining, consumed, clawed FROM lot WHERE who = 'card:bob' AND program = 'club';
SELECT * FROM o2o.points_verify();
ROLLBACK;
-- What is earned next repays it.
SELECT balance FROM o2o.points_earn('card:ann', 50, 'club', occurred_at => '2026-06-05 10:00+08');
SELECT balance FROM o2o.points_earn('card:ann', 50, 'club', occurred_at => '2026-06-05 10:00+08');
SELECT * FROM posting WHERE program = 'club' AND who = 'card:ann' AND version > 4;
SELECT a.balance, a.debt FROM o2o.points_account a JOIN who w USING (profile_id) WHERE w.who = 'card:ann';
SELECT * FROM o2o.points_verify();

-- A debt on an account of its own; a member of the customer pays for the other.
SELECT transfer_id AS earn FROM o2o.points_earn('card:dee', 30, 'short') \gset
SELECT balance FROM o2o.points_burn('card:dee', 25, 'short');
SELECT taken, owed, balance FROM o2o.points_clawback(:earn);
SELECT program, balance, available FROM o2o.points_balance('card:dee');
SELECT points_balance, points_available FROM o2o.customer_360 c JOIN o2o.profile p USING (customer_id) JOIN who w USING (profile_id) WHERE w.who = 'card:dee';
SELECT balance FROM o2o.points_earn('card:cem', 40, 'short');
SELECT o2o.customer_merge('card:cem', 'card:dee', 'one person') IS NOT NULL AS merged;
SELECT program, balance, available FROM o2o.points_balance('card:dee');
SELECT pg_temp.try($$SELECT o2o.points_burn('card:cem', 16, 'short')$$);
INSERT INTO o2o.import_points (batch_id, profile_id, program, operation, amount, occurred_at)
SELECT 1, w.profile_id, 'short', 'burn', a::o2o.points, now() FROM who w, unnest('{16,5}'::text[]) a WHERE who = 'card:cem' ORDER BY a;
SELECT o2o.points_import(1);
SELECT problem, available FROM o2o.import_points_problem;
SELECT balance FROM o2o.points_burn('card:cem', 10, 'short');
SELECT balance FROM o2o.points_earn('card:dee', 100, 'short');
SELECT version, kind, operation, amount, balance FROM posting WHERE who = 'card:dee' AND program = 'short';
SELECT program, balance, available FROM o2o.points_balance('card:dee');
-- No more than there is.
SELECT transfer_id AS earn FROM o2o.points_earn('card:dee', 30, 'grace') \gset
SELECT balance FROM o2o.points_burn('card:dee', 25, 'grace');
SELECT taken, owed, balance FROM o2o.points_clawback(:earn);
SELECT clawback_transfer_id IS NULL AS nothing, taken, owed, balance FROM o2o.points_clawback(:earn);
-- What expired unspent is not owed.
SELECT balance FROM o2o.points_earn('card:bob', 100, 'short');
SELECT transfer_id AS earn FROM o2o.points_earn('card:bob', 30, 'short', occurred_at => now() - interval '11 days') \gset
SELECT o2o.points_expire() AS swept;
SELECT taken, owed, balance FROM o2o.points_clawback(:earn);
SELECT * FROM lot WHERE who = 'card:bob' AND program = 'short';
SELECT * FROM o2o.points_verify();

-- Adjustments, signed.
SELECT balance FROM o2o.points_adjust('card:bob', 7, 'club', 'goodwill', 'ticket/1', 'a1');
SELECT balance FROM o2o.points_adjust('card:bob', 7, 'club', 'goodwill', 'ticket/1', 'a1');
SELECT balance FROM o2o.points_adjust('card:bob', -10, 'club', 'counted twice');
SELECT balance FROM o2o.points_adjust('card:bob', 5, 'club', 'goodwill');
SELECT version, operation, contra, amount, balance, reason FROM posting WHERE who = 'card:bob' AND program = 'club';
SELECT pg_temp.try(q) FROM unnest(ARRAY[
	$$SELECT o2o.points_adjust('card:bob', -100, 'grace', 'x')$$, $$SELECT o2o.points_adjust('card:bob', 0, 'club', 'x')$$,
	$$SELECT o2o.points_adjust('card:bob', NULL, 'club', 'x')$$, $$SELECT o2o.points_adjust('card:bob', 1, 'club', '')$$,
	$$SELECT o2o.points_adjust('card:bob', 8, 'club', 'goodwill', 'ticket/1', 'a1')$$]) q;
SELECT * FROM o2o.points_verify();

-- Reversal of whole transfers.
SELECT transfer_id AS earn FROM o2o.points_earn('card:bob', 50, 'club') \gset
SELECT transfer_id AS burn FROM o2o.points_burn('card:bob', 20, 'club') \gset
SELECT clawback_transfer_id AS claw FROM o2o.points_clawback(:earn, 45) \gset
SELECT balance FROM o2o.points_balance('card:bob') WHERE program = 'club';
SELECT amount, balance FROM o2o.points_reverse(:claw, 'not this one', 'v1');
SELECT amount, balance FROM o2o.points_reverse(:claw, 'not this one', 'v1');
SELECT amount, balance FROM o2o.points_reverse(:burn, 'wrong till');
SELECT amount, balance FROM o2o.points_reverse(:earn, 'wrong card');
SELECT transfer_id AS minus FROM o2o.points_adjust('card:bob', -9, 'club', 'oops') \gset
SELECT balance FROM o2o.points_earn('card:bob', 4, 'club');
SELECT amount, balance FROM o2o.points_reverse(:minus, 'oops again');
SELECT version, operation, contra, amount, balance, reason FROM posting WHERE who = 'card:bob' AND program = 'club' AND version > 4;
SELECT pg_temp.try(format('SELECT o2o.points_reverse(%s, %L)', t, 'again')) FROM unnest(ARRAY[:claw, :burn, :earn, :minus, -1]) t;
SELECT transfer_id AS gift FROM o2o.points_transfer('card:bob', 'card:ann', 1, 'club') \gset
SELECT pg_temp.try(format('SELECT o2o.points_reverse(%s, %L)', :gift, 'gift')), pg_temp.try(format('SELECT o2o.points_reverse(%s, NULL)', :earn));
SELECT * FROM o2o.points_verify();

-- What is wrong is found: each by its own name, in transactions that are undone.
CREATE PROCEDURE pg_temp.damage(title text, damage text) LANGUAGE plpgsql AS $$
DECLARE found text;
BEGIN
	EXECUTE damage;
	found := (SELECT string_agg(DISTINCT v."check", ', ' ORDER BY v."check") FROM o2o.points_verify() v);
	ROLLBACK;
	RAISE INFO '%: %', title, found;
END $$;
SELECT transfer_id AS earn FROM o2o.points_earn('card:bob', 70, 'club') \gset
SELECT balance FROM o2o.points_burn('card:bob', 70, 'club');
SELECT taken, owed FROM o2o.points_clawback(:earn);
CALL pg_temp.damage('nothing', 'SELECT 1');
CALL pg_temp.damage('a debt forgiven', $$UPDATE o2o.points_account SET debt = debt - 1 WHERE debt > 0$$);
CALL pg_temp.damage('a debt made up', $$UPDATE o2o.points_account SET debt = debt + 1$$);
CALL pg_temp.damage('a clawback counted as consumed', 'UPDATE o2o.points_lot SET consumed = consumed + clawed, clawed = 0 WHERE clawed > 0');
CALL pg_temp.damage('a refund without its lot', $$UPDATE o2o.points_posting SET expires_at = NULL, grant_month = NULL, funding = NULL WHERE operation = 'refund'$$);
CALL pg_temp.damage('more refunded than burned', $$UPDATE o2o.points_posting SET reverses_transfer_id = -1 WHERE operation = 'refund'$$);

\c contrib_regression
SET client_min_messages = warning;
DROP DATABASE o2o_points_refund;
DROP ROLE o2o_points_refund_owner;
