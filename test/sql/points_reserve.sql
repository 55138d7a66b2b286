-- Money in reserve: what it covers, by ratio, rate and policy; deposits, withdrawals, refusals.
SET client_min_messages = warning;
DROP DATABASE IF EXISTS o2o_points_reserve;
CREATE DATABASE o2o_points_reserve;
\c o2o_points_reserve
SET client_min_messages = warning;
CREATE ROLE o2o_points_reserve_owner;
CREATE EXTENSION "O2O" CASCADE;
GRANT USAGE, CREATE ON SCHEMA o2o TO o2o_points_reserve_owner;
CALL o2o.setup(owner => 'o2o_points_reserve_owner');
RESET client_min_messages;
SET ROLE o2o_points_reserve_owner;
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
	RETURN SQLSTATE || ' ' || concat_ws(' | ', SQLERRM, CASE WHEN SQLSTATE <> '23514' THEN regexp_replace(nullif(detail, ''), 'Budget \d+', 'Budget N') END);
END $$;

SELECT o2o.points_program_create('club', 'Club', 'CNY', cost_per_point => 0.02, expected_redemption => 0.5);
SELECT o2o.points_program_create('ten', 'Ten to one', 'CNY', cost_per_point => 0.01, expected_redemption => 0.8, reserve_policy => 'enforce', reserve_ratio => 10);
SELECT o2o.points_program_create('free', 'Free', 'CNY', cost_per_point => 0, reserve_policy => 'enforce');
SELECT outcome FROM o2o.identify('{"card": "ann"}', 'pos');
SELECT outcome FROM o2o.identify('{"card": "bob"}', 'pos');

-- No policy: points may be issued, and the view says what is missing. 1,000 × 0.02 × 0.5 = 10.
SELECT balance FROM o2o.points_earn('card:ann', 1000, 'club');
SELECT * FROM o2o.points_reserve WHERE program = 'club';
SELECT count(*) FROM o2o.points_verify();
-- warn: verify tells it. Then it is paid in.
SELECT * FROM o2o.points_reserve_set('club', 'warn');
SELECT "check", detail FROM o2o.points_verify();
SELECT reserve FROM o2o.points_reserve_deposit('club', 12, 'bank', idempotency_key => 'd1');
SELECT reserve FROM o2o.points_reserve_deposit('club', 12, 'bank', idempotency_key => 'd1');
SELECT pg_temp.try($$SELECT o2o.points_reserve_deposit('club', 13, 'bank', idempotency_key => 'd1')$$);
SELECT outstanding, required, reserve, reserve_ratio, headroom, is_breached FROM o2o.points_reserve_status('club');

-- enforce: 200 more are covered, to the last point.
SELECT * FROM o2o.points_reserve_set('club', 'enforce');
SELECT balance FROM o2o.points_earn('card:ann', 150, 'club');
SELECT pg_temp.try($$SELECT o2o.points_earn('card:ann', 51, 'club')$$);
SELECT balance FROM o2o.points_earn('card:bob', 50, 'club');
SELECT pg_temp.try($$SELECT o2o.points_earn('card:bob', 1, 'club')$$);
SELECT pg_temp.try($$SELECT o2o.points_adjust('card:bob', 1, 'club', 'gift')$$);
-- What is burned can be issued again; what is given is neither; what is refunded is, whatever the reserve says.
SELECT transfer_id AS burn FROM o2o.points_burn('card:ann', 30, 'club') \gset
SELECT balance FROM o2o.points_earn('card:bob', 30, 'club');
SELECT balance FROM o2o.points_transfer('card:ann', 'card:bob', 20, 'club');
SELECT pg_temp.try($$SELECT o2o.points_earn('card:bob', 1, 'club')$$);
SELECT refunded FROM o2o.points_refund(:burn);
SELECT outstanding, headroom, is_breached FROM o2o.points_reserve_status('club');
SELECT "check", detail FROM o2o.points_verify('club');
SELECT pg_temp.try($$SELECT o2o.points_earn('card:bob', 1, 'club')$$);
SELECT reserve FROM o2o.points_reserve_deposit('club', 0.5, 'bank');
SELECT balance FROM o2o.points_earn('card:bob', 20, 'club');
SELECT pg_temp.try($$SELECT o2o.points_earn('card:bob', 1, 'club')$$);
-- A refund takes from what may be issued: 40 are burned, 10 of them issued again, 10 refunded, so that 20 are left.
SELECT transfer_id AS burn FROM o2o.points_burn('card:bob', 40, 'club') \gset
SELECT balance FROM o2o.points_earn('card:bob', 10, 'club');
SELECT refunded FROM o2o.points_refund(:burn, 10);
SELECT pg_temp.try($$SELECT o2o.points_earn('card:bob', 21, 'club')$$);
SELECT balance FROM o2o.points_earn('card:bob', 20, 'club');
SELECT pg_temp.try($$SELECT o2o.points_earn('card:bob', 1, 'club')$$);
SELECT count(*) FROM o2o.points_verify('club');

