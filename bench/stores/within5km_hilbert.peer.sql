-- PostGIS ST_DWithin(geography) with GiST, rows along a Hilbert curve
-- count: 10000 searches
SELECT count(near.id), count(near.name) FROM asked,
LATERAL (SELECT s.id, s.name FROM store_hilbert_gis s WHERE ST_DWithin(s.geog, asked.geog, 5000)) near;
