-- Stores: the search in C (src/store) against the same search in SQL and against brute force by location_intervals(),
-- over random hours, exceptions, time zones, moments, services, roles, kinds and distances.
-- In a database of its own: the model belongs to an owner who is no superuser.
SET client_min_messages = warning;
DROP DATABASE IF EXISTS o2o_store_find;
CREATE DATABASE o2o_store_find;
\c o2o_store_find
SET client_min_messages = warning;
CREATE ROLE o2o_store_find_owner;
CREATE ROLE o2o_store_find_stranger;
CREATE EXTENSION "O2O" CASCADE;
GRANT USAGE, CREATE ON SCHEMA o2o TO o2o_store_find_owner;
CALL o2o.setup(owner => 'o2o_store_find_owner');
SET ROLE o2o_store_find_owner;
SET search_path = public, o2o;
\set SHOW_CONTEXT never
SET datestyle = ISO;
SET timezone = 'UTC';

-- Weekly hours as numbers: texts, rows, and what is refused.
SELECT t, week_hours(t) FROM unnest(ARRAY['Mo 09:00-18:00', 'Su 20:00-04:00', 'Mo 00:00-24:00', 'Tu 09:00-09:00', 'Mo,We 7:30-12:00,13:00-18:00; Mo 20:00-22:00', 'Su off', '']) t;
SELECT w, week_hours_valid(w) FROM (VALUES ('{}'::integer[]), ('{0,86400}'), ('{604799,604800}'), ('{604799,691199}'), ('{0,86401}'), ('{604800,604801}'), ('{-1,5}'), ('{5,5}'), ('{5,4}'), ('{0,1,0,2}'), ('{10,20,0,5}'), ('{0}'), ('{0,NULL}'), ('{{0,1},{2,3}}'), ('{0,2147483647}')) v (w);
SELECT o2o.location_import('[{"source": "pos", "source_id": "rows", "name": "Rows", "kind": "region", "hours": "Mo 09:00-18:00; Fr 00:00-24:00; Sa 18:00-00:00; Su 24:00-05:00,20:00-04:00"}]');
SELECT weekday, opens, closes FROM location_hours ORDER BY weekday, opens;
SELECT location_import('[{"source": "pos", "source_id": "rows", "name": "Rows", "kind": "region"}]');
SELECT count(*) AS kept FROM location_hours;
SELECT location_import('[{"source": "pos", "source_id": "rows", "name": "Rows", "kind": "region", "hours": null}]');
SELECT count(*) AS none FROM location_hours;
UPDATE location SET week_hours = '{1,0}';
SELECT location_import('[{"source": "pos", "source_id": "rows", "name": "Rows", "hours": [{"weekday": 1, "opens": "9:00", "closes": "10:00"}, {"weekday": [1, 2], "opens": "09:00:00", "closes": "11:00"}]}]');
SELECT location_import('[{"source": "pos", "source_id": "rows", "name": "Rows", "hours": [{"weekday": 1, "opens": "09:00:00.5", "closes": "10:00"}]}]');
DELETE FROM location;

SELECT setseed(0.25);
CREATE TEMP TABLE zone AS SELECT row_number() OVER () - 1 AS n, name FROM unnest('{UTC,EST5EDT,Europe/Berlin,America/New_York,Asia/Kolkata,Australia/Lord_Howe,Pacific/Apia,Pacific/Chatham,America/St_Johns,Africa/Casablanca,Etc/GMT+12,Asia/Shanghai}'::text[]) name;
-- places of one decimal of a degree are often the same; times at which things happen often: midnight, the hours at which clocks change, quarters
CREATE FUNCTION pg_temp.some_time() RETURNS time LANGUAGE sql VOLATILE
RETURN CASE floor(random() * 4) WHEN 0 THEN (ARRAY['00:00', '24:00', '02:00', '02:30', '03:00', '01:59:59', '23:59:59'])[1 + floor(random() * 7)]::time ELSE time '00:00' + floor(random() * 96) * interval '15 minutes' END;
INSERT INTO location (location_id, source, source_id, name, kind, roles, services, position, time_zone, opened_on, closed_on)
SELECT i, 'pos', i, 'Place ' || i, (ARRAY['store', 'store', 'store', 'counter', 'warehouse', 'region'])[1 + floor(random() * 6)],
	CASE floor(random() * 4) WHEN 0 THEN '{shop,NULL,kiosk}' WHEN 1 THEN '{}' ELSE '{shop}' END::text[], CASE floor(random() * 4) WHEN 0 THEN '{}' WHEN 1 THEN '{pickup}' WHEN 2 THEN '{repair,pickup}' ELSE '{repair,NULL}' END::text[],
	CASE WHEN i % 50 <> 0 THEN geopoint(round((8 + random())::numeric, 1 + i % 2)::float8, round((47 + random())::numeric, 1 + i % 2)::float8) END,
	(SELECT name FROM zone WHERE n = i % 12), CASE WHEN i % 7 = 0 THEN date '2026-03-29' END, CASE WHEN i % 11 = 0 THEN date '2026-03-30' END
