-- PostGIS ST_DWithin(geography) with GiST, rows in random order
-- count: 10000 searches
SELECT count(near.id), count(near.name) FROM asked,
LATERAL (SELECT s.id, s.name FROM store_random_gis s WHERE ST_DWithin(s.geog, asked.geog, 5000)) near;