-- Withdrawals: never what is required, never more than there is.
SELECT pg_temp.try($$SELECT o2o.points_reserve_withdraw('club', 0.0001, 'profit')$$);
SELECT balance FROM o2o.points_burn('card:ann', 100, 'club');
SELECT pg_temp.try($$SELECT o2o.points_reserve_withdraw('club', 1.0001, 'profit')$$);
SELECT reserve FROM o2o.points_reserve_withdraw('club', 0.75, 'profit', idempotency_key => 'w1');
SELECT reserve FROM o2o.points_reserve_withdraw('club', 0.75, 'profit', idempotency_key => 'w1');
SELECT pg_temp.try($$SELECT o2o.points_earn('card:bob', 26, 'club')$$);
SELECT balance FROM o2o.points_earn('card:bob', 25, 'club');
SELECT * FROM o2o.points_reserve_set('club', 'none');
SELECT pg_temp.try($$SELECT o2o.points_reserve_withdraw('club', 11.7501, 'profit')$$);
SELECT reserve FROM o2o.points_reserve_withdraw('club', 11.75, 'closing');
SELECT pg_temp.try(q) FROM unnest(ARRAY[
	$$SELECT o2o.points_reserve_withdraw('none', 1, 'x')$$,
	$$SELECT o2o.points_reserve_withdraw('club', -1, 'x')$$,
	$$SELECT o2o.points_reserve_withdraw('club', 1, '')$$,
	$$SELECT o2o.points_reserve_set('none', 'warn')$$,
	$$SELECT o2o.points_reserve_set('club', 'hope')$$,
	$$SELECT o2o.points_reserve_set('club', 'warn', 0.5)$$,
	$$SELECT o2o.points_reserve_set('club', 'warn', 101)$$]) q;

