-- Deferred revenue: the published examples, and a ledger that is worked out by hand.
SET client_min_messages = warning;
DROP DATABASE IF EXISTS o2o_points_accounting;
CREATE DATABASE o2o_points_accounting;
\c o2o_points_accounting
SET client_min_messages = warning;
CREATE ROLE o2o_points_accounting_owner;
CREATE EXTENSION "O2O" CASCADE;
GRANT USAGE, CREATE ON SCHEMA o2o TO o2o_points_accounting_owner;
CALL o2o.setup(owner => 'o2o_points_accounting_owner');
RESET client_min_messages;
SET ROLE o2o_points_accounting_owner;
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

-- KPMG's example 10A and 10B: 100,000 with 10,000 points at 97 %, deferred in thousands; then the estimate goes to 9,900, or to 9,200.
SELECT points_deferral(100000, 10000, 1, 0.97, -3) AS deferred, points_deferral(100000, 10000, 1, 0.97) AS unrounded;
SELECT points_recognised(9000, 4500, 9700, 0) AS first_year,
	points_recognised(9000, 8500, 9900, 0) - points_recognised(9000, 4500, 9700, 0) AS second_at_9900,
	points_recognised(9000, 8500, 9200, 0) - points_recognised(9000, 4500, 9700, 0) AS second_at_9200;
-- IFRS 15, example 52: 8,676 deferred, 4,110, then 3,493 and 1,073 left.
SELECT points_deferral(100000, 10000, 1, 0.95, 0) AS deferred, points_recognised(8676, 4500, 9500, 0) AS first_year,
	points_recognised(8676, 8500, 9700, 0) - points_recognised(8676, 4500, 9500, 0) AS second_year, 8676 - points_recognised(8676, 8500, 9700, 0) AS left_over;
-- Nothing sold, nothing expected, more redeemed than expected.
SELECT points_deferral(0, 0, 1, 1), points_deferral(100, 10, 1, 0), points_recognised(10, 0, 0), points_recognised(10, 7, 5), points_recognised(10, 1, 3, 4);

-- The same sale in a ledger: a point for ten, worth one.
SELECT o2o.points_program_create('club', 'Club', 'CNY', points_per_unit => 0.1, value_per_point => 1, cost_per_point => 1, expected_redemption => 0.97);
INSERT INTO o2o.points_program_rate VALUES ('club', '2025-03-01', 0.1, 1, 1, 0.99), ('club', '2025-05-01', 0.1, 1, 1, 0.92);
SELECT outcome FROM o2o.identify('{"card": "ann"}', 'pos');
SELECT outcome FROM o2o.identify('{"card": "bob"}', 'pos');
INSERT INTO o2o.import_points (batch_id, profile_id, program, operation, amount, occurred_at)
SELECT 1, o2o.person_profile('card:ann'), 'club', v.operation, v.amount, v.at
FROM (VALUES ('earn', 10000, '2025-01-15 12:00+00'::timestamptz), ('burn', 4500, '2025-02-10 12:00+00'), ('burn', 4000, '2025-03-10 12:00+00')) v (operation, amount, at);
SELECT o2o.points_import(1);
-- Deferred 100,000 × 9,700 / 109,700 = 8,842.2972. Recognised 4,102.0966 (× 4,500 / 9,700), then 7,591.8713 (× 8,500 / 9,900), then 8,169.5137 (of 9,200).
SELECT v.as_of, a.granted, a.redeemed, a.outstanding, a.expected, a.deferred, a.recognised, a.breakage, a.liability
FROM (VALUES ('2025-01-01'::timestamptz), ('2025-02-01'), ('2025-03-01'), ('2025-04-01'), ('2025-06-01')) v (as_of), o2o.points_accounting('club', v.as_of) a;
-- Month by month, each beginning with what the one before ended with; in May the estimate falls to 9,200, and 577.6424 are caught up.
SELECT m.month, r.*, r.opening + r.deferred - r.clawed - r.redeemed - r.breakage = r.closing AS adds_up
FROM (VALUES ('2025-01-01'::timestamptz), ('2025-02-01'), ('2025-03-01'), ('2025-04-01'), ('2025-05-01')) m (month),
	o2o.points_liability_roll('club', m.month, m.month + interval '1 month') r;
-- A refund takes revenue back, a clawback what was deferred. Both are of now.
SELECT refunded FROM o2o.points_refund((SELECT max(transfer_id) FROM o2o.points_posting WHERE operation = 'burn'));
SELECT taken FROM o2o.points_clawback((SELECT transfer_id FROM o2o.points_posting WHERE operation = 'earn'), 2000);
SELECT granted, clawed, redeemed, outstanding, expected, deferred, clawed_deferral, recognised, breakage, liability FROM o2o.points_accounting('club', now() + interval '1 second');
-- As it was known before these.
SELECT count(*) FROM o2o.points_accounting('club', '2025-06-01', now() - interval '1 day');

-- What has expired is breakage, swept or not; gifts keep their month; who funds them is told apart.
SELECT o2o.points_program_create('short', 'Short', 'CNY', points_per_unit => 1, value_per_point => 0.1, expected_redemption => 0.5, expires_after => '1 month', expires_round => 'month');
INSERT INTO o2o.import_points (batch_id, profile_id, program, operation, amount, occurred_at)
SELECT 2, o2o.person_profile('card:ann'), 'short', v.operation, v.amount, v.at
FROM (VALUES ('earn', 1000, '2025-01-15 12:00+00'::timestamptz), ('burn', 200, '2025-01-20 12:00+00')) v (operation, amount, at);
SELECT o2o.points_import(2);
SELECT balance FROM o2o.points_earn('card:ann', 100, 'short', funding => 'brand');
SELECT balance FROM o2o.points_transfer('card:ann', 'card:bob', 40, 'short');
-- Deferred 1,000 × 50 / 1,050 = 47.6190: until the end of February 200 of 500 are recognised, 19.0476; then all of it.
SELECT v.n, a.grant_month < '2026-01-01' AS of_2025, a.funding, a.granted, a.redeemed, a.expired, a.outstanding, a.expected, a.deferred, a.recognised, a.breakage, a.liability
FROM (VALUES (1, '2025-02-28'::timestamptz), (2, '2025-03-01'), (3, now() + interval '1 second')) v (n, as_of), o2o.points_accounting('short', v.as_of) a ORDER BY 1, 2 DESC, 3;
SELECT o2o.points_expire();
SELECT a.granted, a.redeemed, a.expired, a.outstanding, a.liability FROM o2o.points_accounting('short', '2025-03-01') a;
SELECT grant_month, month, months, granted, redeemed, expired, taken_back, outstanding FROM o2o.points_cohorts WHERE program = 'short' AND grant_month < '2026-01-01' ORDER BY month;
SELECT grant_month, month, months, granted, redeemed, expired, taken_back, outstanding FROM o2o.points_cohorts WHERE program = 'club' AND month < '2026-01-01' ORDER BY month;
SELECT pg_temp.try(q) FROM unnest(ARRAY[
	$$SELECT o2o.points_accounting('none')$$,
	$$SELECT o2o.points_liability_roll('none', '2025-01-01', '2025-02-01')$$,
	$$SELECT o2o.points_liability_roll('club', '2025-02-01', '2025-02-01')$$]) q;

\c contrib_regression
SET client_min_messages = warning;
DROP DATABASE o2o_points_accounting;
DROP ROLE o2o_points_accounting_owner;
