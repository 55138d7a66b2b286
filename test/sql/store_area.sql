-- Stores: all within a distance, service areas, the next opening; each against brute force.
-- In a database of its own: the model belongs to an owner who is no superuser.
SET client_min_messages = warning;
DROP DATABASE IF EXISTS o2o_store_area;
CREATE DATABASE o2o_store_area;
\c o2o_store_area
SET client_min_messages = warning;
CREATE ROLE o2o_store_area_owner;
CREATE SCHEMA elsewhere;
CREATE EXTENSION postgis SCHEMA elsewhere;
SET search_path = elsewhere, public;
CREATE EXTENSION "O2O" CASCADE;
GRANT USAGE, CREATE ON SCHEMA o2o TO o2o_store_area_owner;
GRANT USAGE ON SCHEMA elsewhere TO o2o_store_area_owner;
CALL o2o.setup(owner => 'o2o_store_area_owner');
SET ROLE o2o_store_area_owner;
SET search_path = public, o2o;
\set SHOW_CONTEXT never
SET datestyle = ISO;
SET timezone = 'UTC';

-- What a statement answers, or its error with SQLSTATE.
CREATE FUNCTION pg_temp.try(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	result text;
BEGIN
	EXECUTE query INTO result;
	RETURN coalesce(result, 'NULL');
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE || ' ' || SQLERRM;
END $$;

-- PostGIS stands in a schema that no function's search_path names.
SELECT location_import('[
	{"source": "pos", "source_id": "a", "name": "A", "lon": 10, "lat": 50, "areas": [{"radius_m": 5000}, {"service": "repair", "radius_m": 20000}],
	 "hours": [{"weekday": [1, 2, 3, 4, 5], "opens": "09:00", "closes": "18:00"}]},
	{"source": "pos", "source_id": "b", "name": "B", "lon": 10.05, "lat": 50, "services": ["pickup"],
	 "areas": [{"area": {"type": "Polygon", "coordinates": [[[10, 49.9], [10.1, 49.9], [10.1, 50.1], [10, 50.1], [10, 49.9]], [[10.04, 49.99], [10.06, 49.99], [10.06, 50.01], [10.04, 50.01], [10.04, 49.99]]]}}]},
	{"source": "pos", "source_id": "c", "name": "C", "lon": 179.9, "lat": -17,
	 "areas": [{"area": {"type": "MultiPolygon", "coordinates": [[[[179, -18], [180, -18], [180, -16], [179, -16], [179, -18]]], [[[-180, -18], [-179, -18], [-179, -16], [-180, -16], [-180, -18]]]]}}]},
	{"source": "pos", "source_id": "d", "name": "D", "kind": "warehouse", "lon": 10, "lat": 50.01, "areas": [{"radius_m": 100000}]},
	{"source": "pos", "source_id": "e", "name": "E", "areas": [{"radius_m": 100000}]},
	{"source": "pos", "source_id": "f", "name": "F", "lon": 10, "lat": 50, "closed_on": "2026-01-01", "areas": [{"radius_m": 5000}]}]');
SELECT point, name, round(distance_m::numeric, 1) AS distance_m, area_service
FROM (VALUES (1, '10.001,50'::geopoint), (2, '10.05,50'), (3, '10.1,50.1'), (4, '10.2,50'), (5, '-179.5,-17'), (6, '180,-17'), (7, '-178.9,-17')) v (n, point)
	LEFT JOIN LATERAL stores_serving(point, open_at => NULL) ON true ORDER BY n, stores_serving.distance_m, name, area_service;
SELECT name, area_service FROM stores_serving('10.001,50', service => 'repair');
SELECT name, area_service FROM stores_serving('10.001,50', roles => '{warehouse}');
SELECT name, area_service FROM stores_serving('10.001,50', services => '{pickup}');
SELECT name, area_service FROM stores_serving('10.001,50', open_at => '2026-11-23 10:00');
SELECT count(*) FROM stores_serving('10.001,50', open_at => '2026-11-22 10:00');
SELECT name, area_service FROM stores_serving('10.001,50', open_at => '2025-11-22 10:00');
SELECT pg_temp.try('SELECT stores_serving(NULL)');
-- what is no area
SELECT area, pg_temp.try(format('SELECT location_import(jsonb_build_array(jsonb_build_object(''source'', ''pos'', ''source_id'', ''x'', ''name'', ''X'', ''areas'', jsonb_build_array(%L::jsonb))))', area))
FROM unnest(ARRAY['{}', '{"radius_m": -1}', '{"radius_m": "NaN"}', '{"radius_m": "Infinity"}', '{"radius_m": 1, "area": {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 0]]]}}',
	'{"area": {"type": "Point", "coordinates": [0, 0]}}', '{"area": {"type": "Polygon", "coordinates": []}}', '{"area": {"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]]}}',
	'{"area": {"type": "Polygon", "coordinates": [[[179, 0], [181, 0], [181, 1], [179, 0]]]}}']) area;
SELECT pg_temp.try($$SELECT elsewhere.ST_SetSRID(elsewhere.ST_MakeEnvelope(0, 0, 1, 1), 3857)::o2o.geopolygon$$);

-- Many areas of both kinds: like asking each; polygons by their index.
SELECT location_import((SELECT jsonb_agg(jsonb_build_object('source', 'web', 'source_id', 'w' || i, 'name', 'w' || i, 'roles', '["grid"]'::jsonb, 'lon', x, 'lat', y, 'areas',
		jsonb_build_array(CASE WHEN i % 2 = 0 THEN jsonb_build_object('radius_m', i * 37 % 9000)
			ELSE jsonb_build_object('area', jsonb_build_object('type', 'Polygon', 'coordinates', jsonb_build_array(jsonb_build_array(
				jsonb_build_array(x - w, y - w), jsonb_build_array(x + w, y - w), jsonb_build_array(x, y + w), jsonb_build_array(x - w, y - w))))) END)))
	FROM (SELECT i, (i * 7919 % 2000) / 1000.0 + 20 AS x, (i * 104729 % 2000) / 1000.0 + 40 AS y, (i * 13 % 50) / 1000.0 + 0.001 AS w FROM generate_series(1, 2000) i) t));
ANALYZE location; ANALYZE location_area;
CREATE TEMP TABLE asked AS SELECT i, geopoint((i * 613 % 2000) / 1000.0 + 20, (i * 389 % 2000) / 1000.0 + 40) AS at FROM generate_series(1, 60) i;
SELECT count(*) AS points, sum(cardinality(found)) AS found, count(*) FILTER (WHERE found IS DISTINCT FROM expected) AS wrong
FROM (SELECT (SELECT array_agg(s.store_id ORDER BY s.n) FROM stores_serving(at, roles => '{grid}') WITH ORDINALITY s (store_id, name, distance_m, service, n)) AS found,
	(SELECT array_agg(location_id ORDER BY geo_distance(l.position, at), location_id) FROM location l JOIN location_area a USING (location_id)
		WHERE l.roles @> '{grid}' AND coalesce(geo_distance(l.position, at) <= a.radius_m, elsewhere.ST_Intersects(a.area, geo_geometry(at)))) AS expected FROM asked) t;
CREATE FUNCTION pg_temp.scans(query text, index regclass) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
	before bigint := pg_stat_get_xact_numscans(index);
BEGIN
	EXECUTE query;
	RETURN pg_stat_get_xact_numscans(index) > before;
END $$;
SELECT pg_temp.scans($$SELECT stores_serving('20.5,40.5')$$, 'location_area_area_idx') AS by_polygon, pg_temp.scans($$SELECT stores_serving('20.5,40.5')$$, 'location_position_idx') AS by_radius,
	pg_temp.scans($$SELECT stores_within('20.5,40.5', 1000)$$, 'location_position_idx') AS within;

-- All within a distance, like sorting everything; the distance itself counts.
SELECT count(*) AS searches, sum(cardinality(found)) AS found, count(*) FILTER (WHERE found IS DISTINCT FROM expected) AS wrong
FROM (SELECT (SELECT array_agg(s.store_id ORDER BY s.n) FROM stores_within(at, m, roles => '{grid}') WITH ORDINALITY s (store_id, name, distance_m, n)) AS found,
	(SELECT array_agg(location_id ORDER BY d, location_id) FROM (SELECT location_id, geo_distance(l.position, at) AS d FROM location l WHERE l.roles @> '{grid}') l WHERE d <= m) AS expected
	FROM asked, unnest(ARRAY[0, 3000, 40000]) m) t;
SELECT name, distance_m = m AS on_the_edge FROM (SELECT geo_distance('10.2,50', '10,50') AS m) t, LATERAL stores_within('10.2,50', m);
SELECT name FROM stores_within('10.05,50', 10000, services => '{pickup}');
SELECT name FROM stores_within('10.05,50', 10000, open_at => '2026-11-23 10:00');
SELECT pg_temp.try(format('SELECT stores_within(%s)', a)) FROM unnest(ARRAY['NULL, 1', '''1,1'', NULL', '''1,1'', -1', '''1,1'', ''NaN''', '''1,1'', ''Infinity''']) a;

-- The next opening: the first moment at which store_is_open says so.
SELECT location_import('[
	{"source": "pos", "source_id": "day", "name": "Day", "time_zone": "Asia/Shanghai", "hours": [{"weekday": [1, 2, 3, 4, 5], "opens": "09:00", "closes": "12:00"}, {"weekday": [1, 2, 3, 4, 5], "opens": "13:00", "closes": "21:00"}],
	 "exceptions": [{"day": "2026-10-01"}, {"day": "2026-10-02"}, {"day": "2026-10-05"}, {"day": "2026-10-06"}, {"day": "2026-10-07"}, {"day": "2026-10-04", "opens": "10:00", "closes": "11:00"}]},
	{"source": "pos", "source_id": "bar", "name": "Bar", "time_zone": "Europe/Berlin", "hours": [{"weekday": 6, "opens": "20:00", "closes": "04:00"}], "exceptions": [{"day": "2026-08-01"}]},
	{"source": "pos", "source_id": "always", "name": "Always", "time_zone": "America/New_York", "hours": [{"weekday": [1, 2, 3, 4, 5, 6, 7], "opens": "00:00", "closes": "24:00"}]},
	{"source": "pos", "source_id": "early", "name": "Early", "time_zone": "Europe/Berlin", "hours": [{"weekday": 7, "opens": "02:30", "closes": "05:00"}]},
	{"source": "pos", "source_id": "gap", "name": "Gap", "time_zone": "Europe/Berlin", "hours": [{"weekday": 7, "opens": "02:30", "closes": "03:10"}]},
	{"source": "pos", "source_id": "fair", "name": "Fair", "time_zone": "Europe/London", "exceptions": [{"day": "2026-12-24", "opens": "10:00", "closes": "12:00"}]},
	{"source": "pos", "source_id": "new", "name": "New", "time_zone": "Asia/Tokyo", "opened_on": "2026-06-01", "closed_on": "2026-09-01", "hours": [{"weekday": [1, 7], "opens": "18:00", "closes": "02:00"}]},
	{"source": "pos", "source_id": "works", "name": "Works", "time_zone": "UTC", "hours": [{"weekday": 3, "opens": "08:00", "closes": "09:00"}],
	 "exceptions": [{"day": "2026-01-07"}, {"day": "2026-01-14"}, {"day": "2026-01-21"}, {"day": "2026-01-28"}, {"day": "2026-02-04"}]},
	{"source": "pos", "source_id": "seldom", "name": "Seldom", "hours": "Mo 09:00-10:00; 2026-03-02 off; 9999-12-31 08:00-09:00", "time_zone": "UTC"},
	{"source": "pos", "source_id": "once", "name": "Once", "exceptions": "9999-12-31 08:00-09:00", "time_zone": "UTC"},
	{"source": "pos", "source_id": "never", "name": "Never", "exceptions": "9999-12-31 off"},
	{"source": "pos", "source_id": "none", "name": "None"}]');
SELECT c.source_id, c.at, store_next_opening(l.location_id, c.at::timestamptz) AT TIME ZONE l.time_zone AS opens, c.what
FROM (VALUES
	(1, 'day', '2026-09-28 08:59:59+08', 'in a moment'), (2, 'day', '2026-09-28 10:00+08', 'open: now'), (3, 'day', '2026-09-28 12:00+08', 'lunch'),
	(4, 'day', '2026-09-30 21:00+08', 'over the holidays: other hours on the 4th'), (5, 'day', '2026-10-04 11:00+08', 'and after'), (6, 'bar', '2026-07-19 03:59:59+02', 'past midnight: now'),
	(7, 'bar', '2026-07-19 04:00+02', 'next Saturday'), (8, 'bar', '2026-07-26 04:00+02', 'the one after is an exception'), (9, 'always', '2026-03-08 06:59:59+00', 'now'),
	(10, 'early', '2026-03-28 12:00+00', '02:30 is skipped'), (11, 'early', '2026-10-24 12:00+00', 'the second 02:30'), (12, 'gap', '2026-03-28 12:00+00', 'hours that the clock skips: a week later'),
	(13, 'fair', '2026-01-01 00:00+00', 'one day'), (14, 'fair', '2026-12-24 12:00+00', 'never again'), (15, 'new', '2026-05-20 00:00+09', 'opens for good on a Monday: Sunday''s night still goes on'),
	(16, 'new', '2026-08-31 12:00+09', 'the last night'), (17, 'new', '2026-09-01 00:00+09', 'closed for good'), (18, 'works', '2026-01-01 00:00+00', 'five weeks of exceptions'), (19, 'none', '2026-01-01 00:00+00', 'no hours'),
	(20, 'seldom', '2026-03-01 00:00+00', 'an exception next week'), (21, 'once', '2026-03-01 00:00+00', 'in eight thousand years'), (22, 'never', '2026-03-01 00:00+00', 'closed on that day too'),
	(23, 'always', 'infinity', 'never ends'), (24, 'always', '-infinity', 'never begins'), (25, 'new', '-infinity', 'since it opened'), (26, 'always', NULL, 'no moment')) c (no, source_id, at, what)
	JOIN location l USING (source_id) ORDER BY c.no;
SELECT pg_temp.try('SELECT store_next_opening(999999, now())');
-- around the changes of the clock and the ends of business: not open before, open then
SELECT count(*) AS asked, count(next) AS opens_again, count(*) FILTER (WHERE next < at OR (next IS NOT NULL AND NOT store_is_open(location_id, next)) OR (next > at AND store_is_open(location_id, next - interval '1 microsecond'))
	OR EXISTS (SELECT FROM generate_series(at, least(next - interval '1 microsecond', at + interval '36 hours'), interval '10 minutes') g (t) WHERE store_is_open(location_id, t))) AS wrong
FROM (SELECT l.location_id, s.at, store_next_opening(l.location_id, s.at) AS next
	FROM location l, (SELECT generate_series(d::timestamptz, d::timestamptz + interval '3 days', interval '150 minutes') AS at FROM unnest(ARRAY['2026-03-28', '2026-05-30', '2026-08-30', '2026-10-03', '2026-10-24']) d) s
	WHERE l.source_id IN ('day', 'bar', 'always', 'early', 'gap', 'new')) t;

\c contrib_regression
SET client_min_messages = warning;
DROP DATABASE o2o_store_area;
DROP ROLE o2o_store_area_owner;
