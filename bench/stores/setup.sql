-- A million stores in the cities of the world: a store has 12 others within 1 km and 140 within 5 km. Ten thousand customers
-- of the same towns. Each system has tables of its own with the index that its manual names, once with the rows in random
-- order and once along a Hilbert curve.
\set places 1010000
\ir place.sql

-- Seventy-five brands; a quarter is open at nine and has the third of eight services, which are bits.
CREATE TABLE store AS
SELECT id, 'Store ' || id AS name, 1 + floor(75 * random())::integer AS brand, (6 + 7 * random())::integer AS opens, (14 + 7 * random())::integer AS closes,
	floor(256 * random())::integer AS services, pos
FROM place WHERE id <= 1000000;
CREATE TABLE asked AS
SELECT id, 1 + (id % 75)::integer AS brand, pos, pos::geography AS geog, pos::geography::geometry AS geom FROM place WHERE id > 1000000;

-- How good PostGIS' index on rows in random order gets is a matter of chance: it inserts them one by one, and the first
-- ones decide. So nine orders of the same rows are drawn, and both sides are measured on the one whose index of PostGIS
-- is the middle one by the pages that it reads.
CREATE TABLE drawn (n integer, pages bigint);
DO $$
DECLARE
	explained json;
BEGIN
	FOR n IN 1..9 LOOP
		EXECUTE format('CREATE TABLE drawn_%s AS SELECT id, name, brand, opens, closes, services, pos::geography AS geog FROM store ORDER BY random()', n);
		EXECUTE format('CREATE INDEX drawn_%s_geography ON drawn_%1$s USING gist (geog)', n);
		EXECUTE format('EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON) SELECT near.id FROM (SELECT * FROM asked LIMIT 1000) asked,
			LATERAL (SELECT s.id FROM drawn_%s s ORDER BY s.geog <-> asked.geog LIMIT 10) near', n) INTO explained;
		INSERT INTO drawn VALUES (n, (explained #>> '{0,Plan,Shared Hit Blocks}')::bigint + (explained #>> '{0,Plan,Shared Read Blocks}')::bigint);
	END LOOP;
END $$;
INSERT INTO note (note)
SELECT format('Rows in random order: PostGIS'' index reads %s pages for the 10 nearest, by nine orders of the same rows. Measured is the middle one.',
	string_agg(round(pages / 1000.0)::text, ', ' ORDER BY pages))
FROM drawn;
SELECT format(CASE row_number() OVER (ORDER BY pages, n) WHEN 5
	THEN 'ALTER TABLE drawn_%s RENAME TO store_random_gis; ALTER INDEX drawn_%1$s_geography RENAME TO store_random_geography'
	ELSE 'DROP TABLE drawn_%s' END, n)
FROM drawn \gexec

CREATE TABLE store_random AS SELECT s.* FROM store s JOIN store_random_gis o USING (id) ORDER BY o.ctid;
CREATE TABLE store_hilbert AS SELECT * FROM store ORDER BY o2o.geo_hilbert(pos);
CREATE TABLE store_hilbert_gis AS SELECT id, name, brand, opens, closes, services, pos::geography AS geog FROM store_hilbert;
CREATE INDEX store_random_spgist ON store_random USING spgist (pos);
CREATE INDEX store_hilbert_spgist ON store_hilbert USING spgist (pos);
-- Filled as far as GiST fills its pages; SP-GiST leaves a fifth free for rows to come.
CREATE TABLE store_filled AS SELECT id, pos FROM store_hilbert;
CREATE INDEX store_filled_spgist ON store_filled USING spgist (pos) WITH (fillfactor = 90);
-- With what is asked for in it. A GiST index on geography cannot answer without the row, whatever it includes.
CREATE TABLE store_covered AS SELECT * FROM store_random;
CREATE INDEX store_covered_spgist ON store_covered USING spgist (pos o2o.geopoint_spgist_covering_ops) INCLUDE (id, name);
CREATE INDEX store_hilbert_geography ON store_hilbert_gis USING gist (geog);
CREATE INDEX store_random_geometry ON store_random_gis USING gist ((geog::geometry));

-- The nearest of one brand.
CREATE EXTENSION btree_gist SCHEMA public;
CREATE TABLE branded AS SELECT id, name, brand, pos FROM store_hilbert;
CREATE TABLE branded_gis AS SELECT id, name, brand, geog FROM store_hilbert_gis;
CREATE TABLE branded_random AS SELECT id, name, brand, pos FROM store_random;
CREATE TABLE branded_random_gis AS SELECT id, name, brand, geog FROM store_random_gis;
CREATE INDEX branded_gist ON branded USING gist (brand o2o.category_int4_ops, pos);
CREATE INDEX branded_geography ON branded_gis USING gist (brand, geog);
CREATE INDEX branded_random_gist ON branded_random USING gist (brand o2o.category_int4_ops, pos);
CREATE INDEX branded_random_geography ON branded_random_gis USING gist (brand, geog);

-- A GiST index of one column, for its size alone.
CREATE TABLE sized AS SELECT id, pos FROM store_random;
CREATE INDEX sized_gist ON sized USING gist (pos);

-- A million customers in the same towns, and a chain of 20,000 stores.
CREATE TABLE customer AS
SELECT id, o2o.geopoint(o2o.geo_longitude(pos) + 0.01 * (random() - 0.5), o2o.geo_latitude(pos) + 0.01 * (random() - 0.5)) AS pos
FROM store_random;
CREATE TABLE chain AS SELECT id, pos FROM store_random LIMIT 20000;
CREATE TABLE customer_gis AS SELECT id, pos::geography AS geog FROM customer LIMIT 20000;
CREATE TABLE chain_gis AS SELECT id, pos::geography AS geog FROM chain ORDER BY o2o.geo_hilbert(pos);
CREATE INDEX chain_spgist ON chain USING spgist (pos);
CREATE INDEX chain_geography ON chain_gis USING gist (geog);

-- 100,000 of the stores as places of the model, half of them with a service, half of them open by day and half by night
-- on every day of the week; and the same in plain tables.
INSERT INTO o2o.location (location_id, source, source_id, name, services, position, time_zone, week_hours)
SELECT s.id, 'pos', s.id, s.name, CASE WHEN s.services & 4 <> 0 THEN '{pickup}'::text[] ELSE '{}' END, s.pos,
	CASE WHEN o2o.geo_longitude(s.pos) < -30 THEN 'America/New_York' WHEN o2o.geo_longitude(s.pos) < 60 THEN 'Europe/Berlin' ELSE 'Asia/Shanghai' END,
	CASE WHEN s.services & 8 <> 0 THEN w.day ELSE w.night END
FROM store_hilbert s, (SELECT o2o.week_hours('Mo-Su 06:00-23:00') AS day, o2o.week_hours('Mo-Su 23:30-05:00') AS night) w WHERE s.id <= 100000;
CREATE TABLE place_gis AS SELECT location_id AS id, name, services, time_zone, position::geography AS geog FROM o2o.location ORDER BY o2o.geo_hilbert(position);
ALTER TABLE place_gis ADD PRIMARY KEY (id);
CREATE INDEX place_geography ON place_gis USING gist (geog);
CREATE TABLE place_hours AS SELECT location_id AS id, weekday, opens, closes FROM o2o.location_hours;
ALTER TABLE place_hours ADD PRIMARY KEY (id, weekday, opens);
CREATE TABLE place_exception (id bigint, day date, opens time, closes time, PRIMARY KEY (id, day));

-- Legs between neighbours on the curve, and between two stores anywhere.
CREATE TABLE leg_near AS SELECT pos AS a, lag(pos, 1, pos) OVER () AS b FROM (SELECT pos FROM store_hilbert LIMIT 300000) s;
CREATE TABLE leg_far AS SELECT pos AS a, lag(pos, 1, pos) OVER () AS b FROM (SELECT pos FROM store_random LIMIT 300000) s;
CREATE TABLE leg_near_gis AS SELECT a::geography AS a, b::geography AS b FROM leg_near;
CREATE TABLE leg_far_gis AS SELECT a::geography AS a, b::geography AS b FROM leg_far;