FROM generate_series(1, 600) i;
UPDATE location l SET week_hours = w.week_hours
FROM (SELECT l.location_id, (SELECT week_hours(jsonb_agg(jsonb_build_object('weekday', h.weekday, 'opens', h.opens, 'closes', pg_temp.some_time())))
		FROM (SELECT DISTINCT 1 + floor(random() * 7)::integer AS weekday, pg_temp.some_time() AS opens FROM generate_series(1, (l.location_id % 9)::integer)) h) AS week_hours FROM location l OFFSET 0) w
WHERE w.location_id = l.location_id AND week_hours_valid(w.week_hours);
INSERT INTO location_hours_exception (location_id, day, interval_no, opens, closes)
SELECT location_id, day, interval_no, CASE WHEN open THEN pg_temp.some_time() END, CASE WHEN open THEN pg_temp.some_time() END
FROM (SELECT DISTINCT ON (location_id, day, interval_no) location_id, date '2026-03-26' + floor(random() * 9)::integer AS day, 1 + floor(random() * 2)::integer AS interval_no, random() < 0.6 AS open FROM location, generate_series(1, 4) WHERE location_id % 3 > 0) e;
SELECT count(*) > 1200 AS weekly, (SELECT count(*) > 800 FROM location_hours_exception) AS exceptions FROM location_hours;
CREATE TEMP TABLE moment AS
SELECT row_number() OVER () AS n, at FROM (
	SELECT timestamptz '2026-03-27' + floor(random() * 8 * 96) * interval '15 minutes' AS at FROM generate_series(1, 60)
	UNION ALL SELECT t::timestamptz FROM unnest('{2026-03-29 00:59:59.999999Z,2026-03-29 01:00Z,2026-03-29 01:30Z,2026-03-08 07:00Z,2026-11-01 05:30Z,2026-11-01 06:30Z,2026-10-25 00:30Z,2026-10-25 01:30Z,2011-12-30 10:00Z,2011-12-30 09:59Z,2026-04-04 15:00Z,1900-01-01 12:00Z,infinity,-infinity}'::text[]) t) m;
-- each place at each moment
CREATE TEMP TABLE truth AS
SELECT l.location_id, m.n, isfinite(m.at) AND EXISTS (SELECT FROM location_intervals(l.location_id, l.time_zone, timezone(l.time_zone, m.at)::date - 1, 2) i WHERE m.at >= i.opens_at AND m.at < i.closes_at) AS open
FROM location l, moment m;
SELECT count(*) AS asked, count(*) FILTER (WHERE open) > 5000 AS many_open, count(*) FILTER (WHERE open IS DISTINCT FROM location_open(location_id, l.week_hours, l.time_zone, m.at)) AS wrong
FROM truth t JOIN location l USING (location_id) JOIN moment m USING (n);

-- searches
CREATE TEMP TABLE search AS
SELECT i, geopoint(round((8 + random())::numeric, 2 + i % 2)::float8, round((47 + random())::numeric, 2 + i % 2)::float8) AS p, i % 13 AS k, CASE i % 3 WHEN 0 THEN NULL ELSE floor(random() * 40000) END AS m,
	CASE WHEN i % 4 > 0 THEN 1 + floor(random() * 74)::integer END AS moment, CASE i % 5 WHEN 0 THEN NULL WHEN 1 THEN '{pickup}' WHEN 2 THEN '{repair,pickup}' WHEN 3 THEN '{}' ELSE '{repair,NULL}' END::text[] AS services,
	CASE i % 7 WHEN 0 THEN '{kiosk}' WHEN 1 THEN '{}' WHEN 2 THEN '{kiosk,shop}' END::text[] AS roles
FROM generate_series(1, 160) i;
CREATE FUNCTION pg_temp.expected(search) RETURNS bigint[] LANGUAGE sql STABLE AS $$
	SELECT array_agg(x.location_id ORDER BY x.d, x.location_id) FROM (
		SELECT l.location_id, l.position <-> $1.p AS d FROM o2o.location l LEFT JOIN moment m ON m.n = $1.moment
		WHERE l.kind <> 'region' AND l.roles @> coalesce($1.roles, '{shop}') AND l.services @> coalesce($1.services, '{}') AND coalesce(l.position <-> $1.p <= $1.m, l.position IS NOT NULL)
			AND (m.at IS NULL OR EXISTS (SELECT FROM truth t WHERE t.location_id = l.location_id AND t.n = m.n AND t.open))
			AND coalesce(l.opened_on <= timezone(l.time_zone, coalesce(m.at, now()))::date, true) AND coalesce(l.closed_on > timezone(l.time_zone, coalesce(m.at, now()))::date, true)
		ORDER BY 2, 1 LIMIT $1.k) x
