-- Trade areas: borders half way, no gap and no overlap, the store of an area is the nearest, over the antimeridian and around the poles.
\set VERBOSITY terse
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS "O2O" CASCADE;
RESET client_min_messages;
SET search_path = public, o2o;
SET extra_float_digits = 1;
SET jit = off;

-- Two stores on the equator, a degree apart, within a box: half each. At 60 degrees of latitude too.
SELECT store_id, ST_AsText(ST_Envelope(area), 5) AS within FROM trade_areas('{1,2}', '{"0,0","1,0"}', 'SRID=4326;POLYGON((-1 -1,2 -1,2 1,-1 1,-1 -1))'::geometry);
SELECT store_id, round(ST_XMin(area)::numeric, 6) AS west, round(ST_XMax(area)::numeric, 6) AS east FROM trade_areas('{2,1}', '{"0,60","1,60"}', 'SRID=4326;POLYGON((-1 59,2 59,2 61,-1 61,-1 59))'::geometry);
-- One store has all within its reach: a circle of 10 km but for its 64 corners; one outside the boundary has nothing.
SELECT store_id, ST_NPoints(area), round((ST_Area(area::geography) / (pi() * 1e8))::numeric, 3) AS of_the_circle, round(ST_Distance(ST_Boundary(area)::geography, geo_geography('8.5,47.4'))::numeric, -1) AS nearest
FROM trade_areas('{7}', '{"8.5,47.4"}', max_m => 10000);
SELECT store_id FROM trade_areas('{7,8}', '{"8.5,47.4","9.5,47.4"}', 'SRID=4326;POLYGON((9.4 47,9.6 47,9.6 48,9.4 48,9.4 47))'::geometry, 10000);
-- Stores at one place: the lowest id; a store without a position has none; nothing gives nothing.
SELECT store_id FROM trade_areas('{3,2,4,5}', ARRAY['1,1', '1,1', '1.1,1', NULL]::geopoint[]);
SELECT count(*) FROM trade_areas('{}', '{}');
SELECT count(*) FROM trade_areas(NULL, '{}');
-- A regular grid, where four areas meet in each corner.
SELECT count(*) AS areas, bool_and(ST_IsValid(area)) AS valid, round((sum(ST_Area(area)) / ST_Area(ST_Union(area::geometry)))::numeric, 5) AS overlap,
	round(avg(ST_NPoints(ST_SimplifyPreserveTopology(area, 0.001))) FILTER (WHERE store_id IN (23, 24, 33, 34))) AS corners_inside
FROM trade_areas(ARRAY(SELECT i FROM generate_series(0::bigint, 99) i), ARRAY(SELECT geopoint(10 + i / 10 * 0.1, 50 + i % 10 * 0.1) FROM generate_series(0, 99) i), max_m => 50000);

-- A town, the antimeridian, both poles, the whole earth: the areas fill their union without overlap, and hold what is nearest to their store.
SELECT setseed(0.6);
CREATE TABLE store AS
SELECT kind, row_number() OVER (PARTITION BY kind ORDER BY n) AS id, CASE kind
	WHEN 'town' THEN geopoint(121.2 + random() * 0.4, 31.1 + random() * 0.3)
	WHEN 'antimeridian' THEN geopoint(CASE WHEN n % 2 = 0 THEN 178 ELSE -180 END + random() * 2, -18 + random() * 4)
	WHEN 'north pole' THEN geopoint(random() * 360 - 180, 88 + random() * 2)
	WHEN 'south pole' THEN geopoint(random() * 360 - 180, -88 - random() * 2)
	ELSE geopoint(random() * 360 - 180, degrees(asin(random() * 2 - 1))) END AS pos
FROM unnest('{town,antimeridian,north pole,south pole,earth}'::text[]) kind, generate_series(1, 60) n;
CREATE TABLE area AS SELECT s.kind, t.store_id, t.area FROM (SELECT kind, array_agg(id) AS ids, array_agg(pos) AS positions FROM store GROUP BY kind) s,
	trade_areas(s.ids, s.positions, NULL, CASE s.kind WHEN 'town' THEN 30000 WHEN 'earth' THEN 5000000 ELSE 400000 END) t;
