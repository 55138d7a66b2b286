-- Geofences: enter, dwell and exit of circles and polygons, as reckoned by hand and by a plain query over all pairs.
\set VERBOSITY terse
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS "O2O" CASCADE;
RESET client_min_messages;
SET search_path = public, o2o;
SET timezone = 'UTC';
SET datestyle = ISO;
SET jit = off;

-- A degree of latitude at the equator is 110574 m: 0.001 is 110.57 m. Fences of 200 m around 0,0 and of 1 km around 0.05,0.
CREATE TABLE ping (id bigint, at timestamptz, pos geopoint);
INSERT INTO ping VALUES
	(1, '2026-01-01 10:00', '0,0.01'), (1, '2026-01-01 10:01', '0,0.001'), (1, '2026-01-01 10:04', '0,0'), (1, '2026-01-01 10:06', '0,0.0015'), (1, '2026-01-01 10:07', '0,0.0019'),
	(1, '2026-01-01 10:08', '0,0.0015'), (1, '2026-01-01 10:09', '0,0.0025'), (1, '2026-01-01 10:20', '0,0.001'), (1, '2026-01-01 10:30', '0.05,0'),
	(2, '2026-01-01 10:00', '0.05,0'), (2, '2026-01-01 12:00', '10,10'), (2, '2026-01-01 12:01', NULL), (3, '2026-01-01 09:00', '0,0'), (3, '2026-01-01 09:05', '0,0');
CREATE FUNCTION pg_temp.circles(min_dwell interval, hysteresis double precision) RETURNS TABLE (id bigint, fence_id bigint, event text, at time, entered time, last_inside time) LANGUAGE sql AS $$
	SELECT id, fence_id, event, at::time, entered_at::time, last_inside_at::time
	FROM geofence_events((SELECT array_agg(id) FROM ping), (SELECT array_agg(at) FROM ping), (SELECT array_agg(pos) FROM ping),
		'{70,71,72}', ARRAY['<(0,0),200>', NULL, '<(0.05,0),1000>']::geocircle[], min_dwell, hysteresis)
$$;
SELECT * FROM pg_temp.circles('5 minutes', 0);
-- 0.0019 is 210 m away: within a hysteresis of 50 m the visit goes on; 0.0025 is 276 m away
SELECT * FROM pg_temp.circles('5 minutes', 50) WHERE id = 1;
SELECT * FROM pg_temp.circles('0', 100) WHERE id <> 2;
-- the same whatever the order in which the pings came
CREATE TEMP TABLE told AS SELECT * FROM pg_temp.circles('5 minutes', 50);
CREATE TABLE shuffled AS SELECT * FROM ping ORDER BY at DESC, id;
TRUNCATE ping;
INSERT INTO ping SELECT * FROM shuffled;
SELECT count(*) AS differences FROM ((TABLE told EXCEPT ALL SELECT * FROM pg_temp.circles('5 minutes', 50)) UNION ALL (SELECT * FROM pg_temp.circles('5 minutes', 50) EXCEPT ALL TABLE told)) d;
-- the edge counts, and so do one moment's pings in the order of the array
SELECT id, event, at::time FROM geofence_events('{1,1,1,1}', ARRAY['2026-01-01 10:00', '2026-01-01 10:00', '2026-01-01 10:00', '2026-01-01 09:00']::timestamptz[],
	ARRAY['1,1', '0,0', '1,1', '0,0.01']::geopoint[], '{1}', ARRAY[geocircle('0,0', geo_distance('0,0', '0,0.01'))], '1 hour');
-- two fences with one id are two; a multipolygon is one
SELECT fence_id, event FROM geofence_events('{1}', '{2026-01-01}', ARRAY['0,0']::geopoint[], '{5,5}', ARRAY['<(0,0),1>', '<(0,0),Infinity>']::geocircle[]);
SELECT fence_id, event, at::time FROM geofence_events('{1,1,1}', '{2026-01-01 10:00,2026-01-01 10:01,2026-01-01 10:02}', ARRAY['0.5,0.5', '5.5,0.5', '3,0.5']::geopoint[], '{8}',
	ARRAY['SRID=4326;MULTIPOLYGON(((0 0,1 0,1 1,0 1,0 0)),((5 0,6 0,6 1,5 1,5 0)))'::geometry::geopolygon], '1 minute');