$$;
CREATE INDEX ON truth (location_id, n);
CREATE FUNCTION pg_temp.judged() RETURNS TABLE (asked bigint, many boolean, wrong bigint, wrong_by_sql bigint, wrong_within bigint) LANGUAGE sql AS $$
	SELECT count(*), sum(cardinality(e)) > 250, count(*) FILTER (WHERE e IS DISTINCT FROM (SELECT array_agg(s.store_id ORDER BY s.n) FROM stores_nearest(q.p, q.k, q.m, q.at, q.services, q.roles) WITH ORDINALITY s (store_id, name, d, n))),
		count(*) FILTER (WHERE e IS DISTINCT FROM (SELECT array_agg(s.location_id ORDER BY s.n) FROM store_find_by_sql(q.p, q.k, q.m, q.at, q.services, q.roles) WITH ORDINALITY s (location_id, name, d, n))),
		count(*) FILTER (WHERE w IS DISTINCT FROM (SELECT array_agg(s.store_id ORDER BY s.n) FROM stores_within(q.p, coalesce(q.m, 30000), q.at, q.services, q.roles) WITH ORDINALITY s (store_id, name, d, n)))
	FROM (SELECT s.*, m.at, pg_temp.expected(s) AS e, pg_temp.expected((s.i, s.p, NULL, coalesce(s.m, 30000), s.moment, s.services, s.roles)::search) AS w FROM search s LEFT JOIN moment m ON m.n = s.moment) q
$$;
SELECT store_is_plain(), t.* FROM pg_temp.judged() t;
-- the distance that comes with a place is that of <->, to the bit
SELECT count(*) > 500 AS many, count(*) FILTER (WHERE distance_m <> l.position <-> p OR s.name <> l.name) AS wrong
FROM search, LATERAL stores_nearest(p, 12) s JOIN location l ON l.location_id = s.store_id;
-- rows that change within a transaction, and go away
BEGIN;
UPDATE location SET position = geopoint(8.5, 47.5) WHERE location_id % 5 = 0;
DELETE FROM location_hours_exception WHERE location_id % 4 = 0;
DELETE FROM truth;
INSERT INTO truth SELECT l.location_id, m.n, isfinite(m.at) AND EXISTS (SELECT FROM location_intervals(l.location_id, l.time_zone, timezone(l.time_zone, m.at)::date - 1, 2) i WHERE m.at >= i.opens_at AND m.at < i.closes_at) FROM location l, moment m;
SELECT store_is_plain(), t.* FROM pg_temp.judged() t;
ROLLBACK;
-- tables that are not plain: the same by SQL
ALTER TABLE location_hours_exception ENABLE ROW LEVEL SECURITY;
SELECT store_is_plain(), t.* FROM pg_temp.judged() t;
SELECT count(*) FILTER (WHERE open IS DISTINCT FROM location_open(location_id, l.week_hours, l.time_zone, m.at)) AS wrong
FROM truth t JOIN location l USING (location_id) JOIN moment m USING (n) WHERE isfinite(m.at) AND location_id < 200;
SELECT store_find('8,47', 1, NULL, NULL, NULL, '{shop}', '{store}');
ALTER TABLE location_hours_exception DISABLE ROW LEVEL SECURITY;
DROP INDEX location_position_idx;
SELECT store_is_plain(), (SELECT count(*) FROM stores_nearest('8.5,47.5', 5)) AS found;
CREATE INDEX location_position_idx ON location USING spgist (position);
SELECT store_is_plain(), (SELECT count(*) FROM stores_nearest('8.5,47.5', 5)) AS found;
-- what the functions refuse, and to whom; what the tables refuse, since it would end all searches near it
UPDATE location SET time_zone = 'Europe/Berlni' WHERE location_id = 1;
INSERT INTO source (source, name, time_zone) VALUES ('mars', 'Mars', 'Mars/Base');
SELECT source_register('mars', 'Mars', time_zone => 'Mars/Base');
SELECT store_find(NULL, 1, NULL, NULL, NULL, '{shop}', '{store}');
SELECT store_find('8,47', 1, 'NaN', NULL, NULL, '{shop}', '{store}');
SELECT location_open(1, '{5}', 'UTC', now());
SET ROLE o2o_store_find_stranger;
SELECT store_find('8,47', 1, NULL, NULL, NULL, '{shop}', '{store}');
SELECT location_open(1, '{}', 'UTC', now());
RESET ROLE;

\c contrib_regression
SET client_min_messages = warning;
DROP DATABASE o2o_store_find;
DROP ROLE o2o_store_find_owner, o2o_store_find_stranger;