CREATE INDEX ON area USING gist (area);
SELECT kind, count(*) AS areas, bool_and(ST_IsValid(area)) AS valid, round((sum(ST_Area(area)) / ST_Area(ST_Union(area::geometry)))::numeric, 5) AS overlap FROM area GROUP BY kind ORDER BY kind;
SELECT round((sum(ST_Area(area::geography)) / 510065621724088)::numeric, 9) AS of_the_earth FROM area WHERE kind = 'earth';
-- the size of areas is that of PostGIS, holes left out
SELECT count(*) AS areas, max(abs(geo_area_km2(area) * 1e6 / ST_Area(area::geography) - 1)) < 1e-6 AS equal FROM area WHERE kind <> 'south pole';
SELECT round(geo_area_km2(g)::numeric, 6) AS km2, round((ST_Area(g::geography) / 1e6)::numeric, 6) AS postgis FROM (SELECT 'SRID=4326;MULTIPOLYGON(((0 0,1 0,1 1,0 1,0 0),(0.2 0.2,0.8 0.2,0.8 0.8,0.2 0.2)),((5 5,5 6,6 6,5 5)))'::geometry::geopolygon AS g) t;
CREATE TABLE asked AS
SELECT kind, row_number() OVER () AS id, CASE kind
	WHEN 'town' THEN geopoint(121.1 + random() * 0.6, 31 + random() * 0.5)
	WHEN 'antimeridian' THEN geopoint(CASE WHEN n % 2 = 0 THEN 178 ELSE -180 END + random() * 2, -18 + random() * 4)
	WHEN 'north pole' THEN geopoint(random() * 360 - 180, 88 + random() * 2)
	WHEN 'south pole' THEN geopoint(random() * 360 - 180, -88 - random() * 2)
	ELSE geopoint(random() * 360 - 180, degrees(asin(random() * 2 - 1))) END AS pos
FROM unnest('{town,antimeridian,north pole,south pole,earth}'::text[]) kind, generate_series(1, 400) n;
-- Wrong would be another store's area where the distances differ by more than a thousandth (of the earth, else by more than a metre).
SELECT a.kind, count(*) AS asked, count(*) FILTER (WHERE NOT a.held) AS nowhere, count(*) FILTER (WHERE a.excess > CASE a.kind WHEN 'earth' THEN 0.001 * a.metres ELSE 2 END) AS wrong
FROM (SELECT q.kind, q.id, k.distance_m AS metres, EXISTS (SELECT FROM area a WHERE a.kind = q.kind AND geo_covers(a.area, q.pos)) AS held,
		(SELECT max(s.pos <-> q.pos) FROM area a JOIN store s ON s.kind = a.kind AND s.id = a.store_id WHERE a.kind = q.kind AND geo_covers(a.area, q.pos)) - k.distance_m AS excess
	FROM asked q
		JOIN (SELECT s.kind, j.id, j.distance_m FROM (SELECT kind, array_agg(id) AS ids, array_agg(pos) AS positions FROM store GROUP BY kind) s
			JOIN (SELECT kind, array_agg(id) AS ids, array_agg(pos) AS positions FROM asked GROUP BY kind) q USING (kind),
			knn_join(q.ids, q.positions, s.ids, s.positions) j) k USING (kind, id)) a
GROUP BY a.kind ORDER BY a.kind;

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
SELECT pg_temp.try(format('SELECT store_id FROM trade_areas(%s)', a)) FROM unnest(ARRAY[$$'{1}', '{"0,0"}', NULL, 0$$, $$'{1}', '{"0,0"}', NULL, 'NaN'$$, $$'{1}', '{"0,0"}', NULL, 5000001$$, $$'{1,2}', '{"0,0"}'$$, $$'{NULL}', '{"0,0"}'$$, $$'{{1}}', '{"0,0"}'$$]) a;
SET work_mem = '64kB';
SELECT pg_temp.try($$SELECT store_id FROM trade_areas((SELECT array_agg(i) FROM generate_series(1::bigint, 2000) i), (SELECT array_agg(geopoint(i * 0.01, 0)) FROM generate_series(1, 2000) i))$$);
RESET work_mem;
-- a store in the middle of 5,000 on a circle around it
SELECT pg_temp.try($$SELECT count(*) FROM trade_areas((SELECT array_agg(i) FROM generate_series(0::bigint, 5000) i), (SELECT array_agg(CASE WHEN i = 0 THEN '0,0' ELSE geopoint(cos(i * 2 * pi() / 5000), sin(i * 2 * pi() / 5000)) END ORDER BY i) FROM generate_series(0, 5000) i))$$) LIKE '54000%' AS too_many;
DROP TABLE store, area, asked;
