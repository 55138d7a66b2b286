-- Datums of Chinese maps: known values, the way back, what stays as it is, geometries of every kind, broken binary.
\set VERBOSITY terse
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS "O2O" CASCADE;
RESET client_min_messages;
SET search_path = public, o2o;
SET jit = off;

-- values that other implementations publish, to 1e-7 degree
SELECT name, found, found = expected AS as_published FROM (VALUES
	(1, 'Shanghai, GCJ-02', wgs84_to_gcj02('121.5272106,31.1774276'::geopoint), '121.531541859215,31.17530398364597'::geopoint),
	(2, 'Shenzhen, GCJ-02', wgs84_to_gcj02('113.912316,22.543847'::geopoint), '113.9171764808363,22.540796131694766'),
	(3, 'Beijing, GCJ-02', wgs84_to_gcj02('116.377817,39.911954'::geopoint), '116.38404722455657,39.91334545536069'),
	(4, 'Beijing, BD-09', gcj02_to_bd09('116.404,39.915'::geopoint), '116.41036949371029,39.92133699351021')) v (n, name, found, expected) ORDER BY n;

-- inside and outside
SELECT name, geo_in_china(p) AS inside, p = wgs84_to_gcj02(p) AND p = wgs84_to_bd09(p) AND p = gcj02_to_wgs84(p) AND p = gcj02_to_bd09(p) AND p = bd09_to_wgs84(p) AND p = bd09_to_gcj02(p) AS unchanged
FROM (VALUES (1, 'Seoul', '126.978,37.5665'::geopoint), (2, 'Hanoi', '105.8342,21.0278'), (3, 'Ulaanbaatar', '106.9057,47.8864'), (4, 'Vladivostok', '131.8869,43.1198'), (5, 'Kathmandu', '85.324,27.7172'),
	(6, 'Hong Kong', '114.1577,22.2855'), (7, 'Lo Wu', '114.1131,22.5283'), (8, 'Macau', '113.5461,22.2006'), (9, 'Taipei', '121.5654,25.033'), (10, 'Kinmen', '118.317,24.432'), (11, 'Matsu', '119.95,26.155'),
	(12, 'Pyongyang', '125.7381,39.0194'), (13, 'Almaty', '76.9286,43.2567'), (14, 'Thimphu', '89.6419,27.4661'), (15, 'Mandalay', '96.0836,21.9747'), (16, 'Islamabad', '73.0479,33.6844'), (17, 'North pole', '0,90'), (18, 'Antimeridian', '180,40'),
	(20, 'Shenzhen, Luohu', '114.1132,22.5325'), (21, 'Zhuhai, Gongbei', '113.549,22.2205'), (22, 'Hengqin', '113.535,22.135'), (23, 'Xiamen', '118.089,24.479'), (24, 'Sanya', '109.5,18.25'), (25, 'Kashgar', '75.9897,39.4704'),
	(26, 'Lhasa', '91.1322,29.6603'), (27, 'Mohe', '122.5372,52.9722'), (28, 'Fuyuan', '134.3075,48.3617'), (29, 'Dandong', '124.3947,40.1288')) v (n, name, p) ORDER BY n;

-- there and back: geometries within 1e-6 m, positions within their own rounding; the shifts have the size they should have
SELECT setseed(0.5);
CREATE TEMP TABLE place AS
SELECT g FROM (SELECT ST_SetSRID(ST_MakePoint(74 + random() * 60, 18 + random() * 35), 4326) AS g FROM generate_series(1, 20000)) t WHERE geo_in_china(g::geopoint);
SELECT count(*) > 5000 AS many,
	max(ST_Distance(g, gcj02_to_wgs84(wgs84_to_gcj02(g)))) * 111320 < 1e-6 AS gcj02, max(ST_Distance(g, bd09_to_wgs84(wgs84_to_bd09(g)))) * 111320 < 1e-6 AS bd09,
	max(ST_Distance(wgs84_to_gcj02(g), bd09_to_gcj02(wgs84_to_bd09(g)))) * 111320 < 1e-6 AS bd09_to_gcj02, max(ST_Distance(wgs84_to_bd09(g), gcj02_to_bd09(wgs84_to_gcj02(g)))) * 111320 < 1e-6 AS by_way_of,
	max(g::geopoint <-> gcj02_to_wgs84(wgs84_to_gcj02(g::geopoint))) < 0.02 AS gcj02_rounded, max(g::geopoint <-> bd09_to_wgs84(wgs84_to_bd09(g::geopoint))) < 0.02 AS bd09_rounded,
	min(g::geopoint <-> wgs84_to_gcj02(g::geopoint)) > 10 AND max(g::geopoint <-> wgs84_to_gcj02(g::geopoint)) < 1000 AS size
FROM place;

