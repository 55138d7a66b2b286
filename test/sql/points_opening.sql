-- Balances taken over from another system, lot by lot, and compared with it while both run.
SET client_min_messages = warning;
DROP DATABASE IF EXISTS o2o_points_opening;
CREATE DATABASE o2o_points_opening;
\c o2o_points_opening
SET client_min_messages = warning;
CREATE ROLE o2o_points_opening_owner;
CREATE EXTENSION "O2O" CASCADE;
GRANT USAGE, CREATE ON SCHEMA o2o TO o2o_points_opening_owner;
CALL o2o.setup(owner => 'o2o_points_opening_owner');
RESET client_min_messages;
SET ROLE o2o_points_opening_owner;
SET search_path = public, o2o;
\set SHOW_CONTEXT never
SET datestyle = ISO;
SET timezone = 'UTC';

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

SELECT o2o.source_register('crm', 'CRM');
SELECT o2o.points_program_create('club', 'Club', 'CNY', expires_after => '1 year', expires_round => 'month');
SELECT o2o.points_program_create('owing', 'Owing', 'CNY', clawback_policy => 'debt');
SELECT o2o.points_program_create('strict', 'Strict', 'CNY', clawback_policy => 'available', scale => 2);
SELECT count(*) FROM generate_series(1, 6) n, o2o.identify(jsonb_build_object('ref', 'crm/' || n, 'card', 'c' || n), 'crm');
-- Two of their members are one person.
SELECT o2o.customer_merge('card:c5', 'card:c6', 'same person') > 0 AS merged;
INSERT INTO o2o.import_points_opening (batch_id, source, person, program, amount, granted_at, expires_at, pending_until, funding, reference) VALUES
	(1, 'crm', 'ref:crm/1', 'club', 100, '2025-05-05', '2099-01-01', NULL, 'program', NULL),
	(1, 'crm', 'ref:crm/1', 'club', 50, '2025-06-05', 'infinity', NULL, 'brand', 'crm/lot/2'),
	(1, 'crm', 'ref:crm/1', 'club', 20, '2025-06-06', 'infinity', NULL, 'brand', NULL),
	(1, 'crm', 'ref:crm/2', 'club', -30, '2025-06-05', NULL, NULL, 'program', NULL),
	(1, 'crm', 'ref:crm/3', 'club', 70, '2025-06-05', '2099-01-01', '2099-01-01', 'program', NULL),
	(1, 'crm', 'ref:crm/3', 'club', 5, '2025-06-05', '2099-01-01', '2025-07-01', 'program', NULL),
	(1, 'crm', 'ref:crm/4', 'club', 40, '2024-06-05', '2025-06-30', NULL, 'program', NULL),
	(1, 'crm', 'ref:crm/4', 'club', 41, '2024-06-05', NULL, NULL, 'program', NULL),
	(1, 'crm', 'card:c2', 'owing', 10, '2025-06-05', NULL, NULL, 'program', NULL),
	(1, 'crm', 'card:c2', 'owing', -4, '2025-06-05', NULL, NULL, 'program', NULL),
	(1, 'pos', 'card:c5', 'strict', '1.25', '2025-06-05', NULL, NULL, 'program', NULL),
	-- Problems, each named.
	(1, 'mars', 'ref:crm/1', 'club', 1, '2025-06-05', NULL, NULL, 'program', NULL),
	(1, 'crm', 'ref:crm/1', 'none', 1, '2025-06-05', NULL, NULL, 'program', NULL),
	(1, 'crm', 'ref:crm/99', 'club', 12, '2025-06-05', NULL, NULL, 'program', NULL),
	(1, 'crm', 'ref:crm/1', 'club', 0, '2025-06-05', NULL, NULL, 'program', NULL),
	(1, 'crm', 'ref:crm/1', 'club', '0.5', '2025-06-05', NULL, NULL, 'program', NULL),
	(1, 'crm', 'ref:crm/1', 'club', 1, 'infinity', NULL, NULL, 'program', NULL),
	(1, 'crm', 'ref:crm/1', 'club', 1, '2025-06-05', '2025-06-05', NULL, 'program', NULL),
	(1, 'crm', 'ref:crm/1', 'club', 1, '2025-06-05', NULL, 'infinity', 'program', NULL),
	(1, 'crm', 'ref:crm/1', 'club', -1, '2025-06-05', NULL, '2099-01-01', 'program', NULL),
	(1, 'crm', 'ref:crm/1', 'strict', -1, '2025-06-05', NULL, NULL, 'program', NULL);
