-- PostGIS geography <-> with GiST and the same conditions, rows in random order
-- count: 10000 searches
SELECT count(near.id), count(near.name), sum(near.m) FROM asked,
LATERAL (SELECT s.id, s.name, s.geog <-> asked.geog AS m
	FROM store_random_gis s WHERE s.opens <= 9 AND s.closes > 9 AND s.services & 4 <> 0 ORDER BY s.geog <-> asked.geog LIMIT 10) near;
