-- Earning rules as rows, and what each gives.
SET client_min_messages = warning;
DROP DATABASE IF EXISTS o2o_points_rule;
CREATE DATABASE o2o_points_rule;
\c o2o_points_rule
SET client_min_messages = warning;
CREATE ROLE o2o_points_rule_owner;
CREATE EXTENSION "O2O" CASCADE;
GRANT USAGE, CREATE ON SCHEMA o2o TO o2o_points_rule_owner;
CALL o2o.setup(owner => 'o2o_points_rule_owner');
RESET client_min_messages;
SET ROLE o2o_points_rule_owner;
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

SELECT o2o.points_program_create('club', 'Club', 'CNY', 'Asia/Shanghai', points_per_unit => 1, value_per_point => 0.1);
SELECT outcome FROM o2o.identity_resolve('{card:ann,phone:+8613800138000}', 'pos', 'e1', now());
SELECT FROM o2o.source_register('till', 'Till', 'pos', 'CN');
-- Without rules: the program's rate, as for an amount of money.
SELECT * FROM o2o.points_quote('club', '[{"amount": 10.5}, {"amount": 1.7, "category": "tea"}]', 'pos');
SELECT points_quote_order('club', '[{"amount": 10.5}, {"amount": 1.7, "category": "tea"}]', 'pos') AS quoted, points_quote_amount('club', 12.2) AS amount;
SELECT count(*) AS differing FROM generate_series(1, 300) n,
	LATERAL (SELECT jsonb_agg(jsonb_build_object('amount', (n * i * 37 % 1000) / 100.0)) AS lines, sum((n * i * 37 % 1000) / 100.0) AS due FROM generate_series(1, 1 + n % 4) i) l
WHERE points_quote_order('club', l.lines, 'pos', paid_by_points => round(l.due * (n % 11) / 10, 2))
	<> points_quote_amount('club', l.due - round(l.due * (n % 11) / 10, 2));
-- Base by channel and category, multipliers by tier, category and campaign, a bonus.
INSERT INTO o2o.points_rule (program, kind, name, value, channel, category, tier, valid_from, valid_to) VALUES
	('club', 'base', 'App', 2, 'app', NULL, NULL, '-infinity', 'infinity'),
	('club', 'base', 'Tobacco', 0, NULL, 'tobacco', NULL, '-infinity', 'infinity'),
	('club', 'multiplier', 'Gold', 1.5, NULL, NULL, 'gold', '-infinity', 'infinity'),
	('club', 'multiplier', 'Tea week', 3, NULL, 'tea', NULL, '2026-03-01 00:00+08', '2026-03-08 00:00+08'),
	('club', 'bonus', 'Tea trial', 7, NULL, 'tea', NULL, '2026-03-01 00:00+08', '2026-03-08 00:00+08');
CREATE FUNCTION pg_temp.quote(channel text, tier text, at timestamptz, paid numeric DEFAULT 0) RETURNS TABLE (kind text, name text, amount numeric, points numeric) LANGUAGE sql AS $$
	SELECT q.kind, q.name, q.amount, q.points FROM o2o.points_quote('club', '[{"amount": 10.5}, {"amount": 20, "category": "tea"}, {"amount": 30, "category": "tobacco"}]', channel, NULL, tier, paid, at) q
$$;
SELECT * FROM pg_temp.quote('pos', NULL, '2026-02-01 00:00+08');
SELECT * FROM pg_temp.quote('app', 'gold', '2026-03-01 00:00+08');
SELECT * FROM pg_temp.quote('app', 'gold', '2026-03-08 00:00+08');
SELECT sum(points) FROM pg_temp.quote('app', 'gold', '2026-03-01 00:00+08');
-- Nothing on the part paid by points.
SELECT * FROM pg_temp.quote('pos', NULL, '2026-03-07 23:59:59+08', 30.25);
SELECT * FROM pg_temp.quote('pos', NULL, '2026-03-07 23:59:59+08', 60.5);
-- A cap per member and day, over all profiles, on the program's clock.
INSERT INTO o2o.points_rule (program, kind, name, value) VALUES ('club', 'cap', 'Daily cap', 100), ('club', 'cap', 'Wide cap', 1000);
SELECT points_earned, points_balance FROM o2o.order_place('["card:ann"]', '[{"sku": "tea", "name": "Tea", "category": "tea", "unit_price": 20}]', 'till', '1', 'pos',
	points_program => 'club', ordered_at => '2026-03-02 10:00+08');
