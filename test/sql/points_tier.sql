-- Tiers: what qualifies belongs to profiles, and the tier follows from it: windows,
-- grace, downgrade, history, merge and unmerge, orders and their import.
SET client_min_messages = warning;
DROP DATABASE IF EXISTS o2o_points_tier;
CREATE DATABASE o2o_points_tier;
\c o2o_points_tier
SET client_min_messages = warning;
CREATE ROLE o2o_points_tier_owner;
CREATE EXTENSION "O2O" CASCADE;
GRANT USAGE, CREATE ON SCHEMA o2o TO o2o_points_tier_owner;
CALL o2o.setup(owner => 'o2o_points_tier_owner');
RESET client_min_messages;
SET ROLE o2o_points_tier_owner;
SET search_path = public, o2o;
\set SHOW_CONTEXT never
SET datestyle = ISO;
SET timezone = 'UTC';

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
CREATE FUNCTION pg_temp.profile(person o2o.identifier) RETURNS bigint LANGUAGE sql AS $$ SELECT o2o.customer_lookup(person) $$;
CREATE FUNCTION pg_temp.walk(person o2o.identifier, program text) RETURNS TABLE (at timestamptz, tier text, cause text, points numeric, spend numeric) LANGUAGE sql AS $$
	SELECT w.at, w.tier, w.cause, trim_scale(w.points), trim_scale(w.spend)
	FROM o2o.points_tier_walk(o2o.customer_profiles(o2o.customer_lookup(person)), program) w
$$;

SELECT o2o.points_program_create('club', 'Club', 'CNY', time_zone => 'Asia/Shanghai');
SELECT o2o.points_program_create('miles', 'Miles', 'CNY');
SELECT o2o.points_program_create('plain', 'Plain', 'CNY');
SELECT outcome FROM o2o.identity_resolve('{card:ann}', 'pos', 'e1', now());
SELECT outcome FROM o2o.identity_resolve('{card:bob}', 'pos', 'e2', now());
SELECT outcome FROM o2o.identity_resolve('{card:cid}', 'pos', 'e3', now());

-- Rolling year, a month of grace, down to what is earned. Silver at 100 points, gold at 300 points or 5000 spent.
INSERT INTO o2o.points_tier_rule (program, counts_over, rolling_for, grace, downgrade) VALUES ('club', 'rolling', '12 months', '1 month', 'earned');
INSERT INTO o2o.points_tier_level (program, tier, rank, name, qualifying_points, qualifying_spend) VALUES
	('club', 'silver', 1, 'Silver', 100, NULL), ('club', 'gold', 2, 'Gold', 300, 5000);
-- 60 on 15 January, 60 on 15 March (120: silver), 200 on 15 June (320: gold). On 15 January 2021 60 leave: 260,
-- gold stays a month longer, until 15 February; then silver. On 15 March 200 are left: silver. On 15 June 0: silver until 15 July.
SELECT count(*) FROM (VALUES (60, '2020-01-15 12:00+08'::timestamptz), (60, '2020-03-15 12:00+08'), (200, '2020-06-15 12:00+08')) e (amount, at),
	LATERAL o2o.points_earn('card:ann', e.amount::o2o.points, 'club', occurred_at => e.at) p;
SELECT * FROM pg_temp.walk('card:ann', 'club');
-- What is taken back counts no more from then on: 320 and then 220, so gold stays a month longer, and silver as long as the 220 do.
SELECT outcome FROM o2o.identity_resolve('{card:hal}', 'pos', 'e5', now());
SELECT balance FROM o2o.points_earn('card:hal', 320, 'club', occurred_at => now() - interval '10 days');
SELECT taken FROM o2o.points_clawback((SELECT max(transfer_id) FROM o2o.points_posting), 100);
SELECT tier, points, falls_to, valid_until BETWEEN now() + interval '27 days' AND now() + interval '32 days' AS in_a_month
FROM o2o.points_tier('card:hal') WHERE program = 'club';
SELECT tier, cause, points, at > now() AS to_come FROM pg_temp.walk('card:hal', 'club');
-- What was taken back by mistake counts again.
BEGIN;
SELECT amount FROM o2o.points_reverse((SELECT max(transfer_id) FROM o2o.points_posting), 'not these goods');
SELECT tier, points FROM o2o.points_tier('card:hal') WHERE program = 'club';
ROLLBACK;

-- Calendar year, six months of grace, one step at a time: each stays for one more year.
INSERT INTO o2o.points_tier_rule (program, counts_over, grace, downgrade) VALUES ('miles', 'year', '6 months', 'step');
INSERT INTO o2o.points_tier_level (program, tier, rank, name, qualifying_points, qualifying_spend, needs_both) VALUES
	('miles', 'blue', 1, 'Blue', NULL, NULL, false), ('miles', 'silver', 2, 'Silver', 100, NULL, false), ('miles', 'gold', 3, 'Gold', 300, 1000, true);