-- polygons: a hole, its edges, the distance to the nearest place of an edge (0.001 degree of longitude at the equator is 111.3 m)
SELECT at::time, event FROM geofence_events(array_fill(1::bigint, ARRAY[7]), ARRAY(SELECT '2026-01-01 10:00'::timestamptz + n * interval '1 minute' FROM generate_series(0, 6) n),
	ARRAY['0.1,0.1', '0.5,0.5', '0.4,0.5', '1,1', '1.0005,0.5', '1.001,0.5', '0.9999,0.001']::geopoint[], '{9}',
	ARRAY['SRID=4326;POLYGON((0 0,1 0,1 1,0 1,0 0),(0.4 0.4,0.6 0.4,0.6 0.6,0.4 0.6,0.4 0.4))'::geometry::geopolygon], '1 hour', 100);
-- height is nothing to a fence; over the antimeridian
SELECT event FROM geofence_events('{1}', '{2026-01-01}', ARRAY['0.5,0.5']::geopoint[], '{1}', ARRAY['SRID=4326;POLYGON Z((0 0 5,1 0 5,1 1 5,0 0 5))'::geometry::geopolygon]);
SELECT id, event FROM geofence_events('{1,2,3,4}', '{2026-01-01,2026-01-01,2026-01-01,2026-01-01}', ARRAY['179.95,10', '-179.95,10', '180,10', '179.7,10']::geopoint[], '{1}', ARRAY['<(-179.99,10),20000>']::geocircle[]);

-- nothing gives nothing
SELECT count(*) FROM geofence_events('{}', '{}', '{}', '{1}', ARRAY['<(0,0),1>']::geocircle[]);
SELECT count(*) FROM geofence_events('{1}', '{2026-01-01}', ARRAY['0,0']::geopoint[], '{}', '{}'::geocircle[]);
SELECT count(*) FROM geofence_events('{1}', '{2026-01-01}', ARRAY['0,0']::geopoint[], '{}', '{}'::geopolygon[]);
SELECT count(*) FROM geofence_events('{1}', '{2026-01-01}', ARRAY['0,0']::geopoint[], '{1}', NULL::geopolygon[]);
SELECT count(*) FROM geofence_events('{1}', '{2026-01-01}', ARRAY['0,0']::geopoint[], '{1}', ARRAY['<(0,0),1>']::geocircle[], NULL);
-- errors
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
SELECT pg_temp.try(format('SELECT geofence_events(%s)', a)) FROM unnest(ARRAY[
	$$'{NULL}', '{2026-01-01}', '{"0,0"}', '{1}', ARRAY['<(0,0),1>']::geocircle[]$$, $$'{1}', '{NULL}', '{"0,0"}', '{1}', ARRAY['<(0,0),1>']::geocircle[]$$,
	$$'{1}', '{infinity}', '{"0,0"}', '{1}', ARRAY['<(0,0),1>']::geocircle[]$$, $$'{1}', '{2026-01-01}', '{}', '{1}', ARRAY['<(0,0),1>']::geocircle[]$$,
	$$'{1}', '{2026-01-01}', '{"0,0"}', '{1,2}', ARRAY['<(0,0),1>']::geocircle[]$$, $$'{{1}}', '{2026-01-01}', '{"0,0"}', '{1}', ARRAY['<(0,0),1>']::geocircle[]$$,
	$$'{1}', '{2026-01-01}', '{"0,0"}', '{1}', ARRAY['<(0,0),1>']::geocircle[], '-1 second'$$, $$'{1}', '{2026-01-01}', '{"0,0"}', '{1}', ARRAY['<(0,0),1>']::geocircle[], '1 month'$$,
	$$'{1}', '{2026-01-01}', '{"0,0"}', '{1}', ARRAY['<(0,0),1>']::geocircle[], '1 day', -1$$, $$'{1}', '{2026-01-01}', '{"0,0"}', '{1}', ARRAY['<(0,0),1>']::geocircle[], '1 day', 'NaN'$$,
	$$'{1}', '{2026-01-01}', '{"0,0"}', '{1}', ARRAY['<(0,0),1>']::geocircle[], '1 day', 10001$$, $$'{1}', '{2026-01-01}', '{"0,0"}', '{1,2}', ARRAY['SRID=4326;POLYGON((0 0,1 0,1 1,0 0))'::geometry::geopolygon]$$]) a;
