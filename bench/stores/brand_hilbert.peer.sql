-- PostGIS geography <-> with GiST on (brand, geography), rows along a Hilbert curve
-- count: 10000 searches
SELECT count(near.id), count(near.name), sum(near.m) FROM asked,
LATERAL (SELECT s.id, s.name, s.geog <-> asked.geog AS m
	FROM branded_gis s WHERE s.brand = asked.brand ORDER BY s.geog <-> asked.geog LIMIT 10) near;
