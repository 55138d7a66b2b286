-- long
-- Ten million stores in the same towns as those of bench/stores, rows in random order, and ten thousand customers.
\set places 10000000
\ir ../stores/place.sql
CREATE TABLE store AS SELECT id, 'Store ' || id AS name, pos FROM place;
CREATE TABLE asked AS
SELECT id, p AS pos, p::geography AS geog
FROM (SELECT id, o2o.geopoint(o2o.geo_longitude(pos) + 0.01 * (random() - 0.5), o2o.geo_latitude(pos) + 0.01 * (random() - 0.5)) AS p FROM store WHERE id <= 10000) s;
CREATE TABLE store_gis AS SELECT id, name, pos::geography AS geog FROM store;
CREATE INDEX store_spgist ON store USING spgist (pos);
CREATE INDEX store_geography ON store_gis USING gist (geog);
