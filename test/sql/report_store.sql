-- Reports of stores: locator, coverage, trade areas, catchment, white spots; sites and the fit of the Huff model from customers and orders.
-- In a database of its own: the model belongs to an owner who is no superuser.
SET client_min_messages = warning;
DROP DATABASE IF EXISTS o2o_report_store;
CREATE DATABASE o2o_report_store;
\c o2o_report_store
SET client_min_messages = warning;
CREATE ROLE o2o_report_store_owner;
CREATE ROLE o2o_report_store_reader;
CREATE SCHEMA elsewhere;
CREATE EXTENSION postgis SCHEMA elsewhere;
SET search_path = elsewhere, public;
CREATE EXTENSION "O2O" CASCADE;
GRANT USAGE, CREATE ON SCHEMA o2o TO o2o_report_store_owner;
GRANT USAGE ON SCHEMA o2o TO o2o_report_store_reader;
CALL o2o.setup(owner => 'o2o_report_store_owner');
SET ROLE o2o_report_store_owner;
SET search_path = public, o2o;
\set SHOW_CONTEXT never
SET datestyle = ISO;
SET timezone = 'UTC';

SELECT geopoint_or_null('121.4737,31.2304'), geopoint_or_null('POINT(1 2)'), geopoint_or_null('181,0'), geopoint_or_null('NaN,1'), geopoint_or_null('home'), geopoint_or_null('');

-- Nothing there yet: no row, or zeros.
SELECT * FROM store_coverage ORDER BY within_m;
SELECT (SELECT count(*) FROM store_locator) AS locator, (SELECT count(*) FROM store_trade_area) AS trade_area, (SELECT count(*) FROM store_catchment) AS catchment, (SELECT count(*) FROM store_white_spot) AS white_spot, (SELECT count(*) FROM store_site_cannibalisation('0,0')) AS cannibalisation;
SELECT count(*), sum(captured) FROM store_site_scores('(0,0),(0.01,0.01)', 7);

-- Two shops on the equator, 0.1 degree (11.1 km) apart, a competitor, a depot; one that is closed for good and one to come.
SELECT location_import('[
	{"source": "pos", "source_id": "a", "name": "A", "lon": 0, "lat": 0, "hours": "24/7", "services": "pickup", "areas": "delivery 2000", "city": "Null"},
	{"source": "pos", "source_id": "b", "name": "B", "lon": 0.1, "lat": 0, "attractiveness": 2},
	{"source": "pos", "source_id": "x", "name": "X", "lon": 0.05, "lat": 0, "roles": "competitor"},
	{"source": "pos", "source_id": "w", "name": "W", "kind": "warehouse", "lon": 0.2, "lat": 0},
	{"source": "pos", "source_id": "old", "name": "Old", "lon": 0.02, "lat": 0, "closed_on": "2020-01-01"},
	{"source": "pos", "source_id": "new", "name": "New", "lon": 0.02, "lat": 0, "opened_on": "2999-01-01"},
	{"source": "pos", "source_id": "region", "name": "Region", "kind": "region"}]');
-- Customers east of A: 500 m, 2 km, 4 km; one between the shops 6.1 km from A and 5 km from B; two near B; seven at 1 degree; one without a position, one with nonsense.
SELECT count(*) FROM (VALUES ('c1', '0.0045,0'), ('c2', '0.018,0'), ('c3', '0.036,0'), ('c4', '0.055,0'), ('c5', '0.101,0'), ('c6', '0.1,0.005'), ('c7', NULL), ('c8', 'home')) v (card, position),
	LATERAL identify(jsonb_build_object('card', card), 'pos', CASE WHEN position IS NULL THEN '{}' ELSE jsonb_build_object('position', position) END) i;
SELECT count(*) FROM generate_series(1, 7) n, LATERAL identify(jsonb_build_object('card', 'far' || n), 'pos', jsonb_build_object('position', format('1.00%s,0', n))) i;
SELECT count(*) FROM generate_series(1, 4) n, LATERAL identify(jsonb_build_object('card', 'few' || n), 'pos', jsonb_build_object('position', format('2.00%s,0', n))) i;
-- The latest position counts, of any profile of the customer.
SELECT outcome FROM identify('{"card": "c1"}', 'web', '{"position": "0.0046,0"}', occurred_at => '2020-01-01');
SELECT count(*), count(*) FILTER (WHERE source = 'pos') AS pos, min(lon) FROM customer_position;
SELECT count(*) FROM generate_series(1, 3) n, LATERAL order_place('{"card": "c1"}', '[{"sku": "tea", "name": "Tea", "unit_price": 5}]', 'pos', 'a' || n, 'pos', location_id => (SELECT location_id FROM location WHERE source_id = 'a')) o;
SELECT count(*) FROM (VALUES ('c2', 'a'), ('c5', 'a'), ('c5', 'b'), ('c6', 'b'), ('c8', 'a')) v (card, shop), LATERAL order_place(jsonb_build_object('card', card), '[{"sku": "tea", "unit_price": 5}]', 'pos', card || shop, 'pos', location_id => (SELECT location_id FROM location WHERE source_id = shop)) o;
SELECT count(*) FROM order_place('{}', '[{"sku": "tea", "unit_price": 5}]', 'pos', 'anonymous', 'pos', location_id => (SELECT location_id FROM location WHERE source_id = 'a'));
SELECT count(*) FROM order_place('{"card": "far1"}', '[{"sku": "tea", "unit_price": 5}]', 'web', 'far', 'web');