SET work_mem = '64kB';
SELECT pg_temp.try($$SELECT geofence_events('{1}', '{2026-01-01}', '{"0,0"}', (SELECT array_agg(i) FROM generate_series(1, 1000) i), (SELECT array_agg('<(0,0),1>'::geocircle) FROM generate_series(1, 1000)))$$);
RESET work_mem;
-- binary of polygons that is cut off or changed: an error or an answer
SELECT DISTINCT pg_temp.try(format($$SELECT count(*) FROM geofence_polygon_events('{1}', '{2026-01-01}', '{"0,0"}', '{1}', ARRAY[%L::bytea], '1 day', 10)$$, substr(w, 1, n)))
FROM (SELECT ST_AsBinary('MULTIPOLYGON(((0 0,1 0,1 1,0 1,0 0),(0.4 0.4,0.6 0.4,0.6 0.6,0.4 0.4)),((5 0,6 0,6 1,5 0)))'::geometry) AS w) t, generate_series(0, length(w) - 1) n;
SELECT setseed(0.1);
SELECT count(*) FILTER (WHERE answer !~ '^([01]$|22P03)') AS wrong, count(DISTINCT answer ~ '^22P03') AS kinds
FROM (SELECT pg_temp.try(format($$SELECT count(*) FROM geofence_polygon_events('{1}', '{2026-01-01}', '{"0,0"}', '{1}', ARRAY[%L::bytea], '1 day', 10)$$, set_byte(set_byte(w, (random() * (length(w) - 1))::integer, (random() * 255)::integer), (random() * 12)::integer, (random() * 255)::integer))) AS answer
	FROM (SELECT ST_AsBinary('MULTIPOLYGON(((0 0,1 0,1 1,0 1,0 0),(0.4 0.4,0.6 0.4,0.6 0.6,0.4 0.4)),((5 0,6 0,6 1,5 0)))'::geometry) AS w) t, generate_series(1, 500)) a;

-- 60 devices walk among 150 fences of each kind, in a town, at the antimeridian and near a pole. By a plain query over all pairs:
-- a visit begins at each ping inside that is not within one, and ends at the first ping beyond.
SELECT setseed(0.3);
CREATE TABLE walk AS
SELECT d AS id, '2026-01-01'::timestamptz + n * interval '1 minute' AS at, CASE d % 3
	WHEN 0 THEN geopoint(121.4 + 0.1 * sin(d + n * 0.7) + random() * 0.01, 31.2 + 0.1 * cos(d * 2 + n * 0.5))
	WHEN 1 THEN geopoint(CASE WHEN (d + n) % 2 = 0 THEN 180 - random() * 0.1 ELSE -180 + random() * 0.1 END, random() * 0.1)
	ELSE geopoint(random() * 360 - 180, 89.9 + random() * 0.1) END AS pos
FROM generate_series(1::bigint, 60) d, generate_series(1, 30) n;
CREATE TABLE fence AS
SELECT f AS id, CASE f % 3
	WHEN 0 THEN geocircle(geopoint(121.3 + random() * 0.2, 31.1 + random() * 0.2), random() * 4000)
	WHEN 1 THEN geocircle(geopoint(CASE WHEN f % 2 = 0 THEN 180 - random() * 0.1 ELSE -180 + random() * 0.1 END, random() * 0.1), random() * 5000)
	ELSE geocircle(geopoint(random() * 360 - 180, 89.9 + random() * 0.1), random() * 5000) END AS circle
FROM generate_series(1::bigint, 150) f;
CREATE TABLE shape AS
SELECT f AS id, ST_SetSRID(ST_MakePolygon(ST_MakeLine(ARRAY[ST_MakePoint(x - w, y - w), ST_MakePoint(x + w, y - w / 3), ST_MakePoint(x + w / 2, y + w), ST_MakePoint(x, y), ST_MakePoint(x - w, y + w), ST_MakePoint(x - w, y - w)])), 4326)::geopolygon AS area
FROM (SELECT f, 121.3 + random() * 0.2 AS x, 31.1 + random() * 0.2 AS y, 0.002 + random() * 0.03 AS w FROM generate_series(1::bigint, 60) f) t;
CREATE FUNCTION pg_temp.expected(kind text, hysteresis double precision) RETURNS TABLE (id bigint, fence_id bigint, event text, at timestamptz) LANGUAGE plpgsql AS $$
DECLARE
	r record; inside boolean := false; before bigint; before_fence bigint;
