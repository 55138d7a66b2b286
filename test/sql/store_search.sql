-- Stores: hours over midnight, exceptions and daylight saving time; nearest stores, exactly, with every filter.
-- In a database of its own: the model belongs to an owner who is no superuser.
SET client_min_messages = warning;
DROP DATABASE IF EXISTS o2o_store_search;
CREATE DATABASE o2o_store_search;
\c o2o_store_search
SET client_min_messages = warning;
CREATE ROLE o2o_store_search_owner;
CREATE EXTENSION "O2O" CASCADE;
GRANT USAGE, CREATE ON SCHEMA o2o TO o2o_store_search_owner;
CALL o2o.setup(owner => 'o2o_store_search_owner');
SET ROLE o2o_store_search_owner;
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

SELECT location_import('[
	{"source": "pos", "source_id": "day", "name": "Day", "lon": 121.4737, "lat": 31.2304, "time_zone": "Asia/Shanghai", "services": ["pickup", "repair"],
	 "hours": [{"weekday": [1, 2, 3, 4, 5], "opens": "09:00", "closes": "12:00"}, {"weekday": [1, 2, 3, 4, 5], "opens": "13:00", "closes": "21:00"}],
	 "exceptions": [{"day": "2026-10-01", "note": "National day"}, {"day": "2026-10-04", "opens": "10:00", "closes": "11:00"}]},
	{"source": "pos", "source_id": "bar", "name": "Bar", "lon": 13.40, "lat": 52.52, "time_zone": "Europe/Berlin",
	 "hours": [{"weekday": 6, "opens": "20:00", "closes": "04:00"}], "exceptions": [{"day": "2026-08-01"}]},
	{"source": "pos", "source_id": "always", "name": "Always", "lon": 121.4700, "lat": 31.2300, "time_zone": "Asia/Shanghai", "services": ["pickup"],
	 "hours": [{"weekday": [1, 2, 3, 4, 5, 6, 7], "opens": "00:00", "closes": "24:00"}]},
	{"source": "pos", "source_id": "early", "name": "Early", "time_zone": "Europe/Berlin",
	 "hours": [{"weekday": 7, "opens": "02:30", "closes": "05:00"}]},
	{"source": "pos", "source_id": "depot", "name": "Depot", "lon": 121.4738, "lat": 31.2304, "kind": "warehouse"},
	{"source": "pos", "source_id": "gone", "name": "Gone", "lon": 121.4737, "lat": 31.2305, "time_zone": "Asia/Shanghai", "closed_on": "2026-01-01",
	 "hours": [{"weekday": [1, 2, 3, 4, 5, 6, 7], "opens": "00:00", "closes": "00:00"}]},
	{"source": "pos", "source_id": "region", "name": "Region", "kind": "region", "lon": 121.4737, "lat": 31.2304}]');
SELECT c.source_id, c.at, store_is_open(l.location_id, c.at::timestamptz) AS is_open, c.what
FROM (VALUES
	(1, 'day', '2026-09-28 08:59:59+08', 'before opening'), (2, 'day', '2026-09-28 09:00+08', 'opens'),
	(3, 'day', '2026-09-28 12:00+08', 'closes for lunch'), (4, 'day', '2026-09-28 13:00+08', 'after lunch'),
	(5, 'day', '2026-09-28 21:00+08', 'closes'), (6, 'day', '2026-09-27 10:00+08', 'Sunday'),
	(7, 'day', '2026-09-28 01:00+00', 'the place''s own time zone'), (8, 'day', '2026-10-01 10:00+08', 'holiday, a Thursday'),
	(9, 'day', '2026-10-04 10:30+08', 'other hours on a Sunday'), (10, 'day', '2026-10-04 11:00+08', 'and over'),
	(11, 'bar', '2026-07-18 19:59+02', 'Saturday, before'), (12, 'bar', '2026-07-18 20:00+02', 'Saturday'),
	(13, 'bar', '2026-07-19 03:59+02', 'Sunday, past midnight'), (14, 'bar', '2026-07-19 04:00+02', 'Sunday, over'),
	(15, 'bar', '2026-07-18 03:00+02', 'Saturday: Friday''s night'), (16, 'bar', '2026-08-01 21:00+02', 'exception'),
	(17, 'bar', '2026-08-02 01:00+02', 'past midnight of the exception'), (18, 'bar', '2026-08-08 21:00+02', 'a week later'),
	(19, 'bar', '2026-10-25 02:59:59+01', 'the clock went back: 9 hours of night'), (20, 'bar', '2026-10-25 03:59+01', 'still'),
	(21, 'bar', '2026-10-25 04:00+01', 'over'), (22, 'bar', '2026-03-29 03:59+02', 'the clock went on: 7 hours of night'),
	(23, 'bar', '2026-03-29 04:00+02', 'over'), (24, 'early', '2026-03-29 01:29+00', '02:30 is skipped: opens 03:30'),
	(25, 'early', '2026-03-29 01:30+00', 'open'), (26, 'early', '2026-10-25 00:30+00', 'first 02:30'),
	(27, 'early', '2026-10-25 01:30+00', 'second 02:30: opens'), (28, 'always', '2026-09-28 00:00+08', 'whole day'),
	(29, 'always', '2026-09-28 23:59:59.999+08', 'whole day'), (30, 'gone', '2025-12-31 12:00+08', 'while it existed'),
	(31, 'gone', '2026-01-01 00:00+08', 'closed for good'), (32, 'depot', '2026-09-28 12:00+00', 'no hours')) c (no, source_id, at, what)
	JOIN location l USING (source_id) ORDER BY c.no;