-- 300 points in 2020 are silver; with 1000 spent too they are gold. The year ends, half a year of grace: gold until
-- 1 July 2021. Then silver, to the end of that year, then blue. Earned again in 2021 it would stay.
SELECT balance FROM o2o.points_earn('card:bob', 300, 'miles', occurred_at => '2020-02-01 00:00+00');
SELECT o2o.points_qualify('card:bob', 'miles', 'brought along', spend => 1000, occurred_at => '2020-05-01 00:00+00', idempotency_key => 'k1') AS now;
SELECT * FROM pg_temp.walk('card:bob', 'miles');
SELECT o2o.points_qualify('card:bob', 'miles', 'brought along', spend => 1000, occurred_at => '2020-05-01 00:00+00', idempotency_key => 'k1') AS replay;
SELECT o2o.points_tier_at(pg_temp.profile('card:bob'), 'miles', t) AS at FROM unnest('{2019-01-01,2020-02-01,2020-05-01,2021-06-30,2021-07-01,2021-12-31,2022-01-01}'::timestamptz[]) t;
-- The history, as found when it was found.
SELECT program, tier, old_tier, from_at, cause FROM o2o.points_tier_history ORDER BY history_id;

-- The tier of now.
SELECT balance FROM o2o.points_earn('card:cid', 150, 'club');
SELECT program, tier, name, since > now() - interval '1 hour' AS fresh, falls_to, points, spend, next_tier, points_missing, spend_missing FROM o2o.points_tier('card:cid');
SELECT count(*) FROM o2o.points_tier('card:cid') t, o2o.points_program p
WHERE t.program = 'club' AND p.program = 'club' AND t.valid_until = ((((t.since AT TIME ZONE p.time_zone) + interval '12 months')) + interval '1 month') AT TIME ZONE p.time_zone;

-- Merge: 150 and 160 are 310: gold. Unmerge: each has the tier of its own. The history keeps all of it.
SELECT outcome FROM o2o.identity_resolve('{card:dan}', 'pos', 'e4', now());
SELECT balance FROM o2o.points_earn('card:dan', 160, 'club');
SELECT o2o.points_tier_evaluate('club') AS evaluated, o2o.points_tier_evaluate('club') AS again;
SELECT o2o.customer_merge('card:cid', 'card:dan', 'one person') IS NOT NULL AS merged;
SELECT tier, points FROM o2o.points_tier('card:dan') WHERE program = 'club';
SELECT o2o.points_tier_evaluate('club') AS evaluated;
SELECT count(*) FROM o2o.customer_unmerge((SELECT max(merge_id) FROM o2o.identity_merge), 'two people');
SELECT u.id AS person, t.tier, t.points FROM unnest('{card:cid,card:dan}'::o2o.identifier[]) u (id), o2o.points_tier(u.id) t WHERE t.program = 'club';
SELECT o2o.points_tier_evaluate() AS evaluated, o2o.points_tier_evaluate() AS again;
SELECT i.identifier AS customer, h.program, h.old_tier, h.tier, h.cause, cardinality(h.profiles) AS profiles
FROM o2o.points_tier_history h JOIN o2o.profile_identifier i ON i.profile_id = h.customer_id
WHERE h.program = 'club' AND i.identifier IN ('card:cid', 'card:dan') ORDER BY h.history_id;
-- The rules are others now: the cache does not hold.
UPDATE o2o.points_tier_level SET qualifying_points = 151 WHERE program = 'club' AND tier = 'silver';
SELECT u.id AS person, o2o.points_tier_at(pg_temp.profile(u.id), 'club', now()) AS tier FROM unnest('{card:cid,card:dan}'::o2o.identifier[]) u (id);
UPDATE o2o.points_tier_level SET qualifying_points = 100 WHERE program = 'club' AND tier = 'silver';

-- Orders: the tier multiplies. 100 of a customer without a tier: 100 points, which makes silver; 100 more: double. Gold by spend at 5000.
INSERT INTO o2o.points_rule (program, kind, name, value, tier) VALUES ('club', 'multiplier', 'double for silver', 2, 'silver'), ('club', 'multiplier', 'three times for gold', 3, 'gold');
SELECT count(*) FROM o2o.source_register('till', 'Till', 'pos', 'CN');
SELECT o.points_earned FROM (VALUES ('1', 100), ('2', 100), ('3', 4800), ('4', 10)) v (no, price),
	LATERAL o2o.order_place('["card:eva"]', jsonb_build_array(jsonb_build_object('sku', 'cup', 'name', 'Cup', 'unit_price', v.price)), 'till', v.no, 'pos', points_program => 'club') o