SELECT source_id, name, kind, roles, services, lon, lat, city, is_open, next_opening_at IS NOT NULL AS opens, area_services FROM store_locator ORDER BY source_id;
SELECT * FROM store_coverage ORDER BY within_m;
SELECT source_id, zone, customers, customer_share, buyers, penetration, orders, order_share FROM store_catchment ORDER BY source_id, zone;
SELECT source_id, customers, customer_share, round(area_km2) AS area_km2, geojson::jsonb ->> 'type' AS type, geo_covers(geo_polygon(geojson::jsonb), geopoint(0.0499, 0.001)) AS west, geo_covers(geo_polygon(geojson::jsonb), geopoint(0.0501, 0.001)) AS east FROM store_trade_area ORDER BY source_id;
SELECT round(lon::numeric, 4) AS lon, round(lat::numeric, 4) AS lat, customers, orders, round(nearest_m::numeric) AS nearest_m FROM store_white_spot ORDER BY lon;

-- A new shop: where the seven live nobody serves within 20 km; between A and B it takes from both and from the competitor.
SELECT round(lon::numeric, 3) AS lon, round(captured::numeric, 3) AS captured, round(from_own::numeric, 3) AS from_own, round(from_others::numeric, 3) AS from_others, unserved, round(gain::numeric, 3) AS gain
FROM store_site_scores('(0,0),(1.03,0.02)', 7) LIMIT 3;
SELECT name, is_own, round(customers_before::numeric, 3) AS before, round(customers_after::numeric, 3) AS after, round(taken::numeric, 3) AS taken, round(taken_share::numeric, 3) AS taken_share FROM store_site_cannibalisation('0.02,0', 2);
SELECT abs((SELECT sum(taken) FROM store_site_cannibalisation(geo_cell_center(s.cell), 1)) - s.captured) < 1e-9 AS agree FROM store_site_scores('(0.03,0),(0.04,0.01)', 7) s LIMIT 1;

-- Six shops of different sizes, 200 customers whose 4,000 orders follow exponents of 0.7 and 1.6: found again within four standard errors.
SELECT location_import((SELECT jsonb_agg(jsonb_build_object('source', 'web', 'source_id', 's' || i, 'name', 's' || i, 'lon', 20 + (i * 7 % 6) * 0.02, 'lat', 40 + (i * 11 % 5) * 0.015, 'attractiveness', 100 * power(2, i * 5 % 6))) FROM generate_series(1, 6) i));
SELECT count(*) FROM generate_series(1, 200) n, LATERAL identify(jsonb_build_object('card', 'h' || n), 'web', jsonb_build_object('position', (20 + (n * 7919 % 1000) * 0.00012) || ',' || (40 + (n * 104729 % 997) * 0.00008))) i;
SELECT setseed(0.3);
INSERT INTO import_order (batch_id, source, source_id, ordered_at, identifiers, channel_sold, location_sold, currency, payment_method)
SELECT 1, 'web', 'huff' || row_number() OVER (), '2026-01-01', jsonb_build_object('card', t.card), 'pos', 'web/' || t.shop, 'CNY', 'cash'
FROM (SELECT v.card, (SELECT x.source_id FROM (SELECT l.source_id, sum(h.probability) OVER (ORDER BY h.store_id) AS upto FROM huff_probabilities('{1}', ARRAY[v.pos], s.ids, s.positions, s.sizes, 0.7, 1.6) h JOIN location l ON l.location_id = h.store_id) x
		WHERE x.upto >= v.at OR x.upto > 0.999999999 ORDER BY x.upto LIMIT 1) AS shop
	FROM (SELECT 'h' || n AS card, geopoint(20 + (n * 7919 % 1000) * 0.00012, 40 + (n * 104729 % 997) * 0.00008) AS pos, random() AS at FROM generate_series(1, 200) n, generate_series(1, 20)) v,
		(SELECT array_agg(location_id) AS ids, array_agg(position) AS positions, array_agg(attractiveness) AS sizes FROM location WHERE source = 'web') s) t;
INSERT INTO import_order_line (batch_id, source, source_id, line_no, sku, product_name, quantity, unit_price) SELECT batch_id, source, source_id, 1, 'tea', 'Tea', 1, 5 FROM import_order;
SELECT orders FROM order_import(1);
SELECT orders >= 4000 AS orders, cells > 50 AS cells, abs(alpha - 0.7) < 4 * alpha_error AND alpha_error < 0.1 AS alpha, abs(beta - 1.6) < 4 * beta_error + 0.1 AND beta_error < 0.2 AS beta FROM store_huff_fit();

-- Readers have the views, operators the rest.
SELECT grant_access('o2o_report_store_reader', 'reader');
RESET ROLE;
SET ROLE o2o_report_store_reader;
SELECT (SELECT count(*) FROM store_locator) > 0 AS locator, (SELECT count(*) FROM store_coverage) AS coverage, (SELECT count(*) FROM store_trade_area) > 0 AS trade_area, (SELECT count(*) FROM store_catchment) > 0 AS catchment, (SELECT count(*) FROM store_white_spot) > 0 AS white_spot;
SELECT count(*) FROM customer_position;
SELECT count(*) FROM store_site_scores('(0,0),(0.01,0.01)', 7);

\c contrib_regression
SET client_min_messages = warning;
DROP DATABASE o2o_report_store;
DROP ROLE o2o_report_store_owner, o2o_report_store_reader;
