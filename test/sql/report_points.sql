-- Report views of points: cohorts, statements, sellers, reserve, budgets, by a shop that can be counted by hand.
SET client_min_messages = warning;
DROP DATABASE IF EXISTS o2o_report_points;
CREATE DATABASE o2o_report_points;
\c o2o_report_points
SET client_min_messages = warning;
CREATE ROLE o2o_report_points_owner;
CREATE EXTENSION "O2O" CASCADE;
GRANT USAGE, CREATE ON SCHEMA o2o TO o2o_report_points_owner;
CALL o2o.setup(owner => 'o2o_report_points_owner');
RESET client_min_messages;
SET ROLE o2o_report_points_owner;
SET search_path = public, o2o;
\set SHOW_CONTEXT never
SET datestyle = ISO;
SET timezone = 'UTC';

SELECT points_program_create('club', 'Club', 'CNY', 'Asia/Shanghai', cost_per_point => 0.01, expected_redemption => 0.5, expires_after => '2 months', expires_round => 'month');
SELECT points_program_create('mall', 'Mall', 'CNY');
SELECT count(*) FROM identify('{"card": "ann"}', 'pos');
SELECT count(*) FROM identify('{"card": "bob"}', 'pos');
SELECT count(*) FROM identify('{"card": "shop"}', 'pos');
-- A minute before and after the month ends in Shanghai. 100 and 50 granted, 30 spent in February, 10 in March: 60 of January expire with March, 57 of February with April.
INSERT INTO import_points (batch_id, profile_id, program, operation, amount, occurred_at, reference)
SELECT CASE v.who WHEN 'ann' THEN 1 ELSE 2 END, person_profile(('card:' || v.who)::identifier), 'club', v.operation, v.amount, v.at, v.reference
FROM (VALUES ('ann', 'earn', 100, '2025-01-31 15:59+00'::timestamptz, 'a1'), ('ann', 'earn', 50, '2025-01-31 16:01+00', 'a2'), ('ann', 'burn', 30, '2025-02-10 00:00+00', 'a3'),
	('ann', 'burn', 10, '2025-03-10 00:00+00', 'a4'), ('bob', 'earn', 7, '2025-02-15 00:00+00', 'b1')) v (who, operation, amount, at, reference);
SELECT points_import(1);
SELECT points_import(2);
SELECT * FROM points_cohorts WHERE program = 'club' ORDER BY grant_month, month;
-- The same once all is swept, by steps.
SELECT points_expire(1) > 0 AS swept;
SELECT points_expire(100) > 0 AS swept;
SELECT * FROM points_cohorts WHERE program = 'club' ORDER BY grant_month, month;
SELECT issued, spent, expired, adjusted, outstanding, liability, reserve FROM points_liability WHERE program = 'club';
SELECT granted, redeemed, expired, outstanding FROM (SELECT sum(granted) AS granted, sum(redeemed) AS redeemed, sum(expired) AS expired FROM points_cohorts WHERE program = 'club') c,
	points_reserve r WHERE r.program = 'club';

-- Statement of one customer of two profiles, lot by lot.
SELECT customer_merge('card:ann', 'card:bob', 'same person') > 0 AS merged;
SELECT operation, amount, balance, grant_month, expires_at, funding, reference FROM points_statements
WHERE customer_id = customer_lookup('card:bob') AND program = 'club' AND operation <> 'expire' ORDER BY posted_at, account_id, version;
SELECT sum(amount) AS balance FROM points_statements WHERE customer_id = customer_lookup('card:bob') AND program = 'club';

-- A seller: 40 and 25 paid, 10 of it refunded, 20 settled.
SELECT points_seller_open('card:shop', 'mall') > 0 AS opened;
SELECT balance FROM points_earn('card:ann', 100, 'mall', funding => 'brand');
SELECT transfer_id AS payment FROM points_pay('card:ann', 'card:shop', 40, 'mall') \gset
SELECT balance FROM points_pay('card:ann', 'card:shop', 25, 'mall');
SELECT refunded FROM points_refund(:payment, 10);
SELECT settled FROM points_settle('card:shop', 'mall', 20);
SELECT program, seller_profile_id = person_profile('card:shop') AS of_seller, received, refunded, settled, balance FROM points_seller_settlement;
SELECT points_seller_balance('card:shop', 'mall');
-- Members' points alone are a liability: 100 − 65 + 10.
SELECT issued, spent, outstanding FROM points_liability WHERE program = 'mall';
SELECT sum(granted) AS granted, sum(redeemed) AS redeemed FROM points_cohorts WHERE program = 'mall';
SELECT reserve_policy, outstanding, liability, required, reserve, target_ratio, headroom, is_breached FROM points_reserve ORDER BY program;
-- Budgets.
SELECT points_budget_create('mall', 'Summer', 500, funding => 'brand') > 0 AS made;
SELECT program, name, funding, valid_from, valid_to, amount, issued, available FROM points_budgets;

\c contrib_regression
SET client_min_messages = warning;
DROP DATABASE o2o_report_points;
DROP ROLE o2o_report_points_owner;
