-- PostGIS geography with GiST, rows in random order
-- count: 1000000 rows
CREATE INDEX built ON store_random_gis USING gist (geog);
DROP INDEX built;