-- Ten to one: 1,000 × 0.01 × 0.8 = 8 need 0.8.
SELECT reserve FROM o2o.points_reserve_deposit('ten', 0.8, 'bank');
SELECT pg_temp.try($$SELECT o2o.points_earn('card:ann', 1001, 'ten')$$);
SELECT balance FROM o2o.points_earn('card:ann', 1000, 'ten');
SELECT * FROM o2o.points_reserve_status('ten');
SELECT pg_temp.try($$SELECT o2o.points_earn('card:ann', 1, 'ten')$$);
-- A hundred to one: 9,000 more. At one to one, nothing more until it is paid in.
SELECT * FROM o2o.points_reserve_set('ten', 'enforce', 100);
SELECT balance FROM o2o.points_earn('card:ann', 9000, 'ten');
SELECT pg_temp.try($$SELECT o2o.points_earn('card:ann', 1, 'ten')$$);
SELECT * FROM o2o.points_reserve_set('ten', 'enforce', 1);
-- A new rate is obeyed at once: at a hundredth of the cost the 0.8 cover 10,000 points at 0.00008, and no more.
INSERT INTO o2o.points_program_rate VALUES ('ten', now(), 1, 0.01, 0.0001, 0.8);
SELECT outstanding, required, headroom FROM o2o.points_reserve_status('ten');
SELECT pg_temp.try($$SELECT o2o.points_earn('card:ann', 1, 'ten')$$);
SELECT balance FROM o2o.points_burn('card:ann', 4000, 'ten');
SELECT balance FROM o2o.points_earn('card:ann', 1500, 'ten');
INSERT INTO o2o.points_program_rate VALUES ('ten', clock_timestamp(), 1, 0.01, 0.0002, 0.8);
SELECT pg_temp.try($$SELECT o2o.points_earn('card:ann', 1, 'ten')$$);
INSERT INTO o2o.points_program_rate VALUES ('ten', clock_timestamp(), 1, 0.01, 0.0001, 0.8);
SELECT balance FROM o2o.points_earn('card:ann', 2500, 'ten');
SELECT pg_temp.try($$SELECT o2o.points_earn('card:ann', 1, 'ten')$$);
-- Where the money does not divide, no fraction of a point too many: 1 covers 33.3333 at 0.03 each.
SELECT o2o.points_program_create('thirds', 'Thirds', 'CNY', scale => 4, cost_per_point => 0.03, reserve_policy => 'enforce');
SELECT reserve FROM o2o.points_reserve_deposit('thirds', 1, 'bank');
SELECT balance FROM o2o.points_earn('card:ann', 33, 'thirds');
SELECT pg_temp.try($$SELECT o2o.points_earn('card:ann', '0.3334', 'thirds')$$);
SELECT balance FROM o2o.points_earn('card:ann', '0.3333', 'thirds');
SELECT pg_temp.try($$SELECT o2o.points_earn('card:ann', '0.0001', 'thirds')$$);
SELECT outstanding, headroom, is_breached FROM o2o.points_reserve_status('thirds');
-- Points that cost nothing need no reserve.
SELECT balance FROM o2o.points_earn('card:ann', 1000000, 'free');
SELECT outstanding, required, reserve, headroom, is_breached FROM o2o.points_reserve_status('free');
-- The import draws too, once for all its rows.
INSERT INTO o2o.import_points (batch_id, profile_id, program, operation, amount, occurred_at)
SELECT 1, person_profile('card:bob'), 'ten', 'earn', 1, now() FROM generate_series(1, 3);
SELECT pg_temp.try($$SELECT o2o.points_import(1)$$);
SELECT balance FROM o2o.points_burn('card:ann', 3, 'ten');
SELECT o2o.points_import(1);
SELECT pg_temp.try($$SELECT o2o.points_earn('card:ann', 1, 'ten')$$);
SELECT count(*) FROM o2o.points_verify();
-- Outstanding by the rollup and what came since, against the lots: those that expire at, just before and just after full hours, within
-- the hour, and never; expired ones, swept or not; expired ones on hold; refunds to such lots.
SELECT o2o.points_program_create('hours', 'Hours', 'CNY', cost_per_point => 1, expires_after => interval '30 days', expires_round => 'none');
-- Another transaction of the server, such as that of autovacuum, may keep it back for a while.
CREATE PROCEDURE pg_temp.rollup() LANGUAGE plpgsql AS $$
BEGIN
	LOOP
		PERFORM o2o.points_rollup_advance();
		EXIT WHEN (SELECT max(p.seq) FROM o2o.points_posting p) < (SELECT h.horizon FROM o2o.points_rollup_horizon h);
		COMMIT;
		PERFORM pg_sleep(0.01);
	END LOOP;
