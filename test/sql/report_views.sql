-- Report views: what each counts, on a small shop whose answers can be checked by hand.
-- In a database of its own: the model belongs to an owner who is no superuser.
SET client_min_messages = warning;
DROP DATABASE IF EXISTS o2o_report_views;
CREATE DATABASE o2o_report_views;
\c o2o_report_views
SET client_min_messages = warning;
CREATE ROLE o2o_report_views_owner;
CREATE EXTENSION "O2O" CASCADE;
GRANT USAGE, CREATE ON SCHEMA o2o TO o2o_report_views_owner;
CALL o2o.setup(owner => 'o2o_report_views_owner');
SET ROLE o2o_report_views_owner;
SET search_path = public, o2o;
-- The dates of this test are fixed, and it shall hold in years to come.
UPDATE o2o.identifier_kind SET time_to_live = '100 years' WHERE time_to_live IS NOT NULL;
\set SHOW_CONTEXT never
SET datestyle = ISO;
SET timezone = 'UTC';

SELECT points_program_create('club', 'Club', 'CNY', points_per_unit => 1, value_per_point => 0.01, cost_per_point => 0.008, expected_redemption => 0.9);
SELECT points_program_create('tiny', 'Tiny', 'EUR');
SELECT count(*) FROM points_reserve_deposit('club', 10, 'deposit', 'd1');
SELECT location_import('[{"source": "pos", "source_id": "S1", "name": "Shanghai", "lon": 121.4737, "lat": 31.2304, "time_zone": "Asia/Shanghai", "city": "Shanghai", "country": "CN"},
	{"source": "pos", "source_id": "S2", "name": "Berlin", "time_zone": "Europe/Berlin"}, {"source": "pos", "source_id": "S3", "name": "Empty"}]');
-- Ann: app and store, one person by an event that shows card and phone. Bob: store only. Cid: web only, two currencies. Dan: no order. One anonymous basket.
SELECT identify('{"card": "ann", "phone": "+8613800138000"}', 'crm', occurred_at => '2026-01-01 00:00+00') IS NOT NULL AS ann;
SELECT identify('{"card": "dan"}', 'crm', occurred_at => '2026-01-01 00:00+00') IS NOT NULL AS dan;
CREATE FUNCTION pg_temp.sold(who text, no text, channel text, place text, price numeric, at timestamptz, money text DEFAULT 'CNY', fulfilled text DEFAULT NULL,
	fulfilled_at text DEFAULT NULL, burn integer DEFAULT 0, sku text DEFAULT 'T1') RETURNS void LANGUAGE sql AS $$
	SELECT o2o.order_place(CASE WHEN who = '' THEN '{}' ELSE jsonb_build_array(who) END, jsonb_build_array(jsonb_build_object('sku', sku, 'name', sku,
			'category', CASE sku WHEN 'T1' THEN 'Tea' END, 'unit_price', price)), 'web', no, channel,
		(SELECT location_id FROM o2o.location WHERE source_id = place), currency => money, channel_fulfilled => fulfilled,
		location_fulfilled => (SELECT location_id FROM o2o.location WHERE source_id = fulfilled_at),
		points_program => CASE money WHEN 'CNY' THEN 'club' END, points_burn => burn, ordered_at => at)
$$;
SELECT pg_temp.sold(who, no, channel, place, price, at::timestamptz, money, fulfilled, fulfilled_at, burn, sku) FROM (VALUES
	('phone:+8613800138000', '1', 'app', NULL, 100, '2026-01-31 15:59+00', 'CNY', NULL, NULL, 0, 'T1'),
	('phone:+8613800138000', '2', 'app', NULL, 50, '2026-01-31 16:01+00', 'CNY', 'store', 'S1', 0, 'T1'),
	('card:ann', '3', 'store', 'S1', 30, '2026-01-31 16:01+00', 'CNY', NULL, NULL, 100, 'C1'),
	('card:bob', '4', 'pos', 'S2', 20, '2026-01-31 23:30+00', 'CNY', NULL, NULL, 0, 'T1'),
	('card:cid', '5', 'web', NULL, 7, '2026-02-01 10:00+00', 'CNY', NULL, NULL, 0, 'T1'),
	('card:cid', '6', 'web', NULL, 8, '2026-02-02 10:00+00', 'EUR', NULL, NULL, 0, 'T1'),
	('card:cid', '7', 'web', NULL, 9, '2026-02-03 10:00+00', 'EUR', NULL, NULL, 0, 'T1'),
	('', '8', 'store', 'S1', 5, '2026-02-04 10:00+00', 'CNY', NULL, NULL, 0, 'T1')) v (who, no, channel, place, price, at, money, fulfilled, fulfilled_at, burn, sku);
