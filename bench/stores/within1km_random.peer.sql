-- PostGIS ST_DWithin(geography) with GiST, rows in random order
-- count: 1000 searches
SELECT count(near.id), count(near.name) FROM (SELECT * FROM asked LIMIT 1000) asked,
LATERAL (SELECT s.id, s.name FROM store_random_gis s WHERE ST_DWithin(s.geog, asked.geog, 1000)) near;
