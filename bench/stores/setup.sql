-- A million stores in 7,000 towns all over the world, each dense in its middle and thin outside (normal, 1.67 km): a
-- store has 13 others within 1 km and 130 within 5 km. A thousand customers of the same towns. Each system has tables
-- of its own with the index that its manual names, once with the rows in random order and once along a Hilbert curve.
SELECT setseed(0.42);
CREATE TABLE town AS
SELECT n AS id, -170 + 340 * random() AS longitude, degrees(asin(-0.7 + 1.6 * random())) AS latitude
FROM generate_series(1, 7000) AS n;
ALTER TABLE town ADD PRIMARY KEY (id);

CREATE TABLE place AS
SELECT d.id, o2o.geopoint(t.longitude + d.distance * 1670 / 111320 / cosd(t.latitude) * sin(d.angle),
	t.latitude + d.distance * 1670 / 111320 * cos(d.angle)) AS pos
FROM (SELECT n AS id, 1 + floor(7000 * random())::integer AS town, sqrt(-2 * ln(1 - random())) AS distance, 2 * pi() * random() AS angle
	FROM generate_series(1, 1001000) AS n) d
	JOIN town t ON t.id = d.town;

-- Seventy-five brands; open from 6 to 13 to 14 to 21 o'clock, with one to six of eight services, as bits.
CREATE TABLE store_random AS
SELECT id, 'Store ' || id AS name, 1 + floor(75 * random())::integer AS brand, (6 + 7 * random())::smallint AS opens, (14 + 7 * random())::smallint AS closes,
	floor(256 * random())::integer AS services, pos
FROM place WHERE id <= 1000000 ORDER BY random();
CREATE TABLE store_hilbert AS SELECT * FROM store_random ORDER BY o2o.geo_hilbert(pos);
CREATE TABLE store_random_gis AS SELECT id, name, brand, opens, closes, services, pos::geography AS geog FROM store_random;
CREATE TABLE store_hilbert_gis AS SELECT id, name, brand, opens, closes, services, pos::geography AS geog FROM store_hilbert;
CREATE TABLE asked AS
SELECT id, 1 + (id % 75)::integer AS brand, pos, pos::geography AS geog, pos::geography::geometry AS geom FROM place WHERE id > 1000000;
CREATE INDEX store_random_spgist ON store_random USING spgist (pos);
CREATE INDEX store_hilbert_spgist ON store_hilbert USING spgist (pos);
CREATE INDEX store_random_geography ON store_random_gis USING gist (geog);
CREATE INDEX store_hilbert_geography ON store_hilbert_gis USING gist (geog);
CREATE INDEX store_random_geometry ON store_random_gis USING gist ((geog::geometry));

-- Legs between neighbours on the curve, and between two stores anywhere.
CREATE TABLE leg_near AS SELECT pos AS a, lag(pos, 1, pos) OVER () AS b FROM (SELECT pos FROM store_hilbert LIMIT 300000) s;
CREATE TABLE leg_far AS SELECT pos AS a, lag(pos, 1, pos) OVER () AS b FROM (SELECT pos FROM store_random LIMIT 300000) s;
CREATE TABLE leg_near_gis AS SELECT a::geography AS a, b::geography AS b FROM leg_near;
CREATE TABLE leg_far_gis AS SELECT a::geography AS a, b::geography AS b FROM leg_far;