SELECT count(*) FROM order_return('web', 'R1', 'store', 40, '1', location_id => (SELECT location_id FROM location WHERE source_id = 'S1'), returned_at => '2026-02-05 10:00+00');
SELECT count(*) FROM (VALUES
	('card:ann', 'search', '2026-01-10 10:00+00'), ('card:ann', 'attention', '2026-01-10 10:00+00'), ('phone:+8613800138000', 'use', '2026-02-10 10:00+00'), ('card:ann', 'share', '2026-02-11 10:00+00'),
	('card:bob', 'search', '2026-02-10 10:00+00'), ('card:bob', 'attention', '2026-02-11 10:00+00'),
	('card:cid', 'attention', '2026-01-10 10:00+00'), ('card:dan', 'share', '2026-01-10 10:00+00'), ('card:dan', 'search', '2026-01-11 10:00+00')) v (who, stage, at),
	touchpoint_record(jsonb_build_array(v.who), v.stage, 'x', 'app', 'app', occurred_at => v.at::timestamptz);

CREATE TEMP TABLE who AS SELECT customer_lookup(card::identifier) AS customer_id, right(card, 3) AS name FROM unnest('{card:ann,card:bob,card:cid,card:dan}'::text[]) card;
SELECT w.name, v.profiles, v.first_seen_at, v.web_orders, v.store_orders, v.currency, v.web_sales, v.store_sales, v.other_currency_orders AS other, v.first_order_at, v.last_order_at
FROM customer_360 v JOIN who w USING (customer_id) ORDER BY w.name;
SELECT w.name, v.returns, v.return_total, v.points_program, v.points_balance, v.points_available, v.touchpoints, v.shares, v.last_touchpoint_at
FROM customer_360 v JOIN who w USING (customer_id) ORDER BY w.name;
SELECT count(*) AS customers FROM customer_360;
SELECT v.occurred_at, v.kind, v.channel, v.description, v.amount, v.currency, v.points FROM customer_timeline v JOIN who w USING (customer_id)
WHERE w.name = 'ann' ORDER BY v.occurred_at, v.kind, v.description COLLATE "C";
SELECT * FROM channel_sales ORDER BY month, channel_sold, channel_fulfilled, currency;
SELECT v.currency, sum(v.orders) = min(o.orders) AS all_orders, sum(v.sales) = min(o.sales) AS all_sales FROM channel_sales v
	JOIN (SELECT currency, count(*) AS orders, sum(total) AS sales FROM sales_order GROUP BY 1) o USING (currency) GROUP BY 1 ORDER BY 1;
SELECT * FROM category_sales ORDER BY category, kind_sold, currency;
SELECT * FROM omnichannel_customers ORDER BY segment, currency;
SELECT * FROM points_liability ORDER BY program;
SELECT issued - spent - expired + adjusted = outstanding AS adds_up FROM points_liability ORDER BY program;
SELECT source_id, name, lon, lat, city, currency, orders, sales, customers, pickups, returns, return_total FROM store_sales ORDER BY source_id;
SELECT * FROM stage_funnel ORDER BY step;

-- An unmerge gives both sides their facts back.
CREATE TEMP TABLE totals AS SELECT sum(web_orders) AS w, sum(store_orders) AS s, sum(points_balance) AS p FROM customer_360;
SELECT count(*) FROM evidence_retract((SELECT evidence_id FROM identity_evidence WHERE status = 'link' AND profile_id = (SELECT profile_id FROM profile_identifier WHERE identifier = 'card:ann')), 'wrong card');
SELECT customer_id = customer_lookup('card:ann') AS card, web_orders, store_orders, web_sales, store_sales, returns, points_balance, touchpoints
FROM customer_360 WHERE customer_id IN (customer_lookup('card:ann'), customer_lookup('phone:+8613800138000')) ORDER BY 1;
SELECT segment, currency, customers FROM omnichannel_customers ORDER BY segment, currency;
SELECT sum(web_orders) = min(t.w) AS same_web, sum(store_orders) = min(t.s) AS same_store, sum(points_balance) = min(t.p) AS same_points FROM customer_360, totals t;
-- Points past their expiry are gone before any sweep.
SELECT points_program_create('old', 'Old', 'CNY', expires_after => '1 day', expires_round => 'none');
SELECT count(*) FROM points_earn('card:dan', 70, 'old', occurred_at => now() - interval '3 days');
SELECT v.points_program, v.points_balance, v.points_available FROM customer_360 v JOIN who w USING (customer_id) WHERE w.name = 'dan';
SELECT issued, spent, expired, outstanding, liability FROM points_liability WHERE program = 'old';

-- Built-in types only, and every column says what it is.
SELECT c.relname, a.attname, a.atttypid::regtype FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
WHERE c.relnamespace = 'o2o'::regnamespace AND c.relkind = 'v'
	AND ((SELECT t.typnamespace FROM pg_type t WHERE t.oid = a.atttypid) <> 'pg_catalog'::regnamespace OR col_description(c.oid, a.attnum) IS NULL);

\c contrib_regression
SET client_min_messages = warning;
DROP DATABASE o2o_report_views;
DROP ROLE o2o_report_views_owner;
