-- More points issued than one amount of points can be: sums are numeric, and all that reads them goes on.
SET client_min_messages = warning;
DROP DATABASE IF EXISTS o2o_points_large;
CREATE DATABASE o2o_points_large;
\c o2o_points_large
SET client_min_messages = warning;
CREATE ROLE o2o_points_large_owner;
CREATE EXTENSION "O2O" CASCADE;
GRANT USAGE, CREATE ON SCHEMA o2o TO o2o_points_large_owner;
CALL o2o.setup(owner => 'o2o_points_large_owner');
RESET client_min_messages;
SET ROLE o2o_points_large_owner;
SET search_path = public, o2o;

SELECT o2o.points_program_create('club', 'Club', 'CNY', scale => 4, cost_per_point => 0.0001);
SELECT count(o2o.identify(format('["card:%s"]', n)::jsonb, 'pos')) FROM generate_series(1, 3) n;
SELECT count(o2o.points_earn(format('card:%s', n)::identifier, 900000000000000.0001::points, 'club')) FROM generate_series(1, 3) n;
CREATE PROCEDURE pg_temp.rollup() LANGUAGE plpgsql AS $$
BEGIN
	-- Autovacuum may have a transaction open.
	LOOP
		PERFORM o2o.points_rollup_advance();
		EXIT WHEN (SELECT coalesce(max(p.seq), 0) FROM o2o.points_posting p) < (SELECT h.horizon FROM o2o.points_rollup_horizon h);
		PERFORM pg_sleep(0.01);
	END LOOP;
END $$;
-- Above the horizon, and below it.
SELECT kind, balance FROM o2o.points_system_balance('club') WHERE balance <> 0;
SELECT o2o.points_snapshot_take() AS early \gset
CALL pg_temp.rollup();
SELECT kind, balance FROM o2o.points_system_balance('club') WHERE balance <> 0;
SELECT o2o.points_snapshot_take() AS taken \gset
SELECT balance FROM o2o.points_burn('card:1', '0.0002', 'club');
SELECT transfer_id AS burn, balance FROM o2o.points_burn('card:2', '899999999999999', 'club') \gset
SELECT refunded FROM o2o.points_refund(:burn);
SELECT * FROM o2o.points_verify();
SELECT * FROM o2o.points_verify(since => :early);
SELECT * FROM o2o.points_verify(since => :taken);
CALL pg_temp.rollup();
SELECT * FROM o2o.points_verify(since => :taken);
SELECT kind, balance FROM o2o.points_system_balance('club') WHERE balance <> 0;
SELECT outstanding, required FROM o2o.points_reserve_status('club');
SELECT outstanding, liability FROM o2o.points_liability;
SELECT granted, redeemed FROM o2o.points_cohorts ORDER BY 1, 2;
-- A total that was changed is told; one that is no number is an error.
BEGIN;
UPDATE o2o.points_rollup SET balance = balance - 0.0001;
SELECT "check", regexp_replace(detail, 'account \d+', 'account N') AS detail FROM o2o.points_verify() ORDER BY 1, 2;
ROLLBACK;
BEGIN;
UPDATE o2o.points_rollup SET balance = 'NaN';
SELECT * FROM o2o.points_verify();
ROLLBACK;

\c contrib_regression
SET client_min_messages = warning;
DROP DATABASE o2o_points_large;
DROP ROLE o2o_points_large_owner;
