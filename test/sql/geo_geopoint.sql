-- The type o2o.geopoint: text and binary, errors, order, casts, distances.
\set VERBOSITY terse
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS "O2O" CASCADE;
RESET client_min_messages;
SET search_path = public, o2o;
SET extra_float_digits = 1;

-- text: both forms, rounding to 1e-7, one value a position
SELECT input, input::geopoint AS position
FROM unnest(ARRAY['121.4737,31.2304', ' -0.1276 , +51.5072 ', 'POINT(121.4737 31.2304)', 'point ( 1e2  -2.5E1 ) ',
	'0,0', '-0.0,-0.0', '.5,5.', '-0.00000001,0.00000006', '-179.9999999,-89.9999999', '0.1000000,10',
	'180,45', '-180,45', '179.99999999,45', '77,90', '-77,-90', '77,89.99999999']) AS input;
SELECT geopoint(121.4737, 31.2304), geopoint(180, 0), geopoint('-0', '-0');
SELECT geo_longitude(g), geo_latitude(g) FROM (VALUES ('121.4737,31.2304'::geopoint), ('180,-90')) v(g);

-- what is refused, and how
\set VERBOSITY default
SELECT '31.2304'::geopoint;
SELECT '31.2304,121.4737'::geopoint;
SELECT '180.0000001,0'::geopoint;
SELECT geopoint('NaN', 0);
SELECT geopoint(0, 'Infinity');
\set VERBOSITY terse
CREATE FUNCTION pg_temp.state_of(query text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE query;
	RETURN 'accepted';
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE || ' ' || SQLERRM;
END $$;
SELECT input, pg_temp.state_of(format('SELECT %L::o2o.geopoint', input))
FROM unnest(ARRAY['', ' ', ',', '1', '1,', ',1', '1 2', '1,2,3', '1;2', '1,2x', 'NaN,0', '0,inf', 'infinity,0', '0x10,1', '1e,2', '1e+,2',
	'--1,2', '+-1,2', '.,1', '1,2)', '(1,2)', 'POINT', 'POINT EMPTY', 'POINT()', 'POINT(1 2', 'POINT(1,2)', 'POINT(12)', 'POINT(1 2 3)', 'POINT Z(1 2 3)',
	'POINTS(1 2)', 'SRID=4326;POINT(1 2)', '1e999,0', '0,-1e999', '-180.00000001,0', '0,90.00000001', '0,-91']) AS input;

-- binary: two int4 in 1e-7 degree, checked as text is
SELECT encode(geopoint_send('121.4737,31.2304'), 'hex'), encode(geopoint_send('180,0'), 'hex');
CREATE TEMP TABLE sent (g geopoint);
\copy (SELECT g::geopoint FROM unnest(ARRAY['121.4737,31.2304', '-180,-89.9999999', '0,90', NULL]) g) TO 'results/geo_geopoint.bin' (FORMAT binary)
\copy sent FROM 'results/geo_geopoint.bin' (FORMAT binary)
SELECT * FROM sent;
-- (the same message with longitudes that no text would give)
\copy (SELECT v FROM (VALUES (int8send(1800000000::bigint * 4294967296)), (int8send(12::bigint * 4294967296 + 900000000))) x(v)) TO 'results/geo_geopoint.bin' (FORMAT binary)
\copy sent FROM 'results/geo_geopoint.bin' (FORMAT binary)
\copy (SELECT int8send(1800000001::bigint * 4294967296)) TO 'results/geo_geopoint.bin' (FORMAT binary)
\copy sent FROM 'results/geo_geopoint.bin' (FORMAT binary)
\copy (SELECT int8send(900000001)) TO 'results/geo_geopoint.bin' (FORMAT binary)
\copy sent FROM 'results/geo_geopoint.bin' (FORMAT binary)
\copy (SELECT int4send(1)) TO 'results/geo_geopoint.bin' (FORMAT binary)
\copy sent FROM 'results/geo_geopoint.bin' (FORMAT binary)
SELECT * FROM sent;

-- order: by longitude, then latitude; equality, hash, distinct, joins
SELECT g FROM unnest(ARRAY['10,5', '-10,80', '10,-5', '180,0', '179.9999999,0', '33,90', NULL]::geopoint[]) g ORDER BY g;
SELECT a < b, a <= b, a = b, a <> b, a >= b, a > b, geopoint_cmp(a, b)
FROM (VALUES ('1,1'::geopoint, '1,2'::geopoint), ('1,2', '1,1'), ('180,7', '-180,7'), ('-1,9', '1,-9')) v(a, b);
SELECT count(*), count(DISTINCT g) FROM unnest(ARRAY['180,1', '-180,1', '1,90', '2,90']::geopoint[]) g;
SELECT geopoint_hash('180,1') = geopoint_hash('-180,1') AS same, geopoint_hash('1,1') = geopoint_hash('1,1.0000001') AS differ,
	geopoint_hash_extended('1,1', 0) = geopoint_hash_extended('1,1', 1) AS seeded,
	(geopoint_hash_extended('1,1', 0) & 4294967295) = (geopoint_hash('1,1')::bigint & 4294967295) AS consistent;
SET enable_mergejoin = off; SET enable_nestloop = off;
SELECT count(*) FROM unnest(ARRAY['180,1', '5,5']::geopoint[]) a JOIN unnest(ARRAY['-180,1', '5,5.0000001']::geopoint[]) b ON a = b;
RESET enable_mergejoin; RESET enable_nestloop;
CREATE TEMP TABLE place (g geopoint PRIMARY KEY);
INSERT INTO place VALUES ('180,1');
INSERT INTO place VALUES ('-180,1');

-- casts: PostGIS and the built-in point
SELECT ST_AsEWKT('121.4737,31.2304'::geopoint::geometry), ST_AsText('121.4737,31.2304'::geopoint::geography), '121.4737,31.2304'::geopoint::point;
SELECT 'SRID=4326;POINT(121.4737 31.2304)'::geometry::geopoint, 'SRID=4326;POINT ZM(1 2 3 4)'::geometry::geopoint,
	'POINT(180 5)'::geography::geopoint, point(1, 2)::geopoint, NULL::geometry::geopoint IS NULL AS n1, NULL::geography::geopoint IS NULL AS n2;
CREATE TEMP TABLE mixed (geom geometry(Point, 4326), geog geography(Point, 4326), pos geopoint);
INSERT INTO mixed VALUES ('1,2'::geopoint, '1,2'::geopoint, ST_SetSRID(ST_MakePoint(1, 2), 4326));
SELECT ST_AsText(geom), ST_AsText(geog), pos FROM mixed;
SELECT query, pg_temp.state_of('SELECT ' || query) FROM unnest(ARRAY[
	$$'SRID=4326;LINESTRING(1 2, 3 4)'::geometry::o2o.geopoint$$,
	$$'SRID=4326;MULTIPOINT(1 2)'::geometry::o2o.geopoint$$,
	$$'POLYGON((0 0, 1 0, 1 1, 0 0))'::geography::o2o.geopoint$$,
	$$'POINT(1 2)'::geometry::o2o.geopoint$$,
	$$'SRID=3857;POINT(1 2)'::geometry::o2o.geopoint$$,
	$$'SRID=4326;POINT EMPTY'::geometry::o2o.geopoint$$,
	$$'POINT EMPTY'::geography::o2o.geopoint$$,
	$$'SRID=4326;POINT(181 2)'::geometry::o2o.geopoint$$,
	$$ST_SetSRID(ST_MakePoint('NaN', 1), 4326)::o2o.geopoint$$,
	$$ST_SetSRID(ST_MakePoint(1, 'Infinity'), 4326)::o2o.geopoint$$,
	$$point(2, 91)::o2o.geopoint$$, $$point('NaN', 1)::o2o.geopoint$$]) query;
-- a cast in a query costs no SQL function call: it is inlined
EXPLAIN (VERBOSE, COSTS OFF) SELECT geom::geopoint, pos::geography FROM mixed;

-- distances: metres on the ellipsoid (quadrant, half turn and degrees have well-known values)
SELECT round((a <-> b)::numeric, 6) AS metres, round(geo_azimuth(a, b)::numeric, 9) AS azimuth
FROM (VALUES ('0,0'::geopoint, '0,90'::geopoint), ('0,0', '1,0'), ('0,0', '0,1'), ('0,0', '180,0'), ('0,-90', '0,90'),
	('179.9999999,0', '-180,0'), ('0,89.9999999', '180,89.9999999'), ('121.4737,31.2304', '116.4074,39.9042'), ('5,5', '5,5')) v(a, b);
SELECT geo_azimuth('0,0', '0,-1'), geo_azimuth('0,0', '-1,0'), geo_azimuth('0,0', '-0.0000001,89'), geo_azimuth('0,90', '30,80');
SELECT geo_dwithin('0,0', '1,0', 111320), geo_dwithin('0,0', '1,0', 111319), geo_dwithin('1,1', '1,1', 0), geo_dwithin('0,0', '180,0', 'Infinity');
SELECT geo_dwithin('0,0', '1,0', m) FROM (VALUES ('NaN'::float8)) v(m);
SELECT geo_dwithin('0,0', '1,0', m) FROM (VALUES (-0.5)) v(m);

-- against PostGIS on the spheroid: seeded pairs, a third of them near, poles and antimeridian included
SELECT setseed(0.42);
CREATE TEMP TABLE pair AS
WITH start AS MATERIALIZED (
	SELECT i, CASE WHEN i % 5 = 0 THEN 180 ELSE random() * 360 - 180 END AS lon,
		CASE WHEN i % 7 = 0 THEN 89.99 ELSE degrees(asin(random() * 2 - 1)) END AS lat,
		power(10, random() * 9 - 7) AS step, random() * 2 * pi() AS way
	FROM generate_series(1, 20000) i)
SELECT i, geopoint(lon, lat) AS a,
	CASE WHEN i % 3 = 0 THEN geopoint(-lon * random(), -lat * random())
		ELSE geopoint(lon + CASE WHEN lon > 0 THEN -1 ELSE 1 END * step * abs(sin(way)), least(90, greatest(-90, lat + step * cos(way)))) END AS b
FROM start;
SELECT count(*) AS pairs, max(abs((a <-> b) - ST_Distance(a::geography, b::geography))) < 1e-6 AS close,
	bool_and((a <-> b) = (b <-> a)) AS symmetric, bool_and((a <-> b) >= 0) AS positive,
	count(*) FILTER (WHERE (a <-> b) < 100000) BETWEEN 5000 AND 19000 AS both_ways
FROM pair;
SELECT count(*) FROM pair WHERE a::text::geopoint <> a OR a::geometry::geopoint <> a OR a::geography::geopoint <> a OR a::point::geopoint <> a;

-- Hilbert order: along the curve, one step of the grid (2e-7 by 1e-7 degree) at a time
SELECT geo_hilbert('-180,-89.9999999') AS low, geo_hilbert('179.9999999,0') > 0 AS positive;
WITH grid AS (
	SELECT x, y, geo_hilbert(geopoint((x * 2 - 1800000000) / 1e7, (y - 900000000) / 1e7)) AS place
	FROM generate_series(607000064, 607000079) x, generate_series(1212304016, 1212304031) y), steps AS (
	SELECT place - lag(place) OVER w AS up, abs(x - lag(x) OVER w) + abs(y - lag(y) OVER w) AS moved FROM grid WINDOW w AS (ORDER BY place))
SELECT up, moved, count(*) FROM steps WHERE up IS NOT NULL GROUP BY 1, 2 ORDER BY 1, 2;
