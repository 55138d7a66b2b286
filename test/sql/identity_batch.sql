-- identity_resolve_batch(): history in chunks that are committed one by one; what
-- cannot be taken is kept with its reason, and the rest goes on.
SET client_min_messages = warning;
DROP DATABASE IF EXISTS o2o_identity_batch;
CREATE DATABASE o2o_identity_batch;
\c o2o_identity_batch
SET client_min_messages = warning;
CREATE ROLE o2o_batch_owner;
CREATE EXTENSION "O2O" CASCADE;
GRANT USAGE, CREATE ON SCHEMA o2o TO o2o_batch_owner;
CALL o2o.setup(owner => 'o2o_batch_owner');
RESET client_min_messages;
SET ROLE o2o_batch_owner;
SET search_path = public, o2o;
\set SHOW_CONTEXT never
CREATE VIEW pg_temp.people AS
	SELECT string_agg(i.identifier::text, ' ' ORDER BY i.identifier::text COLLATE "C") AS customer
	FROM o2o.profile p JOIN o2o.profile_identifier i USING (profile_id) GROUP BY p.customer_id ORDER BY 1;
CREATE VIEW pg_temp.progress AS
	SELECT batch_id, rows_total, rows_done, rows_failed, rows_left, rows_per_second > 0 AS has_rate, finished_at IS NOT NULL AS is_finished, last_error FROM o2o.identity_batch_progress;

-- Events in the order of time, in chunks of two: the second union id is refused for the card, as it came second.
INSERT INTO o2o.import_identity (batch_id, source, event_id, occurred_at, identifiers, traits) VALUES
	(1, 'pos', 'e6', '2026-01-06 00:00+00', '{"card": "2", "email": "b@shop.cn"}', NULL),
	(1, 'pos', 'e1', '2026-01-01 00:00+00', '{"card": "1", "unionid": "u1"}', '{"name": "Ann"}'),
	(1, 'pos', 'e3', '2026-01-03 00:00+00', '{"card": "1", "unionid": "u2"}', NULL),
	(1, 'pos', 'e2', '2026-01-02 00:00+00', '{"card": "1", "email": "a@shop.cn"}', NULL),
	(1, 'mars', 'e4', '2026-01-04 00:00+00', '{"card": "3"}', NULL),
	(1, 'pos', 'never', '-infinity', '{"card": "4"}', NULL),
	(1, 'pos', 'ever', 'infinity', '{"card": "4"}', NULL),
	(1, 'pos', 'list', '2026-01-05 00:00+00', '{"card": "5"}', '["Bob"]'),
	(1, 'pos', 'stone age', '4713-01-01 00:00:00+00 BC', '{"card": "6", "email": "f@shop.cn"}', NULL),
	(1, 'pos', 'half', '2026-01-07 00:00+00', '{"card": "2", "phone": "12"}', NULL),
	(1, 'pos', 'nobody', '2026-01-08 00:00+00', '{}', NULL);
CALL identity_resolve_batch(1, 2);
SELECT * FROM pg_temp.progress ORDER BY batch_id;
SELECT event_id, outcome FROM o2o.import_identity ORDER BY occurred_at, source, event_id;
SELECT source, source_id, problem FROM o2o.import_problem ORDER BY source, source_id;
TABLE pg_temp.people;
SELECT name, value FROM o2o.profile_trait;
SELECT * FROM identity_verify();
-- Once more: nothing to do. Rows that come later are taken, also those of a time before; mended ones too.
CALL identity_resolve_batch(1);
INSERT INTO o2o.import_identity (batch_id, source, event_id, occurred_at, identifiers) VALUES
	(1, 'pos', 'e0', '2025-01-01 00:00+00', '{"card": "2", "device": "d"}'),
	(1, 'pos', 'e9', '2026-01-09 00:00+00', '{"card": "1", "device": "d"}');
SELECT source_register('mars', 'Mars');
DELETE FROM o2o.import_identity WHERE source = 'mars' OR outcome = 'failed' AND event_id <> 'ever';
INSERT INTO o2o.import_identity (batch_id, source, event_id, occurred_at, identifiers) VALUES (1, 'mars', 'e4', '2026-01-04 00:00+00', '{"card": "3"}');
CALL identity_resolve_batch(1, 1);
SELECT * FROM pg_temp.progress ORDER BY batch_id;
TABLE pg_temp.people;
-- A batch without rows, a wrong argument, a transaction around it.
CALL identity_resolve_batch(2);
CALL identity_resolve_batch(1, 0);
CALL identity_resolve_batch(NULL);
BEGIN;
CALL identity_resolve_batch(1);
ROLLBACK;
-- An error of the server ends the call, and is noted; the next call goes on.
INSERT INTO o2o.import_identity (batch_id, source, event_id, occurred_at, identifiers)
SELECT 3, 'pos', n, timestamptz '2026-02-01 00:00+00' + n * interval '1 second', jsonb_build_object('card', 'k' || n, 'email', n / 2 || '@k.cn') FROM generate_series(1, 50) n;
ALTER TABLE o2o.identity_evidence RENAME TO elsewhere;
CALL identity_resolve_batch(3, 20);
ALTER TABLE o2o.elsewhere RENAME TO identity_evidence;
SELECT * FROM pg_temp.progress ORDER BY batch_id;
CALL identity_resolve_batch(3, 20);
SELECT * FROM pg_temp.progress ORDER BY batch_id;
SELECT outcome, count(*) FROM o2o.import_identity WHERE batch_id = 3 GROUP BY outcome;
-- An error of the data of one row, found among the rows of its chunk.
ALTER TABLE o2o.profile_trait ADD CONSTRAINT my_own CHECK (value <> 'nobody');
INSERT INTO o2o.import_identity (batch_id, source, event_id, occurred_at, identifiers, traits)
SELECT 4, 'pos', n, timestamptz '2026-03-01 00:00+00' + n * interval '1 second', jsonb_build_object('card', 's' || n, 'email', n || '@s.cn'),
	jsonb_build_object('name', CASE WHEN n IN (3, 9) THEN 'nobody' ELSE 'Ann' END) FROM generate_series(1, 11) n;
CALL identity_resolve_batch(4, 20);
SELECT * FROM pg_temp.progress WHERE batch_id = 4;
SELECT source_id, problem FROM o2o.import_problem WHERE batch_id = 4;
SELECT count(*) FROM pg_temp.people WHERE customer ~ '@s.cn';
SELECT * FROM identity_verify();

\c contrib_regression
SET client_min_messages = warning;
DROP DATABASE o2o_identity_batch;
DROP ROLE o2o_batch_owner;
