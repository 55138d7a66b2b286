-- Journeys: the months of the stream, touchpoints one by one and in bulk.
-- In a database of its own: the model belongs to an owner who is no superuser.
SET client_min_messages = warning;
DROP DATABASE IF EXISTS o2o_journey;
CREATE DATABASE o2o_journey;
\c o2o_journey
SET client_min_messages = warning;
CREATE ROLE o2o_journey_owner;
CREATE EXTENSION "O2O" CASCADE;
GRANT USAGE, CREATE ON SCHEMA o2o TO o2o_journey_owner;
CALL o2o.setup(owner => 'o2o_journey_owner');
SET ROLE o2o_journey_owner;
SET search_path = public, o2o;
\set SHOW_CONTEXT never
SET datestyle = ISO;
SET timezone = 'UTC';

-- What a statement answers, or its error with SQLSTATE and detail.
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

-- Everything that is in the model, as one digest.
CREATE FUNCTION pg_temp.state() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	t regclass; part text; whole text := '';
BEGIN
	FOR t IN SELECT c.oid FROM pg_class c WHERE c.relnamespace = 'o2o'::regnamespace AND c.relkind = 'r' ORDER BY c.relname LOOP
		EXECUTE format('SELECT md5(string_agg(r::text, chr(10) ORDER BY r::text)) FROM %s r', t) INTO part;
		whole := whole || coalesce(part, '-');
	END LOOP;
	RETURN md5(whole);
END $$;

SELECT location_import('[{"source": "pos", "source_id": "S1", "name": "One"}]');

-- One by one: who, what, where; once.
SELECT profile_id = customer_id AS first_profile FROM touchpoint_record('{"card": "j1"}', 'search', 'products_searched', 'app', 'app', content => 'tea',
	point => '121.4737,31.2304', occurred_at => '2026-01-31 23:59:59+00', event_id => 't1');
SELECT count(*) FROM touchpoint_record('{"card": "j1"}', 'attention', 'product_viewed', 'store', 'pos', (SELECT location_id FROM location), sku => 'T1',
	occurred_at => '2026-02-01 00:00+00', idempotency_key => 'scan-1');
SELECT count(*) FROM touchpoint_record('{}', 'share', 'product_shared', 'social', 'wechat', occurred_at => '1999-05-05 10:00+00');
CREATE TEMP TABLE first AS SELECT pg_temp.state() AS state;
SELECT count(*) FROM touchpoint_record('{"card": "j1"}', 'search', 'products_searched', 'app', 'app', content => 'tea',
	point => '121.4737,31.2304', occurred_at => '2026-01-31 23:59:59+00', event_id => 't1');
SELECT regexp_replace(pg_temp.try($$SELECT touchpoint_record('{"card": "j2"}', 'search', 'products_searched', 'app', 'app', event_id => 't1')$$), '[0-9a-f-]{36}', '<id>');
SELECT pg_temp.try($$SELECT touchpoint_record('{}', 'buy', 'x', 'app', 'app')$$);
SELECT pg_temp.try($$SELECT touchpoint_record('{}', 'deal', NULL, 'app', 'app')$$);
SELECT pg_temp.try($$SELECT touchpoint_record('{}', 'deal', 'x', 'app', 'moon')$$);
SELECT pg_temp.try($$SELECT touchpoint_record('{}', 'deal', 'x', 'fax', 'app')$$);
SELECT pg_temp.try($$SELECT touchpoint_record('{}', 'deal', 'x', 'app', 'app', 999)$$);
SELECT f.state = pg_temp.state() AS nothing_changed FROM first f;
SELECT t.tableoid::regclass AS month, t.occurred_at, t.stage, t.verb, t.channel, t.source, t.event_id, l.source_id AS location, t.sku, t.content, t.position
FROM touchpoint t LEFT JOIN location l USING (location_id) ORDER BY t.occurred_at;