END $$;
CREATE FUNCTION pg_temp.hour() RETURNS timestamptz LANGUAGE sql AS $$ SELECT date_trunc('hour', now(), 'UTC') - interval '720 hours' $$;
CREATE FUNCTION pg_temp.compare() RETURNS TABLE (outstanding numeric, of_lots numeric, reserved numeric) LANGUAGE sql AS $$
	SELECT o2o.points_outstanding('hours'), sum(CASE WHEN l.expires_at > now() THEN l.remaining ELSE l.held END::numeric),
		(SELECT r.outstanding FROM o2o.points_reserve r WHERE r.program = 'hours')
	FROM o2o.points_lot l JOIN o2o.points_account a USING (profile_id, account_id) WHERE a.program = 'hours' $$;
SELECT count(o2o.points_earn('card:ann', m.amount, 'hours', occurred_at => m.at)) FROM (
	SELECT 1, pg_temp.hour() UNION ALL SELECT 2, pg_temp.hour() - interval '1 microsecond' UNION ALL SELECT 4, pg_temp.hour() + interval '1 hour' UNION ALL
	SELECT 8, pg_temp.hour() + interval '1 hour 1 microsecond' UNION ALL SELECT 16, pg_temp.hour() + interval '3 hours' UNION ALL
	SELECT 32, now() - interval '720 hours' + interval '1 second' UNION ALL SELECT 64, now()) m (amount, at);
SELECT outstanding = of_lots AND outstanding = reserved AS same, outstanding BETWEEN 88 AND 124 AS right FROM pg_temp.compare();
CALL pg_temp.rollup();
SELECT count(*) > 3 AS has_hours FROM o2o.points_rollup_lot WHERE program = 'hours';
SELECT outstanding = of_lots AND outstanding = reserved AS same FROM pg_temp.compare();
UPDATE o2o.points_program SET expires_after = NULL WHERE program = 'hours';
SELECT balance >= 128 AS never FROM o2o.points_earn('card:ann', 128, 'hours');
SELECT outstanding = of_lots AND outstanding = reserved AS same FROM pg_temp.compare();
-- All of the next hour on hold, and burned in part; the burn goes back.
SELECT available >= 0 AS held FROM o2o.points_hold('card:ann', 12, 'hours', interval '2 days');
SELECT transfer_id AS burn FROM o2o.points_burn('card:ann', 20, 'hours') \gset
SELECT outstanding = of_lots AS same FROM pg_temp.compare();
CALL pg_temp.rollup();
SELECT refunded FROM o2o.points_refund(:burn, 15);
SELECT outstanding = of_lots AS same FROM pg_temp.compare();
-- Their hour is over: as if two days had passed.
BEGIN;
UPDATE o2o.points_lot SET expires_at = expires_at - interval '2 days' WHERE expires_at < 'infinity';
UPDATE o2o.points_posting SET expires_at = expires_at - interval '2 days' WHERE expires_at < 'infinity';
UPDATE o2o.points_hold_part SET expires_at = expires_at - interval '2 days' WHERE expires_at < 'infinity';
UPDATE o2o.points_rollup_lot SET expires_by = expires_by - interval '2 days' WHERE expires_by < 'infinity';
SELECT outstanding = of_lots AND outstanding = reserved AS same FROM pg_temp.compare();
SELECT o2o.points_expire(1000) > 0 AS swept;
SELECT outstanding = of_lots AND outstanding = reserved AS same FROM pg_temp.compare();
ROLLBACK;
SELECT count(*) FROM o2o.points_verify();
-- More promised than covered is told.
BEGIN;
UPDATE o2o.points_stripe SET available = 5 WHERE stripe = 1 AND account_id = (SELECT account_id FROM o2o.points_reserve_headroom WHERE program = 'ten');
SELECT "check", program, detail FROM o2o.points_verify();
ROLLBACK;

\c contrib_regression
SET client_min_messages = warning;
DROP DATABASE o2o_points_reserve;
DROP ROLE o2o_points_reserve_owner;
