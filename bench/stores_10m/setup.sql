-- long
-- Ten million stores in the same 7,000 towns as those of bench/stores, rows in random order, and ten thousand customers.
SELECT setseed(0.42);
CREATE TABLE town AS
SELECT n AS id, -170 + 340 * random() AS longitude, degrees(asin(-0.7 + 1.6 * random())) AS latitude
FROM generate_series(1, 7000) AS n;
ALTER TABLE town ADD PRIMARY KEY (id);

CREATE TABLE store AS
SELECT d.id, 'Store ' || d.id AS name, o2o.geopoint(t.longitude + d.distance * 1670 / 111320 / cosd(t.latitude) * sin(d.angle),
	t.latitude + d.distance * 1670 / 111320 * cos(d.angle)) AS pos
FROM (SELECT n AS id, 1 + floor(7000 * random())::integer AS town, sqrt(-2 * ln(1 - random())) AS distance, 2 * pi() * random() AS angle
	FROM generate_series(1, 10000000) AS n) d
	JOIN town t ON t.id = d.town;
CREATE TABLE asked AS
SELECT id, p AS pos, p::geography AS geog
FROM (SELECT id, o2o.geopoint(o2o.geo_longitude(pos) + 0.01 * (random() - 0.5), o2o.geo_latitude(pos) + 0.01 * (random() - 0.5)) AS p FROM store WHERE id <= 10000) s;
CREATE TABLE store_gis AS SELECT id, name, pos::geography AS geog FROM store;
CREATE INDEX store_spgist ON store USING spgist (pos);
CREATE INDEX store_geography ON store_gis USING gist (geog);
