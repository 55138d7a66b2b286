-- Defects that users of other systems reported, which must not happen here.
SET client_min_messages = warning;
DROP DATABASE IF EXISTS o2o_identity_defects;
CREATE DATABASE o2o_identity_defects;
\c o2o_identity_defects
SET client_min_messages = warning;
CREATE ROLE o2o_defects_owner;
CREATE EXTENSION "O2O" CASCADE;
GRANT USAGE, CREATE ON SCHEMA o2o TO o2o_defects_owner;
CALL o2o.setup(owner => 'o2o_defects_owner');
RESET client_min_messages;
SET ROLE o2o_defects_owner;
SET search_path = public, o2o;
\set SHOW_CONTEXT never
SELECT points_program_create('stars', 'Stars', 'CNY', value_per_point => 0.1);
CREATE VIEW pg_temp.people AS
	SELECT string_agg(i.identifier::text || CASE WHEN i.is_shared THEN ' (shared)' ELSE '' END, ' ' ORDER BY i.identifier) AS customer
	FROM o2o.profile p JOIN o2o.profile_identifier i USING (profile_id) GROUP BY p.customer_id ORDER BY 1;

-- Two people log in on one tablet, and become one for good (rudder-transformer #1180).
SELECT outcome FROM identify('{"device": "tablet"}', 'app');
SELECT outcome FROM identify('{"device": "tablet", "unionid": "ann"}', 'app');
SELECT outcome FROM identify('{"unionid": "ann", "card": "a1"}', 'pos');
SELECT outcome FROM identify('{"device": "tablet", "unionid": "bob"}', 'app');
SELECT outcome FROM identify('{"device": "tablet", "unionid": "bob", "card": "b1"}', 'app');
TABLE pg_temp.people;
SELECT status, reason, count(*) FROM o2o.identity_evidence GROUP BY 1, 2 ORDER BY 1, 2;
-- What each did there is each one's own.
SELECT o.points_earned FROM order_place('{"device": "tablet", "unionid": "bob"}', '[{"sku": "T", "name": "Tea", "quantity": 1, "unit_price": 50}]', 'app', 'bob-1', 'app', points_program => 'stars') o;
SELECT (points_balance('card:a1')).balance AS ann, (points_balance('card:b1')).balance AS bob;
-- The more people use it, the less it says: it becomes shared, and nobody's.
SELECT DISTINCT outcome FROM generate_series(1, 6) n, LATERAL identify(jsonb_build_object('device', 'tablet', 'unionid', 'guest' || n), 'app');
SELECT is_shared, customer_lookup('device:tablet'::identifier) AS whose FROM o2o.profile_identifier WHERE identifier = 'device:tablet';
TABLE pg_temp.people;
-- No rule refuses the cards of the members who log in on a store's tablet, one after the other: all become one. The
-- fifth tells that it is the store's: each is on his own again, with what he earned, and what else was seen of him.
SELECT outcome FROM identify('{"card": "m1", "email": "m1@shop.cn"}', 'pos');
SELECT n, i.outcome, (SELECT e.balance FROM points_earn(i.profile_id, n::points, 'stars') e) AS earned
FROM generate_series(1, 4) n, LATERAL identify(jsonb_build_object('device', 'kiosk', 'card', 'm' || n), 'app') i;
SELECT count(DISTINCT customer_lookup(('card:m' || n)::identifier)) AS customers FROM generate_series(1, 4) n;
SELECT outcome, customer_id = profile_id AS is_own FROM identify('{"device": "kiosk", "card": "m5"}', 'app');
SELECT n, (points_balance(('card:m' || n)::identifier)).balance, customer_lookup(('card:m' || n)::identifier) = customer_lookup('email:m1@shop.cn'::identifier) AS has_email
FROM generate_series(1, 4) n;
SELECT outcome FROM identify('{"device": "kiosk", "card": "m6"}', 'app');
SELECT is_shared FROM o2o.profile_identifier WHERE identifier = 'device:kiosk';
-- A phone of one's own with as many browsers, cards that were seen together, and addresses known otherwise is not one.
SELECT DISTINCT outcome FROM generate_series(1, 12) n, LATERAL identify(jsonb_build_object('phone', '+8613800138111', 'cookie', 'b' || n), 'web') ORDER BY 1;
SELECT outcome FROM identify('{"card": ["o1", "o2", "o3", "o4", "o5", "o6"]}', 'pos');
SELECT DISTINCT outcome FROM generate_series(1, 6) n, LATERAL identify(jsonb_build_object('device', 'mine', 'card', 'o' || n), 'app') ORDER BY 1;
SELECT count(*) FILTER (WHERE is_shared) AS shared FROM o2o.profile_identifier WHERE identifier IN ('phone:+8613800138111', 'device:mine');
SELECT * FROM identity_verify();
SELECT * FROM identity_verify();

-- Clients that send "null" for nobody make one giant of everybody (PostHog #5527).
SELECT e.name AS key, e.value, outcome, count(*)
FROM (VALUES ('card', '"undefined"'::jsonb), ('card', '"NULL"'), ('unionid', '"None"'), ('card', '0'), ('device', '"00000000-0000-0000-0000-000000000000"'),
		('phone', '""'), ('card', 'null'), ('cookie', '"anonymous"'), ('email', '"noreply@shop.cn"'), ('card', '"000000"')) e (name, value),
	generate_series(1, 20) n,
	LATERAL identify(jsonb_build_object(e.name, e.value, 'douyin', md5(e.value::text) || n), 'web')
GROUP BY 1, 2, 3 ORDER BY 1, 2::text COLLATE "C", 3;
SELECT max(c.profile_count) AS largest, count(*) AS customers FROM o2o.customer c JOIN o2o.profile p ON p.profile_id = c.customer_id WHERE p.kind = 'douyin';
SELECT identify('{"email": "null", "card": "7"}', 'web');
SELECT * FROM identity_verify();

-- A split moves the identifiers and forgets what they did (PostHog #30929).
CREATE VIEW pg_temp.done AS
	SELECT i.identifier::text AS by, count(DISTINCT o.order_id) AS orders, count(DISTINCT t.touchpoint_id) AS touchpoints,
		(points_balance(i.identifier)).balance, (SELECT count(*) FROM o2o.sales_order s JOIN o2o.profile q USING (profile_id) WHERE q.customer_id = p.customer_id) AS orders_of_customer
	FROM o2o.profile_identifier i JOIN o2o.profile p USING (profile_id)
		LEFT JOIN o2o.sales_order o USING (profile_id) LEFT JOIN o2o.touchpoint t USING (profile_id)
	WHERE i.identifier::text ~ '^(card:(KIM|LEE)|phone:\+8613900000001)' GROUP BY i.identifier, p.customer_id ORDER BY 1;
CREATE PROCEDURE pg_temp.buy(who jsonb, number text) LANGUAGE sql AS $$
	SELECT order_place(who, '[{"sku": "T", "name": "Tea", "quantity": 1, "unit_price": 10}]', 'pos', number, 'pos', points_program => 'stars');
	SELECT touchpoint_record(who, 'attention', 'product_viewed', 'web', 'web', event_id => number);
$$;
CALL pg_temp.buy('{"card": "kim"}', 'k1');
CALL pg_temp.buy('{"card": "kim", "phone": "+8613900000001"}', 'k2');
CALL pg_temp.buy('{"card": "lee"}', 'l1');
CREATE TEMP TABLE before AS TABLE pg_temp.done;
TABLE before;
-- The cashier types Kim's phone beside Lee's card, and both go on buying.
SELECT outcome FROM identify('{"card": "lee", "phone": "+8613900000001"}', 'pos');
CALL pg_temp.buy('{"card": "lee"}', 'l2');
CALL pg_temp.buy('{"card": "kim"}', 'k3');
TABLE pg_temp.done;
SELECT cardinality(profiles) FROM customer_unmerge((SELECT max(merge_id) FROM o2o.identity_merge), 'wrong phone') ORDER BY 1;
TABLE pg_temp.done;
-- And the same event again does not undo it.
SELECT outcome FROM identify('{"card": "lee", "phone": "+8613900000001"}', 'pos');
TABLE pg_temp.done;
SELECT * FROM identity_verify();
SELECT * FROM points_verify();

\c contrib_regression
SET client_min_messages = warning;
DROP DATABASE o2o_identity_defects;
DROP ROLE o2o_defects_owner;
