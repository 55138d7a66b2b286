-- PostGIS geography with GiST, rows along a Hilbert curve
-- count: 1000000 rows
CREATE INDEX built ON store_hilbert_gis USING gist (geog);
DROP INDEX built;
