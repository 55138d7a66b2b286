-- PostGIS ST_DWithin(geography) with GiST, rows in random order
-- count: 10000 searches
SELECT sum(n) FROM asked, LATERAL (SELECT count(*) AS n FROM store_random_gis s WHERE ST_DWithin(s.geog, asked.geog, 5000)) near;
