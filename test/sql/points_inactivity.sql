-- Points that are gone because their customer did nothing for long.
SET client_min_messages = warning;
DROP DATABASE IF EXISTS o2o_points_inactivity;
CREATE DATABASE o2o_points_inactivity;
\c o2o_points_inactivity
SET client_min_messages = warning;
CREATE ROLE o2o_points_inactivity_owner;
CREATE EXTENSION "O2O" CASCADE;
GRANT USAGE, CREATE ON SCHEMA o2o TO o2o_points_inactivity_owner;
CALL o2o.setup(owner => 'o2o_points_inactivity_owner');
RESET client_min_messages;
SET ROLE o2o_points_inactivity_owner;
SET search_path = public, o2o;
\set SHOW_CONTEXT never
SET datestyle = ISO;
SET timezone = 'UTC';
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
CREATE TEMP VIEW who AS SELECT lower(i.identifier::text) AS who, i.profile_id FROM o2o.profile_identifier i;
CREATE TEMP VIEW posting AS
	SELECT w.who, p.version, p.operation, p.amount, p.balance, date_trunc('hour', now() - p.occurred_at) AS ago
	FROM o2o.points_posting p JOIN o2o.points_account a USING (profile_id, account_id) JOIN who w USING (profile_id);

SELECT o2o.points_program_create('idle', 'Idle', 'CNY', inactive_after => '100 days');
SELECT pg_temp.try($$SELECT o2o.points_program_create('bad', 'Bad', 'CNY', inactive_after => '0 days')$$);
SELECT count(*) FROM unnest('{ann,bob,cat,dan,eve,fay,gus}'::text[]) u (name), o2o.identity_resolve(ARRAY['card:' || u.name]::o2o.identifier[], 'pos', u.name, now());

-- Nothing since 150 days: gone before any sweep, for balances, views and burns.
SELECT balance FROM o2o.points_earn('card:ann', 70, 'idle', occurred_at => now() - interval '200 days');
SELECT balance FROM o2o.points_earn('card:ann', 30, 'idle', occurred_at => now() - interval '150 days');
SELECT balance, available, expiring_30d FROM o2o.points_balance('card:ann');
SELECT points_balance, points_available FROM o2o.customer_360 WHERE points_program = 'idle';
SELECT expired, outstanding, liability FROM o2o.points_liability WHERE program = 'idle';
SELECT outstanding FROM o2o.points_reserve_status('idle');
SELECT sum(granted) AS granted, sum(expired) AS expired FROM o2o.points_cohorts WHERE program = 'idle';
SELECT pg_temp.try($$SELECT o2o.points_burn('card:ann', 1, 'idle')$$);
SELECT pg_temp.try($$SELECT o2o.points_hold('card:ann', 1, 'idle')$$);
SELECT pg_temp.try($$SELECT o2o.points_transfer('card:ann', 'card:bob', 1, 'idle')$$);
SELECT * FROM o2o.points_verify('idle');

-- What is earned afterwards lives, and brings nothing back. The expiry stands when it came.
SELECT balance FROM o2o.points_earn('card:ann', 5, 'idle');
SELECT * FROM posting WHERE who = 'card:ann' ORDER BY version;
SELECT balance, available, expiring_30d FROM o2o.points_balance('card:ann');
SELECT expired, outstanding FROM o2o.points_liability WHERE program = 'idle';

-- An old fact told late does not end the activity; one told in a batch counts too.
SELECT balance FROM o2o.points_earn('card:ann', 2, 'idle', occurred_at => now() - interval '300 days');
SELECT code, balance FROM o2o.points_post_many('{earn,burn,burn}', NULL, '{4,9,3}', '{idle,idle,idle}', identifiers => '{card:ann,card:ann,card:ann}');

-- Gone within 30 days: 80 of 100 days are over.
SELECT balance FROM o2o.points_earn('card:bob', 40, 'idle', occurred_at => now() - interval '80 days');
SELECT balance, available, expiring_30d FROM o2o.points_balance('card:bob');
-- What takes points back is no activity, what gives them is.
SELECT balance FROM o2o.points_earn('card:cat', 40, 'idle', occurred_at => now() - interval '80 days');
SELECT count(*) FROM o2o.points_adjust('card:bob', -10, 'idle', 'test') a, o2o.points_adjust('card:cat', 10, 'idle', 'test') b;
SELECT balance, available, expiring_30d FROM unnest('{card:bob,card:cat}'::o2o.identifier[]) p (person), o2o.points_balance(p.person) ORDER BY p.person::text;

-- The sweep, and a second one.
SELECT balance FROM o2o.points_earn('card:dan', 11, 'idle', occurred_at => now() - interval '101 days');
SELECT balance FROM o2o.points_earn('card:eve', 12, 'idle', occurred_at => now() - interval '102 days');
SELECT o2o.points_expire(0) AS none, o2o.points_expire(1) AS first, o2o.points_expire(1) AS second, o2o.points_expire() AS rest;
SELECT * FROM posting WHERE operation = 'expire' ORDER BY who;
-- maintain() looks once a day.
SELECT balance FROM o2o.points_earn('card:dan', 13, 'idle', occurred_at => now() - interval '101 days');
CALL o2o.maintain(600);
SELECT done, reached_profile_id, whole_at > now() - interval '1 hour' AS just_now FROM o2o.maintenance WHERE step = 'points_lapse';
SELECT balance FROM o2o.points_earn('card:dan', 14, 'idle', occurred_at => now() - interval '101 days');
CALL o2o.maintain(600);
SELECT balance, available FROM o2o.points_balance('card:dan');

