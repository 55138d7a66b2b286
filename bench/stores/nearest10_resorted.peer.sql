-- PostGIS: 40 nearest by degrees (geometry <-> with GiST), of these 10 by ST_Distance(geography); no guarantee
-- count: 10000 searches
SELECT count(near.id), count(near.name), sum(near.m) FROM asked,
LATERAL (SELECT c.id, c.name, ST_Distance(c.geog, asked.geog) AS m
	FROM (SELECT s.id, s.name, s.geog FROM store_random_gis s ORDER BY s.geog::geometry <-> asked.geom LIMIT 40) c
	ORDER BY m LIMIT 10) near;
