-- PostGIS geography <-> with GiST, rows in random order, exact on the sphere
-- count: 10000 searches
SELECT count(near.id), count(near.name), sum(near.m) FROM asked,
LATERAL (SELECT s.id, s.name, s.geog <-> asked.geog AS m
	FROM store_random_gis s ORDER BY s.geog <-> asked.geog LIMIT 10) near;