-- geometries keep kind, SRID, height and measure; each vertex is converted as a point is
SELECT ST_AsEWKT(wgs84_to_gcj02(g), 9) FROM unnest(ARRAY['SRID=4326;POINT ZM(121.5272106 31.1774276 7 8)', 'POINT(113.912316 22.543847)', 'SRID=4490;POINT(126.978 37.5665)', 'POINT EMPTY', 'SRID=4326;POLYGON EMPTY',
	'SRID=4326;LINESTRING M(121.5272106 31.1774276 1,126.978 37.5665 2)']::geometry[]) WITH ORDINALITY u (g, n) ORDER BY n;
CREATE TEMP TABLE shape AS SELECT n, g::geometry AS g FROM unnest(ARRAY['POINT(121 31)', 'LINESTRING(121 31,122 32,10 10)', 'POLYGON((120 30,121 30,121 31,120 30),(120.5 30.2,120.6 30.2,120.6 30.3,120.5 30.2))', 'MULTIPOINT(121 31,122 32)',
	'MULTILINESTRING((121 31,122 32),(110 30,111 31))', 'MULTIPOLYGON(((120 30,121 30,121 31,120 30)),((110 30,111 30,111 31,110 30)))', 'GEOMETRYCOLLECTION Z(POINT Z(121 31 5),GEOMETRYCOLLECTION Z(LINESTRING Z(121 31 1,122 32 2)))',
	'CIRCULARSTRING(121 31,122 32,123 31)', 'COMPOUNDCURVE(CIRCULARSTRING(121 31,122 32,123 31),(123 31,124 32))', 'CURVEPOLYGON(CIRCULARSTRING(120 30,121 31,122 30,121 29,120 30))', 'MULTICURVE((121 31,122 32),CIRCULARSTRING(121 31,122 32,123 31))',
	'MULTISURFACE(CURVEPOLYGON(CIRCULARSTRING(120 30,121 31,122 30,121 29,120 30)))', 'POLYHEDRALSURFACE(((120 30,121 30,121 31,120 30)))', 'TIN(((120 30,121 30,121 31,120 30)))', 'TRIANGLE((120 30,121 30,121 31,120 30))']) WITH ORDINALITY u (g, n);
SELECT count(*) AS kinds, count(*) FILTER (WHERE GeometryType(c) <> GeometryType(g) OR ST_SRID(c) <> 4326 OR ST_NPoints(c) <> ST_NPoints(g)
	OR (SELECT array_agg(ST_AsEWKB(wgs84_to_gcj02(d.geom)) ORDER BY d.path) FROM ST_DumpPoints(g) d) IS DISTINCT FROM (SELECT array_agg(ST_AsEWKB(d.geom) ORDER BY d.path) FROM ST_DumpPoints(c) d)
	OR ST_AsEWKB(wgs84_to_gcj02(ST_GeomFromEWKB(ST_AsEWKB(g, 'XDR')))) <> ST_AsEWKB(c)) AS wrong
FROM (SELECT ST_SetSRID(g, 4326) AS g, wgs84_to_gcj02(ST_SetSRID(g, 4326)) AS c FROM shape) t;
-- the other byte order; what is cut off, or of no kind; random bytes: an error or the same length
SELECT ST_AsEWKB(wgs84_to_gcj02(g), 'XDR') = geo_datum_wkb(ST_AsEWKB(g, 'XDR'), 0, 1) AS big_endian FROM shape ORDER BY n LIMIT 3;
CREATE FUNCTION pg_temp.try(wkb bytea, from_datum integer DEFAULT 0, to_datum integer DEFAULT 1) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	RETURN CASE WHEN length(geo_datum_wkb(wkb, from_datum, to_datum)) = length(wkb) THEN 'same length' ELSE 'other length' END;
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE || ' ' || SQLERRM;
END $$;
SELECT w, pg_temp.try(w) FROM unnest(ARRAY['', '\x01', '\x0101000000', '\x02010000000000000000000000000000000000f03f', '\x01020000000f000000', '\x0102000000ffffffff', '\x0107000000ffffffff', '\x0163000000', '\x010700000001000000', '\x010700000000000000', '\x01070000000000000000']::bytea[]) w;
SELECT pg_temp.try('\x010700000000000000', 3, 0), pg_temp.try('\x010700000000000000', 0, -1);
SELECT pg_temp.try(decode(string_agg('010700000001000000', ''), 'hex')) FROM generate_series(1, 5000);
SELECT DISTINCT pg_temp.try(substr(w, 1, n)) FROM (SELECT ST_AsEWKB(g) AS w FROM shape) t, generate_series(0, length(w) - 1) n;
SELECT count(*) FILTER (WHERE answer NOT IN ('same length', '22P03 not the binary form of a geometry, or no known datum')) AS wrong, count(DISTINCT answer) AS answers
FROM (SELECT pg_temp.try(set_byte(set_byte(w, (random() * (length(w) - 1))::integer, (random() * 255)::integer), (random() * 8)::integer, (random() * 255)::integer)) AS answer FROM (SELECT ST_AsEWKB(g) AS w FROM shape) t, generate_series(1, 400)) a;
