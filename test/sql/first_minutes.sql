-- The twelve statements of the first five minutes, as they are promised: typed like
-- this, with these names, arguments and columns.
SET client_min_messages = warning;
DROP DATABASE IF EXISTS o2o_first_minutes;
CREATE DATABASE o2o_first_minutes;
\c o2o_first_minutes
SET client_min_messages = warning;
CREATE ROLE o2o_first_owner;
-- Installing, as the README says.
CREATE EXTENSION "O2O" CASCADE;
GRANT USAGE, CREATE ON SCHEMA o2o TO o2o_first_owner;
ALTER DATABASE o2o_first_minutes SET search_path = "$user", public, o2o;
RESET client_min_messages;
GRANT CREATE ON SCHEMA public TO o2o_first_owner;
SET ROLE o2o_first_owner;
CALL o2o.setup();
CALL o2o.setup();
-- The setting of the database, for readers whose own setting stands above it.
SET search_path = "$user", public, o2o;
SET datestyle = ISO;
SET timezone = 'UTC';
SET extra_float_digits = -5;
\set SHOW_CONTEXT never

-- What is there before: a program, four stores open day and night, one that is
-- not, and the reader's own table.
SELECT o2o.points_program_create('club', 'Club', 'CNY');
SELECT o2o.location_import($$[
	{"source": "pos", "source_id": "s1", "name": "People's Square", "lon": 121.4737, "lat": 31.2304, "hours": [{"weekday": [1,2,3,4,5,6,7], "opens": "00:00", "closes": "24:00"}]},
	{"source": "pos", "source_id": "s2", "name": "Bund", "lon": 121.4906, "lat": 31.2397, "hours": [{"weekday": [1,2,3,4,5,6,7], "opens": "00:00", "closes": "24:00"}]},
	{"source": "pos", "source_id": "s3", "name": "Closed for good", "lon": 121.4740, "lat": 31.2300},
	{"source": "pos", "source_id": "s4", "name": "Xujiahui", "lon": 121.4365, "lat": 31.1886, "hours": [{"weekday": [1,2,3,4,5,6,7], "opens": "00:00", "closes": "24:00"}]},
	{"source": "pos", "source_id": "s5", "name": "Hangzhou", "lon": 120.1551, "lat": 30.2741, "hours": [{"weekday": [1,2,3,4,5,6,7], "opens": "00:00", "closes": "24:00"}]}]$$);
CREATE TABLE my_shop (id integer PRIMARY KEY, pos geopoint);
INSERT INTO my_shop SELECT n, geopoint(121.47 + 0.001 * ((n * 37) % 101 - 50), 31.23 + 0.001 * ((n * 53) % 97 - 48)) FROM generate_series(1, 2000) n;
CREATE INDEX ON my_shop USING spgist (pos);
ANALYZE my_shop;