-- Months: rows move, nothing is lost, a second run makes nothing; the session's time zone does not matter.
SET timezone = 'Asia/Shanghai';
SELECT journey_partition('2026-01-31', '2026-03-01');
SET timezone = 'UTC';
SELECT journey_partition('2026-01-01', '2026-03-31');
SELECT t.tableoid::regclass AS month, t.occurred_at FROM touchpoint t ORDER BY t.occurred_at;
SELECT c.oid::regclass AS partition, pg_get_expr(c.relpartbound, c.oid) AS bound, obj_description(c.oid, 'pg_class') AS comment,
	pg_get_userbyid(c.relowner) AS owner, (SELECT count(*) FROM pg_index i WHERE i.indrelid = c.oid) AS indexes
FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = 'touchpoint'::regclass ORDER BY c.relname;
SELECT count(*) FROM touchpoint_record('{"card": "j1"}', 'use', 'product_used', 'app', 'app', occurred_at => '2026-03-31 23:59:59.999999+00');
SELECT t.tableoid::regclass AS month FROM touchpoint t WHERE t.stage = 'use';
SELECT pg_temp.try($$SELECT journey_partition('2026-01-01', NULL)$$);
SELECT pg_temp.try($$SELECT journey_partition('1900-01-01', '2026-01-01')$$);
SELECT journey_partition('2026-03-01', '2026-01-01');

-- In bulk: the same people, its own months; what is there already is skipped; a mistyped year makes no partition.
INSERT INTO import_order (batch_id, source, source_id, ordered_at, identifiers, channel_sold, currency, payment_method)
VALUES (1, 'app', 'O1', '2026-02-10 10:00+00', '{"card": "j1"}', 'app', 'CNY', 'card');
INSERT INTO import_order_line (batch_id, source, source_id, line_no, sku, quantity, unit_price) VALUES (1, 'app', 'O1', 1, 'T1', 1, 10);
SELECT * FROM order_import(1);
INSERT INTO import_touchpoint (batch_id, source, event_id, occurred_at, identifiers, stage, verb, channel, location, order_source_id, position) VALUES
	(1, 'app', 't1', '2026-01-31 23:59:59+00', '{"card": "j1"}', 'search', 'products_searched', 'app', NULL, NULL, NULL),
	(1, 'app', 't2', '2026-04-01 00:00:00+00', '{"card": "j1"}', 'use', 'product_used', 'store', 'pos/S1', 'O1', '1,2'),
	(1, 'app', 't3', '2026-06-01 00:00:00+00', '{"card": "j2", "phone": "+8613800138000"}', 'share', 'product_shared', 'app', NULL, NULL, NULL),
	(1, 'app', 't4', '0202-06-01 00:00:00+00', '{}', 'search', 'products_searched', 'app', NULL, NULL, NULL);
SELECT touchpoint_import(1);
SELECT t.event_id, t.tableoid::regclass AS month, t.stage, l.source_id AS location, o.source_id AS order_no, t.position,
	customer_lookup(t.profile_id) = customer_lookup('card:j1') AS is_j1, customer_lookup(t.profile_id) = customer_lookup('phone:+8613800138000') AS is_j2
FROM touchpoint t LEFT JOIN location l USING (location_id) LEFT JOIN sales_order o USING (order_id) WHERE t.event_id LIKE 't_' ORDER BY t.event_id;
SELECT event_id, outcome FROM import_touchpoint ORDER BY event_id;
SELECT i.inhrelid::regclass AS partition FROM pg_inherits i WHERE i.inhparent = 'touchpoint'::regclass ORDER BY i.inhrelid::regclass::text;
UPDATE first SET state = pg_temp.state();
SELECT touchpoint_import(1);
SELECT f.state = pg_temp.state() AS nothing_changed FROM first f;
INSERT INTO import_touchpoint (batch_id, source, event_id, occurred_at, identifiers, stage, verb, channel, location) VALUES
	(2, 'app', 't9', '2026-04-01 00:00:00+00', '{"card": "j9"}', 'use', 'product_used', 'store', 'pos/S9');
SELECT pg_temp.try('SELECT touchpoint_import(2)');
UPDATE import_touchpoint SET location = NULL, stage = 'buy' WHERE batch_id = 2;
SELECT pg_temp.try('SELECT touchpoint_import(2)');
SELECT customer_lookup('card:j9') IS NULL AS nobody;

\c contrib_regression
SET client_min_messages = warning;
DROP DATABASE o2o_journey;
DROP ROLE o2o_journey_owner;