SELECT pg_temp.try('SELECT store_is_open(999, now())');

-- Nearest: exact metres, every filter inside the search.
\set here '''121.4737,31.2304'''
SELECT name, round(distance_m::numeric, 3) AS distance_m FROM stores_nearest(:here, open_at => '2026-09-28 10:00+08');
SELECT name FROM stores_nearest(:here, k => 1, open_at => '2026-09-28 22:00+08');
SELECT name FROM stores_nearest(:here, k => 1, open_at => '2025-12-28 12:00+08');
SELECT name FROM stores_nearest(:here, max_m => 1000, services => '{pickup}', open_at => '2026-09-28 10:00+08');
-- The bound includes its last place, and what lies beyond is never found in place of what is missing.
SELECT name FROM stores_nearest(:here, k => 5, max_m => (SELECT max(distance_m) FROM stores_nearest(:here, services => '{pickup}')));
SELECT name FROM stores_nearest(:here, k => 5, max_m => 355, services => '{pickup}');
SELECT count(*) FROM stores_nearest(:here, k => 5, max_m => 100000, services => '{surgery}');
SELECT name FROM stores_nearest(:here, services => '{pickup,repair}', open_at => '2026-09-28 10:00+08');
SELECT name FROM stores_nearest(:here, k => 1, roles => '{warehouse}');
SELECT count(*) FROM stores_nearest(:here, max_m => 0, open_at => '2026-09-28 10:00+08');
SELECT count(*) FROM stores_nearest(:here, k => 0);
SELECT count(*) > 0 AS found FROM stores_nearest('121.4737,31.2304', k => 3, open_at => now());
SELECT pg_temp.try($$SELECT stores_nearest('1,1', k => -1)$$);
SELECT pg_temp.try($$SELECT stores_nearest(NULL)$$);
SELECT pg_temp.try($$SELECT stores_nearest('1,1', max_m => 'NaN')$$);

-- Ties at the cut: the lowest ids win, whatever the order in the index. Four corners of a square, twice.
SELECT location_import((SELECT jsonb_agg(jsonb_build_object('source', 'crm', 'source_id', 'c' || i, 'name', 'c' || i, 'roles', '["kiosk"]'::jsonb, 'lon', 10 + 0.01 * (i % 2), 'lat', 0.01 * (i / 2 % 2)) ORDER BY i)
	FROM generate_series(0, 7) i));
SELECT array_agg(name ORDER BY n) FROM stores_nearest('10.005,0.005', k => 3, roles => '{kiosk}') WITH ORDINALITY s (store_id, name, distance_m, n);
SELECT array_agg(name ORDER BY n) FROM stores_nearest('10,0', k => 3, roles => '{kiosk}') WITH ORDINALITY s (store_id, name, distance_m, n);
-- The same as sorting everything, at many points; and by the index.
SELECT location_import((SELECT jsonb_agg(jsonb_build_object('source', 'web', 'source_id', 'w' || i, 'name', 'w' || i, 'roles', '["grid"]'::jsonb,
	'lon', ((i * 7919) % 3600) / 10.0 - 180, 'lat', ((i * 104729) % 1700) / 10.0 - 85)) FROM generate_series(1, 3000) i));
ANALYZE location;
SELECT count(*) AS wrong
FROM (SELECT geopoint(((i * 613) % 360) - 180, ((i * 389) % 170) - 85) AS at FROM generate_series(1, 100) i) p
WHERE (SELECT array_agg(s.store_id ORDER BY s.n) FROM stores_nearest(p.at, 7, roles => '{grid}') WITH ORDINALITY s (store_id, name, distance_m, n))
	IS DISTINCT FROM (SELECT array_agg(t.location_id ORDER BY t.d, t.location_id) FROM (
		SELECT l.location_id, l.position <-> p.at AS d FROM location l WHERE l.roles @> '{grid}' ORDER BY 2, 1 LIMIT 7) t);
