-- 10,000 stores over Europe and East Asia, 200 places to ask from.
SELECT setseed(0.42);
CREATE TABLE place AS
SELECT n AS id,
	CASE WHEN n % 2 = 0 THEN -9 + 40 * random() ELSE 100 + 30 * random() END AS longitude,
	CASE WHEN n % 2 = 0 THEN 36 + 22 * random() ELSE 20 + 25 * random() END AS latitude
FROM generate_series(1, 10200) AS n;
CREATE TABLE store AS
SELECT id, o2o.geopoint(longitude, latitude) AS pos, ST_SetSRID(ST_MakePoint(longitude, latitude), 4326)::geography AS geog
FROM place WHERE id <= 10000;
CREATE TABLE asked AS
SELECT id, o2o.geopoint(longitude, latitude) AS pos, ST_SetSRID(ST_MakePoint(longitude, latitude), 4326)::geography AS geog
FROM place WHERE id > 10000;
CREATE INDEX ON store USING gist (geog);