SELECT * FROM o2o.points_opening_import(1);
-- The receipt is the same again, and nothing is posted twice.
SELECT sum(rows), sum(points - owed + problem_points) = (SELECT sum(amount::numeric) FROM o2o.import_points_opening) AS all_of_it FROM o2o.points_opening_import(1);
SELECT person, amount, problem FROM o2o.import_points_opening WHERE problem IS NOT NULL ORDER BY import_no;
SELECT n, b.* FROM generate_series(1, 5) n, o2o.points_balance(('card:c' || n)::o2o.identifier) b ORDER BY n, b.program;
SELECT a.program, a.kind, p.operation, p.amount, p.expires_at, p.grant_month, p.funding, p.reference, p.occurred_at
FROM o2o.points_posting p JOIN o2o.points_account a USING (profile_id, account_id) ORDER BY p.transfer_id;
SELECT count(*) FROM o2o.points_verify();
-- What is owed is repaid by the next points, what is pending comes in its time, what is expired is swept.
SELECT balance FROM o2o.points_earn('card:c2', 100, 'club');
SELECT o2o.points_expire();
SELECT count(*) FROM o2o.points_verify();
-- The reserve counts it.
SELECT o2o.points_program_create('backed', 'Backed', 'CNY', cost_per_point => 1, reserve_policy => 'enforce');
INSERT INTO o2o.import_points_opening (batch_id, source, person, program, amount, granted_at) VALUES (2, 'crm', 'card:c1', 'backed', 10, '2025-06-05'), (2, 'crm', 'card:c2', 'backed', -10, '2025-06-05');
SELECT pg_temp.try('SELECT o2o.points_opening_import(2)');
SELECT reserve FROM o2o.points_reserve_deposit('backed', 10, 'bank');
SELECT * FROM o2o.points_opening_import(2);
SELECT pg_temp.try($$SELECT o2o.points_earn('card:c1', 1, 'backed')$$);
SELECT * FROM o2o.points_opening_import(3);

-- In shadow: their balances by the end of July 2025. c5 and c6 are one customer here and two there.
SELECT pg_temp.try($$SELECT o2o.points_reconcile('crm')$$);
INSERT INTO o2o.import_points (batch_id, profile_id, program, operation, amount, occurred_at, reference)
SELECT 1, o2o.person_profile(('card:c' || v.n)::o2o.identifier), 'club', v.operation, v.amount, v.at::timestamptz, v.reference
FROM (VALUES (1, 'earn', 30, '2025-07-10', 'pos/1'), (1, 'burn', 10, '2025-07-11', 'pos/2'), (5, 'earn', 8, '2025-07-12', 'pos/3'), (6, 'earn', 9, '2025-07-13', 'pos/4'),
	(3, 'earn', 77, '2025-08-20', 'pos/5')) v (n, operation, amount, at, reference);
SELECT o2o.points_import(1);
INSERT INTO o2o.import_points_balance (source, as_of, program, person, balance) VALUES
	('crm', '2025-07-31', 'club', 'ref:crm/1', 190), ('crm', '2025-07-31', 'club', 'ref:crm/2', -30), ('crm', '2025-07-31', 'club', 'ref:crm/3', 75),
	('crm', '2025-07-31', 'club', 'ref:crm/4', 0), ('crm', '2025-07-31', 'club', 'ref:crm/5', 17), ('crm', '2025-07-31', 'club', 'card:c6', 0);
SELECT * FROM o2o.points_reconcile('crm');
-- A day later: an event is missing here, one there, amounts differ, theirs have not expired, somebody is unknown, somebody not told of.
INSERT INTO o2o.import_points_balance (source, as_of, program, person, balance) VALUES
	('crm', '2025-08-31', 'club', 'ref:crm/1', 192), ('crm', '2025-08-31', 'club', 'ref:crm/3', 75),
	('crm', '2025-08-31', 'club', 'ref:crm/4', 81), ('crm', '2025-08-31', 'club', 'ref:crm/5', 15), ('crm', '2025-08-31', 'club', 'card:c6', 0), ('crm', '2025-08-31', 'club', 'ref:crm/77', 5);
SELECT program, person, cause, reference, theirs, ours, difference, detail FROM o2o.points_reconcile('crm');
-- With their events it is told which.
INSERT INTO o2o.import_points_event (source, program, person, reference, amount, occurred_at) VALUES
	('crm', 'club', 'ref:crm/1', 'pos/1', 30, '2025-07-10'), ('crm', 'club', 'ref:crm/1', 'pos/2', -10, '2025-07-11'), ('crm', 'club', 'ref:crm/1', 'pos/6', 2, '2025-08-11'),
	('crm', 'club', 'ref:crm/5', 'pos/3', 6, '2025-07-12'), ('crm', 'club', 'card:c6', 'pos/4', 9, '2025-07-13');
SELECT program, person, cause, reference, theirs, ours, difference, detail FROM o2o.points_reconcile('crm');
SELECT count(*) FROM o2o.points_reconcile('crm', '2025-07-31');

\c contrib_regression
SET client_min_messages = warning;
DROP DATABASE o2o_points_opening;
DROP ROLE o2o_points_opening_owner;