-- Who is given points loses what was gone, and keeps the gift.
SELECT balance FROM o2o.points_transfer('card:cat', 'card:dan', 1, 'idle');
SELECT balance, available FROM o2o.points_balance('card:dan');

-- On hold: stays until the hold is over, and a capture is activity.
SELECT balance FROM o2o.points_earn('card:fay', 50, 'idle');
SELECT hold_id AS hold_a FROM o2o.points_hold('card:fay', 20, 'idle', expires_after => '1 day') \gset
SELECT hold_id AS hold_b FROM o2o.points_hold('card:fay', 6, 'idle', expires_after => '1 day') \gset
UPDATE o2o.points_posting p SET occurred_at = now() - interval '120 days' FROM who w WHERE w.profile_id = p.profile_id AND w.who = 'card:fay';
SELECT balance, held, available FROM o2o.points_balance('card:fay');
SELECT o2o.points_expire();
SELECT balance, held, available FROM o2o.points_balance('card:fay');
SELECT released FROM o2o.points_void(:hold_b);
SELECT balance, held, available FROM o2o.points_balance('card:fay');
SELECT count(*) FROM o2o.points_capture(:hold_a, 15);
SELECT balance, held, available FROM o2o.points_balance('card:fay');
-- Pending ones too: they are gone as soon as they are free.
SELECT transfer_id AS pending FROM o2o.points_earn('card:gus', 8, 'idle', occurred_at => now() - interval '120 days', activate_at => 'infinity') \gset
SELECT balance, held, available FROM o2o.points_balance('card:gus');
SELECT activated FROM o2o.points_activate(:pending);
SELECT balance, held, available FROM o2o.points_balance('card:gus');
-- A refund is activity, and what comes back lives.
SELECT transfer_id AS burn FROM o2o.points_burn('card:cat', 25, 'idle') \gset
UPDATE o2o.points_posting p SET occurred_at = now() - interval '120 days' FROM who w WHERE w.profile_id = p.profile_id AND w.who = 'card:cat';
SELECT refunded FROM o2o.points_refund(:burn);
SELECT balance, available FROM o2o.points_balance('card:cat');
SELECT * FROM o2o.points_verify('idle');

-- A merge: what any profile does counts for all. After the unmerge each stands by its own.
SELECT count(*) FROM unnest('{hal,ida}'::text[]) u (name), o2o.identity_resolve(ARRAY['card:' || u.name]::o2o.identifier[], 'pos', u.name, now());
SELECT balance FROM o2o.points_earn('card:hal', 60, 'idle', occurred_at => now() - interval '120 days');
SELECT balance FROM o2o.points_earn('card:ida', 1, 'idle');
SELECT available FROM o2o.points_balance('card:hal');
SELECT count(o2o.customer_merge('card:hal'::o2o.identifier, 'card:ida', 'test'));
SELECT available FROM o2o.points_balance('card:hal');
SELECT o2o.points_expire();
SELECT count(*) FROM o2o.customer_unmerge((SELECT max(merge_id) FROM o2o.identity_merge), 'test');
SELECT available FROM o2o.points_balance('card:hal');
SELECT available FROM o2o.points_balance('card:ida');
SELECT o2o.points_expire();

-- Two rules: whichever comes first. Calendar months on the clock of the program.
SELECT o2o.points_program_create('both', 'Both', 'CNY', expires_after => '50 days', expires_round => 'none', inactive_after => '100 days');
SELECT count(*) FROM o2o.points_earn('card:ann', 1, 'both', occurred_at => now() - interval '60 days') a, o2o.points_earn('card:bob', 2, 'both') b;
SELECT balance, available, expiring_30d FROM unnest('{card:ann,card:bob}'::o2o.identifier[]) p (person), o2o.points_balance(p.person) WHERE program = 'both' ORDER BY p.person::text;
SELECT o2o.points_program_create('monthly', 'Monthly', 'CNY', 'Asia/Shanghai', inactive_after => '1 month');
SELECT balance FROM o2o.points_earn('card:ann', 1, 'monthly', occurred_at => '2023-01-31 10:00+08');
SELECT balance FROM o2o.points_earn('card:ann', 1, 'monthly', occurred_at => '2023-01-30 23:00+08');
SELECT lapses_at AT TIME ZONE 'Asia/Shanghai' AS lapses FROM o2o.points_lapse WHERE program = 'monthly';
SELECT o2o.points_expire();
SELECT p.occurred_at AT TIME ZONE 'Asia/Shanghai' AS occurred, p.amount FROM o2o.points_posting p JOIN o2o.points_account a USING (profile_id, account_id)
WHERE a.program = 'monthly' AND p.operation = 'expire' ORDER BY p.version;
SELECT * FROM o2o.points_verify();

\c contrib_regression
SET client_min_messages = warning;
DROP DATABASE o2o_points_inactivity;
DROP ROLE o2o_points_inactivity_owner;