CREATE FUNCTION pg_temp.uses_index() RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE before bigint; after bigint;
BEGIN
	SELECT pg_stat_get_xact_numscans('location_position_idx'::regclass) INTO before;
	PERFORM stores_nearest('10,10', 3, roles => '{grid}');
	SELECT pg_stat_get_xact_numscans('location_position_idx'::regclass) INTO after;
	RETURN after > before;
END $$;
SELECT pg_temp.uses_index();

-- Every condition at once, on positions of two decimals with many ties: like asking each place and sorting.
SELECT setseed(0.5);
SELECT location_import((SELECT jsonb_agg(jsonb_build_object('source', 'crm', 'source_id', 'n' || i, 'name', 'n' || i, 'roles', 'test', 'lon', round((8 + random())::numeric, 2), 'lat', round((47 + random() / 2)::numeric, 2), 'time_zone', (ARRAY['Europe/Zurich', 'Asia/Shanghai', 'America/New_York'])[i % 3 + 1],
	'services', (ARRAY['pickup', 'repair', 'pickup|repair', ''])[i % 4 + 1], 'hours', (ARRAY['Mo-Fr 09:00-18:00', 'Mo-Su 18:00-02:00', '24/7; 2026-06-03 off', 'Sa 10:00-16:00'])[i % 7 % 4 + 1])) FROM generate_series(1, 400) i));
ANALYZE location;
CREATE TEMP TABLE open_place AS SELECT l.location_id, at FROM location l, unnest('{2026-06-03 10:00Z,2026-06-06 01:30Z}'::timestamptz[]) at WHERE l.roles @> '{test}' AND store_is_open(l.location_id, at);
SELECT count(*) AS asked, sum(cardinality(found)) > 200 AS many, count(*) FILTER (WHERE found IS DISTINCT FROM expected) AS wrong
FROM (SELECT (SELECT array_agg(s.store_id ORDER BY n) FROM stores_nearest(p, k, m, at, services, '{test}') WITH ORDINALITY s (store_id, name, d, n)) AS found,
		(SELECT array_agg(x.location_id ORDER BY x.d, x.location_id) FROM (SELECT l.location_id, l.position <-> p AS d FROM location l
			WHERE l.roles @> '{test}' AND (m IS NULL OR l.position <-> p <= m) AND (at IS NULL OR (l.location_id, at) IN (SELECT o.location_id, o.at FROM open_place o)) AND (t.services IS NULL OR l.services @> t.services) ORDER BY 2, 1 LIMIT k) x) AS expected
	FROM (SELECT geopoint(round((8 + random())::numeric, 2 + i % 2)::float8, round((47 + random() / 2)::numeric, 2 + i % 2)::float8) AS p, 1 + i % 12 AS k, CASE i % 3 WHEN 0 THEN NULL ELSE i * 300.0 END AS m,
		CASE i % 5 WHEN 0 THEN NULL WHEN 1 THEN '2026-06-03 10:00Z'::timestamptz ELSE '2026-06-06 01:30Z' END AS at, CASE i % 4 WHEN 0 THEN NULL WHEN 1 THEN '{pickup}'::text[] ELSE '{pickup,repair}' END AS services FROM generate_series(1, 100) i) t) q;

-- Registering again replaces; what cannot be understood is refused.
SELECT location_import('[{"source": "pos", "source_id": "day", "name": "Day 2", "hours": [], "exceptions": []}]');
SELECT name, position, (SELECT count(*) FROM location_hours h WHERE h.location_id = l.location_id) AS hours FROM location l WHERE source_id = 'day';
SELECT pg_temp.try($$SELECT source_register('moon', 'Moon', time_zone => 'Mars/Base')$$);
SELECT pg_temp.try($$SELECT location_import('[{"source": "moon", "source_id": "1", "name": "x"}]')$$);
SELECT pg_temp.try($$SELECT location_import('[{"source": "pos", "source_id": "1", "name": "x", "latitude": 1}]')$$);
SELECT pg_temp.try($$SELECT location_import('[{"source": "pos", "source_id": "1", "name": "x", "time_zone": "Mars/Base"}]')$$);
SELECT pg_temp.try($$SELECT location_import('[{"source": "pos", "source_id": "1", "name": "x", "lon": 1, "lat": 91}]')$$);
SELECT pg_temp.try($$SELECT location_import('{}')$$);
SELECT pg_temp.try($$SELECT location_import('[{"source": "pos", "source_id": "1", "name": "x", "organisation": "misspelt"}]')$$);
SELECT pg_temp.try($$SELECT location_import('[{"source": "pos", "source_id": "1", "name": "x", "parent": "pos/misspelt"}]')$$);

\c contrib_regression
SET client_min_messages = warning;
DROP DATABASE o2o_store_search;
DROP ROLE o2o_store_search_owner;