ORDER BY v.no;
SELECT tier, points, spend FROM o2o.points_tier('card:eva') WHERE program = 'club';
-- What comes back counts no more, from then on: 5010 - 4800.
SELECT return_id IS NOT NULL AS returned FROM o2o.order_return('till', 'R1', 'pos', 4800, '3');
SELECT tier, points, spend FROM o2o.points_tier('card:eva') WHERE program = 'club';
SELECT kind, name, points FROM o2o.points_quote('club', '[{"amount": 10}]', 'pos', pg_temp.profile('card:eva'));

-- The same orders by import, out of order in the file, and a cap of 300 a day for the third: the same points.
INSERT INTO o2o.import_order (batch_id, source, source_id, ordered_at, identifiers, channel_sold, currency, payment_method, points_program) VALUES
	(1, 'till', 'i4', '2026-02-05 10:00+08', '["card:fay"]', 'pos', 'CNY', 'card', 'club'),
	(1, 'till', 'i2', '2026-02-02 10:00+08', '["card:fay"]', 'pos', 'CNY', 'card', 'club'),
	(1, 'till', 'i1', '2026-02-01 10:00+08', '["card:fay"]', 'pos', 'CNY', 'card', 'club'),
	(1, 'till', 'i3', '2026-02-03 10:00+08', '["card:fay"]', 'pos', 'CNY', 'card', 'club'),
	(1, 'till', 'p1', '2026-02-03 10:00+08', '["card:fay"]', 'pos', 'CNY', 'card', 'plain');
INSERT INTO o2o.import_order_line (batch_id, source, source_id, line_no, sku, quantity, unit_price) VALUES
	(1, 'till', 'i1', 1, 'cup', 1, 100), (1, 'till', 'i2', 1, 'cup', 1, 100), (1, 'till', 'i3', 1, 'cup', 1, 4800), (1, 'till', 'i4', 1, 'cup', 1, 10),
	(1, 'till', 'p1', 1, 'cup', 1, 7);
INSERT INTO o2o.import_return (batch_id, source, source_id, returned_at, identifiers, order_source_id, channel_returned, currency, total) VALUES
	(1, 'till', 'R2', '2026-02-04 10:00+08', '{}', 'i3', 'pos', 'CNY', 800);
SELECT orders, returns FROM o2o.order_import(1);
SELECT source_id, points_earned FROM o2o.sales_order WHERE source_id ~ '^[ip]' ORDER BY source_id;
SELECT spend, reference FROM o2o.points_qualification WHERE profile_id = pg_temp.profile('card:fay') ORDER BY reference;
-- Caps count earlier orders of the batch: 400 of the day are used up, then 100 more of 500; another day starts anew.
INSERT INTO o2o.points_rule (program, kind, name, value) VALUES ('plain', 'cap', 'day', 500), ('plain', 'base', 'two', 2);
INSERT INTO o2o.import_order (batch_id, source, source_id, ordered_at, identifiers, channel_sold, currency, payment_method, points_program) VALUES
	(2, 'till', 'c1', '2026-03-01 10:00+00', '["card:gus"]', 'pos', 'CNY', 'card', 'plain'),
	(2, 'till', 'c2', '2026-03-01 11:00+00', '["card:gus"]', 'pos', 'CNY', 'card', 'plain'),
	(2, 'till', 'c3', '2026-03-01 12:00+00', '["card:gus"]', 'pos', 'CNY', 'card', 'plain'),
	(2, 'till', 'c4', '2026-03-02 10:00+00', '["card:gus"]', 'pos', 'CNY', 'card', 'plain');
INSERT INTO o2o.import_order_line (batch_id, source, source_id, line_no, sku, quantity, unit_price)
	SELECT 2, 'till', 'c' || n, 1, 'cup', 1, 200 FROM generate_series(1, 4) n;
SELECT orders FROM o2o.order_import(2);
SELECT source_id, points_earned FROM o2o.sales_order WHERE source_id ~ '^c' ORDER BY source_id;

SELECT pg_temp.try(q) FROM unnest(ARRAY[
	$$SELECT o2o.points_qualify('card:ann', 'plain', 'why', 1)$$,
	$$SELECT o2o.points_qualify('card:ann', 'club', 'why')$$,
	$$SELECT o2o.points_qualify('card:ann', 'club', '', 1)$$,
	$$SELECT o2o.points_qualify('card:nobody', 'club', 'why', 1)$$,
	$$SELECT o2o.points_qualify('card:bob', 'miles', 'other', spend => 1000, occurred_at => '2020-05-01', idempotency_key => 'k1')$$,
	$$SELECT tier FROM o2o.points_tier('card:nobody')$$]) q;
SELECT * FROM o2o.points_verify();
\c contrib_regression
SET client_min_messages = warning;
DROP DATABASE o2o_points_tier;
DROP ROLE o2o_points_tier_owner;
