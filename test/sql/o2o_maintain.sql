-- maintain() commits as it goes: nobody waits for an account longer than a batch
-- takes, and two batches in one transaction would lock accounts in two orders.
-- In a database of its own: the model belongs to an owner who is no superuser.
SET client_min_messages = warning;
DROP DATABASE IF EXISTS o2o_maintain;
CREATE DATABASE o2o_maintain;
\c o2o_maintain
SET client_min_messages = warning;
CREATE ROLE o2o_maintain_owner;
CREATE EXTENSION "O2O" CASCADE;
GRANT USAGE, CREATE ON SCHEMA o2o TO o2o_maintain_owner;
CALL o2o.setup(owner => 'o2o_maintain_owner');
SET ROLE o2o_maintain_owner;
\set SHOW_CONTEXT never
SELECT o2o.points_program_create('club', 'Club', currency => 'CNY', expires_after => '1 day');
INSERT INTO o2o.import_points (batch_id, profile_id, program, operation, amount, occurred_at, reference)
SELECT 1, n, 'club', 'opening', 1, now() - interval '1 month', 'opening' FROM generate_series(1, 2500) n;
SELECT o2o.points_import(1);
CALL o2o.maintain(0);
SELECT count(*) AS swept_in_no_time FROM o2o.points_posting WHERE operation = 'expire';
CALL o2o.maintain(600);
SELECT count(*) AS swept, count(DISTINCT p.xmin::text) AS transactions FROM o2o.points_posting p WHERE p.operation = 'expire';
-- It goes on where it ended; a lot that gets points after it expired waits for the daily look at all of them.
SELECT reached = whole_at AS has_seen_all, reached > now() - interval '1 hour' AS just_now FROM o2o.maintenance WHERE step = 'points_expire';
INSERT INTO o2o.import_points (batch_id, profile_id, program, operation, amount, occurred_at, reference) VALUES (2, 1, 'club', 'opening', 3, now() - interval '2 months', 'late');
SELECT o2o.points_import(2);
CALL o2o.maintain(600);
SELECT sum(remaining::numeric) AS not_swept FROM o2o.points_lot;
UPDATE o2o.maintenance SET whole_at = now() - interval '25 hours' WHERE step = 'points_expire';
CALL o2o.maintain(600);
SELECT sum(remaining::numeric) AS not_swept FROM o2o.points_lot;
SELECT step, CASE step WHEN 'points_rollup' THEN regexp_replace(done, '^\d+', 'so many') ELSE done END AS done FROM o2o.maintenance WHERE step <> 'partitions' ORDER BY step;
-- The whole ledger once a week; what was posted since in between, which does not see a change of what is older; again
-- whole until nothing is found.
CREATE FUNCTION pg_temp.verified() RETURNS TABLE (done text, whole_now boolean, snapshots bigint) LANGUAGE sql AS $$
	SELECT regexp_replace(m.done, 'snapshot \d+', 'snapshot N'), m.whole_at > now() - interval '1 hour', (SELECT count(*) FROM o2o.points_snapshot)
	FROM o2o.maintenance m WHERE m.step = 'verify' $$;
CALL o2o.maintain(600);
SELECT * FROM pg_temp.verified();
UPDATE o2o.points_posting SET balance = 5 WHERE (profile_id, version) = (7, 1);
CALL o2o.maintain(600);
SELECT * FROM pg_temp.verified();
UPDATE o2o.maintenance SET whole_at = now() - interval '8 days' WHERE step = 'verify';
CALL o2o.maintain(600);
SELECT * FROM pg_temp.verified();
SELECT status FROM o2o.health() WHERE "check" = 'verify';
UPDATE o2o.points_posting SET balance = 1 WHERE (profile_id, version) = (7, 1);
CALL o2o.maintain(600, verify_whole => '1 day');
SELECT * FROM pg_temp.verified();
-- What is posted wrongly since the snapshot is seen each time.
SELECT balance FROM o2o.points_earn((SELECT profile_id FROM o2o.identify('["card:1"]', 'pos')), 5, 'club');
UPDATE o2o.points_posting SET balance = 6 WHERE amount::numeric = 5;
CALL o2o.maintain(600);
SELECT * FROM pg_temp.verified();
UPDATE o2o.points_posting SET balance = 5 WHERE amount::numeric = 5;
CALL o2o.maintain(600, verify_whole => '0');
SELECT * FROM pg_temp.verified();
BEGIN;
CALL o2o.maintain(600);
ROLLBACK;
\c contrib_regression
SET client_min_messages = warning;
DROP DATABASE o2o_maintain;
DROP ROLE o2o_maintain_owner;
