-- A million stores in 2,000 towns of Europe and East Asia, a few of them large (Zipf), dense in the middle and thin
-- outside (normal, 1 to 11 km); a thousand customers of the same towns. Each system has tables of its own with the
-- index that its manual names, once with the rows in random order and once along a Hilbert curve.
SELECT setseed(0.42);
CREATE TABLE town AS
SELECT n AS id, 1000 + 10000 * random() AS sigma_m,
	CASE WHEN n % 2 = 0 THEN -9 + 40 * random() ELSE 100 + 30 * random() END AS longitude,
	CASE WHEN n % 2 = 0 THEN 36 + 22 * random() ELSE 20 + 25 * random() END AS latitude
FROM generate_series(1, 2000) AS n;
ALTER TABLE town ADD PRIMARY KEY (id);

CREATE TABLE place AS
SELECT d.id, o2o.geopoint(t.longitude + d.distance * t.sigma_m / 111320 / cosd(t.latitude) * sin(d.angle),
	t.latitude + d.distance * t.sigma_m / 111320 * cos(d.angle)) AS pos
FROM (SELECT n AS id, least(2000, floor(exp(random() * ln(2001)))::integer) AS town, sqrt(-2 * ln(1 - random())) AS distance, 2 * pi() * random() AS angle
	FROM generate_series(1, 1001000) AS n) d
	JOIN town t ON t.id = d.town;

CREATE TABLE store_random AS SELECT id, 'Store ' || id AS name, pos FROM place WHERE id <= 1000000 ORDER BY random();
CREATE TABLE store_hilbert AS SELECT * FROM store_random ORDER BY o2o.geo_hilbert(pos);
CREATE TABLE store_random_gis AS SELECT id, name, pos::geography AS geog FROM store_random;
CREATE TABLE store_hilbert_gis AS SELECT id, name, pos::geography AS geog FROM store_hilbert;
CREATE TABLE asked AS
SELECT id, pos, pos::geography AS geog, pos::geography::geometry AS geom FROM place WHERE id > 1000000;
CREATE INDEX ON store_random USING spgist (pos);
CREATE INDEX ON store_hilbert USING spgist (pos);
CREATE INDEX ON store_random_gis USING gist (geog);
CREATE INDEX ON store_hilbert_gis USING gist (geog);
CREATE INDEX ON store_random_gis USING gist ((geog::geometry));

-- Legs between neighbours on the curve, and between two stores anywhere.
CREATE TABLE leg_near AS SELECT pos AS a, lag(pos, 1, pos) OVER () AS b FROM (SELECT pos FROM store_hilbert LIMIT 300000) s;
CREATE TABLE leg_far AS SELECT pos AS a, lag(pos, 1, pos) OVER () AS b FROM (SELECT pos FROM store_random LIMIT 300000) s;
CREATE TABLE leg_near_gis AS SELECT a::geography AS a, b::geography AS b FROM leg_near;
CREATE TABLE leg_far_gis AS SELECT a::geography AS a, b::geography AS b FROM leg_far;