-- 1, 2
SELECT * FROM o2o.identify('{"phone":"138 0013 8000","unionid":"oX1"}', source => 'wechat');
SELECT * FROM o2o.identify('{"phone":"+8613800138000","card":"88001"}', source => 'pos');
-- 3
SELECT o2o.customer_lookup('card:88001');
-- 4
SELECT * FROM o2o.identity_explain('unionid:oX1', 'card:88001') \gdesc
CREATE TEMP TABLE explained AS
SELECT * FROM o2o.identity_explain('unionid:oX1', 'card:88001');
SELECT step, "from", "to", rule, source, at > now() - interval '1 hour' AND at <= now() AS lately FROM explained ORDER BY step;
-- 5, of a card that was typed in with somebody else's phone
SELECT outcome FROM o2o.identify('{"card":"88002","email":"bob@shop.example"}', source => 'web');
SELECT setval('o2o.merge_id_seq', 6);
SELECT outcome FROM o2o.identify('{"card":"88002","phone":"+8613800138000"}', source => 'pos');
SELECT o2o.customer_lookup('card:88001') = o2o.customer_lookup('card:88002') AS one;
SELECT * FROM o2o.customer_unmerge(merge_id => 7, reason => 'wrong card');
SELECT o2o.customer_lookup('card:88001') = o2o.customer_lookup('card:88002') AS one;
-- 6; said twice it is done once
SELECT * FROM o2o.points_earn('card:88001', 120, program => 'club', reference => 'pos/4711', idempotency_key => '0d5b6a6e-5c8e-4f0a-9a55-51b4b1a4c001');
SELECT * FROM o2o.points_earn('card:88001', 120, program => 'club', reference => 'pos/4711', idempotency_key => '0d5b6a6e-5c8e-4f0a-9a55-51b4b1a4c001');
-- 7
SELECT * FROM o2o.points_balance('card:88001');
SELECT * FROM o2o.points_balance('card:88001') \gdesc
-- 8; the code too is promised
SELECT * FROM o2o.points_burn('card:88001', 500, program => 'club', idempotency_key => 'till-3/000017');
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM o2o.points_burn('card:88001', 20, program => 'club', idempotency_key => 'till-3/000018');
-- 9
SELECT * FROM o2o.stores_nearest('121.4737,31.2304', k => 3, open_at => now());
SELECT * FROM o2o.stores_nearest('121.4737,31.2304', k => 3, open_at => now()) \gdesc
-- 10, by the index, and as the whole table sorted says
SELECT id FROM my_shop ORDER BY pos <-> '121.47,31.23' LIMIT 3;
EXPLAIN (COSTS off) SELECT id FROM my_shop ORDER BY pos <-> '121.47,31.23' LIMIT 3;
SELECT array_agg(n.id ORDER BY n.d) AS sorted FROM (SELECT id, geo_distance(pos, '121.47,31.23') AS d FROM my_shop ORDER BY d LIMIT 3) n;
-- 11; an order here and one there first
SELECT points_earned, points_balance FROM o2o.order_place('{"card":"88001"}', '[{"sku":"tea","name":"Tea","quantity":2,"unit_price":9.5}]', source => 'pos', source_id => '4712', channel => 'store', points_program => 'club');
SELECT points_earned, points_balance FROM o2o.order_place('{"unionid":"oX1"}', '[{"sku":"tea","unit_price":9.5}]', source => 'wechat', source_id => 'w1', channel => 'mini_program', points_program => 'club');
SELECT customer_id, web_orders, store_orders, points_available FROM o2o.customer_360 \gdesc
CREATE TEMP TABLE seen AS
SELECT customer_id, web_orders, store_orders, points_available FROM o2o.customer_360;
SELECT customer_id = o2o.customer_lookup('card:88001') AS ann, web_orders, store_orders, points_available FROM seen ORDER BY ann DESC;
-- 12
SELECT * FROM o2o.points_verify();
SELECT * FROM o2o.points_verify() \gdesc
SELECT * FROM o2o.identity_verify();

-- A person may be given by an identifier or by an id, in every one of them.
SELECT profile_id AS p FROM o2o.identify('{"card":"88001"}', 'pos') \gset
SELECT o2o.customer_lookup(:p) = o2o.customer_lookup('card:88001') AS lookup,
	(SELECT balance FROM o2o.points_earn(:p, 1, 'club')) AS earned, (SELECT balance FROM o2o.points_burn(:p, 1, 'club')) AS burned,
	(SELECT count(*) FROM o2o.points_balance(:p)) AS programs;
-- Without o2o in the search_path everything that is written with its schema works the same.
SET search_path = public;
SELECT outcome FROM o2o.identify('{"phone":"138 0013 8000","unionid":"oX1"}', source => 'wechat');
SELECT available FROM o2o.points_balance('card:88001');
SELECT name FROM o2o.stores_nearest('121.4737,31.2304', k => 1, open_at => now());
SELECT id FROM my_shop ORDER BY pos OPERATOR(o2o.<->) '121.47,31.23' LIMIT 1;
-- setup() says so where nobody set it.
RESET ROLE;
ALTER DATABASE o2o_first_minutes RESET search_path;
SET ROLE o2o_first_owner;
CALL o2o.setup();

\c contrib_regression
SET client_min_messages = warning;
DROP DATABASE o2o_first_minutes;
DROP ROLE o2o_first_owner;