SELECT points_earned, points_balance FROM o2o.order_place('["phone:+8613800138000"]', '[{"sku": "tea", "unit_price": 15}]', 'till', '2', 'pos',
	points_program => 'club', ordered_at => '2026-03-02 23:00+08');
SELECT points_earned, points_balance FROM o2o.order_place('["phone:+8613800138000"]', '[{"sku": "tea", "unit_price": 15}]', 'till', '3', 'app',
	points_program => 'club', points_burn => 50, ordered_at => '2026-03-03 00:30+08');
SELECT q.kind, q.name, q.points FROM o2o.points_quote('club', '[{"amount": 15, "category": "tea"}]', 'pos', (SELECT customer_id FROM o2o.profile LIMIT 1), at => '2026-03-02 12:00+08') q;
SELECT pg_temp.try(q) FROM unnest(ARRAY[
	$$SELECT o2o.points_quote_order('none', '[]', 'pos')$$, $$SELECT o2o.points_quote_order('club', '[]', 'pos')$$, $$SELECT o2o.points_quote_order('club', '[{}]', 'pos')$$,
	$$SELECT o2o.points_quote_order('club', '[{"amount": -1}]', 'pos')$$, $$SELECT o2o.points_quote_order('club', NULL, 'pos')$$,
	$$SELECT o2o.points_quote_order('club', '[{"amount": 1}]', 'pos', paid_by_points => 2)$$]) q;
-- Caps have a time, a channel and a tier too; a base that names the category goes before a later one that does not.
BEGIN;
DELETE FROM o2o.points_rule;
INSERT INTO o2o.points_rule (program, kind, name, value, channel, category, tier, valid_from, valid_to) VALUES
	('club', 'cap', 'May', 1, NULL, NULL, NULL, '2026-05-01 00:00+08', '2026-06-01 00:00+08'), ('club', 'cap', 'App', 2, 'app', NULL, NULL, '-infinity', 'infinity'),
	('club', 'cap', 'Gold', 3, NULL, NULL, 'gold', '-infinity', 'infinity'), ('club', 'base', 'Tea', 4, NULL, 'tea', NULL, '-infinity', 'infinity'),
	('club', 'base', 'Later', 5, NULL, NULL, NULL, '2026-01-01 00:00+08', 'infinity');
SELECT v.n, q.kind, q.name, q.points FROM (VALUES (1, 'pos', NULL, '2026-05-01 00:00+08'::timestamptz), (2, 'pos', NULL, '2026-06-01 00:00+08'), (3, 'app', NULL, '2026-06-01 00:00+08'),
	(4, 'pos', 'gold', '2026-06-01 00:00+08')) v (n, channel, tier, at), o2o.points_quote('club', '[{"amount": 10, "category": "tea"}]', v.channel, NULL, v.tier, 0, v.at) q ORDER BY v.n, q.kind;
ROLLBACK;
-- A day ends before midnight: what is earned then is of the next.
BEGIN;
SELECT balance FROM o2o.points_earn('card:ann', 40, 'club', occurred_at => '2026-04-11 00:00+08');
SELECT t.day, q.name, q.points FROM (VALUES ('10 April', '2026-04-10 23:59:59+08'::timestamptz), ('11 April', '2026-04-11 00:00+08')) t (day, at),
	o2o.points_quote('club', '[{"amount": 90}]', 'pos', (SELECT customer_id FROM o2o.profile LIMIT 1), at => t.at) q ORDER BY 1, 3 DESC;
ROLLBACK;
SELECT pg_temp.try($$INSERT INTO o2o.points_rule (program, kind, name, value) VALUES ('club', 'multiplier', 'x', 0.5)$$) ~ '^23514' AS factor;
SELECT * FROM o2o.points_verify();

\c contrib_regression
SET client_min_messages = warning;
DROP DATABASE o2o_points_rule;
DROP ROLE o2o_points_rule_owner;