BEGIN
	FOR r IN EXECUTE CASE kind WHEN 'circle' THEN
			'SELECT w.id, f.id AS fence_id, w.at, geo_distance(w.pos, geo_center(f.circle)) <= geo_radius(f.circle) AS holds, geo_distance(w.pos, geo_center(f.circle)) > geo_radius(f.circle) + $1 AS beyond
			FROM walk w, fence f WHERE geo_distance(w.pos, geo_center(f.circle)) < 300000 ORDER BY 1, 2, 3'
		ELSE 'SELECT w.id, f.id AS fence_id, w.at, geo_covers(f.area, w.pos) AS holds, NOT geo_covers(f.area, w.pos) AND ST_Distance(f.area::geography, w.pos::geography) > $1 AS beyond
			FROM walk w, shape f WHERE w.id % 3 = 0 ORDER BY 1, 2, 3' END USING hysteresis
	LOOP
		IF (r.id, r.fence_id) IS DISTINCT FROM (before, before_fence) THEN
			inside := false; before := r.id; before_fence := r.fence_id;
		END IF;
		IF r.holds AND NOT inside OR r.beyond AND inside THEN
			inside := NOT inside;
			RETURN QUERY SELECT r.id, r.fence_id, CASE WHEN inside THEN 'enter' ELSE 'exit' END, r.at;
		END IF;
	END LOOP;
END $$;
WITH expected AS MATERIALIZED (SELECT hysteresis, x.* FROM unnest(ARRAY[0, 700]) hysteresis, pg_temp.expected('circle', hysteresis) x), found AS MATERIALIZED (
	SELECT hysteresis, e.id, e.fence_id, e.event, e.at
	FROM unnest(ARRAY[0, 700]) hysteresis, (SELECT array_agg(id) AS ids, array_agg(at) AS ats, array_agg(pos) AS positions FROM walk) w, (SELECT array_agg(id) AS ids, array_agg(circle) AS shapes FROM fence) f,
		geofence_events(w.ids, w.ats, w.positions, f.ids, f.shapes, '1000 days', hysteresis) e)
SELECT (SELECT count(*) FROM expected) AS expected, count(*) AS wrong FROM ((TABLE expected EXCEPT ALL TABLE found) UNION ALL (TABLE found EXCEPT ALL TABLE expected)) d;
WITH expected AS MATERIALIZED (SELECT hysteresis, x.* FROM unnest(ARRAY[0, 700]) hysteresis, pg_temp.expected('polygon', hysteresis) x), found AS MATERIALIZED (
	SELECT hysteresis, e.id, e.fence_id, e.event, e.at
	FROM unnest(ARRAY[0, 700]) hysteresis, (SELECT array_agg(id) AS ids, array_agg(at) AS ats, array_agg(pos) AS positions FROM walk WHERE id % 3 = 0) w, (SELECT array_agg(id) AS ids, array_agg(area) AS shapes FROM shape) f,
		geofence_events(w.ids, w.ats, w.positions, f.ids, f.shapes, '1000 days', hysteresis) e)
SELECT (SELECT count(*) FROM expected) AS expected, count(*) AS wrong FROM ((TABLE expected EXCEPT ALL TABLE found) UNION ALL (TABLE found EXCEPT ALL TABLE expected)) d;
-- from the first day to the last there are more microseconds than a number of them can be
SELECT event, at FROM geofence_events('{1,1}', '{"4713-01-01 BC","294276-01-01"}', '{"0,0","0,0"}', '{1}', ARRAY['<(0,0),100>']::geocircle[]);
-- it can be cancelled
SET statement_timeout = '200ms';
SELECT count(*) FROM geofence_events((SELECT array_agg(1::bigint) FROM generate_series(1, 100000)), (SELECT array_agg('2026-01-01'::timestamptz + i * interval '1 second') FROM generate_series(1, 100000) i),
	(SELECT array_agg(geopoint(0, i % 2)) FROM generate_series(1, 100000) i), (SELECT array_agg(i) FROM generate_series(1, 20000) i), (SELECT array_agg('<(0,0),10>'::geocircle) FROM generate_series(1, 20000)));
RESET statement_timeout;
DROP TABLE ping, shuffled, walk, fence, shape;
